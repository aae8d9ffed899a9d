"""What is compared: rows of (person, codes, weight) for each side, the standard statistics and a few finer ones.

Statistics that a plan can release come from `counts` as they are. The others (kilometres and minutes without bins,
chains of any length) are built from the same coded tables here. A weight is a person's average over their own days of a
day type. Lengths are kept on a grid of 10 m and times on one of 1 min, so that every distance is computed on counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis
from ibis import _

from synthmob.counts import STATISTICS, Coded
from synthmob.counts.anchors import commute_km
from synthmob.counts.coded import lookups
from synthmob.counts.flows import outings, trips
from synthmob.counts.routines import day_starts
from synthmob.counts.timing import inner
from synthmob.fidelity.motifs import FROM_MIN, PLACE_SEPARATOR

STEP_KM = 0.01
STEP_MIN = 1.0
CHAIN_SEPARATOR = "-"


@dataclass(frozen=True)
class Feature:
    """Rows of (person_id, code columns, weight); with a column `day_type` the weight is per day of that type."""

    name: str
    columns: tuple[str, ...]
    rows: Callable[[Coded], Any]

    @property
    def per_day_type(self) -> bool:
        """Whether the rows carry a day type."""
        return "day_type" in self.columns


def _standard(name: str, statistic: str, columns: tuple[str, ...], level: str = "zone") -> Feature:
    """Some columns of a spatial statistic of `counts`; coarser levels are sums of the zone level."""
    return Feature(name, columns, lambda coded: STATISTICS[statistic].rows(coded, level))


def _step(km: Any) -> Any:
    return (km / STEP_KM).round().cast("int32")


def _commute(coded: Coded) -> Any:
    table = commute_km(coded).filter(_.km.notnull())
    return table.select("person_id", "sex", "age_band", km=_step(table.km), weight=ibis.literal(1.0))


def _trip_km(coded: Coded) -> Any:
    table = trips(coded).filter(_.previous_km.notnull())
    return table.select("person_id", "day_type", km=_step(table.previous_km), weight=1.0 / table.n_days)


def _gyration(coded: Coded) -> Any:
    """Radius of gyration of each day: root mean square distance of its stays from their mean point, every stay once.

    Gonzalez, Hidalgo, Barabasi 2008, doi:10.1038/nature06958, taken over a day instead of the whole period; stays
    outside the zoning have no place and are left out.
    """
    day = spread_km(located(coded, coded.visits), ["person_id", "day", "day_type", "n_days"])
    return day.select("person_id", "day_type", km=_step(day.km), weight=1.0 / day.n_days)


def located(coded: Coded, stays: Any) -> Any:
    """Some of the coded stays with the point x, y (km) of their zone, those outside the zoning left out."""
    places = lookups(coded.backend, coded.zoning, "located_zones")
    places = places.filter(places.x_km.notnull()).select(place="zone", x="x_km", y="y_km")
    return stays.inner_join(places, stays.zone == places.place)


def spread_km(stays: Any, keys: list[str]) -> Any:
    """Root mean square distance, km, of the points x, y of each group of stays from their mean point, one row a group."""
    found = stays.group_by(keys).agg(xx=(_.x * _.x + _.y * _.y).mean(), x=_.x.mean(), y=_.y.mean())
    spread = (found.xx - found.x * found.x - found.y * found.y).clip(lower=0.0).sqrt()
    return found.select(*keys, km=spread)


def _destinations(coded: Coded) -> Any:
    """Where stays away from home are, by purpose alone."""
    table = outings(coded)
    return table.select("person_id", "purpose", "zone", weight=1.0 / table.all_days)


def _departures(coded: Coded) -> Any:
    """When each trip leaves, with the purpose that it leads to."""
    table = trips(coded)
    return table.select("person_id", "day_type", "purpose", minute=table.previous_end, weight=1.0 / table.n_days)


def _dwell(coded: Coded) -> Any:
    """How long stays last that are neither first nor last of their day: midnight cuts those two, not a choice."""
    table = inner(coded)
    return table.select("person_id", "day_type", "purpose", minute=table.end - table.start, weight=1.0 / table.n_days)


def _chains(coded: Coded) -> Any:
    """The whole chain of purposes of each day, whatever its length, as text."""
    text = coded.visits.purpose.cast("string").group_concat(CHAIN_SEPARATOR, order_by=coded.visits["rank"])
    day = coded.visits.group_by(["person_id", "day", "day_type", "n_days"]).agg(chain=text)
    return day.select("person_id", "day_type", "chain", weight=1.0 / day.n_days)


def _places(coded: Coded) -> Any:
    """How many zones each day has."""
    day = coded.visits.group_by(["person_id", "day", "day_type", "n_days"]).agg(places=_.zone.nunique())
    return day.select("person_id", "day_type", places=day.places.cast("int32"), weight=1.0 / day.n_days)


def _walks(coded: Coded) -> Any:
    """The zones of each day in their order as text, each told by where in the day it first stands."""
    awake = coded.visits.filter(coded.visits.end > FROM_MIN)
    first = awake["rank"].min().over(ibis.window(group_by=["person_id", "day", "zone"]))
    told = awake.mutate(place=first.cast("string"))
    text = told.place.group_concat(PLACE_SEPARATOR, order_by=told["rank"])
    day = told.group_by(["person_id", "day", "day_type", "n_days"]).agg(walk=text)
    return day.select("person_id", "day_type", "walk", weight=1.0 / day.n_days)


def _day_lengths(coded: Coded) -> Any:
    table = day_starts(coded).inner_join(coded.persons.select("person_id", "sex", "age_band"), "person_id")
    return table.select("person_id", "day_type", "sex", "age_band", "worker", "n_stays", weight=1.0 / table.n_days)


FEATURES: dict[str, Feature] = {
    f.name: f
    for f in (
        _standard("home_by_group", "home_by_group", ("home", "sex", "age_band", "worker")),
        _standard("home_work", "home_work", ("home", "work")),
        Feature("commute", ("sex", "age_band", "km"), _commute),
        # Zone x zone x hour would be nearly one cell a trip on a large zoning, and say nothing: hours go with
        # districts.
        _standard("od", "od_hour", ("day_type", "origin", "destination")),
        _standard("od_hour", "od_hour", ("day_type", "hour", "origin", "destination"), level="district"),
        Feature("trip_km", ("day_type", "km"), _trip_km),
        Feature("gyration", ("day_type", "km"), _gyration),
        Feature("destinations", ("purpose", "zone"), _destinations),
        _standard("presence", "presence", ("day_type", "hour", "zone")),
        Feature("chains", ("day_type", "chain"), _chains),
        Feature("places", ("day_type", "places"), _places),
        Feature("walks", ("day_type", "walk"), _walks),
        Feature("day_lengths", ("day_type", "sex", "age_band", "worker", "n_stays"), _day_lengths),
        Feature("departures", ("day_type", "purpose", "minute"), _departures),
        Feature("dwell", ("day_type", "purpose", "minute"), _dwell),
    )
}
