"""A person as one row: who they are, where they belong, and what their days are like.

It is what an attacker is taken to know of a person, or wants to know: attributes of the table of persons, and features that
anybody could tell who watched the person's days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthmob.audit.whereabouts import IntArray, Stays, codes, stays_of
from synthmob.domain import MINUTES_PER_DAY, UNKNOWN, WORKER, Domain
from synthmob.zones import Zoning

FloatArray = npt.NDArray[np.float64]

BELONGING = ("sex", "age_band", "worker", "home_zone")
"""What a register of inhabitants would have of a person."""
CATEGORIES = (*BELONGING, "work_zone", "other_zone")
NONE = -1.0
"""The code of a category that a person does not have: no work zone, no third place."""


@dataclass(frozen=True, eq=False)
class Attributes:
    """`values` float64 of shape (persons, columns): codes where `categorical` (columns,), else numbers; no NaN."""

    names: tuple[str, ...]
    values: FloatArray
    categorical: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """How many persons there are."""
        return len(self.values)

    def column(self, name: str) -> FloatArray:
        """The values of one attribute, shape (persons,)."""
        return self.values[:, self.names.index(name)]

    def of(self, rows: npt.NDArray[Any]) -> Attributes:
        """Some of the persons, by index or mask."""
        return replace(self, values=self.values[rows])

    def only(self, names: Sequence[str]) -> Attributes:
        """Some of the attributes; those that nobody has are passed over."""
        keep = [self.names.index(name) for name in names if name in self.names]
        return Attributes(tuple(self.names[k] for k in keep), self.values[:, keep], self.categorical[keep])


def attributes(persons: pa.Table, stays: pa.Table, zoning: Zoning, domain: Domain) -> Attributes:
    """The attributes of persons, in the order of their table.

    sex, age_band (where the table has them), worker, home_zone, work_zone; other_zone: the zone, neither of these, where they
    spend most time; stays, km: how many stays and how many km of trips a day; zones: how many they are ever in; out_min: when they
    leave first, on average over the days that they leave, minutes, 1440 where never; home_min, work_min: a day.
    """
    days = stays_of(persons, stays, zoning, domain)
    areas = (*zoning.labels, UNKNOWN)
    labels = {"sex": domain.sex, "age_band": domain.age_band, "worker": WORKER, "home_zone": areas, "work_zone": areas}
    unread = {"sex", "age_band"} - set(domain.attributes)
    columns: dict[str, FloatArray] = {
        name: codes(persons[name], known, int(NONE)).astype(np.float64)
        for name, known in labels.items() if name in persons.column_names and name not in unread}
    n_days = _per_person(days, days.first_of_day.astype(np.float64))
    per_day = np.maximum(n_days, 1.0)
    columns["other_zone"] = _other_zone(days, columns["home_zone"], columns["work_zone"], len(areas))
    columns["stays"] = _per_person(days, np.ones(len(days.person))) / per_day
    columns["km"] = np.round(_per_person(days, _trip_km(days, zoning)) / per_day, 3)
    columns["zones"] = _distinct_zones(days, len(areas))
    columns["out_min"] = _first_departure(days)
    for code, name in enumerate(("home_min", "work_min")):
        columns[name] = _per_person(days, np.where(days.purpose == code, days.end - days.start, 0).astype(np.float64)) / per_day
    names = tuple(columns)
    return Attributes(names, np.column_stack(list(columns.values())), np.array([name in CATEGORIES for name in names]))


def _per_person(days: Stays, weights: FloatArray) -> FloatArray:
    return np.bincount(days.person, weights=weights, minlength=days.n).astype(np.float64)


def _other_zone(days: Stays, home: FloatArray, work: FloatArray, n_areas: int) -> FloatArray:
    """The zone of most minutes that is neither home nor work; of equals the first in the zoning."""
    away = (days.zone != home[days.person]) & (days.zone != work[days.person])
    pair = days.person[away] * n_areas + days.zone[away]
    found, inverse = np.unique(pair, return_inverse=True)
    minutes = np.bincount(inverse, weights=(days.end - days.start)[away].astype(np.float64), minlength=len(found))
    who, zone = np.divmod(found, n_areas)
    best = np.lexsort((-zone, minutes, who))  # the last of each person is the longest
    out = np.full(days.n, NONE)
    out[who[best]] = zone[best]
    return out


def _trip_km(days: Stays, zoning: Zoning) -> FloatArray:
    """The km of the trip to each stay, 0 for the first of a day and to or from outside."""
    before: IntArray = np.concatenate([days.zone[:1], days.zone[:-1]])
    km = zoning.distances_km(before, days.zone)
    return np.where(days.first_of_day | np.isnan(km), 0.0, km)


def _distinct_zones(days: Stays, n_areas: int) -> FloatArray:
    pairs = np.unique(days.person * n_areas + days.zone)
    return np.bincount(pairs // n_areas, minlength=days.n).astype(np.float64)


def _first_departure(days: Stays) -> FloatArray:
    left = days.first_of_day & (days.end < MINUTES_PER_DAY)
    n_left = np.bincount(days.person[left], minlength=days.n)
    total = np.bincount(days.person[left], weights=days.end[left].astype(np.float64), minlength=days.n)
    return np.where(n_left > 0, total / np.maximum(n_left, 1), float(MINUTES_PER_DAY))
