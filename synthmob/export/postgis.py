"""PostGIS: zones, persons, stays and trips as CSV with shapes, and a load.sql that puts them into a schema of a database.

    load.sql      psql -f load.sql, in this folder: one transaction, all of it or nothing
    zones.csv     zone_id, district_id, geom
    persons.csv   the columns of OUT, and home as a point
    stays.csv     person_id, day, seq, purpose, zone_id, started, ended, geom
    trips.csv     person_id, day, seq, purpose, origin_zone, destination_zone, where known mode, departed, arrived, distance_km, geom: a
                  straight line

Shapes are EWKB in hexadecimal, EPSG:4326; instants are UTC. Units, CRS and time zone become comments of the database. The schema
must be new: nothing that is there is replaced.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from synthmob.export import csvfiles, sqlfiles
from synthmob.export.exporter import Exporter, Options, Written
from synthmob.export.instants import Instants, table
from synthmob.export.rows import FloatArray, ends, modes, stated, weights, when
from synthmob.export.source import WEIGHT, Block, Progress, Source
from synthmob.export.sqlfiles import CRS, SRID
from synthmob.schema import PERSONS

FILES = ("zones.csv", "persons.csv", "stays.csv", "trips.csv")
LOAD = "load.sql"
HOME = ("home_lon", "home_lat")
UNITS = {
    "day": "days from the first of the period", "started, ended, departed, arrived": "instants, UTC in the files", "distance_km": "km",
    "geom, home": "degrees", "weight": "people"}
TYPES = {
    "person_id": "bigint PRIMARY KEY", "day": "integer NOT NULL", "seq": "integer NOT NULL", "purpose": "text NOT NULL",
    "distance_km": "real", "weight": "double precision", "started": "timestamptz NOT NULL", "ended": "timestamptz NOT NULL",
    "departed": "timestamptz NOT NULL", "arrived": "timestamptz NOT NULL"}
SHAPES = {"zones": "MultiPolygon", "persons": "Point", "stays": "Point", "trips": "LineString"}
HEAD = """\
-- {about}
-- psql -f load.sql, in this folder; -v schema=NAME for another schema than synthmob, which must not be there yet.
\\set ON_ERROR_STOP on
\\if :{{?schema}}
\\else
\\set schema synthmob
\\endif
BEGIN;
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE SCHEMA :"schema";
SET LOCAL search_path TO :"schema", public;
COMMENT ON SCHEMA :"schema" IS {said};
"""
TAIL = """\
ALTER TABLE stays ADD PRIMARY KEY (person_id, day, seq), ADD FOREIGN KEY (person_id) REFERENCES persons,
  ADD FOREIGN KEY (zone_id) REFERENCES zones;
ALTER TABLE trips ADD PRIMARY KEY (person_id, day, seq), ADD FOREIGN KEY (person_id) REFERENCES persons,
  ADD FOREIGN KEY (origin_zone) REFERENCES zones, ADD FOREIGN KEY (destination_zone) REFERENCES zones;
CREATE INDEX ON zones USING gist (geom);
CREATE INDEX ON stays USING gist (geom);
CREATE INDEX ON trips USING gist (geom);
ANALYZE zones, persons, stays, trips;
COMMIT;
"""


def _points(lon: FloatArray, lat: FloatArray) -> pa.Array[Any]:
    known = np.isfinite(lon) & np.isfinite(lat)
    return sqlfiles.ewkb(shapely.points(np.where(known, lon, 0.0), np.where(known, lat, 0.0)), known)


def _degrees(found: pa.Table, *names: str) -> list[FloatArray]:
    return [found[name].to_numpy().astype(np.float64) for name in names]


def _lines(block: Block) -> pa.Array[Any]:
    """A line from the end of a trip to its other, null where one is outside."""
    corners = np.stack(list(vars(ends(block)).values()), axis=1).reshape(-1, 2, 2)
    known: Any = np.isfinite(corners).all(axis=(1, 2))
    return sqlfiles.ewkb(shapely.linestrings(np.where(known[:, None, None], corners, 0.0)), known)


def _tables(block: Block, clock: Instants, *, weighted: bool) -> dict[str, pa.Table]:
    """The rows of a block in the columns of the files."""
    p, s, t = block.persons, block.stays, block.trips
    apart = {*HOME, WEIGHT}
    people = p.select([name for name in PERSONS.names if name in p.column_names and name not in apart])  # no name of a stranger's in SQL
    if weighted:
        people = people.append_column(WEIGHT, pa.array(weights(block, p)))
    if set(HOME) <= set(p.column_names):
        people = people.append_column("home", _points(*_degrees(p, *HOME)))
    stays = {name: s[name] for name in ("person_id", "day", "seq", "purpose", "zone_id")}
    trips = {name: t[name] for name in ("person_id", "day", "seq", "purpose", "origin_zone", "destination_zone")} | modes(t)
    return {
        "persons.csv": people,
        "stays.csv": pa.table({**stays, "started": when(clock, s, "start_min"), "ended": when(clock, s, "end_min"),
                               "geom": _points(*_degrees(s, "lon", "lat"))}),
        "trips.csv": pa.table({**trips, "departed": when(clock, t, "depart_min"), "arrived": when(clock, t, "arrive_min"),
                               "distance_km": t["distance_km"], "geom": _lines(block)})}  # fmt: skip


def _zones(source: Source) -> pa.Table:
    zoning = source.zoning
    district = zoning.level("district")
    shapes = np.array([shapely.MultiPolygon(list(shapely.get_parts(shape))) for shape in zoning.geometry])
    return pa.table({
        "zone_id": list(zoning.ids), "district_id": [district.labels[k] for k in district.of_zone],
        "geom": sqlfiles.ewkb(shapes)})  # fmt: skip


def _column(name: str, kind: str) -> str:
    """A column's name and type: a shape, one of TYPES, or text."""
    if name in ("geom", "home"):
        return f"{name} geometry({SHAPES[kind]}, {SRID})"
    if name == "zone_id" and kind == "zones":
        return f"{name} text PRIMARY KEY"
    if name == "person_id" and kind != "persons":
        return f"{name} bigint NOT NULL"
    return f"{name} {TYPES.get(name, 'text')}"


def _load(source: Source, columns: dict[str, list[str]], rows: dict[str, int]) -> str:
    said = stated(source, CRS, UNITS)
    text = "; ".join(f"{name}: {value}" for name, value in said.items())
    parts = [HEAD.format(about=text, said=sqlfiles.quoted(text))]
    for file in FILES:
        kind, names = file.removesuffix(".csv"), columns[file]
        parts.append(f"CREATE TABLE {kind} ({', '.join(_column(name, kind) for name in names)});\n")
        parts.append(sqlfiles.copied(kind, names, file) + sqlfiles.whole(f"SELECT FROM {kind}", rows[file], file))
        parts.append(f"COMMENT ON TABLE {kind} IS {sqlfiles.quoted(text)};\n")
    return "".join(parts) + TAIL


def write(source: Source, folder: Path, options: Options, progress: Progress) -> Written:
    """The four tables, streamed, and what loads them."""
    del options
    clock = table(source.period)
    with csvfiles.opened(folder, FILES) as files:
        files.add({FILES[0]: _zones(source)})
        for block in source.blocks(progress):
            files.add(_tables(block, clock, weighted=source.weighted))
    (folder / LOAD).write_text(_load(source, files.columns, files.rows), encoding="utf-8")
    note = "Stays outside the zoning have no point, and trips from or to one no line."
    return Written({**files.rows, LOAD: 1}, UNITS, CRS, source.period.timezone, (note,))


POSTGIS = Exporter(
    "postgis", "zones, persons, stays and trips for a spatial database", ("PostGIS", "psql", "QGIS"), (LOAD, *FILES), write)
