"""What becomes of a label, a number, a zone and a day before anything is counted."""

from __future__ import annotations

import datetime
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import FRIDAY_ON, Population, Row, town

from synthmob.counts import Coded, coded
from synthmob.counts.coded import band, category
from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.period import Period

TOWN = town()
N = TOWN.n_zones
BACKEND = connect(threads=1)
PERSON = {"person_id": 1, "sex": "male", "age_band": "65+", "worker": "yes", "home_zone": "z0", "work_zone": "z5"}
STAY = {"person_id": 1, "day": 0, "seq": 0, "purpose": "home", "zone_id": "z0", "start_min": 0, "end_min": 1440, "mode": "car"}


def code(persons: list[Row], stays: list[Row], period: Period = FRIDAY_ON, drop: tuple[str, ...] = ()) -> Coded:
    people, days = Population(tuple(persons), tuple(stays)).tables(without=drop)
    return coded(BACKEND, people, days, TOWN, Domain(), period, name="coded")


def rows(table: Any, *order: str) -> list[Row]:
    return BACKEND.to_pyarrow(table.order_by(list(order))).to_pylist()


def evaluate(values: list[Any], kind: pa.DataType, expression: Any) -> list[Any]:
    table = ibis.memtable(pa.table({"at": list(range(len(values))), "x": pa.array(values, kind)}))
    return BACKEND.to_pyarrow(table.select("at", y=expression(table.x)).order_by("at"))["y"].to_pylist()


@given(st.lists(st.text("abc", max_size=2) | st.none()), st.lists(st.text("abc", max_size=2), min_size=1, unique=True))
@settings(max_examples=25)
def test_a_label_that_no_axis_has_counts_as_the_last_category(said: list[str | None], labels: list[str]) -> None:
    wanted = [labels.index(x) if x in labels else len(labels) - 1 for x in said]
    assert evaluate(said, pa.string(), lambda x: category(x, labels)) == wanted


@given(st.data(), st.lists(st.integers(1, 1000), unique=True).map(lambda inner: [0, *sorted(inner)]))
@settings(max_examples=25)
def test_bands_are_right_open_and_the_last_is_open_above(data: st.DataObject, edges: list[int]) -> None:
    values = data.draw(st.lists(st.none() | st.integers(0, 1100) | st.sampled_from(edges), max_size=30))
    wanted = [99 if v is None else max(k for k, edge in enumerate(edges) if edge <= v) for v in values]
    assert evaluate(values, pa.float64(), lambda x: band(x, edges, missing=99)) == wanted
    assert evaluate(values, pa.int32(), lambda x: band(x, edges, missing=99)) == wanted


def test_what_lies_below_the_first_edge_is_in_the_first_band() -> None:
    assert evaluate([-5.0, 0.0, 2.0], pa.float64(), lambda x: band(x, (1, 2))) == [0, 0, 1]


@pytest.mark.parametrize(("first", "days", "kinds"), [
    ("2026-03-06", 4, [0, 1, 2, 0]),  # Friday to Monday
    ("2026-03-07", 2, [0, 1]),  # Saturday and Sunday are the only types
    ("2026-03-08", 2, [1, 0]),  # Sunday, Monday: weekday comes first in any period
    ("2026-03-08", 1, [0]),
])  # fmt: skip
def test_day_types_are_codes_into_those_of_the_period(first: str, days: int, kinds: list[int]) -> None:
    period = Period(datetime.date.fromisoformat(first), days)
    table = code([PERSON], [{**STAY, "day": day} for day in range(days)], period)
    assert [r["day_type"] for r in rows(table.visits, "day")] == kinds
    assert len(period.day_types) == len(set(kinds))


def test_days_outside_the_period_and_unknown_people_are_dropped() -> None:
    stays = [{**STAY, "day": day} for day in (-1, 0, 3, 4, 1000, None)] + [{**STAY, "person_id": 2}]
    table = code([PERSON], stays)
    found = rows(table.visits, "day")
    assert [(r["person_id"], r["day"]) for r in found] == [(1, 0), (1, 3)]
    assert [(r["n_days"], r["all_days"]) for r in found] == [(2, 2), (2, 2)]


def test_who_was_never_seen_is_still_a_person() -> None:
    table = code([PERSON, {**PERSON, "person_id": 2}], [])
    assert [r["person_id"] for r in rows(table.persons, "person_id")] == [1, 2]
    assert rows(table.visits, "person_id") == []


def test_zones_outside_unknown_and_absent() -> None:
    said = [("z3", "z4"), (None, None), ("outside", "outside"), ("unknown", "z11"), ("z11", None)]
    people = [{**PERSON, "person_id": k, "home_zone": home, "work_zone": work} for k, (home, work) in enumerate(said)]
    table = code(people, [{**STAY, "zone_id": None}, {**STAY, "seq": 1, "zone_id": "outside"}, {**STAY, "seq": 2}])
    found = [(r["home"], r["work"]) for r in rows(table.persons, "person_id")]
    assert found == [(3, 4), (N, N), (N, N), (N + 1, 11), (11, N)]
    assert [r["zone"] for r in rows(table.visits, "rank")] == [N, N, 0]
    idle = code([{**PERSON, "worker": "no"}], [])
    assert [r["work"] for r in rows(idle.persons, "person_id")] == [-1]


def test_missing_attributes_and_modes() -> None:
    table = code([PERSON], [STAY], drop=("sex", "age_band", "mode"))
    assert [(r["sex"], r["age_band"]) for r in rows(table.persons, "person_id")] == [(2, 7)]
    assert [r["mode"] for r in rows(table.visits, "rank")] == [-1]


def test_the_order_within_a_day_is_that_of_seq_whatever_its_numbers() -> None:
    stays = [{**STAY, "seq": seq, "purpose": purpose} for seq, purpose in ((40, "shop"), (-2, "home"), (7, "work"))]
    found = rows(code([PERSON], stays).visits, "rank")
    assert [(r["rank"], r["purpose"], r["previous_purpose"], r["next_purpose"]) for r in found] == [
        (0, 0, -1, 1), (1, 1, 0, 3), (2, 3, 1, -1)]  # fmt: skip
    assert {r["chain"] for r in found} == {Domain().chain_axis.code("home-work-shop")}


def test_a_day_too_long_for_a_chain_has_none() -> None:
    for n, known in ((8, True), (9, False), (40, False)):
        found = rows(code([PERSON], [{**STAY, "seq": k} for k in range(n)]).visits, "rank")
        assert {r["chain"] >= 0 for r in found} == {known}
        assert {r["n_stays"] for r in found} == {n}


@pytest.mark.parametrize("level", ["zone", "block", "district"])
def test_areas_of_all_zones_outside_and_unknown(level: str) -> None:
    table = code([PERSON], [])
    zones = list(range(N + 2))
    parents = TOWN.parent_of(level).tolist()
    assert evaluate(zones[:-1], pa.int32(), lambda x: table.area(x, level)) == parents
    found = evaluate(zones, pa.int32(), lambda x: table.area(x, level, unknown=True))
    assert found == [*parents, len(TOWN.level(level).labels) + 1]


def test_two_codings_live_on_one_backend() -> None:
    """The synthetic days must not be coded over the private ones."""
    persons, stays = Population((PERSON,), (STAY,)).tables()
    first = coded(BACKEND, persons, stays, TOWN, Domain(), FRIDAY_ON, name="first")
    no_persons, no_stays = Population((), ()).tables()
    second = coded(BACKEND, no_persons, no_stays, TOWN, Domain(), FRIDAY_ON, name="second")
    assert len(rows(first.visits, "rank")) == 1 and rows(second.visits, "rank") == []
