"""Usage compared: at its best, at its worst, by hand, and left out where a side has no phones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from strategies import FRIDAY_ON, Population, crowd, town

from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.fidelity.align import Pulled
from synthmob.fidelity.inside import compare_inside
from synthmob.fidelity.outside import compare_outside
from synthmob.fidelity.sides import Tables
from synthmob.fidelity.usage import COLUMNS, NO_EVENTS, USAGE_METRICS, product_of_margins
from synthmob.marginals import Marginal
from synthmob.plan import STANDARD, USAGE, Plan
from synthmob.release import Release
from synthmob.usageplan import USAGE_COLUMNS

TOWN = town()
PEOPLE = crowd(80, TOWN, FRIDAY_ON, 3, (1, 3, 5))


def phones(people: Population, **changes: Any) -> Population:
    return replace(people, events=tuple({**row, **changes} for row in people.events))


def given(people: Population, *, events: bool = True, days: int = 0) -> Tables:
    return Tables(*people.tables(), people.events_table() if events else None, days)


def inside(one: Tables, two: Tables) -> Any:
    return compare_inside(one, two, TOWN, Domain(), FRIDAY_ON, connect(threads=1), bootstraps=4)


def values(found: Any) -> dict[str, float]:
    return {f.name: f.value for f in found.metrics if f.word == "usage"}


def test_the_same_phones_are_no_distance_apart() -> None:
    found = inside(given(PEOPLE), given(PEOPLE))
    assert values(found) == dict.fromkeys((m.name for m in USAGE_METRICS), 0.0) and NO_EVENTS not in found.notes
    assert all(f.floor > 0 for f in found.metrics if f.word == "usage")
    for f in found.metrics:
        if f.name in ("event_hours_tvd", "event_zones_tvd_zone", "events_per_day_group_tvd"):
            assert f.baseline > 0.01, f.name


def test_other_phones_are_as_far_as_can_be() -> None:
    calls = phones(PEOPLE, kind="call", at_s=3_600, zone_id="z0", direction="in", duration_s=0.0, volume_kb=None)
    data = phones(PEOPLE, kind="data", at_s=90_000, zone_id="z9", direction="out", duration_s=50.0, volume_kb=5.0)
    found = values(inside(given(calls), given(data)))
    for name in ("event_kinds_tvd", "event_hours_tvd", "event_durations_tvd", "event_zones_tvd_zone"):
        assert found[name] == pytest.approx(1.0), name


def test_a_distance_that_was_worked_out_by_hand() -> None:
    """All that were calls are data on the other side: the distance is the share of calls, each event weighing the same."""
    moved = replace(PEOPLE, events=tuple({**e, "kind": "data" if e["kind"] == "call" else e["kind"]} for e in PEOPLE.events))
    lived = [e for e in PEOPLE.events if 0 <= e["at_s"] < FRIDAY_ON.days * 86_400]
    share = sum(e["kind"] == "call" for e in lived) / len(lived)
    assert 0.1 < share < 0.5 and values(inside(given(PEOPLE), given(moved)))["event_kinds_tvd"] == pytest.approx(share)


@pytest.mark.parametrize("sides", [(True, False), (False, True), (False, False)])
def test_without_phones_on_both_sides_usage_is_left_out(sides: tuple[bool, bool]) -> None:
    found = inside(*(given(PEOPLE, events=events) for events in sides))
    assert values(found) == {} and (NO_EVENTS in found.notes) == any(sides)


def test_the_baseline_is_the_product_of_margins() -> None:
    codes = {"kind": np.array([0, 0, 1], np.int32), "hour": np.array([0, 1, 1], np.int32)}
    found = product_of_margins(Pulled(codes, {}, np.array([2.0, 1.0, 1.0]), np.array([0, 0, 1], np.int32)), 2, 6)
    assert found.weight.tolist() == pytest.approx([12 * 0.75 * 0.5, 12 * 0.75 * 0.5, 12 * 0.25 * 0.5, 12 * 0.25 * 0.5])


# ---------------------------------------------------------------- against a release


@pytest.fixture(scope="module")
def release() -> Release:
    from synthmob.counts import STATISTICS, coded, count

    plan = Plan(1.0, 1e-6, requests=(*STANDARD[:2], *USAGE)).resolve(
        TOWN, FRIDAY_ON, attributes=("sex", "age_band"), modes=False, usage=USAGE_COLUMNS)  # fmt: skip
    persons, stays = PEOPLE.tables()
    rows = coded(connect(threads=1), persons, stays, TOWN, plan.domain, FRIDAY_ON, name="r", events=PEOPLE.events_table())
    found: dict[str, Marginal] = {
        r.name: count(STATISTICS[r.statistic], rows, r.level, bound_l2=r.bound_l2, confidential=False) for r in plan.requests}
    return Release(found, {"privacy": {"claim": "none claimed"}, "plan": plan.as_json(), "period": FRIDAY_ON.as_json()})


def outside(release: Release, tables: Tables) -> Any:
    return compare_outside(release, tables, TOWN, Domain(), FRIDAY_ON, connect(threads=1), draws=2)


def test_a_release_is_met_by_the_phones_that_it_was_counted_from(release: Release) -> None:
    found = outside(release, given(PEOPLE))
    assert {f.name.partition("@")[0] for f in found.metrics} >= {*COLUMNS, "events_per_person"}
    assert all(f.value < 1e-9 for f in found.metrics if f.word == "usage")
    other = outside(release, given(phones(PEOPLE, kind="call")))
    assert {f.name: f.value for f in other.metrics}["event_hours"] > 0.3


def test_people_without_phones_are_not_compared_and_it_is_said(release: Release) -> None:
    found = outside(release, given(PEOPLE, events=False))
    assert not [f for f in found.metrics if f.word == "usage"]
    assert "tables of usage: left out, the population has no events" in found.notes


def test_fewer_days_are_averaged_over_the_days_that_there_are(release: Release) -> None:
    """Phones of the first day alone, as often as of all days: a day is a day."""
    first = replace(PEOPLE, stays=tuple(s for s in PEOPLE.stays if s["day"] == 0),
                    events=tuple(e for e in PEOPLE.events if 0 <= e["at_s"] < 86_400))  # fmt: skip
    found = outside(release, given(first, days=1))
    assert "table events_per_person: left out, a mean over fewer days than the release has is another one" in found.notes
    whole = outside(release, given(first))
    one, four = ({f.name: f.value for f in side.metrics}["events_per_day"] for side in (found, whole))
    assert one != four
