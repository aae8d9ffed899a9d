"""Sensitive zones merged away: each into the neighbour with the longest common border, before anything is counted.

Borders are measured once, between the zones as they were; what a zone has taken in counts as its own border from then on.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob import zoneshapes
from synthmob.errors import ZoningError

Frame = Any
MAX_SENSITIVE = 20_000
MAX_NEIGHBOURS, MAX_MEETINGS = 200_000, 2_000_000
MANY_CORNERS = 1_000_000
"""Two shapes whose corners multiply to more than this have edges enough to cross over and over."""
TOUCHING_DEGREES = 1e-9
YES = {"true", "1", "1.0", "yes", "t"}
_AT_ONCE = 16


def merge(frame: Frame, where: str) -> tuple[Frame, dict[str, str]]:
    """Give every zone marked `sensitive` to the neighbour with the longest common border, else to the nearest zone.

    Longest borders go first, so a zone that touches sensitive ones alone goes where they went. Returns the zones that are kept and,
    for every id merged away, the id of the zone that took it in.
    """
    import shapely

    if "sensitive" not in frame:
        return frame, {}
    flagged = frame["sensitive"].map(lambda v: str(v)[:10].strip().lower() in YES).to_numpy(dtype=bool)
    if flagged.all():
        raise ZoningError("Every zone is marked sensitive, so there is none to merge them with: mark fewer.")
    if flagged.sum() > MAX_SENSITIVE:
        raise ZoningError(f"{where} marks {int(flagged.sum())} zones sensitive: at most {MAX_SENSITIVE} are supported, mark fewer.")
    ids, shapes = list(frame["zone_id"]), frame.geometry.to_numpy().copy()
    taken = _takers(shapes, flagged, where)
    into: dict[int, list[Any]] = {}
    for lost, taker in taken.items():
        into.setdefault(taker, [shapes[taker]]).append(shapes[lost])
    for taker, parts in into.items():
        shapes[taker] = shapely.union_all(parts)
    kept = frame.assign(geometry=shapes)[~flagged].reset_index(drop=True)
    return kept, {ids[lost]: ids[taker] for lost, taker in taken.items()}


def _takers(shapes: npt.NDArray[Any], flagged: npt.NDArray[np.bool_], where: str) -> dict[int, int]:
    """The zone that takes each flagged one in, in the order in which they go."""
    waiting = {int(i) for i in np.flatnonzero(flagged)}
    borders = _borders(shapes, sorted(waiting), where)
    offers = {i: {k: length for k, length in borders[i].items() if not flagged[k]} for i in waiting}
    heap = [(-length, i, k) for i in waiting for k, length in offers[i].items()]
    heapq.heapify(heap)
    islands = iter(_nearest(shapes, [i for i in sorted(waiting) if not offers[i]], np.flatnonzero(~flagged)))
    taken: dict[int, int] = {}
    while waiting:
        # An offer that a better one has replaced is passed over: it is shorter than what the zone is offered now.
        length, lost, taker = heapq.heappop(heap) if heap else next(islands)
        if lost not in waiting or -length < offers[lost].get(taker, -np.inf):
            continue
        waiting.discard(lost)
        taken[lost] = taker
        for near, length in borders[lost].items():
            if near in waiting:
                offers[near][taker] = offers[near].get(taker, 0.0) + length
                heapq.heappush(heap, (-offers[near][taker], near, taker))
    return taken


def _borders(shapes: npt.NDArray[Any], waiting: list[int], where: str) -> dict[int, dict[int, float]]:
    """For each waiting zone the zones that it touches and the length of their common border, degrees."""
    import shapely

    tree, found = shapely.STRtree(shapes), {i: dict[int, float]() for i in waiting}
    n_pairs, allowed = 0, MAX_MEETINGS
    for first in range(0, len(waiting), _AT_ONCE):
        some = np.array(waiting[first : first + _AT_ONCE])
        which, other = tree.query(shapes[some], predicate="dwithin", distance=TOUCHING_DEGREES)
        lost, other = some[which][some[which] != other], other[some[which] != other]
        n_pairs += len(other)
        corners = shapely.get_num_coordinates(shapes[lost]).astype(np.int64) * shapely.get_num_coordinates(shapes[other])
        for k in np.flatnonzero(corners > MANY_CORNERS):
            allowed -= zoneshapes.meetings(shapes[lost[k]], shapes[other[k]], allowed)
        if n_pairs > MAX_NEIGHBOURS or allowed < 0:
            raise ZoningError(f"The zones of {where} lie on top of one another: draw them apart, so that neighbours have borders.")
        lengths = shapely.length(shapely.intersection(shapely.boundary(shapes[lost]), shapely.boundary(shapes[other])))
        for i, k, length in zip(lost.tolist(), other.tolist(), lengths.tolist(), strict=True):
            found[i][k] = length
    return found


def _nearest(shapes: npt.NDArray[Any], lonely: list[int], kept: npt.NDArray[np.int64]) -> list[tuple[float, int, int]]:
    """The distance in degrees, the zone and the nearest kept one, for zones that touch none that is kept."""
    import shapely

    if not lonely:
        return []
    tree = shapely.STRtree(shapes[kept])
    (which, near), far = tree.query_nearest(shapes[np.array(lonely)], return_distance=True)
    found: dict[int, tuple[float, int, int]] = {}
    for at, k, distance in sorted(zip(which.tolist(), near.tolist(), far.tolist(), strict=True)):
        found.setdefault(at, (distance, lonely[at], int(kept[k])))
    return sorted(found.values())
