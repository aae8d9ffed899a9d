"""Home and work of each subscriber, from that subscriber's own stays and the public calendar.

Stays with purposes decide by themselves: home is the zone of most home minutes, work the zone of most work minutes.
Without purposes the night and the working hours decide, each with a least evidence; too little of it is an answer too:
home `unknown`, no work. The rules are those of home detection in official statistics (Vanhoof, Reis, Ploetz, Smoreda
2018, doi:10.2478/jos-2018-0046: nightly presence on distinct days); we depart from them in asking for a share of the
nights.

What the rules without purposes cannot tell: who works in the zone of home is no worker, a campus is a work place unless
the age band is under 16, a partner's home is one where two weekday nights are spent there, who was at work on one day
of a week is no worker, and where most hours of a week are spent at work that is the home.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis

from synthmob.domain import MINUTES_PER_DAY, UNKNOWN, WORKER
from synthmob.period import Period
from synthmob.zones import Zoning

EVENING_FROM_MIN, MORNING_TO_MIN = 20 * 60, 8 * 60
"""The night. Home has the most minutes, those of the night twice: nights alone would move a night shift to its work."""
MIN_HOME_DAYS, SHORT_PERIOD_DAYS, MIN_HOME_SHARE = 2, 3, 0.25
"""A home is seen at night on 2 days (1 in a period of at most 3) and on a quarter of the days with a night sighting."""
WORK_FROM_MIN, WORK_TO_MIN = 8 * 60, 18 * 60
MIN_WORK_DAYS, MIN_WORK_SHARE = 2, 0.25
"""A work place has a working day on 2 weekdays and a quarter of the observed ones, or on the period's only weekday."""
MIN_WORK_MIN, MIN_SHIFT_MIN, MIN_WORK_ALONE_MIN = 120, 240, 240
"""A working day: 2 hours between 08:00 and 18:00 (4 where the period has one weekday), or 4 hours at any time."""
CHILDREN = "0-15"


def _as_it_is(table: Any) -> Any:
    return table


def detect(
    subscribers: Any, stays: Any, zoning: Zoning, period: Period, keep: Callable[[Any], Any] = _as_it_is
) -> tuple[Any, Any]:
    """PERSONS (person_id, attributes, worker, home_zone, work_zone) and STAYS (person_id, day, seq, purpose, zone_id,
    ...).

    person_id is the subscriber's id: both tables stay inside the boundary. home_zone is a zone label, `outside` or
    `unknown`; work_zone is null for who is no worker. Stays without a purpose get home and work at the anchors, other
    elsewhere. Of equal zones the one that stands first in the zoning is taken. The anchors of any subset of subscribers
    are the subset. `keep` may store a table that several others are built on, as in `stays.detect`.
    """
    ranked = _ranks(zoning)
    if "purpose" in stays.columns:
        home = keep(_most(_minutes(stays.filter(stays.purpose == "home")), ranked, "home_zone"))
        work = _most(_minutes(stays.filter(stays.purpose == "work")), ranked, "work_zone")
    else:
        home = keep(_most(_nights(stays, period), ranked, "home_zone"))
        work = _most(_working_days(stays, home, subscribers, period), ranked, "work_zone")
    table = subscribers.left_join(home, "subscriber_id").drop("subscriber_id_right")
    table = table.left_join(work, "subscriber_id").drop("subscriber_id_right")
    worker = ibis.ifelse(table.work_zone.isnull(), WORKER[1], WORKER[0])
    persons = table.mutate(worker=worker, home_zone=table.home_zone.fill_null(UNKNOWN)).rename(
        person_id="subscriber_id"
    )
    attributes = [name for name in subscribers.columns if name != "subscriber_id"]
    persons = keep(persons.select("person_id", *attributes, "worker", "home_zone", "work_zone"))
    return persons, _with_purpose(stays, persons)


def _ranks(zoning: Zoning) -> Any:
    """The place of each zone label in the zoning, to settle ties."""
    return ibis.memtable({"zone_id": list(zoning.labels), "place": list(range(zoning.n_zones + 1))})


def _minutes(stays: Any) -> Any:
    table = stays.mutate(minutes=stays.end_min - stays.start_min)
    return table.group_by("subscriber_id", "zone_id").agg(minutes=table.minutes.sum())


def _most(minutes: Any, ranked: Any, name: str) -> Any:
    """The zone of most minutes of each subscriber, as column `name`."""
    best = ibis.window(group_by="subscriber_id", order_by=[ibis.desc("minutes"), "place"])
    table = minutes.filter(minutes.minutes > 0).join(ranked, "zone_id")
    table = table.mutate(nth=ibis.row_number().over(best))
    return table.filter(table.nth == 0).select("subscriber_id", **{name: "zone_id"})


def _overlap(start: Any, end: Any, since: int, until: int) -> Any:
    """An expression: minutes of [start, end] inside [since, until]."""
    last: Any = ibis.least(end, until)
    return (last - ibis.greatest(start, since)).clip(lower=0)


def _nights(stays: Any, period: Period) -> Any:
    """Minutes by subscriber and zone, those of the night twice, for the zones that have the evidence of a home."""
    night = _overlap(stays.start_min, stays.end_min, 0, MORNING_TO_MIN)
    night += _overlap(stays.start_min, stays.end_min, EVENING_FROM_MIN, MINUTES_PER_DAY)
    seen = stays.filter((stays.seen_from_min < MORNING_TO_MIN) | (stays.seen_to_min >= EVENING_FROM_MIN))
    table = stays.mutate(minutes=stays.end_min - stays.start_min + night)
    spent = table.group_by("subscriber_id", "zone_id").agg(minutes=table.minutes.sum())
    least = 1 if period.days <= SHORT_PERIOD_DAYS else MIN_HOME_DAYS
    return _on_enough_days(spent, seen, seen, least, MIN_HOME_SHARE)


def _working_days(stays: Any, home: Any, subscribers: Any, period: Period) -> Any:
    """Minutes on weekdays by subscriber and zone, for the zones that have the evidence of a work place."""
    weekdays = period.days_of(0)
    in_hours, least = (MIN_WORK_ALONE_MIN, 1) if len(weekdays) == 1 else (MIN_WORK_MIN, MIN_WORK_DAYS)
    if "age_band" in subscribers.columns:
        stays = stays.anti_join(subscribers.filter(subscribers.age_band == CHILDREN), "subscriber_id")
    on_weekdays = stays.filter(stays.day.isin(list(weekdays)))
    table = on_weekdays.filter(on_weekdays.seen_from_min.notnull())
    table = table.left_join(home, "subscriber_id").drop("subscriber_id_right")
    table = table.filter((table.zone_id != table.home_zone).fill_null(True))
    table = table.mutate(
        minutes=_overlap(table.start_min, table.end_min, WORK_FROM_MIN, WORK_TO_MIN),
        at_any_time=table.end_min - table.start_min,
    )
    a_day = table.group_by("subscriber_id", "zone_id", "day").agg(
        minutes=table.minutes.sum(), at_any_time=table.at_any_time.sum()
    )
    worked = a_day.filter((a_day.minutes >= in_hours) | (a_day.at_any_time >= MIN_SHIFT_MIN))
    spent = a_day.group_by("subscriber_id", "zone_id").agg(minutes=a_day.at_any_time.sum())
    return _on_enough_days(spent, worked, on_weekdays, least, MIN_WORK_SHARE)


def _on_enough_days(spent: Any, evidence: Any, observed: Any, least: int, share: float) -> Any:
    """Of `spent` the zones with evidence on `least` days and on a share of the subscriber's days in `observed`."""
    days = evidence.select("subscriber_id", "zone_id", "day").distinct()
    days = days.group_by("subscriber_id", "zone_id").agg(days=days.count())
    of_all = observed.select("subscriber_id", "day").distinct()
    of_all = of_all.group_by("subscriber_id").agg(of_all=of_all.count())
    table = spent.join(days, ["subscriber_id", "zone_id"]).join(of_all, "subscriber_id")
    table = table.filter((table.days >= least) & (table.days >= share * table.of_all))
    return table.select("subscriber_id", "zone_id", "minutes")


def _with_purpose(stays: Any, persons: Any) -> Any:
    """STAYS with a purpose each: as given, or by the anchors."""
    table = stays.rename(person_id="subscriber_id")
    columns = ["person_id", "day", "seq", "purpose", "zone_id", "start_min", "end_min"]
    if "purpose" in table.columns:
        return table.select(*columns, *(["mode"] if "mode" in table.columns else []))
    table = table.left_join(persons.select("person_id", "home_zone", "work_zone"), "person_id").drop("person_id_right")
    purpose = ibis.cases(
        (table.zone_id == table.home_zone, "home"), (table.zone_id == table.work_zone, "work"), else_="other"
    )
    return table.mutate(purpose=purpose).select(*columns)
