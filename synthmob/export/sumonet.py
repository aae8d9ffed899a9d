"""A SUMO network of zones: a junction a zone, a street in and a street out of each, and the made-up roads between neighbours.

A trip of a zone leaves by its street `out_K` and arrives by `in_K`, so that a trip inside a zone is as long as the mean distance
in it. Roads are as wide as their busiest hour needs on the shortest ways: a network that is made up shall not jam.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from synthmob.export.network import SPEED_KMH, Network
from synthmob.zones import Zoning

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
VEHICLES_PER_LANE_H = 1_000.0
"""Well below what a lane of SUMO's mesoscopic model takes in an hour."""
SHORTEST_M = 10.0


@dataclass(frozen=True)
class Street:
    """One direction of a road: names of its ends, where it runs in metres, its length and its lanes."""

    name: str
    begins: str
    ends: str
    shape: str
    length_m: float
    lanes: int


def loads(roads: Network, demand: FloatArray) -> FloatArray:
    """Vehicles on each road where everybody takes the shortest way, shape (roads,); `demand` is (zones, zones).

    >>> line = Network("", np.zeros((3, 2)), np.array([0, 1, 1, 2]), np.array([1, 2, 0, 1]), np.ones(4))
    >>> loads(line, np.array([[5.0, 1, 2], [0, 0, 0], [0, 0, 0]])).tolist()
    [3.0, 2.0, 0.0, 0.0]
    """
    n = len(roads.xy_m)
    road_of = {(int(a), int(b)): k for k, (a, b) in enumerate(zip(roads.origin, roads.destination, strict=True))}
    graph = csr_array((roads.length_m, (roads.origin, roads.destination)), shape=(n, n))
    found = np.zeros(len(roads.origin))
    for source in np.flatnonzero(demand.sum(axis=1)):
        distance, before = dijkstra(graph, indices=source, return_predecessors=True)
        here = demand[source].copy()
        for node in np.argsort(-distance, kind="stable"):
            if node != source and here[node]:
                found[road_of[int(before[node]), int(node)]] += here[node]
                here[before[node]] += here[node]
    return found


def streets(zoning: Zoning, roads: Network, demand: FloatArray) -> list[Street]:
    """All streets of the network: the two of each zone, then the roads; `demand` (zones, zones) is the busiest hour of each pair."""
    made: list[Street] = []
    leave, arrive = demand.sum(axis=1), demand.sum(axis=0)
    for k in range(zoning.n_zones):
        length = max(float(zoning.internal_km[k]) * 500.0, SHORTEST_M)
        here, there = _point(roads.xy_m[k]), _point(roads.xy_m[k] + [length, 0.0])
        made.append(Street(f"out_{k}", f"local_{k}", str(k), f"{there} {here}", length, _lanes(leave[k])))
        made.append(Street(f"in_{k}", str(k), f"local_{k}", f"{here} {there}", length, _lanes(arrive[k])))
    for a, b, length, load in zip(roads.origin, roads.destination, roads.length_m, loads(roads, demand), strict=True):
        shape = f"{_point(roads.xy_m[a])} {_point(roads.xy_m[b])}"
        made.append(Street(f"{a}_{b}", str(a), str(b), shape, float(length), _lanes(load)))
    return made


def _lanes(load: float) -> int:
    return max(1, int(np.ceil(load / VEHICLES_PER_LANE_H)))


def _point(xy: FloatArray) -> str:
    return f"{xy[0]:.2f},{xy[1]:.2f}"


def document(zoning: Zoning, roads: Network, made: list[Street]) -> Iterator[str]:
    """The lines of a .net.xml: edges, junctions without priorities, and which street leads into which."""
    west, south, east, north = zoning.projected.total_bounds
    box = ",".join(f"{value:.2f}" for value in (west, south, east, north))
    degrees = ",".join(f"{value:.6f}" for value in zoning.projected.to_crs(4326).total_bounds)
    yield '<net version="1.20" junctionCornerDetail="5" limitTurnSpeed="5.50">'
    yield f'<location netOffset="0.00,0.00" convBoundary="{box}" origBoundary="{degrees}" projParameter={quoteattr(roads.crs)}/>'
    for s in made:
        lanes = "".join(
            f'<lane id="{s.name}_{k}" index="{k}" speed="{SPEED_KMH / 3.6:.2f}" length="{s.length_m:.2f}" shape="{s.shape}"/>'
            for k in range(s.lanes))
        yield f'<edge id="{s.name}" from="{s.begins}" to="{s.ends}" priority="1">{lanes}</edge>'
    yield from _junctions(made)
    yield from _connections(made)
    yield "</net>"


def _junctions(made: list[Street]) -> Iterator[str]:
    into: dict[str, list[str]] = {}
    at: dict[str, str] = {}
    for s in made:
        into.setdefault(s.ends, []).extend(f"{s.name}_{k}" for k in range(s.lanes))
        at[s.begins], at[s.ends] = s.shape.split()
    for name, point in at.items():
        x, y = point.split(",")
        kind = "dead_end" if name.startswith("local_") else "unregulated"
        yield f'<junction id="{name}" type="{kind}" x="{x}" y="{y}" incLanes="{" ".join(into.get(name, ()))}" intLanes="" shape="{point}"/>'


def _connections(made: list[Street]) -> Iterator[str]:
    """From every street into all that begin where it ends, but back along the same road: nobody's shortest way turns round."""
    beginning: dict[str, list[Street]] = {}
    for s in made:
        beginning.setdefault(s.begins, []).append(s)
    for s in made:
        for after in beginning.get(s.ends, ()):
            if after.ends == s.begins and not (s.name.startswith("out_") and after.name.startswith("in_")):
                continue
            for lane in range(max(s.lanes, after.lanes)):
                yield (f'<connection from="{s.name}" to="{after.name}" fromLane="{min(lane, s.lanes - 1)}" '
                       f'toLane="{min(lane, after.lanes - 1)}" dir="s" state="M"/>')  # fmt: skip
