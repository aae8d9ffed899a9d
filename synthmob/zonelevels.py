"""The levels of a zoning: zones, the areas between, districts; given by the file, by H3 parents or by clustering.

All of it is a function of the public shapes and ids alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synthmob.errors import ZoningError
from synthmob.zones import RESERVED, FloatArray, IntArray, Level

MIN_DISTRICTS = 8
LEAST_RATIO = 1.5
"""A level between is worth a table where its areas are this much fewer than the zones and more than the districts."""


def level_of(name: str, labels: Sequence[str]) -> Level:
    """The level in which every zone carries the label of its area; areas are sorted by label.

    >>> level_of("district", ["b", "a", "b"]).of_zone.tolist()
    [1, 0, 1]
    """
    areas, of_zone = np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True)
    return Level(name, tuple(str(a) for a in areas), of_zone.astype(np.int64))


def zone_level(ids: Sequence[str]) -> Level:
    """The finest level: every zone by itself, in the file's order."""
    return Level("zone", tuple(ids), np.arange(len(ids), dtype=np.int64))


def h3_resolution_of(ids: Sequence[str]) -> int | None:
    """The H3 resolution that all ids share, None where they are not all H3 cells of one resolution."""
    import h3

    if not ids or not all(h3.is_valid_cell(z) for z in ids):
        return None
    found = {h3.get_resolution(z) for z in ids}
    return found.pop() if len(found) == 1 else None


def n_districts_wanted(n_zones: int) -> int:
    """About the square root of the number of zones, at least 8, at least three zones in each."""
    return max(1, min(max(MIN_DISTRICTS, round(math.sqrt(n_zones))), n_zones // 3))


def h3_districts(ids: Sequence[str], resolution: int) -> list[str]:
    """Parents two resolutions up, or coarser until there are few enough; one label a zone."""
    import h3

    at = max(0, resolution - 2)
    most = max(MIN_DISTRICTS, round(math.sqrt(len(ids))))
    while at > 0 and len({h3.cell_to_parent(z, at) for z in ids}) > most:
        at -= 1
    return [h3.cell_to_parent(z, at) for z in ids]


def clustered_districts(centroids_km: FloatArray) -> list[str]:
    """Compact districts of nearly equal numbers of zones, by halving along the longer side again and again."""
    n_districts = n_districts_wanted(len(centroids_km))
    width = len(str(n_districts))
    cluster = np.zeros(len(centroids_km), dtype=np.int64)
    _halve(centroids_km, np.arange(len(centroids_km)), n_districts, 0, cluster)
    return [f"d{c + 1:0{width}d}" for c in cluster]


def _halve(points: FloatArray, members: IntArray, parts: int, first: int, cluster: IntArray) -> None:
    """Number the districts of `members` from `first`: the longer side is cut where the parts keep equal shares."""
    if parts == 1:
        cluster[members] = first
        return
    extent = np.ptp(points[members], axis=0)
    order = np.lexsort((members, points[members][:, int(extent[1] > extent[0])]))
    left = parts // 2
    cut = round(len(members) * left / parts)
    _halve(points, members[order[:cut]], left, first, cluster)
    _halve(points, members[order[cut:]], parts - left, first + left, cluster)


def h3_between(ids: Sequence[str], resolution: int, district: Level) -> list[Level]:
    """The H3 parents between zones and districts, finest first.

    Under districts that are H3 cells themselves the parents nest and each is a level. Under other districts a parent
    that straddles a border is one area on either side of it, and there is one level, the finest that is worth a table.
    """
    import h3

    coarsest = h3_resolution_of(district.labels)
    pure = coarsest is not None and all(
        h3.cell_to_parent(z, coarsest) == district.labels[d] for z, d in zip(ids, district.of_zone, strict=True)
    )
    out: list[Level] = []
    for at in range(resolution - 1, coarsest if pure and coarsest is not None else -1, -1):
        parents = [h3.cell_to_parent(z, at) for z in ids]
        if not pure:
            parents = [f"{p}/{district.labels[d]}" for p, d in zip(parents, district.of_zone, strict=True)]
        level = level_of(f"h3_{at}", parents)
        if pure:
            out.append(level)
        elif _worth_it(len(ids), len(level.labels), len(district.labels)):
            return [level]
    return out


def _worth_it(n_zones: int, n_areas: int, n_districts: int) -> bool:
    return n_areas * LEAST_RATIO <= n_zones and n_areas >= n_districts * LEAST_RATIO


def check_nested(levels: Sequence[Level]) -> None:
    """Refuse levels of which one is not nested in the next."""
    for fine, coarse in itertools.pairwise(levels):
        parents = np.full(len(fine.labels), -1, dtype=np.int64)
        parents[fine.of_zone] = coarse.of_zone
        if (wrong := _first(parents[fine.of_zone] != coarse.of_zone)) is not None:
            raise ZoningError(
                f"Area {fine.labels[fine.of_zone[wrong]]!r} of level '{fine.name}' lies in two areas of level "
                f"'{coarse.name}': each level must be nested in the next coarser one, correct the zoning's columns."
            )


def check_labels(levels: Sequence[Level]) -> None:
    """Refuse an area that has the name of what is no area: outside, or unknown."""
    for level in levels:
        if reserved := RESERVED & set(level.labels):
            raise ZoningError(f"Level '{level.name}' has an area {min(reserved)!r}, which is reserved in synthmob: rename it.")


def _first(wrong: npt.NDArray[np.bool_]) -> int | None:
    return int(np.argmax(wrong)) if wrong.any() else None
