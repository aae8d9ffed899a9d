"""Transitions: the Markov law and what it makes against brute force, what cut contexts lean on, and days too long for a chain."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmob.counts.routines import PHASE_LABELS, TRANSITION_WEIGHT
from synthmob.domain import ChainAxis
from synthmob.model import chains, transitions
from synthmob.model.chains import MAX_STAYS
from synthmob.model.reconcile import Noisy, backed_off, settle
from synthmob.model.transitions import Law

FloatArray = np.ndarray[Any, Any]
PURPOSES = ("home", "work", "shop")
AXIS = ChainAxis("chain", PURPOSES, 5)
BASE, PARTS = len(PURPOSES), len(PHASE_LABELS)
SHAPE = (BASE + 1, BASE, PARTS, BASE + 1)


def random_law(seed: int, longest: int = AXIS.max_stays) -> Law:
    """Some first purpose, and some next purpose given the one before, this one and the part of the day."""
    rng = np.random.default_rng(seed)
    return Law(rng.dirichlet(np.ones(BASE)), rng.dirichlet(np.ones(BASE + 1) * 0.7, SHAPE[:3]), longest)


def part(rank: int, stays: int, longest: int) -> int:
    """The third of the day, those of long days apart."""
    return (3 * rank) // stays + (3 if stays > longest else 0)


def chance(chain: tuple[int, ...], law: Law) -> float:
    """How likely a chain is to be begun, gone through and then ended, stay by stay."""
    out, before = float(law.first[chain[0]]), 0
    for rank, here in enumerate(chain):
        after = chain[rank + 1] + 1 if rank + 1 < len(chain) else 0
        out *= float(law.follow[before, here, part(rank, len(chain), law.longest), after])
        before = here + 1
    return out


def counted(days: dict[tuple[int, ...], float], longest: int = AXIS.max_stays) -> FloatArray:
    """Transition counts of days: before, purpose, part of the day, after; 'none' first."""
    out = np.zeros(SHAPE)
    for chain, n in days.items():
        around = (0, *(c + 1 for c in chain), 0)
        for rank, here in enumerate(chain):
            out[around[rank], here, part(rank, len(chain), longest), around[rank + 2]] += n
    return out


@pytest.mark.parametrize("seed", [1, 2])
def test_expectations_are_those_of_brute_force(seed: int) -> None:
    law = random_law(seed)
    lengths = np.append([0.0], np.random.default_rng(seed).integers(1, 1000, MAX_STAYS)).astype(float)
    found = transitions.expected(AXIS, lengths, law)
    assert found.shape == (AXIS.size,)
    for n in range(1, AXIS.max_stays + 1):
        every = list(itertools.product(range(BASE), repeat=n))
        weights = np.array([chance(c, law) for c in every])
        want = lengths[n] * weights / weights.sum()
        assert found[[AXIS.encode(c) for c in every]] == pytest.approx(want)
    assert found.sum() == pytest.approx(lengths[1 : AXIS.max_stays + 1].sum())


@pytest.mark.parametrize("seed", [1, 2])
def test_transitions_made_are_those_of_brute_force(seed: int) -> None:
    """Of persons on chains as these are counted, and of long days every one that there is, by its chance."""
    axis, rng = ChainAxis("chain", PURPOSES, 3), np.random.default_rng(seed)
    law, persons, lengths = random_law(seed, longest=3), rng.gamma(0.5, 100.0, axis.size), np.zeros(MAX_STAYS + 1)
    lengths[[4, 6]] = (300.0, 40.0)
    days = {axis.stays(code): float(n) for code, n in enumerate(persons)}
    for n in (4, 6):
        long = {c: chance(c, law) for c in itertools.product(range(BASE), repeat=n)}
        days |= {c: lengths[n] * p / sum(long.values()) for c, p in long.items()}
    found = transitions.made(axis, persons, lengths, law)
    assert found == pytest.approx(TRANSITION_WEIGHT * counted(days, longest=3))
    assert found[..., 0].sum() == pytest.approx(TRANSITION_WEIGHT * sum(days.values())), "every day ends once"


def test_the_markov_law_is_read_off_the_transitions() -> None:
    days = {(0,): 30.0, (0, 1, 0): 50.0, (0, 1, 2, 0): 20.0}
    law = transitions.markov(counted(days), AXIS.max_stays)
    assert law.first == pytest.approx([1, 0, 0], abs=1e-6)
    assert law.follow.sum(axis=3) == pytest.approx(np.ones(SHAPE[:3]))
    assert law.follow[0, 0, 0] == pytest.approx([0.3, 0, 0.7, 0], abs=1e-6)
    assert law.follow[1, 1, 1] == pytest.approx([0, 1, 0, 0], abs=1e-6)  # second third of home-work-home
    lengths = np.zeros(MAX_STAYS + 1)
    for chain, n in days.items():
        lengths[len(chain)] += n
    found = transitions.expected(AXIS, lengths, law)
    for chain, n in days.items():  # every length has one chain here, so the prior is the truth
        assert found[AXIS.encode(chain)] == pytest.approx(n, rel=1e-5)


def test_released_chains_correct_the_prior_and_lengths_are_kept() -> None:
    law = random_law(3)
    lengths = np.zeros(MAX_STAYS + 1)
    lengths[1:6] = (4_000, 500, 9_000, 2_000, 3_000)
    prior = transitions.expected(AXIS, lengths, law)
    rng = np.random.default_rng(3)
    truth = prior * rng.gamma(2.0, 0.5, AXIS.size)
    of_length = np.repeat(np.arange(1, 6), np.diff(AXIS.offsets))
    truth *= (lengths[1:6] / np.bincount(of_length, weights=truth)[1:])[of_length - 1]
    noisy = truth + rng.normal(0, 15, AXIS.size)
    count = np.where(noisy >= 80, noisy, np.nan)
    found = settle(prior, Noisy(count, 15.0, 80.0), chains.by_length(AXIS), lengths[1:6])
    assert np.bincount(of_length, weights=found)[1:] == pytest.approx(lengths[1:6])
    assert (found >= 0).all()
    assert np.abs(found - truth).sum() < 0.5 * np.abs(prior - truth).sum()
    assert np.abs(found - truth).sum() < 0.7 * np.abs(np.where(noisy >= 80, noisy, 0) - truth).sum()
    assert settle(prior, Noisy(truth, 0.0, 0.0), chains.by_length(AXIS), lengths[1:6]) == pytest.approx(truth, rel=1e-3)


def test_a_context_that_was_cut_does_as_its_purpose_does() -> None:
    """Nothing is known of long days, nor of what follows a shop after work: both do what others do, not everything alike."""
    table = 1000.0 * counted({(0, 1, 0): 5.0, (0, 2, 0): 4.0, (0, 2, 1, 0): 2.0, (0, 2, 2, 0): 1.0})
    released = Noisy(np.where(table > 200, table, np.nan), 0.0, 200.0)
    law = transitions.fitted(released, AXIS.max_stays)
    after_shop = table[:, 2].sum(axis=(0, 1)) / table[:, 2].sum()
    assert law.follow[2, 2, 1] == pytest.approx(after_shop, abs=0.05)
    assert law.follow[:, 2, 3:].reshape(-1, BASE + 1) == pytest.approx(np.broadcast_to(after_shop, (3 * (BASE + 1), BASE + 1)), abs=0.2)
    alone = backed_off(released) + 1e-9
    assert (alone / alone.sum(axis=3, keepdims=True))[2, 2, 1] == pytest.approx([0.25] * 4), "this case does tell the two apart"


def test_trips_that_no_published_cell_has_are_in_those_that_were_cut() -> None:
    days = {(0, 1, 0): 4_000.0, **{(0, *c, 0): 100.0 for n in (1, 2, 3) for c in itertools.product((1, 2), repeat=n) if 2 in c}}
    table = TRANSITION_WEIGHT * counted(days)
    released = Noisy(np.where(table > 300, table, np.nan), 10.0, 300.0)
    low = np.where(released.published, table, 0.2 * table)
    after = table.sum(axis=(0, 1, 2))
    laws = [transitions.refitted(released, AXIS.max_stays, low, sums, 100.0) for sums in (low.sum(axis=(0, 1, 2)), after)]
    shop = [float((law.follow * table.sum(axis=3, keepdims=True))[..., 3].sum()) for law in laws]
    assert shop[0] < 0.7 * after[3] < 0.85 * after[3] < shop[1] < 1.1 * after[3]


def test_long_chains_have_the_lengths_asked_for_and_their_conditional_law() -> None:
    law, lengths = random_law(4, longest=3), np.zeros(MAX_STAYS + 1)
    lengths[[2, 4, 9, MAX_STAYS]] = (1e6, 60_000.0, 5_000.0, 7.0)
    purposes, weights = transitions.long_chains(lengths, law, "long")
    counts = (purposes >= 0).sum(axis=1)
    assert set(counts.tolist()) == {4, 9, MAX_STAYS}  # those of two stays are shorter than asked for
    assert [weights[counts == n].sum() for n in (4, 9, MAX_STAYS)] == pytest.approx([60_000.0, 5_000.0, 7.0])
    assert (purposes[counts == MAX_STAYS] >= 0).all() and purposes.max() < BASE
    assert len(np.unique(purposes, axis=0)) == len(purposes) <= transitions.LONG_CHAINS + 3 * transitions.LEAST_LONG_CHAINS
    every = list(itertools.product(range(BASE), repeat=4))
    want = np.array([chance(c, law) for c in every])
    want *= 60_000.0 / want.sum()
    four = {tuple(row[:4].tolist()): w for row, w in zip(purposes, weights, strict=True) if row[4] < 0}
    one = 65_007.0 / transitions.LONG_CHAINS  # persons that a chain drawn once stands for
    assert np.abs(np.array([four.get(c, 0.0) for c in every]) - want).max() < 2.01 * one
    few, _weights = transitions.long_chains(lengths / 1000, law, "few")
    assert len(few) < 65 + 3 * transitions.LEAST_LONG_CHAINS, "no more chains than people have"
    none, empty = transitions.long_chains(np.zeros(MAX_STAYS + 1), law, "none")
    assert none.shape == (0, MAX_STAYS) and empty.shape == (0,)


@settings(max_examples=20)
@given(st.integers(0, 1_000), st.integers(20, 400))
def test_beginnings_of_long_days_are_met_evenly(seed: int, many: int) -> None:
    """Wherever more than one is expected, no more than one too few or too many are drawn at each end of a beginning."""
    law = random_law(seed, longest=3)
    drawn = transitions._drawn(law, 6, many, f"even {seed}")[:, :6]
    every = np.array(list(itertools.product(range(BASE), repeat=6)))
    share = np.array([chance(tuple(c), law) for c in every.tolist()])
    share *= many / share.sum()
    for beginning in itertools.product(range(BASE), repeat=2):
        for n in (1, 2):
            want = share[(every[:, :n] == beginning[:n]).all(axis=1)].sum()
            above = share[every[:, 0] == beginning[0]].sum()
            if n == 1 or above > 1:
                assert abs((drawn[:, :n] == beginning[:n]).all(axis=1).sum() - want) <= 2.0
    assert all(chance(tuple(row), law) > 0 for row in drawn.tolist())


def test_home_after_home_is_not_made_up() -> None:
    seen = np.zeros(SHAPE, dtype=bool)
    law = transitions.markov(np.ones(SHAPE), 4, lean=5.0, published=seen)
    assert law.follow[[0, 2, 3], 0, :, 1].max() < 1e-6 and law.follow[2:, 1:, :, 1].min() > 0.2
    seen[2, 0, 1, 1] = True
    assert transitions.markov(np.ones(SHAPE), 4, lean=5.0, published=seen).follow == pytest.approx(np.full(SHAPE, 0.25))
    long, _weights = transitions.long_chains(np.array([*np.zeros(5), 9.0, *np.zeros(MAX_STAYS)]), law, "test")
    assert ((long[:, 1:] == 0) & (long[:, :-1] == 0)).sum() == 0 and (long == 0).any()
