"""A small made-up operator for the attacks on trajectories and on single people, made once a process, and tiny tables by hand."""

from __future__ import annotations

import datetime
import functools
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from strategies import PERSON_SCHEMA, STAY_SCHEMA

from synthmob import worlds
from synthmob.audit.evidence import Evidence
from synthmob.audit.subject import Subject, Trial
from synthmob.marginals import Marginal, unravel
from synthmob.plan import Plan
from synthmob.private.curator import Curator, noisy_tables, release_info
from synthmob.release import Release
from synthmob.zonefiles import read_zoning

SUBSCRIBERS, DAYS = 1_000, 2
FRIDAY = datetime.date(2026, 3, 6)
FEW = tuple(r for r in Plan.standard().requests if r.name in (
    "demographics", "home_by_group@district", "home@district", "home@below", "work@district", "work@below", "home_work@district",
    "presence@district", "presence@zone", "stays_per_day", "chains"))  # fmt: skip


def by_chance(row: Evidence) -> bool:
    """Whether a value is as far from 0 as chance alone may take it, one time in a million: an interval is left one time in 20."""
    return row.low - 0.75 * (row.high - row.low) <= 0 <= row.high + 0.75 * (row.high - row.low)


def quiet(step: str) -> None:
    del step


@functools.cache
def operator() -> Subject:
    """A thousand subscribers of a made-up London on a Friday and a Saturday, and the real mechanism of a plan of a few tables."""
    with tempfile.TemporaryDirectory() as folder:
        worlds.london(SUBSCRIBERS, DAYS, seed=2, h3_resolution=6, first_day=FRIDAY).write(folder)
        zoning = read_zoning(Path(folder) / "zones.geojson")
        curator = Curator.of(folder, zoning)
        plan = curator.plan(Plan(1.0, 1e-6, requests=FEW))
        sample = curator.sample(plan)
    return Subject(
        sample.persons, sample.stays, sample.contributions, zoning, curator.period, plan,
        lambda totals: noisy_tables(plan, zoning, curator.period, totals), release_info(plan, zoning, curator.period))  # fmt: skip


@functools.cache
def released() -> tuple[np.ndarray, Release]:
    """Half of the people, and a release about them."""
    members = np.arange(SUBSCRIBERS) % 2 == 0
    return members, operator().release(members)


def some(subject: Subject, who: np.ndarray) -> tuple[pa.Table, pa.Table]:
    """PERSONS and STAYS of some of a subject's people."""
    chosen = pa.array(np.flatnonzero(who))
    persons, stays = (table.filter(pc.is_in(table["person_id"], value_set=chosen)) for table in (subject.persons, subject.stays))
    return persons, stays


def trial(made_of: np.ndarray) -> Trial:
    """The release of half of the people, with copies of some people in place of synthetic ones."""
    return Trial(*released(), *some(operator(), made_of))


def independent() -> tuple[Subject, Trial]:
    """The first six hundred people, half of them members, with the other four hundred in place of synthetic people."""
    subject, (members, release) = operator(), released()
    first = np.arange(SUBSCRIBERS) < 600
    persons, stays = some(subject, first)
    return replace(subject, persons=persons, stays=stays), Trial(members[first], release, *some(subject, ~first))


def exactly(subject: Subject, totals: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, Marginal]:
    """A mechanism with neither noise nor cut: the leak that an attack must find."""
    axes = {name: table.axes for name, table in subject.contributions.items()}
    return {
        name: Marginal(name, axes[name], unravel(cells, axes[name]), fixed / 1024, sigma=1e-9)
        for name, (cells, fixed) in totals.items()}


def tables(persons: Sequence[tuple[object, ...]], stays: Sequence[tuple[object, ...]]) -> tuple[pa.Table, pa.Table]:
    """PERSONS (id, sex, age_band, worker, home, work) and STAYS (id, day, seq, purpose, zone, start, end, mode) from rows."""
    both = ((persons, PERSON_SCHEMA), (stays, STAY_SCHEMA))
    first, second = (
        pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema) for rows, schema in both)
    return first, second
