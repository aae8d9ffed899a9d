"""A made-up operator in London whose truth is known: people, places, weeks, and what their phones leave behind.

The process is not of the model's form. There is no gravity law, no table of chains, no Markov step: households choose
among dwellings, workers among vacancies, a week is a list of obligations and wishes that time allows or not.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from synthmob import seeds
from synthmob.errors import InputError
from synthmob.period import Period
from synthmob.worlds import geography, habits, people, places, tables, usage
from synthmob.worlds.parameters import WorldParameters
from synthmob.zones import FloatArray, IntArray, Zoning

FIRST_DAY = datetime.date(2026, 3, 2)
"""A Monday."""
BLOCK = 16_384
"""Subscribers that are worked on at a time: a row group of every file."""
_ROWS_A_DAY = 9


@dataclass(frozen=True)
class World:
    """A made-up operator: its public zoning and period, its private records, and the truth about them.

    `subscribers`, `stays`, `events` and `anchors` are Arrow tables in the record format, made when asked for.
    """

    city: geography.City
    period: Period
    people: people.People
    places: places.Places
    seed: int
    parameters: WorldParameters
    blocks: tuple[IntArray, ...] = field(repr=False)

    @property
    def zoning(self) -> Zoning:
        """H3 cells of London, a borough each as district."""
        return self.city.zoning

    @cached_property
    def subscribers(self) -> Any:
        """subscriber_id, sex, age_band."""
        return tables.subscribers(self.people, self.seed)

    @cached_property
    def anchors(self) -> Any:
        """The truth: subscriber_id, home_zone, work_zone (null for those without a workplace away from home)."""
        return tables.anchors(self.people, self.places, self.zoning)

    @cached_property
    def stays(self) -> Any:
        """subscriber_id, day, seq, purpose, zone_id, start_min, end_min; every day from 0 to 1440."""
        return tables.stays(np.concatenate(self.blocks), self.zoning, plain=True)

    @cached_property
    def events(self) -> Any:
        """subscriber_id, time, zone_id, kind, direction, duration_s, volume_kb, app."""
        return tables.events(np.concatenate(list(self.event_blocks())), self.zoning, self.period, plain=True)

    def event_blocks(self) -> Iterator[IntArray]:
        """The kernel's rows of events, a block of subscribers at a time."""
        rate = usage.rates(self.parameters, self.people, self.seed)
        taste = usage.tastes(self.people, self.seed)
        for number, rows in enumerate(self.blocks):
            mine = slice(number * BLOCK, (number + 1) * BLOCK)
            first = number * BLOCK
            yield usage.events(self.parameters, self.city, self.seed, rows, first, rate[mine], taste[mine])

    def write(self, folder: str | Path, stays: bool = True, events: bool = True) -> None:
        """Write a record folder, and the truth in `truth/` (the stays too where the records have none)."""
        records, truth = Path(folder), Path(folder) / "truth"
        truth.mkdir(parents=True, exist_ok=True)
        tables.write_parquet(records / "subscribers.parquet", iter([self.subscribers]))
        tables.write_parquet(truth / "anchors.parquet", iter([self.anchors]))
        rows = (tables.stays(block, self.zoning, plain=False) for block in self.blocks)
        tables.write_parquet((records if stays else truth) / "stays.parquet", rows)
        if events:
            rows = (tables.events(block, self.zoning, self.period, plain=False) for block in self.event_blocks())
            tables.write_parquet(records / "events.parquet", rows)
        tables.write_zones(records / "zones.geojson", self.zoning)
        tables.write_period(records / "period.toml", self.period)


def london(
    n_subscribers: int = 50_000,
    days: int = 7,
    seed: int = 1,
    h3_resolution: int = 7,
    *,
    first_day: datetime.date = FIRST_DAY,
    parameters: WorldParameters | None = None,
) -> World:
    """A made-up operator in London; the same arguments give the same records to the byte.

    >>> world = london(n_subscribers=20, days=1)
    >>> world.subscribers.num_rows, world.period.days, len(world.zoning.level("district").labels)
    (20, 1, 33)
    """
    if n_subscribers < 1:
        raise InputError(f"A world of {n_subscribers} subscribers is empty: ask for at least 1.")
    if not 6 <= h3_resolution <= 8:
        raise InputError(
            f"London's zones can be H3 cells of resolution 6, 7 or 8, not {h3_resolution}: choose one of these."
        )
    process = WorldParameters() if parameters is None else parameters
    period = Period(first_day, days, "Europe/London")
    city = geography.build(process, seed, h3_resolution)
    who = people.build(process, city, seed, n_subscribers)
    where = places.build(process, city, who, seed)
    how = habits.build(process, city, who, seed)
    blocks = tuple(_live(process, city, who, where, how, seed, period, first) for first in range(0, who.n, BLOCK))
    return World(city, period, who, where, seed, process, blocks)


def _live(
    process: WorldParameters,
    city: geography.City,
    who: people.People,
    where: places.Places,
    how: FloatArray,
    seed: int,
    period: Period,
    first: int,
) -> IntArray:
    """The stays of one block of subscribers, in the kernel's columns."""
    from synthmob.worlds import rows, week

    mine = slice(first, first + BLOCK)
    own = np.concatenate([where.xy_km[mine], where.zone[mine, :, None].astype(np.float64)], axis=2)
    about = np.column_stack([who.role[mine], who.age[mine], where.has_work[mine], where.moving[mine]]).astype(np.int64)
    key, land = seeds.stage_key(seed, "world.days"), (city.raster, city.corner_km, city.attraction)
    length = len(about) * period.days * _ROWS_A_DAY + 2 * (period.days + 1) * week.ROWS_PER_DAY
    while True:
        out = np.empty((length, rows.N_OUT), dtype=np.int64)
        n = week.weeks(
            out, key, first, period.days, period.first_day.weekday(), process.rates, how[mine], own, about, land
        )
        if n >= 0:
            return out[:n].copy()
        length *= 2
