"""Whether the axes of released tables are those that their statistics have over a zoning: what is fitted trusts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from synthmob.counts.anchors import ANCHORS
from synthmob.counts.commuting import COMMUTING
from synthmob.counts.flows import FLOWS
from synthmob.counts.habits import HABITS
from synthmob.counts.modes import MODES
from synthmob.counts.reach import REACH
from synthmob.counts.routines import ROUTINES
from synthmob.counts.statistic import Public, Statistic
from synthmob.counts.timing import TIMING
from synthmob.counts.usage import USAGE
from synthmob.errors import FormatError
from synthmob.marginals import Marginal

OF_PEOPLE = ("sex", "age_band")
"""The axes that a publisher may cut in bands of their own."""
KNOWN: dict[str, Statistic] = {s.name: s for s in (*ANCHORS, *FLOWS, *REACH, *COMMUTING, *ROUTINES, *HABITS, *MODES, *TIMING, *USAGE)}


def check_axes(tables: Mapping[str, Marginal], public: Public, *, planned: bool) -> None:
    """FormatError where a table has axes that its statistic does not have, or a level where it has none.

    Tables of a plan have all axes of their statistic. Those that others have published may lack some, and tell no pupils apart.
    """
    if not planned:
        public = replace(public, domain=replace(public.domain, attributes=()))
    for name, table in tables.items():
        base, _, level = name.partition("@")
        statistic = KNOWN.get(base)
        if statistic is None:
            continue
        if statistic.spatial is not bool(level):
            raise FormatError(f"Table {name!r} is {'about no level' if statistic.spatial else 'about areas'}: it is no table of ours.")
        wanted = {axis.name: axis for axis in statistic.axes(public, level)}
        names = [axis.name for axis in table.axes]
        right = names == list(wanted) if planned else names == [n for n in wanted if n in names]
        if not right or not all(wanted[axis.name] == axis or (axis.name in OF_PEOPLE and not planned) for axis in table.axes):
            raise FormatError(
                f"Table {name!r} has other axes than {', '.join(wanted)} over the categories that it was measured in: it is damaged "
                "or of another version, ask for it again.")  # fmt: skip
