"""What an audit attacks: real people with what they add to every table, the mechanism that releases them, and one trial of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthmob.counts import Contributions
from synthmob.marginals import Marginal
from synthmob.model.mobility import fit
from synthmob.period import Period
from synthmob.plan import Plan
from synthmob.release import Release
from synthmob.synthesis.days import generate
from synthmob.synthesis.tables import persons_table, stays_table
from synthmob.zones import Zoning

Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Publish = Callable[[Mapping[str, tuple[Int64Array, Int64Array]]], dict[str, Marginal]]
"""Occupied cells and exact bounded counts (1/1024 person) by table in; the tables as they are released out, noise and cut applied."""


@dataclass(frozen=True, eq=False)
class Subject:
    """People of the records (or of a world) and the real mechanism. Confidential where they are real.

    `persons` and `stays` are Arrow tables in the columns of schema.PERSONS and STAYS; person_id runs from 0 to n - 1 in a random
    order. `contributions` are every person's bounded parts of every table of the resolved `plan`. `publish` is the curator's own
    noise and cut, drawn afresh at each call; `info` what a release says beside its tables.
    """

    persons: pa.Table
    stays: pa.Table
    contributions: Mapping[str, Contributions]
    zoning: Zoning
    period: Period
    plan: Plan
    publish: Publish
    info: Mapping[str, Any]

    @property
    def n(self) -> int:
        """How many people there are."""
        return len(self.persons)

    def release(self, members: BoolArray) -> Release:
        """A release about the `members` (n,) alone, with fresh noise."""
        tables = {name: table.totals(members) for name, table in self.contributions.items()}
        return Release(self.publish(tables), dict(self.info))


@dataclass(frozen=True, eq=False)
class Trial:
    """One release about half of the people, and synthetic people made from it; the other half are fresh controls.

    `members` (n,) says who is in the release. `made_persons`, `made_stays` are Arrow tables like those of the subject, with as many
    persons as there are members, over the days of the period.
    """

    members: BoolArray
    release: Release
    made_persons: pa.Table
    made_stays: pa.Table


def trial(subject: Subject, members: BoolArray, seed: int) -> Trial:
    """Release the members, fit, and generate as many synthetic people."""
    release = subject.release(members)
    made = generate(fit(release, subject.zoning), n_persons=int(members.sum()), days=subject.period.days, seed=seed)
    blocks = list(made.prepare().blocks())
    persons = pa.concat_tables([persons_table(made, block.people) for block in blocks], promote_options="default")
    stays = pa.concat_tables([stays_table(made, block) for block in blocks], promote_options="default")
    return Trial(members, release, persons, stays)


def halves(n: int, rng: np.random.Generator) -> BoolArray:
    """Who of n people is a member: exactly half of them (rounded down), at random."""
    members = np.zeros(n, dtype=np.bool_)
    members[rng.permutation(n)[: n // 2]] = True
    return members
