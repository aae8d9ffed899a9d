"""A road network out of nothing but the zoning: a node a zone, and a road each way between neighbours.

It is made up, and good enough for a simulator to move people over the right distances at plausible speeds; a user who has a real
network gives that instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import shapely
from scipy import spatial
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from synthmob.zones import Zoning

SPEED_KMH = 50.0
LANES = 4
ALL_PAIRS = 2_000
"""Nodes up to which every pair of them is looked at: 32 MB of distances."""
CAPACITY_PER_LANE_H = 1_800.0
DETOUR = 1.2
"""Roads are so much longer than the straight line."""


@dataclass(frozen=True)
class Network:
    """`xy_m` (nodes, 2) in metres of the projected CRS `crs`; `origin`, `destination` (roads,) node indices, both directions listed;
    `length_m` (roads,)."""

    crs: str
    xy_m: npt.NDArray[np.float64]
    origin: npt.NDArray[np.int64]
    destination: npt.NDArray[np.int64]
    length_m: npt.NDArray[np.float64]


def of(zoning: Zoning) -> Network:
    """The network of a zoning: neighbours share a border; where that leaves islands, the shortest roads that join them are added."""
    shapes = zoning.projected
    xy = zoning.centroids_km[:-1] * 1000.0
    first, second = _neighbours(np.asarray(shapes.geometry))
    first, second = _joined(xy, first, second)
    a, b = np.concatenate([first, second]), np.concatenate([second, first])
    length = np.maximum(np.hypot(*(xy[a] - xy[b]).T) * DETOUR, 10.0)
    return Network(str(shapes.crs), xy, a, b, length)


def _neighbours(shapes: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of zones that touch or overlap, the lower index first."""
    tree = shapely.STRtree(shapes)
    left, right = tree.query(shapes, predicate="intersects")
    keep = left < right
    return left[keep].astype(np.int64), right[keep].astype(np.int64)


def _joined(
    xy: npt.NDArray[np.float64], first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The pairs, and as few more as make one network of them: a shortest tree over all nodes, where there are islands at all."""
    n = len(xy)
    parts, of_node = connected_components(coo_array((np.ones(len(first)), (first, second)), shape=(n, n)), directed=False)
    if parts == 1:
        return first, second
    tree = minimum_spanning_tree(_distances(xy)).tocoo()
    across = of_node[tree.row] != of_node[tree.col]
    return np.concatenate([first, tree.row[across].astype(np.int64)]), np.concatenate([second, tree.col[across].astype(np.int64)])


def _distances(xy: npt.NDArray[np.float64]) -> Any:
    """Distances that hold a shortest tree over all nodes: of all pairs, or of many nodes those of a triangulation, which has the tree.

    (Preparata and Shamos 1985, doi:10.1007/978-1-4612-1098-6.) Nodes are jiggled by Qhull, so that rows of them do no harm.
    """
    if len(xy) <= ALL_PAIRS:
        return np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))
    triangles = cast(Any, spatial).Delaunay(xy, qhull_options="Qbb Qc QJ").simplices
    pairs = np.unique(np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1), axis=0)
    first, second = pairs.T
    return coo_array((np.hypot(*(xy[first] - xy[second]).T), (first, second)), shape=(len(xy), len(xy))).tocsr()
