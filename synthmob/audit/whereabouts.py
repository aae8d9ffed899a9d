"""Where people are: the stays of some persons as arrays, and the zone of each person at half past every hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthmob.domain import Domain
from synthmob.zones import Zoning

IntArray = npt.NDArray[np.int64]
ZoneArray = npt.NDArray[np.int32]

HOURS = 24
HALF_PAST = 30
NOWHERE = -1
"""The zone of a person who is on the way, or of a day without records."""


@dataclass(frozen=True, eq=False)
class Stays:
    """The stays of `n` persons by person, day and order within the day; int64 arrays of shape (stays,).

    `person` is the row of the person in their table; `purpose` and `zone` are codes of the domain and of the zoning, `outside`
    last; `start` and `end` minutes from midnight.
    """

    n: int
    person: IntArray
    day: IntArray
    purpose: IntArray
    zone: IntArray
    start: IntArray
    end: IntArray

    @property
    def first_of_day(self) -> npt.NDArray[np.bool_]:
        """Which stays are the first of a person's day, shape (stays,)."""
        out = np.ones(len(self.person), dtype=np.bool_)
        out[1:] = (self.person[1:] != self.person[:-1]) | (self.day[1:] != self.day[:-1])
        return out

    def hourly(self, days: int, *, carried: bool = False) -> ZoneArray:
        """The zone of every person at half past each hour of the days from 0 on, shape (persons, 24 days), NOWHERE where none.

        With `carried`, somebody on the way is still where they left from.
        """
        out = np.full((self.n, days * HOURS), NOWHERE, dtype=np.int32)
        for hour in range(HOURS):
            moment = hour * 60 + HALF_PAST
            there = (self.start <= moment) & (self.end > moment) & (self.day >= 0) & (self.day < days)
            out[self.person[there], self.day[there] * HOURS + hour] = self.zone[there]
        if carried:
            by_day = out.reshape(self.n, days, HOURS)
            for hour in range(1, HOURS):
                by_day[:, :, hour] = np.where(by_day[:, :, hour] < 0, by_day[:, :, hour - 1], by_day[:, :, hour])
        return out


def stays_of(persons: pa.Table, stays: pa.Table, zoning: Zoning, domain: Domain) -> Stays:
    """The stays of persons, both Arrow tables in the columns of schema.PERSONS and STAYS; persons may come in any order."""
    ids = persons["person_id"].to_numpy()
    order = np.argsort(ids, kind="stable")
    who = order[np.searchsorted(ids, stays["person_id"].to_numpy(), sorter=order)]
    day, seq = (stays[name].to_numpy().astype(np.int64) for name in ("day", "seq"))
    rows = np.lexsort((seq, day, who))
    zone = codes(stays["zone_id"], zoning.ids, zoning.n_zones)
    purpose = codes(stays["purpose"], domain.purposes, len(domain.purposes) - 1)
    start, end = (stays[name].to_numpy().astype(np.int64) for name in ("start_min", "end_min"))
    return Stays(len(ids), who[rows], day[rows], purpose[rows], zone[rows], start[rows], end[rows])


def codes(column: Any, labels: Sequence[str], missing: int) -> IntArray:
    """The position of every label of an Arrow column among `labels`, `missing` for null and for what is not among them.

    >>> codes(pa.chunked_array([["b", None, "x"]]), ("a", "b"), -1).tolist()
    [1, -1, -1]
    """
    import pyarrow.compute

    compute: Any = pyarrow.compute  # its functions are made when it is imported
    found = compute.index_in(compute.cast(column, pa.string()), value_set=pa.array(labels, pa.string()))
    return compute.fill_null(found, missing).to_numpy().astype(np.int64)
