"""What guesses about planted subscribers say of epsilon: the lower bound of one run.

Steinke, Nasr, Jagielski 2023, "Privacy Auditing with One (1) Training Run" (arXiv:2305.08846), Theorem 5.2 and the code of their
Appendix D. Each of m planted subscribers is in the records with probability 1/2, decided by its own fair coin. An attacker who
sees the output alone guesses r of the coins and leaves out the rest. If the mechanism is (epsilon, delta)-differentially
private under adding or removing one subscriber, the number V of right guesses satisfies, for W ~ Binomial(r, e^epsilon / (e^epsilon + 1)),

    P(V >= v) <= P(W >= v) + 2 m delta max over i = 1 .. m of P(v - i <= W < v) / i,

whatever the attacker does: the right side is a p-value of the claim. We depart from the paper's code in one thing: where it looks
for the largest epsilon that is refuted, we take the largest below which every epsilon is, so that the bound needs no monotony.
"""

from __future__ import annotations

import math

import numpy as np

from synthmob.audit.evidence import CONFIDENCE
from synthmob.errors import InputError

_STEP = 0.25
_HALVINGS = 50
_CUTS, _HIGHEST_CUT = 401, 4.0


def p_value(planted: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """The chance of at least so many right guesses if the mechanism is (epsilon, delta)-private: at most this.

    The paper's own example, 75 right of 100 guesses among 1,000 planted, refutes epsilon 0.67 at 95 %:

    >>> p_value(1000, 100, 75, 0.67, 1e-4) < 0.05 < p_value(1000, 100, 75, 0.68, 1e-4)
    True
    """
    from scipy.stats import binom

    _check(planted, guesses, right, delta)
    accuracy = 1.0 / (1.0 + math.exp(-epsilon))
    tail = float(binom.sf(right - 1, guesses, accuracy))
    if right == 0 or delta == 0.0:
        return min(tail, 1.0)
    below = np.cumsum(binom.pmf(np.arange(right - 1, -1, -1), guesses, accuracy))
    return min(tail + 2.0 * planted * delta * float((below / np.arange(1, right + 1)).max()), 1.0)


def epsilon_lower_bound(planted: int, guesses: int, right: int, delta: float, confidence: float = CONFIDENCE) -> float:
    """What epsilon at least is, at that confidence; 0 where the guesses show nothing.

    >>> round(epsilon_lower_bound(1000, 100, 75, 1e-4), 3), epsilon_lower_bound(1000, 100, 50, 1e-4)
    (0.673, 0.0)
    """
    level, low, high = 1.0 - confidence, 0.0, 0.0
    while p_value(planted, guesses, right, high, delta) < level:
        low, high = high, high + _STEP
    for _ in range(_HALVINGS if high > 0 else 0):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if p_value(planted, guesses, right, middle, delta) < level else (low, middle)
    return low


def best_guesses(planted: int, rho: float) -> int:
    """How many guesses, half of them 'in', promise the highest bound: from public numbers alone, before any result is seen.

    Supposes what cannot be bettered: noise that costs exactly `rho`, and planted subscribers that do not disturb each other.
    Their scores are then normal, sqrt(2 rho) apart (Dong, Roth, Su 2022, doi:10.1111/rssb.12454), and the highest and the
    lowest are guessed. What they promise is taken from the lower end of an interval for the share right (Wilson 1927,
    doi:10.1080/01621459.1927.10502953), which is near enough for a choice.

    >>> best_guesses(20_000, 0.02436)
    534
    """
    from scipy.stats import norm

    apart = math.sqrt(2.0 * rho)
    cuts = np.linspace(0.0, _HIGHEST_CUT, _CUTS)
    hit, miss = norm.sf(cuts - apart / 2), norm.sf(cuts + apart / 2)
    guesses = 2.0 * np.maximum(np.round(planted * (hit + miss) / 2), 1.0)
    share, z = hit / (hit + miss), float(norm.ppf(CONFIDENCE))
    spread = z * np.sqrt(share * (1 - share) / guesses + (z / (2 * guesses)) ** 2)
    promised = (share + z * z / (2 * guesses) - spread) / (1 + z * z / guesses)
    return min(int(guesses[np.argmax(promised)]), planted // 2 * 2)


def _check(planted: int, guesses: int, right: int, delta: float) -> None:
    if not 0 <= right <= guesses <= planted or planted < 1:
        raise InputError(
            f"There are {right} right of {guesses} guesses about {planted} planted subscribers: none can be more than the next.")
    if not 0.0 <= delta < 1.0:
        raise InputError(f"A delta of {delta} is not a chance below 1: give the release's delta.")
