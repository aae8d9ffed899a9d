"""Every statistic of the standard plan, defined once over PERSONS, STAYS and EVENTS."""

from __future__ import annotations

from synthmob.counts.anchors import ANCHORS
from synthmob.counts.coded import Coded, coded
from synthmob.counts.contributions import Contributions
from synthmob.counts.flows import FLOWS
from synthmob.counts.routines import ROUTINES
from synthmob.counts.statistic import Public, Statistic, bounded, cells, count, table_name
from synthmob.counts.timing import TIMING
from synthmob.counts.usage import USAGE

STATISTICS: dict[str, Statistic] = {s.name: s for s in (*ANCHORS, *FLOWS, *ROUTINES, *TIMING, *USAGE)}

__all__ = ["STATISTICS", "Coded", "Contributions", "Public", "Statistic", "bounded", "cells", "coded", "count", "table_name"]
