"""How far a score against noisy tables may be from the score against the exact ones, by redrawing the noise that is known.

The score of a table is 1 - CPC over its published cells. There the exact count is t, the published one r = t + n with n known in
law, the synthetic one m. Whatever the misfit t - m looks like,

    sum |r - m| - sum |n|  <=  sum |t - m|     and     E |r - m|  >=  |t - m| - E n,

so sum |n| bounds what the noise can have added, and sum n what it can have hidden. Both are redrawn. In published cells the noise is
not centred, because the cut keeps those that it lifted: by Tweedie's formula (Efron 2011, doi:10.1198/jasa.2011.tm11181) the mean
of n given r is -sigma^2 (log f)'(r), with f the density of noisy counts, which over all r above the cut adds up to sigma^2 f(cut).
We read f(cut) off the published counts just above it, rounded up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synthmob.fidelity.sides import FloatArray
from synthmob.seeds import stage_key, uniforms

LEVEL = 0.9
REDRAWS = 400
WINDOW_SIGMAS = 0.5
"""How far above the cut counts are looked at for their density there."""


@dataclass(frozen=True)
class Interval:
    """Where the score against exact counts lies, with a confidence of LEVEL in each table by itself; both ends in 0 to 1."""

    low: float
    high: float


def interval(published: FloatArray, made: FloatArray, sigma: float, cut: float, stage: str) -> Interval:
    """The interval of one table's score.

    `published` are the noisy counts and `made` the synthetic ones in the same cells, scaled to the persons that the release speaks
    of; `sigma` and `cut` in persons; the same `stage` draws the same noise.

    >>> interval(np.array([100.0, 200.0]), np.array([100.0, 100.0]), 0.0, 0.0, "exact")
    Interval(low=0.2, high=0.2)
    """
    difference, total = float(np.abs(published - made).sum()), float(published.sum() + made.sum())
    if total <= 0:
        return Interval(0.0, 1.0)
    lifted = _lifted(published, sigma, cut)
    size, shift = (sigma * sums + lifted for sums in _redrawn(len(published), stage))
    tail = (1 - LEVEL) / 2
    added = float(np.quantile(size, 1 - tail))
    least, most = (float(np.quantile(shift, q)) for q in (tail, 1 - tail))
    low = (difference - added) / max(total - least, difference, 1e-9)
    high = (difference + most) / max(total - most, difference, 1e-9)
    return Interval(min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0))


def _lifted(published: FloatArray, sigma: float, cut: float) -> float:
    """The sum of the noise's mean over published cells: sigma^2 times the density of noisy counts at the cut."""
    if sigma <= 0 or cut <= 0:
        return 0.0
    near = int((published < cut + WINDOW_SIGMAS * sigma).sum())
    return sigma / WINDOW_SIGMAS * (near + math.sqrt(near))


def _redrawn(n: int, stage: str) -> tuple[FloatArray, FloatArray]:
    """Sums of |z| and of z over `n` standard normal numbers z, each of shape (REDRAWS,)."""
    from scipy.special import ndtri

    key, cells = stage_key(0, f"fidelity/uncertainty/{stage}"), np.arange(n, dtype=np.int64)
    sizes, shifts = np.empty(REDRAWS), np.empty(REDRAWS)
    for k in range(REDRAWS):
        drawn = ndtri(np.maximum(uniforms(key, cells, draw=k), 2.0**-54))
        sizes[k], shifts[k] = np.abs(drawn).sum(), drawn.sum()
    return sizes, shifts
