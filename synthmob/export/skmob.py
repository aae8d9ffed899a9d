"""scikit-mobility: the columns of its TrajDataFrame and FlowDataFrame, and the tessellation that flows are given over.

    trajectories.parquet    uid, datetime, lat, lng: a point where each stay begins, times local and naive as the library wants them
    flows.csv               origin, destination, flow: trips of the whole period between zones
    tessellation.geojson    tile_ID and the polygon of every zone, EPSG:4326

Read with `skmob.TrajDataFrame(pandas.read_parquet(...))` and
`skmob.FlowDataFrame.from_file("flows.csv", tessellation=..., tile_id="tile_ID")`.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from synthmob.export import layers
from synthmob.export.exporter import Exporter, Options, Written
from synthmob.export.rows import FloatArray, stated, weights, zone_pairs
from synthmob.export.source import Block, IntArray, Progress, Source
from synthmob.export.sums import Sums

TRAJECTORIES, FLOWS, TESSELLATION = "trajectories.parquet", "flows.csv", "tessellation.geojson"
COLUMNS = pa.schema([("uid", pa.int64()), ("datetime", pa.timestamp("s")), ("lat", pa.float64()), ("lng", pa.float64())])
UNITS = {"datetime": "local time, without an offset", "lat": "degrees", "lng": "degrees", "flow": "trips in the period"}
CRS = "EPSG:4326"
_MINUTE = np.timedelta64(1, "m")


def _points(block: Block, source: Source) -> pa.Table:
    """One row a stay inside the zoning, where and when it begins."""
    s = block.stays
    first = np.datetime64(source.period.first_day, "s")
    days = s["day"].to_numpy().astype("timedelta64[D]")
    when = first + days + s["start_min"].to_numpy() * _MINUTE
    table = pa.table([s["person_id"].cast(pa.int64()), pa.array(when).cast(pa.timestamp("s")), s["lat"], s["lon"]], schema=COLUMNS)
    return table.filter(pa.array(~np.isnan(s["lon"].to_numpy(zero_copy_only=False).astype(np.float64))))


def _flows(block: Block, source: Source) -> tuple[IntArray, FloatArray]:
    """The pair of zones of each trip as one number, and its people; trips from or to outside have no tile."""
    n = source.zoning.n_zones
    origin, destination = zone_pairs(block, source)
    inside = (origin < n) & (destination < n)
    return origin[inside] * n + destination[inside], weights(block, block.trips)[inside]


def write(source: Source, folder: Path, options: Options, progress: Progress) -> Written:
    """The three files and their rows."""
    del options
    n, points = source.zoning.n_zones, 0
    flows = Sums()
    with pq.ParquetWriter(folder / TRAJECTORIES, COLUMNS, compression="zstd", store_schema=False) as file:
        file.add_key_value_metadata(stated(source, CRS, UNITS))
        for block in source.blocks(progress):
            rows = _points(block, source)
            file.write_table(rows)
            flows.add(*_flows(block, source))
            points += len(rows)
    cells, people = flows.total()
    ids = np.array(source.zoning.ids)
    pc.write_csv(pa.table({"origin": ids[cells // n], "destination": ids[cells % n], "flow": people}), folder / FLOWS)
    tiles = gpd.GeoDataFrame({"tile_ID": list(source.zoning.ids)}, geometry=list(source.zoning.geometry), crs=CRS)
    layers.write(tiles, folder / TESSELLATION, "tessellation", stated(source, CRS, {}))
    note = "Stays and trips outside the zoning are left out: they have no point and no tile."
    rows = {TRAJECTORIES: points, FLOWS: len(cells), TESSELLATION: n}
    return Written(rows, UNITS, CRS, source.period.timezone, (note,))


SKMOB = Exporter(
    "skmob", "trajectories, flows and tessellation in the columns of scikit-mobility", ("scikit-mobility", "pandas", "geopandas"),
    (TRAJECTORIES, FLOWS, TESSELLATION), write)
