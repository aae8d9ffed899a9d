"""The sampling floor: draws that sum up, repeat, and have the law of a bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmob.errors import InputError
from synthmob.fidelity.align import Aligned, Cells
from synthmob.fidelity.distances import tvd
from synthmob.fidelity.floor import resampled_counts, resamples, true_counts


@given(st.integers(1, 200), st.integers(1, 500), st.integers(1, 4), st.integers(0, 2**31))
@settings(max_examples=50)
def test_every_resample_has_the_synthetic_size(n_truth, n_synthetic, bootstraps, seed):
    draws = resamples(n_truth, n_synthetic, bootstraps, seed)
    assert draws.shape == (bootstraps, n_truth)
    assert (draws.sum(axis=1) == n_synthetic).all()


def test_same_seed_same_floor_and_another_seed_another():
    assert (resamples(100, 100, 3, 7) == resamples(100, 100, 3, 7)).all()
    assert (resamples(100, 100, 3, 7) != resamples(100, 100, 3, 8)).any()
    first, second = resamples(100, 100, 2, 7)
    assert (first != second).any()


def test_draws_follow_the_multinomial_law():
    """Mean n / N, variance n / N (1 - 1 / N): 40,000 draws put both within 4 standard errors."""
    draws = resamples(1000, 2000, 40, seed=3)
    assert draws.mean() == 2.0
    assert draws.var() == pytest.approx(2 * (1 - 1 / 1000), abs=4 * 2 * np.sqrt(2 / 40_000))
    assert np.abs(draws.mean(axis=0) - 2).max() < 5 * np.sqrt(2 / 40)


def test_persons_are_drawn_and_not_their_rows():
    """Two persons with both of their rows in one cell: a resample is (2, 2), (4, 0) or (0, 4), never (3, 1)."""
    aligned = _aligned(person=[0, 0, 1, 1], cell=[0, 0, 1, 1])
    seen = {tuple(c) for c in resampled_counts(aligned, resamples(2, 2, 50, seed=1))}
    assert seen == {(2.0, 2.0), (4.0, 0.0), (0.0, 4.0)}


def test_the_floor_of_a_share_is_what_theory_says():
    """A share of one half in 10,000 resampled persons: the mean total variation is sqrt(1 / (2 pi n))."""
    n = 10_000
    aligned = _aligned(person=np.arange(n), cell=np.arange(n) % 2)
    truth = true_counts(aligned)
    floor = np.mean([tvd(truth, c) for c in resampled_counts(aligned, resamples(n, n, 400, seed=5))])
    assert floor == pytest.approx(np.sqrt(1 / (2 * np.pi * n)), rel=0.15)


def test_a_smaller_synthetic_population_has_a_higher_floor():
    aligned = _aligned(person=np.arange(2000), cell=np.arange(2000) % 20)
    truth = true_counts(aligned)
    floors = [
        np.mean([tvd(truth, c) for c in resampled_counts(aligned, resamples(2000, n, 20, seed=5))]) for n in (4000, 400)
    ]
    assert floors[1] > 2 * floors[0]


@pytest.mark.parametrize("bad", [(0, 10, 5), (10, 0, 5), (10, 10, 0)])
def test_a_floor_of_nothing_is_refused(bad):
    with pytest.raises(InputError, match="A floor needs persons and bootstraps"):
        resamples(*bad, seed=1)


def _aligned(person, cell) -> Aligned:
    codes = np.asarray(cell, dtype=np.int32)
    cells = Cells({"cell": np.arange(codes.max() + 1)}, {})
    return Aligned(cells, np.asarray(person, dtype=np.int32), codes, np.ones(len(codes)), ())
