"""Control variates: of many samples of lives, destinations have the mean that they had, and are much closer to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_model_flows import LEISURE, PLACE, PURPOSES, SHOP, WORK_ANCHOR, planted, several_days

from synthmob import seeds
from synthmob.model.expectation import expectation
from synthmob.model.variates import Variates

EXPLORATION = np.array([np.inf, 2.0, 0.2, 1.5])
SAMPLES, LIVES, DAYS = 40, 600, 5


@pytest.fixture(scope="module")
def samples() -> tuple[Any, Any]:
    """Destinations of the same lives with other chances, as found, and as drawn: (samples, purposes, zones) each."""
    some, flows, key = several_days(LIVES, DAYS, 3), planted(4), seeds.stage_key
    found, drawn = [], []
    for sample in range(SAMPLES):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(seeds, "stage_key", lambda seed, name, sample=sample: key(seed + sample, name))
            got = expectation(flows, PLACE, some, WORK_ANCHOR, EXPLORATION, 0.3)
        found.append(got.destinations)
        counted = np.zeros((PURPOSES, PLACE.n))
        np.add.at(counted, (got.visits.purpose, got.visits.zone), 1.0)
        drawn.append(counted)
    return np.array(found), np.array(drawn)


def test_they_do_not_move_the_mean(samples: tuple[Any, Any]) -> None:
    found, drawn = (each[:, SHOP:] for each in samples)
    error = np.sqrt((drawn.var(axis=0) + found.var(axis=0)) / SAMPLES) + 0.3
    z = ((found.mean(axis=0) - drawn.mean(axis=0)) / error).ravel()
    assert np.abs(z).max() < 4.0 and z.std() < 1.1
    assert found.sum(axis=2) == pytest.approx(drawn.sum(axis=2), rel=0.01)


def test_they_take_most_of_the_chance_away(samples: tuple[Any, Any]) -> None:
    found, drawn = (each.var(axis=0).sum(axis=1) for each in samples)
    assert found[SHOP] < 0.3 * drawn[SHOP]  # nearly all are at one place, however often
    assert found[LEISURE] < 0.4 * drawn[LEISURE]


def test_a_few_draws_by_hand() -> None:
    some = Variates.empty(2, 3, 4)
    some.laws[1, 0] = (1.0, 0.5, 0.5, 0.0)
    some.draw(np.array([1, 1]), 0, np.array([0, 2]), np.ones(2))
    some.laws[1, 3] = (0.0, 0.0, 0.25, 1.75)
    some.draw(np.array([1]), 3, np.array([3]), np.array([2.0]))
    some.back(np.array([1, 1, 1]), np.array([0, 0, 0]), np.ones(3))
    # Two places of the first day, to which there were three returns: law less draw counts two and a half times; a night once.
    want = 2.5 * np.array([0.0, 0.5, -0.5, 0.0]) + np.array([0.0, 0.0, 0.25, -0.25])
    assert some.correction() == pytest.approx(np.stack([np.zeros(4), want]))
