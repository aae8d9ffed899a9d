"""Checks of the noise itself: its size and shape, that it comes afresh every time, and that no sum of it cancels.

They compare counts before the cut, measured several times, with the exact counts that went in. Each check is a p-value, the chance
that a mechanism without fault looks as odd as this one or odder, made up for all the tables looked at; below `ALARM` the
fault is as good as certain, and a sound mechanism fails once in some hundred million audits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from synthmob.accounting import FIXED_POINT
from synthmob.audit.canary import Totals, at_cells
from synthmob.audit.evidence import Evidence
from synthmob.counts import STATISTICS, Contributions, Public
from synthmob.errors import InputError
from synthmob.period import Period
from synthmob.plan import ROUNDING_SLACK, Plan
from synthmob.zones import Zoning

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

ALARM = 1e-9
MOST_CELLS, OCCUPIED_CELLS = 20_000, 4_000
"""Tables of up to so many cells are looked at whole, of others so many occupied cells."""
HALF_STEP = 0.5 / FIXED_POINT
EQUAL_BY_CHANCE = 1.0 / (2.0 * math.sqrt(math.pi))
"""Two draws of a discrete Gaussian of scale s are equal with probability of about this over s."""


@dataclass(frozen=True, eq=False)
class Noise:
    """The noise of one table: `drawn` of shape (runs, cells), in persons, at its cells in row-major order; `shape` is that of the
    whole table where all of it is there, else None."""

    name: str
    sigma: float
    drawn: FloatArray
    shape: tuple[int, ...] | None

    @property
    def in_sigmas(self) -> FloatArray:
        """The noise over its stated sigma: standard normal where all is well."""
        return self.drawn / self.sigma


def cells_to_measure(exact: Mapping[str, Totals], plan: Plan, zoning: Zoning, period: Period) -> dict[str, Int64Array]:
    """The cells of every table that the checks look at. They depend on the exact counts: confidential."""
    public = Public(zoning, plan.domain, period)
    found: dict[str, Int64Array] = {}
    for request in plan.requests:
        size = math.prod(axis.size for axis in STATISTICS[request.statistic].axes(public, request.level))
        occupied = exact[request.name][0][:OCCUPIED_CELLS]
        found[request.name] = np.arange(size, dtype=np.int64) if size <= MOST_CELLS else occupied
    return found


def noises(
    exact: Mapping[str, Totals], at: Mapping[str, Int64Array], runs: Sequence[Mapping[str, Int64Array]],
    plan: Plan, zoning: Zoning, period: Period,
) -> list[Noise]:  # fmt: skip
    """What was added to the exact counts in each run, counts in 1/1024 person. Two runs are the least; with three, a total that is
    kept exact shows in the smallest table."""
    if len(runs) < 2:
        raise InputError("Noise that was drawn once cannot be told from noise that is always the same: draw it three times.")
    public = Public(zoning, plan.domain, period)
    found: list[Noise] = []
    for request in plan.requests:
        axes, cells = STATISTICS[request.statistic].axes(public, request.level), at[request.name]
        shape = tuple(axis.size for axis in axes)
        true = at_cells(cells, exact[request.name])
        drawn = np.stack([(run[request.name] - true) / FIXED_POINT for run in runs])
        if len(cells):
            found.append(Noise(request.name, plan.sigma_of(request), drawn, shape if len(cells) == math.prod(shape) else None))
    return found


def check(tables: Sequence[Noise]) -> list[Evidence]:
    """Four rows: size, shape, freshness, and sums that do not cancel."""
    n = sum(table.drawn.size for table in tables)
    return [
        _row("size", "The noise has the size that is claimed", _size(tables), n,
             "Noisy counts before the cut differ from exact ones by noise whose mean square and mean are those claimed, table by table"),
        _row("shape", "The noise has the distribution that is claimed", _shape(tables), n,
             "Over all tables together the noise follows the normal curve"),
        _row("fresh", "The noise is drawn afresh every time", _fresh(tables), n,
             "Measured again, the noise has nothing to do with what it was before, nor that of one table with that of the next"),
        _row("sums", "No total is kept exact", _sums(tables), n,
             "The noise of whole tables, and of their sums along every axis, adds up as independent noise does: none cancels"),
    ]  # fmt: skip


def _row(name: str, title: str, p: float, n: int, sentence: str) -> Evidence:
    odds = "as good as impossible for a mechanism that keeps its word" if p < ALARM else f"p {p:.2g}, alarm below {ALARM:g}"
    said = f"{sentence}: {'yes' if p >= ALARM else 'NO'} ({odds})."
    return Evidence(
        f"mechanism.{name}", "mechanism", title, "mechanism", "p", p, p, p, n, said, limit=ALARM, passed=p >= ALARM,
        source="Canonne, Kamath, Steinke 2020, arXiv:2004.00010")  # fmt: skip


def worst_of(chances: Iterable[float]) -> float:
    """The least of several p-values, made up for how many there are (Bonferroni).

    >>> worst_of([0.5, 0.01, 0.9, 0.3])
    0.04
    """
    found = list(chances)
    return min(1.0, min(found, default=1.0) * len(found))


def _two_sided(below: float, above: float) -> float:
    return min(1.0, 2.0 * min(below, above))


def _size(tables: Sequence[Noise]) -> float:
    """Sums of squares are chi-squared, sums normal: each table for itself and all together."""
    from scipy.stats import chi2, norm

    def chances(z: FloatArray) -> list[float]:
        squares, mean = float((z * z).sum()), abs(float(z.sum())) / math.sqrt(z.size)
        return [_two_sided(float(chi2.cdf(squares, z.size)), float(chi2.sf(squares, z.size))), 2.0 * float(norm.sf(mean))]

    each = [table.in_sigmas.ravel() for table in tables]
    return worst_of(chance for z in (*each, np.concatenate(each)) for chance in chances(z))


def _shape(tables: Sequence[Noise]) -> float:
    """The largest gap between the two distribution functions (Kolmogorov 1933)."""
    from scipy.stats import kstest

    return float(kstest(np.concatenate([table.in_sigmas.ravel() for table in tables]), "norm").pvalue)


def _fresh(tables: Sequence[Noise]) -> float:
    """Noise beside noise that should know nothing of it, run by run and table by table; and how often two runs agree to the last
    digit."""
    from scipy.stats import poisson

    runs = [(first, second) for table in tables for first, second in pairwise(table.in_sigmas)]
    beside = [(a.in_sigmas[:, :k].ravel(), b.in_sigmas[:, :k].ravel())
              for a, b in pairwise(tables) for k in [min(a.drawn.shape[1], b.drawn.shape[1])]]  # fmt: skip
    equal = sum(int((a == b).sum()) for table in tables for a, b in pairwise(table.drawn))
    expected = sum((len(t.drawn) - 1) * t.drawn.shape[1] * EQUAL_BY_CHANCE / (t.sigma * FIXED_POINT) for t in tables)
    together = [tuple(np.concatenate(side) for side in zip(*pairs, strict=True)) for pairs in (runs, beside) if pairs]
    return worst_of([*(_unlike(*pair) for pair in (*runs, *together)), float(poisson.sf(equal - 1, expected))])


def _unlike(first: FloatArray, second: FloatArray) -> float:
    """Given the first, its product with an independent standard normal second is normal: exactly, however short they are."""
    from scipy.stats import norm

    length = math.sqrt(float(first @ first))
    return 2.0 * float(norm.sf(abs(float(first @ second)) / length)) if length > 0 else 1.0


def _sums(tables: Sequence[Noise]) -> float:
    """Sums along every axis and of whole tables: with k of them over all runs their squares are chi-squared with k.

    A sum that is exact is 0 to the last digit; it counts as half a step of the grid away from it.
    """
    from scipy.stats import chi2

    chances: list[float] = []
    for table in tables:
        shape = table.shape or (table.drawn.shape[1],)
        cube = table.drawn.reshape(len(table.drawn), *shape)
        kept = [tuple(k for k in range(1, len(shape) + 1) if k != axis) for axis in range(len(shape) + 1)]
        for others in dict.fromkeys(kept):  # the last one keeps no axis: the total
            if others:
                sums = cube.sum(axis=others)
                scale = table.sigma * math.sqrt(cube.size / sums.size)
                squares = float((((np.abs(sums) + HALF_STEP) / scale) ** 2).sum())
                chances.append(_two_sided(float(chi2.cdf(squares, sums.size)), float(chi2.sf(squares, sums.size))))
    return worst_of(chances)


def bounds(contributions: Mapping[str, Contributions]) -> Evidence:
    """Whether anybody adds more to a table than its stated bound, or more than one to a cell: nothing but counting."""
    most = 0.0
    for table in contributions.values():
        norms = np.sqrt(np.bincount(table.persons, weights=(table.fixed / FIXED_POINT) ** 2, minlength=1))
        most = max(most, float(norms.max(initial=0.0)) / table.bound_l2, float(table.fixed.max(initial=0)) / FIXED_POINT)
    people = max((table.n_persons for table in contributions.values()), default=0)
    return Evidence(
        "mechanism.bounds", "mechanism", "Nobody counts for more than the bounds say", "mechanism", "share", most, most, most, people,
        f"Of {people:,} people looked at, the one who moves a table most moves it by {most:.1%} of what its bound allows.",
        limit=ROUNDING_SLACK, passed=most <= ROUNDING_SLACK)  # fmt: skip
