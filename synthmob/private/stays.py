"""From the events of the network to stays that cover every observed day.

After runs.py has taken out flapping and passing-through, what lies between two runs in different zones is shared out:
the travel takes its public time, and the rest goes to the two stays in proportion to the square root of the hours in
which the subscriber is seen in each zone, so that a night without events goes to the home rather than to the bar. A
stretch of observed days whose first event comes late, or whose last event early, begins or ends in the subscriber's own
night zone. The steps follow Widhalm, Yang, Ulm, Athavale, Gonzalez 2015 (doi:10.1007/s11116-015-9598-x): cluster, drop
what is passed through, keep stays of a least duration. We depart from them in that zones, not clusters of points, are
the places, and that nothing is learnt across subscribers.

A day is observed where it has an event. What this cannot see: visits between two events, trips inside a zone, and
visits to a neighbouring zone and back within an hour (within three where they leave but one sighting), which look like
flapping.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis

from synthmob.domain import MINUTES_PER_DAY
from synthmob.period import Period
from synthmob.private import runs
from synthmob.zones import Zoning

NIGHT_FROM_HOUR, NIGHT_TO_HOUR = 20, 8
"""The hours in which being seen makes a night zone."""
LATE_FIRST_MIN, EARLY_LAST_MIN = 6 * 60, 20 * 60
"""A stretch of days first seen after 06:00 begins, and one last seen before 20:00 ends, in the night zone."""
START_RANK, END_RANK = -1, 2_000_000_000


def _as_it_is(table: Any) -> Any:
    return table


def detect(events: Any, zoning: Zoning, period: Period, keep: Callable[[Any], Any] = _as_it_is) -> Any:
    """Stays (subscriber_id, day, seq, zone_id, start_min, end_min, seen_from_min, seen_to_min) from events.

    `events`: subscriber_id, at_s (seconds since local midnight of the first day), zone_id. Each observed day runs from
    0 to 1440 with gaps for travel alone. The seen minutes are the first and last event of the stay on that day, null
    where it is only inferred. The stays of any subset of subscribers are the subset of the stays. `keep` may
    store a step's table before the next is built on it, for an engine that gets lost in long expressions.
    """
    places = runs.geometry(zoning)
    inside = events.filter(events.at_s.between(0, period.days * MINUTES_PER_DAY * 60 - 1))
    hits = inside.join(places.select("zone_id", "zone"), "zone_id").select("subscriber_id", "at_s", "zone")
    # Two equal rows have no order, and one window may see another order than the next.
    hits = keep(hits.distinct())
    seen = keep(_seen(hits))
    settled = runs.settle(keep(runs.of_events(hits)), seen.drop("night_hours"), places, keep)
    with_nights = keep(settled.union(_nights(settled, _night_zone(seen))))
    table = keep(_timeline(keep(runs.dwell(with_nights, places)), seen, places))
    return _by_day(table, places)


def _seen(hits: Any) -> Any:
    """In how many hours of the period, and of them at night, each subscriber is seen in each zone."""
    hours = hits.select("subscriber_id", "zone", hour=hits.at_s // 3600).distinct()
    of_day = hours.hour % 24
    at_night = (of_day >= NIGHT_FROM_HOUR) | (of_day < NIGHT_TO_HOUR)
    return hours.group_by("subscriber_id", "zone").agg(hours=hours.count(), night_hours=at_night.cast("int64").sum())


def _night_zone(seen: Any) -> Any:
    """The zone in which a subscriber is seen in most hours of the night, if any (the first of equals)."""
    best = ibis.window(group_by="subscriber_id", order_by=[ibis.desc("night_hours"), "zone"])
    ranked = seen.filter(seen.night_hours > 0)
    ranked = ranked.mutate(place=ibis.row_number().over(best))
    return ranked.filter(ranked.place == 0).select("subscriber_id", "zone")


def _nights(settled: Any, night: Any) -> Any:
    """The runs, of no length and not seen, that put a subscriber in the night zone at the ends of a block."""
    block = settled.group_by("subscriber_id", "block").agg(first=settled.first_min.min(), last=settled.last_min.max())
    block = block.join(night, "subscriber_id")
    start = block.filter(block.first % MINUTES_PER_DAY >= LATE_FIRST_MIN)
    start = start.mutate(rank=ibis.literal(START_RANK, "int64"), at=start.first // MINUTES_PER_DAY * MINUTES_PER_DAY)
    end = block.filter(block.last % MINUTES_PER_DAY < EARLY_LAST_MIN)
    end = end.mutate(rank=ibis.literal(END_RANK, "int64"), at=(end.last // MINUTES_PER_DAY + 1) * MINUTES_PER_DAY)
    both = start.union(end)
    nothing = ibis.null("int64")
    both = both.select(
        "subscriber_id",
        "block",
        "rank",
        "zone",
        first_min=both["at"],
        last_min=both["at"],
        seen_first=nothing,
        seen_last=nothing,
    )
    return both.cast(settled.schema()).select(*settled.columns)


def _timeline(kept: Any, seen: Any, places: Any) -> Any:
    """Runs with the minutes from which to which the subscriber is taken to be there: start and end."""
    block = ibis.window(group_by=["subscriber_id", "block"])
    ordered = ibis.window(group_by=["subscriber_id", "block"], order_by="rank")
    table = kept.left_join(places.drop("zone_id"), "zone").drop("zone_right")
    table = table.left_join(seen.select("subscriber_id", "zone", "hours"), ["subscriber_id", "zone"])
    table = table.drop("subscriber_id_right", "zone_right")
    table = table.mutate(weight=table.hours.sqrt())
    after = {name: table[name].lead().over(ordered) for name in ("x_km", "y_km", "first_min", "weight")}
    table = table.mutate(travel=runs.travel_min(table, after), until=after["first_min"], next_weight=after["weight"])
    # An event in the next zone within the same minute: the trip needs a minute of its own.
    table = table.mutate(leaves=ibis.least(table.last_min, table.until - 1))
    slack = (table.until - table.leaves - table.travel).clip(lower=0)
    depart = table.leaves + (slack * table.weight / (table.weight + table.next_weight)).floor().cast("int64")
    table = table.mutate(depart=depart, arrive=ibis.least(depart + table.travel, table.until))
    depart, arrive = _within_a_day(table)
    table = table.mutate(depart=depart, arrive=arrive)
    first = table.first_min.min().over(block) // MINUTES_PER_DAY * MINUTES_PER_DAY
    # An end at midnight itself closes the day before it, hence the minute less.
    last = ((table.last_min.max().over(block) - 1) // MINUTES_PER_DAY + 1) * MINUTES_PER_DAY
    return table.mutate(
        start=ibis.coalesce(table["arrive"].lag().over(ordered), first),
        end=ibis.coalesce(table["depart"], ibis.greatest(last, first + MINUTES_PER_DAY)),
    )


def _within_a_day(table: Any) -> tuple[Any, Any]:
    """Departure and arrival with no trip over midnight: moved before it, else after it, else the change is at midnight.

    No stay is used up by it: before midnight the stay that ends keeps a minute, after it the stay that begins does.
    """
    midnight = -(-table.depart // MINUTES_PER_DAY) * MINUTES_PER_DAY
    spans = table.arrive >= midnight
    early = ibis.greatest(table.leaves, table.first_min + 1, midnight - 1 - table.travel)
    late = ibis.least(table.until - 1, midnight + 1 + table.travel)
    before, after = early < midnight - 1, late > midnight + 1
    depart = ibis.cases((~spans, table.depart), (before, early), (after, midnight + 1), else_=midnight)
    arrive = ibis.cases((~spans, table.arrive), (before, midnight - 1), (after, late), else_=midnight)
    none = ibis.null("int64")
    return ibis.ifelse(table.until.isnull(), none, depart), ibis.ifelse(table.until.isnull(), none, arrive)


def _by_day(table: Any, places: Any) -> Any:
    """Each stay cut at midnight into one row a day, in minutes of that day."""
    table = table.filter(table.end > table.start)
    table = table.mutate(
        day=ibis.range(table.start // MINUTES_PER_DAY, (table.end - 1) // MINUTES_PER_DAY + 1).unnest()
    )
    midnight = table.day * MINUTES_PER_DAY

    def minute(moment: Any) -> Any:
        return (moment - midnight).clip(0, MINUTES_PER_DAY).cast("int32")

    on_day = (table.seen_last >= midnight) & (table.seen_first < midnight + MINUTES_PER_DAY)
    table = table.mutate(
        day=table.day.cast("int32"),
        start_min=minute(table.start),
        end_min=minute(table.end),
        seen_from_min=ibis.ifelse(on_day, minute(table.seen_first), ibis.null("int32")),
        seen_to_min=ibis.ifelse(on_day, minute(table.seen_last), ibis.null("int32")),
    )
    day = ibis.window(group_by=["subscriber_id", "day"], order_by="start_min")
    table = table.mutate(seq=ibis.row_number().over(day).cast("int32"))
    return table.join(places.select("zone", "zone_id"), "zone").select(
        "subscriber_id", "day", "seq", "zone_id", "start_min", "end_min", "seen_from_min", "seen_to_min"
    )
