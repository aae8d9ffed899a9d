"""Days of one person resemble each other as much as was released, and the days of a class stay what they are."""

from __future__ import annotations

from typing import Any

import handmade
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmob.counts.habits import AGAIN
from synthmob.domain import Axis
from synthmob.marginals import Marginal
from synthmob.model import habits
from synthmob.model.chains import MAX_STAYS, Chains

PURPOSES = 6
WORK, EDUCATION, SHOP, LEISURE, OTHER = 1, 2, 3, 4, 5
DAYS = ((0,), (0, 1, 0), (0, 2, 0), (0, 3, 0), (0, 1, 3, 0), (0, 5, 0), (0, 5, 1, 5, 0), (0, 4, 0), (0, 2, 4, 0))
"""Chains of all purposes, some of two."""


def chains(seed: int, classes: int = 5) -> Chains:
    """Those of DAYS by class, in any shares; the last class is empty."""
    by_class = np.random.default_rng(seed).dirichlet(np.ones(len(DAYS)), classes) * 1_000
    by_class[-1] = 0.0
    purposes = np.full((len(DAYS), MAX_STAYS), -1, dtype=np.int8)
    for k, stays in enumerate(DAYS):
        purposes[k, : len(stays)] = stays
    return Chains(purposes, np.array([len(s) for s in DAYS]), by_class.sum(axis=0), np.arange(len(DAYS)), by_class)


def released(law: Chains, rho: Any, *, sigma: float = 0.0, cut: float = 0.0, seed: int = 0) -> dict[str, Marginal]:
    """What is counted of people with this persistence on several days."""
    people = habits.expected_pairs([law], np.asarray(rho), np.ones(1)) * law.by_class.sum()
    noisy = people + np.random.default_rng(seed).normal(0.0, sigma, people.shape) if sigma else people
    flat = np.flatnonzero(noisy.ravel() >= max(cut, 1e-9))
    axes = (Axis("purpose", handmade.DOMAIN.purposes[1:]), Axis("again", AGAIN))
    codes = np.stack(np.unravel_index(flat, people.shape), axis=1)
    return {"habits": Marginal("habits", axes, codes, noisy.ravel()[flat], sigma, cut)}


rhos = st.lists(st.floats(0.0, 0.9), min_size=PURPOSES - 1, max_size=PURPOSES - 1).map(lambda r: np.array([0.0, *r]))


@given(st.integers(0, 99), rhos)
@settings(deadline=None, max_examples=60)
def test_types_mixed_are_their_class(seed: int, rho: Any) -> None:
    weekday, sunday = chains(seed), chains(seed + 100)
    types = habits.by_type([weekday, sunday], rho, range(PURPOSES))
    weights, laws = types.weights, types.laws
    held = min(np.count_nonzero(rho), habits.MOST_HELD)
    assert weights.shape == (5, 2**held) and weights.sum(axis=1) == pytest.approx(np.ones(5))
    for law, who in zip((weekday, sunday), laws, strict=True):
        assert (who >= 0).all()
        mixed = (weights[:, :, None] * who.reshape(5, 2**held, -1)).sum(axis=1)
        share = law.by_class / np.maximum(law.by_class.sum(axis=1, keepdims=True), 1e-9)
        assert np.abs(mixed - share).sum(axis=1).max() < 0.02


@pytest.mark.parametrize("purpose", [WORK, EDUCATION, OTHER])
@pytest.mark.parametrize("rho", [0.1, 0.4, 0.8])
def test_two_days_of_one_person_correlate_as_asked(purpose: int, rho: float) -> None:
    law, asked = chains(7), np.zeros(PURPOSES)
    asked[purpose] = rho
    alone, found = (habits.expected_pairs([law], r, np.ones(1))[purpose - 1] for r in (np.zeros(PURPOSES), asked))
    assert found.sum() == pytest.approx(alone.sum())
    assert (found[0] - alone[0]) / alone[1] == pytest.approx(rho, rel=0.05)  # the excess over independent days, of their variance


def test_without_persistence_there_is_one_type() -> None:
    law = chains(1)
    types = habits.by_type([law], np.zeros(PURPOSES), range(PURPOSES))
    weights, (rows,) = types.weights, types.laws
    assert (weights == 1).all() and rows[:-1] == pytest.approx(law.by_class[:-1] / law.by_class[:-1].sum(axis=1, keepdims=True))
    assert (rows[-1] == 0).all()


def test_the_persistence_that_was_counted_is_found_again() -> None:
    law, truth = chains(3), np.array([0.0, 0.3, 0.6, 0.0, 0.0, 0.2])
    found = habits.persistence(released(law, truth), [law], [5], PURPOSES)
    assert found == pytest.approx(truth, abs=0.03)
    noisy = habits.persistence(released(law, truth, sigma=20.0, cut=90.0), [law], [5], PURPOSES)
    assert noisy == pytest.approx(truth, abs=0.2) and noisy[EDUCATION] > 0.4


def test_days_that_have_nothing_to_do_with_each_other_stay_so() -> None:
    law = chains(4)
    assert habits.persistence(released(law, np.zeros(PURPOSES)), [law], [5], PURPOSES).max() < 0.02
    assert (habits.persistence({}, [law], [5], PURPOSES) == 0).all()
    assert (habits.persistence(released(law, np.full(PURPOSES, 0.5)), [law], [1], PURPOSES) == 0).all()  # one day of the type: no pairs
    hidden = habits.persistence(released(law, np.full(PURPOSES, 0.5), cut=1e6), [law], [5], PURPOSES)
    assert hidden.max() < 0.02  # where all is cut, nothing is claimed


def test_the_purposes_that_persist_most_are_held() -> None:
    law, truth = chains(5), np.array([0.0, 0.5, 0.1, 0.6, 0.4, 0.05])
    found = habits.persistence(released(law, truth), [law], [5], PURPOSES)
    assert set(np.flatnonzero(found)) == {WORK, SHOP, LEISURE}


def test_segments_of_a_purpose_are_held_as_one() -> None:
    law, rho = chains(6), np.zeros(PURPOSES)
    rho[EDUCATION] = 0.5
    split = Chains(np.where(law.purposes == SHOP, np.int8(PURPOSES), law.purposes), law.lengths, law.weights, law.codes, law.by_class)
    plain = habits.by_type([law], rho, range(PURPOSES)).laws[0]
    merged = habits.by_type([split], rho, (*range(PURPOSES), EDUCATION)).laws[0]
    days = np.array([2 in stays or 3 in stays for stays in DAYS])
    assert not np.allclose(plain, merged)
    held = merged.reshape(5, 2, -1)[:-1] @ days  # who holds education holds its segment too
    assert (held[:, 1] > held[:, 0] + 0.3).all()
