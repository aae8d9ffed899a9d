"""kepler.gl and every other map that takes CSV: trips as origin and destination points with their times, stays as points.

Written a block at a time; times are ISO 8601 with the offset of UTC, coordinates degrees of EPSG:4326.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from synthmob.export import csvfiles
from synthmob.export.exporter import Exporter, Options, Written
from synthmob.export.instants import Instants, table
from synthmob.export.rows import ends, modes, weights, when
from synthmob.export.source import Block, Progress, Source

STAYS, TRIPS = "stays.csv", "trips.csv"
UNITS = {"lon, lat": "degrees", "origin_lon, origin_lat, destination_lon, destination_lat": "degrees",
         "start, end, depart, arrive": "ISO 8601, UTC", "distance_km": "km", "weight": "people"}  # fmt: skip


def _stays(block: Block, clock: Instants, *, weighted: bool) -> pa.Table:
    """One row a stay: person_id, purpose, zone_id, start, end, lon, lat, and where asked for its weight, people."""
    s = block.stays
    people = {"weight": weights(block, s)} if weighted else {}
    return pa.table({
        "person_id": s["person_id"], "purpose": s["purpose"], "zone_id": s["zone_id"], "start": when(clock, s, "start_min"),
        "end": when(clock, s, "end_min"), "lon": s["lon"], "lat": s["lat"], **people})  # fmt: skip


def _trips(block: Block, clock: Instants, *, weighted: bool) -> pa.Table:
    """One row a trip: person_id, purpose, where known mode, zones, depart, arrive, the points of both ends, distance_km, and where asked
    for its weight."""
    t = block.trips
    people = {"weight": weights(block, t)} if weighted else {}
    return pa.table({
        "person_id": t["person_id"], "purpose": t["purpose"], **modes(t), "origin_zone": t["origin_zone"],
        "destination_zone": t["destination_zone"], "depart": when(clock, t, "depart_min"), "arrive": when(clock, t, "arrive_min"),
        **vars(ends(block)), "distance_km": t["distance_km"], **people})  # fmt: skip


def write(source: Source, folder: Path, options: Options, progress: Progress) -> Written:
    """Both files, and how many rows each has."""
    del options
    clock = table(source.period)
    with csvfiles.opened(folder, (STAYS, TRIPS)) as files:
        for block in source.blocks(progress):
            files.add({name: make(block, clock, weighted=source.weighted) for name, make in ((STAYS, _stays), (TRIPS, _trips))})
    return Written(files.rows, UNITS, "EPSG:4326", source.period.timezone)


KEPLER = Exporter(
    "kepler", "points of stays and trips as CSV, for kepler.gl and other maps", ("kepler.gl", "pandas", "DuckDB", "QGIS"), (STAYS, TRIPS),
    write)
