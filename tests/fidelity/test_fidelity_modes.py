"""Modes compared: at their best, at their worst, by hand, and left out where a side does not know how people travelled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from strategies import MONDAY, town

from synthmob.counts import STATISTICS, Public
from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.fidelity.inside import compare_inside
from synthmob.fidelity.modes import MODE_METRICS, NO_MODES
from synthmob.fidelity.outside import compare_outside
from synthmob.fidelity.scores import tvd_within
from synthmob.fidelity.sides import Tables
from synthmob.marginals import Marginal
from synthmob.published import NO_CLAIM
from synthmob.release import Release

TOWN = town()
NAMES = [metric.name for metric in MODE_METRICS]
PERSONS = pd.DataFrame({"person_id": range(4), "worker": ["yes"] * 4, "home_zone": ["z0"] * 4, "work_zone": ["z3"] * 4})


def side(*modes: tuple[str | None, ...], minutes: int = 20) -> Tables:
    """Four people who go out and back and out and back, by these four modes each."""
    zones, purposes = ("z0", "z3", "z0", "z0", "z0"), ("home", "work", "home", "shop", "home")
    rows = [
        {"person_id": who, "day": 0, "seq": k, "purpose": purposes[k], "zone_id": zones[k], "start_min": 0 if k == 0 else 200 * k + minutes,
         "end_min": 200 * (k + 1) if k < 4 else 1440, "mode": None if k == 0 else modes[who][k - 1]}
        for who in range(4) for k in range(5)]  # fmt: skip
    return Tables(PERSONS, pd.DataFrame(rows))


def inside(one: Tables, two: Tables) -> Any:
    return compare_inside(one, two, TOWN, Domain(), MONDAY, connect(threads=1), bootstraps=2, metrics=())


def values(found: Any) -> dict[str, float]:
    return {f.name: f.value for f in found.metrics if f.name in NAMES}


CARS = [("car", "car", "walking", "walking")] * 4


def test_the_same_modes_are_no_distance_apart() -> None:
    found = inside(side(*CARS), side(*CARS))
    assert values(found) == dict.fromkeys(NAMES, 0.0) and NO_MODES not in found.notes
    assert next(f for f in found.metrics if f.name == "mode_by_distance_tvd").baseline == pytest.approx(0.5)


def test_other_modes_are_as_far_as_can_be() -> None:
    found = values(inside(side(*CARS), side(*[("train", "bus", "train", "bus")] * 4, minutes=50)))
    # After home the truth changes from car to walking; away from home it keeps what it has, and the others never do.
    assert found["mode_tvd"] == found["mode_by_distance_tvd"] == 1.0 and found["mode_again_tvd"] == pytest.approx(2 / 3)
    assert found["travel_by_mode_min"] > 20


def test_distances_that_were_worked_out_by_hand() -> None:
    """One of four walks to work and back, who all drove: a quarter of half of all trips; and everybody takes five minutes longer."""
    walks = ("walking", "walking", "walking", "walking")
    found = values(inside(side(*CARS), side(*CARS[:3], walks, minutes=25)))
    assert found["mode_tvd"] == pytest.approx(1 / 8) and found["mode_by_distance_tvd"] == pytest.approx(1 / 8)
    assert found["mode_again_tvd"] == pytest.approx(1 / 4 / 3) and found["travel_by_mode_min"] == pytest.approx(5.0)
    assert tvd_within(np.array([[6.0, 2.0], [0.0, 0.0]]), np.array([[1.0, 1.0], [5.0, 0.0]])) == pytest.approx(0.25)


def without(tables: Tables) -> Tables:
    return tables._replace(stays=tables.stays.drop(columns="mode"))


@pytest.mark.parametrize("known", [(True, False), (False, False)])
def test_where_a_side_does_not_know_modes_they_are_left_out(known: tuple[bool, bool]) -> None:
    one, two = (side(*CARS) if knows else without(side(*CARS)) for knows in known)
    found = inside(one, two)
    assert values(found) == {} and (NO_MODES in found.notes) == any(known)


@pytest.mark.parametrize("knows", [True, False])
def test_released_tables_of_modes_are_compared_with_who_knows_modes(knows: bool) -> None:
    public = Public(TOWN, Domain(), MONDAY)
    people = Marginal("demographics", STATISTICS["demographics"].axes(public, ""), np.array([[0, 0, 0]]), np.array([4.0]))
    shares = Marginal("mode_share", STATISTICS["mode_share"].axes(public, ""), np.array([[0], [2]]), np.array([1.0, 1.0]))
    release = Release({"demographics": people, "mode_share": shares}, {"privacy": {"claim": NO_CLAIM}})
    persons = PERSONS.assign(sex="female", age_band="0-15")
    tables = side(*CARS)._replace(persons=persons)
    found = compare_outside(release, tables if knows else without(tables), TOWN, Domain(), MONDAY, connect(threads=1), draws=2)
    assert [t.table for t in found.tables] == ["demographics", *(["mode_share"] if knows else [])]
    assert any("tables of modes: left out" in note for note in found.notes) is not knows
    assert not knows or found.tables[1].tvd == pytest.approx(0.0)
