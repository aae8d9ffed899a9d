"""An order of persons that nobody can see, and sequences that fill it evenly.

Person i has rank r = permutation(i). Homes, works, groups and chains are read off even sequences of the rank, so a fitted table
is reproduced to rounding, whole or in any part, while neighbours in the file have nothing in common. All of it is a function of
(seed, number of persons, i): blocks and workers cannot change it.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from synthmob import seeds

Uint64Array = npt.NDArray[np.uint64]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
FEISTEL_ROUNDS = 6
SLOPES = 32
"""So many steps of even sequences differ enough; among hundreds some are so close that two days would be alike."""
NEIGHBOURS_BITS = np.uint64(6)
"""Sequences past these take the ranks in another order within every 64 neighbours, so that a step can serve again."""


def ranks(seed: int, n_persons: int, persons: IntArray) -> IntArray:
    """The rank of every person: a keyed permutation of range(n_persons), by a Feistel network with cycle walking.

    Source: Black and Rogaway 2002, doi:10.1007/3-540-45760-7_9; the round function is splitmix64, enough for mixing, no cipher.

    >>> sorted(ranks(7, 10, np.arange(10)).tolist()) == list(range(10))
    True
    """
    half = max((max(n_persons - 1, 1).bit_length() + 1) // 2, 1)
    mask = np.uint64((1 << half) - 1)
    keys = [seeds.stage_key(seed, f"order {k}") for k in range(FEISTEL_ROUNDS)]
    out = persons.astype(np.uint64)
    todo = np.arange(len(out))
    while len(todo):
        left, right = out[todo] >> np.uint64(half), out[todo] & mask
        for key in keys:
            left, right = right, left ^ (seeds.mix(right ^ key) & mask)
        out[todo] = (left << np.uint64(half)) | right
        todo = todo[out[todo] >= np.uint64(n_persons)]
    return out.astype(np.int64)


def persons_of_ranks(seed: int, n_persons: int, rank: IntArray) -> IntArray:
    """The person of every rank: the permutation of `ranks` the other way round.

    >>> persons_of_ranks(7, 10, ranks(7, 10, np.arange(10))).tolist() == list(range(10))
    True
    """
    half = max((max(n_persons - 1, 1).bit_length() + 1) // 2, 1)
    mask = np.uint64((1 << half) - 1)
    keys = [seeds.stage_key(seed, f"order {k}") for k in reversed(range(FEISTEL_ROUNDS))]
    out = rank.astype(np.uint64)
    todo = np.arange(len(out))
    while len(todo):
        left, right = out[todo] >> np.uint64(half), out[todo] & mask
        for key in keys:
            left, right = right ^ (seeds.mix(left ^ key) & mask), left
        out[todo] = (left << np.uint64(half)) | right
        todo = todo[out[todo] >= np.uint64(n_persons)]
    return out.astype(np.int64)


def slope(dimension: int) -> np.uint64:
    """The step of an even sequence, as a fraction of 2^64: the fractional part of the square root of the dimension-th prime.

    >>> bool(slope(0) != slope(1))
    True
    """
    prime = _prime(dimension)
    return np.uint64(math.isqrt(prime << 128) & ((1 << 64) - 1) | 1)


def even(seed: int, rank: IntArray, dimension: int) -> FloatArray:
    """Numbers in [0, 1) that fill it evenly along the rank (a Kronecker sequence, Niederreiter 1992,
    doi:10.1137/1.9781611970081), shifted by the seed; sequences of different dimensions are independent of one another."""
    shift = seeds.stage_key(seed, f"shift {dimension}")
    at = rank.astype(np.uint64)
    if dimension >= SLOPES:
        at = _among_neighbours(at, seeds.stage_key(seed, f"neighbours {dimension // SLOPES}"))
    with np.errstate(over="ignore"):
        bits = at * slope(dimension % SLOPES) + shift
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _among_neighbours(rank: Uint64Array, key: np.uint64) -> Uint64Array:
    """Ranks in another order within every 64, drawn for each of these stretches: steps and shifts that mix the six bits."""
    mask = (np.uint64(1) << NEIGHBOURS_BITS) - np.uint64(1)
    drawn, inside = seeds.mix((rank >> NEIGHBOURS_BITS) ^ key), rank & mask
    with np.errstate(over="ignore"):
        for _ in range(3):
            inside = (inside * (drawn | np.uint64(1)) + (drawn >> np.uint64(32))) & mask
            inside ^= inside >> np.uint64(3)
            drawn = drawn >> NEIGHBOURS_BITS
    return (rank & ~mask) | inside


def _prime(index: int) -> int:
    """The index-th prime, 2 first."""
    found, candidate = -1, 1
    while found < index:
        candidate += 1
        if all(candidate % k for k in range(2, math.isqrt(candidate) + 1)):
            found += 1
    return candidate
