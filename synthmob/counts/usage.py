"""What people do with the phone: events per day, hours, apps, zones, durations, volumes. A day is any day of the period.

A person adds the same whole number of events over `days` and a public constant to every cell, so that a cell is one division and
no sum of floats: how many events one person can be the whole of a cell with is that constant a day, beyond it the cell is full.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis

from synthmob.counts.anchors import group_axes
from synthmob.counts.coded import Coded, band
from synthmob.counts.flows import HOURS
from synthmob.counts.statistic import Public, Statistic, zone_axis
from synthmob.domain import DIRECTIONS, EVENT_DURATION_EDGES_S, KINDS, VOLUME_EDGES_KB, Axis, bin_labels

EVENTS_EDGES = (0, 1, 2, 3, 4, 5, 7, 9, 12, 15, 19, 24, 30, 38, 48, 60, 80, 110, 150)
"""Events of a day, in bands."""
FULL = 8
"""So many events a day in one cell of a table make it whole: each adds an eighth, averaged over the days of the period."""
FULL_HOUR = 4
FULL_PLACE = 16
"""Hours are many and a person's zones few: cells of theirs hold fewer and more events."""
DATA = KINDS.index("data")


def kind_axis() -> Axis:
    """The kinds of an event."""
    return Axis("kind", KINDS)


def app_axis(public: Public) -> Axis:
    """The categories of apps and sites."""
    return Axis("app", public.domain.apps)


def events_axis() -> Axis:
    """Events of a day, in bands."""
    return Axis("events", bin_labels(EVENTS_EDGES))


def duration_axis() -> Axis:
    """Durations of events, s."""
    return Axis("duration", bin_labels(EVENT_DURATION_EDGES_S))


def volume_axis() -> Axis:
    """Volumes of events, kB."""
    return Axis("volume", bin_labels(VOLUME_EDGES_KB))


def events_of(coded: Coded, *, groups: bool = True) -> Any:
    """The coded events, with `groups` also sex and age band of who has them; no row where the population has no events."""
    if coded.events is None:
        nobody = coded.persons.filter(False)
        none = {name: ibis.null(kind) for name, kind in (
            ("day", "int32"), ("hour", "int16"), ("kind", "int16"), ("direction", "int16"), ("app", "int16"), ("zone", "int32"),
            ("duration_s", "float64"), ("volume_kb", "float64"))}  # fmt: skip
        return nobody.select("person_id", "sex", "age_band", **none)
    return coded.events.inner_join(coded.persons.select("person_id", "sex", "age_band"), "person_id") if groups else coded.events


def _parts(coded: Coded, table: Any, columns: list[str], full: int) -> Any:
    """Each person's events by some columns, a `full`-th of a person for one a day."""
    found = table.group_by(["person_id", *columns]).agg(n=table.count())
    return found.select("person_id", *columns, weight=found.n / float(full * coded.usage_days))


def _totals(coded: Coded, by_day: bool) -> Any:
    """Events by person, or by person and day, of those who have any."""
    table = events_of(coded, groups=False)
    return table.group_by(["person_id", "day"] if by_day else ["person_id"]).agg(n=table.count())


def _per_day_rows(coded: Coded, level: str) -> Any:
    """Days by how many events they have; the days of the period without any are counted from what is missing."""
    del level
    days, found = coded.usage_days, _totals(coded, by_day=True)
    busy = found.group_by("person_id", events=band(found.n, EVENTS_EDGES)).agg(days=found.count())
    seen = found.group_by("person_id").agg(seen=found.count())
    idle = _everyone(coded).left_join(seen, "person_id")
    idle = idle.select("person_id", events=ibis.literal(0, "int16"), days=days - idle.seen.fill_null(0)).filter(ibis._.days > 0)
    both: Any = ibis.union(*(part.cast({"events": "int16", "days": "int64"}) for part in (busy, idle)))
    both = both.inner_join(coded.persons.select("person_id", "sex", "age_band"), "person_id")
    return both.select("person_id", "sex", "age_band", "events", weight=both.days / float(days))


def _per_person_rows(coded: Coded, level: str) -> Any:
    """A person's mean number of events a day, in the same bands."""
    del level
    days = coded.usage_days
    table = _everyone(coded).left_join(_totals(coded, by_day=False), "person_id")
    return table.select(
        "person_id", events=band(table.n.fill_null(0), [edge * days for edge in EVENTS_EDGES]), weight=ibis.literal(1.0))


def _everyone(coded: Coded) -> Any:
    """All persons where the population has events at all."""
    people = coded.persons.select("person_id")
    return people if coded.events is not None else people.filter(False)


def _rows(*columns: str, full: int = FULL, data: bool | None = None) -> Callable[[Coded, str], Any]:
    """Events by some of their columns, of a number in its bands those that have it; `data` takes data alone, or all else."""

    def rows(coded: Coded, level: str) -> Any:
        table = events_of(coded, groups="sex" in columns)
        if data is not None:
            table = table.filter(table.kind == DATA if data else table.kind != DATA)
        for name, source, edges in (("duration", "duration_s", EVENT_DURATION_EDGES_S), ("volume", "volume_kb", VOLUME_EDGES_KB)):
            if name in columns:
                table = table.filter(table[source].notnull())
                table = table.mutate(**{name: band(table[source], edges)})
        if "zone" in columns:
            table = table.mutate(zone=coded.area(table.zone, level))
        return _parts(coded, table, list(columns), full)

    return rows


USAGE = (
    Statistic("events_per_day", "usage", lambda public, level: (*group_axes(public)[:2], events_axis()), _per_day_rows),
    Statistic("events_per_person", "usage", lambda public, level: (events_axis(),), _per_person_rows),
    Statistic(
        "event_hours", "usage", lambda public, level: (kind_axis(), Axis("hour", HOURS)), _rows("kind", "hour", full=FULL_HOUR),
        single=True),
    Statistic(
        "event_directions", "usage", lambda public, level: (kind_axis(), Axis("direction", DIRECTIONS)),
        _rows("kind", "direction", data=False), single=True),
    Statistic("event_durations", "usage", lambda public, level: (kind_axis(), duration_axis()), _rows("kind", "duration"), single=True),
    Statistic("event_volumes", "usage", lambda public, level: (kind_axis(), volume_axis()), _rows("kind", "volume"), single=True),
    Statistic(
        "event_apps", "usage", lambda public, level: (app_axis(public), *group_axes(public)[:2]),
        _rows("app", "sex", "age_band", data=True), single=True),
    Statistic(
        "app_volumes", "usage", lambda public, level: (app_axis(public), volume_axis()), _rows("app", "volume", data=True), single=True),
    Statistic(
        "event_zones", "usage", lambda public, level: (kind_axis(), zone_axis(public, level)),
        _rows("kind", "zone", full=FULL_PLACE), spatial=True, single=True),
)
