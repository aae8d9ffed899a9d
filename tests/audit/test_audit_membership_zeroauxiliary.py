"""The zero-auxiliary attack: people made up from a release, and what they tell of a target."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from membership_people import only, operator, quiet

from synthmob.audit import ceiling, zeroauxiliary
from synthmob.audit.intervals import auc
from synthmob.audit.madeup import MadeUp, made_up, n_visits, neighbours
from synthmob.audit.per_target import auc_over_targets
from synthmob.audit.publication import Shown
from synthmob.errors import InputError


def whole(values: np.ndarray, noise: float = 0.0) -> Shown:
    return Shown(values, np.ones(len(values), dtype=bool), np.full(len(values), -np.inf), np.full(len(values), noise))


@pytest.fixture(scope="module")
def found():
    told: list[str] = []
    evidence = zeroauxiliary.attack(operator(), 100, 24, np.random.default_rng(1), told.append)
    assert len(told) == 24
    return {e.subject: e for e in evidence}


def test_exact_presence_gives_targets_away_without_other_knowledge(found):
    assert found["raw counts"].low > 0.6 and found["event-level noise"].low > 0.55
    assert found["raw counts"].n == 100 and found["raw counts"].passed is None


def test_the_release_gives_nothing_away(found):
    limit = ceiling.across_releases(operator().plan.rho)
    for name in ("release", "release before the cut"):
        assert found[name].passed and found[name].limit == limit and found[name].low < 0.5 + 0.03


def test_a_plan_without_presence_has_nothing_to_attack():
    assert zeroauxiliary.attack(only(operator(), "home@zone"), 50, 2, np.random.default_rng(1), quiet) == []


def test_presence_of_districts_is_attacked_where_there_is_none_of_zones():
    scores = zeroauxiliary.scored(only(operator(), "presence@district"), 50, 2, np.random.default_rng(1), quiet)
    assert len(scores) == 5 and all(score.shape == inside.shape == (2, 100) for score, inside in scores.values())
    assert all(inside.sum(axis=1).tolist() == [50, 50] for _, inside in scores.values())


def test_a_subject_that_is_too_small_is_refused():
    with pytest.raises(InputError, match=r"900 people and attacks groups of 850: give it at least 950"):
        zeroauxiliary.attack(operator(), 850, 1, np.random.default_rng(1), quiet)


def test_neighbours_are_the_nearest_zones_and_never_oneself():
    zoning = operator().zoning
    near = neighbours(zoning, "zone")
    assert near.shape == (zoning.n_zones + 1, 20)
    assert all(k not in row for k, row in enumerate(near))
    apart = np.hypot(*(zoning.centroids_km[:-1] - zoning.centroids_km[3]).T)
    assert near[3][0] in (np.argsort(apart)[1], zoning.n_zones)  # outside is held to lie in the middle
    districts = neighbours(zoning, "district")
    assert districts.shape[0] == len(zoning.level("district").labels) + 1


def test_moments_are_those_of_drawn_traces():
    # two kinds of people: places 0 and 1 at shares .25 and .75, or place 2 alone; two moments, the second a mean over 4 days
    shares = np.array([[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]])
    days, when = np.array([1, 4]), np.array([0.8, 0.5])
    law = MadeUp(days, when, shares.mean(axis=0), shares.T @ shares / 2)
    rng, n = np.random.default_rng(1), 200_000
    kind = rng.integers(2, size=n)
    traces = np.zeros((n, 6))
    for moment in (0, 1):
        for _ in range(days[moment]):
            place = np.where(kind == 1, 2, (rng.random(n) < 0.75).astype(int))
            there = rng.random(n) < when[moment]
            traces[np.arange(n)[there], 3 * moment + place[there]] += 1 / days[moment]
    mean, covariance = law.moments(np.arange(6))
    np.testing.assert_allclose(mean, traces.mean(axis=0), atol=0.005)
    np.testing.assert_allclose(covariance, np.cov(traces.T, bias=True), atol=0.005)


def test_margins_come_back_from_an_exact_aggregate():
    near = np.array([[1, 2], [0, 2], [0, 1]])
    aggregate = 40 * np.outer([0.5, 1.0], [0.5, 0.3, 0.2])  # at the first moment half of 40 people are nowhere
    law = made_up(whole(aggregate.ravel()), np.array([1, 1]), 40, near, np.random.default_rng(1))
    np.testing.assert_allclose(law.when, [0.5, 1.0])
    np.testing.assert_allclose(law.where, [0.5, 0.3, 0.2])  # all people have all three places


@given(st.floats(4.0, 20.0), st.floats(0.0, 10.0))
def test_visits_that_were_cut_are_put_back(visits, noise):
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(200))
    mean = 500 * visits * shares
    counts = mean + np.sqrt(mean + noise**2) * rng.normal(size=len(mean))
    known = counts >= 20 + 2 * noise
    shown = Shown(np.where(known, counts, 0.0), known, np.full(len(mean), 20 + 2 * noise), np.full(len(mean), noise**2))
    assert n_visits(shown, shares, 500, 24) == pytest.approx(visits, rel=0.1)
    assert n_visits(whole(mean), shares, 500, 24) == pytest.approx(visits)


def test_nothing_shown_is_no_reason_to_fail():
    nothing = Shown(np.zeros(12), np.zeros(12, dtype=bool), np.full(12, 90.0), np.full(12, 400.0))
    law = made_up(nothing, np.array([1, 1, 1, 1]), 40, np.array([[1, 2], [0, 2], [0, 1]]), np.random.default_rng(1))
    np.testing.assert_allclose(law.where, 1 / 3)
    mean, covariance = law.moments(np.arange(12))
    assert np.isfinite(mean).all() and np.isfinite(covariance).all()


def test_the_auc_of_targets_is_the_mean_of_their_own():
    rng = np.random.default_rng(1)
    inside = rng.random((30, 8)) < 0.5
    scores = rng.integers(0, 6, size=(30, 8)) + inside
    value, low, high = auc_over_targets(scores.astype(float), inside, rng)
    assert value == pytest.approx(np.mean([auc(scores[:, k], inside[:, k]) for k in range(8)]))
    assert low < value < high


def test_the_auc_of_targets_at_its_best_its_worst_and_with_nothing_known():
    rng, inside = np.random.default_rng(1), np.random.default_rng(2).random((20, 5)) < 0.5
    assert auc_over_targets(inside.astype(float), inside, rng) == (1.0, 1.0, 1.0)
    assert auc_over_targets(-inside.astype(float), inside, rng) == (0.0, 0.0, 0.0)
    assert auc_over_targets(np.zeros((20, 5)), inside, rng) == (0.5, 0.5, 0.5)
    assert auc_over_targets(np.zeros((20, 5)), np.ones((20, 5), dtype=bool), rng) == (0.5, 0.5, 0.5)


def test_the_interval_holds_chance_in_nearly_all_of_many_attacks_on_nothing():
    rng, held = np.random.default_rng(1), 0
    for _ in range(40):
        inside = rng.random((24, 30)) < 0.5
        shared = rng.normal(size=(24, 1)) + rng.normal(size=(24, 30))  # releases are good or bad for all targets at once
        _, low, high = auc_over_targets(shared, inside, rng)
        held += low <= 0.5 <= high
    assert held >= 36
