"""Random numbers and searches of the kernels, in numba: a number is keyed by (person, day, draw), a search may be told where to begin."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from synthmob.searches import pick_between

GAMMA, MIX_1, MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S30, S27, S31, S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
TO_UNIT = 2.0**-53


@nb.njit(inline="always")
def mix(z: Any) -> Any:
    """Splitmix64."""
    z = z + GAMMA
    z = (z ^ (z >> S30)) * MIX_1
    z = (z ^ (z >> S27)) * MIX_2
    return z ^ (z >> S31)


@nb.njit(inline="always")
def uniform(key: Any, person: Any, day: Any, draw: Any) -> Any:
    """The same number as seeds.uniforms gives, a scalar."""
    state = mix(np.uint64(key) ^ np.uint64(person))
    state = mix(state ^ np.uint64(day))
    return float(mix(state ^ np.uint64(draw)) >> S11) * TO_UNIT


@nb.njit(inline="always")
def today_of(key: Any, person: Any, day: Any) -> Any:
    """What the random numbers of a day have in common."""
    return mix(mix(np.uint64(key) ^ np.uint64(person)) ^ np.uint64(day))


@nb.njit(inline="always")
def unit(today: Any, draw: Any) -> Any:
    """The number of a draw: `uniform` with the person and the day mixed before."""
    return float(mix(today ^ np.uint64(draw)) >> S11) * TO_UNIT


@nb.njit(cache=True, nogil=True)
def guides(cumulative: Any, n: Any) -> Any:
    """Where a search may begin: the pick of k/n for every k up to n, shape (..., n + 1) for rows (day types, classes, chains)."""
    out = np.empty((cumulative.shape[0], cumulative.shape[1], n + 1), dtype=np.int32)
    for kind in range(cumulative.shape[0]):
        for klass in range(cumulative.shape[1]):
            row, at = cumulative[kind, klass], 0
            for k in range(n + 1):
                while at < len(row) - 1 and row[at] <= k / n * row[-1]:
                    at += 1
                out[kind, klass, k] = at
    return out


@nb.njit(cache=True)
def schedule_guides(cumulative: Any, first: Any) -> Any:
    """Where a search for a schedule may begin, in the shape of `cumulative` (day types, schedules): entry k of the n of a chain is the
    pick of k/n, counted from the chain's first."""
    out = np.zeros(cumulative.shape, dtype=np.int32)
    for kind in range(cumulative.shape[0]):
        for chain in range(first.shape[1] - 1):
            begin, n, at = first[kind, chain], first[kind, chain + 1] - first[kind, chain], 0
            row = cumulative[kind, begin : begin + n]
            for k in range(n):
                while at < n - 1 and row[at] <= k / n * row[-1]:
                    at += 1
                out[kind, begin + k] = at
    return out


@nb.njit(inline="always")
def guided(cumulative: Any, guide: Any, u: Any) -> Any:
    """The pick of u, searched only where the guide says; k/n is rounded, so a step is left on either side."""
    n = len(cumulative)
    k = int(u * n)
    low = guide[k - 1] if k > 0 else 0
    high = guide[k + 2] if k + 2 < n else n - 1
    return pick_between(cumulative, u * cumulative[-1], low, high)
