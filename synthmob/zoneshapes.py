"""Shapes made valid, flat and in degrees, at a cost that their file has to account for.

A few kilobytes can hold a polygon of which every edge crosses every other: repairing it takes time and memory with the square of
its corners. So the edges whose boxes meet are counted first, with an early end, and a tangle is refused.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.errors import ZoningError

Frame = Any
POLYGONS = (3, 6)
"""The type numbers of polygons and multipolygons."""
FREE_CORNERS = 64
"""A shape of fewer corners has too few edges to be a tangle."""
FREE_MEETINGS, MEETINGS_AN_EDGE = 500_000, 20
"""How many pairs of edges may meet in all shapes together; an honest edge meets itself, its two neighbours and few others."""
MAX_CORNERS = 4_000_000
LEAST_AREA = 1e-12
"""A hundredth of a square metre, in square degrees: below it a shape has an area by rounding alone."""
_EDGES_AT_ONCE = 512


def in_degrees(frame: Frame, where: str) -> Frame:
    """The shapes in EPSG:4326; ZoningError where their coordinates are no degrees then."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            moved = frame.to_crs(4326) if frame.crs is not None and frame.crs.to_epsg() != 4326 else frame
        except (RuntimeError, ValueError) as error:  # a system that PROJ cannot leave
            why = (str(error).splitlines() or [""])[0][:120]
            raise ZoningError(f"The coordinates of {where} cannot be brought to degrees ({why}): reproject it to EPSG:4326.") from None
        west, south, east, north = moved.total_bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ZoningError(
            f"The coordinates of {where} run from ({west:g}, {south:g}) to ({east:g}, {north:g}), which are "
            f"not degrees: state the file's coordinate system or reproject it to EPSG:4326."
        )
    return moved if moved.crs is not None else moved.set_crs(4326)


def check(frame: Frame, where: str) -> None:
    """Make every shape a valid, flat polygon with an area in place, or say which one cannot be."""
    import shapely

    shapes = shapely.force_2d(frame.geometry.to_numpy())
    wrong = ~np.isin(shapely.get_type_id(shapes), POLYGONS) | shapely.is_empty(shapes)
    corners, of_shape = shapely.get_coordinates(shapes, return_index=True)
    wrong[of_shape[~np.isfinite(corners).all(axis=1)]] = True
    _refuse(shapes, wrong, where)
    if len(corners) > MAX_CORNERS:
        raise ZoningError(f"The shapes of {where} have {len(corners)} corners: at most {MAX_CORNERS} are supported, simplify them.")
    tangled(list(shapes), where)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        broken = ~shapely.is_valid(shapes)
        try:
            shapes[broken] = [_polygons(s) for s in shapely.make_valid(shapes[broken])]
        except shapely.errors.ShapelyError:
            raise ZoningError(f"The shapes of {where} cannot be made valid polygons: draw them again.") from None
        wrong = ~np.isin(shapely.get_type_id(shapes), POLYGONS) | ~(shapely.area(shapes) >= LEAST_AREA)
    _refuse(shapes, wrong, where)
    frame["geometry"] = shapes


def tangled(shapes: list[Any], where: str) -> None:
    """Refuse shapes whose edges meet far more often than those of zones do; each is looked at by itself."""
    import shapely

    allowed = FREE_MEETINGS
    for shape in shapes:
        if (n := shapely.get_num_coordinates(shape)) > FREE_CORNERS:
            allowed += MEETINGS_AN_EDGE * n
            allowed -= meetings(shape, shape, allowed)
            if allowed < 0:
                raise ZoningError(f"A shape of {where} crosses itself over and over: it is no zone, draw it again or leave it out.")


def meetings(a: Any, b: Any, most: int) -> int:
    """How many edges of one shape meet edges of another by their boxes; counting ends soon after `most`."""
    import shapely

    low, high = _edges(a)
    others = _edges(b)
    for axis in (0, 1):  # edges whose boxes meet overlap in both directions: few overlaps in one are bound enough
        begun = np.searchsorted(np.sort(others[0][:, axis]), high[:, axis], side="right")
        over = np.searchsorted(np.sort(others[1][:, axis]), low[:, axis], side="left")
        if (found := int((begun - over).sum())) <= MEETINGS_AN_EDGE * len(low):
            return found
    boxes, tree, found = _boxes(low, high), shapely.STRtree(_boxes(*others)), 0
    for first in range(0, len(boxes), _EDGES_AT_ONCE):
        found += tree.query(boxes[first : first + _EDGES_AT_ONCE]).shape[1]
        if found > most:
            break
    return found


def _edges(shape: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The lower and upper corner of the box around every edge; an edge from a ring to the next is among them."""
    import shapely

    at = shapely.get_coordinates(shape)
    return np.minimum(at[:-1], at[1:]), np.maximum(at[:-1], at[1:])


def _boxes(low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    import shapely

    return shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])


def _refuse(shapes: npt.NDArray[Any], wrong: npt.NDArray[np.bool_], where: str) -> None:
    if not wrong.any():
        return
    row = int(np.argmax(wrong))
    shape: Any = shapes[row]
    kind = "no shape" if shape is None or shape.is_empty or shape.geom_type.endswith("Polygon") else f"a {shape.geom_type}"
    raise ZoningError(f"Row {row + 1} of {where} has {kind}: every zone needs a polygon with an area, give it one.")


def _polygons(shape: Any) -> Any:
    """The polygonal part of a repaired shape."""
    import shapely

    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[np.isin(shapely.get_type_id(parts), POLYGONS)])
