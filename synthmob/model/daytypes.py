"""What a day type changes: on Sundays people go farther for the same purpose, and in the week they lunch near work.

The released distances of trips by day type move a factor of deterrence for every day type, purpose and distance from the stay before.
Only what day types differ in moves it: what they have in common belongs to deterrence itself.
"""

from __future__ import annotations

import numpy as np

from synthmob.counts.flows import HEADINGS
from synthmob.marginals import Marginal
from synthmob.model import bias
from synthmob.model.expectation import Expectation
from synthmob.model.geography import Geography
from synthmob.model.lives import Lives
from synthmob.model.reconcile import LEAST, FloatArray

STEP, MOST_PULL = 0.8, 20.0
"""How fast the factors move, and how far."""


def days(lives: Lives, day_types: int) -> FloatArray:
    """How many days of a life are of each type, shape (day types, 1, 1); at least one, so that it divides."""
    return np.maximum(np.bincount(lives.day_types, minlength=day_types), 1).astype(np.float64)[:, None, None]


def by_purpose(distances: FloatArray) -> FloatArray:
    """Distances from the stay before, (..., purposes, bands), of distances by purpose and heading, anchor and stay before."""
    summed = distances.sum(axis=-2)
    return summed.reshape(*summed.shape[:-2], -1, HEADINGS, summed.shape[-1]).sum(axis=-2)


def kept(table: Marginal, found: Expectation, lives: Lives, geography: Geography, shape: tuple[int, ...]) -> FloatArray:
    """The share of each cell of `table` (day types, purposes, bands) that bounding keeps."""
    v, (types, purposes, bands) = found.visits, shape
    trip = (v.rank > 0) & (v.purpose > 0)
    day_type = lives.day_type[v.row[trip]]
    cell = (day_type * purposes + v.purpose[trip]) * bands + geography.bands[v.origin[trip], v.zone[trip]]
    group = np.repeat(np.arange(types * purposes), bands)
    part = 1.0 / days(lives, types).ravel()[day_type]
    return bias.kept_share(v.life[trip], cell, int(np.prod(shape)), table.bound_l2, group, part).reshape(shape)


def pulled(daily: FloatArray, target: FloatArray, found: Expectation) -> FloatArray:
    """One step of the factors `daily` (day types, purposes, bands) towards `target`, person-days of the same shape.

    How many trips a purpose has on a day of a type is for the chains to say: of the target only its shares count.
    """
    all_trips, fixed = by_purpose(found.daily_distances), by_purpose(found.fixed_daily_distances)
    sums = all_trips.sum(axis=-1, keepdims=True)
    wanted = np.maximum(target * (sums / np.maximum(target.sum(axis=-1, keepdims=True), LEAST)) - fixed, 0.0)
    drawn = np.maximum(all_trips - fixed, 0.0)
    floor = 1e-3 * max(float(drawn.mean()), LEAST)
    ratio = (wanted + floor) / (drawn + floor)
    in_common = (wanted.sum(axis=0) + floor) / (drawn.sum(axis=0) + floor)
    pull = np.clip(ratio / in_common, 0.2, 5.0) ** STEP
    moved = daily * pull
    level = ((moved * (drawn + floor)).sum(axis=0)) / (drawn + floor).sum(axis=0)
    return np.clip(moved / level, 1.0 / MOST_PULL, MOST_PULL)
