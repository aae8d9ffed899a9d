"""Membership in synthetic people: a copy is found, strangers are not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import pytest
from hasty import hasty
from membership_people import made_of, operator

from synthmob.audit import ceiling, synthetic_membership
from synthmob.audit.intervals import auc
from synthmob.audit.subject import halves, trial
from synthmob.audit.synthetic_membership import on_synthetic
from synthmob.errors import InputError


def test_copied_members_are_found_by_their_nearest_neighbour():
    subject, rng = operator(), np.random.default_rng(1)
    members = halves(subject.n, rng)
    found = {e.name: e for e in on_synthetic(subject, [made_of(subject, members, members)], rng)}
    nearest, counts = found["membership_synthetic_nearest"], found["membership_synthetic_counts"]
    assert nearest.low > 0.97 and nearest.passed is False
    assert counts.low > 0.6 and counts.passed is False
    assert counts.n == subject.n and nearest.n == 2 * (subject.n // 4)


def test_synthetic_people_who_are_neither_members_nor_controls_tell_nothing():
    # a third of the people is copied, and membership is drawn among the others alone
    subject, rng = operator(), np.random.default_rng(2)
    order = rng.permutation(subject.n)
    copied = np.zeros(subject.n, dtype=bool)
    copied[order[:300]] = True
    members = np.zeros(subject.n, dtype=bool)
    members[order[300:600]] = True
    scores = synthetic_membership.scored(subject, [made_of(subject, members, copied)], rng)
    (counts, who), *_ = scores["counts"]
    others = ~copied
    assert abs(auc(counts[others], who[others]) - 0.5) < 4 * np.sqrt(1 / (6 * 300))


@pytest.mark.parametrize("how", [hasty, pytest.param(nullcontext, marks=pytest.mark.slow)], ids=["in haste", "at leisure"])
def test_the_shipped_synthesis_is_under_the_ceiling_of_its_budget(how: Callable[[], AbstractContextManager[None]]):
    subject, rng = operator(), np.random.default_rng(3)
    with how():
        made = trial(subject, halves(subject.n, rng), seed=1)
    evidence = on_synthetic(subject, [made], rng)
    assert [e.subject for e in evidence] == ["synthetic", "synthetic"] and [e.control for e in evidence] == [0.5, 0.5]
    for e in evidence:
        assert e.passed and e.limit == ceiling.within_one_release(subject.plan.rho)
        assert e.low <= 0.5 + 0.03 and e.high >= 0.47


def test_no_trial_is_refused():
    with pytest.raises(InputError, match="at least one trial"):
        on_synthetic(operator(), [], np.random.default_rng(1))


def test_distances_are_those_of_the_records_and_none_to_a_copy():
    rng = np.random.default_rng(1)
    points, among = rng.normal(size=(1_200, 8)), rng.normal(size=(70, 8))
    among[:5] = points[:5]
    found = synthetic_membership._nearest(points, among)
    wanted = ((points[:, None, :] - among[None, :, :]) ** 2).sum(axis=2).min(axis=1)
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    assert (found[:5] == 0).all()


def test_both_sides_are_equal_and_nobody_stands_on_two():
    members = np.arange(100) < 37
    some, others = synthetic_membership._sides(members, np.random.default_rng(1))
    assert members[some].sum() == (~members[some]).sum() == 18
    assert members[others].sum() == (~members[others]).sum() == 19
    assert not set(some) & set(others)
