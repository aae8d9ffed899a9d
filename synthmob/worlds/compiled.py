"""Compiled functions and the random numbers they draw: the same counter-based stream as `seeds`, one number at a time.

Imported only by what runs the kernels: numba takes two seconds to load.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from synthmob import compilation

Function = TypeVar("Function", bound=Callable[..., Any])
Draws = npt.NDArray[np.uint64]
"""State and counter of a stream, shape (2,)."""


def compiled(function: Function) -> Function:
    """The function compiled by numba and kept on disk, in strict floating point: the same result on every machine."""
    return compilation.compiled(function, error_model="numpy")


def compiled_as(signature: str) -> Callable[[Function], Function]:
    """As `compiled`, for one signature: without it numba makes a version for every constant that a call passes."""
    return lambda function: compilation.compiled(function, signature, error_model="numpy")


@compiled
def mix(z: np.uint64) -> np.uint64:
    """splitmix64's output function: `seeds.mix` of one number."""
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def begin(draws: Draws, key: np.uint64, person: int, day: int) -> None:
    """Start the stream of (key, person, day); its k-th number is `seeds.uniforms(key, person, day, k)`."""
    draws[0] = mix(mix(key ^ np.uint64(person)) ^ np.uint64(day))
    draws[1] = np.uint64(0)


@compiled
def uniform(draws: Draws) -> float:
    """The next uniform number in [0, 1)."""
    z = mix(draws[0] ^ draws[1])
    draws[1] += np.uint64(1)
    return float(z >> np.uint64(11)) * 2.0**-53


@compiled
def normal(draws: Draws) -> float:
    """Nearly normal, mean 0, deviation 1, within 3: six uniform numbers added."""
    total = -3.0
    for _ in range(6):
        total += uniform(draws)
    return total * 1.4142135623730951


@compiled
def exponential(draws: Draws) -> float:
    """Exponential of mean 1."""
    return -math.log(1.0 - uniform(draws))
