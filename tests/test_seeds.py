"""A random number is a function of its coordinates alone: known answers, no order, no state, no visible pattern."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from synthmob.seeds import bits, mix, stage_key, uniforms

MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15
KEY = stage_key(7, "days")


def splitmix(state: int) -> int:
    z = (state + GAMMA) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def test_the_first_numbers_of_splitmix64_are_the_published_ones() -> None:
    """What Java's SplittableRandom and every port of splitmix64.c give for the seed 0."""
    states = np.array([k * GAMMA & MASK for k in range(3)], dtype=np.uint64)
    assert [hex(v) for v in mix(states).tolist()] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4", "0x6c45d188009454f"]


@given(st.integers(0, MASK))
def test_mixing_is_splitmix64(state: int) -> None:
    assert int(mix(np.uint64(state))) == splitmix(state)


@given(st.integers(), st.text(), st.integers(0, 2**63 - 1), st.integers(0, 4000), st.integers(0, 2**31))
def test_a_number_is_a_function_of_its_coordinates(seed: int, stage: str, person: int, day: int, draw: int) -> None:
    digest = hashlib.blake2b(f"{seed}\x00{stage}".encode(), digest_size=8).digest()
    key = stage_key(seed, stage)
    assert int(key) == int.from_bytes(digest, "little")
    wanted = splitmix(splitmix(splitmix(int(key) ^ person) ^ day) ^ draw)
    assert int(bits(key, person, day, draw)) == wanted
    assert float(uniforms(key, person, day, draw)) == (wanted >> 11) / 2**53


def test_the_bytes_never_change() -> None:
    """Whoever repeats a run years later gets the same people: these numbers are part of the format."""
    assert int(stage_key(1, "days")) == 8802133741288221686
    assert bits(stage_key(1, "days"), np.arange(3), 2, 5).tolist() == [
        13034967575994793132, 17215637937824685581, 7727318423655761565]  # fmt: skip


def test_order_blocks_and_shape_do_not_matter() -> None:
    persons, days = np.arange(1000), np.arange(7)
    table = bits(KEY, persons[:, None], days[None, :], 3)
    assert table.shape == (1000, 7) and table.dtype == np.uint64
    order = np.random.default_rng(0).permutation(1000)
    assert np.array_equal(bits(KEY, persons[order, None], days, 3), table[order])
    assert np.array_equal(np.concatenate([bits(KEY, persons[:17], 4, 3), bits(KEY, persons[17:], 4, 3)]), table[:, 4])
    assert bits(KEY, persons[:0]).shape == (0,)


def test_coordinates_do_not_stand_for_each_other() -> None:
    numbers = [bits(KEY, 1, 2, 3), bits(KEY, 2, 1, 3), bits(KEY, 1, 3, 2), bits(KEY, 3, 2, 1), bits(stage_key(8, "days"), 1, 2, 3),
               bits(stage_key(7, "homes"), 1, 2, 3), bits(stage_key(71, "ays"), 1, 2, 3)]  # fmt: skip
    assert len({int(n) for n in numbers}) == len(numbers)
    grid = bits(KEY, np.arange(300)[:, None, None], np.arange(14)[None, :, None], np.arange(20))
    assert len(np.unique(grid)) == grid.size


def pattern(draws: np.ndarray) -> float:
    """p-value of numbers in [0, 1) against uniform, in a hundred bins."""
    return float(stats.chisquare(np.histogram(draws, 100, (0, 1))[0]).pvalue)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_uniform_along_every_coordinate(axis: int) -> None:
    coordinates = [np.arange(100_000) if k == axis else 5 for k in range(3)]
    draws = uniforms(KEY, *coordinates)
    assert draws.min() >= 0 and draws.max() < 1
    assert pattern(draws) > 1e-6
    assert pattern((draws[:-1] + draws[1:]) % 1) > 1e-6  # neighbours do not follow each other
    assert pattern((draws + uniforms(stage_key(7, "homes"), *coordinates)) % 1) > 1e-6  # nor does one stage another
    assert pattern((draws + uniforms(stage_key(8, "days"), *coordinates)) % 1) > 1e-6  # nor one seed the next


def test_the_test_of_pattern_sees_one() -> None:
    assert pattern(np.arange(100_000) / 100_000 * 0.98) < 1e-6
    assert pattern((uniforms(KEY, np.arange(100_000)) * 2).clip(0, 0.999)) < 1e-6
