"""When people leave for their work place and when they leave it: by where it is, and by how far it is from home.

Offices begin later than building sites, and who lives far away leaves early for the same shift: hours of work belong to the place.
"""

from __future__ import annotations

from typing import Any

import ibis

from synthmob.counts.anchors import distance_axis, distance_code
from synthmob.counts.coded import NO_PURPOSE, Coded
from synthmob.counts.flows import HOURS
from synthmob.counts.statistic import Statistic, zone_axis
from synthmob.domain import Axis

MOMENT = ("leaving for work", "leaving work")
"""The first departure of a day to one's own work place, and the last one from there: each once a day at most."""
MOMENTS = len(MOMENT)


def _moments(coded: Coded) -> Any:
    """An ibis table (person_id, all_days, work, home_km, moment, hour): the stays at people's own work place that they first leave for on
    a day, and those that they leave last."""
    table = coded.visits
    table = table.filter((table.purpose == 1) & (table.zone == table.work))
    going = table.filter((table.nth_of_purpose == 1) & (table["rank"] > 0))
    leaving = table.filter((table.duties_left == 0) & (table.next_purpose != NO_PURPOSE))

    def of(stays: Any, moment: int, minute: str) -> Any:
        hour = ibis.least(stays[minute] // 60, len(HOURS) - 1).cast("int16")
        return stays.select("person_id", "all_days", "work", "home_km", moment=ibis.literal(moment, "int16"), hour=hour)

    return of(going, 0, "previous_end").union(of(leaving, 1, "end"))


def _work_rows(coded: Coded, level: str) -> Any:
    table = _moments(coded)
    return table.select("person_id", "moment", "hour", work=coded.area(table.work, level), weight=1.0 / table.all_days)


def _commute_rows(coded: Coded, level: str) -> Any:
    del level
    table = _moments(coded)
    distance = distance_code(table.home_km, coded.domain.distance_edges_km)
    return table.select("person_id", "moment", "hour", distance=distance, weight=1.0 / table.all_days)


COMMUTING = (
    Statistic(
        "work_hours", "flows",
        lambda public, level: (zone_axis(public, level, "work"), Axis("moment", MOMENT), Axis("hour", HOURS)), _work_rows, spatial=True),
    Statistic(
        "commute_hours", "flows",
        lambda public, level: (distance_axis(public), Axis("moment", MOMENT), Axis("hour", HOURS)), _commute_rows),
)
