"""trackintel: staypoints, triplegs, trips and locations as CSV with WKT shapes, in the columns that its readers want.

    staypoints.csv   id, user_id, started_at, finished_at, purpose, zone_id, location_id, prev_trip_id, next_trip_id, geom
    triplegs.csv     id, user_id, started_at, finished_at, trip_id, where known mode, geom: one straight leg a trip
    trips.csv        id, user_id, started_at, finished_at, origin_staypoint_id, destination_staypoint_id, geom
    locations.csv    id, user_id, center: a point for each place a person stays at

Times are ISO 8601 in UTC. What trackintel calls a tripleg is our trip drawn as a line. Stays outside the zoning have no point: they are
left out, and so are the trips that begin or end in one. A trip back to the very same point has no leg. With weights every row has a
column `weight`, the people that its user stands for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from synthmob.export import csvfiles
from synthmob.export.exporter import Exporter, Options, Written
from synthmob.export.instants import Instants, table
from synthmob.export.rows import modes, when
from synthmob.export.source import Block, Progress, Source

FILES = ("staypoints.csv", "triplegs.csv", "trips.csv", "locations.csv")
DIGITS = 7
"""Decimals of a degree: a centimetre."""
Ids = npt.NDArray[np.int64]


def _wkt(*points: tuple[Any, Any]) -> list[str]:
    """A POINT each, or a LINESTRING through as many points."""
    names = [[f"{x:.{DIGITS}f} {y:.{DIGITS}f}" for x, y in zip(*point, strict=True)] for point in points]
    kind = "POINT" if len(points) == 1 else "LINESTRING"
    return [f"{kind} ({', '.join(parts)})" for parts in zip(*names, strict=True)]


def _tables(block: Block, clock: Instants, first: tuple[int, int, int], *, weighted: bool) -> dict[str, pa.Table]:
    """The four tables of a block; `first` are the ids of its first staypoint, trip and location."""
    s = block.stays
    for name, column in (("began", "start_min"), ("ended", "end_min")):
        s = s.append_column(name, when(clock, block.stays, column))
    lon, lat = (np.round(s[name].to_numpy().astype(np.float64), DIGITS) for name in ("lon", "lat"))
    inside = np.isfinite(lon)
    staypoint = np.where(inside, np.cumsum(inside) - 1 + first[0], -1)
    follows = np.flatnonzero((s["seq"].to_numpy() > 0) & inside & np.roll(inside, 1))
    trip = np.full(len(s), -1, dtype=np.int64)
    trip[follows] = np.arange(len(follows)) + first[1]
    places = pd.DataFrame({"user": s["person_id"].to_numpy(), "lon": lon, "lat": lat})[inside]
    location = places.groupby(["user", "lon", "lat"], sort=False).ngroup().to_numpy() + first[2]
    kept = places.assign(id=location).drop_duplicates("id")
    before, here = s.take(pa.array(follows - 1)), s.take(pa.array(follows))
    line = _wkt((lon[follows - 1], lat[follows - 1]), (lon[follows], lat[follows]))
    common = {"id": trip[follows], "user_id": here["person_id"], "started_at": before["ended"], "finished_at": here["began"]}
    ends = {"origin_staypoint_id": staypoint[follows - 1], "destination_staypoint_id": staypoint[follows]}
    moved = pa.array((lon[follows] != lon[follows - 1]) | (lat[follows] != lat[follows - 1]))
    there = s.filter(pa.array(inside))
    following = np.append(trip[1:], -1)
    made = {
        "staypoints.csv": pa.table({
            "id": staypoint[inside], "user_id": there["person_id"], "started_at": there["began"], "finished_at": there["ended"],
            "purpose": there["purpose"], "zone_id": there["zone_id"], "location_id": location,
            "prev_trip_id": _or_null(trip[inside]), "next_trip_id": _or_null(following[inside]), "geom": _wkt((lon[inside], lat[inside]))}),
        "triplegs.csv": pa.table({**common, "trip_id": trip[follows], **modes(here), "geom": line}).filter(moved),
        "trips.csv": pa.table({**common, **ends, "geom": [text.replace("LINESTRING (", "MULTIPOINT (") for text in line]}),
        "locations.csv": pa.table({"id": kept["id"], "user_id": kept["user"], "center": _wkt((kept["lon"], kept["lat"]))})}  # fmt: skip
    first_person = int(block.persons["person_id"][0].as_py())
    return made if not weighted else {
        name: rows.append_column("weight", pa.array(block.weights[rows["user_id"].to_numpy() - first_person]))
        for name, rows in made.items()}  # fmt: skip


def _or_null(ids: Ids) -> pa.Array[Any]:
    return pa.array(ids, mask=ids < 0)


def write(source: Source, folder: Path, options: Options, progress: Progress) -> Written:
    """The four files, streamed."""
    del options
    clock = table(source.period)
    with csvfiles.opened(folder, FILES) as files:
        rows = files.rows
        for block in source.blocks(progress):
            files.add(_tables(block, clock, (rows[FILES[0]], rows[FILES[2]], rows[FILES[3]]), weighted=source.weighted))
    units = {"started_at, finished_at": "ISO 8601, UTC", "geom, center": "WKT, degrees", "weight": "people"}
    return Written(rows, units, "EPSG:4326", source.period.timezone, ("Stays outside the zoning, and trips from or to one, are left out.",))


TRACKINTEL = Exporter("trackintel", "staypoints, triplegs, trips and locations", ("trackintel", "movingpandas", "PostGIS"), FILES, write)
