"""Discrete Gaussian noise on the cells of a table, and the cut.

Counts arrive as integers in units of 1/1024 person and noise is drawn as integers on the same grid, so no floating
point ever touches a count (Mironov 2012, doi:10.1145/2382196.2382264, is what that avoids). The noise of counts is
OpenDP's `make_gaussian`, which follows Canonne, Kamath, Steinke 2020 (arXiv:2004.00010); all randomness here and there
comes from the operating system and cannot be seeded.

A table's noise belongs on every cell of its public domain, the empty ones included, which needs no delta. OpenDP draws
some 90,000 numbers per second and core, so a large domain is done by the shortcut of Cormode et al. 2012
(arXiv:1103.0825): draw only the empty cells that pass the cut, from exactly the distribution that the full draw would
give. We depart from them in how: K' ~ Binomial(n, A) candidates come from a bound A that has a closed form, and each
candidate is a geometric excess over the cut, kept with probability exp(-excess^2 / (2 scale^2)); see
`empty_cells_published`.

The way taken depends on the size of the public domain, sigma and the cut alone, never on which cells hold people. The
time taken does depend on it: the caller shows and writes no timing.
"""

from __future__ import annotations

import math
import os
import random
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from synthmob.accounting import CUT_SIGMAS, FIXED_POINT
from synthmob.errors import PlanError

Int64Array = npt.NDArray[np.int64]

DENSE_CELLS = 20_000
"""Up to so many cells of the public domain every cell gets its own draw; beyond, the empty ones are drawn in bulk."""
MOST_CELLS = 10**18
"""The largest public domain that is drawn: so far the distance stated in `empty_cells_published` holds, and an index fits int64."""
_CHUNK = 8_192
_DIGITS = 120
_UNIFORM_BITS = 380
_PI = Decimal(
    "3.141592653589793238462643383279502884197169399375105820974944592307816406286208998628034825342117067982148086513282306647"
    "0938446095505822317253594081284811174502841027019385211055596446229489549303819"
)


def add_noise(
    flat_cells: Int64Array,
    fixed_counts: Int64Array,
    n_domain: int,
    sigma: float,
    cut: float,
    workers: int | None = None,
) -> tuple[Int64Array, Int64Array]:
    """The published cells of one table, as (row-major indices sorted, noisy counts in 1/1024 person).

    `flat_cells` are the distinct indices of the cells that hold people, `fixed_counts` their bounded counts in 1/1024
    person; every other cell of the `n_domain` is empty. `sigma` and `cut` are in persons. `workers` threads draw at
    once (all processors by default; OpenDP releases the interpreter's lock).

    Sensitivity: one subscriber moves `fixed_counts` by at most 1024 times the table's L2 bound, so the noise of scale
    1024 sigma costs bound^2 / (2 sigma^2) zCDP; the cut is post-processing.
    """
    if n_domain > MOST_CELLS:
        raise PlanError(
            f"A table of {n_domain:.3g} cells cannot be drawn, at most {MOST_CELLS:.0e} can: give its axes fewer categories."
        )
    scale, least = _scale(sigma), math.ceil(Fraction(cut) * FIXED_POINT)
    cells, counts = _sorted_cells(flat_cells, fixed_counts, n_domain)
    if not drawn_in_bulk(n_domain, sigma, cut):
        return _published(*noisy_domain(cells, counts, n_domain, sigma, workers), least)
    kept_cells, kept_counts = _published(cells, _gaussian(counts, scale, workers), least)
    ranks, empty_counts = empty_cells_published(n_domain - len(cells), scale, least)
    all_cells = np.concatenate([kept_cells, _empty_cells(ranks, cells)])
    order = np.argsort(all_cells, kind="stable")
    return all_cells[order], np.concatenate([kept_counts, empty_counts])[order]


def drawn_in_bulk(n_domain: int, sigma: float, cut: float) -> bool:
    """Whether the empty cells are drawn in bulk: a function of public numbers.

    A cut of under two sigma, which no plan makes, would leave so many candidates that OpenDP is as fast.
    """
    return n_domain > DENSE_CELLS and cut >= CUT_SIGMAS * sigma


def noisy_domain(
    flat_cells: Int64Array, fixed_counts: Int64Array, n_domain: int, sigma: float, workers: int | None = None
) -> tuple[Int64Array, Int64Array]:
    """Noise on every cell of the public domain, before any cut: all `n_domain` cells, their counts in 1/1024 person."""
    cells, counts = _sorted_cells(flat_cells, fixed_counts, n_domain)
    dense = np.zeros(n_domain, dtype=np.int64)
    dense[cells] = counts
    return np.arange(n_domain, dtype=np.int64), _gaussian(dense, _scale(sigma), workers)


def noisy_at(
    at: Int64Array, flat_cells: Int64Array, fixed_counts: Int64Array, sigma: float, workers: int | None = None
) -> Int64Array:
    """Noise on the distinct cells `at` alone, before any cut: their counts in 1/1024 person, in the order of `at`.

    The noise of different cells is independent, so this is what `noisy_domain` would say of them, without the others.
    """
    cells, counts = _sorted_cells(flat_cells, fixed_counts, 1 << 62)
    true = np.zeros(len(at), dtype=np.int64)
    if len(cells):
        place = np.minimum(np.searchsorted(cells, at), len(cells) - 1)
        true = np.where(cells[place] == at, counts[place], 0)
    return _gaussian(true, _scale(sigma), workers)


def empty_cells_published(n_empty: int, scale: Fraction, least: int) -> tuple[list[int], Int64Array]:
    """Which of `n_empty` empty cells get noise of at least `least`, as ranks among them, and that noise.

    For N discrete Gaussian of that scale s, c = `least` > 0 and Z the sum over all integers k of exp(-k^2 / (2 s^2)),

        P(N = c + g) = exp(-c^2 / (2 s^2)) / Z * exp(-c g / s^2) * exp(-g^2 / (2 s^2)) = A * geometric(g) * keep(g),

    so a cell that becomes a candidate with probability A = exp(-c^2 / (2 s^2)) / (Z (1 - exp(-c / s^2))), draws g from
    the geometric law and is kept with probability exp(-g^2 / (2 s^2)) has exactly the joint law of 'N >= c, and its
    value'. The candidates are Binomial(n, A) many, at distinct uniform places. Places, geometric law and acceptance are
    exact in integers. Only the binomial's A is a number of 120 decimal digits and its uniform one of 380 bits: the
    total variation distance of the whole draw from the true one is below 2^-100 for any domain of up to 10^18
    cells.
    """
    candidates = _binomial(n_empty, scale, least)
    places = random.SystemRandom().sample(range(n_empty), candidates)
    p, q = scale.numerator, scale.denominator
    ranks, noise = [], []
    for place in places:
        excess = _geometric(least * q * q, p * p)
        if _bernoulli_exp(excess * excess * q * q, 2 * p * p):
            ranks.append(place)
            noise.append(least + excess)
    return ranks, np.array(noise, dtype=np.int64)


def _gaussian(counts: Int64Array, scale: Fraction, workers: int | None) -> Int64Array:
    """Counts plus OpenDP's discrete Gaussian of that scale, in chunks over threads."""
    from opendp.domains import atom_domain, vector_domain
    from opendp.measurements import make_gaussian
    from opendp.metrics import l2_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    space = vector_domain(atom_domain(T="i64")), l2_distance(T="f64")
    measurement: Callable[[list[int]], list[int]] = make_gaussian(*space, scale=float(scale))

    def draw(start: int) -> Int64Array:
        return np.array(measurement(counts[start : start + _CHUNK].tolist()), dtype=np.int64)

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        noisy = list(pool.map(draw, range(0, len(counts), _CHUNK)))
    return np.concatenate(noisy) if noisy else np.empty(0, dtype=np.int64)


def _published(cells: Int64Array, counts: Int64Array, least: int) -> tuple[Int64Array, Int64Array]:
    keep = counts >= least
    return cells[keep], counts[keep]


def _empty_cells(ranks: list[int], occupied: Int64Array) -> Int64Array:
    """The cells of those ranks among the cells that are not `occupied` (sorted)."""
    wanted = np.array(ranks, dtype=np.int64)
    empties_before = occupied - np.arange(len(occupied))
    return wanted + np.searchsorted(empties_before, wanted, side="right")


def _binomial(n: int, scale: Fraction, least: int) -> int:
    """Binomial(n, A) by inversion, A as in `empty_cells_published`; within 1e-80 in total variation for n < 1e18."""
    with localcontext(Context(prec=_DIGITS)):
        p = _candidate_probability(scale, least)
        uniform = Decimal(secrets.randbits(_UNIFORM_BITS)) / Decimal(1 << _UNIFORM_BITS)
        mass = (n * (1 - p).ln()).exp()
        reached, k = mass, 0
        while uniform >= reached and k < n:
            mass *= (n - k) * p / ((k + 1) * (1 - p))
            reached, k = reached + mass, k + 1
        return k


def _candidate_probability(scale: Fraction, least: int) -> Decimal:
    """A of `empty_cells_published`, to the precision of the current decimal context."""
    s = Decimal(scale.numerator) / Decimal(scale.denominator)
    head = (-Decimal(least) * least / (2 * s * s)).exp()
    return head / (_normaliser(s) * (1 - (-Decimal(least) / (s * s)).exp()))


def _normaliser(s: Decimal) -> Decimal:
    """The sum over all integers k of exp(-k^2 / (2 s^2)), through its Poisson dual where s is at least 1."""
    outer, rate = (s * (2 * _PI).sqrt(), 2 * _PI * _PI * s * s) if s >= 1 else (Decimal(1), 1 / (2 * s * s))
    total, j, smallest = Decimal(1), 1, Decimal(10) ** -(_DIGITS + 5)
    while (term := (-rate * j * j).exp()) > smallest:
        total, j = total + 2 * term, j + 1
    return outer * total


def _geometric(numerator: int, denominator: int) -> int:
    """g >= 0 with probability proportional to exp(-g numerator / denominator): Algorithm 2 of arXiv:2004.00010."""
    while True:
        fine = secrets.randbelow(denominator)
        if _bernoulli_exp(fine, denominator):
            break
    whole = 0
    while _bernoulli_exp(1, 1):
        whole += 1
    return (whole * denominator + fine) // numerator


def _bernoulli_exp(numerator: int, denominator: int) -> bool:
    """True with probability exp(-numerator / denominator), exactly: Algorithm 1 of arXiv:2004.00010."""
    while numerator > denominator:
        if not _bernoulli_exp(1, 1):
            return False
        numerator -= denominator
    k = 1
    while secrets.randbelow(denominator * k) < numerator:
        k += 1
    return k % 2 == 1


def _scale(sigma: float) -> Fraction:
    """The noise scale in 1/1024 person; exact, for 1024 is a power of two."""
    if not (math.isfinite(sigma) and sigma > 0):
        raise PlanError(
            f"A sigma of {sigma} cannot be drawn: noise needs a finite scale above 0 persons, raise the budget's share."
        )
    return Fraction(sigma) * FIXED_POINT


def _sorted_cells(cells: Int64Array, counts: Int64Array, n_domain: int) -> tuple[Int64Array, Int64Array]:
    """Cells in order with their counts; TypeError for a count that is not an integer, ValueError for a cell outside."""
    if cells.dtype != np.int64 or counts.dtype != np.int64:
        raise TypeError(f"cells and counts must be int64 in 1/1024 person, not {cells.dtype} and {counts.dtype}")
    order = np.argsort(cells, kind="stable")
    cells, counts = cells[order], counts[order]
    if len(cells) != len(counts) or (np.diff(cells) == 0).any():
        raise ValueError("every cell needs exactly one count")
    if len(cells) and (cells[0] < 0 or cells[-1] >= n_domain):
        raise ValueError(f"a cell lies outside the domain of {n_domain} cells")
    return cells, counts
