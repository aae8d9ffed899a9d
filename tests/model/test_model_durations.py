"""Durations: small tables made one, and a chain's own times where it has a table of its own."""

from __future__ import annotations

from typing import Any

import handmade
import numpy as np
import pytest

from synthmob.model import durations
from synthmob.model.durations import Persons, combined, fine_share, own_durations
from synthmob.model.mobility import duration_bins
from synthmob.model.reconcile import Noisy

BINS = duration_bins(handmade.DOMAIN)
COARSE, STARTS, HOURS = len(BINS.coarse), len(BINS.starts), 24
HEADS, LEFTS, SIDES = 2, 3, 4


def softmax(score: Any) -> Any:
    weights = np.exp(score)
    return weights / weights.sum(axis=-1, keepdims=True)


def planted(seed: int) -> tuple[Any, Any]:
    """Arrivals by (head, left, sides, hour), and P(duration | all of them): hour, left and sides each push it their own way."""
    rng = np.random.default_rng(seed)
    arrivals = rng.gamma(1.0, 200.0, (HEADS, LEFTS, SIDES, HOURS))
    push = [rng.normal(0, 0.7, (HEADS, *shape, COARSE)) for shape in ((LEFTS, 1, 1), (1, SIDES, 1), (1, 1, HOURS))]
    return arrivals, softmax(push[0] + push[1] + push[2])


def test_three_tables_give_the_law_behind_them() -> None:
    arrivals, law = planted(1)
    joint = arrivals[..., None] * law
    persons = Persons(joint.sum(axis=(2, 3)), joint.sum(axis=(1, 3)), joint.sum(axis=(1, 2)))
    found = combined(persons, arrivals.reshape(-1, HOURS)).reshape(law.shape)
    assert found.sum(axis=-1) == pytest.approx(np.ones(law.shape[:-1]))
    off = 0.5 * np.abs(found - law).sum(axis=-1)
    assert (off * arrivals).sum() / arrivals.sum() < 0.02
    # Without knowing when each context begins, what all tables agree on is still right.
    blind = combined(persons, None).reshape(law.shape)
    assert blind.sum(axis=-1) == pytest.approx(np.ones(law.shape[:-1]))
    off_blind = 0.5 * np.abs(blind - law).sum(axis=-1)
    assert 0.02 < (off_blind * arrivals).sum() / arrivals.sum() < 0.25


def test_a_head_without_anybody_has_laws_too() -> None:
    arrivals, law = planted(2)
    joint = arrivals[..., None] * law
    joint[1] = 0
    found = combined(Persons(joint.sum(axis=(2, 3)), joint.sum(axis=(1, 3)), joint.sum(axis=(1, 2)) + 1e-6), None)
    assert np.isfinite(found).all() and found.sum(axis=-1) == pytest.approx(np.ones(found.shape[:-1]))


def test_a_chains_own_table_is_followed_and_the_general_law_where_it_is_silent() -> None:
    rng = np.random.default_rng(3)
    law = rng.dirichlet(np.ones(COARSE), (2, STARTS))
    begins = rng.dirichlet(np.ones(STARTS) * 3, 2)
    weights = np.array([5_000.0, 5_000.0])
    truth = weights[:, None, None] * begins[..., None] * law
    general = np.broadcast_to(rng.dirichlet(np.ones(COARSE)), (2, HOURS, COARSE))
    persons, share = own_durations(Noisy(truth, 0.0, 0.0), weights, general, BINS)
    assert persons == pytest.approx(truth, rel=1e-3, abs=1e-3)
    assert share.sum(axis=-1) == pytest.approx(np.ones((2, STARTS)))
    assert (0.5 * np.abs(share - law).sum(axis=-1) * begins).sum(axis=1) == pytest.approx(0, abs=0.02)
    silent = np.where(np.arange(2)[:, None, None] == 0, truth, np.nan)
    persons, share = own_durations(Noisy(silent, 5.0, 1e4), weights, general, BINS)
    assert persons.sum(axis=(1, 2)) == pytest.approx(weights)
    assert share[1] == pytest.approx(np.broadcast_to(general[1, 0], (STARTS, COARSE)), abs=0.05)


def test_fine_bins_share_their_coarse_one() -> None:
    rng = np.random.default_rng(4)
    fine = rng.gamma(1.0, 300.0, (3, len(BINS.fine)))
    found = fine_share(Noisy(fine, 0.0, 0.0), BINS)
    for coarse in range(COARSE):
        inside = BINS.coarse_of_fine == coarse
        assert found[:, inside].sum(axis=1) == pytest.approx(np.ones(3))
        assert found[:, inside] == pytest.approx(fine[:, inside] / fine[:, inside].sum(axis=1, keepdims=True), abs=0.05)


def test_what_chains_of_their_own_take_is_taken_and_never_all() -> None:
    arrivals, law = planted(5)
    joint = arrivals[..., None] * law
    persons = Persons(joint.sum(axis=(2, 3)), joint.sum(axis=(1, 3)), joint.sum(axis=(1, 2)))
    context = np.array([0, 5])  # (head 0, left 0, sides 0) and (head 0, left 1, sides 1)
    taken = np.full((2, STARTS, COARSE), 1.0)
    rest = persons.without(context, taken, SIDES, BINS)
    assert rest.left[0, 0] == pytest.approx(np.maximum(persons.left[0, 0] - STARTS, durations.LEAST_REST * persons.left[0, 0]))
    assert rest.between[0, 1] == pytest.approx(np.maximum(persons.between[0, 1] - STARTS, 0.02 * persons.between[0, 1]))
    assert (rest.left[1] == persons.left[1]).all() and (rest.hourly[1] == persons.hourly[1]).all()
    assert persons.hourly[0].sum() - rest.hourly[0].sum() == pytest.approx(taken.sum(), rel=0.05)
    empty = persons.without(np.zeros(1, dtype=np.int64), np.full((1, STARTS, COARSE), 1e9), SIDES, BINS)
    assert (empty.left > 0).all() and (empty.between > 0).all() and (empty.hourly > 0).all()


def test_bins_of_the_domain_nest() -> None:
    assert set(BINS.coarse.tolist()) <= set(BINS.fine.tolist())
    assert BINS.coarse_of_fine.tolist() == sorted(BINS.coarse_of_fine.tolist()) and BINS.coarse_of_fine[-1] == COARSE - 1
    assert BINS.start_of_hour[0] == 0 and BINS.start_of_hour[23] == STARTS - 1 and (np.diff(BINS.start_of_hour) >= 0).all()
