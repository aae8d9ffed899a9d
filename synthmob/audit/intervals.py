"""Intervals at 95 % confidence for what attacks count: shares, differences of shares, and areas under ROC curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synthmob.audit.evidence import CONFIDENCE

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Interval = tuple[float, float, float]
"""Value, low, high."""
RESAMPLES = 400


def share(hits: int, tries: int) -> Interval:
    """A share with its exact interval (Clopper, Pearson 1934, doi:10.1093/biomet/26.4.404); nothing is known of no tries.

    >>> [round(x, 3) for x in share(5, 100)]
    [0.05, 0.016, 0.113]
    """
    from scipy.stats import beta

    if tries == 0:
        return 0.0, 0.0, 1.0
    tail = (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, hits, tries - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, tries - hits)) if hits < tries else 1.0
    return hits / tries, low, high


def auc(scores: FloatArray, members: BoolArray) -> float:
    """The chance that a member scores above a non-member, ties counted half; .5 where there is none of either.

    >>> auc(np.array([3.0, 1.0, 2.0, 0.0]), np.array([True, False, True, False]))
    1.0
    """
    n_in, n_out = int(members.sum()), int((~members).sum())
    if not n_in or not n_out:
        return 0.5
    # Twice the mean of the first and the last place that a score could take among all, ties sharing theirs.
    ordered = np.sort(scores)
    twice = np.searchsorted(ordered, scores[members], side="left") + np.searchsorted(ordered, scores[members], side="right") + 1
    return float((twice.sum() / 2 - n_in * (n_in + 1) / 2) / (n_in * n_out))


def auc_over_trials(trials: Sequence[tuple[FloatArray, BoolArray]], rng: np.random.Generator) -> Interval:
    """The mean AUC of several trials, each (scores, members) of its own release, with an interval.

    Scores of one trial share its noise, so what is resampled is whole trials, and the people within each (a two-stage bootstrap).
    """
    values = np.array([auc(scores, members) for scores, members in trials])
    drawn: list[float] = []
    for _ in range(RESAMPLES):
        picked = rng.integers(len(trials), size=len(trials))
        drawn.append(float(np.mean([_resampled(trials[k][0], trials[k][1], rng) for k in picked])))
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    value = float(values.mean())
    return value, min(value, float(low)), max(value, float(high))


def _resampled(scores: FloatArray, members: BoolArray, rng: np.random.Generator) -> float:
    rows = rng.integers(len(scores), size=len(scores))
    return auc(scores[rows], members[rows])


def difference(hits: int, tries: int, control_hits: int, control_tries: int) -> Interval:
    """The first share minus the second, with an interval (Newcombe 1998, method 10, doi:10.1002/sim.779).

    >>> [round(x, 3) for x in difference(56, 70, 48, 80)]
    [0.2, 0.052, 0.334]
    """
    p1, l1, u1 = _wilson(hits, tries)
    p2, l2, u2 = _wilson(control_hits, control_tries)
    low = p1 - p2 - float(np.hypot(p1 - l1, u2 - p2))
    high = p1 - p2 + float(np.hypot(u1 - p1, p2 - l2))
    return p1 - p2, max(low, -1.0), min(high, 1.0)


def _wilson(hits: int, tries: int) -> Interval:
    if tries == 0:
        return 0.0, 0.0, 1.0
    z, p = 1.959963984540054, hits / tries
    middle, half = p + z * z / (2 * tries), z * float(np.sqrt(p * (1 - p) / tries + z * z / (4 * tries * tries)))
    scale = 1 + z * z / tries
    return p, min(p, (middle - half) / scale), max(p, (middle + half) / scale)
