"""Blocks as tables: the columns of schema.py and no others, nulls where a place is outside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import handmade
import numpy as np
import pyarrow as pa
import pytest
from handmade import IDS, OUTSIDE

from synthmob import schema
from synthmob.domain import Domain
from synthmob.synthesis import tables
from synthmob.synthesis.days import Block, Population, generate

KINDS = {"int64": pa.int64(), "int32": pa.int32(), "float64": pa.float64(), "float32": pa.float32(), "string": pa.string()}


@pytest.fixture(scope="module")
def population() -> Population:
    return generate(handmade.model(), n_persons=1_500, days=3, seed=6)


@pytest.fixture(scope="module")
def block(population: Population) -> Block:
    return population.block(0)


@pytest.fixture(scope="module")
def made(population: Population, block: Block) -> dict[str, pa.Table]:
    return {
        "persons": tables.persons_table(population, block.people), "stays": tables.stays_table(population, block),
        "trips": tables.trips_table(population, block)}  # fmt: skip


def nulls_of(table: pa.Table, column: str) -> Any:
    return np.asarray(table[column].is_null().combine_chunks())


def labels(table: pa.Table, column: str) -> list[Any]:
    return table[column].to_pylist()


@pytest.mark.parametrize("what", [schema.PERSONS, schema.STAYS, schema.TRIPS], ids=lambda t: t.name)
def test_columns_are_exactly_those_of_the_schema(made: dict[str, pa.Table], what: schema.Table) -> None:
    table = made[what.name]
    found = [(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in table.schema]
    assert found == [(c.name, KINDS[c.dtype]) for c in what.columns if c.name not in ("weight", "mode")]
    table.validate(full=True)


def test_persons_are_told_in_words(made: dict[str, pa.Table], block: Block) -> None:
    persons, domain = made["persons"], handmade.DOMAIN
    assert labels(persons, "person_id") == list(range(1_500))
    sex, age = np.divmod(block.people.klass // 2, len(domain.age_band))
    assert labels(persons, "sex") == [domain.sex[k] for k in sex]
    assert labels(persons, "age_band") == [domain.age_band[k] for k in age]
    assert labels(persons, "worker") == ["no" if w < 0 else "yes" for w in block.people.work]
    work = labels(persons, "work_zone")
    assert work == [None if w < 0 else (*IDS, "outside")[w] for w in block.people.work] and "outside" in work


def test_a_home_outside_is_said_and_a_stay_outside_is_null(made: dict[str, pa.Table], block: Block) -> None:
    homes = labels(made["persons"], "home_zone")
    assert homes == [(*IDS, "outside")[k] for k in block.people.home] and "outside" in homes
    outside = block.stays.zone == OUTSIDE
    assert outside.any() and not outside.all()
    for column in ("zone_id", "lon", "lat"):
        assert np.array_equal(nulls_of(made["stays"], column), outside)
    assert np.array_equal(nulls_of(made["persons"], "home_lon"), block.people.home == OUTSIDE)
    for column in ("person_id", "day", "seq", "purpose", "start_min", "end_min"):
        assert made["stays"][column].null_count == 0


def test_coordinates_are_those_drawn_since_rounding_could_cross_a_border(made: dict[str, pa.Table], block: Block) -> None:
    lon = made["stays"]["lon"].to_numpy()
    assert np.array_equal(lon, block.stays.lonlat[:, 0], equal_nan=True)


def test_a_trip_joins_two_stays(made: dict[str, pa.Table], population: Population, block: Block) -> None:
    s, trips = block.stays, made["trips"]
    after = np.flatnonzero(s.seq > 0)
    assert trips.num_rows == len(after)
    names = (*IDS, None)
    assert labels(trips, "origin_zone") == [names[z] for z in s.zone[after - 1]]
    assert labels(trips, "destination_zone") == [names[z] for z in s.zone[after]]
    assert labels(trips, "purpose") == [handmade.DOMAIN.purposes[p] for p in s.purpose[after]]
    assert trips["depart_min"].to_numpy().tolist() == s.end[after - 1].tolist()
    assert (trips["arrive_min"].to_numpy() > trips["depart_min"].to_numpy()).all()
    assert trips["seq"].to_numpy().min() == 0 and (trips["seq"].to_numpy() == s.seq[after] - 1).all()
    outside = (s.zone[after - 1] == OUTSIDE) | (s.zone[after] == OUTSIDE)
    assert np.array_equal(nulls_of(trips, "distance_km"), outside)
    km = trips["distance_km"].to_numpy()
    want = population.model.zoning.distances_km(s.zone[after - 1], s.zone[after]).astype(np.float32)
    assert np.array_equal(km, want, equal_nan=True)
    assert (km[~outside] > 0).all()


@pytest.mark.parametrize("known", [(), ("sex",), ("age_band",)])
def test_attributes_that_the_release_knew_nothing_of_are_left_out(known: tuple[str, ...]) -> None:
    silent = {name: ("other",) for name in ("sex", "age_band") if name not in known}
    domain = Domain(attributes=known, **silent)  # pyright: ignore[reportArgumentType]
    classes = len(domain.sex) * len(domain.age_band)
    model = handmade.model(domain=domain)
    anchors = replace(model.anchors, groups=np.ones((3, 2, classes)))
    made = generate(replace(model, anchors=anchors), n_persons=40, days=1, seed=1)
    table = tables.persons_table(made, made.who(0))
    assert table.column_names == [c for c in schema.PERSONS.names if c not in silent and c != "weight"]
    assert table.schema == tables.persons_schema(made)
