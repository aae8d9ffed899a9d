"""The events of the network: one row a call, message or data session, judged and brought to seconds and zones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synthmob.domain import Domain
from synthmob.period import Period
from synthmob.private import clock, event_usage, fields, places
from synthmob.private import validation as must
from synthmob.private.fields import Known
from synthmob.private.files import FILE, ROW, RecordFile
from synthmob.private.validation import Check
from synthmob.zones import Zoning

DAY_SECONDS = 86_400


def read(
    file: RecordFile,
    known: Known,
    zoning: Zoning,
    period: Period,
    usage: Sequence[str] = (),
    domain: Domain | None = None,
) -> Any:
    """Validated events: subscriber_id, at_s (whole seconds since local midnight of the first day), zone_id, zone (its place in
    the zoning), and the columns of `usage` that are asked for, categories as their codes.

    The zone is zone_id where the file has that column, else the zone in which lon and lat lie.
    """
    place = ["lon", "lat"] if "zone_id" not in file.schema and "lon" in file.schema else ["zone_id"]
    columns = ["subscriber_id", "time", *place, *usage]
    must.need(file, columns)
    _need_types(file, place)
    event_usage.need_types(file, usage)
    file = file.of(columns)
    last = period.days * DAY_SECONDS - 1
    numbered = event_usage.with_numbers(file, _rows(file, file.numbered.select(*columns, FILE, ROW), known, period), usage)
    numbered = numbered.filter(numbered.at_s.isnull() | numbered.at_s.between(0, last))
    if place == ["zone_id"]:
        numbered = fields.with_zone(numbered, zoning)
    must.refuse_rows(
        file,
        numbered,
        [
            Check(numbered.subscriber_id.isnull(), fields.NO_ID),
            Check(numbered.at_s.isnull(), "time is empty or cannot be read: write it as 2026-03-02 08:30:00"),
            fields.zone_check(numbered) if place == ["zone_id"] else _point_check(numbered, is_text=file.is_text),
            *event_usage.checks(numbered, usage),
        ],
    )
    must.refuse_unknown(file, numbered, known.ids, known.name)
    table = _rows(file, file.table.select(*columns), known, period)
    table = event_usage.with_numbers(file, table.filter(table.at_s.between(0, last)), usage)
    # Before zones are joined: what comes out of a file once for each text is a text for each row after a join.
    table = table.mutate(**event_usage.codes(table, usage, domain or Domain()))
    table = fields.with_zone(table, zoning) if place == ["zone_id"] else places.with_zone(file, table, zoning)
    return table.select("subscriber_id", "at_s", "zone_id", "zone", *usage)


def _need_types(file: RecordFile, place: list[str]) -> None:
    kind = file.schema["time"]
    must.need_type(file, "time", right=kind.is_timestamp() or kind.is_string(), wanted="a timestamp, or ISO 8601 text")
    if place == ["zone_id"]:
        fields.need_zone_type(file)
        return
    for name in place:
        must.need_type(file, name, right=file.schema[name].is_numeric(), wanted="degrees as numbers")


def _rows(file: RecordFile, table: Any, known: Known, period: Period) -> Any:
    """Ids, times and points as what they mean, null where they mean nothing; the points as written in `_lon` and
    `_lat`."""
    table = table.mutate(
        subscriber_id=fields.subscriber_id(file, table, as_text=known.as_text),
        at_s=clock.local_seconds(table.time, period),
    )
    if "lon" not in table.columns:
        return table.drop("time")
    degrees = {n: table[n].try_cast("float64") if file.is_text else table[n].cast("float64") for n in ("lon", "lat")}
    return table.mutate(_lon=table.lon, _lat=table.lat, **degrees).drop("time")


def _point_check(table: Any, *, is_text: bool) -> Check:
    """A point is two numbers of degrees, or null for outside."""
    wrong = ~(table.lon.between(-180, 180) & table.lat.between(-90, 90)) | (table.lon.isnull() != table.lat.isnull())
    if is_text:
        wrong = wrong | (table.lon.isnull() & table["_lon"].notnull()) | (table.lat.isnull() & table["_lat"].notnull())
    return Check(
        wrong, "lon and lat are not degrees (east -180 to 180, north -90 to 90): mend them, or leave both empty"
    )
