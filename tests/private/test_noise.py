"""The noise is the one stated, drawn either way, and the tests that say so have the power to say the opposite.

Every statistical test accepts the stated sigma and rejects sigma +-30 %, both at a p of 1e-20, so it fails by chance
never.
"""

from __future__ import annotations

import inspect
import math
import random
from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from synthmob import accounting
from synthmob.errors import PlanError
from synthmob.private import noise

ALPHA = 1e-20
OFF = (0.7, 1.3)


def tail(scale: float, least: float) -> float:
    return accounting.probability_published(0, scale / 1024, least / 1024)


def fit(observed: Sequence[float], expected: Sequence[float]) -> float:
    """Chi-square p-value of counts against expected counts, at least 5 each after pooling from the right."""
    pooled: list[list[float]] = []
    for o, e in zip(observed, expected, strict=True):
        if pooled and pooled[-1][1] < 5:
            pooled[-1] = [pooled[-1][0] + o, pooled[-1][1] + e]
        else:
            pooled.append([o, e])
    if len(pooled) > 1 and pooled[-1][1] < 5:
        last = pooled.pop()
        pooled[-1] = [pooled[-1][0] + last[0], pooled[-1][1] + last[1]]
    statistic = sum((o - e) ** 2 / max(e, 1e-9) for o, e in pooled)
    return float(stats.chi2.sf(statistic, len(pooled) - 1))


def law_fit(draws: npt.NDArray[np.int64], scale: float) -> float:
    """p-value of draws against the discrete Gaussian of that scale, in bins of a third of it."""
    edges = np.arange(-9, 10) * round(scale / 3)
    observed = np.histogram(draws, np.concatenate([[-(2**62)], edges, [2**62]]))[0]
    above = np.array([tail(scale, int(e)) for e in edges])
    expected = -np.diff(np.concatenate([[1.0], above, [0.0]])) * len(draws)
    return fit(observed.tolist(), expected.tolist())


def tail_fit(draws: npt.NDArray[np.int64], scale: float, least: int) -> float:
    """p-value of draws against N given N >= least, in ten bins that the stated law makes equally likely."""
    edges = least + np.array([0, 100, 220, 350, 500, 680, 890, 1170, 1570, 2300]) * round(scale) // 1800
    observed = np.histogram(draws, np.append(edges, 2**62))[0]
    above = np.array([tail(scale, int(e)) for e in edges]) / tail(scale, least)
    return fit(observed.tolist(), (-np.diff(np.append(above, 0.0)) * len(draws)).tolist())


def count_fit(numbers: Sequence[int], n: int, p: float) -> float:
    """p-value of numbers of successes against Binomial(n, p)."""
    top = max(*numbers, math.ceil(n * p + 10 * math.sqrt(n * p)))
    observed = np.bincount(numbers, minlength=top + 1)
    expected = stats.binom.pmf(np.arange(top + 1), n, p) * len(numbers)
    expected[top] += stats.binom.sf(top, n, p) * len(numbers)
    return fit(observed.tolist(), expected.tolist())


def two_samples(a: Sequence[int], b: Sequence[int], edges: Sequence[float]) -> float:
    rows = np.array([np.histogram(a, edges)[0], np.histogram(b, edges)[0]])
    rows = rows[:, rows.sum(axis=0) > 0]
    return float(stats.chi2_contingency(rows).pvalue)  # pyright: ignore[reportAttributeAccessIssue]


@pytest.fixture(scope="module")
def dense() -> npt.NDArray[np.int64]:
    """120,000 draws of scale 3072 by OpenDP, on an empty table."""
    empty = np.empty(0, dtype=np.int64)
    return noise.noisy_domain(empty, empty, 120_000, 3.0)[1]


def test_dense_noise_is_the_stated_one_and_no_other(dense: npt.NDArray[np.int64]) -> None:
    assert law_fit(dense, 3072) > ALPHA
    for factor in OFF:
        assert law_fit(dense, 3072 * factor) < ALPHA


def test_dense_draws_do_not_depend_on_each_other(dense: npt.NDArray[np.int64]) -> None:
    for lag in (1, 2, 8192):
        r = float(np.corrcoef(dense[:-lag], dense[lag:])[0, 1])
        assert abs(r) * math.sqrt(len(dense)) < 9.5  # a p of 1e-20
    assert len(np.unique(dense[:8192] - dense[8192:16384])) > 1000  # chunks are not copies


def test_opendp_states_the_cost_that_we_charge() -> None:
    from opendp.domains import atom_domain, vector_domain
    from opendp.measurements import make_gaussian
    from opendp.metrics import l2_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    bound, rho = math.sqrt(72), 0.0008
    sigma = accounting.sigma_for(bound, rho)
    space = vector_domain(atom_domain(T="i64")), l2_distance(T="f64")
    theirs = make_gaussian(*space, scale=sigma * 1024).map(bound * 1024)
    assert theirs == pytest.approx(rho, rel=1e-9)


def test_bulk_tail_is_the_stated_one_and_no_other() -> None:
    scale, least = 3072, 6144
    _, draws = noise.empty_cells_published(200_000, Fraction(scale), least)
    assert draws.min() >= least and len(draws) > 3500
    assert tail_fit(draws, scale, least) > ALPHA
    for factor in OFF:
        assert tail_fit(draws, scale * factor, least) < ALPHA


def test_bulk_number_is_binomial_and_has_no_other_sigma() -> None:
    n, scale, least = 3000, Fraction(3072.37), 3 * 3072
    numbers = [len(noise.empty_cells_published(n, scale, least)[0]) for _ in range(2000)]
    assert count_fit(numbers, n, tail(float(scale), least)) > ALPHA
    for factor in OFF:
        assert count_fit(numbers, n, tail(float(scale) * factor, least)) < ALPHA


def test_bulk_is_the_dense_draw(dense: npt.NDArray[np.int64]) -> None:
    """Number per block of 100 cells and values above two sigma: the same by OpenDP on every cell and in bulk."""
    least, blocks = 6144, dense.reshape(-1, 100)
    numbers, values = (blocks >= least).sum(axis=1).tolist(), dense[dense >= least].tolist()
    edges = [least + k * 300 for k in range(12)] + [2**62]
    for factor, same in ((1.0, True), *((f, False) for f in OFF)):
        scale = Fraction(3072) * Fraction(factor)
        bulk = [noise.empty_cells_published(100, scale, least)[1].tolist() for _ in range(len(blocks))]
        p_number = two_samples(numbers, [len(b) for b in bulk], [*range(12), 2**62])
        p_value = two_samples(values, [v for b in bulk for v in b], edges)
        assert (p_number > ALPHA and p_value > ALPHA) if same else p_number < ALPHA
        if factor > 1:
            assert p_value < ALPHA


def test_bulk_places_are_uniform_distinct_and_empty() -> None:
    occupied = np.arange(0, 40_000, 2, dtype=np.int64)
    counts = np.full(len(occupied), 1000 * 1024, dtype=np.int64)
    published, noisy = noise.add_noise(occupied, counts, 40_000, 1.0, 2.0)
    assert (np.diff(published) > 0).all() and len(noisy) == len(published)
    assert np.isin(occupied, published).all()
    empties = published[published % 2 == 1]
    assert len(empties) == pytest.approx(20_000 * 0.02275, abs=9.5 * 21.1)
    observed = np.histogram(empties, np.linspace(0, 40_000, 11))[0]
    assert fit(observed.tolist(), [len(empties) / 10] * 10) > ALPHA
    assert noisy[published % 2 == 1].min() >= 2048


@pytest.mark.parametrize("n_domain", [500, 50_000])
def test_occupied_cells_get_noise_around_their_count(n_domain: int) -> None:
    cells = np.arange(499, dtype=np.int64)
    counts = np.arange(1, 500, dtype=np.int64) * 1024 * 100
    published, noisy = noise.add_noise(cells, counts, n_domain, 2.0, 12.0)
    mine = np.isin(published, cells)
    assert mine.sum() == 499
    z = (noisy[mine] - counts) / 2048
    assert abs(z.mean() * math.sqrt(499)) < 9.5 and np.abs(z).max() < 10
    assert 0.7 < z.std() < 1.3


@given(st.sets(st.integers(0, 60), max_size=61))
def test_rank_among_empty_cells(occupied: set[int]) -> None:
    empties = [c for c in range(61) if c not in occupied]
    cells = np.array(sorted(occupied), dtype=np.int64)
    found = noise._empty_cells(list(range(len(empties))), cells)  # pyright: ignore[reportPrivateUsage]
    assert found.tolist() == empties


def machin_pi(digits: int) -> int:
    """floor(pi 10^digits), give or take the last few: pi = 16 atan(1/5) - 4 atan(1/239)."""

    def atan_inverse(x: int) -> int:
        power, total, k = 10 ** (digits + 10) // x, 0, 0
        while power:
            total += (-1) ** k * (power // (2 * k + 1))
            power, k = power // (x * x), k + 1
        return total

    return (16 * atan_inverse(5) - 4 * atan_inverse(239)) // 10**10


def test_pi_is_right_to_the_last_digit() -> None:
    digits = len(str(noise._PI)) - 2  # pyright: ignore[reportPrivateUsage]
    assert digits > 180
    assert str(noise._PI).replace(".", "") == str(machin_pi(digits))  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(("scale", "least"), [(0.02, 1), (0.6, 2), (1.0, 2), (3.7, 8), (55.5, 120)])
def test_candidates_times_acceptance_is_the_tail_to_a_hundred_digits(scale: float, least: int) -> None:
    """A * sum over g of geometric(g) keep(g) = P(N >= least), summed term by term in decimals."""
    with localcontext(Context(prec=140)):
        s = Decimal(scale)
        weight = [(-Decimal(k) * k / (2 * s * s)).exp() for k in range(math.ceil(scale * 25) + least + 30)]
        wanted = sum(weight[least:], Decimal(0)) / (1 + 2 * sum(weight[1:], Decimal(0)))
        ratio = (-Decimal(least) / (s * s)).exp()
        keep = sum((1 - ratio) * ratio**g * w for g, w in enumerate(weight))
        found = noise._candidate_probability(Fraction(scale), least) * keep  # pyright: ignore[reportPrivateUsage]
        assert abs(found / wanted - 1) < Decimal(10) ** -100


def test_a_study_without_noise_or_group_publishes_what_is_there() -> None:
    """epsilon 1000 and a minimum group of one: sigma is far below one grid step."""
    for n_domain in (1_000, 5_000_000):
        cells = np.array([3, 7, 999], dtype=np.int64)
        counts = np.array([1, 2, 40], dtype=np.int64) * 1024
        cut = accounting.cut_for(1e-5, 1, n_domain)
        published, noisy = noise.add_noise(cells, counts, n_domain, 1e-5, cut)
        assert published.tolist() == [7, 999] and noisy.tolist() == [2048, 40960]
        published, noisy = noise.add_noise(cells, counts, n_domain, 1e-5, 1.0)
        assert published.tolist() == [3, 7, 999]


def test_cells_in_any_order_and_none_at_all() -> None:
    cells, counts = np.array([9, 2, 5], dtype=np.int64), np.array([9, 2, 5], dtype=np.int64) * 1024 * 1000
    published, noisy = noise.add_noise(cells, counts, 10, 0.5, 100.0)
    assert published.tolist() == [2, 5, 9]
    assert np.round(noisy / 1024 / 1000).tolist() == [2, 5, 9]
    none = np.empty(0, dtype=np.int64)
    for n_domain in (10, 1_000_000):
        published, noisy = noise.add_noise(none, none, n_domain, 20.0, 400.0)
        assert len(published) == len(noisy) == 0 and noisy.dtype == np.int64


def test_nothing_can_seed_it() -> None:
    for function in (noise.add_noise, noise.noisy_domain, noise.empty_cells_published):
        assert not {"seed", "rng", "random_state", "key"} & set(inspect.signature(function).parameters)
    cells, counts = np.arange(200, dtype=np.int64), np.full(200, 102_400, dtype=np.int64)
    draws: list[list[int]] = []
    for _ in range(2):
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002 - the old way of seeding must have no effect either
        draws.append(noise.add_noise(cells, counts, 200, 20.0, 1.0)[1].tolist())
        draws.append(noise.empty_cells_published(5000, Fraction(20480), 40960)[0])
    assert draws[0] != draws[2] and draws[1] != draws[3]


def test_the_way_taken_depends_on_public_numbers_alone() -> None:
    assert set(inspect.signature(noise.drawn_in_bulk).parameters) == {"n_domain", "sigma", "cut"}
    assert not noise.drawn_in_bulk(20_000, 20.0, 90.0)
    assert noise.drawn_in_bulk(20_001, 20.0, 90.0)
    assert not noise.drawn_in_bulk(20_001, 20.0, 39.9)


def test_what_cannot_be_drawn_is_refused() -> None:
    cells, counts = np.array([1, 2], dtype=np.int64), np.array([1024, 1024], dtype=np.int64)
    for sigma in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(PlanError, match="sigma"):
            noise.add_noise(cells, counts, 10, sigma, 50.0)
    with pytest.raises(PlanError, match=r"A table of 1e\+18 cells cannot be drawn, at most 1e\+18 can: give its axes fewer"):
        noise.add_noise(cells, counts, 10**18 + 1, 20.0, 400.0)
    assert noise.add_noise(cells, counts, 10**18, 20.0, 400.0)[0].dtype == np.int64
    with pytest.raises(TypeError, match="int64"):
        noise.add_noise(cells, counts.astype(np.float64), 10, 1.0, 50.0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="outside"):
        noise.add_noise(cells, counts, 2, 1.0, 50.0)
    with pytest.raises(ValueError, match="exactly one"):
        noise.add_noise(np.array([1, 1], dtype=np.int64), counts, 10, 1.0, 50.0)
