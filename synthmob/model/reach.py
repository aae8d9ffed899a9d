"""How far people go at each part of the day, for how long a stay and coming from where, in a model: three factors beside deterrence.

The pub is around the corner, and who visits relatives stays for hours: what errands of one purpose have in common is for deterrence to
say, what they differ in is here, by when people leave for them, by how long it is until they go on, and by what the stay before was for,
all of which the schedule of the day tells before a place is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from synthmob.compilation import compiled, inlined
from synthmob.counts.reach import DEPARTURE_EDGES_MIN, DEPARTURES, FIRST_ERRAND, LASTINGS, LONG_MIN, ORIGINS, SHORT_MIN, USUAL_MIN
from synthmob.domain import MINUTES_PER_DAY
from synthmob.marginals import Marginal
from synthmob.model import bias, reconcile
from synthmob.model.destinations import likely_misfit
from synthmob.model.reconcile import LEAST, FloatArray, Noisy
from synthmob.model.timing import BY_CLOCK

IntArray = npt.NDArray[np.int64]
KINDS = (DEPARTURES, LASTINGS, ORIGINS)
SPAN_EDGES_MIN = (60, 90, 105, 120, 150, 180)
SPAN_MIN = (45, 75, 97, 112, 135, 165, 240)
"""Where spans of time from one departure to the next end, and about how long they are: of such a span a way takes the longer a part the
longer it is, and the stay gets the rest."""
SPANS = 2 + len(SPAN_MIN)
"""Stays that last as long as they do, under SHORT_MIN or longer, and spans of those that end by the clock."""
ROWS = DEPARTURES * SPANS * ORIGINS
"""A row for every part of the day, span and stay before; the row after these is that of stays that no trip leads to."""
TABLES = ("trip_km_by_departure", "trip_km_by_stay", "trip_km_by_origin")
"""The tables of the three, in their order."""
STEP, MOST_PULL = 0.6, 20.0


class Visited(Protocol):
    """Visits of lives, all (stays,): whose, what for, and the row of reach."""

    @property
    def life(self) -> IntArray:
        """Whose."""
        ...

    @property
    def purpose(self) -> IntArray:
        """What for."""
        ...

    @property
    def reach(self) -> IntArray:
        """The row of reach."""
        ...


@inlined
def row_of(clock: Any, before: Any, entry: Any, last: Any, duration_edges: Any) -> Any:
    """The row of a stay that people leave for at `clock` after one for the purpose `before`, `entry` being that of its schedule, which
    the `last` of a day has not."""
    departure = 0
    for edge in DEPARTURE_EDGES_MIN:
        departure += 1 if clock >= edge else 0
    if last or entry >= BY_CLOCK:
        away, span = MINUTES_PER_DAY - clock if last else 15 * (entry - BY_CLOCK) + 7 - clock, 2
        for edge in SPAN_EDGES_MIN:
            span += 1 if away >= edge else 0
    else:
        span = 0 if duration_edges[entry] < SHORT_MIN else 1
    return (departure * SPANS + span) * ORIGINS + min(before, FIRST_ERRAND)


@compiled
def rows(clock: Any, before: Any, entry: Any, last: Any, duration_edges: Any) -> Any:
    """`row_of` of many stays, shape (stays,)."""
    out = np.empty(len(clock), dtype=np.int64)
    for k in range(len(clock)):
        out[k] = row_of(clock[k], before[k], entry[k], last[k], duration_edges)
    return out


def lastings(usual_min: FloatArray) -> IntArray:
    """How long a stay is that gets a span, one of LASTING, where ways take `usual_min` (bands,): shape (SPANS, bands)."""
    away = np.asarray(SPAN_MIN)[:, None]
    stay = away - usual_min
    of_clock = np.where(away > LONG_MIN, 3, np.select([stay < SHORT_MIN, stay < USUAL_MIN], [0, 1], 2))
    return np.concatenate([np.broadcast_to(np.arange(2)[:, None], (2, len(usual_min))), of_clock]).astype(np.int64)


def joined(factors: Sequence[FloatArray], usual_min: FloatArray) -> FloatArray:
    """All factors together, (purposes, ROWS + 1, bands), each being (purposes, its KINDS, bands), where ways take `usual_min` (bands,); 1
    in the last row."""
    departing, lasting, origins = factors
    purposes, _, bands = departing.shape
    spans = lasting[:, lastings(usual_min), np.arange(bands)]
    all_ = departing[:, :, None, None] * spans[:, None, :, None] * origins[:, None, None]
    return np.concatenate([all_.reshape(purposes, ROWS, bands), np.ones((purposes, 1, bands))], axis=1)


def apart(joint: FloatArray, usual_min: FloatArray) -> tuple[FloatArray, ...]:
    """Sums of (purposes, ROWS + 1, bands) by departure, by length of stay and by the stay before, where ways take `usual_min` (bands,)."""
    purposes, _, bands = joint.shape
    all_ = joint[:, :ROWS].reshape(purposes, DEPARTURES, SPANS, ORIGINS, bands)
    is_kind = lastings(usual_min) == np.arange(LASTINGS)[:, None, None]
    return all_.sum(axis=(2, 3)), np.einsum("psb,ksb->pkb", all_.sum(axis=(1, 3)), is_kind), all_.sum(axis=(1, 2))


def kinds(row: IntArray, band: IntArray, name: str, usual_min: FloatArray) -> IntArray:
    """What a table of that name calls the stays of such rows, so far away: their departure, their length or the stay before."""
    departure, span, origin = np.unravel_index(row, (DEPARTURES, SPANS, ORIGINS))
    lasting = lastings(usual_min)[span, band]
    return np.asarray((departure, lasting, origin)[TABLES.index(name)], dtype=np.int64)


def kept(table: Marginal, name: str, visits: Visited, band: IntArray, usual_min: FloatArray, shape: tuple[int, ...], days: int
         ) -> FloatArray:  # fmt: skip
    """The share of each cell (purposes, kinds, bands) of `table` that bounding keeps, from `visits` at distances `band` (stays,) of lives
    of so many `days`."""
    errand = (visits.purpose >= FIRST_ERRAND) & (visits.reach < ROWS)
    life, purpose, row, band = (a[errand] for a in (visits.life, visits.purpose, visits.reach, band))
    cell = (purpose * shape[1] + kinds(row, band, name, usual_min)) * shape[2] + band
    group = np.repeat(np.arange(shape[0] * shape[1]), shape[2])
    return bias.kept_share(life, cell, int(np.prod(shape)), table.bound_l2, group, 1.0 / days).reshape(shape)


def believed(expected: FloatArray, noisy: Noisy) -> FloatArray:
    """Persons (purposes, kinds, bands) after a look at a released table, given what is `expected` where only its purposes differ."""
    prior = expected * noisy.scale(expected)
    out = prior.copy()
    for purpose in range(FIRST_ERRAND, len(prior)):
        own = noisy.moved(lambda a, purpose=purpose: a[purpose])
        out[purpose] = reconcile.posterior(prior[purpose], own, b=likely_misfit(prior[purpose], own))[0]
    return out


def pulled(factor: FloatArray, target: FloatArray, drawn: FloatArray) -> FloatArray:
    """One step of a factor (purposes, kinds, bands) towards a `target` of the same shape, `drawn` being what lives do with it.

    How many stays are of a kind is for the schedules to say: of the target only its shares count. And only what kinds differ in moves
    the factor: what they have in common belongs to deterrence.
    """
    sums = drawn.sum(axis=2, keepdims=True)
    wanted = target * (sums / np.maximum(target.sum(axis=2, keepdims=True), LEAST))
    floor = 1e-3 * max(float(drawn.mean()), LEAST)
    ratio = (wanted + floor) / (drawn + floor)
    in_common = (wanted + floor).sum(axis=1, keepdims=True) / (drawn + floor).sum(axis=1, keepdims=True)
    pull = np.clip(ratio / in_common, 0.2, 5.0) ** STEP
    pull[:FIRST_ERRAND] = 1.0
    moved = factor * pull
    level = (moved * (drawn + floor)).sum(axis=1, keepdims=True) / (drawn + floor).sum(axis=1, keepdims=True)
    return np.clip(moved / level, 1.0 / MOST_PULL, MOST_PULL)
