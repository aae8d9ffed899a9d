"""The hidden order is a permutation, and the sequences read along it fill [0, 1) evenly and have nothing in common."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmob.synthesis.order import even, ranks, slope

DAYS = 32
"""Dimensions looked at: a month of days beside the groups."""


def star_discrepancy(u: npt.NDArray[np.float64]) -> float:
    """The largest gap between the share of points below x and x."""
    s, n = np.sort(u), len(u)
    return float(max((np.arange(1, n + 1) / n - s).max(), (s - np.arange(n) / n).max()))


@given(st.integers(0, 2**63), st.integers(1, 3000))
def test_ranks_are_a_permutation(seed: int, n: int) -> None:
    found = ranks(seed, n, np.arange(n))
    assert np.array_equal(np.sort(found), np.arange(n))


@given(st.integers(0, 1000), st.integers(1, 10**9), st.data())
def test_a_rank_does_not_depend_on_who_else_is_asked_for(seed: int, n: int, data: st.DataObject) -> None:
    persons = np.array(data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=20)))
    together = ranks(seed, n, persons)
    assert together.tolist() == [int(ranks(seed, n, np.array([p]))[0]) for p in persons]
    assert ((together >= 0) & (together < n)).all()


def test_the_order_is_hidden() -> None:
    n = 20_000
    one, two = ranks(1, n, np.arange(n)), ranks(2, n, np.arange(n))
    for other in (np.arange(n), two, np.roll(one, 1)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 5 / math.sqrt(n)
    # Neighbours in the file are as far apart in rank as two draws: a third of the range on average.
    assert np.abs(np.diff(one)).mean() / n == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize("first", [0, 12_345])
def test_even_sequences_are_even_in_every_stretch(first: int) -> None:
    for dimension in (*range(DAYS), 40, 366):
        for n in (100, 1_000, 10_000):
            gap = star_discrepancy(even(7, np.arange(first, first + n), dimension))
            assert gap < 6 * math.log(n) / n, (dimension, n)  # independent draws: about 0.9 / sqrt(n), ten times more at 10,000


@pytest.mark.parametrize("n", [4_096, 16_384])
def test_sequences_of_different_dimensions_are_not_related(n: int) -> None:
    u = np.stack([even(3, np.arange(n), d) for d in range(DAYS)])
    assert star_discrepancy(u[0]) < 0.01
    for shape in (u, np.cos(2 * np.pi * u), np.abs(u - 0.5)):
        related = np.abs(np.corrcoef(shape) - np.eye(DAYS))
        assert related.max() < 4.5 / math.sqrt(n)
    for a, b in ((0, 1), (1, 2), (5, 6), (0, 7)):
        cells = np.histogram2d(u[a], u[b], bins=16, range=[[0, 1], [0, 1]])[0]
        assert np.abs(cells - n / 256).max() < 3 * math.sqrt(n / 256)


def test_a_year_of_days_has_no_two_days_alike() -> None:
    n = 16_384
    u = np.stack([even(3, np.arange(n), d) for d in range(367)])
    related = np.abs(np.corrcoef(np.cos(2 * np.pi * u)) - np.eye(367))
    assert related.max() < 6 / math.sqrt(n)


def test_slopes_are_irrational_to_64_bits_and_the_shift_is_the_seeds() -> None:
    slopes = [int(slope(d)) for d in range(DAYS)]
    assert len(set(slopes)) == DAYS and all(s % 2 for s in slopes)
    for dimension, prime in enumerate((2, 3, 5, 7, 11, 13)):
        assert slopes[dimension] / 2**64 == pytest.approx(math.sqrt(prime) % 1, abs=1e-12)
    rank = np.arange(500)
    apart = (even(1, rank, 0) - even(2, rank, 0)) % 1.0
    assert np.ptp(apart) < 1e-12 and 0.01 < apart[0] < 0.99
