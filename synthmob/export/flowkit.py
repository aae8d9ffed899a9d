"""FlowKit: calls, messages and data sessions in the layout of FlowDB, and a load.sql that puts them into a database.

    load.sql    psql -f load.sql, in this folder: one transaction, all of it or nothing
    calls.csv   id, outgoing, datetime, duration, msisdn, msisdn_counterpart, location_id
    sms.csv     the same without a duration
    mds.csv     id, datetime, duration, volume_total, msisdn, location_id
    sites.csv   id, version, date_of_first_service, geom_point; and cells.csv, with site_id: a cell a site, its location_id
    weights.csv where they are asked for: msisdn, weight, the people that each subscriber stands for

Tables and columns are those of FlowDB (Flowminder/FlowKit, flowdb/bin/build/0020_schema_events.sql and
0020_schema_infrastructure.sql): where they are absent they are made, in a FlowDB they are filled. Every UTC day is a partition, as
FlowETL makes them. An msisdn is 32 bytes, as the hashes that FlowKit expects, which read `synthetic-person-` and a number.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute
import shapely

from synthmob.export import csvfiles, sqlfiles
from synthmob.export.exporter import Exporter, Options, Written
from synthmob.export.instants import Instants, of_local, table
from synthmob.export.rows import UTC, stated
from synthmob.export.source import WEIGHT, Progress, Source
from synthmob.export.sqlfiles import CRS

pc = cast(Any, pyarrow.compute)
KINDS = {"call": "calls", "sms": "sms", "data": "mds"}
FILES = ("sites.csv", "cells.csv", *(f"{name}.csv" for name in KINDS.values()))
WEIGHTS = "weights.csv"
LOAD = "load.sql"
PERSON, DIGITS = "synthetic-person-", 15
BYTES_A_KB = 1_000
UNITS = {"datetime": "instants, UTC in the files", "duration": "s", "volume_total": "bytes", "geom_point": "degrees",
         "weight": "people"}  # fmt: skip
NOTES = (
    "Every event is of a synthetic person, and no number is anybody's: an msisdn reads synthetic-person- and the person's number.",
    "A call or message is in the table once, for the person that it was generated for: the other end has no row of its own.",
    "A site has one cell. imsi, imei, tac, network, codes of operator and country, and up- and download apart are not generated.",
)
HANDSET = "location_id text, imsi bytea, imei bytea, tac numeric(8), operator_code numeric, country_code numeric"
PARTIES = f"network text, msisdn bytea NOT NULL, msisdn_counterpart bytea, {HANDSET}"
SERVICE = "date_of_first_service date, date_of_last_service date, last_updated date, first_added date"
SHAPES = "geom_point geometry(Point, 4326), geom_polygon geometry(MultiPolygon, 4326), UNIQUE (id, version)"
TABLES = {
    "infrastructure.sites":
        f"site_id bigserial PRIMARY KEY, id text, version integer, name text, type text, status text, structure_type text, is_cow boolean, "
        f"{SERVICE}, {SHAPES}",
    "infrastructure.cells":
        f"cell_id bigserial PRIMARY KEY, id text, version integer, site_id text, name text, type text, msc text, bsc_rnc text, "
        f"antenna_type text, status text, lac text, height numeric, azimuth numeric, transmitter text, max_range numeric, "
        f"min_range numeric, electrical_tilt numeric, mechanical_downtilt numeric, {SERVICE}, {SHAPES}",
    "events.calls":
        f"id text, outgoing boolean, datetime timestamptz NOT NULL, duration numeric, {PARTIES}",
    "events.sms":
        f"id text, outgoing boolean, datetime timestamptz NOT NULL, {PARTIES}",
    "events.mds":
        "id text, datetime timestamptz NOT NULL, duration numeric, volume_total numeric, volume_upload numeric, volume_download numeric, "
        f"msisdn bytea NOT NULL, {HANDSET}",
}  # fmt: skip
INDEXED = ("msisdn", "location_id", "datetime")
HEAD = """\
-- {about}
-- psql -f load.sql, in this folder. A site or a day of events that the database has already is refused, not replaced.
\\set ON_ERROR_STOP on
BEGIN;
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE SCHEMA IF NOT EXISTS infrastructure;
CREATE SCHEMA IF NOT EXISTS events;
"""


LOAD_WEIGHTS = "CREATE TABLE IF NOT EXISTS infrastructure.subscriber_weights (msisdn bytea PRIMARY KEY, weight double precision);\n"


def _msisdn(persons: pa.ChunkedArray) -> pa.ChunkedArray:
    r"""The number of each person as PostgreSQL writes bytes, null where there is none.

    >>> bytes.fromhex(_msisdn(pa.chunked_array([[12]]))[0].as_py().removeprefix("\\x"))
    b'synthetic-person-000000000000012'
    """
    digits = pc.utf8_lpad(persons.cast(pa.string()), DIGITS, "0")
    in_hex = pc.replace_substring_regex(digits, "([0-9])", "3\\1")  # the byte of a digit
    return pc.binary_join_element_wise("\\x" + PERSON.encode().hex(), in_hex, "")


def _tables(events: pa.Table, when: Instants, first: int) -> dict[str, pa.Table]:
    """The rows of each kind; `when` are the instants of the events and `first` the number of the first of them."""
    number = pa.array(np.arange(first, first + len(events))).cast(pa.string())
    columns = {
        "id": pc.binary_join_element_wise("synthetic", pc.utf8_lpad(number, 12, "0"), "-"), "datetime": pa.array(when).cast(UTC),
        "outgoing": pc.equal(events["direction"], "out"), "duration": events["duration_s"],
        "volume_total": pc.multiply(events["volume_kb"].cast(pa.int64()), BYTES_A_KB), "msisdn": _msisdn(events["person_id"]),
        "msisdn_counterpart": _msisdn(events["counterpart_id"]), "location_id": events["site_id"]}  # fmt: skip
    wanted = {
        "call": ("id", "outgoing", "datetime", "duration", "msisdn", "msisdn_counterpart", "location_id"),
        "sms": ("id", "outgoing", "datetime", "msisdn", "msisdn_counterpart", "location_id"),
        "data": ("id", "datetime", "duration", "volume_total", "msisdn", "location_id")}  # fmt: skip
    made = pa.table(columns)
    return {f"{KINDS[kind]}.csv": made.select(names).filter(pc.equal(events["kind"], kind)) for kind, names in wanted.items()}


def _infrastructure(source: Source) -> dict[str, pa.Table]:
    """The sites, and a cell in each; both in service from the first day on."""
    sites = source.sites()
    points = shapely.points(np.column_stack([sites[name].to_numpy().astype(np.float64) for name in ("lon", "lat")]))
    n = len(sites)
    more = {
        "version": pa.array(np.zeros(n, dtype=np.int32)), "date_of_first_service": pa.array([source.period.first_day] * n),
        "geom_point": sqlfiles.ewkb(points)}  # fmt: skip
    name = sites["site_id"]
    return {"sites.csv": pa.table({"id": name, **more}), "cells.csv": pa.table({"id": name, "site_id": name, **more})}


def _days(clock: Instants) -> list[datetime.date]:
    """The UTC days that a period touches."""
    first, last = (cast(datetime.datetime, when.astype(datetime.datetime)) for when in (clock[0, 0], clock[-1, -1]))
    days = ((last - datetime.timedelta(seconds=1)).date() - first.date()).days + 1
    return [first.date() + datetime.timedelta(days=day) for day in range(days)]


def _load(source: Source, clock: Instants, columns: dict[str, list[str]], rows: dict[str, int]) -> str:
    text = "; ".join(f"{name}: {value}" for name, value in stated(source, CRS, UNITS).items())
    parts = [HEAD.format(about=text)]
    for name, said in TABLES.items():
        partitioned = " PARTITION BY RANGE (datetime)" if name.startswith("events.") else ""
        parts.append(f"CREATE TABLE IF NOT EXISTS {name} ({said}){partitioned};\n")
    quoted = sqlfiles.quoted(text)
    for kind in KINDS.values():
        for day in _days(clock):
            after, part = day + datetime.timedelta(days=1), f"events.{kind}_{day:%Y%m%d}"
            parts.append(f"CREATE TABLE {part} PARTITION OF events.{kind} FOR VALUES FROM ('{day} 00:00+00') TO ('{after} 00:00+00');\n"
                         f"COMMENT ON TABLE {part} IS {quoted};\n")
    first, last = _days(clock)[0], _days(clock)[-1] + datetime.timedelta(days=1)
    for file in FILES:
        name = file.removesuffix(".csv")
        schema = "events" if name in KINDS.values() else "infrastructure"
        parts.append(sqlfiles.copied(f"{schema}.{name}", columns[file], file))
        ours = f" WHERE datetime >= '{first} 00:00+00' AND datetime < '{last} 00:00+00'" if schema == "events" else ""
        parts.append(sqlfiles.whole(f"SELECT FROM {schema}.{name}{ours}", rows[file], file))
    if WEIGHTS in columns:
        parts += [LOAD_WEIGHTS, sqlfiles.copied("infrastructure.subscriber_weights", columns[WEIGHTS], WEIGHTS)]
    indexes = (f"CREATE INDEX ON events.{kind} ({column});\n" for kind in KINDS.values() for column in INDEXED)
    return "".join([*parts, *indexes, "COMMIT;\n", *(f"ANALYZE events.{kind};\n" for kind in KINDS.values())])


def write(source: Source, folder: Path, options: Options, progress: Progress) -> Written:
    """The events by kind, streamed, the sites, and what loads them."""
    del options
    clock, seen = table(source.period), 0
    with csvfiles.opened(folder, (*FILES, WEIGHTS) if source.weighted else FILES) as files:
        files.add(_infrastructure(source))
        for people in source.weights() if source.weighted else ():
            files.add({WEIGHTS: pa.table({"msisdn": _msisdn(people["person_id"]), WEIGHT: people[WEIGHT]})})
        for events in source.events(progress):
            files.add(_tables(events, of_local(events["time"].to_numpy(), clock, source.period), seen))
            seen += len(events)
    (folder / LOAD).write_text(_load(source, clock, files.columns, files.rows), encoding="utf-8")
    other = seen - sum(files.rows[f"{name}.csv"] for name in KINDS.values())
    left = (f"{other} events of no kind that FlowKit knows were left out.",) if other else ()
    return Written({**files.rows, LOAD: 1}, UNITS, CRS, source.period.timezone, (*NOTES, *left))


FLOWKIT = Exporter(
    "flowkit", "calls, messages and data sessions in FlowDB's layout", ("FlowKit", "PostgreSQL with PostGIS"), (LOAD, *FILES, WEIGHTS),
    write)
