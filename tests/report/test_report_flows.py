"""What the page adds up is what a plain loop over the same rows adds up."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from fake_out import PERIOD, World, hexagons, write

from synthmob.errors import FormatError
from synthmob.report import flows, people
from synthmob.report.flows import DRAWN_BY_DEFAULT, PAIRS_PER_HOUR, Flows

TYPES = {"Weekday": (0, 1, 2, 3, 4), "Saturday": (5,), "Sunday": (6,)}


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return write(tmp_path_factory.mktemp("flows") / "out", hexagons(2), persons=250)


@pytest.fixture(scope="module")
def connection(world):
    return flows.opened(world.out, world.zoning)


@pytest.fixture(scope="module")
def found(world, connection):
    return flows.aggregate(connection, world.zoning, TYPES)


def rows(world: World, table: str) -> list[dict]:
    return pq.read_table(world.out / table).to_pylist()


def test_flows_equal_a_loop_over_the_trips(world, found):
    index = {z: k for k, z in enumerate(world.zoning.ids)}
    expected = Counter(
        (t["depart_min"] // 60, index[t["origin_zone"]], index[t["destination_zone"]])
        for t in rows(world, "trips")
        if t["day"] in TYPES["Weekday"]
    )
    weekday = found[0].levels["zone"]
    assert {(h, o, d): n for h, o, d, n in weekday.pairs.tolist()}.items() <= expected.items()
    for hour in range(24):
        apart = sorted((n for (h, o, d), n in expected.items() if h == hour and o != d), reverse=True)
        assert weekday.pairs[weekday.pairs[:, 0] == hour, 3].tolist() == apart[:PAIRS_PER_HOUR]
        assert weekday.between[hour] == sum(apart)
        assert weekday.inside[hour] == sum(n for (h, o, d), n in expected.items() if h == hour and o == d)


def test_districts_are_sums_of_their_zones(world, found):
    parent = world.zoning.level("district").of_zone
    index = {z: k for k, z in enumerate(world.zoning.ids)}
    expected = Counter(
        (parent[index[t["origin_zone"]]], parent[index[t["destination_zone"]]])
        for t in rows(world, "trips")
        if t["day"] == 5
    )
    saturday = found[1].levels["district"]
    assert saturday.between.sum() == sum(n for (o, d), n in expected.items() if o != d)
    assert saturday.inside.sum() == sum(n for (o, d), n in expected.items() if o == d)
    assert saturday.pairs[:, 3].sum() == saturday.between.sum()


def test_presence_and_balance(world, found):
    for day_type in found:
        at_three = day_type.presence[3]
        assert at_three.sum() == 250 * len(day_type.days)
        assert (
            day_type.arrivals.sum()
            == day_type.departures.sum()
            == (day_type.levels["zone"].between.sum() + day_type.levels["zone"].inside.sum())
        )
    stays = [s for s in rows(world, "stays") if s["day"] == 6 and s["start_min"] <= 750 < s["end_min"]]
    expected = Counter(s["zone_id"] for s in stays)
    assert found[2].presence[12].tolist() == [expected[z] for z in world.zoning.ids]


def test_the_outside_is_counted_and_never_drawn(tmp_path):
    import pyarrow as pa

    zoning = hexagons(2)
    world = write(tmp_path / "out", zoning, persons=60)
    part = world.out / "trips" / "part-00000.parquet"
    table = pq.read_table(part)
    destination = pa.array([None] * len(table), pa.string())
    pq.write_table(
        table.set_column(table.schema.get_field_index("destination_zone"), "destination_zone", destination), part
    )
    (all_days,) = flows.aggregate(flows.opened(world.out, zoning), zoning, {"All": tuple(range(7))})
    assert all_days.outside.sum() == len(table)
    assert all_days.levels["zone"].pairs[:, 1:3].max() < zoning.n_zones


def test_share_by_hand():
    pairs = np.array([[8, 0, 1, 6], [8, 1, 0, 3], [9, 0, 1, 2]])
    between = np.zeros(24, dtype=np.int64)
    between[8], between[9] = 16, 4
    assert Flows(pairs, between, between * 0).share(1) == pytest.approx(8 / 20)
    assert Flows(pairs, between, between * 0).share(DRAWN_BY_DEFAULT) == pytest.approx(11 / 20)
    assert Flows(pairs[:0], between * 0, between * 0).share() == 1.0


def test_districts_come_first_where_single_zones_say_too_little(world, found, tmp_path):
    few = hexagons(1)
    assert (
        flows.shown_level(
            flows.aggregate(flows.opened(write(tmp_path / "few", few, persons=80).out, few), few, TYPES), few
        )
        == "zone"
    )
    many = hexagons(12, 8, 6)
    big = flows.aggregate(flows.opened(write(tmp_path / "many", many, persons=2500).out, many), many, TYPES)
    assert big[0].levels["zone"].share() < flows.LEAST_SHARE_DRAWN
    assert flows.shown_level(big, many) == "district"


def test_people_are_few_and_different(world, connection):
    chosen = people.chosen(connection, world.zoning)
    assert len(chosen) == len({p.label for p in chosen}) == people.SHOWN
    assert {p.label.endswith("does not work") for p in chosen} == {True, False}
    for person in chosen:
        by_day: dict[int, list[people.Stay]] = {}
        for stay in person.stays:
            by_day.setdefault(stay.day, []).append(stay)
        assert sorted(by_day) == list(range(PERIOD.days))
        assert all(s.km == 0 for s in person.stays if s.purpose == "home")
        assert all(a.end <= b.start for day in by_day.values() for a, b in itertools.pairwise(day))


def test_a_folder_that_is_no_output_is_refused(tmp_path, world):
    with pytest.raises(FormatError, match=r"no persons\.parquet"):
        flows.opened(Path(tmp_path), world.zoning)
    (tmp_path / "persons.parquet").write_bytes((world.out / "persons.parquet").read_bytes())
    with pytest.raises(FormatError, match=r"no stays/\*\.parquet"):
        flows.opened(Path(tmp_path), world.zoning)
