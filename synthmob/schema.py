"""The tables that cross a file or a function, each column declared once.

Private and synthetic rows share PERSONS and STAYS: every statistic is defined once, over these two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from synthmob.errors import FormatError


@dataclass(frozen=True)
class Column:
    """One column: name, Arrow type as text, unit and meaning; `optional` columns may be absent."""

    name: str
    dtype: str
    unit: str
    meaning: str
    optional: bool = False


@dataclass(frozen=True)
class Link:
    """A column whose values are all, but for nulls, those of the key of another table."""

    column: str
    table: str
    key: str


@dataclass(frozen=True)
class Table:
    """One table: what a row is, its columns in order, the columns that no two rows share, and where others lead."""

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the columns that must be there."""
        return tuple(c.name for c in self.columns if not c.optional)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return tuple(c.name for c in self.columns)


_SEX = Column("sex", "string", "", "sex as recorded: female, male, other", optional=True)
_AGE = Column("age_band", "string", "years", "age in bands: 0-15, 16-24, ..., 65+, other", optional=True)
_DAY = Column("day", "int32", "days", "days since the first day of the period, 0 for the first")
_SEQ = Column("seq", "int32", "", "order within the day, from 0")
_START = Column("start_min", "int32", "min", "start, minutes from local midnight, 0 to 1440")
_END = Column("end_min", "int32", "min", "end, minutes from local midnight, 0 to 1440")
_PURPOSE = Column("purpose", "string", "", "what the stay is for: home, work, education, shop, leisure, other")
_ZONE = Column("zone_id", "string", "", "zone of the zoning; null is outside it")
_MODE = Column("mode", "string", "", "mode of the trip to this stay", optional=True)
_LON = Column("lon", "float64", "degrees", "longitude, EPSG:4326", optional=True)
_LAT = Column("lat", "float64", "degrees", "latitude, EPSG:4326", optional=True)
_PERSON = Column("person_id", "int64", "", "a synthetic person (inside the boundary: a fresh random number)")
_VISIT = ("person_id", "day", "seq")
_OF_PERSON = Link("person_id", "persons", "person_id")
_ON_DAY = Link("day", "calendar", "day")

USAGE = (
    Column("kind", "string", "", "call, sms, data", optional=True),
    Column("direction", "string", "", "in, out; null for data", optional=True),
    Column("duration_s", "float64", "s", "how long it lasted; null where that is not known", optional=True),
    Column("volume_kb", "float64", "kB", "data sent and received together; null where that is not known", optional=True),
    Column("app", "string", "", "category of the app or site, for data", optional=True))
"""What an event may say of itself; statistics of usage are measured where the records have `kind`."""

SUBSCRIBERS = Table("subscribers", "one real subscriber, private", (
    Column("subscriber_id", "int64|string", "", "key, never leaves the boundary"), _SEX, _AGE))
EVENTS = Table("events", "one record of the network (call, message, data session), private", (
    Column("subscriber_id", "int64|string", "", "key of SUBSCRIBERS"),
    Column("time", "timestamp", "local time", "when"),
    Column("zone_id", "string", "", "zone of the antenna; or lon and lat", optional=True), _LON, _LAT,
    *USAGE))
RECORD_STAYS = Table("stays", "a dwell of a real subscriber in a zone, private", (
    Column("subscriber_id", "int64|string", "", "key of SUBSCRIBERS"), _DAY, _SEQ, _PURPOSE, _ZONE, _START, _END,
    _MODE, _LON, _LAT))
PERSONS = Table("persons", "one synthetic person", (
    _PERSON, _SEX, _AGE,
    Column("worker", "string", "", "yes for a person with a work zone, no otherwise"),
    Column("home_zone", "string", "", "zone of the home"),
    Column("work_zone", "string", "", "zone of the usual work place, null for others"),
    Column("home_lon", "float64", "degrees", "longitude of the home point", optional=True),
    Column("home_lat", "float64", "degrees", "latitude of the home point", optional=True),
    Column("weight", "float64", "people", "residents that this person stands for (generate --scale-to)", optional=True)),
    key=("person_id",))
STAYS = Table("stays", "a dwell of a synthetic person in a zone, start to end, with purpose", (
    _PERSON, _DAY, _SEQ, _PURPOSE, _ZONE, _START, _END, _MODE, _LON, _LAT),
    key=_VISIT, links=(_OF_PERSON, _ON_DAY, Link("zone_id", "zones", "zone_id")))
TRIPS = Table("trips", "a movement of a synthetic person between two successive stays", (
    _PERSON, _DAY, _SEQ,
    Column("origin_zone", "string", "", "zone of the stay that ends"),
    Column("destination_zone", "string", "", "zone of the stay that begins"),
    Column("depart_min", "int32", "min", "end of the stay before, minutes from local midnight"),
    Column("arrive_min", "int32", "min", "start of the stay after, minutes from local midnight"),
    Column("purpose", "string", "", "purpose of the stay after"),
    Column("mode", "string", "", "how it is made, where the release tells modes: car, vehicle passenger, walking, ...", optional=True),
    Column("distance_km", "float32", "km", "between zone centroids; inside a zone its mean internal distance")),
    key=_VISIT, links=(
        _OF_PERSON, _ON_DAY, Link("origin_zone", "zones", "zone_id"), Link("destination_zone", "zones", "zone_id")))
ZONES = Table("zones", "one zone of the public zoning, the only places that there are", (
    Column("zone_id", "string", "", "the zone"),
    Column("name", "string", "", "its name", optional=True),
    Column("district_id", "string", "", "the district that it lies in", optional=True),
    Column("merged_ids", "list", "", "zones that were merged into this one before anything was counted"),
    Column("geometry", "wkb", "degrees", "its shape, GeoParquet 1.1, EPSG:4326, longitude first")), key=("zone_id",))
CALENDAR = Table("calendar", "one day of the period", (
    _DAY,
    Column("date", "date32", "", "the calendar day, local time"),
    Column("weekday", "string", "", "Monday to Sunday; a public holiday is the day of the week that it falls on"),
    Column("day_type", "string", "", "weekday, saturday, sunday: what the day was generated as")), key=("day",))
SYNTHETIC = (PERSONS, STAYS, TRIPS)
"""The tables of synthetic rows, as `generate` writes them."""

SYNTHETIC_EVENTS = Table("events", "one record of the network about a synthetic person", (
    _PERSON,
    Column("time", "timestamp", "local time", "when"),
    Column("site_id", "string", "", "antenna site that served; null outside the zoning"),
    Column("zone_id", "string", "", "zone of the site"),
    Column("kind", "string", "", "call, sms, data"),
    Column("direction", "string", "", "in, out; null for data"),
    Column("counterpart_id", "int64", "", "the synthetic person at the other end of a call or message: drawn, nothing of it was measured"),
    Column("duration_s", "int32", "s", "how long it lasted; null where the records did not tell"),
    Column("volume_kb", "int32", "kB", "data sent and received together; null where the records did not tell"),
    Column("app", "string", "", "category of the app or site, for data")),
    links=(_OF_PERSON, Link("site_id", "sites", "site_id"), Link("zone_id", "zones", "zone_id"),
           Link("counterpart_id", "persons", "person_id")))
SITES = Table("sites", "one antenna site, from a public list or drawn", (
    Column("site_id", "string", "", "its name"),
    Column("zone_id", "string", "", "zone that it stands in"),
    Column("lon", "float64", "degrees", "longitude, EPSG:4326"),
    Column("lat", "float64", "degrees", "latitude, EPSG:4326")),
    key=("site_id",), links=(Link("zone_id", "zones", "zone_id"),))
OF_PHONES = (SYNTHETIC_EVENTS, SITES)
"""The tables that `generate --events` writes beside those."""


def check(found: Iterable[str], table: Table, where: str) -> None:
    """Raise FormatError unless every required column of `table` is among the `found` names.

    >>> check(["person_id", "worker", "home_zone", "work_zone"], PERSONS, "persons.parquet")
    """
    names = list(found)
    missing = [c for c in table.required if c not in names]
    if missing:
        raise FormatError(
            f"{where} has no column {missing[0]!r} (it has {', '.join(names[:12]) or 'none'}): "
            f"a {table.name} table needs {', '.join(table.required)}."
        )
