"""Membership in released aggregates: found where nothing protects, at the ceiling where the noise does, and bugs caught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from membership_people import only, operator, quiet

from synthmob.audit import ceiling, membership
from synthmob.audit.intervals import auc
from synthmob.counts import STATISTICS, Public
from synthmob.errors import InputError
from synthmob.marginals import Marginal, unravel

GROUP, TRIALS = 100, 4


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    told: list[str] = []
    evidence = membership.on_aggregates(operator(), GROUP, TRIALS, np.random.default_rng(1), told.append)
    assert len(told) == TRIALS and "100" in told[0]
    return {e.subject: e for e in evidence}


def test_exact_counts_and_event_level_noise_give_members_away(found):
    assert list(found) == ["raw counts", "counts of 50 and more", "event-level noise", "release before the cut", "release"]
    assert found["raw counts"].low > 0.9 and found["event-level noise"].low > 0.8
    assert found["raw counts"].passed is None and found["raw counts"].limit is None


def test_the_release_stays_under_the_ceiling_of_its_budget(found):
    limit = ceiling.within_one_release(operator().plan.rho)
    for name in ("release", "release before the cut"):
        assert found[name].limit == limit and found[name].passed and found[name].value < limit + 0.05
    assert all(e.control == 0.5 and e.unit == "auc" and e.family == "membership" and e.n == 2 * GROUP * TRIALS for e in found.values())
    assert "picks the member" in found["release"].sentence and "56.2 times" in found["release"].sentence


def test_where_membership_is_drawn_again_there_is_nothing_to_find():
    rng = np.random.default_rng(2)
    scores = membership.scored(only(operator(), "presence@zone", "home_work@zone", "episodes"), 60, 8, rng, quiet)
    raw = next(trials for form, trials in scores.items() if form.key == "raw")
    chance = [auc(score, rng.permutation(members)) for score, members in raw]
    assert abs(np.mean(chance) - 0.5) < 4 * np.sqrt(1 / (12 * 60) * 2 / len(raw))
    assert np.mean([auc(score, members) for score, members in raw]) > 0.8


def without_noise(totals: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, Marginal]:
    """A mechanism that has lost its noise and its cut."""
    subject = operator()
    public = Public(subject.zoning, subject.plan.domain, subject.period)
    out = {}
    for request in subject.plan.requests:
        axes = STATISTICS[request.statistic].axes(public, request.level)
        cells, fixed = totals[request.name]
        sigma = subject.plan.sigma_of(request)
        out[request.name] = Marginal(request.name, axes, unravel(cells, axes), fixed / 1024, sigma=sigma, cut=0.0)
    return out


def test_a_mechanism_without_noise_is_caught():
    broken = replace(operator(), publish=without_noise)
    evidence = membership.on_aggregates(broken, GROUP, 3, np.random.default_rng(3), quiet)
    release = next(e for e in evidence if e.subject == "release")
    assert release.passed is False and release.low > release.limit


def test_a_lost_contribution_bound_is_caught_before_the_cut():
    subject = operator()
    many = {name: replace(t, fixed=10 * t.fixed) for name, t in subject.contributions.items()}
    evidence = membership.on_aggregates(replace(subject, contributions=many), GROUP, 3, np.random.default_rng(4), quiet)
    before = next(e for e in evidence if e.subject == "release before the cut")
    assert before.passed is False and before.low > before.limit


def test_a_group_that_the_subject_is_too_small_for_is_refused():
    with pytest.raises(InputError, match=r"900 people and attacks groups of 301: give it at least 903"):
        membership.on_aggregates(operator(), 301, 1, np.random.default_rng(1), quiet)
