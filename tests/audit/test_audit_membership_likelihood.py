"""The likelihood ratio of attackers, and the most that any attacker can come to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import norm

from synthmob.audit import ceiling
from synthmob.audit.intervals import auc
from synthmob.audit.likelihood import DIAGONAL, Crowd, Few, Many, below, of_cut_cells, of_shown_cells
from synthmob.audit.publication import Shown


def crowd(n_people: int, n_cells: int, seed: int = 1) -> tuple[Crowd, np.ndarray]:
    rng = np.random.default_rng(seed)
    people = (rng.random((n_people, n_cells)) < 0.3) * rng.random((n_people, n_cells))
    return Crowd.of(sparse.csr_matrix(people)), people


def test_a_ratio_worked_out_by_hand():
    # one cell, mean .5 and variance .25; 4 people of a crowd of 100: counts 4 * .25 * 1.04 = 1.04, noise .96, so S = 2
    known = Crowd(100, np.array([0.5]), np.array([0.25]), sparse.csr_matrix(np.array([[0.0], [1.0]])))
    diagonal, cloud = DIAGONAL * 1.04 + 0.96, (1 - DIAGONAL) * 4 * 0.25
    found = of_shown_cells(known, 4, np.array([0.96]), np.array([0])).log_ratios(sparse.csr_matrix([[1.0], [0.0]]), np.array([3.0]))
    s = diagonal + cloud
    np.testing.assert_allclose(found, [0.5 * 3 / s - 0.125 / s, -0.5 * 3 / s - 0.125 / s])


@pytest.mark.parametrize("n_people", [3, 40])
def test_both_ways_to_invert_are_the_same_as_inverting(n_people):
    known, people = crowd(n_people, 12)
    noise, columns = np.linspace(0.0, 2.0, 12), np.array([0, 1, 3, 4, 5, 8, 9, 11])
    group, excess = 50, np.arange(12.0) - 5
    seen = of_shown_cells(known, group, noise, columns)
    assert isinstance(seen, Many if n_people == 3 else Few)
    apart = people - people.mean(axis=0)
    spread = group * known.variance * (1 + group / n_people)
    s = np.diag(DIAGONAL * spread + noise) + (1 - DIAGONAL) * group * apart.T @ apart / n_people
    inverse = np.linalg.inv(s[np.ix_(columns, columns)])
    d = apart[:, columns]
    wanted = d @ inverse @ excess[columns] - 0.5 * np.einsum("ij,jk,ik->i", d, inverse, d)
    np.testing.assert_allclose(seen.log_ratios(sparse.csr_matrix(people), excess), wanted, rtol=1e-8, atol=1e-10)


@given(st.floats(-6, 6), st.floats(-3, 3), st.floats(0.2, 9))
def test_below_is_the_slope_and_the_bend_of_the_chance_to_be_cut(cut, mean, variance):
    slope, bend = below(*(np.array([x]) for x in (cut, mean, variance)))
    step, scale = 1e-4, np.sqrt(variance)
    left, middle, right = (norm.logcdf((cut - m) / scale) for m in (mean - step, mean, mean + step))
    assert slope[0] == pytest.approx((right - left) / (2 * step), rel=1e-3, abs=1e-6)
    assert bend[0] == pytest.approx(-(right - 2 * middle + left) / step**2, rel=2e-2, abs=1e-3)


def test_a_cell_far_below_the_cut_says_nothing_and_one_at_the_cut_says_low():
    slope, bend = below(np.array([90.0, 90.0]), np.array([1.0, 90.0]), np.array([400.0, 400.0]))
    assert abs(slope[0]) < 1e-5 and abs(bend[0]) < 1e-5 and slope[1] == pytest.approx(-0.79788 / 20, rel=1e-3)


def test_being_cut_counts_against_those_who_would_have_been_seen():
    known = Crowd(100, np.array([0.5]), np.array([0.25]), sparse.csr_matrix(np.array([[0.0], [1.0]])))
    hidden = Shown(np.zeros(1), np.array([False]), np.array([50.0]), np.zeros(1))
    people = sparse.csr_matrix([[1.0], [0.0]])
    there, elsewhere = of_cut_cells(known, 100, hidden, people)
    assert there < 0 < elsewhere
    assert not of_cut_cells(known, 100, replace(hidden, known=np.array([True])), people).any()


def test_the_ceiling_is_reached_where_people_share_nothing_and_the_attacker_knows_it():
    # every person alone in a cell, noise sigma: member cells are N(1, sigma), others N(0, sigma), and rho = 1 / (2 sigma^2)
    sigma, n = 1.5, 40_000
    rng, members = np.random.default_rng(1), np.arange(n) < n // 2
    score = members + sigma * rng.normal(size=n)
    assert auc(score, members) == pytest.approx(ceiling.within_one_release(1 / (2 * sigma**2)), abs=0.01)


def test_telling_releases_apart_is_easier_than_people_of_one():
    # a release with the target and without another, or the other way round, each with noise of its own: distance sqrt(2) / sigma
    sigma, n = 1.5, 40_000
    rng, members = np.random.default_rng(1), np.arange(n) < n // 2
    mine, theirs = members + sigma * rng.normal(size=n), ~members + sigma * rng.normal(size=n)
    rho = 1 / (2 * sigma**2)
    assert auc(mine - theirs, members) == pytest.approx(ceiling.across_releases(rho), abs=0.01)
    assert ceiling.across_releases(rho) > ceiling.within_one_release(rho) > 0.5
    assert ceiling.within_one_release(0.0) == 0.5
