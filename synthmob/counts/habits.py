"""What people do day after day: the same person is recognisably the same on Tuesday and on Wednesday."""

from __future__ import annotations

from typing import Any

import ibis

from synthmob.counts.coded import Coded
from synthmob.counts.routines import day_starts
from synthmob.counts.statistic import Statistic
from synthmob.domain import Axis

AGAIN = ("again", "not")
"""Whether the next day has the purpose too."""


def _habit_rows(coded: Coded, level: str) -> Any:
    """Of a person's pairs of days, one after the other among those of a type, the share of which the first has a purpose."""
    del level
    in_order = ibis.window(group_by=["person_id", "day_type"], order_by="day")
    days = day_starts(coded)
    days = days.select("person_id", "day", "day_type", "n_days", nth=ibis.row_number().over(in_order).cast("int32"))
    days = days.mutate(followed=days.nth + 1 < days.n_days)
    days = days.mutate(pairs=days.followed.cast("int32").sum().over(ibis.window(group_by="person_id")))
    visits = coded.visits.filter((coded.visits.nth_of_purpose == 1) & (coded.visits.purpose > 0))
    found: Any = visits.select("person_id", "day", "purpose").inner_join(
        days.select("person_id", "day", "day_type", "nth", "followed", "pairs"), ["person_id", "day"])
    alike = ibis.window(group_by=["person_id", "day_type", "purpose"], order_by="nth")
    found = found.mutate(then=found.nth.lead().over(alike).fill_null(-1))
    found = found.filter(found.followed)
    return found.select("person_id", purpose=found.purpose - 1, again=ibis.ifelse(found.then == found.nth + 1, 0, 1),
                        weight=1.0 / found.pairs)


HABITS = (
    Statistic(
        "habits", "routines", lambda public, level: (Axis("purpose", public.domain.purposes[1:]), Axis("again", AGAIN)), _habit_rows),
)
