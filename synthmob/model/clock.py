"""When people leave by the clock: schools end at an hour, whatever the durations of the stays before say.

Durations are fitted given the hour of arrival, in hours and in bins that grow, so days that are played with them leave for a purpose
around its peaks rather than in them. What the released departures say beyond that is a factor for each purpose and quarter of an hour.
"""

from __future__ import annotations

import numpy as np

from synthmob.counts.timing import STAY_WEIGHT
from synthmob.model import reconcile
from synthmob.model.reconcile import LEAST, FloatArray, Noisy
from synthmob.model.timing import HOURS, QUARTERS

A_HOUR = QUARTERS // HOURS
STEP, MOST_HOURLY, MOST_QUARTERLY = 0.8, 3.0, 2.0
"""One look moves a factor by this power of the ratio, and by these factors at most, by the hour and inside it."""
HALF_H = 1.0
"""Where nobody is seen to leave, half as many do with every hour more from where some are."""
MOST_SCALE = 1.25
"""Tables whose sums differ by more than this factor from the played days differ in more than how they are bounded."""


def sharpened(law: FloatArray, later: FloatArray, first: FloatArray, by_purpose: Noisy, by_quarter: Noisy | None) -> FloatArray:
    """Factors `law` (purposes, 96) moved towards the released departures by purpose and hour (purposes, 24) and by quarter (96,).

    `later` and `first` (purposes, 96) are the persons who leave in the days played with `law`; first departures of a day have a law of
    their own and stay as they are.
    """
    hours = (len(law), HOURS, A_HOUR)
    moved = _ratio(by_purpose, *(STAY_WEIGHT * x.reshape(hours).sum(axis=2) for x in (later, first)), most=MOST_HOURLY)
    moved = np.repeat(moved, A_HOUR, axis=1)
    if by_quarter is not None:
        made = (STAY_WEIGHT * x.sum(axis=0)[None] for x in (later * moved, first))
        moved = moved * _ratio(by_quarter.moved(lambda a: a[None]), *made, most=MOST_QUARTERLY)
    return law * moved


def _ratio(noisy: Noisy, later: FloatArray, first: FloatArray, *, most: float) -> FloatArray:
    """What later departures (groups, cells) are to be multiplied by, so that all together are as released."""
    found, seen = later + first, noisy.published
    beyond = fading(found, noisy) * reconcile.fading(seen, HALF_H * found.shape[1] / HOURS)
    released = np.where(seen, np.nan_to_num(noisy.count), np.minimum(found * beyond, noisy.cut / 2))
    scale = found.sum(axis=1, keepdims=True) / np.maximum(released.sum(axis=1, keepdims=True), LEAST)
    wanted = released * np.clip(scale, 1.0 / MOST_SCALE, MOST_SCALE)
    floor = noisy.sigma + 1.0  # a cell known no better than this says nothing of its quarter
    ratio = (np.maximum(wanted - first, 0.0) + floor) / (later + floor)
    return np.clip(ratio**STEP, 1.0 / most, most)


def fading(found: FloatArray, noisy: Noisy) -> FloatArray:
    """What suppressed cells (rows, cells) are to be multiplied by, at most 1: as much less than `found` as the published cell next to
    them in their row. A suppressed cell says little of itself, and what is found beside the last shops that close is found after them.
    """
    near = reconcile.nearest(noisy.published)
    floor = noisy.sigma + 1.0
    ratio = (np.maximum(np.nan_to_num(noisy.count), 0.0) + floor) / (found + floor)
    beside = np.where(near < 0, 1.0, np.take_along_axis(ratio, np.maximum(near, 0), -1))
    return np.where(noisy.published, 1.0, np.minimum(beside, 1.0))
