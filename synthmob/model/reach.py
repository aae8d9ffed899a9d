"""How far people go at each part of the day, for how long a stay and coming from where, in a model: three factors beside deterrence.

The pub is around the corner, and who visits relatives stays for hours: what errands of one purpose have in common is for deterrence to
say, what they differ in is here, by when people leave for them, by how long it is until they go on, and by what the stay before was for,
all of which the schedule of the day tells before a place is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
ROWS = DEPARTURES * LASTINGS * ORIGINS
"""A row for every part of the day, length of stay and stay before; the row after these is that of stays that no trip leads to."""
TABLES = ("trip_km_by_departure", "trip_km_by_stay", "trip_km_by_origin")
"""The tables of the three, in their order."""
STEP, MOST_PULL = 0.6, 20.0
USUAL_TRIP_MIN = 15
"""What a trip takes, about: stays at the end of a day last as long as the day does."""


@inlined
def row_of(clock: Any, before: Any, entry: Any, last: Any, duration_edges: Any) -> Any:
    """The row of a stay that people leave for at `clock` after one for the purpose `before`, `entry` being that of its schedule, which
    the `last` of a day has not."""
    departure = 0
    for edge in DEPARTURE_EDGES_MIN:
        departure += 1 if clock >= edge else 0
    if last or entry >= BY_CLOCK:
        away = MINUTES_PER_DAY - clock if last else 15 * (entry - BY_CLOCK) + 7 - clock
        stay = away - USUAL_TRIP_MIN if last else USUAL_MIN
        lasting = 0 if stay < SHORT_MIN else 1 if stay < USUAL_MIN else 2 if away < LONG_MIN else 3
    else:
        lasting = 0 if duration_edges[entry] < SHORT_MIN else 1
    return (departure * LASTINGS + lasting) * ORIGINS + min(before, FIRST_ERRAND)


@compiled
def rows(clock: Any, before: Any, entry: Any, last: Any, duration_edges: Any) -> Any:
    """`row_of` of many stays, shape (stays,)."""
    out = np.empty(len(clock), dtype=np.int64)
    for k in range(len(clock)):
        out[k] = row_of(clock[k], before[k], entry[k], last[k], duration_edges)
    return out


def joined(factors: Sequence[FloatArray]) -> FloatArray:
    """All factors together, (purposes, ROWS + 1, bands), each being (purposes, its KINDS, bands); 1 in the last row."""
    departing, lasting, origins = factors
    purposes, _, bands = departing.shape
    all_ = departing[:, :, None, None] * lasting[:, None, :, None] * origins[:, None, None]
    return np.concatenate([all_.reshape(purposes, ROWS, bands), np.ones((purposes, 1, bands))], axis=1)


def apart(joint: FloatArray) -> tuple[FloatArray, ...]:
    """Sums of (purposes, ROWS + 1, bands) by departure, by length of stay and by the stay before."""
    purposes, _, bands = joint.shape
    all_ = joint[:, :ROWS].reshape(purposes, *KINDS, bands)
    return all_.sum(axis=(2, 3)), all_.sum(axis=(1, 3)), all_.sum(axis=(1, 2))


def kinds(row: IntArray, name: str) -> IntArray:
    """What a table of that name calls the stays of such rows: their departure, their length or the stay before."""
    return np.unravel_index(row, KINDS)[TABLES.index(name)].astype(np.int64)


def kept(table: Marginal, name: str, life: IntArray, purpose: IntArray, row: IntArray, band: IntArray, shape: tuple[int, ...], days: int
         ) -> FloatArray:  # fmt: skip
    """The share of each cell (purposes, kinds, bands) of `table` that bounding keeps, from visits of lives of so many `days`."""
    errand = (purpose >= FIRST_ERRAND) & (row < ROWS)
    cell = (purpose[errand] * shape[1] + kinds(row[errand], name)) * shape[2] + band[errand]
    group = np.repeat(np.arange(shape[0] * shape[1]), shape[2])
    return bias.kept_share(life[errand], cell, int(np.prod(shape)), table.bound_l2, group, 1.0 / days).reshape(shape)


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
    pull[..., -1] = 1.0  # who goes outside is as far from anywhere: attraction says how many do
    moved = factor * pull
    level = (moved * (drawn + floor)).sum(axis=1, keepdims=True) / (drawn + floor).sum(axis=1, keepdims=True)
    return np.clip(moved / level, 1.0 / MOST_PULL, MOST_PULL)
