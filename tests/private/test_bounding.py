"""The law that privacy rests on: one subscriber moves the counts of a table by no more than the table's declared norm.

Counts are integers in 1/1024 person, the noise of a table is scaled to `bound_l2` persons, and neighbouring records differ
by one subscriber with all their rows. So for every table that the standard plan asks for, with all of its axes and day types:

    sum over cells of (count with the subscriber - count without)^2  <=  (1024 * bound_l2 * ROUNDING_SLACK)^2.

`violation` judges this in exact arithmetic, and is itself shown to find the mistakes that it is there for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from compiled import Compiled
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from strategies import FORTNIGHT, FRIDAY_ON, MONDAY, Population, a_day, crowd, populations, town

from synthmob.accounting import FIXED_POINT, rho_of
from synthmob.counts import STATISTICS, Coded, cells, coded
from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.period import Period
from synthmob.plan import ROUNDING_SLACK, Plan, Request
from synthmob.private import bounding

TOWN = town()
BACKEND = connect(threads=1)
FAST = Compiled(BACKEND)
Counts = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
NOBODY: Counts = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


def plan_for(period: Period, domain: Domain | None = None) -> Plan:
    plan = Plan(1.0, 1e-6, domain=domain or Domain())
    return plan.resolve(TOWN, period, attributes=plan.domain.attributes, modes=True)


def code(people: Population, plan: Plan, period: Period) -> Coded:
    persons, stays = people.tables()
    return coded(BACKEND, persons, stays, TOWN, plan.domain, period, name="bounding")


@cache
def contributions(plan: Plan, period: Period) -> dict[str, Any]:
    """What each person adds to each table, as queries over whoever is coded at the time: coded tables keep their names."""
    table = code(Population((), ()), plan, period)
    return {r.name: cells(STATISTICS[r.statistic], table, r.level) for r in plan.requests}


def all_totals(people: Population, plan: Plan, period: Period, requests: Iterable[Request]) -> dict[str, Counts]:
    queries = contributions(plan, period)
    code(people, plan, period)
    return {r.name: bounding.totals(FAST, queries[r.name], r.bound_l2) for r in requests}


def movement(before: Counts, after: Counts) -> dict[int, int]:
    """By how much each cell's count fell when a subscriber was dropped, where it moved at all."""
    fell: dict[int, int] = {}
    for sign, (at, counts) in ((1, before), (-1, after)):
        for cell, count in zip(at.tolist(), counts.tolist(), strict=True):
            fell[cell] = fell.get(cell, 0) + sign * count
    return {cell: moved for cell, moved in fell.items() if moved}


def violation(before: Counts, after: Counts, bound_l2: float) -> str | None:
    """What the law finds wrong with a table of which one subscriber was dropped; None where it holds."""
    for at, counts in (before, after):
        if at.dtype != np.int64 or counts.dtype != np.int64:
            return "a count is not a whole number"
        if (np.diff(at) <= 0).any():
            return "a cell stands twice"
    moved = movement(before, after).values()
    if any(abs(m) > FIXED_POINT for m in moved):
        return "a cell moved by more than one person"
    if sum(m * m for m in moved) > (Fraction(bound_l2) * Fraction(ROUNDING_SLACK) * FIXED_POINT) ** 2:
        return "the table moved by more than its norm"
    return None


def judged(before: dict[str, Counts], after: dict[str, Counts], requests: Iterable[Request]) -> dict[str, str]:
    found = {r.name: violation(before[r.name], after[r.name], r.bound_l2) for r in requests}
    return {name: wrong for name, wrong in found.items() if wrong}


# ---------------------------------------------------------------- the law


@settings(max_examples=5, phases=[Phase.generate])
@given(data=st.data(), period=st.sampled_from((MONDAY, FRIDAY_ON, FORTNIGHT)))
def test_dropping_any_one_subscriber_moves_no_table_by_more_than_its_norm(data: st.DataObject, period: Period) -> None:
    people = data.draw(populations(TOWN, period, most=4, sizes=(1, 2, 3, 5, 7, 8, 9, 60, 300)))
    victim = data.draw(st.sampled_from([row["person_id"] for row in people.persons]))
    plan = plan_for(period)
    before = all_totals(people, plan, period, plan.requests)
    after = all_totals(people.without(victim).shuffled(1), plan, period, plan.requests)
    assert not judged(before, after, plan.requests)


def busy(period: Period, n: int = 40) -> Population:
    """People who keep still, people who run all day, and nothing in between that a bound could hide behind."""
    return crowd(n, TOWN, period, 11, (1, 2, 3, 7, 8, 9, 40, 400))


def test_no_contribution_of_a_crowd_is_over_its_norm() -> None:
    """What dropping each of them would move, for all of them at once: a count is the sum of these contributions."""
    plan = plan_for(FORTNIGHT)
    queries = contributions(plan, FORTNIGHT)
    code(busy(FORTNIGHT), plan, FORTNIGHT)
    for r in plan.requests:
        found = BACKEND.to_pyarrow(bounding.fixed_contributions(queries[r.name], r.bound_l2))
        who, fixed = found["person_id"].to_numpy(), found["fixed"].to_numpy()
        assert fixed.dtype == np.int64 and fixed.min() >= 0 and fixed.max() <= FIXED_POINT, r.name
        squares = np.bincount(who, weights=fixed.astype(np.float64) ** 2)  # below 2^53: exact
        assert squares.max() <= (r.bound_l2 * ROUNDING_SLACK * FIXED_POINT) ** 2, r.name


def test_what_a_subscriber_adds_depends_on_nobody_else() -> None:
    people, plan, victim = busy(FRIDAY_ON), plan_for(FRIDAY_ON), 17
    before = all_totals(people, plan, FRIDAY_ON, plan.requests)
    after = all_totals(people.without(victim), plan, FRIDAY_ON, plan.requests)
    others = [row["person_id"] for row in people.persons if row["person_id"] != victim]
    alone = people
    for other in others:
        alone = alone.without(other)
    mine = all_totals(alone, plan, FRIDAY_ON, plan.requests)
    assert not judged(before, after, plan.requests)
    for r in plan.requests:
        assert movement(before[r.name], after[r.name]) == movement(mine[r.name], NOBODY), r.name


def test_coarser_categories_and_absent_columns_change_nothing_in_the_law() -> None:
    domain = Domain(purposes=("home", "work", "other"), sex=("other",), attributes=("age_band",), modes=("other",),
                    max_chain_stays=3, distance_edges_km=(0.0,), duration_edges_min=(0,), travel_edges_min=(0,))  # fmt: skip
    plan = plan_for(FRIDAY_ON, domain)
    before = all_totals(one_busy_person(), plan, FRIDAY_ON, plan.requests)
    assert not judged(before, {r.name: NOBODY for r in plan.requests}, plan.requests)


# ---------------------------------------------------------------- the law finds the bugs that it is there for


def one_busy_person() -> Population:
    person = {"person_id": 7, "sex": "male", "age_band": "65+", "worker": "yes", "home_zone": "z0", "work_zone": "z5"}
    stays = [row for day in range(FRIDAY_ON.days) for row in a_day(7, day, 300, day, TOWN)]
    stays += [{**row, "seq": row["seq"] + 5000, "zone_id": f"z{row['seq'] % 12}"} for row in stays]
    return Population((person,), tuple(stays))


def test_a_bound_ten_times_too_large_is_found() -> None:
    people, plan = one_busy_person(), plan_for(FRIDAY_ON)
    wrong = [replace(r, bound_l2=10 * r.bound_l2) for r in plan.requests]
    found = judged(all_totals(people, plan, FRIDAY_ON, wrong), {r.name: NOBODY for r in wrong}, plan.requests)
    assert {name.split("@")[0] for name in found} >= {"destinations", "visitors", "distances", "od_hour", "transitions"}
    assert len(found) > 10
    assert set(found.values()) == {"the table moved by more than its norm"}
    right = all_totals(people, plan, FRIDAY_ON, plan.requests)
    assert not judged(right, {r.name: NOBODY for r in plan.requests}, plan.requests)


def test_counts_without_any_bound_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    people, plan = one_busy_person(), plan_for(FRIDAY_ON)
    monkeypatch.setattr(bounding, "fixed_contributions", lambda rows, bound_l2: rows.mutate(fixed=(rows.weight * 1024).cast("int64")))
    some = [r for r in plan.requests if r.statistic in ("destinations", "od", "od_hour", "transitions", "departures")]
    found = judged(all_totals(people, plan, FRIDAY_ON, some), {r.name: NOBODY for r in some}, some)
    assert set(found) == {r.name for r in some} and "a cell moved by more than one person" in found.values()


def test_a_bound_for_one_day_type_is_found_to_be_too_small_for_three() -> None:
    """`per_day_type` must widen the bound: a table that was bounded for three day types moves more than one allows."""
    people, plan = one_busy_person(), plan_for(FRIDAY_ON)
    some = [r for r in plan.requests if r.statistic in ("od_hour", "presence")]
    before = all_totals(people, plan, FRIDAY_ON, some)
    for r in some:
        assert violation(before[r.name], NOBODY, r.bound_l2) is None
        assert violation(before[r.name], NOBODY, r.bound_l2 / math.sqrt(3)) == "the table moved by more than its norm", r.name


def test_a_subscriber_who_weighs_on_others_is_found() -> None:
    """A count as a share of all people moves with everyone: the movement is no longer the subscriber's own."""
    people, plan = busy(FRIDAY_ON, 10), plan_for(FRIDAY_ON)

    def shares(who: Population) -> Counts:
        rows = cells(STATISTICS["home"], code(who, plan, FRIDAY_ON), "zone")
        return bounding.totals(BACKEND, rows.mutate(weight=rows.weight / rows.person_id.nunique().over()), 1.0)

    before, after = shares(people), shares(people.without(3))
    assert min(movement(before, after).values()) < 0


@pytest.mark.parametrize(("before", "bound", "says"), [
    (([5], [1024]), 1.0, None),
    (([5], [1025]), 2.0, "a cell moved by more than one person"),
    (([5, 6], [724, 724]), 1.0, None),
    (([5, 6], [725, 725]), 1.0, "the table moved by more than its norm"),
    (([5, 5], [1, 1]), 1.0, "a cell stands twice"),
    (([5], [0.5]), 1.0, "a count is not a whole number"),
])  # fmt: skip
def test_the_judge_by_hand(before: Any, bound: float, says: str | None) -> None:
    counts = np.array(before[0], dtype=np.int64), np.array(before[1])
    assert violation(counts, NOBODY, bound) == says
    if says is None or "moved" in says:
        assert violation(NOBODY, counts, bound) == says


@pytest.mark.parametrize("period", [MONDAY, FRIDAY_ON, FORTNIGHT], ids=lambda p: f"{p.days} days")
def test_noise_is_scaled_to_the_norm_with_its_slack(period: Period) -> None:
    plan = plan_for(period)
    for r in plan.requests:
        assert rho_of(r.bound_l2 * ROUNDING_SLACK, plan.sigma_of(r)) <= plan.rho_of(r) * (1 + 1e-12), r.name
