"""Expressions that turn a label or a number into the integer code of its category or bin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis


def category(column: Any, labels: Sequence[str]) -> Any:
    """An expression: the code of a label column; whatever is not among the labels gets the last code."""
    n = len(labels)
    if n == 1:
        return ibis.literal(0, "int16")
    at: Any = ibis.array(list(labels[:-1])).index(column)  # one look-up, where a case is n comparisons; null for null
    return ibis.ifelse(at >= 0, at, n - 1).cast("int16")


def band(value: Any, edges: Sequence[float], *, missing: int | None = None) -> Any:
    """An expression: which right-open bin a number lies in, the last bin open above; null gets the code `missing`."""
    code: Any = ibis.literal(0, "int16")
    for edge in edges[1:]:
        code = code + (value >= edge).cast("int16")
    return code if missing is None else ibis.ifelse(value.isnull(), missing, code).cast("int16")


def apart_km(x: Any, y: Any, other_x: Any, other_y: Any) -> Any:
    """An expression: the distance of two points in km. Products and not powers, whose last bit an engine may choose."""
    east, north = x - other_x, y - other_y
    return (east * east + north * north).sqrt()
