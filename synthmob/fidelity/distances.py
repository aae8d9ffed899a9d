"""How far apart two counts are: each distance a pure function, with its range and its better end declared beside it.

The functions take two arrays of non-negative counts over the same cells, truth first. Shapes of distributions are
compared after each side is divided by its own total; where both sides are empty they agree, where one is empty they are
as far apart as can be.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.errors import InputError

FloatArray = npt.NDArray[np.float64]

ROUNDING_BITS = 1e-15
"""A divergence below this is what rounding makes of equal distributions; its root would look like a difference."""
GEH_BAR = 5.0
"""The traffic modeller's bar: a flow whose GEH is below it counts as reproduced."""


@dataclass(frozen=True)
class Distance:
    """A distance: its value for equal counts, its value for the worst, which direction is better, and the function.

    >>> TVD.better, TVD.error(0.25), round(CPC.error(0.9), 6)
    ('lower', 0.25, 0.1)

    """

    name: str
    best: float
    worst: float
    of: Callable[[npt.ArrayLike, npt.ArrayLike], float]

    @property
    def better(self) -> str:
        """Whether a `lower` or a `higher` value is better."""
        return "lower" if self.best < self.worst else "higher"

    def error(self, value: float) -> float:
        """How far a value is from the best one."""
        return abs(value - self.best)


def _pair(truth: npt.ArrayLike, other: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Both counts as flat arrays; InputError where they are not counts over the same cells."""
    p, q = np.asarray(truth, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if p.shape != q.shape:
        raise InputError(
            f"Two counts of shapes {p.shape} and {q.shape} cannot be compared: put both over the same cells."
        )
    # Sums and minima catch NaN, infinity and negatives without one temporary array per question.
    if p.size and not (p.min() >= 0 and q.min() >= 0 and math.isfinite(p.sum()) and math.isfinite(q.sum())):
        raise InputError("A count to compare is negative or not finite: counts are finite numbers of at least 0.")
    return p.ravel(), q.ravel()


def _shares(truth: npt.ArrayLike, other: npt.ArrayLike) -> tuple[FloatArray, FloatArray] | bool:
    """Both counts divided by their totals; where a side is empty, whether both are."""
    p, q = _pair(truth, other)
    total_p, total_q = p.sum(), q.sum()
    if total_p <= 0 or total_q <= 0:
        return bool(total_p <= 0 and total_q <= 0)
    return p / total_p, q / total_q


def tvd(truth: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Total variation distance of two distributions, 0 to 1: the share of people to move to make them equal.

    >>> tvd([1, 1, 2], [2, 1, 1])
    0.25

    """
    shares = _shares(truth, other)
    if isinstance(shares, bool):
        return 0.0 if shares else 1.0
    return float(min(1.0, 0.5 * np.abs(shares[0] - shares[1]).sum()))


def jsd(truth: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Jensen-Shannon distance, base 2, 0 to 1: the square root of the divergence in bits.

    Endres, Schindelin 2003, doi:10.1109/TIT.2003.813506. The root, because it is a metric and grows like the total
    variation distance for small differences, so that its floors, tolerances and ratios mean the same; the divergence
    grows like its square.

    >>> jsd([1, 0], [0, 1])
    1.0

    """
    shares = _shares(truth, other)
    if isinstance(shares, bool):
        return 0.0 if shares else 1.0
    middle = (shares[0] + shares[1]) / 2

    def to_middle(side: FloatArray) -> float:
        some = side > 0
        return float((side[some] * np.log2(side[some] / middle[some])).sum())

    bits = (to_middle(shares[0]) + to_middle(shares[1])) / 2
    return math.sqrt(min(1.0, bits)) if bits > ROUNDING_BITS else 0.0


def cpc(truth: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Common part of commuters with the totals as they are, 0 to 1.

    Lenormand et al. 2012, doi:10.1371/journal.pone.0045985.

    >>> cpc([3, 1], [1, 1])
    0.6666666666666666

    """
    p, q = _pair(truth, other)
    total = p.sum() + q.sum()
    return float(min(1.0, 2 * np.minimum(p, q).sum() / total)) if total > 0 else 1.0


def cpc_scaled(truth: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Common part of commuters after the other side is scaled to the truth's total, 0 to 1.

    >>> cpc_scaled([3, 1], [3, 3])
    0.75

    """
    return 1.0 - tvd(truth, other)


def cpl(truth: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Common part of links, 0 to 1: links with any flow on both sides over the mean number of links.

    It grows with the sample: read it beside its floor. scikit-mobility's `common_part_of_links` raises on every call.

    >>> cpl([5, 1, 0], [2, 0, 3])
    0.5

    """
    p, q = _pair(truth, other)
    links_p, links_q = p > 0, q > 0
    total = int(links_p.sum()) + int(links_q.sum())
    return float(2 * (links_p & links_q).sum() / total) if total else 1.0


def wasserstein_grid(truth: npt.ArrayLike, other: npt.ArrayLike, step: float = 1.0) -> float:
    """Wasserstein-1 distance of two histograms on one even grid, in the unit of `step`; one side empty: the whole grid.

    >>> wasserstein_grid([1, 0, 0], [0, 0, 1], step=0.5)
    1.0

    """
    shares = _shares(truth, other)
    if isinstance(shares, bool):
        return 0.0 if shares else max(0, np.size(truth) - 1) * step
    return float(np.abs(np.cumsum(shares[0] - shares[1])).sum() * step)


def wasserstein_1d(
    truth: npt.ArrayLike,
    other: npt.ArrayLike,
    truth_weights: npt.ArrayLike | None = None,
    other_weights: npt.ArrayLike | None = None,
) -> float:
    """Wasserstein-1 distance of two weighted samples of numbers, in their unit: the mean distance to move.

    >>> wasserstein_1d([0, 1], [2, 3])
    2.0

    """
    x, y = np.asarray(truth, dtype=np.float64), np.asarray(other, dtype=np.float64)
    w = np.ones(len(x)) if truth_weights is None else np.asarray(truth_weights, dtype=np.float64)
    v = np.ones(len(y)) if other_weights is None else np.asarray(other_weights, dtype=np.float64)
    if x.shape != w.shape or y.shape != v.shape or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("A sample to compare holds a number that is not finite, or other than one weight a number.")
    both = np.concatenate([x, y])
    order = np.argsort(both, kind="stable")
    shares = _shares(np.concatenate([w, np.zeros(len(y))]), np.concatenate([np.zeros(len(x)), v]))
    if isinstance(shares, bool):
        raise InputError("A sample to compare is empty: the distance between values needs a value on both sides.")
    rise = np.cumsum((shares[0] - shares[1])[order])
    return float((np.abs(rise[:-1]) * np.diff(both[order])).sum())


def wmape(truth: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Sum of absolute differences over the truth's sum: 0 is best, 2 the worst at equal totals, no bound otherwise.

    >>> wmape([10, 30], [20, 20])
    0.5

    """
    p, q = _pair(truth, other)
    total = float(p.sum())
    if total <= 0:
        return 0.0 if q.sum() <= 0 else math.inf
    return float(np.abs(p - q).sum() / total)


def geh_share(truth: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Share of hourly flows whose GEH, sqrt(2 (a - b)^2 / (a + b)), is under 5, without flows absent on both sides.

    >>> geh_share([100, 100, 0], [140, 300, 0])
    0.5

    """
    p, q = _pair(truth, other)
    some = (p + q) > 0
    if not some.any():
        return 1.0
    a, b = p[some], q[some]
    return float((2 * (a - b) ** 2 < GEH_BAR**2 * (a + b)).mean())


TVD = Distance("tvd", 0.0, 1.0, tvd)
JSD = Distance("jsd", 0.0, 1.0, jsd)
CPC = Distance("cpc", 1.0, 0.0, cpc_scaled)
CPL = Distance("cpl", 1.0, 0.0, cpl)
WASSERSTEIN = Distance("wasserstein", 0.0, math.inf, wasserstein_grid)
WMAPE = Distance("wmape", 0.0, math.inf, wmape)
GEH = Distance("geh", 1.0, 0.0, geh_share)

DISTANCES = {d.name: d for d in (TVD, JSD, CPC, CPL, WASSERSTEIN, WMAPE, GEH)}
