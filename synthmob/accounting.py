"""The arithmetic of zero-concentrated differential privacy (zCDP): what noise costs, costs add up to, and a cut hides.

rho-zCDP (Bun, Steinke 2016, doi:10.1007/978-3-662-53641-4_24) adds up over tables; epsilon does not. The discrete
Gaussian of scale sigma on a vector of L2 sensitivity Delta is Delta^2 / (2 sigma^2)-zCDP (Canonne, Kamath, Steinke
2020, arXiv:2004.00010). Every function here rounds to the private side: sigma up, the rho of a budget down,
the epsilon of a rho up, up to the floating point of `delta_of`, some 1e-12 of the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist

from synthmob.errors import PlanError

FIXED_POINT = 1024
"""Counts are integers in units of 1/1024 person: the grid of the noise and of every cut."""
CUT_SIGMAS = 2.0
"""How many sigmas stand between the minimum group and the cut."""
_SUM_UP_TO = 1 << 12
"""Largest noise scale, in fixed-point units, whose tail is summed term by term."""


def rho_of(bound_l2: float, sigma: float) -> float:
    """The zCDP cost of noise `sigma` on a table where one subscriber moves the count vector by `bound_l2`, same units.

    >>> rho_of(1.0, 2.0)
    0.125
    """
    _positive("bound_l2", bound_l2)
    _positive("sigma", sigma)
    return bound_l2 * bound_l2 / (2.0 * sigma * sigma)


def sigma_for(bound_l2: float, rho: float) -> float:
    """The least noise, in the units of `bound_l2`, that costs at most `rho`: rounded up, checked in exact rationals.

    >>> sigma_for(1.0, 0.125)
    2.0
    """
    _positive("bound_l2", bound_l2)
    _positive("rho", rho)
    sigma = bound_l2 / math.sqrt(2.0 * rho)
    while Fraction(bound_l2) ** 2 > 2 * Fraction(rho) * Fraction(sigma) ** 2:
        sigma = math.nextafter(sigma, math.inf)
    return sigma


def compose(rhos: Iterable[float]) -> float:
    """The cost of everything together: zCDP adds up, whatever the tables and the periods.

    >>> compose([0.1] * 10)
    1.0
    """
    return math.fsum(rhos)


def delta_of(rho: float, epsilon: float) -> float:
    """The least delta at which rho-zCDP is known to imply (epsilon, delta)-differential privacy.

    inf over alpha > 1 of exp((alpha - 1)(alpha rho - epsilon)) / (alpha - 1) * (1 - 1/alpha)^alpha, Proposition 12
    (in v4) of Canonne, Kamath, Steinke 2020 with the Renyi divergence of order alpha at most alpha rho. Any alpha gives
    a valid delta, so an inexact minimum is only less tight.
    """
    _positive("rho", rho)
    if not (math.isfinite(epsilon) and epsilon >= 0):
        raise PlanError(f"An epsilon of {epsilon} is not a privacy budget: give a finite number of at least 0.")

    def slope(alpha: float) -> float:
        return (2.0 * alpha - 1.0) * rho - epsilon + math.log1p(-1.0 / alpha)

    # the logarithm of the bound is convex in alpha, its slope negative near 1 and positive at `high`
    alpha = _last_true(lambda a: slope(a) < 0.0, 1.0, (epsilon + 1.0) / (2.0 * rho) + 2.0)
    alpha = max(alpha, 1.0 + 1e-12)
    log_delta = (alpha - 1.0) * (alpha * rho - epsilon) + alpha * math.log1p(-1.0 / alpha) - math.log(alpha - 1.0)
    return min(1.0, math.exp(min(0.0, log_delta)))


@lru_cache
def rho_from(epsilon: float, delta: float) -> float:
    """The largest rho that (epsilon, delta) pays for, by the tight conversion; rounded down.

    The simple formula of Bun and Steinke 2016, epsilon = rho + 2 sqrt(rho log(1/delta)), gives less: it serves as the
    lower end of the search.

    >>> round(rho_from(1.0, 1e-6), 5)
    0.02436
    """
    _positive("epsilon", epsilon)
    _share("delta", delta)
    log_inverse = math.log(1.0 / delta)
    simple = (math.sqrt(log_inverse + epsilon) - math.sqrt(log_inverse)) ** 2
    high = simple
    while delta_of(high, epsilon) <= delta:
        high *= 2.0
    return _last_true(lambda rho: delta_of(rho, epsilon) <= delta, 0.0, high)


def epsilon_of(rho: float, delta: float) -> float:
    """The least epsilon that rho-zCDP is known to keep at `delta`, by the tight conversion; rounded up.

    >>> round(epsilon_of(rho_from(1.0, 1e-6), 1e-6), 6)
    1.0
    """
    _positive("rho", rho)
    _share("delta", delta)
    high = rho + 2.0 * math.sqrt(rho * math.log(1.0 / delta))
    if delta_of(rho, 0.0) <= delta:
        return 0.0
    below = _last_true(lambda epsilon: delta_of(rho, epsilon) > delta, 0.0, high)
    return math.nextafter(below, math.inf)


def cut_for(sigma: float, min_group: float, n_domain: int) -> float:
    """The least noisy count that a table publishes, in persons: max(min_group + 2 sigma, z_n sigma) on the 1/1024 grid.

    The first term makes a cell of fewer than `min_group` people pass with probability under 2.3 %. The second looks at
    empty cells: a big sparse domain has millions of them (home x work over 2,500 zones: six million), and at 2 sigma
    one in 44 would be published, a table of noise. z_n is the normal quantile exceeded with probability 1/n, so
    fewer than one empty cell of the whole public domain is expected to be published. One grid step is added to that
    term, because the discrete Gaussian's tail at m is at most the normal's at m - 1 (same paper). The cut depends on
    public numbers alone, and is policy on top of differential privacy, not a guarantee.

    >>> cut_for(20.0, 50, 1000), round(cut_for(20.0, 50, 6_000_000), 1)
    (90.0, 102.1)
    """
    _positive("sigma", sigma)
    if n_domain < 1 or not (math.isfinite(min_group) and min_group >= 0):
        raise PlanError(
            f"A domain of {n_domain} cells and a minimum group of {min_group} give no cut: both must be positive."
        )
    group = math.ceil((min_group + CUT_SIGMAS * sigma) * FIXED_POINT)
    if n_domain <= 2:  # half of all noise is negative: fewer than one cell passes without a rule
        return group / FIXED_POINT
    z = -NormalDist().inv_cdf(1.0 / n_domain)
    return max(group, math.ceil(z * sigma * FIXED_POINT) + 1) / FIXED_POINT


def probability_published(true_count: float, sigma: float, cut: float) -> float:
    """P(true count + noise >= cut) under the discrete Gaussian on the grid of 1/1024 person; all three in persons.

    Summed term by term up to a scale of 2^12 grid steps, by the midpoint rule beyond (relative error there under 1e-6).
    Without noise (`sigma` 0) it is 0 or 1.

    >>> probability_published(90, 20.0, 90) > 0.5 > probability_published(49, 20.0, 90)
    True
    """
    steps = math.ceil(Fraction(cut) * FIXED_POINT) - math.floor(Fraction(true_count) * FIXED_POINT)
    if sigma == 0:
        return 1.0 if steps <= 0 else 0.0
    _positive("sigma", sigma)
    scale = sigma * FIXED_POINT
    if steps <= 0:
        return 1.0 - _tail(1 - steps, scale)
    return _tail(steps, scale)


def _tail(steps: int, scale: float) -> float:
    """P(N >= steps) for steps >= 1 and N discrete Gaussian of that scale."""
    if scale > _SUM_UP_TO:
        return 0.5 * math.erfc((steps - 0.5) / (scale * math.sqrt(2.0)))
    import numpy as np

    reach = math.ceil(39.0 * scale)  # beyond it a term is under exp(-760): zero in a float
    half = np.exp(-0.5 * (np.arange(1, reach + 1) / scale) ** 2)
    whole = 1.0 + 2.0 * float(half.sum())
    return float(half[steps - 1 :].sum()) / whole


def _last_true(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The last float of [low, high], by bisection, where `holds` still does: it does at `low` and not at `high`."""
    while True:
        middle = 0.5 * (low + high)
        if not low < middle < high:
            return low
        low, high = (middle, high) if holds(middle) else (low, middle)


def _positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise PlanError(f"A {name} of {value} cannot be used: give a finite number above 0.")


def _share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise PlanError(
            f"A {name} of {value} cannot be used: give a number between 0 and 1, far below one over the subscribers."
        )
