"""Where the exact counts behind a release lie: an interval for every cell that was published or that synthetic people are in.

What an interval covers is the *bounded count of subscribers*: what the release's cell would say without its noise. It is not what
busy people did beyond their bound, and not the residents of a place. The confidence is that of cells on the average: of many cells
of a table, about so many of the exact counts lie in theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synthmob.counts import STATISTICS
from synthmob.domain import Domain
from synthmob.errors import InputError
from synthmob.fidelity import cellposterior
from synthmob.fidelity.align import IntArray
from synthmob.fidelity.pairs import Pair, paired, scale_of
from synthmob.fidelity.sides import FloatArray, Tables
from synthmob.marginals import Marginal, unravel
from synthmob.period import Period
from synthmob.zones import Zoning

if TYPE_CHECKING:
    from synthmob.release import Release

LEVEL = 0.9
COVERS = (
    "An interval is about the bounded count of subscribers: what the release says of the cell without its noise, not what busy people did "
    "beyond their bound, and not the residents. Cells in which no synthetic person is, and that were not published, are not listed."
)


@dataclass(frozen=True)
class CellIntervals:
    """The cells of one table: `codes` (cells, axes); mean, lower and upper end in persons; `published` where the release has the cell."""

    released: Marginal
    codes: IntArray
    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    published: npt.NDArray[np.bool_]

    @property
    def table(self) -> str:
        """The table's name."""
        return self.released.name

    def chosen(self, labels: Mapping[str, str]) -> CellIntervals:
        """The cells with these labels on these axes; InputError where the table has no such axis or label."""
        keep = np.ones(len(self.codes), dtype=np.bool_)
        for place, code in chosen_codes(self.released, labels).items():
            keep &= self.codes[:, place] == code
        return CellIntervals(
            self.released, self.codes[keep], self.estimate[keep], self.low[keep], self.high[keep], self.published[keep])


def check_level(level: float) -> None:
    """InputError for a level that is no confidence."""
    if not 0.5 <= level < 1:
        raise InputError(f"A level of {level:g} is no confidence: give one from 0.5 to below 1, such as 0.9.")


def chosen_codes(table: Marginal, labels: Mapping[str, str]) -> dict[int, int]:
    """The place of each named axis and the code of its label; InputError where the table has no such axis or label."""
    out: dict[int, int] = {}
    for name, label in labels.items():
        if name not in table.axis_names:
            raise InputError(f"Table {table.name} has no axis {name!r}: its axes are {', '.join(table.axis_names)}.")
        place = table.axis_names.index(name)
        try:
            out[place] = table.axes[place].code(label)
        except KeyError:
            raise InputError(f"The axis {name} of table {table.name} has no {label!r}: give one of its labels.") from None
    return out


def cell_intervals(
    release: Release, people: Sequence[Tables], zoning: Zoning, domain: Domain, period: Period, backend: Any, level: float = LEVEL
) -> tuple[tuple[CellIntervals, ...], tuple[str, ...]]:
    """Every table's cells with their intervals, and what is to be said of the tables that have none.

    `people` are populations of one model that differ in their seed: how far they are apart widens the intervals of missing cells.
    """
    check_level(level)
    if not people:
        raise InputError("Intervals need at least one synthetic population: give an OUT folder or a MODEL.")
    made: list[tuple[dict[str, Pair], float]] = []
    notes: list[str] = []
    for tables in people:
        pairs, told, _ = paired(release, tables, zoning, domain, period, backend, hidden=True)
        notes += [note for note in told if note not in notes]
        made.append((pairs, scale_of(pairs)))
    names = [name for name in made[0][0] if all(name in pairs for pairs, _ in made)]
    return tuple(_of_table([(pairs[name], scale) for pairs, scale in made], level) for name in names), tuple(notes)


def _of_table(made: Sequence[tuple[Pair, float]], level: float) -> CellIntervals:
    released = made[0][0].released
    cells = np.unique(np.concatenate([released.flat, *(pair.cells for pair, _ in made)]))
    each = np.zeros((len(made), len(cells)))
    for row, (pair, scale) in zip(each, made, strict=True):
        row[np.searchsorted(cells, pair.cells)] = pair.persons * scale
    expected = each.mean(axis=0)
    scale = float(np.mean([s for _, s in made]))
    # A sample of the model's people says less of the cell than the model does; seeds show more of it than counting alone may.
    counting = expected * (1 + scale / len(made))
    if len(made) > 1:
        counting += each.var(axis=0, ddof=1) / len(made)
    shown = np.isin(cells, released.flat, assume_unique=True)
    estimate, low, high = np.empty(len(cells)), np.empty(len(cells)), np.empty(len(cells))
    occupied = expected[expected > 0]
    n_empty = int(released.n_domain - len(occupied))
    estimate[shown], low[shown], high[shown] = cellposterior.published(
        np.maximum(released.values, 0.0), occupied, n_empty, released.sigma, level)
    word = STATISTICS[released.name.partition("@")[0]].word
    estimate[~shown], low[~shown], high[~shown] = cellposterior.missing(
        expected[~shown], counting[~shown], word, released.sigma, released.cut, level)
    return CellIntervals(released, unravel(cells, released.axes), estimate, low, high, shown)
