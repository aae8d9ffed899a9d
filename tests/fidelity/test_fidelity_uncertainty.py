"""The interval of a score holds the score against exact counts, whatever the misfit looks like, and shrinks with the noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synthmob.accounting import cut_for
from synthmob.fidelity.noisefloor import common_part_error
from synthmob.fidelity.uncertainty import LEVEL, Interval, interval

CELLS, EMPTY, TRIALS = 200, 600, 40
Made = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def sparse(truth: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    return np.where(np.arange(len(truth)) < 10, 0.0, truth)


MADE: dict[str, Made] = {
    "the truth itself": lambda truth, _: truth,
    "a sample": lambda truth, rng: rng.poisson(truth * 0.5) / 0.5,
    "ten cells empty": sparse,
    "off by the noise": lambda truth, rng: np.maximum(truth + rng.normal(0, 40, len(truth)), 0.0),
    "too many": lambda truth, _: truth * 1.3,
    "too few": lambda truth, _: truth * 0.6,
    "all alike": lambda truth, _: np.full(len(truth), truth.mean()),
    "in other places": lambda truth, rng: rng.permutation(truth),
}


@pytest.mark.parametrize(("sigma", "size"), [(20.0, 60.0), (40.0, 300.0)])
@pytest.mark.parametrize("name", MADE)
def test_it_holds_the_exact_score(name: str, sigma: float, size: float) -> None:
    rng = np.random.default_rng(7)
    cut, found, widths = cut_for(sigma, 50, CELLS + EMPTY), 0, list[float]()
    for trial in range(TRIALS):
        people = np.floor(np.exp(rng.normal(np.log(size), 1.3, CELLS)))
        truth, made = np.zeros(CELLS + EMPTY), np.zeros(CELLS + EMPTY)
        truth[:CELLS], made[:CELLS] = people, MADE[name](people, rng)
        noisy = truth + rng.normal(0, sigma, len(truth))
        shown = noisy >= cut
        exact = common_part_error(truth[shown], made[shown])
        where = interval(noisy[shown], made[shown], sigma, cut, f"{trial}")
        found += where.low - 1e-12 <= exact <= where.high + 1e-12
        widths.append(where.high - where.low)
    # With a true coverage of LEVEL, 29 or fewer of 40 happen once in a thousand times.
    assert TRIALS * LEVEL == 36 and found >= 30
    assert np.mean(widths) < 0.15  # and it says something


def test_without_noise_it_is_the_score_and_with_more_noise_it_is_wider() -> None:
    truth = np.array([100.0, 200.0, 400.0])
    assert interval(truth, np.array([100.0, 300.0, 300.0]), 0.0, 0.0, "x") == Interval(200 / 1400, 200 / 1400)
    found = [interval(truth * 10, truth * 9, sigma, 0.0, "x") for sigma in (1.0, 10.0, 100.0)]
    assert found[0].low > found[1].low > found[2].low and found[0].high < found[1].high < found[2].high
    assert interval(truth, truth, 20.0, 90.0, "x") == interval(truth, truth, 20.0, 90.0, "x") != interval(truth, truth, 20.0, 90.0, "y")


def test_by_hand() -> None:
    """One cell of 1,000 on both sides, sigma 100 and no cut: |n| is under 196 in 19 of 20 draws, n between -164 and 164 in 9 of 10."""
    where = interval(np.array([1000.0]), np.array([1000.0]), 100.0, 0.0, "hand")
    assert where.low == 0.0 and where.high == pytest.approx(164 / (2000 - 164), rel=0.1)
    apart = interval(np.array([1000.0]), np.array([3000.0]), 100.0, 0.0, "hand")
    assert apart.low == pytest.approx((2000 - 196) / (4000 + 164), rel=0.03)
    assert apart.high == pytest.approx((2000 + 164) / (4000 - 164), rel=0.03)


def test_nobody_on_either_side_says_nothing() -> None:
    assert interval(np.zeros(0), np.zeros(0), 20.0, 90.0, "x") == Interval(0.0, 1.0)


def test_counts_just_above_the_cut_widen_it_upwards() -> None:
    """There the noise is likely to have lifted them, and may hide that the synthetic people are too many."""
    near, far = np.full(100, 91.0), np.full(100, 300.0)
    widths = [interval(r, r, 20.0, 90.0, "x").high * 2 * r.sum() for r in (near, far)]
    assert widths[0] > 5 * widths[1]
