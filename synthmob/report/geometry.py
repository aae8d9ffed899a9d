"""Zone shapes small enough to live inside a page: simplified together, on a 14-bit grid, delta-coded.

Shared borders stay shared: all shapes are simplified as one coverage, so that no slit opens between neighbours.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.zones import Zoning

GRID = (1 << 14) - 1
"""The longer side of the map in grid units: deltas then always fit an int16."""
DRAWN_PX = 1000
"""About how many screen pixels the longer side gets: what is smaller than one of them is simplified away."""


@dataclass(frozen=True)
class Shapes:
    """Shapes on the grid, y pointing down, as the page decodes them.

    `rings`: uint16, for every shape how many rings it has, then how many points each ring has (its last point is not
    repeated); `steps`: int16, x and y from the point before, (0, 0) before the first; both little-endian in base64.
    """

    rings: str
    steps: str

    def as_json(self) -> dict[str, str]:
        """The part of the page's data that holds these shapes."""
        return {"rings": self.rings, "steps": self.steps}


@dataclass(frozen=True)
class Geometry:
    """What the map draws: zones, the outlines of districts, a centre for each, and the scale.

    Centres are grid units, shape (areas, 2); `km_per_unit` is the length of a grid unit.
    """

    zones: Shapes
    districts: Shapes
    zone_centres: npt.NDArray[np.int64]
    district_centres: npt.NDArray[np.int64]
    width: int
    height: int
    km_per_unit: float


def of_zoning(zoning: Zoning) -> Geometry:
    """The zones and districts of a zoning on one grid, in its local equal-area projection."""
    import shapely

    shapes = simplified(zoning.projected.to_numpy())
    west, south, east, north = shapely.total_bounds(shapes)
    unit = max(east - west, north - south) / GRID
    parents = zoning.level("district")
    districts = [
        shapely.union_all(shapely.make_valid(shapes[parents.of_zone == k])) for k in range(len(parents.labels))
    ]
    corner = np.array([west, north])

    def on_grid(xy: Any) -> Any:
        return np.rint((np.asarray(xy) - corner) / [unit, -unit]).astype(np.int64)

    centres = zoning.centroids_km[:-1] * 1000.0
    return Geometry(
        zones=encoded([_rings(shape, on_grid) for shape in shapes]),
        districts=encoded([_rings(shape, on_grid) for shape in districts]),
        zone_centres=np.clip(on_grid(centres), 0, GRID),
        district_centres=np.clip(on_grid(_means(centres, parents.of_zone, len(parents.labels))), 0, GRID),
        width=int(np.ceil((east - west) / unit)),
        height=int(np.ceil((north - south) / unit)),
        km_per_unit=unit / 1000.0,
    )


def simplified(shapes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The shapes with what is under a screen pixel left out: as a coverage, or one by one where they are not one."""
    import shapely

    west, south, east, north = shapely.total_bounds(shapes)
    pixel = max(east - west, north - south) / DRAWN_PX
    if shapely.coverage_is_valid(shapes):
        thin = shapely.coverage_simplify(shapes, pixel)
    else:
        thin = shapely.simplify(shapes, pixel / 2, preserve_topology=True)
    return np.where(shapely.is_empty(thin), shapes, thin)


def _rings(shape: Any, on_grid: Any) -> list[npt.NDArray[np.int64]]:
    """The rings of a shape on the grid, equal neighbours dropped, its closing point left out."""
    import shapely

    polygons = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
    lines = [line for p in polygons for line in (p.exterior, *p.interiors)]
    out: list[npt.NDArray[np.int64]] = []
    for line in lines:
        points = np.clip(on_grid(shapely.get_coordinates(line)[:-1]), 0, GRID)
        moved = (points != np.roll(points, 1, axis=0)).any(axis=1)
        if moved.sum() >= 3:
            out.append(points[moved])
    return out


def encoded(shapes: Sequence[Sequence[npt.NDArray[np.int64]]]) -> Shapes:
    """Rings of grid points, each of shape (points, 2), as base64.

    >>> encoded([[np.array([[0, 0], [2, 0], [0, 2]])]]).rings == packed([1, 3], "<u2")
    True
    """
    counts: list[int] = []
    for rings in shapes:
        counts += [len(rings), *(len(ring) for ring in rings)]
    points = [ring for rings in shapes for ring in rings]
    xy = np.vstack(points) if points else np.zeros((0, 2), dtype=np.int64)
    return Shapes(packed(counts, "<u2"), packed(np.diff(xy, axis=0, prepend=0).ravel(), "<i2"))


def _means(xy: Any, group: Any, n_groups: int) -> Any:
    """The mean point of every group, shape (n_groups, 2)."""
    size = np.maximum(np.bincount(group, minlength=n_groups), 1)
    return np.column_stack([np.bincount(group, weights=xy[:, k], minlength=n_groups) / size for k in (0, 1)])


def packed(numbers: Iterable[int] | npt.NDArray[Any], dtype: str) -> str:
    """Whole numbers as little-endian base64; ValueError where one does not fit.

    >>> packed([1, 2], "<u2")
    'AQACAA=='
    """
    wide = np.asarray(numbers if isinstance(numbers, np.ndarray) else list(numbers), dtype=np.int64)
    narrow = wide.astype(dtype)
    if (narrow.astype(np.int64) != wide).any():
        raise ValueError(f"a number does not fit {dtype}: {int(wide[narrow.astype(np.int64) != wide][0])}")
    return base64.b64encode(narrow.tobytes()).decode("ascii")
