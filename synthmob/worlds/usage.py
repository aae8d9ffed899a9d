"""How much each person uses the phone, when, and for what: the event kernel's inputs, and its rows block by block."""

from __future__ import annotations

import numpy as np

from synthmob import seeds
from synthmob.worlds import rows
from synthmob.worlds.geography import City
from synthmob.worlds.parameters import WorldParameters
from synthmob.worlds.people import People
from synthmob.zones import FloatArray, IntArray

KINDS = ("call", "sms", "data")
DIRECTIONS = ("in", "out")
APPS = ("messaging", "social", "video", "music", "maps", "mail", "shopping", "games", "web", "other")
_SIZES_LOG_KB = np.array([3.5, 6.8, 8.6, 7.4, 5.5, 4.0, 6.0, 6.2, 6.0, 4.5])
_MEAN_OF_SPREAD = 1.2
_BURSTS_PER_SESSION = 0.7
# Shares of the apps for the young, the middle-aged and the old.
_TASTES = np.array(
    [
        [0.24, 0.25, 0.12, 0.09, 0.04, 0.03, 0.04, 0.08, 0.07, 0.04],
        [0.24, 0.14, 0.07, 0.05, 0.07, 0.13, 0.06, 0.04, 0.13, 0.07],
        [0.26, 0.10, 0.04, 0.02, 0.05, 0.17, 0.04, 0.05, 0.19, 0.08],
    ]
)
# What the hours from midnight on are worth for calls, messages and data; the largest is 1.
_HOURS = (
    np.array(
        [
            [3, 2, 1, 1, 1, 2, 6, 18, 40, 62, 76, 84, 88, 84, 80, 82, 88, 98, 100, 88, 70, 46, 22, 8],
            [6, 3, 2, 1, 1, 3, 10, 32, 55, 70, 76, 80, 88, 84, 80, 82, 86, 94, 100, 98, 92, 76, 46, 18],
            [18, 9, 5, 4, 4, 8, 26, 58, 74, 70, 68, 70, 82, 80, 72, 72, 80, 92, 96, 94, 98, 100, 84, 44],
        ]
    )
    / 100.0
)


def rates(parameters: WorldParameters, people: People, seed: int) -> FloatArray:
    """Calls, messages, bursts of data and background data per day of every person, shape (n, 4)."""
    u = seeds.uniforms(seeds.stage_key(seed, "world.phones"), np.arange(people.n)[:, None], 0, np.arange(12))
    spread = np.exp(0.62 * 2.0 * (u.reshape(-1, 4, 3).sum(axis=2) - 1.5)) / _MEAN_OF_SPREAD
    age = people.age
    by_age = np.stack(
        [
            np.interp(age, [8, 16, 30, 60, 85], [0.25, 0.7, 1.0, 1.25, 0.9]),
            np.interp(age, [8, 16, 40, 85], [0.4, 0.9, 1.1, 0.9]),
            np.interp(age, [8, 16, 28, 55, 85], [0.6, 1.35, 1.3, 0.85, 0.3]),
            np.interp(age, [8, 16, 40, 85], [0.6, 1.15, 1.05, 0.6]),
        ],
        axis=1,
    )
    means = np.array(
        [
            parameters.calls_per_day,
            parameters.messages_per_day,
            _BURSTS_PER_SESSION * parameters.sessions_per_day,
            parameters.background_per_day,
        ]
    )
    return means * by_age * spread


def tastes(people: People, seed: int) -> FloatArray:
    """Cumulated shares of every person's apps, shape (n, 10): those of the age, each moved by a factor of up to two."""
    u = seeds.uniforms(seeds.stage_key(seed, "world.apps"), np.arange(people.n)[:, None], 0, np.arange(len(APPS)))
    shares = _TASTES[np.searchsorted([32, 58], people.age, side="right")] * 2.0 ** (2 * u - 1)
    return np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)


def events(
    parameters: WorldParameters, city: City, seed: int, stays: IntArray, first: int, rate: FloatArray, taste: FloatArray
) -> IntArray:
    """The events of a block of persons from `first` on, in the kernel's columns, by person and time."""
    from synthmob.worlds import phones

    length = int(rate.sum() * 1.15 * (stays[-1, rows.OUT_DAY] + 2)) + 4 * phones.MOST_A_DAY
    while True:
        out = np.empty((length, rows.N_EVENT), dtype=np.int64)
        n = phones.events(
            out,
            seeds.stage_key(seed, "world.events"),
            stays,
            first,
            rate,
            taste,
            _SIZES_LOG_KB,
            _HOURS,
            parameters.phone_off,
            parameters.flapping,
            city.xy_km,
            city.neighbours,
            city.raster,
            city.corner_km,
        )
        if n >= 0:
            return out[:n]
        length *= 2
