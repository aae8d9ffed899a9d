"""Searches in cumulative weights, in numba: what turns an even number into a draw, in the model's inner loops and in the kernels'."""

from __future__ import annotations

from typing import Any

import numba as nb


@nb.njit(inline="always")
def pick_between(cumulative: Any, target: Any, low: Any, high: Any) -> Any:
    """The first index whose cumulative weight exceeds the target, which is one from low to high."""
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] > target:
            high = middle
        else:
            low = middle + 1
    return low


@nb.njit(inline="always")
def pick(cumulative: Any, u: Any) -> Any:
    """The first index whose cumulative weight exceeds u times the total."""
    return pick_between(cumulative, u * cumulative[-1], 0, len(cumulative) - 1)
