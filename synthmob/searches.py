"""Searches in cumulative weights, in numba: what turns an even number into a draw, in the model's inner loops and in the kernels'."""

from __future__ import annotations

from typing import Any

from synthmob.compilation import inlined

COUNTED = 16
"""So few weights are counted instead of halved."""


@inlined
def pick_between(cumulative: Any, target: Any, low: Any, high: Any) -> Any:
    """The first index whose cumulative weight exceeds the target, which is one from low to high: the last ones are counted, for then no
    branch has to be guessed."""
    while high - low > COUNTED:
        middle = (low + high) // 2
        if cumulative[middle] > target:
            high = middle
        else:
            low = middle + 1
    found = low
    for k in range(low, high):
        found += 1 if cumulative[k] <= target else 0
    return found


@inlined
def pick(cumulative: Any, u: Any) -> Any:
    """The first index whose cumulative weight exceeds u times the total."""
    return pick_between(cumulative, u * cumulative[-1], 0, len(cumulative) - 1)
