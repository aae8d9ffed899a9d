"""An OUT folder opened as the data of a stranger: tables on a backend, the public zoning, the calendar of its days.

Files, columns and types are looked at before the backend opens them, and every row by one query a table: who opens an OUT may
trust that its people are there once, its days whole numbers and its zones those of its zoning. Nothing is loaded: a table here is
an expression.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis

from synthmob import manifest, parquetfiles, schema
from synthmob.counts.events import DAY_SECONDS, since_midnight
from synthmob.domain import KINDS, MINUTES_PER_DAY, UNKNOWN, WORKER, Domain
from synthmob.engine import connect
from synthmob.errors import FormatError, PlanError, ZoningError
from synthmob.parquetfiles import Bounds
from synthmob.period import MAX_DAYS, Period
from synthmob.plan import domain_from
from synthmob.schema import Table
from synthmob.synthesis import metadata
from synthmob.synthesis.unfinished import check_whole
from synthmob.zonefiles import read_zoning
from synthmob.zones import Zoning

SITES = "sites.parquet"
MAX_PARTS = 100_000
MAX_SEQ = 10_000
LONGEST_TEXT = 200
BOUNDS = Bounds(columns=200, page_bytes=64 << 20, unpacked_bytes=64 << 30)
"""A page is what a reader holds at once; all pages together take their time, but no memory."""


@dataclass(frozen=True)
class Out:
    """Synthetic rows on a backend: `persons` and `stays` as ibis tables, and `events`, with at_s for time, where OUT has them; period and
    domain where the manifest states them."""

    persons: Any
    stays: Any
    zoning: Zoning
    period: Period | None
    domain: Domain | None
    events: Any = None


def open_out(folder: str | Path, backend: Any) -> Out:
    """The tables of an OUT folder; FormatError where it is not what generate writes."""
    where = Path(folder)
    check_whole(where)
    try:
        known = where.is_dir()
    except OSError:  # a name that no file system has
        known = False
    if not known:
        raise FormatError(f"There is no folder {where}: give the folder that generate wrote.")
    persons = _opened(backend, [where / "persons.parquet"], schema.PERSONS)
    stays = _opened(backend, _parts(where / "stays"), schema.STAYS)
    trips = _opened(backend, _parts(where / "trips"), schema.TRIPS) if (where / "trips").is_dir() else None
    events = _opened(backend, _parts(where / "events"), schema.SYNTHETIC_EVENTS) if (where / "events").is_dir() else None
    sites = _opened(backend, [where / SITES], schema.SITES) if (where / SITES).exists() or (where / SITES).is_symlink() else None
    if (where / metadata.FILE).exists() or (where / metadata.FILE).is_symlink():
        rows = zip((*schema.SYNTHETIC, *schema.OF_PHONES), (persons, stays, trips, events, sites), strict=True)
        metadata.check(where / metadata.FILE, {table.name: found.columns for table, found in rows if found is not None})
    said = manifest.read(where) if (where / manifest.FILE).exists() else {}
    period = _period(said)
    # Without a first day nothing says on which day an event is.
    events = None if events is None or period is None else since_midnight(events, period)
    out = Out(persons, stays, read_zones(where), period, _domain(said), events)
    _check_rows(backend, out, trips)
    if sites is not None:
        _check_sites(backend, out, sites)
    return out


def check_out(folder: str | Path) -> None:
    """FormatError where an OUT folder is not what generate writes."""
    backend = connect()
    try:
        open_out(folder, backend)
    finally:
        backend.disconnect()


def read_zones(folder: str | Path) -> Zoning:
    """The zoning of an OUT folder."""
    path = Path(folder) / "zones.parquet"
    try:
        if path.is_symlink():
            raise ZoningError(f"{path.name} is a link: a folder that is given away holds its own files, ask for it again.")
        return read_zoning(path)
    except ZoningError as error:
        raise FormatError(f"The zones of {Path(folder).name} cannot be used: {error}") from None


def _parts(folder: Path) -> list[Path]:
    """The part files of a table, in order; a folder that is a link has none."""
    found = [] if folder.is_symlink() else sorted(folder.glob("*.parquet"))
    if len(found) > MAX_PARTS:
        raise FormatError(f"{folder.name} has {len(found)} part files: at most {MAX_PARTS} are written, generate them again.")
    return found


def _opened(backend: Any, paths: Sequence[Path], table: Table) -> Any:
    """The rows of Parquet files with the columns of `table`, every column of the kind that is declared."""
    import duckdb

    try:
        names = [_check_file(path, table) for path in paths]
        if not names:
            raise OSError("no file at all")
        found = backend.read_parquet([literally(path) for path in paths])
        kept = [column for column in table.columns if all(column.name in inside for inside in names)]
        return found.select(**{column.name: found[column.name].cast(column.dtype) for column in kept})
    except OSError:
        raise FormatError(f"There are no {table.name} where OUT has them: give the folder that generate wrote.") from None
    except (duckdb.Error, ibis.common.exceptions.IbisError):
        raise FormatError(f"The {table.name} in {paths[0].parent.name} cannot be read as Parquet: generate them again.") from None


def _check_file(path: Path, table: Table) -> list[str]:
    """The columns of a file whose sizes are in proportion, each there once and of the kind declared; OSError where it is no file."""
    try:
        found = parquetfiles.opened(parquetfiles.mapped(path), path.name, BOUNDS).schema_arrow
    except FormatError as error:
        raise FormatError(f"The {table.name} of OUT cannot be used: {error}") from None
    schema.check(found.names, table, f"The {table.name} table")
    for column in table.columns:
        at = [k for k, name in enumerate(found.names) if name.lower() == column.name]
        if len(at) > 1:
            raise FormatError(f"The {table.name} have a column {column.name!r} twice: generate them again.")
        if at and not _fits(found.field(at[0]).type, column.dtype):
            raise FormatError(
                f"The {table.name} keep {column.name} as {str(found.field(at[0]).type)[:40]} where {column.dtype} is needed: "
                "generate them again.")  # fmt: skip
    return list(found.names)


def _fits(kind: Any, wanted: str) -> bool:
    import pyarrow as pa

    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    if wanted == "timestamp":
        return bool(pa.types.is_timestamp(plain)) and plain.tz is None
    if wanted.startswith("int"):
        return bool(pa.types.is_integer(plain))
    if wanted == "string":
        return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain))
    return bool(pa.types.is_floating(plain) or pa.types.is_integer(plain))


def literally(path: Path) -> str:
    """A path whose own stars and brackets DuckDB does not take for a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _check_rows(backend: Any, out: Out, trips: Any | None) -> None:
    """FormatError where a row of OUT is not what generate writes: one query a table."""
    persons, stays = out.persons, out.stays
    places = ibis.memtable({"_place": list(out.zoning.labels)})
    home = ibis.memtable({"_place": [*out.zoning.labels, UNKNOWN]})
    _refuse(backend, persons, "persons", {
        "a person without an id": persons.person_id.isnull(),
        "a worker that is neither yes nor no": ~persons.worker.isin(WORKER).fill_null(False),
        "a home that is no zone": _strange(persons.home_zone, home) | persons.home_zone.isnull(),
        "a work place that is no zone": _strange(persons.work_zone, places)} | _points(persons, "home_lon", "home_lat"))  # fmt: skip
    if backend.to_pyarrow(persons.agg(n=persons.count() - persons.person_id.nunique()))["n"][0].as_py():
        raise FormatError("The persons of OUT have an id twice: generate them again.")
    _refuse(backend, stays, "stays", {
        "a stay of nobody": ~stays.person_id.isin(persons.person_id).fill_null(False),
        "a stay that is no part of a day": _times(stays, stays.start_min, stays.end_min),
        "a stay without a purpose": ~(stays.purpose.length() <= LONGEST_TEXT).fill_null(False),
        "a stay in no zone": _strange(stays.zone_id, places)} | _points(stays, "lon", "lat") | _modes(stays))  # fmt: skip
    if trips is not None:
        _refuse(backend, trips, "trips", {
            "a trip of nobody": ~trips.person_id.isin(persons.person_id).fill_null(False),
            "a trip that is no part of a day": _times(trips, trips.depart_min, trips.arrive_min),
            "a trip from or to no zone": _strange(trips.origin_zone, places) | _strange(trips.destination_zone, places),
            "a trip of no distance": ~trips.distance_km.between(0, 50_000).fill_null(True)} | _modes(trips))  # fmt: skip
    if out.events is not None:
        _check_events(backend, out.events, persons, places)


def _check_events(backend: Any, events: Any, persons: Any, places: Any) -> None:
    _refuse(backend, events, "events", {
        "an event of nobody": ~events.person_id.isin(persons.person_id).fill_null(False),
        "an event at no time": ~events.at_s.between(0, MAX_DAYS * DAY_SECONDS).fill_null(False),
        "an event of no kind": ~events.kind.isin(KINDS).fill_null(False),
        "an event in no zone": _strange(events.zone_id, places),
        "an event with a long text": (events.app.length() > LONGEST_TEXT).fill_null(False),
        "an event that lasts less than nothing": (events.duration_s < 0).fill_null(False),
        "an event of less than nothing": (events.volume_kb < 0).fill_null(False)})  # fmt: skip


def _check_sites(backend: Any, out: Out, sites: Any) -> None:
    """FormatError where a site is not what generate writes, or an event is at none of them."""
    places = ibis.memtable({"_place": list(out.zoning.labels)})
    _refuse(backend, sites, "sites", {
        "a site without an id": sites.site_id.isnull(),
        "a site in no zone": _strange(sites.zone_id, places)} | _points(sites, "lon", "lat"))  # fmt: skip
    if out.events is not None:
        _refuse(backend, out.events, "events", {"an event at no site": ~out.events.site_id.isin(sites.site_id).fill_null(True)})


def _refuse(backend: Any, table: Any, name: str, broken: Mapping[str, Any]) -> None:
    """FormatError for the first of the faults that a row of the table has."""
    import duckdb

    try:
        marked = table.select(**{f"fault{k}": fault for k, fault in enumerate(broken.values())})
        found = backend.to_pyarrow(marked.agg(**{column: marked[column].any() for column in marked.columns}))
    except (duckdb.Error, ibis.common.exceptions.IbisError):
        raise FormatError(f"The {name} of OUT cannot be read to their end: generate them again.") from None
    for k, fault in enumerate(broken):
        if found[f"fault{k}"][0].as_py():
            raise FormatError(f"The {name} of OUT have {fault}: generate them again.")


def _strange(column: Any, known: Any) -> Any:
    """Whether a label is none of the known ones; a null is `outside` and known."""
    return ~column.isin(known["_place"]).fill_null(True)


def _times(table: Any, start: Any, end: Any) -> Any:
    inside = table.day.between(0, MAX_DAYS - 1) & table.seq.between(0, MAX_SEQ) & (start >= 0) & (start <= end) & (end <= MINUTES_PER_DAY)
    return ~inside.fill_null(False)


def _modes(table: Any) -> dict[str, Any]:
    """The fault of a mode that is a long text, for tables that have modes."""
    return {"a mode that is no label": (table["mode"].length() > LONGEST_TEXT).fill_null(False)} if "mode" in table.columns else {}


def _points(table: Any, lon: str, lat: str) -> dict[str, Any]:
    """The fault of a point that is not on the globe, for tables that have points."""
    if lon not in table.columns or lat not in table.columns:
        return {}
    return {"a point that is not on the globe": ~(table[lon].between(-180, 180) & table[lat].between(-90, 90)).fill_null(True)}


def _period(said: Mapping[str, Any]) -> Period | None:
    return Period.from_json(said["period"]) if "period" in said else None


def _domain(said: Mapping[str, Any]) -> Domain | None:
    try:
        return domain_from(said["domain"], manifest.FILE) if "domain" in said else None
    except PlanError as error:
        raise FormatError(f"OUT's manifest has a domain that cannot be used: {error}") from None
