"""Contribution bounding in whole numbers: after this point a count is an integer and one subscriber's part of it is bounded.

Sensitivity: the vector that one subscriber adds to a table has an L2 norm of at most `bound_l2` persons and no entry above 1;
rounding toward zero to 1/1024 person can only make it smaller. Neighbours add or remove one subscriber, so the table moves
by that vector. tests/private/test_bounding.py holds every table of the standard plan to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.accounting import FIXED_POINT
from synthmob.counts import bounded

ROUNDING = 1e-6
"""Sums of averages such as 1/3 + 1/3 + 1/3 fall short of 1 by float error: forgiven before rounding toward zero."""


def fixed_contributions(contributions: Any, bound_l2: float) -> Any:
    """A lazy table (person_id, cell, fixed): each person's bounded contribution in 1/1024 person."""
    rows = bounded(contributions, bound_l2)
    fixed = (rows.weight * FIXED_POINT + ROUNDING).floor().cast("int64")
    return rows.select("person_id", "cell", fixed=fixed)


def totals(backend: Any, contributions: Any, bound_l2: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The occupied cells, ascending, and their bounded counts in 1/1024 person. Exact and confidential."""
    rows = fixed_contributions(contributions, bound_l2)
    sums = rows.group_by("cell").agg(total=rows.fixed.sum()).order_by("cell")
    found = backend.to_pyarrow(sums)
    return (found["cell"].to_numpy().astype(np.int64), found["total"].to_numpy().astype(np.int64))
