"""Distances inside groups: their worst, their mean over people, and differences of trips per person.

Counts have shape (groups, values), truth first, in persons on an average day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthmob.fidelity.distances import Distance, tvd, wasserstein_grid
from synthmob.fidelity.sides import FloatArray

MIN_GROUP = 50.0
"""Groups of fewer true people are left out of the worst group: with a handful, another sample would be as far off."""
FAIR = 2.0
"""The rule of fairness: no group's error is above so many times the error of all people together."""
TOP_MOTIFS = 17
"""Those that cover about nine days of ten, Schneider et al. 2013."""


@dataclass(frozen=True)
class Grid:
    """Wasserstein-1 distances on a grid of `step` units, by group."""

    step: float

    def overall(self, truth: FloatArray, other: FloatArray) -> float:
        """The distance with all groups together.

        >>> Grid(0.5).overall(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]))
        0.5

        """
        return wasserstein_grid(truth.sum(axis=0), other.sum(axis=0), self.step)

    def each(self, truth: FloatArray, other: FloatArray) -> FloatArray:
        """The distance inside each group, NaN for groups that are too small, shape (groups,)."""
        return np.array(
            [
                wasserstein_grid(p, q, self.step) if p.sum() >= MIN_GROUP else np.nan
                for p, q in zip(truth, other, strict=True)
            ]
        )

    def worst(self, truth: FloatArray, other: FloatArray) -> float:
        """The largest distance inside a group; the overall one where no group is big enough."""
        found = self.each(truth, other)
        return float(np.nanmax(found)) if np.isfinite(found).any() else self.overall(truth, other)

    def unfairness(self, truth: FloatArray, other: FloatArray) -> float:
        """How far the worst group is above FAIR times the overall distance, 0 where the rule is kept.

        A small group of another sample is above it too: read it beside its floor.
        """
        return max(0.0, self.worst(truth, other) - FAIR * self.overall(truth, other))

    def mean(self, truth: FloatArray, other: FloatArray) -> float:
        """The mean distance inside the groups, weighted by the truth's people in each.

        >>> Grid(1.0).mean(np.array([[3.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [1.0, 0.0]]))
        0.25

        """
        people = truth.sum(axis=1)
        total = people.sum()
        if total <= 0:
            return self.overall(truth, other)
        inside = [
            wasserstein_grid(p, q, self.step) if n > 0 else 0.0 for p, q, n in zip(truth, other, people, strict=True)
        ]
        return float(np.dot(inside, people) / total)


def tvd_within(truth: FloatArray, other: FloatArray) -> float:
    """The mean total variation distance inside the groups, weighted by the truth's people in each.

    >>> tvd_within(np.array([[3.0, 0.0], [0.0, 1.0]]), np.array([[2.0, 2.0], [0.0, 9.0]]))
    0.375

    """
    people = truth.sum(axis=1)
    inside = [tvd(p, q) if n > 0 else 0.0 for p, q, n in zip(truth, other, people, strict=True)]
    return float(np.dot(inside, people) / people.sum()) if people.sum() > 0 else tvd(truth, other)


def trips_each(days: FloatArray) -> FloatArray:
    """Trips per person-day of each group from counts over stays per day, 0 for a group without days, shape (groups,).

    >>> trips_each(np.array([[0.0, 1.0, 0.0, 1.0]])).tolist()
    [1.0]

    """
    trips = days @ np.maximum(np.arange(days.shape[1]) - 1.0, 0.0)
    people = days.sum(axis=1)
    return np.divide(trips, people, out=np.zeros_like(trips), where=people > 0)


def trips_overall(truth: FloatArray, other: FloatArray) -> float:
    """Absolute difference of trips per person-day."""
    return float(abs(trips_each(truth.sum(axis=0, keepdims=True)) - trips_each(other.sum(axis=0, keepdims=True)))[0])


def trips_by_group(truth: FloatArray, other: FloatArray) -> float:
    """Mean over the truth's people of the absolute difference of their group's trips per person-day."""
    people = truth.sum(axis=1)
    total = people.sum()
    return (
        float(np.abs(trips_each(truth) - trips_each(other)) @ people / total)
        if total > 0
        else trips_overall(truth, other)
    )


def trips_apart(truth: FloatArray, other: FloatArray) -> FloatArray:
    """Absolute difference of trips per person-day inside each group, NaN for groups that are too small, shape (groups,)."""
    return np.where(truth.sum(axis=1) >= MIN_GROUP, np.abs(trips_each(truth) - trips_each(other)), np.nan)


def trips_unfairness(truth: FloatArray, other: FloatArray) -> float:
    """How far the worst group's trips per person-day are off above FAIR times the overall difference, 0 where the rule is kept.

    >>> trips_unfairness(np.array([[0.0, 0.0, 90.0], [90.0, 0.0, 0.0]]), np.array([[90.0, 0.0, 0.0], [0.0, 0.0, 90.0]]))
    1.0
    """
    apart = trips_apart(truth, other)
    worst = float(np.nanmax(apart)) if np.isfinite(apart).any() else 0.0
    return max(0.0, worst - FAIR * trips_overall(truth, other))


def top_tvd(truth: FloatArray, other: FloatArray) -> float:
    """Total variation distance over the TOP_MOTIFS cells that are largest in the truth, all others in one.

    >>> top_tvd(np.array([2.0, 1.0, 1.0]), np.array([2.0, 2.0, 0.0]))
    0.25

    """
    order = np.argsort(-truth, kind="stable")
    top, rest = order[:TOP_MOTIFS], order[TOP_MOTIFS:]
    return tvd(np.append(truth[top], truth[rest].sum()), np.append(other[top], other[rest].sum()))


# It takes arrays where the other distances take anything that numpy can read.
TRIPS = Distance("trips", 0.0, float("inf"), trips_overall)  # pyright: ignore[reportArgumentType]
