"""How often people go somewhere new, and whether that is a place that they know for another errand.

The released numbers of distinct zones by purpose give each purpose a weight of new places, as if no two of these were in one zone; and
all purposes together meet in fewer zones than they have by themselves, for people shop where they go for a coffee. Both are moved until
lives have as many places by purpose, and in all, as the release says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.counts.reach import FIRST_ERRAND
from synthmob.counts.routines import VISIT_COUNTS
from synthmob.marginals import Marginal
from synthmob.model.expectation import Visits
from synthmob.model.lives import Lives
from synthmob.model.reconcile import LEAST, FloatArray, Noisy

USUAL = 0.95
"""The part of people whose number of zones is a usual one."""
LEAST_PUBLISHED = 3
"""Numbers of zones that have to be published, or nothing is said of how many people have in all."""
MOST_MOVE, LEAST_YIELD = 2.0, 0.05
"""The most that a weight of new places moves at once, and the least part that places are believed to grow by when it grows by one."""
LEAST_WEIGHT, MOST_WEIGHT = 0.01, 200.0
SHARING_STEP = 0.08
"""What a zone too many a person adds to sharing: far less than what it takes, for weights of new places and destinations move as well."""
FIRST_SHARING, MOST_SHARING = 0.25, 0.8


@dataclass(frozen=True)
class Returns:
    """`exploration` (purposes,) the Chinese-restaurant weight of a new place, `sharing` the chance that it is known for another errand."""

    exploration: FloatArray
    sharing: float


@dataclass(frozen=True)
class Wanted:
    """Places of all lives by purpose, (purposes,), released persons by distinct zones (numbers,), and which numbers are `usual`: those
    published of all but the USUAL part of people who have fewest. Who is in more has reasons of their own, such as work here and there."""

    places: FloatArray
    zones: FloatArray
    usual: npt.NDArray[np.bool_]

    @staticmethod
    def of(tables: Mapping[str, Marginal], lives: Lives, exploration: FloatArray, days: int) -> Wanted | None:
        """What lives should have; None where the release tells nothing of several days, or of more days than lives have."""
        told = "distinct_zones" in tables and "distinct_given_visits" in tables
        if not told or lives.days < 2 or lives.days != days:
            return None
        noisy = Noisy.of(tables["distinct_zones"])
        zones = np.nan_to_num(noisy.count)
        usual = noisy.published & (np.cumsum(zones) <= USUAL * zones.sum())
        if usual.sum() < LEAST_PUBLISHED:
            return None
        purposes = len(exploration)
        life, rank = np.nonzero(lives.purposes >= 0)
        cell = life // lives.days * purposes + lives.purposes[life, rank]
        visits = np.bincount(cell, minlength=len(lives.home) // lives.days * purposes).reshape(-1, purposes)
        places = np.stack([_expected(exploration[p], visits[:, p])[0] for p in range(purposes)])
        return Wanted(places, zones, usual)


def _expected(weight: float, visits: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Places of lives with so many `visits` (lives,) each, by a Chinese restaurant with the `weight` of a new one; and by which part they
    grow where that grows by a part."""
    nth = np.arange(int(visits.max(initial=0)))
    steps = np.stack([weight / (weight + nth), weight * nth / (weight + nth) ** 2])
    many = np.bincount(visits)[::-1].cumsum()[::-1][1:]  # lives that have an nth visit
    places, more = steps @ many
    return float(places), float(more / max(float(places), LEAST))


def moved(returns: Returns, wanted: Wanted, visits: Visits, n_zones: int, lives: Lives) -> Returns:
    """One step of both towards what is wanted, given the visits of lives."""
    purposes, n = len(returns.exploration), len(lives.home) // lives.days
    anew = (visits.rank > 0) | (visits.row % lives.days == 0)  # in a synthetic day, the night's stay goes on where it was
    life, purpose, zone = visits.life[anew], visits.purpose[anew], visits.zone[anew]
    places = np.unique((life * purposes + purpose) * n_zones + zone) // n_zones % purposes
    found = np.bincount(places, minlength=purposes).astype(np.float64)
    times = np.bincount(visits.life * purposes + visits.purpose, minlength=n * purposes).reshape(n, purposes)
    grows = np.array([_expected(weight, times[:, p])[1] for p, weight in enumerate(returns.exploration)])
    pull = (wanted.places / np.maximum(found, 1.0)) ** (1.0 / np.maximum(grows, LEAST_YIELD))
    pull = np.clip(pull, 1.0 / MOST_MOVE, MOST_MOVE)
    pull[:FIRST_ERRAND] = 1.0
    zones = np.bincount(np.unique(life * n_zones + zone) // n_zones, minlength=n)
    persons = np.bincount(np.minimum(zones, len(VISIT_COUNTS)) - 1, minlength=len(VISIT_COUNTS)).astype(np.float64)
    too_many = _mean(persons, wanted.usual) - _mean(wanted.zones, wanted.usual)
    sharing = float(np.clip(returns.sharing + SHARING_STEP * too_many, 0.0, MOST_SHARING))
    return Returns(np.clip(returns.exploration * pull, LEAST_WEIGHT, MOST_WEIGHT), sharing)


def _mean(persons: FloatArray, usual: npt.NDArray[np.bool_]) -> float:
    """The mean number of zones of those who have a usual one."""
    seen = np.where(usual, persons, 0.0)
    return float((seen * np.arange(1, len(seen) + 1)).sum() / max(float(seen.sum()), LEAST))
