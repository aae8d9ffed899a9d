"""How far people go at which part of the day, for how long a stay and coming from where: the pub is around the corner, and who visits
relatives stays."""

from __future__ import annotations

from typing import Any

import ibis

from synthmob.counts.anchors import distance_axis, distance_code
from synthmob.counts.coded import Coded
from synthmob.counts.flows import segment_axis, trips
from synthmob.counts.statistic import Statistic
from synthmob.domain import Axis

DEPARTURE_EDGES_MIN = (540, 660, 780, 900, 1020, 1140, 1260)
"""Where one part of the day ends and the next begins: every two hours from 09:00 to 21:00."""
DEPARTURE = ("before 09:00", "09:00 to 11:00", "11:00 to 13:00", "13:00 to 15:00", "15:00 to 17:00", "17:00 to 19:00", "19:00 to 21:00",
             "after 21:00")  # fmt: skip
DEPARTURES = len(DEPARTURE)
SHORT_MIN, USUAL_MIN, LONG_MIN = 45, 90, 180
LASTING = ("stay under 45 min", "stay under 90 min", "longer, under 3 h from start to start", "longer")
"""Short stays by how long they last; others by how long after people left for them they leave again, the only thing about them
that is known before they are there: who goes to work leaves when work is over."""
LASTINGS = len(LASTING)
ORIGIN = ("home", "work", "errand")
"""What the stay before was for."""
ORIGINS = len(ORIGIN)
FIRST_ERRAND = 2
"""Purposes from here on are errands: homes and work places lie where they are, at whatever hour people go there."""


def _errands(coded: Coded) -> Any:
    table = trips(coded)
    return table.filter(table.purpose >= FIRST_ERRAND)


def _departure_rows(coded: Coded, level: str) -> Any:
    del level
    table = _errands(coded)
    part: Any = ibis.literal(0, "int16")
    for edge in DEPARTURE_EDGES_MIN:
        part = part + (table.previous_end >= edge).cast("int16")
    return _rows(coded, table, departure=part)


def _stay_rows(coded: Coded, level: str) -> Any:
    del level
    table = _errands(coded)
    stay, away = table.end - table.start, table.end - table.previous_end
    lasting = ibis.cases((stay < SHORT_MIN, 0), (stay < USUAL_MIN, 1), (away < LONG_MIN, 2), else_=3)
    return _rows(coded, table, lasting=lasting.cast("int16"))


def _origin_rows(coded: Coded, level: str) -> Any:
    del level
    table = _errands(coded)
    before: Any = ibis.least(table.previous_purpose, FIRST_ERRAND)
    return _rows(coded, table, coming_from=before.cast("int16"))


def _rows(coded: Coded, table: Any, **when: Any) -> Any:
    return table.select(
        "person_id", purpose=coded.segment(table), **when,
        distance=distance_code(table.previous_km, coded.domain.distance_edges_km), weight=1.0 / table.all_days)


REACH = (
    Statistic(
        "trip_km_by_departure", "flows",
        lambda public, level: (segment_axis(public), Axis("departure", DEPARTURE), distance_axis(public)), _departure_rows),
    Statistic(
        "trip_km_by_stay", "flows",
        lambda public, level: (segment_axis(public), Axis("lasting", LASTING), distance_axis(public)), _stay_rows),
    Statistic(
        "trip_km_by_origin", "flows",
        lambda public, level: (segment_axis(public), Axis("coming_from", ORIGIN), distance_axis(public)), _origin_rows),
)
