"""Canaries: an attacker's guesses, from the noisy counts, of which planted subscribers are in, and what they say of epsilon.

The attacker is the strongest there is: knows every count of the records without the planted ones, every planted life and the
plan, and sees the counts before the cut; unknown are the coins and the noise. Guesses are ranks of the coins' best linear
estimate (a planted subscriber is in or out, +-1/2 of a known vector, noise of known sigma). Two things the attacker does not
take on trust but reads off the output first, so that a mechanism that breaks its word is not attacked as if it kept it:
whether a table holds what the planted would add if their contributions were bounded, or if they were not; and how large the
noise is. How many guesses are made is settled before any result is seen: as many as promise most where the claim holds
(`lowerbound.best_guesses`), or `FEW_GUESSES`, which show more where it fails for some. Both are judged, at 96 and at 99 %.

The planted may be spread over several runs: each is in one of them, so that together the runs owe no more to anyone than one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob import accounting
from synthmob.accounting import FIXED_POINT
from synthmob.audit import lowerbound
from synthmob.audit.evidence import Evidence
from synthmob.audit.intervals import auc
from synthmob.counts import Contributions
from synthmob.errors import InputError

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Totals = tuple[Int64Array, Int64Array]
"""Occupied cells, ascending, and their counts in 1/1024 person."""

COIN_VARIANCE = 0.25
FEW_GUESSES = 100
MANY_CONFIDENCE, FEW_CONFIDENCE = 0.96, 0.99
"""Together they are wrong at most 5 % of the time."""
LEAST_NOISE, NOISE_ROUNDS, NOISE_CLOSE = 1e-3, 12, 0.02
"""The attacker's idea of the noise, as a part of what is claimed: refined until it changes by less than 2 %."""
_LARGEST_AREA = 1 - 1e-12
SURE_SIGMAS = 6.0
"""How far the area under the curve must be above what the claim allows before the claim is called broken."""
SOURCE = "Steinke, Nasr, Jagielski 2023, arXiv:2305.08846, Theorem 5.2"


def cells_touched(free: Mapping[str, Contributions]) -> dict[str, Int64Array]:
    """The cells that any of the planted could add to, in or out, by table: what must be measured, whoever is in."""
    return {name: np.unique(table.cells) for name, table in free.items()}


def scores(
    free: Mapping[str, Contributions], noisy: Mapping[str, Int64Array], records: Mapping[str, Totals], rng: np.random.Generator
) -> FloatArray:
    """How much the output speaks for each planted subscriber being in, (n,): above 0 is in rather than out.

    `free` is what each would add to every table if nothing held it. `noisy` are the counts at the cells of `cells_touched`, and
    `records` those of the records alone, exact, both in 1/1024 person.
    """
    from scipy.sparse import hstack

    parts = [_seen(table, noisy[name], records[name]) for name, table in free.items() if len(table.cells)]
    if not parts:
        raise InputError("The planted subscribers add to no table: plant them in the zoning and period of the records.")
    adds: Any = hstack([matrix for matrix, _ in parts], format="csr")
    rest = np.concatenate([left for _, left in parts])
    return _coins(adds, rest, _noise_level(adds, rest, rng))


def _seen(table: Contributions, noisy: Int64Array, records: Totals) -> tuple[Any, FloatArray]:
    """What each planted subscriber adds, a sparse matrix (n, cells), and what is there beyond half of them, both in sigmas."""
    from scipy.sparse import csr_matrix

    cells, column = np.unique(table.cells, return_inverse=True)
    unit, shape = 1.0 / (FIXED_POINT * table.sigma), (table.n_persons, len(cells))
    found = (noisy - at_cells(cells, records)) * unit
    options = (held(table), table.fixed.astype(np.float64))
    values = min(options, key=lambda fixed: abs(found.sum() - fixed.sum() * unit / 2)) * unit
    half = np.bincount(column, weights=values, minlength=len(cells)) / 2
    return csr_matrix((values, (table.persons, column)), shape=shape), found - half


def at_cells(cells: Int64Array, counts: Totals) -> Int64Array:
    """The counts at some cells, 0 where there is none.

    >>> at_cells(np.array([1, 5, 9]), (np.array([5, 7]), np.array([1024, 512])))
    array([   0, 1024,    0])
    """
    occupied, fixed = counts
    if not len(occupied):
        return np.zeros(len(cells), dtype=np.int64)
    place = np.minimum(np.searchsorted(occupied, cells), len(occupied) - 1)
    return np.where(occupied[place] == cells, fixed[place], 0)


def held(free: Contributions) -> FloatArray:
    """Contributions held to one person a cell and to the table's bound, in 1/1024 person: what the claim allows.

    >>> free = Contributions("t", (), 1, np.zeros(2, dtype=np.int64), np.arange(2), np.array([9 * 1024, 1024]), 1.0, 20.0)
    >>> (held(free) / 1024).round(3)
    array([0.707, 0.707])
    """
    capped = np.minimum(free.fixed, FIXED_POINT).astype(np.float64)
    norm = np.sqrt(np.bincount(free.persons, weights=capped**2, minlength=free.n_persons))
    return capped * np.minimum(1.0, free.bound_l2 * FIXED_POINT / np.maximum(norm, 1.0))[free.persons]


def _coins(adds: Any, rest: FloatArray, noise: float) -> FloatArray:
    """The best linear estimate of the coins, -1/2 to 1/2: (A A' + noise^2 / var) s = A rest."""
    return _solver(adds, noise)(adds @ rest)


def _noise_level(adds: Any, rest: FloatArray, rng: np.random.Generator) -> float:
    """How large the noise is, as a part of what is claimed and at most that: what the coins leave unexplained, over the freedom
    that they leave (MacKay 1992, doi:10.1162/neco.1992.4.3.415); the freedom by one random probe a round (Hutchinson 1990)."""
    level = 1.0
    for _ in range(NOISE_ROUNDS):
        solve = _solver(adds, level)
        unexplained = rest - adds.T @ solve(adds @ rest)
        probe = adds @ np.where(rng.random(len(rest)) < 0.5, -1.0, 1.0)
        left = max(len(rest) - float(probe @ solve(probe)), 1.0)
        before, level = level, float(np.clip(np.sqrt(unexplained @ unexplained / left), LEAST_NOISE, 1.0))
        if abs(level - before) <= NOISE_CLOSE * before:
            break
    return level


def _solver(adds: Any, noise: float) -> Callable[[FloatArray], FloatArray]:
    """Solves (A A' + noise^2 / var) x = b by conjugate gradients."""
    from scipy.sparse.linalg import LinearOperator, cg

    n, ridge = adds.shape[0], noise**2 / COIN_VARIANCE
    system = LinearOperator((n, n), matvec=lambda x: adds @ (adds.T @ x) + ridge * x, dtype=np.float64)  # pyright: ignore[reportCallIssue]

    def solve(right: FloatArray) -> FloatArray:
        return cg(system, right, rtol=1e-5, maxiter=500)[0]

    return solve


def guessed_right(scored: FloatArray, inside: BoolArray, guesses: int) -> int:
    """How many guesses are right where the highest half of them is 'in' and the lowest half 'out'.

    >>> guessed_right(np.array([3.0, -2.0, 0.1, 5.0]), np.array([True, True, False, True]), 2)
    1
    """
    order, half = np.argsort(scored, kind="stable"), guesses // 2
    return int((~inside[order[:half]]).sum() + inside[order[len(order) - half :]].sum())


@dataclass(frozen=True)
class Bound:
    """What epsilon at least is, and the guesses that show it."""

    epsilon: float
    guesses: int
    right: int


def bound(inside: BoolArray, scored: FloatArray, rho: float, delta: float) -> Bound:
    """The higher of the lower bounds that few guesses and many show, at 95 % confidence for both together."""
    n = len(inside)
    found: list[Bound] = []
    for guesses, confidence in ((lowerbound.best_guesses(n, rho), MANY_CONFIDENCE), (min(FEW_GUESSES, n // 2 * 2), FEW_CONFIDENCE)):
        right = guessed_right(scored, inside, guesses)
        found.append(Bound(lowerbound.epsilon_lower_bound(n, guesses, right, delta, confidence), guesses, right))
    return max(found, key=lambda b: b.epsilon)


def evidence(
    inside: BoolArray, scored: FloatArray, *, rho: float, epsilon: float, delta: float, rng: np.random.Generator
) -> list[Evidence]:
    """The lower bound on epsilon, and how well the scores part those who are in from those who are out.

    `inside` and `scored` (n,) may join those of several runs. `rho`, `epsilon` and `delta` are what is claimed. The control is
    the same attack judged by coins that decided nothing.
    """
    n, idle = len(inside), rng.random(len(inside)) < 0.5
    found, control = (bound(coins, scored, rho, delta) for coins in (inside, idle))
    first = Evidence(
        "canaries.epsilon", "canaries", "Lower bound on epsilon from planted subscribers", "mechanism", "epsilon",
        found.epsilon, found.epsilon, found.epsilon, n,
        f"Of {n:,} planted subscribers, each put among the records by a coin, an attacker who knows all the rest guesses {found.guesses:,} "
        f"coins from the noisy counts and has {found.right / found.guesses:.1%} right: epsilon is at least {found.epsilon:.2f} at 95 % "
        f"confidence, where {epsilon:g} is claimed.",
        control=control.epsilon, limit=epsilon, passed=found.epsilon <= epsilon, source=SOURCE)  # fmt: skip
    return [first, _parted(inside, scored, idle, rho, delta)]


def _parted(inside: BoolArray, scored: FloatArray, idle: BoolArray, rho: float, delta: float) -> Evidence:
    """The area under the curve against what noise that costs `rho` allows: normal scores sqrt(2 rho) apart."""
    from scipy.stats import norm

    value, most = auc(scored, inside), float(norm.cdf(np.sqrt(rho)))
    n_in = max(int(inside.sum()), 1)
    error = float(np.sqrt((1 / n_in + 1 / max(len(inside) - n_in, 1)) / 12))
    low, high = max(value - 1.96 * error, 0.0), min(value + 1.96 * error, 1.0)
    return Evidence(
        "canaries.auc", "canaries", "Telling planted subscribers who are in from those who are out", "mechanism", "auc",
        value, low, high, len(inside),
        f"Shown one planted subscriber who is in and one who is out, the same attacker tells them apart {value:.1%} of the time; the noise "
        f"claimed allows {most:.1%}, chance is 50 %. Noise of epsilon {gaussian_epsilon(value, delta):.2f} would let it come so far, at "
        f"95 % confidence of {gaussian_epsilon(low, delta):.2f} to {gaussian_epsilon(high, delta):.2f}.",
        control=auc(scored, idle), limit=most, passed=value - SURE_SIGMAS * error <= most,
        source="Dong, Roth, Su 2022, doi:10.1111/rssb.12454")  # fmt: skip


def gaussian_epsilon(area: float, delta: float) -> float:
    """The epsilon of Gaussian noise under which the best attacker comes to that area under the curve, Phi(sqrt(rho)).

    >>> round(gaussian_epsilon(0.562, 1e-6), 2), gaussian_epsilon(0.5, 1e-6)
    (1.0, 0.0)
    """
    from scipy.stats import norm

    root = float(norm.ppf(min(area, _LARGEST_AREA)))
    return accounting.epsilon_of(root * root, delta) if root > 0 else 0.0
