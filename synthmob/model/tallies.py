"""What lives do while destinations are fitted on them: stays of one moment, what is added up of them, and where people have been."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.counts.flows import HEADINGS
from synthmob.model import reach
from synthmob.model.geography import Geography
from synthmob.model.known import at_once
from synthmob.model.reconcile import FloatArray

IntArray = npt.NDArray[np.int64]
MOST_REMEMBERED = 48
"""Places that a purpose has taken a life to: days of a life are few, and these are more than enough."""


@dataclass(frozen=True)
class Stays:
    """Stays whose zone is asked for, one of a life each, all (stays,): whose, what for, their heading, one of HEADINGS, home and work of
    the life, the anchor ahead, the zone before, their row of reach, and how many stays of people each is worth."""

    life: IntArray
    purpose: IntArray
    heading: IntArray
    home: IntArray
    work: IntArray
    anchor: IntArray
    origin: IntArray
    reach: IntArray
    worth: FloatArray

    def some(self, which: npt.NDArray[Any]) -> Stays:
        """Those at an index or where a mask holds."""
        return Stays(*(getattr(self, field.name)[which] for field in fields(self)))


@dataclass(frozen=True)
class Tally:
    """Sums being made, the same tables as an Expectation: `destinations` (purposes, zones), `distances` (day types, purposes x headings,
    bands, bands), `flows` (areas, areas) and `reached` (purposes, rows of reach, bands)."""

    destinations: FloatArray
    distances: FloatArray
    flows: FloatArray
    reached: FloatArray
    geography: Geography

    @staticmethod
    def empty(purposes: int, geography: Geography, day_types: int) -> Tally:
        """Nothing counted so far."""
        bands, areas = geography.n_bands, int(geography.flow_areas.max()) + 1
        return Tally(
            np.zeros((purposes, geography.n)), np.zeros((day_types, purposes * HEADINGS, bands, bands)), np.zeros((areas, areas)),
            np.zeros((purposes, reach.ROWS + 1, bands)), geography)

    def settle(self, day_type: int, stays: Stays, zone: IntArray, rank: int) -> None:
        """Count stays at these zones, (stays,), for what each is worth: those of `rank` 0 are no trips."""
        np.add.at(self.destinations, (stays.purpose, zone), stays.worth)
        if rank > 0:
            bands, area = self.geography.bands, self.geography.flow_areas
            ahead, behind = bands[stays.anchor, zone], bands[stays.origin, zone]
            np.add.at(self.distances[day_type], (stays.purpose * HEADINGS + stays.heading, ahead, behind), stays.worth)
            np.add.at(self.flows, (area[stays.origin], area[zone]), stays.worth)
            np.add.at(self.reached, (stays.purpose, stays.reach, behind), stays.worth)


@dataclass(frozen=True)
class Memory:
    """Where each life has been: `zones` (lives, purposes, MOST_REMEMBERED) on the days `births`, the first `known` (lives, purposes) of
    them on earlier days, or earlier on this one for a purpose `at_once` (purposes,), and up to `fresh` today. An anchor is no place to
    return to by chance: it has its own rate."""

    zones: npt.NDArray[np.int32]
    births: npt.NDArray[np.int8]
    known: IntArray
    fresh: IntArray
    at_once: npt.NDArray[np.bool_]

    @staticmethod
    def of(n_lives: int, exploration: FloatArray, days: int) -> Memory:
        """That of lives which have been nowhere."""
        shape = (n_lives, len(exploration))
        places = (*shape, MOST_REMEMBERED if days > 1 else 1)
        return Memory(
            np.zeros(places, dtype=np.int32), np.zeros(places, dtype=np.int8), np.zeros(shape, dtype=np.int64),
            np.zeros(shape, dtype=np.int64), at_once(np.arange(len(exploration)), exploration))

    def remember(self, life: IntArray, purpose: IntArray, zone: IntArray, birth: int) -> None:
        """Lives have been at these zones, all (stays,), on the day `birth`."""
        at = self.fresh[life, purpose]
        room = at < self.zones.shape[2]
        self.zones[life[room], purpose[room], at[room]] = zone[room]
        self.births[life[room], purpose[room], at[room]] = birth
        self.fresh[life[room], purpose[room]] += 1
        now = room & self.at_once[purpose]
        self.known[life[now], purpose[now]] = self.fresh[life[now], purpose[now]]

    def sleep(self) -> None:
        """All places of a day are known from the next day on."""
        self.known[:] = self.fresh
