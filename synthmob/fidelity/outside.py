"""The release against the synthetic population, anywhere: each released table beside the same synthetic count.

The noise of the release is known, so a table is not asked to be nearer than its noise allows. Cells that were
suppressed are 'below the cut', never zero: they are only checked for clearly more people than the cut. Every statistic
is the one of `counts`, with the contribution bound under which it was released.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from synthmob.counts import STATISTICS, Coded, Statistic, count
from synthmob.domain import ChainAxis, Domain
from synthmob.errors import FormatError
from synthmob.fidelity.align import IntArray, sums
from synthmob.fidelity.noisefloor import Noise, common_part_error, simulated
from synthmob.fidelity.result import Fidelity, Finding, TableFit
from synthmob.fidelity.sides import FloatArray, Tables, open_side
from synthmob.fidelity.uncertainty import Interval, interval
from synthmob.marginals import Marginal, ravel
from synthmob.period import Period
from synthmob.zones import Zoning

if TYPE_CHECKING:
    from synthmob.release import Release

DRAWS = 20
TOLERANCE = 0.01
VIOLATION_SIGMAS = 3.0
PER_PERSON = "events_per_person"
SCALED_BY = ("demographics", "home_by_group", "home", "home_work", "work")
"""Tables of persons, from the one that tells best how many there are."""


@dataclass(frozen=True)
class _Pair:
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


def compare_outside(
    release: Release,
    synthetic: Tables,
    zoning: Zoning,
    domain: Domain,
    period: Period,
    backend: Any,
    draws: int = DRAWS,
    seed: int = 0,
) -> Fidelity:
    """Each released table against the synthetic population, scaled to the persons that the release speaks of.

    The floor of a table is the error that a sample of the exact truth of the synthetic size would show against a
    release with this noise and this cut; the baseline is the product of the table's own released one-way marginals.
    """
    pairs, notes, n_persons = _paired(release, synthetic, zoning, domain, period, backend)
    return _compared(pairs, notes, n_persons, _scale(pairs), draws, seed)


def compare_published(
    release: Release, synthetic: Tables, zoning: Zoning, domain: Domain, period: Period, backend: Any
) -> tuple[Fidelity, dict[str, Interval]]:
    """As `compare_outside`, against a release that was made for it, and for every table where its score on exact counts lies."""
    pairs, notes, n_persons = _paired(release, synthetic, zoning, domain, period, backend)
    scale = _scale(pairs)
    intervals = {
        name: interval(np.maximum(p.released.values, 0.0), p.published * scale, p.released.sigma, p.released.cut, name)
        for name, p in pairs.items()
    }
    return _compared(pairs, notes, n_persons, scale, DRAWS, 0), intervals


def _paired(
    release: Release, synthetic: Tables, zoning: Zoning, domain: Domain, period: Period, backend: Any
) -> tuple[dict[str, _Pair], list[str], int]:
    """The tables that can be compared, what is to be said of the others, and how many synthetic persons there are."""
    side = open_side(backend, Tables(*synthetic), zoning, domain, period, name="fidelity_synthetic")
    lived = [name for name, seen in zip(period.day_types, side.seen_per_type, strict=True) if seen > 0]
    pairs, notes = _pairs({name: _on_days(table, lived) for name, table in release.marginals.items()}, side.coded)
    absent = [name for name in period.day_types if name not in lived]
    notes += [f"day type {name}: left out, the population has no such day" for name in absent]
    side.close()
    if not pairs:
        raise FormatError(
            "The release has no table that a population can be compared with: measure it with the standard plan."
        )
    return pairs, notes, side.n_persons


def _compared(
    pairs: Mapping[str, _Pair], notes: Sequence[str], n_persons: int, scale: float, draws: int, seed: int
) -> Fidelity:
    fits = {name: _fit(name, pair, scale, draws, seed) for name, pair in pairs.items()}
    findings = tuple(_finding(fit) for fit in fits.values())
    return Fidelity("outside", False, n_persons, findings, tuple(fits.values()), tuple(notes))


def _pairs(marginals: Mapping[str, Marginal], coded: Coded) -> tuple[dict[str, _Pair], list[str]]:
    pairs: dict[str, _Pair] = {}
    notes: list[str] = []
    silent = coded.events is None
    if silent and any(_of_usage(name) for name in marginals):
        notes.append("tables of usage: left out, the population has no events")
    for name, released in marginals.items():
        statistic_name, _, level = name.partition("@")
        statistic = STATISTICS.get(statistic_name)
        if silent and _of_usage(name):
            continue
        why = _left_out(name, released, statistic, coded)
        if statistic is None or why:
            notes.append(f"table {name}: left out, {why}")
            continue
        bound = released.bound_l2 if released.bound_l2 > 0 else None
        pairs[name] = _in_axes_of(released, count(statistic, coded, level, bound_l2=bound, confidential=False))
    return pairs, notes


def _of_usage(name: str) -> bool:
    statistic = STATISTICS.get(name.partition("@")[0])
    return statistic is not None and statistic.word == "usage"


def _left_out(name: str, released: Marginal, statistic: Statistic | None, coded: Coded) -> str:
    """Why a table cannot be compared with this population; nothing where it can."""
    if statistic is None:
        return "not a statistic that is known here"
    if not len(released.values):
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


def _in_axes_of(released: Marginal, made: Marginal) -> _Pair:
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
    return _Pair(released, cells, sums(inverse, made.values[keep], len(cells)))


def _scale(pairs: Mapping[str, _Pair]) -> float:
    """True persons per synthetic person, from the published cells of the first table that counts persons."""
    order = [name for base in SCALED_BY for name in pairs if name.partition("@")[0] == base]
    for name in [*order, *pairs]:
        made = float(pairs[name].published.sum())
        if made > 0:
            return float(np.maximum(pairs[name].released.values, 0.0).sum()) / made
    raise FormatError(
        "The synthetic population has nobody in any published cell of the release: it was made from another one."
    )


def _fit(name: str, pair: _Pair, scale: float, draws: int, seed: int) -> TableFit:
    released = pair.released
    published, made = np.maximum(released.values, 0.0), pair.published * scale
    n_empty = 0 if any(isinstance(axis, ChainAxis) for axis in released.axes) else released.n_domain - len(pair.cells)
    noise = Noise(released.sigma, released.cut, scale, n_empty)
    error = common_part_error(published, made)
    expected = simulated(noise, pair.cells, pair.persons * scale, draws, f"{seed}/{name}")
    hidden = ~np.isin(pair.cells, released.flat, assume_unique=True)
    people = pair.persons[hidden] * scale
    over = people - VIOLATION_SIGMAS * np.sqrt(released.sigma**2 + scale * people) > released.cut
    naive, note = _naive(released)
    return TableFit(
        name,
        len(published),
        float(noise.chi2(published, made).mean()),
        expected.chi2,
        error,
        expected.error,
        expected.noise_error,
        common_part_error(published, naive),
        error / max(expected.error, TOLERANCE),
        int(hidden.sum()),
        int(over.sum()) if released.cut > 0 else 0,
        note,
    ).shortened


def _naive(released: Marginal) -> tuple[FloatArray, str]:
    """The product of the table's one-way marginals in its published cells, or evenness where one axis alone varies."""
    values = np.maximum(released.values, 0.0)
    total = values.sum()
    varying = sum(len(np.unique(column)) > 1 for column in released.codes.T)
    if varying <= 1 or total <= 0:
        return np.full(len(values), total / len(values)), "baseline: all published cells alike"
    product = np.full(len(values), total)
    for column in range(len(released.axes)):
        codes = released.codes[:, column]
        found, inverse = np.unique(codes, return_inverse=True)
        product *= sums(inverse, values, len(found))[inverse] / total
    return product, ""


def _finding(fit: TableFit) -> Finding:
    statistic = STATISTICS[fit.table.partition("@")[0]]
    note = f"{fit.hidden_violations} suppressed cells clearly above the cut" if fit.hidden_violations else fit.note
    return Finding.of(
        name=fit.table,
        title=f"Released table {fit.table}",
        word=statistic.word,
        unit="share",
        value=fit.tvd,
        floor=fit.floor,
        baseline=fit.baseline,
        tolerance=TOLERANCE,
        best=0.0,
        direction="lower",
        note=note,
    )
