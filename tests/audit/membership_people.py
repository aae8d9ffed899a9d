"""A small made-up operator as the subject of membership attacks, made once a process."""

from __future__ import annotations

import datetime
import functools
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthmob import worlds
from synthmob.audit.subject import Subject, Trial
from synthmob.plan import Plan
from synthmob.private.curator import Curator, noisy_tables, release_info
from synthmob.zonefiles import read_zoning

SUBSCRIBERS, DAYS = 900, 2
FRIDAY = datetime.date(2026, 3, 6)


def quiet(step: str) -> None:
    del step


@functools.cache
def operator(epsilon: float = 1.0) -> Subject:
    """Nine hundred subscribers of a made-up London on a Friday and a Saturday, and the real mechanism."""
    with tempfile.TemporaryDirectory() as folder:
        worlds.london(SUBSCRIBERS, DAYS, seed=1, h3_resolution=6, first_day=FRIDAY).write(folder)
        zoning = read_zoning(Path(folder) / "zones.geojson")
        curator = Curator.of(folder, zoning)
        plan = curator.plan(Plan.standard(epsilon, 1e-6))
        sample = curator.sample(plan)
    return Subject(
        sample.persons, sample.stays, sample.contributions, zoning, curator.period, plan,
        lambda totals: noisy_tables(plan, zoning, curator.period, totals), release_info(plan, zoning, curator.period))  # fmt: skip


def only(subject: Subject, *names: str) -> Subject:
    """The subject with some of its tables."""
    return replace(subject, contributions={name: subject.contributions[name] for name in names})


def people(subject: Subject, who: np.ndarray) -> tuple[pa.Table, pa.Table]:
    """PERSONS and STAYS of some of the subject's people."""
    chosen = pa.array(np.flatnonzero(who))
    persons, stays = (table.filter(pc.is_in(table["person_id"], value_set=chosen)) for table in (subject.persons, subject.stays))
    return persons, stays


def made_of(subject: Subject, members: np.ndarray, copied: np.ndarray) -> Trial:
    """A trial whose synthetic people are copies of some of the real ones."""
    return Trial(members, subject.release(members), *people(subject, copied))
