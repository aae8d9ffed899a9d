"""The rule of fairness: kept, broken by a value worked out by hand, and silent about groups that are too small."""

from __future__ import annotations

import numpy as np
import pytest

from synthmob.fidelity.scores import MIN_GROUP, Grid, trips_unfairness

GRID = Grid(0.5)


def groups(*rows):
    return np.array(rows, dtype=float)


def test_no_difference_is_fair():
    truth = groups([60, 0, 20], [0, 80, 0])
    assert GRID.unfairness(truth, 3 * truth) == 0.0
    assert trips_unfairness(truth, 3 * truth) == 0.0


def test_an_error_that_all_groups_share_is_fair():
    """All move by one step: no group is further off than all together."""
    truth, other = groups([60, 0], [60, 0]), groups([0, 60], [0, 60])
    assert GRID.overall(truth, other) == 0.5
    assert GRID.unfairness(truth, other) == 0.0
    assert trips_unfairness(groups([0, 60, 0], [0, 60, 0]), groups([0, 0, 60], [0, 0, 60])) == 0.0


def test_a_group_that_bears_it_all():
    """One of four equal groups moves by two steps of 0.5, all together by a quarter of that: 1 - 2 x 0.25."""
    truth = groups(*[[60, 0, 0]] * 4)
    other = groups([0, 0, 60], *[[60, 0, 0]] * 3)
    assert GRID.unfairness(truth, other) == pytest.approx(1.0 - 2 * 0.25)
    # Trips are stays less one: 0 in truth, 2 in one group, all together 0.5.
    days = groups(*[[0, 60, 0, 0]] * 4), groups([0, 0, 0, 60], *[[0, 60, 0, 0]] * 3)
    assert trips_unfairness(*days) == pytest.approx(2.0 - 2 * 0.5)


def test_groups_that_cancel_out_are_as_unfair_as_can_be():
    """Two groups change places: nothing is wrong with all together, everything with each."""
    truth, other = groups([60, 0, 0], [0, 0, 60]), groups([0, 0, 60], [60, 0, 0])
    assert GRID.unfairness(truth, other) == 1.0
    assert trips_unfairness(groups([0, 60, 0], [0, 0, 60]), groups([0, 0, 60], [0, 60, 0])) == 1.0


def test_a_handful_is_not_judged():
    few = MIN_GROUP - 1
    truth, other = groups([600, 0, 0], [few, 0, 0]), groups([600, 0, 0], [0, 0, few])
    assert GRID.unfairness(truth, other) == 0.0
    assert trips_unfairness(groups([0, 600, 0], [0, few, 0]), groups([0, 600, 0], [0, 0, few])) == 0.0
