"""What only several days of the same person show: places over the period, returns, and how alike one day is to the next.

About persons who are seen on every day of the period, on both sides: who is seen on fewer days has fewer places for that reason
alone. Nothing here is said of a period of one day.
"""

from __future__ import annotations

from typing import Any

import ibis
from ibis import _

from synthmob.counts import Coded
from synthmob.counts.routines import PLACE_RANKS
from synthmob.fidelity.features import STEP_KM, Feature, located, spread_km
from synthmob.fidelity.sides import Side

STEPS = 100
"""Shares are kept in steps of a hundredth."""
RETURNER_PLACES = 2


def whole_lives(coded: Coded) -> Any:
    """The stays of persons who are seen on every day of the period, as an ibis table."""
    return coded.visits.filter(coded.visits.all_days == coded.period.days)


def seen_throughout(side: Side) -> int:
    """How many persons are seen on every day of a period of several days; 0 where it is of one."""
    if side.coded.period.days < 2:
        return 0
    return int(side.coded.backend.execute(whole_lives(side.coded).person_id.nunique()))


def _zones(coded: Coded) -> Any:
    found = whole_lives(coded).group_by("person_id").agg(distinct=_.zone.nunique())
    return found.select("person_id", distinct=found["distinct"].cast("int32"), weight=ibis.literal(1.0))


def _place_shares(coded: Coded) -> Any:
    """The share of a person's stays at their k-th most visited zone, k = 1 to 5, 0 where there are fewer zones."""
    places = whole_lives(coded).group_by(["person_id", "zone"]).agg(n=_.count())
    lives = places.group_by("person_id").agg(ns=_.n.collect(order_by=ibis.desc(_.n)), total=_.n.sum())
    width = STEPS + 1

    def kth(k: int) -> Any:
        n: Any = ibis.coalesce(lives.ns[k], 0)
        return (n * STEPS / lives.total).round().cast("int32") + k * width

    rows = lives.select("person_id", code=ibis.array([kth(k) for k in range(len(PLACE_RANKS))]).unnest())
    return rows.select("person_id", k=(rows.code // width).cast("int32"), share=rows.code % width, weight=ibis.literal(1.0))


def _gyration(coded: Coded) -> Any:
    """Radius of gyration over the period, every stay once; Gonzalez, Hidalgo, Barabasi 2008, doi:10.1038/nature06958."""
    life = spread_km(located(coded, whole_lives(coded)), ["person_id"])
    return life.select("person_id", km=(life.km / STEP_KM).round().cast("int32"), weight=ibis.literal(1.0))


def _returners(coded: Coded) -> Any:
    """Whether the two most visited zones make more than half of the radius of gyration: 1 a returner, 0 an explorer.

    Pappalardo et al. 2015, doi:10.1038/ncomms9166; who never moves is a returner.
    """
    stays = located(coded, whole_lives(coded))
    often = stays.group_by(["person_id", "zone"]).agg(n=_.count())
    order = ibis.window(group_by="person_id", order_by=[ibis.desc("n"), "zone"])
    top = often.mutate(k=ibis.row_number().over(order)).filter(_.k < RETURNER_PLACES).select(who="person_id", at="zone")
    near = stays.inner_join(top, [stays.person_id == top.who, stays.zone == top["at"]])
    whole, part = spread_km(stays, ["person_id"]), spread_km(near, ["person_id"]).select(who="person_id", near_km="km")
    both = whole.inner_join(part, whole.person_id == part.who)
    back = (both.near_km > both.km / 2) | (both.km <= STEP_KM)
    return both.select("person_id", returner=back.cast("int32"), weight=ibis.literal(1.0))


def _overlaps(coded: Coded) -> Any:
    """The zones of a day that the next one has too over those of either (Jaccard), every pair of successive days once."""
    places = whole_lives(coded).select("person_id", "day", "zone").distinct()
    earlier = places.day.lag().over(ibis.window(group_by=["person_id", "zone"], order_by="day"))
    places = places.mutate(again=ibis.coalesce(places.day - earlier == 1, ibis.literal(False)).cast("int32"))
    days = places.group_by(["person_id", "day"]).agg(n=_.count(), shared=_.again.sum())
    pairs = days.mutate(before=_.n.lag().over(ibis.window(group_by="person_id", order_by="day"))).filter(_.before.notnull())
    share = pairs.shared / (pairs.n + pairs.before - pairs.shared)
    return pairs.select("person_id", share=(share * STEPS).round().cast("int32"), weight=ibis.literal(1.0 / (coded.period.days - 1)))


LIFE_FEATURES: dict[str, Feature] = {
    f.name: f
    for f in (
        Feature("life_zones", ("distinct",), _zones),
        Feature("life_places", ("k", "share"), _place_shares),
        Feature("life_gyration", ("km",), _gyration),
        Feature("life_returns", ("returner",), _returners),
        Feature("life_overlaps", ("share",), _overlaps),
    )
}
