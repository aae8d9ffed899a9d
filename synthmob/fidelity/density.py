"""How far people would have to be moved to turn one density map into another: the earth mover's distance in km.

DP-WHERE's metric (Mir et al. 2013, doi:10.1109/BigData.2013.6691626), solved exactly by POT's network simplex. Both maps are
divided by their totals. Mass that both have stays where it is, which is optimal for a distance that obeys the triangle
inequality, so only the differences are moved: the same value from a problem of a quarter of the size.
"""

from __future__ import annotations

import numpy as np

from synthmob.fidelity.sides import FloatArray
from synthmob.zones import Zoning

MOST_AREAS = 500
"""Maps have at most so many areas: a finer zoning is compared by the finest of its coarser levels, for the cost grows like the cube."""
_ROUNDING = 1e-12


def emd_km(truth: FloatArray, other: FloatArray, km: FloatArray) -> float:
    """The mean distance to move, km, of two maps over the same areas; an empty map is as far as the areas reach, two are equal.

    `km` are the distances between the areas, shape (areas, areas).

    >>> emd_km(np.array([1.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0]), np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0))))
    1.0
    """
    if truth.sum() <= 0 or other.sum() <= 0:
        return 0.0 if truth.sum() == other.sum() else float(km.max(initial=0.0))
    rest = truth / truth.sum() - other / other.sum()
    rest[np.abs(rest) < _ROUNDING] = 0.0
    sent, taken = np.flatnonzero(rest > 0), np.flatnonzero(rest < 0)
    if not len(sent) or not len(taken):
        return 0.0
    import ot

    supply, demand = rest[sent], -rest[taken]
    moved = ot.emd2(supply / supply.sum(), demand / demand.sum(), np.ascontiguousarray(km[np.ix_(sent, taken)]))
    return float(np.asarray(moved)) * float(supply.sum())


def mean_emd_km(truth: FloatArray, other: FloatArray, km: FloatArray) -> float:
    """The mean over the hours of the distance between two maps, shapes (hours, areas), hours in which both are empty left out."""
    hours = [hour for hour in range(len(truth)) if truth[hour].sum() > 0 or other[hour].sum() > 0]
    return float(np.mean([emd_km(truth[hour], other[hour], km) for hour in hours])) if hours else 0.0


def map_level(zoning: Zoning) -> str:
    """The finest level of a zoning that has at most MOST_AREAS areas, its coarsest where none has."""
    small = [level.name for level in zoning.levels if len(level.labels) <= MOST_AREAS]
    return small[0] if small else zoning.levels[-1].name


def area_distances_km(zoning: Zoning, level: str) -> FloatArray:
    """Distances between the areas of a level, each at the mean of its zones' centroids, shape (areas, areas)."""
    of_zone = zoning.level(level).of_zone
    n = len(zoning.level(level).labels)
    xy = zoning.centroids_km[: zoning.n_zones]
    size = np.bincount(of_zone, minlength=n)
    middle = np.stack([np.bincount(of_zone, weights=xy[:, k], minlength=n) / size for k in range(2)], axis=1)
    return np.sqrt(((middle[:, None, :] - middle[None, :, :]) ** 2).sum(axis=2))
