"""Contribution bounding in whole numbers: after this point a count is an integer and one subscriber's part of it is bounded.

Sensitivity: the vector that one subscriber adds to a table has an L2 norm of at most `bound_l2` persons, but for the part in
10^9 by which a float may fall short of the root it stands for, and no entry above 1. Neighbours add or remove one
subscriber, so the table moves by that vector. tests/private/test_bounding.py holds every table of the standard plan to it.

Floats end here, before the first sum that matters. The order in which a database adds floats depends on the rows beside
them, so a norm summed from floats would let one subscriber's presence move the last bit of another's contribution, and
with it a whole step of 1/1024 (Casacuberta, Shoemate, Vadhan, Wagaman 2022, arXiv:2207.10635). Each weight therefore
becomes a whole number of 2^-20 person first; norms and counts are sums of whole numbers, which have no order. The one float
sum before that adds the weights of one person in one cell, each a whole number of 1/(8n) person, n their days and at most
`period.MAX_DAYS`. Up to 1, it lies within 4e-12 of the true sum, a whole number of 1/(8n), which is 2^17/n steps of 2^-20: a
true sum is a whole step or at least 1/n short of the next one, so whichever way the floats round, `FORGIVEN` takes them to the same whole
number. Beyond 1 both count as 1. docs/PRIVACY.md has the proof.
"""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import numpy.typing as npt

from synthmob.accounting import FIXED_POINT

FINE = FIXED_POINT * 1024
"""Whole numbers in one person before scaling: fine enough that rounding twice loses no more than rounding once."""
FORGIVEN = 1e-5
"""In 1/FINE person. Sums such as 1/3 + 1/3 + 1/3 fall short by float error, under 4e-6 here; true fractions by 1/3660 and more."""
EQUAL = 1.0 + 1e-9
"""A bound such as sqrt(72) is a float just under its root: a norm within this factor of it counts as on it, not over it."""
SHRINK = 1.0 - 1e-9
"""Who is over the bound is scaled to just inside it, so that no float rounding of the factor carries them back."""


def fixed_contributions(contributions: Any, bound_l2: float) -> Any:
    """A lazy table (person_id, cell, fixed): each person's bounded contribution in 1/1024 person.

    `contributions` has one row a person and cell: person_id, cell, weight (float, persons). A weight above 1 counts as 1,
    one below 0 as 0; a person whose norm is over `bound_l2` is scaled down to it.
    """
    rows = contributions.select("person_id", "cell", fine=_whole(contributions.weight))
    square: Any = (rows.fine * rows.fine).sum()
    # Joined and not a window, for which all rows would be sorted.
    norms = rows.group_by("person_id").agg(norm=square.cast("float64").sqrt())
    rows = rows.inner_join(norms, "person_id")
    limit = bound_l2 * FINE
    inside = rows.fine // (FINE // FIXED_POINT)
    scaled = (rows.fine * (limit * SHRINK / (FINE // FIXED_POINT)) / rows.norm).floor()
    return rows.select("person_id", "cell", fixed=ibis.ifelse(rows.norm <= limit * EQUAL, inside, scaled.cast("int64")))


def totals(backend: Any, contributions: Any, bound_l2: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The occupied cells, ascending, and their bounded counts in 1/1024 person. Exact and confidential."""
    rows = fixed_contributions(contributions, bound_l2)
    sums = rows.group_by("cell").agg(total=rows.fixed.sum()).order_by("cell")
    found = backend.to_pyarrow(sums)
    return (found["cell"].to_numpy().astype(np.int64), found["total"].to_numpy().astype(np.int64))


def _whole(weight: Any) -> Any:
    """An expression: a weight as a whole number of 1/FINE person from 0 to FINE, rounded toward zero."""
    capped: Any = ibis.greatest(ibis.least(weight, 1.0), 0.0)
    return (capped * float(FINE) + FORGIVEN).floor().cast("int64")
