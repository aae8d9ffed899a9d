"""The lower bound on epsilon: the paper's numbers, exact enumeration, laws, and a mechanism whose epsilon is known."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmob.accounting import rho_from
from synthmob.audit.lowerbound import best_guesses, epsilon_lower_bound, p_value
from synthmob.errors import InputError

THREE_TO_ONE = math.log(3.0)
"""The epsilon at which randomised response is right three times in four."""


@pytest.mark.parametrize(
    ("planted", "guesses", "right", "delta", "printed"),
    [(1_000, 100, 75, 1e-4, 0.673), (100_000, 1_510, 1_439, 1e-5, 2.675)],
    ids=["Appendix D, page 46", "Section 7, page 28"])  # fmt: skip
def test_the_numbers_printed_in_the_paper(planted: int, guesses: int, right: int, delta: float, printed: float) -> None:
    """The second is cut off there, not rounded: 2.6759."""
    assert epsilon_lower_bound(planted, guesses, right, delta) == pytest.approx(printed, abs=1e-3)


def _tail(guesses: int, least: int, right: Fraction) -> Fraction:
    """P(W >= least) by writing out every outcome."""
    chance = Fraction(0)
    for outcome in product((0, 1), repeat=guesses):
        if sum(outcome) >= least:
            chance += right ** sum(outcome) * (1 - right) ** (guesses - sum(outcome))
    return chance


@pytest.mark.parametrize(("planted", "guesses", "right"), [(8, 8, 8), (8, 8, 7), (20, 6, 6), (9, 7, 5), (5, 5, 1), (30, 4, 0)])
@pytest.mark.parametrize("delta", [Fraction(0), Fraction(1, 1000), Fraction(1, 50)])
def test_the_formula_of_the_theorem_in_exact_fractions(planted: int, guesses: int, right: int, delta: Fraction) -> None:
    three = Fraction(3, 4)
    above = _tail(guesses, right, three)
    widest = max((_tail(guesses, max(right - i, 0), three) - above) / i for i in range(1, planted + 1))
    expected = min(above + 2 * planted * delta * widest, Fraction(1))
    assert p_value(planted, guesses, right, THREE_TO_ONE, float(delta)) == pytest.approx(float(expected), rel=1e-9)


@given(st.integers(1, 400), st.data())
def test_without_delta_it_is_the_plain_binomial_test(guesses: int, data: st.DataObject) -> None:
    from scipy.stats import binomtest

    right, epsilon = data.draw(st.integers(0, guesses)), data.draw(st.floats(0, 6))
    plain = binomtest(right, guesses, 1 / (1 + math.exp(-epsilon)), alternative="greater").pvalue
    assert p_value(1_000, guesses, right, epsilon, 0.0) == pytest.approx(plain, rel=1e-6, abs=1e-12)


def test_worked_out_by_hand() -> None:
    """Ten right of ten is refuted below the accuracy whose tenth power is .05, which is .7411, so log(.7411 / .2589)."""
    assert epsilon_lower_bound(10, 10, 10, 0.0) == pytest.approx(math.log(0.05**0.1 / (1 - 0.05**0.1)), abs=1e-9)
    assert epsilon_lower_bound(10, 4, 4, 0.0) == 0.0  # 1/16 is no proof of anything at 95 %
    assert epsilon_lower_bound(10, 5, 5, 0.0) > 0.0  # 1/32 is
    assert epsilon_lower_bound(10, 0, 0, 0.0) == 0.0


@given(st.integers(2, 300), st.data())
def test_more_right_guesses_show_more_and_more_delta_less(guesses: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(1, guesses))
    delta = data.draw(st.sampled_from([0.0, 1e-6, 1e-3]))
    bound = epsilon_lower_bound(1_000, guesses, right, delta)
    assert epsilon_lower_bound(1_000, guesses, right - 1, delta) <= bound + 1e-9
    assert epsilon_lower_bound(1_000, guesses, right, delta * 10 + 1e-7) <= bound + 1e-9
    assert epsilon_lower_bound(1_000, guesses, right, delta, confidence=0.99) <= bound + 1e-9
    assert bound == 0.0 or p_value(1_000, guesses, right, bound - 1e-6, delta) < 0.05 <= p_value(1_000, guesses, right, bound + 1e-6, delta)


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.0])
def test_of_randomised_response_it_is_seldom_too_high_and_comes_near(epsilon: float) -> None:
    """Every one of 2,000 coins is reported, wrongly with probability 1 / (1 + e^epsilon): the worst that epsilon allows."""
    rng = np.random.default_rng(5)
    planted, audits = 2_000, 1_000
    right = rng.binomial(planted, 1 / (1 + math.exp(-epsilon)), size=audits)
    known = {int(k): epsilon_lower_bound(planted, planted, int(k), 0.0) for k in set(right)}
    bounds = np.array([known[int(k)] for k in right])
    too_high = int((bounds > epsilon).sum())
    assert 20 <= too_high <= 72  # 5 % of 1,000, give or take three standard errors: neither too bold nor idle
    assert np.median(bounds) > 0.8 * epsilon


def test_a_bug_that_tells_on_some_is_seen_through_the_guesses_about_them() -> None:
    """(0, delta)-privacy may betray m delta of the planted: the bound forgives so many right guesses and no more."""
    assert epsilon_lower_bound(1_000, 100, 100, 0.2) == 0.0
    assert epsilon_lower_bound(1_000, 100, 100, 1e-6) > 3.0


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 4.0])
def test_the_number_of_guesses_promises_about_as_much_as_any(epsilon: float) -> None:
    rho = rho_from(epsilon, 1e-6)
    guesses = best_guesses(20_000, rho)
    assert guesses % 2 == 0
    promised = {k: _promised(20_000, rho, k) for k in (guesses, guesses // 16 * 2, min(guesses * 8, 20_000))}
    assert promised[guesses] == max(promised.values())


def _promised(planted: int, rho: float, guesses: int) -> float:
    """The bound at the share of right guesses that ideal scores lead one to expect, by simulation of the scores."""
    rng = np.random.default_rng(3)
    inside, right, times = rng.random(planted) < 0.5, 0, 60
    for _ in range(times):
        order = np.argsort(rng.normal(size=planted) + math.sqrt(2 * rho) * inside)
        right += int((~inside[order[: guesses // 2]]).sum() + inside[order[-(guesses // 2) :]].sum())
    return epsilon_lower_bound(planted, guesses, round(right / times), 1e-6)


def test_the_number_of_guesses_never_exceeds_the_planted() -> None:
    assert best_guesses(5, 1e-6) == 4 and best_guesses(2, 50.0) == 2


@pytest.mark.parametrize(
    ("planted", "guesses", "right", "delta", "says"),
    [(10, 5, 6, 0.0, "6 right of 5"), (10, 11, 3, 0.0, "11 guesses about 10"), (0, 0, 0, 0.0, "0 planted"), (10, 5, -1, 0.0, "-1 right"),
     (10, 5, 5, 1.0, "delta of 1.0"), (10, 5, 5, -0.1, "delta of -0.1")])  # fmt: skip
def test_guesses_that_cannot_be_are_refused(planted: int, guesses: int, right: int, delta: float, says: str) -> None:
    with pytest.raises(InputError, match=says):
        epsilon_lower_bound(planted, guesses, right, delta)
