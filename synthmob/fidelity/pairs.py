"""Released tables beside the same counts of a synthetic population: every statistic is the one of `counts`, with the contribution
bound under which it was released."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from synthmob.counts import STATISTICS, Coded, Statistic, count
from synthmob.domain import ChainAxis, Domain
from synthmob.errors import FormatError
from synthmob.fidelity.align import IntArray, sums
from synthmob.fidelity.sides import FloatArray, Tables, open_side
from synthmob.marginals import Marginal, ravel
from synthmob.period import Period
from synthmob.request import MODES
from synthmob.zones import Zoning

if TYPE_CHECKING:
    from synthmob.release import Release

PER_PERSON = "events_per_person"
SCALED_BY = ("demographics", "home_by_group", "home", "home_work", "work")
"""Tables of persons, from the one that tells best how many there are."""


@dataclass(frozen=True)
class Pair:
    """A released table and the synthetic count in its axes: flat cells and raw persons."""

    released: Marginal
    cells: IntArray
    persons: FloatArray

    @property
    def published(self) -> FloatArray:
        """The raw synthetic persons in each published cell."""
        flat = self.released.flat
        if not len(self.cells):
            return np.zeros(len(flat))
        at = np.minimum(np.searchsorted(self.cells, flat), len(self.cells) - 1)
        return np.where(self.cells[at] == flat, self.persons[at], 0.0)


def paired(
    release: Release, synthetic: Tables, zoning: Zoning, domain: Domain, period: Period, backend: Any, *, hidden: bool = False,
) -> tuple[dict[str, Pair], list[str], int]:
    """The tables that can be compared, what is to be said of the others, and how many synthetic persons there are.

    A table of which no cell was published is among them where `hidden`.
    """
    side = open_side(backend, Tables(*synthetic), zoning, domain, period, name="fidelity_synthetic")
    lived = [name for name, seen in zip(period.day_types, side.seen_per_type, strict=True) if seen > 0]
    pairs, notes = _pairs({name: _on_days(table, lived) for name, table in release.marginals.items()}, side.coded, hidden=hidden)
    absent = [name for name in period.day_types if name not in lived]
    notes += [f"day type {name}: left out, the population has no such day" for name in absent]
    side.close()
    if not pairs:
        raise FormatError(
            "The release has no table that a population can be compared with: measure it with the standard plan."
        )
    return pairs, notes, side.n_persons


def _pairs(marginals: Mapping[str, Marginal], coded: Coded, *, hidden: bool) -> tuple[dict[str, Pair], list[str]]:
    pairs: dict[str, Pair] = {}
    notes: list[str] = []
    silent = coded.events is None
    if silent and any(_of_usage(name) for name in marginals):
        notes.append("tables of usage: left out, the population has no events")
    if not coded.has_modes and any(name in MODES for name in marginals):
        notes.append("tables of modes: left out, the population does not know how it travels")
    for name, released in marginals.items():
        statistic_name, _, level = name.partition("@")
        statistic = STATISTICS.get(statistic_name)
        if (silent and _of_usage(name)) or (not coded.has_modes and name in MODES):
            continue
        why = _left_out(name, released, statistic, coded, hidden=hidden)
        if statistic is None or why:
            notes.append(f"table {name}: left out, {why}")
            continue
        bound = released.bound_l2 if released.bound_l2 > 0 else None
        pairs[name] = _in_axes_of(released, count(statistic, coded, level, bound_l2=bound, confidential=False))
    return pairs, notes


def _of_usage(name: str) -> bool:
    statistic = STATISTICS.get(name.partition("@")[0])
    return statistic is not None and statistic.word == "usage"


def _left_out(name: str, released: Marginal, statistic: Statistic | None, coded: Coded, *, hidden: bool) -> str:
    """Why a table cannot be compared with this population; nothing where it can."""
    if statistic is None:
        return "not a statistic that is known here"
    if not len(released.values) and not hidden:
        return "no published cell"
    if name == PER_PERSON and coded.usage_days < coded.period.days:
        return "a mean over fewer days than the release has is another one"
    return ""


def _on_days(released: Marginal, lived: Sequence[str]) -> Marginal:
    """The released cells of the day types that the population lives: a Monday alone says nothing of Sundays."""
    if "day_type" not in released.axis_names:
        return released
    column = released.axis_names.index("day_type")
    axis = released.axes[column]
    kept = np.array([axis.label(code) in lived for code in range(axis.size)])[released.codes[:, column]]
    return replace(released, codes=released.codes[kept], values=released.values[kept])


def _in_axes_of(released: Marginal, made: Marginal) -> Pair:
    """The synthetic count summed over axes that the release lacks, labels matched, labels that it lacks dropped."""
    if missing := set(released.axis_names) - set(made.axis_names):
        raise FormatError(
            f"The released table {released.name!r} has an axis {min(missing)!r} that its statistic has not "
            f"({', '.join(made.axis_names)}): name its axes so."
        )
    keep = np.ones(len(made.values), dtype=np.bool_)
    codes = np.empty((len(made.values), len(released.axes)), dtype=np.int64)
    for place, axis in enumerate(released.axes):
        column = made.axis_names.index(axis.name)
        own = made.axes[column]
        if own == axis:
            codes[:, place] = made.codes[:, column]
            continue
        if isinstance(own, ChainAxis) or isinstance(axis, ChainAxis):
            raise FormatError(
                f"The released table {released.name!r} was counted over other chains than this population: give "
                "the plan that it was measured with."
            )
        known = {label: code for code, label in enumerate(axis.labels)}
        codes[:, place] = np.array([known.get(label, -1) for label in own.labels])[made.codes[:, column]]
        keep &= codes[:, place] >= 0
    cells, inverse = np.unique(ravel(codes[keep], released.axes), return_inverse=True)
    return Pair(released, cells, sums(inverse, made.values[keep], len(cells)))


def telling(names: Collection[str]) -> list[str]:
    """The tables of persons among these, the one that tells best how many there are first."""
    return [name for base in SCALED_BY for name in names if name.partition("@")[0] == base]


def scale_of(pairs: Mapping[str, Pair]) -> float:
    """True persons per synthetic person, from the published cells of the first table that counts persons."""
    for name in [*telling(pairs), *pairs]:
        made = float(pairs[name].published.sum())
        if made > 0:
            return float(np.maximum(pairs[name].released.values, 0.0).sum()) / made
    raise FormatError(
        "The synthetic population has nobody in any published cell of the release: it was made from another one."
    )
