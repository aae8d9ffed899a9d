"""When things happen: first departures, durations, travel times. Weights are averages over a person's own days of a type.

Durations are counted in several small tables instead of one wide one: each survives the cut, and the model makes them one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis

from synthmob.counts.anchors import distance_axis, distance_code
from synthmob.counts.coded import Coded, band
from synthmob.counts.flows import HOURS, day_type_axis, segment_axis, trips
from synthmob.counts.routines import day_starts
from synthmob.counts.statistic import Public, Statistic
from synthmob.domain import Axis, ChainAxis, Domain, bin_labels

QUARTERS = tuple(f"{q // 4:02d}:{q % 4 * 15:02d}" for q in range(96))
COARSE_START_EDGES_MIN = (0, 420, 570, 690, 810, 930, 1050, 1200)
COARSE_DURATION_EDGES_MIN = (0, 15, 30, 60, 105, 180, 300, 420, 480, 540, 600)
SIDE = ("home", "duty", "elsewhere")
BEFORE = ("home", "work", "education", "elsewhere")
"""What people leave: who has worked goes home at other hours than who has shopped."""
PENDING = ("no", "yes")
DAY_KIND = ("work", "education", "neither")
STAYS_LEFT_EDGES = (1, 2, 3, 5, 8)
OUTING_SIZE_EDGES = (2, 3, 4, 5, 6, 8, 11)
TIMED_CHAIN_STAYS = 7
"""Times are counted by chain for chains of up to this many stays: the axis stays small enough for a moderate cut."""
STAY_WEIGHT = 0.5
"""What a stay adds to the tables of durations: two alike fit under the cap of 1 a cell, as busy days have."""


def side(purpose: Any, domain: Domain) -> Any:
    """An expression: home, a duty (work or education) or elsewhere, of a purpose code."""
    return ibis.cases((purpose == 0, 0), (purpose.isin(domain.duties), 1), else_=2).cast("int16")


def pending(table: Any) -> Any:
    """An expression: whether work or education still lies ahead on that day."""
    return (table.duties_left > 0).cast("int16")


def inner(coded: Coded) -> Any:
    """The stays that are neither first nor last of their day: those with an arrival and a departure."""
    table = coded.visits
    return table.filter((table["rank"] > 0) & (table["rank"] < table.n_stays - 1))


def start_axis() -> Axis:
    """Coarse bins of a start, min."""
    return Axis("start", bin_labels(COARSE_START_EDGES_MIN))


def coarse_duration_axis() -> Axis:
    """Coarse bins of a duration, min; their edges are edges of the standard fine bins."""
    return Axis("duration", bin_labels(COARSE_DURATION_EDGES_MIN))


def duration_axis(public: Public) -> Axis:
    """Fine bins of a duration, min."""
    return Axis("duration", bin_labels(public.domain.duration_edges_min))


def timed_chain_axis(domain: Domain) -> ChainAxis:
    """The chains whose times are counted; their codes equal those of the domain's chain axis."""
    return ChainAxis("chain", domain.purposes, min(TIMED_CHAIN_STAYS, domain.max_chain_stays))


def rank_axis() -> Axis:
    """The place of an inner stay in its chain."""
    return Axis("rank", tuple(str(k) for k in range(1, TIMED_CHAIN_STAYS - 1)))


def _timed(coded: Coded, table: Any) -> Any:
    return table.filter((table.chain >= 0) & (table.chain < timed_chain_axis(coded.domain).size))


def _first_departures(coded: Coded) -> Any:
    """The first stays of days with a trip, with the hour and quarter in which they end."""
    table = day_starts(coded).filter(ibis._.n_stays > 1)
    return table.mutate(
        next=coded.segment(table, "next_purpose"), size=band(table.n_stays, OUTING_SIZE_EDGES), hour=ibis.least(table.end // 60, 23),
        quarter=ibis.least(table.end // 15, 95))


def _first_departure_rows(columns: list[str]) -> Callable[[Coded, str], Any]:
    """The first departure of a day by some of its columns: one row a person-day."""

    def rows(coded: Coded, level: str) -> Any:
        del level
        table = _first_departures(coded)
        return table.select("person_id", "day_type", "day_kind", *columns, weight=1.0 / table.n_days)

    return rows


def _departure_rows(coded: Coded, level: str) -> Any:
    del level
    table = trips(coded)
    return table.select("person_id", "day_type", quarter=ibis.least(table.previous_end // 15, 95),
                        weight=STAY_WEIGHT / table.n_days)


def _departure_to_rows(coded: Coded, level: str) -> Any:
    del level
    table = trips(coded)
    return table.select("person_id", "day_type", purpose=coded.segment(table),
                        hour=ibis.least(table.previous_end // 60, 23), weight=STAY_WEIGHT / table.n_days)


def _departure_between_rows(coded: Coded, level: str) -> Any:
    del level
    table = trips(coded)
    last: Any = len(BEFORE) - 1
    before = ibis.cases((table.previous_purpose < 2, table.previous_purpose), (table.previous_purpose.isin(coded.domain.duties), 2),
                        else_=last)  # fmt: skip
    return table.select(
        "person_id", "day_type", before=before.cast("int16"), after=side(table.purpose, coded.domain),
        hour=ibis.least(table.previous_end // 60, 23), weight=STAY_WEIGHT / table.n_days)


def _chain_departure_rows(coded: Coded, level: str) -> Any:
    del level
    table = _timed(coded, day_starts(coded).filter(ibis._.n_stays > 1))
    return table.select("person_id", "day_type", "chain", hour=ibis.least(table.end // 60, 23), weight=1.0 / table.n_days)


def _inner_stays(coded: Coded) -> Any:
    """Inner stays with coarse duration, hour of arrival, and what lies ahead and on either side."""
    table = inner(coded)
    return table.mutate(
        purpose=coded.segment(table), pending=pending(table), lasting=band(table.end - table.start, COARSE_DURATION_EDGES_MIN),
        hour=ibis.least(table.start // 60, 23), left=band(table.n_stays - 1 - table["rank"], STAYS_LEFT_EDGES),
        before=side(table.previous_purpose, coded.domain), after=side(table.next_purpose, coded.domain))


def _lasting_rows(context: list[str]) -> Callable[[Coded, str], Any]:
    """Coarse durations by a context of inner stays, each stay counting half."""

    def rows(coded: Coded, level: str) -> Any:
        del level
        table = _inner_stays(coded)
        return table.select("person_id", "day_type", *context, duration=table.lasting, weight=STAY_WEIGHT / table.n_days)

    return rows


def _duration_rows(coded: Coded, level: str) -> Any:
    del level
    table = inner(coded)
    return table.select("person_id", "day_type", purpose=coded.segment(table), weight=STAY_WEIGHT / table.n_days,
                        duration=band(table.end - table.start, coded.domain.duration_edges_min))


def _chain_episode_rows(coded: Coded, level: str) -> Any:
    del level
    table = _timed(coded, inner(coded))
    return table.select("person_id", "day_type", "chain", rank=table["rank"] - 1,
                        start=band(table.start, COARSE_START_EDGES_MIN),
                        duration=band(table.end - table.start, COARSE_DURATION_EDGES_MIN), weight=1.0 / table.n_days)


def _travel_time_rows(coded: Coded, level: str) -> Any:
    """The first trip of a day in each distance band: one a band, so that no bound distorts the times within it."""
    del level
    table = trips(coded)
    table = table.mutate(distance=distance_code(table.previous_km, coded.domain.distance_edges_km))
    order = ibis.window(group_by=["person_id", "day", "distance"], order_by="rank")
    table = table.mutate(nth=ibis.row_number().over(order)).filter(ibis._.nth == 0)
    return table.select("person_id", "distance", minutes=band(table.start - table.previous_end, coded.domain.travel_edges_min),
                        weight=1.0 / table.all_days)


TIMING = (
    Statistic(
        "first_departure", "routines",
        lambda public, level: (day_type_axis(public), Axis("day_kind", DAY_KIND), Axis("quarter", QUARTERS)),
        _first_departure_rows(["quarter"])),
    Statistic(
        "first_departure_next", "routines",
        lambda public, level: (
            day_type_axis(public), Axis("day_kind", DAY_KIND), segment_axis(public, "next"), Axis("hour", HOURS)),
        _first_departure_rows(["next", "hour"])),
    Statistic(
        "first_departure_size", "routines",
        lambda public, level: (
            day_type_axis(public), Axis("day_kind", DAY_KIND), Axis("size", bin_labels(OUTING_SIZE_EDGES)), Axis("hour", HOURS)),
        _first_departure_rows(["size", "hour"])),
    Statistic(
        "departures", "routines", lambda public, level: (day_type_axis(public), Axis("quarter", QUARTERS)), _departure_rows),
    Statistic(
        "departures_to", "routines",
        lambda public, level: (day_type_axis(public), segment_axis(public), Axis("hour", HOURS)), _departure_to_rows),
    Statistic(
        "departures_between", "routines",
        lambda public, level: (day_type_axis(public), Axis("before", BEFORE), Axis("after", SIDE), Axis("hour", HOURS)),
        _departure_between_rows),
    Statistic(
        "chain_departure", "routines",
        lambda public, level: (day_type_axis(public), timed_chain_axis(public.domain), Axis("hour", HOURS)),
        _chain_departure_rows),
    Statistic(
        "episodes", "routines",
        lambda public, level: (
            day_type_axis(public), segment_axis(public), Axis("pending", PENDING), Axis("hour", HOURS), coarse_duration_axis()),
        _lasting_rows(["purpose", "pending", "hour"])),
    Statistic(
        "durations", "routines",
        lambda public, level: (day_type_axis(public), segment_axis(public), duration_axis(public)), _duration_rows),
    Statistic(
        "durations_left", "routines",
        lambda public, level: (
            day_type_axis(public), segment_axis(public), Axis("pending", PENDING), Axis("left", bin_labels(STAYS_LEFT_EDGES)),
            coarse_duration_axis()),
        _lasting_rows(["purpose", "pending", "left"])),
    Statistic(
        "durations_between", "routines",
        lambda public, level: (
            day_type_axis(public), segment_axis(public), Axis("pending", PENDING), Axis("before", SIDE), Axis("after", SIDE),
            coarse_duration_axis()),
        _lasting_rows(["purpose", "pending", "before", "after"])),
    Statistic(
        "chain_episodes", "routines",
        lambda public, level: (
            day_type_axis(public), timed_chain_axis(public.domain), rank_axis(), start_axis(), coarse_duration_axis()),
        _chain_episode_rows),
    Statistic(
        "travel_time", "routines",
        lambda public, level: (distance_axis(public), Axis("minutes", bin_labels(public.domain.travel_edges_min))),
        _travel_time_rows),
)
