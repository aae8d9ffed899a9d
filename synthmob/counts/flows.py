"""Where people go: destinations, distances, flows between areas, presence. Weights are averages over a person's own days."""

from __future__ import annotations

from typing import Any

import ibis

from synthmob.counts.anchors import distance_axis, distance_code
from synthmob.counts.coded import Coded
from synthmob.counts.statistic import Public, Statistic, zone_axis
from synthmob.domain import Axis

HOURS = tuple(f"{h:02d}" for h in range(24))
HEADING = ("home", "work", "night")
"""Where the day goes next: lunch is near work, an evening out is near home, and they differ in how far people go for them. Who ends a day
elsewhere than at home stays for the night, and goes farther for that."""
HEADINGS = len(HEADING)
OD_WEIGHT = 0.5
"""What a trip adds to flows over the whole day: two alike a day fit under the cap of 1 a cell, or most errands in one's own district
would be lost."""
PRESENCE_MINUTE = 30
"""Presence is counted at half past every hour: 24 moments."""


def day_type_axis(public: Public) -> Axis:
    """The day types that the public period has."""
    return Axis("day_type", public.period.day_types)


def purpose_axis(public: Public, name: str = "purpose") -> Axis:
    """The purposes."""
    return Axis(name, public.domain.purposes)


def segment_axis(public: Public, name: str = "purpose") -> Axis:
    """The purposes, education of pupils apart."""
    return Axis(name, public.domain.segments)


def trips(coded: Coded) -> Any:
    """The visits that a trip leads to: all but the first of a day."""
    return coded.visits.filter(coded.visits["rank"] > 0)


def outings(coded: Coded) -> Any:
    """The stays away from home, whatever their place in the day."""
    return coded.visits.filter(coded.visits.purpose > 0)


def _destination_rows(coded: Coded, level: str) -> Any:
    table = outings(coded)
    return table.select("person_id", purpose=coded.segment(table), zone=coded.area(table.zone, level), weight=1.0 / table.all_days)


def _visitor_rows(coded: Coded, level: str) -> Any:
    table = outings(coded)
    found = table.select("person_id", purpose=coded.segment(table), zone=coded.area(table.zone, level)).distinct()
    return found.mutate(weight=ibis.literal(1.0))


def _distance_rows(coded: Coded, level: str) -> Any:
    del level
    table, edges = trips(coded), coded.domain.distance_edges_km
    table = table.filter(table.purpose > 0)  # the way home is the way there
    return table.select(
        "person_id", "heading", purpose=coded.segment(table), to_anchor=distance_code(table.anchor_km, edges),
        from_previous=distance_code(table.previous_km, edges), weight=1.0 / table.all_days)


def _trip_km_rows(coded: Coded, level: str) -> Any:
    del level
    table = trips(coded)
    table = table.filter(table.purpose > 0)
    return table.select(
        "person_id", "day_type", purpose=coded.segment(table),
        distance=distance_code(table.previous_km, coded.domain.distance_edges_km), weight=1.0 / table.n_days)


def _od_all_rows(coded: Coded, level: str) -> Any:
    table = trips(coded)
    return table.select("person_id", origin=coded.area(table.previous_zone, level),
                        destination=coded.area(table.zone, level), weight=OD_WEIGHT / table.all_days)


def _od_rows(coded: Coded, level: str) -> Any:
    table = trips(coded)
    return table.select(
        "person_id", "day_type", hour=ibis.least(table.previous_end // 60, 23),
        origin=coded.area(table.previous_zone, level), destination=coded.area(table.zone, level), weight=1.0 / table.n_days)


def _presence_rows(coded: Coded, level: str) -> Any:
    """One row for each hour that a person is somewhere at on any day of a type: 24 counts by place come first and are laid out
    afterwards, which is a tenth of the rows to be grouped by hour and place."""
    table = coded.visits
    first, after = _moments(table)
    table = table.select("person_id", "day_type", "n_days", zone=coded.area(table.zone, level), first=first, after=after)
    table = table.filter(table["first"] < table.after)
    days = {f"at_{hour}": table.count(where=(table["first"] <= hour) & (table.after > hour)) for hour in range(len(HOURS))}
    found = table.group_by("person_id", "day_type", "n_days", "zone").agg(**days)
    by_hour: Any = ibis.array([found[name] for name in days])
    laid = found.select("person_id", "day_type", "n_days", "zone", by_hour=by_hour, hour=ibis.range(0, len(HOURS)).unnest())
    laid = laid.mutate(days=laid.by_hour[laid.hour.cast("int64")])
    laid = laid.filter(laid["days"] > 0)
    return laid.select("person_id", "day_type", "hour", "zone", weight=laid["days"] / laid.n_days.cast("float64"))


def present(coded: Coded) -> Any:
    """An ibis table (person_id, day_type, n_days, purpose, zone, hour): who stays where at half past each hour."""
    table = coded.visits
    first, after = _moments(table)
    return table.select(
        "person_id", "day_type", "n_days", "purpose", "zone", hour=ibis.range(first.cast("int64"), after.cast("int64")).unnest())


def _moments(table: Any) -> tuple[Any, Any]:
    """Expressions: the first hour that a stay is there at, and the first one after it that it is not."""
    first, after = ((minute - PRESENCE_MINUTE + 59) // 60 for minute in (table.start, table.end))
    return first, after


FLOWS = (
    Statistic(
        "destinations", "flows",
        lambda public, level: (segment_axis(public), zone_axis(public, level)), _destination_rows, spatial=True),
    Statistic(
        "visitors", "flows",
        lambda public, level: (segment_axis(public), zone_axis(public, level)), _visitor_rows, spatial=True,
        single=True),
    Statistic(
        "distances", "flows",
        lambda public, level: (
            segment_axis(public), Axis("heading", HEADING), distance_axis(public, "to_anchor"), distance_axis(public, "from_previous")),
        _distance_rows),
    Statistic(
        "trip_km", "flows", lambda public, level: (day_type_axis(public), segment_axis(public), distance_axis(public)), _trip_km_rows),
    Statistic(
        "od", "flows",
        lambda public, level: (zone_axis(public, level, "origin"), zone_axis(public, level, "destination")), _od_all_rows,
        spatial=True),
    Statistic(
        "od_hour", "flows",
        lambda public, level: (
            day_type_axis(public), Axis("hour", HOURS), zone_axis(public, level, "origin"),
            zone_axis(public, level, "destination")),
        _od_rows, spatial=True),
    Statistic(
        "presence", "flows",
        lambda public, level: (day_type_axis(public), Axis("hour", HOURS), zone_axis(public, level)),
        _presence_rows, spatial=True, single=True),
)
