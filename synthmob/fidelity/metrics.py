"""The metrics that one day is enough for: what each looks at, how it scores it, and the difference nobody acts on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from synthmob.fidelity.density import mean_emd_km
from synthmob.fidelity.distances import (
    CPC,
    CPL,
    GEH,
    JSD,
    TVD,
    WASSERSTEIN,
    WMAPE,
    Distance,
)
from synthmob.fidelity.features import STEP_KM, STEP_MIN
from synthmob.fidelity.scores import (
    FAIR,
    TRIPS,
    Grid,
    top_tvd,
    trips_apart,
    trips_by_group,
    trips_overall,
    trips_unfairness,
)
from synthmob.fidelity.sides import FloatArray
from synthmob.fidelity.views import Look, View, by, distance_bands, grid, hourly_maps, motifs

SHARE, PRESENCE, TRIP_KM, ANCHOR_KM, DEPARTURE_MIN, DWELL_MIN, TRIPS_A_DAY = 0.01, 0.02, 0.05, 0.1, 2.0, 3.0, 0.02
"""Tolerances: the differences that nobody acts on."""

Score = Callable[..., float]
"""Of the reduced counts of the truth and another side, and of the km between areas where the view of them is a map."""
Note = Callable[[View, FloatArray, FloatArray], str]


@dataclass(frozen=True)
class Metric:
    """One metric: the feature it reads, the view it takes of it, its score, and how far off is still good enough.

    `distance` declares the range and the better end; `needs` names the attributes without which there is nothing to
    say.
    """

    name: str
    title: str
    word: str
    unit: str
    tolerance: float
    distance: Distance
    feature: str
    look: Look
    score: Score
    needs: tuple[str, ...] = ()
    note: Note | None = None

    def of(self, view: View, truth: FloatArray, other: FloatArray) -> float:
        """The score of two reduced counts, of maps with the distances that the view brings."""
        return self.score(truth, other) if view.km is None else self.score(truth, other, view.km)


def _shape(
    name: str, title: str, word: str, feature: str, look: Look, needs: tuple[str, ...] = ()
) -> tuple[Metric, Metric]:
    """A distribution's total variation distance, and its Jensen-Shannon distance beside it."""
    return (
        Metric(f"{name}_tvd", title, word, "share", SHARE, TVD, feature, look, TVD.of, needs),
        Metric(f"{name}_jsd", f"{title}, Jensen-Shannon", word, "share", SHARE, JSD, feature, look, JSD.of, needs),
    )


def _flows(name: str, title: str, word: str, feature: str, ends: tuple[str, str]) -> tuple[Metric, ...]:
    """Common parts of an origin-destination matrix at both levels, with and without its diagonal, and of its links."""
    out: list[Metric] = []
    for level in ("zone", "district"):
        for apart, suffix, words in ((False, "", ""), (True, "_off_diagonal", f", between {level}s only")):
            look = by(*ends, level=level, apart=apart)
            named = f"{name}_cpc_{level}{suffix}", f"{title} by {level}{words}"
            out.append(Metric(*named, word, "share", SHARE, CPC, feature, look, CPC.of))
    out.append(Metric(f"{name}_cpl_zone", f"{title}: which pairs of zones occur", word, "share", SHARE, CPL, feature,
                      by(*ends), CPL.of))
    return tuple(out)


def _line(name: str, title: str, word: str, unit: str, tolerance: float, feature: str, column: str) -> Metric:
    """The distance between two distributions of lengths or times."""
    step = STEP_KM if unit == "km" else STEP_MIN
    return Metric(name, title, word, unit, tolerance, WASSERSTEIN, feature, grid(column), Grid(step).overall)


def _worst_group(view: View, truth: FloatArray, other: FloatArray) -> str:
    """Which group is the worst, against all people together: no group's error should be above twice that."""
    return _worst(view, Grid(STEP_KM).each(truth, other), Grid(STEP_KM).overall(truth, other))


def _worst_trips(view: View, truth: FloatArray, other: FloatArray) -> str:
    return _worst(view, trips_apart(truth, other), trips_overall(truth, other))


def _worst(view: View, found: FloatArray, overall: float) -> str:
    if not np.isfinite(found).any():
        return "no group has 50 people: all together"
    worst = int(np.nanargmax(found))
    times = f"{found[worst] / overall:.1f} times the overall error" if overall > 0 else "overall error 0"
    return f"worst group: {view.groups[worst]}, {times}"


_GROUP = ("sex", "age_band", "worker")
_SEX_AGE = ("sex", "age_band")
_ABOVE = f"worst sex x age band above {FAIR:g} times the error of all"
_HOUR_OD = ("day_type", "hour", "origin", "destination")

ANCHORS: tuple[Metric, ...] = (
    *_shape("sex", "Sex", "anchors", "home_by_group", by("sex"), ("sex",)),
    *_shape("age", "Age band", "anchors", "home_by_group", by("age_band"), ("age_band",)),
    *_shape("worker", "Worker", "anchors", "home_by_group", by("worker")),
    *_shape("group", "Sex x age band x worker", "anchors", "home_by_group", by(*_GROUP)),
    *_shape("home_zone", "Home zone", "anchors", "home_by_group", by("home")),
    *_shape("home_district", "Home district", "anchors", "home_by_group", by("home", level="district")),
    *_shape("home_district_group", "Home district x sex x age band x worker", "anchors", "home_by_group",
            by("home", *_GROUP, level="district")),
    *_shape("work_zone", "Work zone", "anchors", "home_work", by("work")),
    *_shape("work_district", "Work district", "anchors", "home_work", by("work", level="district")),
    *_flows("home_work", "Home to work", "anchors", "home_work", ("home", "work")),
    _line("home_work_km", "Home to work distance", "anchors", "km", ANCHOR_KM, "commute", "km"),
    Metric("home_work_km_worst_group", "Home to work distance, worst sex x age band", "anchors", "km", ANCHOR_KM,
           WASSERSTEIN, "commute", grid("km", within=_SEX_AGE), Grid(STEP_KM).worst, _SEX_AGE, _worst_group),
    Metric("home_work_km_unfairness", f"Home to work distance, {_ABOVE}", "anchors", "km", ANCHOR_KM, WASSERSTEIN,
           "commute", grid("km", within=_SEX_AGE), Grid(STEP_KM).unfairness, _SEX_AGE, _worst_group),
)

FLOWS: tuple[Metric, ...] = (
    *_flows("flows", "Trips", "flows", "od", ("origin", "destination")),
    Metric("flows_cpc_hour_district", "Trips by district and hour", "flows", "share", SHARE, CPC, "od_hour",
           by(*_HOUR_OD), CPC.of),
    Metric("flows_geh_hour_district", "Hourly district flows with GEH under 5", "flows", "share", SHARE, GEH, "od_hour",
           by(*_HOUR_OD, hourly=True), GEH.of),
    Metric("trips_cpc_distance", "Trips by distance band", "flows", "share", SHARE, CPC, "trip_km", distance_bands(),
           CPC.of),
    _line("trip_km", "Trip length", "flows", "km", TRIP_KM, "trip_km", "km"),
    _line("gyration_km", "Radius of gyration of a day", "flows", "km", ANCHOR_KM, "gyration", "km"),
    *(Metric(f"destinations_tvd_{level}", f"Destinations by purpose and {level}", "flows", "share", SHARE, TVD,
             "destinations", by("purpose", "zone", level=level), TVD.of) for level in ("zone", "district")),
    *(Metric(f"presence_wmape_{level}", f"Presence by {level} and hour", "flows", "share", PRESENCE, WMAPE, "presence",
             by("day_type", "hour", "zone", level=level), WMAPE.of) for level in ("zone", "district")),
    Metric("density_emd_km", "People on hourly maps, distance to move", "flows", "km", ANCHOR_KM, WASSERSTEIN, "presence",
           hourly_maps(), mean_emd_km),
)

_DAYS = grid("n_stays", within=_GROUP)

ROUTINES: tuple[Metric, ...] = (
    Metric("chain_tvd", "Chains of purposes, any length", "routines", "share", SHARE, TVD, "chains",
           by("day_type", "chain"), TVD.of),
    Metric("stays_per_day_tvd", "Stays per day", "routines", "share", SHARE, TVD, "day_lengths",
           by("day_type", "n_stays"), TVD.of),
    Metric("trips_per_person", "Trips per person and day", "routines", "trips", TRIPS_A_DAY, TRIPS, "day_lengths",
           _DAYS, trips_overall),
    Metric("trips_by_group", "Trips per person and day, by sex x age band x worker", "routines", "trips", TRIPS_A_DAY,
           TRIPS, "day_lengths", _DAYS, trips_by_group),
    Metric("trips_unfairness", f"Trips per person and day, {_ABOVE}", "routines", "trips", TRIPS_A_DAY, TRIPS,
           "day_lengths", grid("n_stays", within=_SEX_AGE), trips_unfairness, _SEX_AGE, _worst_trips),
    Metric("places_per_day_tvd", "Distinct zones of a day", "routines", "share", SHARE, TVD, "places",
           by("day_type", "places"), TVD.of),
    Metric("motif_tvd", "Daily motifs, the 17 most frequent", "routines", "share", SHARE, TVD, "walks", motifs(),
           top_tvd),
    _line("departures_min", "Departure times", "routines", "min", DEPARTURE_MIN, "departures", "minute"),
    Metric("departures_by_purpose_min", "Departure times by purpose of the trip", "routines", "min", DEPARTURE_MIN,
           WASSERSTEIN, "departures", grid("minute", within=("purpose",)), Grid(STEP_MIN).mean),
    _line("dwell_min", "Length of stays between two trips", "routines", "min", DWELL_MIN, "dwell", "minute"),
    Metric("dwell_by_purpose_min", "Length of stays between two trips, by purpose", "routines", "min", DWELL_MIN,
           WASSERSTEIN, "dwell", grid("minute", within=("purpose",)), Grid(STEP_MIN).mean),
)

METRICS: tuple[Metric, ...] = (*ANCHORS, *FLOWS, *ROUTINES)
