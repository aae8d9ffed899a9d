"""A rehearsal of the fitted times: days played without places, stay after stay.

Durations are fitted given the hour of arrival, but the release does not say when each context's stays begin. Playing the days
with the times fitted so far does, and the fit is repeated with it. Days so played are also what schedules are made of.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.domain import MINUTES_PER_DAY
from synthmob.model.chains import MAX_STAYS, NOBODY, Chains
from synthmob.model.journeys import Journeys
from synthmob.model.reconcile import FloatArray
from synthmob.model.timing import HOURS, LEAST_LEFT, QUARTERS, Laws

IntArray = npt.NDArray[np.int64]
PLAYED_DAYS = 40_000
EVEN_STEP = (5.0**0.5 - 1) / 2
CANDIDATES = 6
"""So many ends of a stay are drawn, to take one by the clock."""


@dataclass(frozen=True)
class Played:
    """Days as played, each of a chain: `quarter` (days,) of the first departure and `lasting` (days, MAX_STAYS), the bin of every
    inner stay's duration, both NOBODY where there is none; `starts` and `ends` (days, MAX_STAYS), min."""

    chain: IntArray
    quarter: IntArray
    lasting: IntArray
    starts: IntArray
    ends: IntArray


def play(chains: Chains, chain: IntArray, laws: Laws, duration_edges: IntArray, journeys: Journeys, stage: str,
         rooms_min: tuple[int, ...] = (LEAST_LEFT,), clock_law: FloatArray | None = None) -> Played:
    """A day of every chain given (days,), its travel times drawn from `journeys`.

    A stay ends before `rooms_min` for every stay still to come, where it can: days take turns with these. `clock_law` (purposes, 96)
    says how much likelier people leave for a purpose in a quarter of an hour than durations alone say: of some durations drawn, one is
    taken in proportion to it.
    """
    key, n, kinds = seeds.stage_key(0, stage), len(chain), journeys.kinds(chains.purposes)
    lengths, ticks = chains.lengths[chain], np.arange(n)
    room = np.asarray(rooms_min)[ticks % len(rooms_min)]
    lasting = np.full((n, MAX_STAYS), NOBODY, dtype=np.int64)
    starts, ends = np.zeros((n, MAX_STAYS), dtype=np.int64), np.zeros((n, MAX_STAYS), dtype=np.int64)
    leaving = (ticks * EVEN_STEP) % 1.0  # an even sequence: the days of one chain, which stand together, share its departures out
    quarter = _pick(laws.departures[laws.departure_row[chain]], leaving)
    clock = np.minimum(15 * quarter + (seeds.uniforms(key, ticks, 0, 4) * 15).astype(np.int64),
                       MINUTES_PER_DAY - 1 - LEAST_LEFT * (lengths - 1))  # fmt: skip
    quarter = np.where(lengths > 1, clock // 15, NOBODY)
    ends[:, 0] = clock
    for rank in range(1, int(lengths.max(initial=1)) - 1):
        going = np.flatnonzero(lengths - 1 > rank)
        left = MINUTES_PER_DAY - LEAST_LEFT * (lengths[going] - 1 - rank)
        drawn = (seeds.uniforms(key, going, rank, 1) * journeys.minutes.shape[1]).astype(np.int64)
        trip = np.maximum(journeys.minutes[kinds[chain[going], rank], drawn], 1.0)
        start = np.minimum(clock[going] + trip, left - 1).astype(np.int64)
        law = laws.durations[laws.duration_row[chain[going], rank], np.minimum(start // 60, HOURS - 1)]
        before = MINUTES_PER_DAY - room[going] * (lengths[going] - 1 - rank)
        fits = duration_edges[None, :-1] < np.maximum(before - start, 1)[:, None]
        bin_, minutes = _lasting(law * fits + 1e-12 * fits, duration_edges, key, going, rank, 1 if clock_law is None else CANDIDATES)
        if clock_law is not None:
            ends_at = np.minimum((start[:, None] + minutes).astype(np.int64), left[:, None])
            wanted = clock_law[chains.purposes[chain[going], rank + 1][:, None], np.minimum(ends_at // 15, QUARTERS - 1)]
            taken = _pick(wanted, seeds.uniforms(key, going, rank, 5))[:, None]
            bin_, minutes = np.take_along_axis(bin_, taken, 1), np.take_along_axis(minutes, taken, 1)
        bin_, minutes = bin_[:, 0], minutes[:, 0]
        clock[going] = np.minimum(start + np.maximum(minutes, 1), left).astype(np.int64)
        lasting[going, rank], starts[going, rank], ends[going, rank] = bin_, start, clock[going]
    return Played(chain, quarter, lasting, starts, ends)


def replay(chains: Chains, chain: IntArray, schedules: npt.NDArray[np.int16], duration_edges: IntArray, journeys: Journeys, times: int
           ) -> Played:
    """Every schedule (days, MAX_STAYS) of a day of `chain` (days,) lived so many times, as the kernel lives it: the same day stands at
    k, k + days, k + 2 days and so on, each time with other travel times and other minutes of its bins."""
    from synthmob.model import leaving

    chain, key = np.tile(chain, times), seeds.stage_key(0, "replay")
    codes, kinds, ticks = np.tile(schedules, (times, 1)).astype(np.int64), journeys.kinds(chains.purposes), np.arange(len(chain))
    lengths = chains.lengths[chain]
    starts, ends = np.zeros(codes.shape, dtype=np.int64), np.zeros(codes.shape, dtype=np.int64)
    latest = MINUTES_PER_DAY - 1 - LEAST_LEFT * (lengths - 1)
    _, leaves = leaving.times(codes[:, 0], seeds.uniforms(key, ticks, 0, 1), True, ticks, ticks, latest, duration_edges)
    ends[:, 0] = np.where(lengths > 1, leaves, latest)
    for rank in range(1, int(lengths.max(initial=1)) - 1):
        going = np.flatnonzero(lengths - 1 > rank)
        latest = MINUTES_PER_DAY - 1 - LEAST_LEFT * (lengths[going] - 1 - rank)
        u, way = (seeds.uniforms(key, going, rank, k) for k in (1, 2))
        trip = journeys.minutes[kinds[chain[going], rank], (way * journeys.minutes.shape[1]).astype(np.int64)]
        trip = np.maximum(trip.astype(np.int64), 1)
        starts[going, rank], ends[going, rank] = leaving.times(
            codes[going, rank], u, False, ends[going, rank - 1], trip, latest, duration_edges)
    inner = np.where((np.arange(codes.shape[1]) > 0) & (codes >= 0), codes, NOBODY)
    return Played(chain, np.where(lengths > 1, ends[:, 0] // 15, NOBODY), inner, starts, ends)


def _lasting(law: FloatArray, duration_edges: IntArray, key: np.uint64, rows: IntArray, rank: int, n: int) -> tuple[IntArray, FloatArray]:
    """`n` durations of each stay by its law (stays, bins): their bins and minutes, both (stays, n)."""
    cumulative = np.cumsum(law, axis=1)
    bins, minutes = np.empty((len(law), n), dtype=np.int64), np.empty((len(law), n))
    for k in range(n):
        u, inside = (seeds.uniforms(key, rows, rank, draw + 6 * k) for draw in (2, 3))
        bins[:, k] = _pick_within(cumulative, u)
        minutes[:, k] = duration_edges[bins[:, k]] + inside * (duration_edges[bins[:, k] + 1] - duration_edges[bins[:, k]])
    return bins, minutes


def arrivals(chains: Chains, chosen: npt.NDArray[np.bool_], context: IntArray, n_contexts: int, laws: Laws, duration_edges: IntArray,
             journeys: Journeys) -> FloatArray:
    """Stays by context and hour of arrival, shape (n_contexts, 24), of the chains `chosen`."""
    weights = np.where(chosen & (chains.lengths > 1), chains.weights, 0.0)
    if weights.sum() <= 0:
        return np.zeros((n_contexts, HOURS))
    cumulative = np.cumsum(weights)
    at = (np.arange(PLAYED_DAYS) + 0.5) / PLAYED_DAYS * cumulative[-1]
    chain = np.minimum(np.searchsorted(cumulative, at, side="right"), len(weights) - 1)
    days = play(chains, chain, laws, duration_edges, journeys, "rehearsal")
    day, rank = np.nonzero(days.lasting >= 0)
    cell = context[chain[day], rank] * HOURS + np.minimum(days.starts[day, rank] // 60, HOURS - 1)
    found = np.bincount(cell, minlength=n_contexts * HOURS).reshape(n_contexts, HOURS)
    return found * (cumulative[-1] / PLAYED_DAYS)


def _pick(weights: FloatArray, u: FloatArray) -> IntArray:
    return _pick_within(np.cumsum(weights, axis=1), u)


def _pick_within(cumulative: FloatArray, u: FloatArray) -> IntArray:
    return np.minimum((cumulative <= (u * cumulative[:, -1])[:, None]).sum(axis=1), cumulative.shape[1] - 1)
