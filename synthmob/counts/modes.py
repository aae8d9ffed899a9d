"""How people travel: modes by distance, alone, by travel time, and whether the next trip is by the same. Weights are averages over a
person's own days.

Nobody adds anything where the records do not say how people travelled: then a table is noise.
"""

from __future__ import annotations

from typing import Any

import ibis

from synthmob.counts.anchors import distance_axis, distance_code
from synthmob.counts.coded import Coded, band
from synthmob.counts.flows import trips
from synthmob.counts.routines import MOST_TRIPS
from synthmob.counts.statistic import Public, Statistic
from synthmob.domain import Axis, bin_labels

MODE_WEIGHT = 0.25
"""What a trip adds: four alike fit under the cap of 1 a cell, or those who drive from errand to errand would be counted as driving less."""
LEFT = ("home", "elsewhere")
"""Where a trip leaves from: who comes back goes by what they came with, who leaves home may choose anew."""
AGAIN = ("same", "other")


def mode_axis(public: Public) -> Axis:
    """The modes."""
    return Axis("mode", public.domain.modes)


def moded(coded: Coded) -> Any:
    """The visits that a trip leads to whose mode is known."""
    return trips(coded).filter(ibis._.mode >= 0)


def following(coded: Coded) -> Any:
    """Visits after two trips of known mode on the same day, with `before`, the mode of the first of them."""
    visits: Any = coded.visits
    before: Any = visits.mode.lag().over(ibis.window(group_by=["person_id", "day"], order_by=visits["rank"]))
    return visits.mutate(before=before).filter((ibis._["rank"] > 1) & (ibis._.mode >= 0) & (ibis._.before >= 0))


def _distance_rows(coded: Coded, level: str) -> Any:
    del level
    table = moded(coded)
    return table.select("person_id", "mode", distance=distance_code(table.previous_km, coded.domain.distance_edges_km),
                        weight=MODE_WEIGHT / table.all_days)


def _share_rows(coded: Coded, level: str) -> Any:
    """Trips by mode alone, a part of a day each: what few people go by is lost in cells of distances and times."""
    del level
    table = moded(coded)
    return table.select("person_id", "mode", weight=1.0 / MOST_TRIPS / table.all_days)


def _time_rows(coded: Coded, level: str) -> Any:
    del level
    table = moded(coded)
    return table.select("person_id", "mode", minutes=band(table.start - table.previous_end, coded.domain.travel_edges_min),
                        weight=MODE_WEIGHT / table.all_days)


def _again_rows(coded: Coded, level: str) -> Any:
    del level
    table = following(coded)
    return table.select("person_id", left=ibis.ifelse(table.previous_purpose == 0, 0, 1),
                        again=ibis.ifelse(table.mode == table.before, 0, 1), weight=1.0 / MOST_TRIPS / table.all_days)


MODES = (
    Statistic("modes", "routines", lambda public, level: (distance_axis(public), mode_axis(public)), _distance_rows),
    Statistic("mode_share", "routines", lambda public, level: (mode_axis(public),), _share_rows),
    Statistic(
        "mode_time", "routines",
        lambda public, level: (mode_axis(public), Axis("minutes", bin_labels(public.domain.travel_edges_min))), _time_rows),
    Statistic("mode_again", "routines", lambda public, level: (Axis("left", LEFT), Axis("again", AGAIN)), _again_rows),
)
