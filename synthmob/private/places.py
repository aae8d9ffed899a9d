"""From points to zones: which public polygon a recorded longitude and latitude lies in.

Points are first rounded to a public grid of 0.0001 degrees (about 10 m), so that a network with a few thousand antennas
asks a few thousand questions however many events it has. A point on a border goes to the zone that stands first.
"""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np

from synthmob.domain import OUTSIDE
from synthmob.private.files import RecordFile
from synthmob.zones import Zoning

CELLS_PER_DEGREE = 10_000
POINTS_AT_ONCE = 500_000


def with_zone(file: RecordFile, table: Any, zoning: Zoning) -> Any:
    """`table` with zone_id, a label, and zone, its place in the zoning, for its lon and lat (degrees, EPSG:4326); null points
    and points in no zone are outside.

    The distinct grid cells inside the zoning's bounding box are read from the backend and located in batches, 12 bytes
    each; the rows themselves stay there.
    """
    import pyarrow as pa

    west, south, east, north = (float(v) for v in _bounds(zoning))
    within = table.lon.between(west, east) & table.lat.between(south, north)
    cells = table.filter(within).select(_x=_cell(table.lon), _y=_cell(table.lat)).distinct()
    n_batches = 1 + file.fetch(cells.agg(n=cells.count()))[0]["n"] // POINTS_AT_ONCE
    located: list[Any] = []
    for batch in range(n_batches):
        part = file.backend.to_pyarrow(cells.filter((cells["_x"] + cells["_y"]).abs() % n_batches == batch))
        x, y = (np.asarray(part[name]) for name in ("_x", "_y"))
        zone = _locate(x / CELLS_PER_DEGREE, y / CELLS_PER_DEGREE, zoning)
        located.append(part.append_column("zone", pa.array(zone, pa.int32())))
    zones = ibis.memtable({"zone": list(range(zoning.n_zones + 1)), "zone_id": list(zoning.labels)})
    found = ibis.memtable(pa.concat_tables(located)).join(zones, "zone")
    keyed = table.mutate(_x=_cell(table.lon), _y=_cell(table.lat))
    joined = keyed.left_join(found, ["_x", "_y"])
    joined = joined.mutate(zone_id=joined.zone_id.fill_null(OUTSIDE), zone=joined.zone.fill_null(zoning.n_zones))
    return joined.drop("_x", "_y", "_x_right", "_y_right")


def _cell(degrees: Any) -> Any:
    """The grid cell of a coordinate; far outside the globe there is none."""
    return ibis.ifelse(
        degrees.between(-180, 180), (degrees * CELLS_PER_DEGREE).round().cast("int32"), ibis.null("int32")
    )


def _bounds(zoning: Zoning) -> Any:
    import shapely

    return shapely.total_bounds(zoning.geometry)


def _locate(lon: Any, lat: Any, zoning: Zoning) -> Any:
    """The zone index of each point, int64; n_zones where it lies in none."""
    import shapely

    point, zone = shapely.STRtree(zoning.geometry).query(shapely.points(lon, lat), predicate="intersects")
    index = np.full(len(lon), zoning.n_zones, dtype=np.int64)
    np.minimum.at(index, point, zone)
    return index
