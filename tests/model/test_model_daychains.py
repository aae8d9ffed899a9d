"""Persons on every chain: nearer to a planted truth than the Markov chain alone, true to lengths, and exact where the release is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmob.domain import Domain
from synthmob.model import chains, daychains, reconcile, transitions
from synthmob.model.chains import MAX_STAYS
from synthmob.model.daychains import Released
from synthmob.model.reconcile import LEAST, Noisy
from synthmob.model.transitions import Law

FloatArray = np.ndarray[Any, Any]
DOMAIN = Domain(max_chain_stays=5)
AXIS, BASE = DOMAIN.chain_axis, len(DOMAIN.purposes)
OUTLINE = chains.outlines(AXIS, DOMAIN.outline_axis, DOMAIN.outline_of)
LENGTHS = np.zeros(MAX_STAYS + 1)
LENGTHS[1:9] = (9_000, 600, 16_000, 10_000, 9_000, 4_000, 2_000, 1_000)


def planted(seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Persons by chain whose days begin and end at home, mostly, every chain rarer or more frequent than what follows what says, and that
    a little different with what came before; their transitions and their trips by purpose, long days included."""
    rng = np.random.default_rng(seed)
    of_purpose = rng.dirichlet(np.array([1.0, 1.5, 0.5, 0.2, 0.7, 1.0, 0.3]), BASE)
    follow = rng.gamma(8.0 * of_purpose[None, :, None, :] + 0.02, 1.0, (BASE + 1, BASE, 6, BASE + 1)) + 1e-9
    follow[:, 0, :, 1] = 0.0
    follow[:, 1:, :, 1] += 1.0
    law = Law(np.array([0.96, 0.01, 0.0, 0.0, 0.02, 0.01]), follow / follow.sum(axis=3, keepdims=True), AXIS.max_stays)
    truth = transitions.expected(AXIS, LENGTHS, law) * rng.gamma(2.0, 0.5, AXIS.size)
    sums = reconcile.sums_by(chains.by_length(AXIS), truth, AXIS.max_stays)
    truth *= (LENGTHS[1:6] / sums)[chains.by_length(AXIS)]
    table = transitions.made(AXIS, truth, LENGTHS, law)
    return truth, table, table.sum(axis=(0, 1, 2))[1:] / transitions.TRANSITION_WEIGHT


def released(truth: tuple[FloatArray, FloatArray, FloatArray], sigma: float, cut: float, seed: int) -> Released:
    """The tables of such days with noise and a cut, those of transitions with twice the noise."""
    persons, table, trips = truth
    rng = np.random.default_rng(seed)

    def noisy(exact: FloatArray, sigma: float, cut: float) -> Noisy:
        count = exact + rng.normal(0.0, sigma, exact.shape) if sigma > 0 else exact
        return Noisy(np.where(count >= cut, count, np.nan), sigma, cut)

    outlines = reconcile.sums_by(OUTLINE, persons, DOMAIN.outline_axis.size)
    none = LENGTHS.sum() - trips.sum() / daychains.MOST_TRIPS
    parts = np.append(trips / daychains.MOST_TRIPS, none)
    return Released(noisy(table, 2 * sigma, 50 * (cut > 0) + 4 * sigma), noisy(outlines, sigma, cut), noisy(persons, sigma, cut),
                    noisy(parts, sigma, 0.0))


def apart(found: FloatArray, truth: FloatArray) -> float:
    """The share of people to move, of those on days that are not long."""
    return float(np.abs(found - truth).sum() / 2 / truth.sum())


def settled_once(seen: Released) -> FloatArray:
    """The law read off the transitions as they are, one look at outlines and chains, small cells believed as much as large ones."""
    table = reconcile.backed_off(seen.transitions) + LEAST
    alone = Law(table[0].sum(axis=(1, 2)) / table[0].sum(), table / table.sum(axis=3, keepdims=True), AXIS.max_stays)
    prior, outline = transitions.expected(AXIS, LENGTHS, alone), DOMAIN.outline_axis
    assert seen.outlines is not None
    sums = reconcile.settle(
        reconcile.sums_by(OUTLINE, prior, outline.size), seen.outlines, chains.by_length(outline), LENGTHS[1:6])
    return reconcile.settle(prior, seen.chains, OUTLINE, sums)


def test_persons_are_nearer_to_the_truth_than_by_one_look() -> None:
    found, once = [], []
    for seed in range(1, 7):
        truth = planted(seed)
        seen = released(truth, 60.0, 170.0, seed)
        found.append(apart(daychains.settled(DOMAIN, LENGTHS, seen)[0], truth[0]))
        once.append(apart(settled_once(seen), truth[0]))
    assert all(a < 0.95 * b for a, b in zip(found, once, strict=True)), (found, once)
    assert sum(found) < 0.88 * sum(once)


@settings(max_examples=15)
@given(st.integers(0, 1_000), st.sampled_from([0.0, 20.0, 60.0]), st.booleans())
def test_lengths_are_kept_and_nobody_is_below_nobody(seed: int, sigma: float, whole: bool) -> None:
    seen = released(planted(seed), sigma, 50.0 + 2 * sigma, seed)
    if not whole:
        seen = Released(seen.transitions, None, seen.chains, None)
    found, law = daychains.settled(DOMAIN, LENGTHS, seen)
    assert reconcile.sums_by(chains.by_length(AXIS), found, 5) == pytest.approx(LENGTHS[1:6])
    assert (found >= 0).all() and np.isfinite(found).all()
    assert law.follow.sum(axis=3) == pytest.approx(np.ones(law.follow.shape[:3])) and law.first.sum() == pytest.approx(1.0)


def test_an_exact_release_is_met() -> None:
    truth = planted(4)
    found, _law = daychains.settled(DOMAIN, LENGTHS, released(truth, 0.0, 0.0, 4))
    assert apart(found, truth[0]) < 2e-3


def test_sums_of_trips_reach_the_days_that_were_cut() -> None:
    truth = planted(5)
    seen = released(truth, 35.0, 120.0, 5)
    without = Released(seen.transitions, seen.outlines, seen.chains, None)
    off = []
    for told in (seen, without):
        found, law = daychains.settled(DOMAIN, LENGTHS, told)
        trips = transitions.made(AXIS, found, LENGTHS, law).sum(axis=(0, 1, 2))[1:] / transitions.TRANSITION_WEIGHT
        off.append(np.abs(trips - truth[2]).sum())
    assert off[0] < 0.8 * off[1]
