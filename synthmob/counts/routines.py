"""What people do: chains, stays per day, participation, returns. Weights are averages over a person's own days of a type."""

from __future__ import annotations

from typing import Any

import ibis

from synthmob.counts.anchors import group_axes
from synthmob.counts.coded import Coded
from synthmob.counts.flows import day_type_axis, purpose_axis
from synthmob.counts.statistic import Public, Statistic
from synthmob.domain import AnyAxis, Axis

MAX_STAYS = 20
MOST_TRIPS = 8
"""Trips of a day, over all by purpose, are counted up to so many, each an eighth of a person, beside what is missing to the
whole: such a sum is far clearer than a spread of day lengths, and its share of both is clear of how many persons there are."""
TRANSITION_WEIGHT = 0.5
"""What a transition adds: two alike fit under the cap of 1 a cell, or errand after errand would be lost on busy days."""
PHASES = 3
PHASE_LABELS = ("first third", "second third", "last third", "long day, first third", "long day, second third",
                "long day, last third")
"""Transitions are counted by third of the day's stays, days too long for a chain of their own apart."""
WORK_STAYS = ("first", "later", "from the work place", "from work elsewhere")
"""Stays at work: the first of a day, a later one after something else, and those straight after another stay at work."""
VISIT_COUNTS = (*tuple(str(k) for k in range(1, 16)), "16+")
PLACE_SHARE_BINS = 20
PLACE_RANKS = ("1", "2", "3", "4", "5")


def day_starts(coded: Coded) -> Any:
    """The first stay of every day: one row a person-day."""
    return coded.visits.filter(coded.visits["rank"] == 0)


def upto(value: Any, most: int) -> Any:
    """An expression: a number counted from 1 as a code from 0, everything from `most` on in one."""
    capped: Any = ibis.least(value, most)
    return capped - 1


def _chain_rows(coded: Coded, level: str) -> Any:
    del level
    table = day_starts(coded).filter(ibis._.chain >= 0)
    return table.select("person_id", "day_type", "chain", weight=1.0 / table.n_days)


def _outline_rows(coded: Coded, level: str) -> Any:
    """Chains of which only home and duties are told apart: digit by digit of the chain's own code."""
    del level
    axis, outline = coded.domain.chain_axis, coded.domain.outline_axis
    table = day_starts(coded).filter(ibis._.chain >= 0)
    length, digits = table.n_stays.cast("int64"), ibis.array(list(coded.domain.outline_of))
    code: Any = table.chain - ibis.array(list(axis.offsets))[length - 1]
    found: Any = ibis.array(list(outline.offsets))[length - 1]
    for place in range(axis.max_stays):
        digit: Any = digits[(code // len(axis.purposes) ** place) % len(axis.purposes)]
        found = found + ibis.ifelse(length > place, digit.cast("int64") * len(outline.purposes) ** place, 0)
    return table.select("person_id", "day_type", outline=found.cast("int64"), weight=1.0 / table.n_days)


def _grouped(coded: Coded, table: Any) -> Any:
    groups = coded.persons.select("person_id", "sex", "age_band")
    return table.inner_join(groups, "person_id")


def _stays_by_group_rows(coded: Coded, level: str) -> Any:
    del level
    table = _grouped(coded, day_starts(coded))
    return table.select("person_id", "day_type", "sex", "age_band", "worker",
                        n_stays=upto(table.n_stays, MAX_STAYS), weight=1.0 / table.n_days)


def _participation_rows(coded: Coded, level: str) -> Any:
    del level
    table = coded.visits.filter((coded.visits.nth_of_purpose == 1) & (coded.visits.purpose > 0))
    table = _grouped(coded, table)
    return table.select("person_id", "day_type", "sex", "age_band", "worker", purpose=table.purpose - 1,
                        weight=1.0 / table.n_days)


def _transition_rows(coded: Coded, level: str) -> Any:
    del level
    table = coded.visits
    return table.select("person_id", "day_type", before=table.previous_purpose + 1, purpose=table.purpose,
                        phase=(table["rank"] * PHASES) // table.n_stays
                        + ibis.ifelse(table.n_stays > coded.domain.max_chain_stays, PHASES, 0),
                        after=table.next_purpose + 1, weight=TRANSITION_WEIGHT / table.n_days)


def _stays_per_day_rows(coded: Coded, level: str) -> Any:
    del level
    table = day_starts(coded)
    return table.select("person_id", "day_type", n_stays=upto(table.n_stays, MAX_STAYS), weight=1.0 / table.n_days)


def _trips_by_group_rows(coded: Coded, level: str) -> Any:
    del level
    table = _grouped(coded, day_starts(coded))
    columns = ["sex", "age_band", "worker"]
    made = table.select("person_id", "day_type", *columns, part=ibis.literal(0, "int16"), weight=_eighths(table) / table.n_days)
    return _and_none(made, table, columns, 1)


def _trips_rows(coded: Coded, level: str) -> Any:
    del level
    table = coded.visits.filter((coded.visits["rank"] > 0) & (coded.visits["rank"] <= MOST_TRIPS))
    made = table.select("person_id", "day_type", part=table.purpose.cast("int16"), weight=1.0 / MOST_TRIPS / table.n_days)
    return _and_none(made, day_starts(coded), [], len(coded.domain.purposes))


def _eighths(table: Any) -> Any:
    """The trips of a day as a part of MOST_TRIPS."""
    counted: Any = ibis.least(table.n_stays - 1, MOST_TRIPS)
    return counted / float(MOST_TRIPS)


def _and_none(made: Any, days: Any, columns: list[str], code: int) -> Any:
    """Rows of trips, averaged over the person's days of their type, and what is missing to the whole of each day as a part `code`."""
    missing = days.select("person_id", "day_type", *columns, part=ibis.literal(code, "int16"),
                          weight=1.0 / days.n_days - _eighths(days) / days.n_days)
    rows: Any = ibis.union(made, missing)
    return rows.filter(rows.weight > 0)


def _anchored_rows(coded: Coded, level: str) -> Any:
    del level
    table = coded.visits.filter(ibis._.purpose == 1)
    straight = table.previous_purpose == 1
    nth = ibis.cases((straight & (table.previous_zone == table.work), 2), (straight, 3), (table.nth_of_purpose == 1, 0), else_=1)
    return table.select("person_id", "day_type", nth=nth.cast("int16"),
                        place=ibis.ifelse(table.zone == table.work, 0, 1), weight=1.0 / table.n_days)


def _distinct_zone_rows(coded: Coded, level: str) -> Any:
    del level
    found = coded.visits.group_by("person_id").agg(distinct=ibis._.zone.nunique())
    return found.select("person_id", distinct=upto(found["distinct"], 16), weight=ibis.literal(1.0))


def _place_share_rows(coded: Coded, level: str) -> Any:
    """Share of a person's stays at their k-th most visited zone, k = 1 to 5."""
    del level
    visits = coded.visits.group_by(["person_id", "zone"]).agg(n=ibis._.count())
    order = ibis.window(group_by="person_id", order_by=[ibis.desc("n"), "zone"])
    ranked = visits.mutate(k=ibis.row_number().over(order), total=visits.n.sum().over(ibis.window(group_by="person_id")))
    ranked = ranked.filter(ranked.k < len(PLACE_RANKS))  # row_number counts from 0
    share = ibis.least((ranked.n * PLACE_SHARE_BINS) // ranked.total, PLACE_SHARE_BINS - 1)
    return ranked.select("person_id", k=ranked.k, share=share, weight=ibis.literal(1.0))


def _return_rows(coded: Coded, level: str) -> Any:
    """Distinct zones among a person's stays of one purpose, by how many such stays there are."""
    del level
    table = coded.visits.filter(ibis._.purpose > 0)
    found = table.group_by(["person_id", "purpose"]).agg(visits=ibis._.count(), distinct=ibis._.zone.nunique())
    return found.select("person_id", "purpose", visits=upto(found.visits, 16),
                        distinct=upto(found["distinct"], 16), weight=ibis.literal(1.0))


def _group_day(public: Public) -> tuple[AnyAxis, ...]:
    return (day_type_axis(public), *group_axes(public))


def _neighbour_axis(public: Public, name: str) -> Axis:
    return Axis(name, ("none", *public.domain.purposes))


_STAYS = Axis("n_stays", (*map(str, range(1, MAX_STAYS)), f"{MAX_STAYS}+"))
_PART = Axis("part", ("trips", "none"))
_DISTINCT = Axis("distinct", VISIT_COUNTS)

ROUTINES = (
    Statistic("chains", "routines", lambda public, level: (day_type_axis(public), public.domain.chain_axis), _chain_rows),
    Statistic(
        "chain_outlines", "routines", lambda public, level: (day_type_axis(public), public.domain.outline_axis), _outline_rows),
    Statistic(
        "stays_by_group", "routines",
        lambda public, level: (*_group_day(public), _STAYS),
        _stays_by_group_rows),
    Statistic(
        "participation", "routines",
        lambda public, level: (*_group_day(public), Axis("purpose", public.domain.purposes[1:])), _participation_rows),
    Statistic(
        "transitions", "routines",
        lambda public, level: (
            day_type_axis(public), _neighbour_axis(public, "before"), purpose_axis(public),
            Axis("phase", PHASE_LABELS), _neighbour_axis(public, "after")),
        _transition_rows),
    Statistic(
        "trips", "routines", lambda public, level: (day_type_axis(public), Axis("part", (*public.domain.purposes, "none"))), _trips_rows),
    Statistic("trips_by_group", "routines", lambda public, level: (*_group_day(public), _PART), _trips_by_group_rows),
    Statistic("stays_per_day", "routines", lambda public, level: (day_type_axis(public), _STAYS), _stays_per_day_rows),
    Statistic(
        "anchored", "routines",
        lambda public, level: (day_type_axis(public), Axis("nth", WORK_STAYS), Axis("place", ("anchor", "elsewhere"))),
        _anchored_rows),
    Statistic("distinct_zones", "routines", lambda public, level: (_DISTINCT,), _distinct_zone_rows),
    Statistic(
        "place_share", "routines",
        lambda public, level: (
            Axis("k", PLACE_RANKS), Axis("share", tuple(f"{s / PLACE_SHARE_BINS:.2f}" for s in range(PLACE_SHARE_BINS)))),
        _place_share_rows),
    Statistic(
        "distinct_given_visits", "routines",
        lambda public, level: (purpose_axis(public), Axis("visits", VISIT_COUNTS), _DISTINCT), _return_rows),
)
