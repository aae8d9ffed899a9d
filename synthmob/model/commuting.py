"""When people go to work and leave it, by where their work place is and how far from home: which of a chain's schedules they take.

Schedules are fitted for all people of a chain. Of some drawn from these somebody takes one by the hours of their work place and of their
way there: two factors for the hour at which they leave for work, two for that at which they leave it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.counts.commuting import MOMENTS
from synthmob.domain import MINUTES_PER_DAY
from synthmob.marginals import Marginal
from synthmob.model import leaving, reconcile
from synthmob.model.chains import WORK, Chains
from synthmob.model.destinations import likely_misfit
from synthmob.model.geography import Geography
from synthmob.model.lives import Lives
from synthmob.model.reconcile import LEAST, FloatArray, Noisy
from synthmob.model.timing import HOURS, LEAST_LEFT, Timing

IntArray = npt.NDArray[np.int64]
TABLES = ("work_hours@district", "commute_hours")
NEVER = HOURS
"""The hour of what does not happen on a day."""
CANDIDATES = 4
"""So many schedules of a day are weighed against one another."""
STEP_DAYS = 4
"""Every so manieth day at work is fitted on."""
ROUNDS, STEP, MOST_PULL = 16, 0.8, 4.0
FEW, FEW_DAYS = 0.2, 10.0
"""Days of an hour that tell little of it, as a part of the mean over all hours, and at least."""
RAKE_ROUNDS = 20
USUAL_TRIP_MIN = 15
"""What a way takes, about, where nobody knows yet from where to where it is."""


@dataclass(frozen=True)
class Commuting:
    """How much likelier people are to leave for work (moment 0) and to leave it (1) at each hour than their chains alone say: `areas`
    (districts, 2, 24) by where they work, `distances` (distance bands, 2, 24) by how far from home that is."""

    areas: FloatArray
    distances: FloatArray

    @property
    def pull(self) -> FloatArray:
        """Both together, (districts x bands, 2, 25), 1 for NEVER: a schedule weighs the product of its two moments, at their hours."""
        both = (self.areas[:, None] * self.distances[None]).reshape(-1, MOMENTS, HOURS)
        return np.concatenate([both, np.ones((*both.shape[:2], 1))], axis=2)


def rows(geography: Geography, home: IntArray, work: IntArray) -> IntArray:
    """The row of `Commuting.pull` of every person, -1 without work, shape (persons,)."""
    district = geography.parents["district"]
    return np.where(work >= 0, district[work] * geography.n_bands + geography.bands[home, work], -1)


def hours(chains: Chains, timing: Timing, duration_edges: IntArray, duties: tuple[int, ...]) -> npt.NDArray[np.int8]:
    """The hours at which people leave for work first and leave it last by each schedule of a day type, (schedules, 2), NEVER where they
    do not; ways taking what they usually take."""
    chain = np.repeat(np.arange(len(chains.lengths)), np.diff(timing.first))
    purposes, lengths, n = chains.purposes[chain], chains.lengths[chain], len(chain)
    ends = np.full(purposes.shape, MINUTES_PER_DAY, dtype=np.int64)
    half, usual, clock = np.full(n, 0.5), np.full(n, USUAL_TRIP_MIN), np.zeros(n, dtype=np.int64)
    for rank in range(int(lengths.max(initial=1)) - 1):
        latest = MINUTES_PER_DAY - 1 - LEAST_LEFT * (lengths - 1 - rank)
        entry = np.maximum(timing.schedules[:, rank].astype(np.int64), 0)
        _, clock = leaving.times(entry, half, rank == 0, clock, usual, latest, duration_edges)
        ends[:, rank] = np.where(rank < lengths - 1, clock, MINUTES_PER_DAY)
    at_work, every = purposes == WORK, np.arange(n)
    first, works = at_work.argmax(axis=1), at_work.any(axis=1)
    last = purposes.shape[1] - 1 - np.isin(purposes, duties)[:, ::-1].argmax(axis=1)
    goes, leaves = works & (first > 0), works & at_work[every, last] & (last < lengths - 1)
    out = np.stack([
        np.where(goes, ends[every, np.maximum(first - 1, 0)] // 60, NEVER), np.where(leaves, ends[every, last] // 60, NEVER)], axis=1)
    return np.minimum(out, NEVER).astype(np.int8)


@dataclass(frozen=True)
class Candidates:
    """Schedules that days of lives could take: `schedule` (days, candidates) of the timing of their day type, `at` (days, candidates, 2)
    the `hours` of each, and `row` (days,) of whose day it is, as of `rows`."""

    schedule: IntArray
    at: npt.NDArray[np.int8]
    row: IntArray

    @staticmethod
    def of(lives: Lives, chains: Sequence[Chains], timings: Sequence[Timing], geography: Geography, duration_edges: IntArray,
           duties: tuple[int, ...]) -> Candidates:  # fmt: skip
        """CANDIDATES for every day of lives."""
        schedule = lives.drawn(timings, CANDIDATES)
        at = np.empty((*schedule.shape, MOMENTS), dtype=np.int8)
        for kind, (law, timing) in enumerate(zip(chains, timings, strict=True)):
            mine = lives.day_type == kind
            at[mine] = hours(law, timing, duration_edges, duties)[schedule[mine]]
        return Candidates(schedule, at, rows(geography, lives.home, lives.work))

    def at_work(self, step: int) -> Candidates:
        """Every so manieth of the days on which workers go to work or leave it."""
        some = np.flatnonzero((self.row >= 0) & (self.at[:, 0] != NEVER).any(axis=1))[::step]
        return Candidates(self.schedule[some], self.at[some], self.row[some])

    def weights(self, commuting: Commuting) -> FloatArray:
        """How likely each is taken, (days, candidates)."""
        pull, weight, works = commuting.pull, np.ones(self.schedule.shape), self.row >= 0
        for moment in range(MOMENTS):
            weight[works] *= pull[self.row[works, None], moment, self.at[works, :, moment]]
        return weight / weight.sum(axis=1, keepdims=True)

    def taken(self, commuting: Commuting | None) -> IntArray:
        """The schedule that every day takes, (days,)."""
        if commuting is None:
            return self.schedule[:, 0]
        u = seeds.uniforms(seeds.stage_key(0, "commuting"), np.arange(len(self.row)))
        which = (np.cumsum(self.weights(commuting), axis=1) <= u[:, None]).sum(axis=1)
        return np.take_along_axis(self.schedule, np.minimum(which, CANDIDATES - 1)[:, None], axis=1)[:, 0]


def fit(tables: Mapping[str, Marginal], candidates: Candidates, geography: Geography) -> Commuting | None:
    """The factors with which days leave for work and leave it as the release says; None where it says nothing of it."""
    some = candidates.at_work(STEP_DAYS)
    if any(name not in tables for name in TABLES) or not len(some.row):
        return None
    sizes = (int(geography.parents["district"].max()) + 1, geography.n_bands)
    law = Commuting(*(np.ones((size, MOMENTS, HOURS)) for size in sizes))
    targets = [_target(found, tables[name]) for found, name in zip(_expected(law, some), TABLES, strict=True)]
    for turn in range(ROUNDS):
        factors, found = [law.areas, law.distances], _expected(law, some)
        which = turn % len(factors)
        factors[which] = _pulled(factors[which], targets[which], found[which])
        law = Commuting(*factors)
    return law


def _expected(law: Commuting, some: Candidates) -> tuple[FloatArray, FloatArray]:
    """Days by area and by distance band, moment and hour, as `law` has them: shapes of its factors."""
    weight, bands = some.weights(law).ravel(), len(law.distances)
    out: list[FloatArray] = []
    for size, place in ((len(law.areas), some.row // bands), (bands, some.row % bands)):
        of = np.repeat(place, CANDIDATES) * MOMENTS
        cells = [(of + moment) * (HOURS + 1) + some.at[..., moment].ravel() for moment in range(MOMENTS)]
        sums = sum(np.bincount(cell, weights=weight, minlength=size * MOMENTS * (HOURS + 1)) for cell in cells)
        out.append(np.asarray(sums).reshape(size, MOMENTS, HOURS + 1)[..., :HOURS])
    return out[0], out[1]


def _target(expected: FloatArray, table: Marginal) -> FloatArray:
    """What is believed of a released table after a look at it, in days as they are `expected` where all places have the same hours: as
    many days for each place, and as many at each hour for all of them, for schedules know that."""
    noisy, out = Noisy.of(table), np.zeros(expected.shape)
    for moment in range(MOMENTS):
        found, own = expected[:, moment], noisy.moved(lambda a, moment=moment: a[:, moment])
        prior = found.sum(axis=1, keepdims=True) * found.sum(axis=0) / max(float(found.sum()), LEAST)
        prior = prior * own.scale(prior)
        believed = reconcile.posterior(prior, own, b=likely_misfit(prior, own))[0]
        place, hour = np.divmod(np.arange(found.size).reshape(found.shape), HOURS)
        margins = [(place, found.sum(axis=1)), (hour, found.sum(axis=0))]
        out[:, moment] = reconcile.rake(believed + LEAST, margins, rounds=RAKE_ROUNDS)
    return out


def _pulled(factor: FloatArray, target: FloatArray, found: FloatArray) -> FloatArray:
    """One step of a factor towards its target; hours at which hardly anybody of a place goes stay as they are."""
    floor = np.maximum(FEW * found.mean(axis=2, keepdims=True), FEW_DAYS)
    moved = factor * ((target + floor) / (found + floor)) ** STEP
    level = (moved * (found + floor)).sum(axis=2, keepdims=True) / (found + floor).sum(axis=2, keepdims=True)
    return np.clip(moved / level, 1.0 / MOST_PULL, MOST_PULL)
