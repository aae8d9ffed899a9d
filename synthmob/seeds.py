"""Counter-based randomness: a number is a function of (seed, stage, person, day, draw) and of nothing else.

There is no generator to share and no state to carry, so the order of work, its blocks and its workers cannot change a
byte. The mixing function is splitmix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195), applied once per
coordinate. Privacy noise never comes from here: it comes from the operating system.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Uint64Array = npt.NDArray[np.uint64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53


def stage_key(seed: int, stage: str) -> np.uint64:
    """A 64-bit key for a named stage of a seeded run.

    >>> int(stage_key(1, "days")) == int(stage_key(1, "days")), int(stage_key(1, "days")) == int(stage_key(2, "days"))
    (True, False)
    """
    digest = hashlib.blake2b(f"{int(seed)}\x00{stage}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def mix(state: npt.ArrayLike) -> Uint64Array:
    """splitmix64's output function on an array of 64-bit states, elementwise."""
    with np.errstate(over="ignore"):
        z = np.asarray(state, dtype=np.uint64) + _GAMMA
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def bits(key: np.uint64, person: npt.ArrayLike, day: npt.ArrayLike = 0, draw: npt.ArrayLike = 0) -> Uint64Array:
    """64 random bits for every (person, day, draw); the three broadcast."""
    state = mix(np.uint64(key) ^ np.asarray(person).astype(np.uint64))
    state = mix(state ^ np.asarray(day).astype(np.uint64))
    return mix(state ^ np.asarray(draw).astype(np.uint64))


def uniforms(
    key: np.uint64, person: npt.ArrayLike, day: npt.ArrayLike = 0, draw: npt.ArrayLike = 0
) -> npt.NDArray[np.float64]:
    """Uniform numbers in [0, 1) for every (person, day, draw); the three broadcast.

    >>> u = uniforms(stage_key(1, "days"), np.arange(3))
    >>> bool(((0 <= u) & (u < 1)).all()), u.shape
    (True, (3,))
    """
    return (bits(key, person, day, draw) >> np.uint64(11)).astype(np.float64) * _TO_UNIT
