"""Every statistic of the standard plan, defined once over PERSONS, STAYS and EVENTS."""

from __future__ import annotations

from synthmob.counts.coded import Coded, coded
from synthmob.counts.contributions import Contributions
from synthmob.counts.declared import KNOWN as STATISTICS
from synthmob.counts.statistic import Public, Statistic, bounded, cells, count, table_name

__all__ = ["STATISTICS", "Coded", "Contributions", "Public", "Statistic", "bounded", "cells", "coded", "count", "table_name"]
