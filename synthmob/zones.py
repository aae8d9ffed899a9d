"""The public partition of the study area: zones, their shapes, their parents, the distances between them.

A zoning is public and never derived from the records. Zone index `n_zones` is `outside`: everywhere else, one more
zone without a shape. Distances are between centroids in a local equal-area projection, and inside a zone the mean
distance of two random points of a disk of its area, 128 / (45 pi) radii (Solomon 1978, doi:10.1137/1.9781611970408).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.domain import OUTSIDE, UNKNOWN
from synthmob.errors import ZoningError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

RESERVED = {OUTSIDE, UNKNOWN}
"""What no zone and no area may be called."""
MEAN_DISTANCE_IN_UNIT_DISK = 128.0 / (45.0 * math.pi)


MOST_FLOW_AREAS = 64
"""Areas of which most pairs have enough trips to be shown: flows between more would be all below the cut."""


@dataclass(frozen=True)
class Level:
    """A coarser partition: its name, the labels of its areas, and the area of every zone, shape (n_zones,)."""

    name: str
    labels: tuple[str, ...]
    of_zone: IntArray


@dataclass(frozen=True)
class Zoning:
    """Zones with polygons in EPSG:4326 (`geometry`, an object array of shapely shapes) and their parent levels.

    `levels` run from finest (zone) to coarsest (district); each is nested in the next. `aliases` gives, for the id of
    every sensitive zone that was merged away, the id of the zone that took it in.
    """

    ids: tuple[str, ...]
    geometry: npt.NDArray[Any]
    levels: tuple[Level, ...]
    names: tuple[str, ...] = ()
    aliases: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if len(self.ids) < 2:
            raise ZoningError(f"The zoning has {len(self.ids)} zones: at least two are needed, give a finer one.")
        if len(set(self.ids)) != len(self.ids):
            twice = next(z for z, n in Counter(self.ids).items() if n > 1)
            raise ZoningError(f"Zone id {twice!r} stands twice in the zoning: ids must differ, merge or rename them.")
        if reserved := RESERVED & set(self.ids):
            raise ZoningError(f"Zone id {min(reserved)!r} is reserved in synthmob: rename that zone.")
        if self.levels[0].name != "zone" or self.levels[-1].name != "district" or len(self.geometry) != len(self.ids):
            raise ZoningError("A zoning's levels must run from zone to district: build it with read_zoning.")

    @property
    def n_zones(self) -> int:
        """How many zones have a shape; the index after the last is `outside`."""
        return len(self.ids)

    @property
    def labels(self) -> tuple[str, ...]:
        """The zone ids and `outside`: the labels of every axis of zones."""
        return (*self.ids, OUTSIDE)

    @property
    def flow_level(self) -> str:
        """The level that flows are told between: the finest of at most MOST_FLOW_AREAS areas, districts where there is none."""
        return next((level.name for level in self.levels if len(level.labels) <= MOST_FLOW_AREAS), "district")

    def level(self, name: str) -> Level:
        """The level of that name; ZoningError where there is none."""
        for level in self.levels:
            if level.name == name:
                return level
        raise ZoningError(f"The zoning has no level {name!r}: it has {', '.join(lv.name for lv in self.levels)}.")

    def level_labels(self, name: str) -> tuple[str, ...]:
        """The area labels of a level and `outside`."""
        return (*self.level(name).labels, OUTSIDE)

    def parent_of(self, name: str) -> IntArray:
        """The area index of every zone index at a level, `outside` included, shape (n_zones + 1,)."""
        level = self.level(name)
        return np.append(level.of_zone, len(level.labels))

    @cached_property
    def projected(self) -> Any:
        """The shapes as a GeoSeries in a local equal-area projection, metres."""
        import geopandas

        shapes = geopandas.GeoSeries(list(self.geometry), crs=4326)
        west, south, east, north = shapes.total_bounds
        return shapes.to_crs(
            f"+proj=laea +lat_0={(south + north) / 2:.6f} +lon_0={(west + east) / 2:.6f} +datum=WGS84 +units=m"
        )

    @cached_property
    def centroids_km(self) -> FloatArray:
        """Centroids in the local projection, km, shape (n_zones + 1, 2); `outside` is NaN."""
        points = self.projected.centroid
        xy = np.column_stack([points.x.to_numpy(), points.y.to_numpy()]) / 1000.0
        return np.vstack([np.round(xy, 4), [np.nan, np.nan]])

    @cached_property
    def areas_km2(self) -> FloatArray:
        """Areas, km2, shape (n_zones,)."""
        return self.projected.area.to_numpy() / 1e6

    @cached_property
    def internal_km(self) -> FloatArray:
        """Mean distance inside each zone, km, shape (n_zones + 1,); `outside` is NaN."""
        inside = MEAN_DISTANCE_IN_UNIT_DISK * np.sqrt(self.areas_km2 / math.pi)
        return np.append(np.round(inside, 4), np.nan)

    @cached_property
    def lonlat(self) -> FloatArray:
        """A point inside each zone, EPSG:4326 degrees, shape (n_zones, 2)."""
        import shapely

        points = shapely.point_on_surface(self.geometry)
        return np.column_stack([shapely.get_x(points), shapely.get_y(points)])

    def distances_km(self, origin: npt.ArrayLike, destination: npt.ArrayLike) -> FloatArray:
        """Distance between zone indices, km, elementwise; NaN where either is `outside`."""
        return apart_km(self.centroids_km, self.internal_km, origin, destination)


def apart_km(centroids_km: FloatArray, internal_km: FloatArray, origin: npt.ArrayLike, destination: npt.ArrayLike) -> FloatArray:
    """Distance between zone indices, km, elementwise, by `centroids_km` (zones, 2) and `internal_km` (zones,); NaN where one has none."""
    a, b = np.asarray(origin, dtype=np.int64), np.asarray(destination, dtype=np.int64)
    delta = centroids_km[a] - centroids_km[b]
    apart = np.sqrt((delta**2).sum(axis=-1))
    return np.where(a == b, internal_km[a], apart)
