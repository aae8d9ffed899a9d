"""What the phones do meanwhile: calls, messages, data sessions in bursts, data in the background, day and night.

The network sees the zone of the stay that lasts, under way a zone near the straight line, and now and then an adjacent
zone: near a border the same neighbour again and again.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from synthmob.worlds.compiled import Draws, begin, compiled, exponential, mix, normal, uniform
from synthmob.worlds.geography import NOWHERE
from synthmob.worlds.rows import (
    APP,
    DIRECTION,
    DURATION,
    KIND,
    NOT_SAID,
    OUT_DAY,
    OUT_END,
    OUT_PERSON,
    OUT_START,
    OUT_ZONE,
    PERSON,
    TIME,
    VOLUME,
    ZONE,
)
from synthmob.worlds.week import zone_at
from synthmob.zones import FloatArray, IntArray

CALL, MESSAGE, DATA, BACKGROUND = range(4)
"""Codes while the day is drawn; background data is data when it is written."""
MOST_A_DAY = 400
SECONDS = 86_400


@compiled
def day_minute(hours: FloatArray, draws: Draws) -> float:
    """A minute of the day with the density of 24 hourly weights of which the largest is 1."""
    while True:
        minute = 1440.0 * uniform(draws)
        if uniform(draws) < hours[int(minute / 60.0)]:
            return minute


@compiled
def insert(seconds: IntArray, kinds: IntArray, n: int, second: float, kind: int) -> int:
    """Put an event in its place in time; returns how many there are now."""
    if n >= MOST_A_DAY or second >= SECONDS:
        return n
    k = n
    while k > 0 and seconds[k - 1] > int(second):
        seconds[k], kinds[k] = seconds[k - 1], kinds[k - 1]
        k -= 1
    seconds[k], kinds[k] = int(second), kind
    return n + 1


@compiled
def draw_day(seconds: IntArray, kinds: IntArray, rate: FloatArray, hours: FloatArray, draws: Draws) -> int:
    """The times and kinds of one person's day, in order; `rate` holds events per day of each kind."""
    n = 0
    for kind in range(4):
        left = rate[kind]
        while True:
            left -= exponential(draws)
            if left < 0:
                break
            minute = 1440.0 * uniform(draws) if kind == BACKGROUND else day_minute(hours[kind], draws)
            n = insert(seconds, kinds, n, 60.0 * minute, kind)
            while kind == DATA and uniform(draws) < 0.3:
                minute += 0.5 + 3.0 * exponential(draws)
                n = insert(seconds, kinds, n, 60.0 * minute, kind)
    return n


@compiled
def serving_zone(
    stays: IntArray,
    row: int,
    last: int,
    minute: float,
    centroids: FloatArray,
    raster: npt.NDArray[np.int32],
    corner: FloatArray,
) -> int:
    """The zone of the stay in `row`, or of a point of the way to the next one when the stay is over."""
    here = stays[row, OUT_ZONE]
    if minute < stays[row, OUT_END] or row + 1 >= last:
        return int(here)
    there = stays[row + 1, OUT_ZONE]
    share = (minute - stays[row, OUT_END]) / max(1.0, float(stays[row + 1, OUT_START] - stays[row, OUT_END]))
    nearer = here if share < 0.5 else there
    if here == NOWHERE or there == NOWHERE:
        return int(nearer)
    x = centroids[here, 0] + share * (centroids[there, 0] - centroids[here, 0])
    y = centroids[here, 1] + share * (centroids[there, 1] - centroids[here, 1])
    zone = zone_at(raster, corner, x, y)
    return int(nearer) if zone == NOWHERE else zone


@compiled
def flap(zone: int, person: int, neighbours: npt.NDArray[np.int32], draws: Draws) -> int:
    """An adjacent zone: mostly the one that this person's phone always hears there."""
    n = 0
    while n < neighbours.shape[1] and neighbours[zone, n] != NOWHERE:
        n += 1
    if n == 0:
        return zone
    usual = np.int64(mix(np.uint64(person) * np.uint64(1_000_003) + np.uint64(zone)) % np.uint64(n))
    return int(neighbours[zone, usual if uniform(draws) < 0.7 else int(n * uniform(draws))])


@compiled
def describe(out: IntArray, n: int, kind: int, taste: FloatArray, sizes: FloatArray, draws: Draws) -> None:
    """Direction, duration, volume and app of an event; `taste` cumulates the shares of apps, `sizes` holds log kB."""
    out[n, DIRECTION] = out[n, DURATION] = out[n, VOLUME] = out[n, APP] = NOT_SAID
    if kind == CALL:
        out[n, DIRECTION] = 0 if uniform(draws) < 0.49 else 1
        out[n, DURATION] = 0 if uniform(draws) < 0.13 else 1 + int(math.exp(4.3 + 1.15 * normal(draws)))
    elif kind == MESSAGE:
        out[n, DIRECTION] = 0 if uniform(draws) < 0.66 else 1
    else:
        app, u = 0, uniform(draws)
        while app < len(taste) - 1 and u >= taste[app]:
            app += 1
        less = 3.2 if kind == BACKGROUND else 0.0
        out[n, APP] = app
        out[n, VOLUME] = 1 + int(math.exp(sizes[app] - less + 1.2 * normal(draws)))
        out[n, DURATION] = 1 + int(math.exp(4.4 - less * 0.8 + 1.0 * normal(draws)))


@compiled
def events(
    out: IntArray,
    key: np.uint64,
    stays: IntArray,
    first: int,
    rates: FloatArray,
    taste: FloatArray,
    sizes: FloatArray,
    hours: FloatArray,
    off: float,
    flapping: float,
    centroids: FloatArray,
    neighbours: npt.NDArray[np.int32],
    raster: npt.NDArray[np.int32],
    corner: FloatArray,
) -> int:
    """The events of the persons of `stays` (whole person-days, in order), to `out`; -1 where `out` is too short.

    `rates` (persons, 4) are events per day and `taste` (persons, apps) cumulated shares, from person `first` on.
    """
    draws, seconds, kinds = (
        np.zeros(2, dtype=np.uint64),
        np.zeros(MOST_A_DAY, dtype=np.int64),
        np.zeros(MOST_A_DAY, dtype=np.int64),
    )
    n, row = 0, 0
    while row < len(stays):
        person, day, last = stays[row, OUT_PERSON], stays[row, OUT_DAY], row + 1
        while last < len(stays) and stays[last, OUT_DAY] == day and stays[last, OUT_PERSON] == person:
            last += 1
        if n + MOST_A_DAY > len(out):
            return -1
        begin(draws, key, person, day)
        today = 0
        if uniform(draws) >= off:
            today = draw_day(seconds, kinds, rates[person - first], hours, draws)
        for k in range(today):
            minute = seconds[k] / 60.0
            while row + 1 < last and stays[row + 1, OUT_START] <= minute:
                row += 1
            zone = serving_zone(stays, row, last, minute, centroids, raster, corner)
            if zone != NOWHERE and uniform(draws) < flapping:
                zone = flap(zone, person, neighbours, draws)
            out[n, PERSON], out[n, TIME], out[n, ZONE], out[n, KIND] = (
                person,
                day * SECONDS + seconds[k],
                zone,
                min(kinds[k], DATA),
            )
            describe(out, n, kinds[k], taste[person - first], sizes, draws)
            n += 1
        row = last
    return n
