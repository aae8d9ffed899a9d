"""A fixed sample of synthetic lives to fit destinations on: home, work, class and the chains of some days, without places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.domain import MINUTES_PER_DAY
from synthmob.model import leaving, reach
from synthmob.model.anchors import YES, Anchors
from synthmob.model.chains import MAX_STAYS, Chains
from synthmob.model.composition import Composition
from synthmob.model.geography import Geography
from synthmob.model.habits import Types
from synthmob.model.reconcile import FloatArray
from synthmob.model.timing import LEAST_LEFT, Timing

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Times:
    """When lives do what: `schedules` int16 (rows, MAX_STAYS) of their days, as those of a model's timings; `minutes` (distance bands,
    times) that trips take, to draw from evenly; `duration_edges`, min."""

    schedules: npt.NDArray[np.int16]
    minutes: FloatArray
    duration_edges: IntArray

    @property
    def usual_min(self) -> FloatArray:
        """What a way takes on average, (bands,)."""
        return self.minutes.mean(axis=1)

    def rows(self, alive: IntArray, rank: int, clock: IntArray, before: IntArray, last: npt.NDArray[np.bool_]) -> IntArray:
        """The row of reach of stay `rank` of the days `alive`, for which people leave at `clock` after one for the purpose `before`, both
        (days,); `last` of their day or not."""
        return reach.rows(clock, before, self.schedules[alive, rank].astype(np.int64), last, self.duration_edges)

    def ends(self, alive: IntArray, rank: int, clock: IntArray, band: IntArray, to_come: IntArray) -> IntArray:
        """When stay `rank` of the days `alive` ends, so far (bands) from the one before it, which ended at `clock`; all (days,)."""
        way, within = seeds.uniforms(seeds.stage_key(0, "clock"), alive, rank, np.arange(2)[:, None])
        trip = np.maximum(self.minutes[band, (way * self.minutes.shape[1]).astype(np.int64)], 1).astype(np.int64)
        latest = MINUTES_PER_DAY - 1 - LEAST_LEFT * to_come
        entry = self.schedules[alive, rank].astype(np.int64)
        _, ends = leaving.times(entry, within, rank == 0, clock, trip, latest, self.duration_edges)
        return np.where(to_come > 0, ends, MINUTES_PER_DAY)


@dataclass(frozen=True)
class Lives:
    """One row a person-day, every row worth `weight` persons: home, work (-1 for none), purposes (rows, stays), lengths.

    A person has `days` rows, one after the other, of the day types `day_types` (days,), rows of the routines. `chain` (rows,) is which
    chain of its day type a day is, where that is known, and `times` when it has what. `composition` is that of all people whom
    they are a sample of.
    """

    home: IntArray
    work: IntArray
    purposes: npt.NDArray[np.int8]
    lengths: IntArray
    weight: float
    days: int = 1
    day_types: tuple[int, ...] = (0,)
    chain: IntArray | None = None
    times: Times | None = None
    composition: Composition | None = None

    @cached_property
    def worth(self) -> FloatArray | None:
        """What a stay of theirs is worth, (zones, purposes), by home and purpose; None where nothing is known of all people."""
        return None if self.composition is None else self.composition.worth(self.home, self.purposes, self.weight)

    @property
    def day_type(self) -> IntArray:
        """The day type of every row, shape (rows,)."""
        return np.resize(np.asarray(self.day_types), len(self.home))

    def every(self, step: int) -> Lives:
        """Every so manieth life: they are in an order in which these are like all."""
        if step <= 1:
            return self
        chosen = (np.arange(0, len(self.home) // self.days, step)[:, None] * self.days + np.arange(self.days)).ravel()
        weight = self.weight * len(self.home) / len(chosen)
        chain = None if self.chain is None else self.chain[chosen]
        times = None if self.times is None else replace(self.times, schedules=self.times.schedules[chosen])
        return replace(
            self, home=self.home[chosen], work=self.work[chosen], purposes=self.purposes[chosen], lengths=self.lengths[chosen],
            weight=weight, chain=chain, times=times)

    def drawn(self, timings: Sequence[Timing], n: int = 1) -> IntArray:
        """`n` schedules of the timing of its day type for every day, (rows, n), drawn from those of its chain."""
        if self.chain is None:
            raise ValueError("lives whose chains are not known have no times")
        out = np.empty((len(self.home), n), dtype=np.int64)
        u = seeds.uniforms(seeds.stage_key(0, "lives"), np.arange(len(self.home))[:, None], 1, np.arange(n))
        for kind, law in enumerate(timings):
            mine = self.day_type == kind
            before = np.append(0.0, np.cumsum(law.weights))
            low, high = law.first[self.chain[mine], None], law.first[self.chain[mine] + 1, None]
            at = before[low] + u[mine] * (before[high] - before[low])
            out[mine] = np.clip(np.searchsorted(before[1:], at, side="right"), low, high - 1)
        return out

    def timed(self, timings: Sequence[Timing], schedule: IntArray, minutes: FloatArray, duration_edges: IntArray) -> Lives:
        """The same lives with times: every day takes its `schedule` (rows,) of the timing of its day type."""
        schedules = np.empty((len(self.home), MAX_STAYS), dtype=np.int16)
        for kind, law in enumerate(timings):
            mine = self.day_type == kind
            schedules[mine] = law.schedules[schedule[mine]]
        return replace(self, times=Times(schedules, minutes, duration_edges))


def sample_lives(anchors: Anchors, chains: Sequence[Chains], types: Types, day_types: tuple[int, ...], geography: Geography, n: int
                 ) -> Lives:  # fmt: skip
    """`n` persons with days of these types each, rows of `chains`, drawn from the fitted anchors and the types of people."""
    from synthmob.model.outings import pick_rows

    days = len(day_types)
    ticks, rows = np.arange(n), np.arange(n * days)
    draw = [seeds.uniforms(seeds.stage_key(0, "lives"), ticks, 0, k) for k in range(3)]
    homes = anchors.home_worker.T.ravel()  # workers first, so the order of sampling separates them
    cell = _pick(np.cumsum(homes), (ticks + draw[0]) / n)
    worker, home = np.divmod(cell, geography.n)
    work = np.full(n, -1)
    at_work = worker == YES
    cumulative = np.cumsum(anchors.home_work, axis=1)
    work[at_work] = pick_rows(cumulative, home[at_work], _evenly(home[at_work], draw[1][at_work]))
    groups = np.cumsum(anchors.groups, axis=2)
    group = pick_rows(groups.reshape(-1, groups.shape[2]), anchors.group_area[home] * 2 + worker, draw[2])
    klass = group * 2 + worker
    habit = pick_rows(np.cumsum(types.weights, axis=1), klass, seeds.uniforms(seeds.stage_key(0, "lives"), ticks, 0, 4))
    who = np.repeat(klass * types.weights.shape[1] + habit, days)
    kind = np.resize(np.asarray(day_types), len(rows))
    which = seeds.uniforms(seeds.stage_key(0, "lives"), rows, 0, 3)
    purposes = np.empty((len(rows), chains[0].purposes.shape[1]), dtype=np.int8)
    lengths, chain = np.empty(len(rows), dtype=np.int64), np.empty(len(rows), dtype=np.int64)
    for day_type, law in enumerate(chains):
        mine = kind == day_type
        chosen = pick_rows(np.cumsum(types.laws[day_type], axis=1), who[mine], which[mine])
        purposes[mine], lengths[mine], chain[mine] = law.purposes[chosen], law.lengths[chosen], chosen
    whole = Composition.of(anchors, chains, day_types, int(max(law.purposes.max() for law in chains)) + 1)
    return Lives(
        np.repeat(home, days), np.repeat(work, days), purposes, lengths, float(homes.sum()) / len(rows), days, day_types, chain,
        composition=whole)


def _evenly(home: IntArray, u: FloatArray) -> FloatArray:
    """Quantiles that are spread evenly among the lives of a home, which stand together: pairs of home and work are then no sample of a
    sample, whose chance the fit of trips would follow."""
    begins = np.flatnonzero(np.diff(home, prepend=-1))
    sizes = np.diff(np.append(begins, len(home)))
    nth = np.arange(len(home)) - np.repeat(begins, sizes)
    return (nth + u) / np.repeat(sizes, sizes)


def _pick(cumulative: FloatArray, u: FloatArray) -> IntArray:
    """Indices of a cumulative sum at quantiles u."""
    return np.minimum(np.searchsorted(cumulative, u * cumulative[-1], side="right"), len(cumulative) - 1)
