"""Made-up people for the laws: a small town with three levels, and random populations over it, shy and busy."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import shapely
from hypothesis import strategies as st

from synthmob.domain import AGE_BAND, APPS, DIRECTIONS, KINDS, MODES, OUTSIDE, PURPOSES, SEX, UNKNOWN
from synthmob.period import Period
from synthmob.zonelevels import level_of, zone_level
from synthmob.zones import Zoning

MONDAY = Period(datetime.date(2026, 3, 2), 1, "Europe/London")
FRIDAY_ON = Period(datetime.date(2026, 3, 6), 4, "Europe/London")
FORTNIGHT = Period(datetime.date(2026, 3, 2), 14, "Europe/London")
PERIODS = (MONDAY, FRIDAY_ON, FORTNIGHT)

PERSON_SCHEMA = pa.schema({
    "person_id": pa.int64(), "sex": pa.string(), "age_band": pa.string(), "worker": pa.string(),
    "home_zone": pa.string(), "work_zone": pa.string()})  # fmt: skip
STAY_SCHEMA = pa.schema({
    "person_id": pa.int64(), "day": pa.int32(), "seq": pa.int32(), "purpose": pa.string(), "zone_id": pa.string(),
    "start_min": pa.int32(), "end_min": pa.int32(), "mode": pa.string()})  # fmt: skip
EVENT_SCHEMA = pa.schema({
    "person_id": pa.int64(), "at_s": pa.int64(), "zone_id": pa.string(), "kind": pa.string(), "direction": pa.string(),
    "app": pa.string(), "duration_s": pa.float64(), "volume_kb": pa.float64()})  # fmt: skip

Row = dict[str, Any]


EAST_KM, NORTH_KM = (0.0, 0.63, 2.1, 5.2, 14.7), (0.0, 1.1, 6.4, 41.0)
"""The lines between the zones of the town: near and far places, so that distances of all bands occur."""


def town() -> Zoning:
    """Twelve rectangles near London in three levels: zones z0, z1, ... along the rows, 4 blocks, 2 districts."""
    longitudes = [-0.2 + km / (111.2 * np.cos(np.radians(51.4))) for km in EAST_KM]
    latitudes = [51.4 + km / 111.2 for km in NORTH_KM]
    cells = [(i, j) for j in range(len(latitudes) - 1) for i in range(len(longitudes) - 1)]
    shapes = [shapely.box(longitudes[i], latitudes[j], longitudes[i + 1], latitudes[j + 1]) for i, j in cells]
    ids = [f"z{k}" for k in range(len(cells))]
    block = level_of("block", [f"b{i // 2}{j // 2}" for i, j in cells])
    district = level_of("district", [f"d{i // 2}" for i, _ in cells])
    return Zoning(tuple(ids), np.array(shapes, dtype=object), (zone_level(ids), block, district))


@dataclass(frozen=True)
class Population:
    """Rows of PERSONS, of STAYS and, where the population has phones, of EVENTS."""

    persons: tuple[Row, ...]
    stays: tuple[Row, ...]
    events: tuple[Row, ...] = ()

    def without(self, person_id: int) -> Population:
        """The same people without one of them."""
        return Population(*(tuple(r for r in rows if r["person_id"] != person_id) for rows in self._all()))

    def shuffled(self, seed: int) -> Population:
        """The same rows in another order: a table has none."""
        order = random.Random(seed)
        return Population(*(tuple(order.sample(rows, len(rows))) for rows in self._all()))

    def _all(self) -> tuple[tuple[Row, ...], ...]:
        return self.persons, self.stays, self.events

    def events_table(self) -> Any:
        """EVENTS as an ibis table."""
        return _table(self.events, EVENT_SCHEMA, ())

    def tables(self, *, without: Sequence[str] = ()) -> tuple[Any, Any]:
        """PERSONS and STAYS as ibis tables, some columns left out."""
        return _table(self.persons, PERSON_SCHEMA, without), _table(self.stays, STAY_SCHEMA, without)


def _table(rows: Sequence[Row], schema: pa.Schema, without: Sequence[str]) -> Any:
    table = pa.Table.from_pylist(list(rows), schema=schema)
    return ibis.memtable(table.select([name for name in table.column_names if name not in without]))


def a_day(person_id: int, day: int, n_stays: int, seed: int, zoning: Zoning) -> list[Row]:
    """One day of so many stays, in few or many places and purposes, with and without time between them."""
    chance = random.Random(seed)
    zones = chance.sample([*zoning.ids, OUTSIDE, None], chance.choice((1, 2, 3, zoning.n_zones)))
    purposes = chance.sample([*PURPOSES, "church", None], chance.choice((1, 2, 3, len(PURPOSES))))
    modes = [*MODES, "camel", None]
    times = sorted(chance.choices(range(1441), k=2 * n_stays))
    step = chance.choice((1, 3))
    return [{
        "person_id": person_id, "day": day, "seq": 5 + step * k, "purpose": chance.choice(purposes),
        "zone_id": chance.choice(zones), "start_min": times[2 * k] if k else 0, "end_min": times[2 * k + 1],
        "mode": chance.choice(modes)} for k in range(n_stays)]  # fmt: skip


def a_phone(person_id: int, n: int, seed: int, zoning: Zoning, period: Period) -> list[Row]:
    """So many events of one person, in few or many places, hours and kinds, some of them outside the period."""
    chance = random.Random(seed)
    zones = chance.sample([*zoning.ids, OUTSIDE, None], chance.choice((1, 2, 4, zoning.n_zones)))
    kinds = chance.sample([*KINDS, "telex", None], chance.choice((1, 2, 6)))
    apps = chance.sample([*APPS, "poetry", None], chance.choice((1, 3, 20)))
    last = chance.choice((3600, 86_400, period.days * 86_400 + 60))
    return [{
        "person_id": person_id, "at_s": chance.randrange(-30, last), "zone_id": chance.choice(zones), "kind": chance.choice(kinds),
        "direction": chance.choice([*DIRECTIONS, "up", None]), "app": chance.choice(apps),
        "duration_s": chance.choice((None, 0.0, 1.0, 59.5, 60.0, 10.0 ** chance.uniform(0, 5))),
        "volume_kb": chance.choice((None, 0.0, 1.0, 10.0 ** chance.uniform(0, 8)))} for _ in range(n)]  # fmt: skip


def _person(person_id: int, zoning: Zoning) -> st.SearchStrategy[Row]:
    places = st.sampled_from([*zoning.ids[:3], zoning.ids[-1], OUTSIDE, None])
    return st.fixed_dictionaries({
        "person_id": st.just(person_id), "sex": st.sampled_from([*SEX, "x", None]),
        "age_band": st.sampled_from([*AGE_BAND, "old", None]), "worker": st.sampled_from(["yes", "no"]),
        "home_zone": places | st.just(UNKNOWN), "work_zone": places})  # fmt: skip


@st.composite
def populations(
    draw: st.DrawFn, zoning: Zoning, period: Period, *, most: int = 6, sizes: Sequence[int] = (1, 2, 3, 4, 5, 7, 8, 9, 11, 24)
) -> Population:
    """People with days inside and outside the period, of as many stays as `sizes` says."""
    persons: list[Row] = []
    stays: list[Row] = []
    day = st.tuples(st.integers(-1, period.days), st.sampled_from(list(sizes)), st.integers(0, 2**20))
    events: list[Row] = []
    for person_id in draw(st.lists(st.integers(-5, 2**40), min_size=1, max_size=most, unique=True)):
        events += a_phone(person_id, draw(st.sampled_from((0, 1, 5, 40))), draw(st.integers(0, 2**20)), zoning, period)
        persons.append(draw(_person(person_id, zoning)))
        for k, n_stays, seed in draw(st.lists(day, max_size=period.days + 2, unique_by=lambda d: d[0])):
            stays += a_day(person_id, k, n_stays, seed, zoning)
    return Population(tuple(persons), tuple(stays), tuple(events)).shuffled(len(stays))


def crowd(n: int, zoning: Zoning, period: Period, seed: int, sizes: Iterable[int]) -> Population:
    """Many people at once, each on every day of the period: what no search would draw in time. A third work at their work place."""
    chance = random.Random(seed)
    lengths = list(sizes)
    persons, stays = [], []
    for person_id in range(n):
        home, work = chance.choice([*zoning.ids, OUTSIDE, UNKNOWN]), chance.choice([*zoning.ids, OUTSIDE, None])
        persons.append({
            "person_id": person_id, "sex": chance.choice([*SEX, None]), "age_band": chance.choice([*AGE_BAND, None]),
            "worker": chance.choice(["yes", "no"]), "home_zone": home, "work_zone": work})  # fmt: skip
        for day in range(period.days):
            stays += [
                stay | ({"zone_id": work} if stay["purpose"] == "work" and person_id % 3 == 0 else {})
                for stay in a_day(person_id, day, chance.choice(lengths), chance.getrandbits(32), zoning)]
    phones = (a_phone(person_id, (0, 2, 5, 9, 20, 60, 150, 400)[person_id % 8], person_id + seed, zoning, period) for person_id in range(n))
    return Population(tuple(persons), tuple(stays), tuple(row for phone in phones for row in phone))
