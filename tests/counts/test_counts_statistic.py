"""What every statistic owes: cells inside its axes, the same people at every level, and contributions that can be bounded."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import FRIDAY_ON, PERIODS, Population, crowd, town

from synthmob.counts import STATISTICS, Coded, Public, Statistic, bounded, cells, coded, count, table_name
from synthmob.domain import UNKNOWN, Axis, Domain
from synthmob.engine import connect
from synthmob.errors import FormatError
from synthmob.marginals import Marginal
from synthmob.plan import Plan
from synthmob.usageplan import USAGE_COLUMNS

TOWN = town()
BACKEND = connect(threads=1)
REQUESTS = Plan.standard().resolve(TOWN, FRIDAY_ON, attributes=("sex", "age_band"), modes=True, usage=USAGE_COLUMNS).requests
SPATIAL = [name for name, statistic in STATISTICS.items() if statistic.spatial]


@pytest.fixture(scope="module")
def busy() -> Coded:
    people = crowd(60, TOWN, FRIDAY_ON, 3, (1, 3, 5, 30))
    persons, stays = people.tables()
    return coded(BACKEND, persons, stays, TOWN, Domain(), FRIDAY_ON, name="busy", events=people.events_table())


def exact(table: Coded, name: str, level: str, bound: float | None = None) -> Marginal:
    return count(STATISTICS[name], table, level, bound_l2=bound, confidential=True)


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("period", PERIODS, ids=lambda p: f"{p.days} days")
def test_axes_come_from_public_things_and_are_named_apart(name: str, period: Any) -> None:
    statistic = STATISTICS[name]
    assert statistic.name == name and statistic.word in ("anchors", "flows", "routines", "usage")
    for level in ("zone", "block", "district") if statistic.spatial else ("",):
        axes = statistic.axes(Public(TOWN, Domain(), period), level)
        names = [axis.name for axis in axes]
        assert len(set(names)) == len(names) and not set(names) & {"count", "person_id", "weight"}
        assert math.prod(axis.size for axis in axes) < 2**53


def test_the_standard_plan_asks_for_every_statistic_and_no_other() -> None:
    assert {r.statistic for r in Plan.standard().requests} == set(STATISTICS)
    assert all(bool(r.level) == STATISTICS[r.statistic].spatial for r in Plan.standard().requests)


def coarser(name: str, found: Marginal, level: str) -> Marginal:
    """A table counted by zone, added up to a level: the axes of zones are known by their labels."""
    labels, parents = TOWN.level_labels("zone"), TOWN.parent_of(level)
    with_unknown = np.append(parents, parents.max() + 1)
    axes = STATISTICS[name].axes(Public(TOWN, Domain(), FRIDAY_ON), level)
    codes = found.codes.copy()
    for k, axis in enumerate(found.axes):
        if axis.size in (len(labels), len(labels) + 1) and axis.label(0) == labels[0]:
            codes[:, k] = with_unknown[codes[:, k]]
    return Marginal.of(f"{name}@{level}", axes, codes, found.values)


@pytest.mark.parametrize("level", ["block", "district"])
@pytest.mark.parametrize("name", SPATIAL)
def test_levels_count_the_same_people(busy: Coded, name: str, level: str) -> None:
    fine, found = coarser(name, exact(busy, name, "zone"), level), exact(busy, name, level)
    assert len(found.values) > 1 and np.array_equal(fine.codes, found.codes)
    if name == "visitors":  # who visits two zones of an area is one visitor there
        assert (found.values <= fine.values + 1e-9).all() and found.total < fine.total
    else:
        assert found.values == pytest.approx(fine.values)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: r.name)
def test_a_bound_only_takes_away(busy: Coded, request_: Any) -> None:
    free = exact(busy, request_.statistic, request_.level)
    held = exact(busy, request_.statistic, request_.level, request_.bound_l2)
    assert np.array_equal(free.codes, held.codes)
    assert (held.values <= free.values + 1e-9).all() and (held.values > 0).all()
    assert free.confidential and held.confidential
    assert (free.bound_l2, held.bound_l2) == (0.0, request_.bound_l2)
    assert held.name == request_.name == table_name(request_.statistic, request_.level)


Weights = dict[tuple[int, int], float]


@given(st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 30)), st.floats(1e-6, 50), max_size=60), st.floats(0.1, 6))
@settings(max_examples=40)
def test_bounded_caps_cells_at_one_and_scales_the_rest(weights: Weights, bound: float) -> None:
    table = pa.table({
        "person_id": pa.array([p for p, _ in weights], pa.int64()), "cell": pa.array([c for _, c in weights], pa.int64()),
        "weight": pa.array(list(weights.values()), pa.float64())})  # fmt: skip
    rows = BACKEND.to_pyarrow(bounded(ibis.memtable(table), bound)).to_pylist()
    found = {(r["person_id"], r["cell"]): r["weight"] for r in rows}
    assert found.keys() == weights.keys()
    for person in {p for p, _ in weights}:
        mine = {key: min(w, 1.0) for key, w in weights.items() if key[0] == person}
        norm = math.sqrt(sum(w * w for w in mine.values()))
        scale = 1.0 if norm <= bound else bound / norm
        assert {k: found[k] for k in mine} == pytest.approx({k: w * scale for k, w in mine.items()}, rel=2e-6)
        assert math.sqrt(sum(found[k] ** 2 for k in mine)) <= bound * (1 + 1e-9)
        if norm <= bound:  # who is within the bound is left alone to the last digit
            assert {k: found[k] for k in mine} == mine


def test_bounded_depends_on_nobody_else() -> None:
    table = pa.table({"person_id": [1, 1, 2, 2], "cell": [0, 1, 0, 1], "weight": [5.0, 0.5, 0.25, 0.25]})
    both = BACKEND.to_pyarrow(bounded(ibis.memtable(table), 1.0)).to_pylist()
    alone = BACKEND.to_pyarrow(bounded(ibis.memtable(table.slice(0, 2)), 1.0)).to_pylist()
    assert sorted(r["weight"] for r in both if r["person_id"] == 1) == sorted(r["weight"] for r in alone)


@pytest.mark.parametrize("codes", [0, -1, 3])
def test_a_code_that_no_axis_has_is_refused(busy: Coded, codes: int) -> None:
    """Only a code that leaves the whole domain can be seen: 0 is fine, -1 and 3 are not."""
    axes = (Axis("sex", ("f", "m", "x")),)
    lost = Statistic(
        "lost", "anchors", lambda public, level: axes,
        lambda table, level: table.persons.select("person_id", sex=ibis.literal(codes), weight=ibis.literal(1.0)))  # fmt: skip
    if codes == 0:
        assert count(lost, busy, "", bound_l2=None, confidential=True).total == 60
        return
    with pytest.raises(FormatError, match="a cell outside its axes"):
        count(lost, busy, "", bound_l2=None, confidential=True)


def test_an_empty_table_has_no_cells() -> None:
    persons, stays = Population((), ()).tables()
    table = coded(BACKEND, persons, stays, TOWN, Domain(), FRIDAY_ON, name="nobody")
    for name, statistic in STATISTICS.items():
        found = exact(table, name, "zone" if statistic.spatial else "", 1.0)
        assert len(found.values) == 0 and found.total == 0


def test_rows_of_one_person_and_cell_add_up(busy: Coded) -> None:
    twice = replace(STATISTICS["demographics"], rows=lambda t, level: STATISTICS["demographics"].rows(t, level).union(
        STATISTICS["demographics"].rows(t, level)))  # fmt: skip
    assert BACKEND.to_pyarrow(cells(twice, busy, ""))["weight"].to_pylist() == [2.0] * 60
    assert count(twice, busy, "", bound_l2=1.0, confidential=False).total == pytest.approx(60)


@pytest.mark.parametrize("name", [name for name, statistic in STATISTICS.items() if statistic.single])
def test_single_rows_are_one_a_person_and_cell_as_they_are(busy: Coded, name: str) -> None:
    found = BACKEND.to_pyarrow(cells(STATISTICS[name], busy, "district" if name in SPATIAL else "")).to_pandas()
    assert len(found) and not found.duplicated(["person_id", "cell"]).any()


def test_zone_axes_say_outside_and_unknown_last() -> None:
    axes = STATISTICS["home_work"].axes(Public(TOWN, Domain(), FRIDAY_ON), "district")
    assert [a.labels for a in axes if isinstance(a, Axis)] == [("d0", "d1", "outside", UNKNOWN), ("d0", "d1", "outside")]


def test_people_without_events_add_nothing_to_usage() -> None:
    """Not even days without an event: whether they have phones is not known."""
    persons, stays = crowd(20, TOWN, FRIDAY_ON, 3, (1, 3, 9)).tables()
    table = coded(BACKEND, persons, stays, TOWN, Domain(), FRIDAY_ON, name="silent")
    for name, statistic in STATISTICS.items():
        assert (exact(table, name, "zone" if statistic.spatial else "").total == 0) == (statistic.word == "usage"), name
