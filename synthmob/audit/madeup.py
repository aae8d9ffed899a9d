"""People made up from a released table of presence: where and when from its margins, ten neighbouring places each.

The "unicity model" of Guan, Guepin, Cretu, de Montjoye 2024 (arXiv:2406.18671), by which an attacker without any traces of other people
still knows what groups of them look like. `zeroauxiliary` says where we depart from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.audit.publication import Shown
from synthmob.zones import Zoning

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

N_MADE = 1_000
"""Made-up people whose places are drawn."""
N_PLACES = 10
"""Places of a made-up person, as in the paper."""
NEIGHBOURS = 20
"""The nearest zones among which a made-up person has those places; the paper walks over neighbouring zones."""
LEAST_VARIANCE = 0.05


@dataclass(frozen=True, eq=False)
class MadeUp:
    """The law of a made-up person: given their places, somewhere or nowhere at every moment of every day, all independent.

    `days` (moments,) is how many days a moment is a mean over, `when` (moments,) the chance to be anywhere, `where` (places,) the mean
    share of a place, and `together` (places, places) the mean product of two shares of one person.
    """

    days: IntArray
    when: FloatArray
    where: FloatArray
    together: FloatArray

    def moments(self, cells: IntArray) -> tuple[FloatArray, FloatArray]:
        """Mean (cells,) and covariance (cells, cells) of what a made-up person adds to cells, row-major in moments x places."""
        moment, place = np.divmod(cells, len(self.where))
        when, where = self.when[moment], self.where[place]
        mean = when * where
        both = np.outer(when, when) * self.together[np.ix_(place, place)]
        same_day = np.where(moment[:, None] == moment[None, :], 1.0 / self.days[moment][:, None], 0.0)
        at_once = np.where(place[:, None] == place[None, :], mean[:, None], 0.0)  # in one place at a time
        return mean, (1.0 - same_day) * both + same_day * at_once - np.outer(mean, mean)


def neighbours(zoning: Zoning, level: str) -> IntArray:
    """The nearest areas of every area of a level and of `outside`, nearest first, itself left out, shape (areas, up to 20)."""
    parent = zoning.parent_of(level)[: zoning.n_zones]
    n = len(zoning.level(level).labels)
    size = np.bincount(parent, minlength=n)
    middle = np.column_stack([np.bincount(parent, weights=zoning.centroids_km[:-1, k], minlength=n) / np.maximum(size, 1) for k in (0, 1)])
    middle = np.vstack([middle, middle.mean(axis=0)])  # nobody knows where outside is
    apart = ((middle[:, None, :] - middle[None, :, :]) ** 2).sum(axis=2)
    np.fill_diagonal(apart, math.inf)
    return np.argsort(apart, axis=1, kind="stable")[:, : min(NEIGHBOURS, n)]


def made_up(shown: Shown, days: IntArray, group: int, near: IntArray, rng: np.random.Generator) -> MadeUp:
    """The law of made-up people, from what is shown of the aggregate (moments x places, row-major) and public geography."""
    grid, noise = (a.reshape(len(days), -1) for a in (shown.values, shown.noise * shown.known))
    space = _margin(grid.sum(axis=0), float(noise.sum(axis=0).mean()))
    time = _margin(grid.sum(axis=1), float(noise.sum(axis=1).mean()))
    if np.isfinite(shown.cut).any() and not shown.noise.any():  # what is left over-states busy places: the paper compresses it
        space, time = _compressed(space), _compressed(time)
    visits = n_visits(shown, np.outer(time, space).ravel(), group, len(days))
    share = _places_of_made_up(space, near, rng) * space
    share /= share.sum(axis=1, keepdims=True)
    return MadeUp(days, np.minimum(visits * time, 1.0), share.mean(axis=0), share.T @ share / len(share))


def _margin(sums: FloatArray, noise: float) -> FloatArray:
    """Shares from sums that hold noise of that variance: shrunk to their mean by the part of their spread that is noise."""
    spread = float(sums.var())
    kept = max(0.0, 1.0 - noise / spread) if spread > 0 else 0.0
    level = max(float(sums.mean()), 0.0)
    shares = np.maximum(level + kept * (sums - sums.mean()), 1e-3 * level)
    return shares / shares.sum() if shares.sum() > 0 else np.full(len(sums), 1.0 / len(sums))


def _compressed(shares: FloatArray) -> FloatArray:
    """log(1 + share / least share), scaled to sum to one: the paper's compression of margins of suppressed tables."""
    out = np.log1p(shares / shares.min())
    return out / out.sum()


def n_visits(shown: Shown, shares: FloatArray, group: int, most: int) -> float:
    """The visits of a person, at most so many, for which the counts shown would have the total that they have.

    `shares` (cells,) are a visit's; what was cut is put back by bisection on what the cut leaves of normal counts.
    """
    from scipy.special import ndtr

    total = float(shown.values.sum())
    if not np.isfinite(shown.cut).any():
        return min(max(total / group, 0.0), float(most))

    def expected(visits: float) -> float:
        mean = group * visits * shares
        scale = np.sqrt(mean + shown.noise + LEAST_VARIANCE)
        at = (shown.cut - mean) / scale
        return float((mean * ndtr(-at) + scale * np.exp(-0.5 * at * at) / math.sqrt(2.0 * math.pi)).sum())

    low, high = 0.0, float(most)
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if expected(middle) < total else (low, middle)
    return high


def _places_of_made_up(space: FloatArray, near: IntArray, rng: np.random.Generator) -> FloatArray:
    """Which places each made-up person has, (people, places) of 0 and 1: one drawn by the margin, the rest of its neighbours."""
    start = rng.choice(len(space), size=N_MADE, p=space)
    rest = near[start]
    picked = np.argsort(rng.random(rest.shape), axis=1)[:, : N_PLACES - 1]
    mask = np.zeros((N_MADE, len(space)))
    mask[np.arange(N_MADE), start] = 1.0
    np.put_along_axis(mask, np.take_along_axis(rest, picked, axis=1), 1.0, axis=1)
    return mask
