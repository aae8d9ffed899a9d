"""Noisy, censored counts are read without bias, and every total that is known is met."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from synthmob.domain import Axis
from synthmob.marginals import Marginal
from synthmob.model import reconcile
from synthmob.model.reconcile import Noisy

FloatArray = np.ndarray[Any, Any]
SIGMA, CUT = 20.0, 90.0
sizes = st.floats(0.0, 1e5)


def measured(truth: FloatArray, rng: np.random.Generator, sigma: float = SIGMA, cut: float = CUT) -> Noisy:
    """What would be released of a table."""
    noisy = truth + rng.normal(0, sigma, truth.shape)
    return Noisy(np.where(noisy >= cut, noisy, np.nan), sigma, cut)


def world(b: float, seed: int, n: int = 60_000) -> tuple[FloatArray, FloatArray, Noisy]:
    """What a model expects of many cells, the truth, as far off as its relative error b allows, and its release."""
    rng = np.random.default_rng(seed)
    prior = rng.lognormal(4.2, 0.9, n)
    truth = prior + rng.normal(0, np.sqrt(prior + b * prior**2))
    return prior, truth, measured(truth, rng)


def exact(truth: FloatArray) -> Noisy:
    """A table as it is: without noise, empty cells missing."""
    return Noisy(np.where(truth > 0, truth, np.nan), 0.0, 0.0)


@pytest.mark.parametrize("spread", [0.3, 0.8])
def test_the_posterior_recovers_the_truth_better_than_clipping(spread: float) -> None:
    rng = np.random.default_rng(1)
    prior = rng.lognormal(3.0, 1.5, 4_000)  # most cells are small, most people in large ones
    truth = rng.poisson(prior * rng.lognormal(-(spread**2) / 2, spread, prior.size)).astype(float)
    noisy = measured(truth, rng)
    found, _variance = reconcile.posterior(prior, noisy)
    clipped = np.nan_to_num(noisy.count)
    halved = np.where(noisy.published, clipped, CUT / 2)
    model = prior * truth.sum() / prior.sum()

    def apart(estimate: FloatArray) -> float:
        return float(0.5 * np.abs(estimate / estimate.sum() - truth / truth.sum()).sum())

    assert apart(found) < 0.6 * apart(clipped)
    assert apart(found) < 0.8 * apart(halved)
    assert apart(found) < 0.8 * apart(model)


@pytest.mark.parametrize("b", [0.005, 0.02])
def test_the_posterior_is_unbiased_where_published_and_where_not(b: float) -> None:
    prior, truth, noisy = world(b, seed=2)
    found, variance = reconcile.posterior(prior, noisy, b=b)
    big = prior > 20  # so that the normal law hardly reaches below zero
    for mine in (big & noisy.published, big & ~noisy.published, big & (np.abs(prior - CUT) < 20)):
        error = (found - truth)[mine]
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(mine.sum())
        # The variance that it states is the one it has.
        assert (error**2).mean() == pytest.approx(variance[mine].mean(), rel=0.08)


def test_clipping_is_biased_where_it_is_cut() -> None:
    """The bias that the posterior is free of: near the cut, cells that passed it are too large."""
    prior, truth, noisy = world(0.02, seed=3)
    near = noisy.published & (np.abs(prior - CUT) < 20)
    clipped = (noisy.count - truth)[near].mean()
    found = reconcile.posterior(prior, noisy)[0]  # the misfit estimated, not known
    assert clipped > 5 and abs((found - truth)[near].mean()) < 0.3 * clipped


@pytest.mark.parametrize("b", [0.05, 0.25, 1.0])
def test_the_misfit_is_found(b: float) -> None:
    rng = np.random.default_rng(4)
    prior = rng.lognormal(6.0, 0.8, 20_000)
    truth = prior * rng.gamma(1 / b, b, prior.size)
    noisy = measured(truth, rng)
    assert reconcile.misfit(prior, noisy) == pytest.approx(b, rel=0.35)


def test_the_misfit_is_not_selected_by_noise() -> None:
    """A model that is right: cells that noise lifted over the cut say that it is wrong, cells it expects there do not."""
    rng = np.random.default_rng(5)
    prior = np.append(rng.lognormal(2.5, 0.7, 40_000), rng.lognormal(6.0, 0.5, 200))
    truth = rng.poisson(prior).astype(float)
    noisy = measured(truth, rng, sigma=30.0, cut=60.0)
    y, m = noisy.count[noisy.published], prior[noisy.published]
    selected = float((((y - m) ** 2 - m - noisy.sigma**2) / m**2).mean())
    assert selected > 5.0
    assert reconcile.misfit(prior, noisy) < 0.05


def test_one_bad_cell_does_not_decide_the_misfit() -> None:
    prior = np.full(100, 1e4)
    count = prior + np.random.default_rng(6).normal(0, 100, 100)
    count[0] = 1e6
    assert reconcile.misfit(prior, Noisy(count, 10.0, 50.0)) < 0.05


@pytest.mark.parametrize("prior", [np.full(3, 7.0), np.array([1e-9, 1.0, 1e6])])
def test_exact_counts_are_reproduced(prior: FloatArray) -> None:
    count = np.array([12.0, 3.0, 700.0])
    found, variance = reconcile.posterior(prior, Noisy(count, 0.0, 0.0))
    assert found == pytest.approx(count, rel=1e-6) and (variance < 1e-6).all()
    mean, _ = reconcile.posterior(prior, Noisy(np.array([12.0, np.nan, 700.0]), 0.0, 1.0))
    assert mean[[0, 2]] == pytest.approx([12.0, 700.0]) and 0 <= mean[1] <= 1


@given(hnp.arrays(float, 6, elements=sizes), hnp.arrays(float, 6, elements=st.floats(50, 1e5) | st.just(np.nan)),
       st.floats(0.0, 200), st.floats(0, 50), st.floats(1e-4, 4))  # fmt: skip
def test_the_posterior_stays_within_reason(prior: FloatArray, count: FloatArray, sigma: float, cut: float, b: float) -> None:
    noisy = Noisy(count, sigma, cut)
    mean, variance = reconcile.posterior(prior, noisy, b=b)
    assert np.isfinite(mean).all() and np.isfinite(variance).all() and (mean >= 0).all() and (variance > 0).all()
    low, high = np.fmin(prior, count), np.fmax(prior, count)
    seen = noisy.published
    slack = 1e-6 * (1 + high)
    assert ((mean >= low - slack) & (mean <= high + slack))[seen].all()  # a published cell lies between model and count
    assert (mean <= np.minimum(prior, cut + 2 * sigma) + slack)[~seen].all()  # a suppressed one is small, and no larger than expected


cells = hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=6)


@given(cells.flatmap(lambda s: st.tuples(
    hnp.arrays(float, s, elements=sizes), hnp.arrays(float, s, elements=st.floats(1e-6, 1e4)),
    hnp.arrays(np.int64, s, elements=st.integers(0, 2)))), hnp.arrays(float, 3, elements=st.just(0.0) | st.floats(0.1, 1e6)))  # fmt: skip
def test_adjusted_cells_sum_to_their_totals(tables: Any, totals: FloatArray) -> None:
    mean, variance, group = tables
    found = reconcile.adjust(mean, variance, group, totals)
    assert found.shape == mean.shape and (found >= 0).all()
    sums = np.bincount(group.ravel(), weights=found.ravel(), minlength=3)
    there = np.isin(np.arange(3), group)
    assert sums[there] == pytest.approx(totals[there], rel=1e-6, abs=1e-6)


def test_adjusting_what_fits_changes_nothing_and_trusts_the_certain() -> None:
    mean, group = np.array([3.0, 4.0, 5.0]), np.zeros(3, dtype=np.int64)
    assert reconcile.adjust(mean, np.ones(3), group, np.array([12.0])) == pytest.approx(mean)
    certain = np.array([1e-9, 1e4, 1e-9])
    assert reconcile.adjust(mean, certain, group, np.array([40.0])) == pytest.approx([3, 32, 5], abs=0.02)


KM = np.array([0.5, 1.5, 3.0, 5.0, 7.5, 12.0, 20.0, 35.0, 60.0])
ALONG = np.stack([np.ones(9), KM / KM[-1], np.log1p(KM)], axis=1)


@pytest.mark.parametrize("sigma", [0.0, SIGMA])
def test_suppressed_cells_follow_the_law_of_those_that_were_published(sigma: float) -> None:
    """Trips fall with distance faster than the prior thinks; the far bands, all cut, are not filled up to the cut."""
    rng = np.random.default_rng(2)
    prior = 4_000 / (1 + KM)
    truth = prior * np.exp(-0.12 * KM)
    found = np.stack([reconcile.extended(prior, measured(truth, rng, sigma), ALONG) for _ in range(20)])
    far = truth < 60
    assert far.sum() >= 3 and prior[far].sum() > 4 * truth[far].sum()
    assert found[:, far].sum(axis=1).mean() == pytest.approx(truth[far].sum(), abs=1 + sigma)
    alone = np.stack([reconcile.posterior(prior, measured(truth, rng, sigma))[0] for _ in range(20)])
    assert abs(alone[:, far].sum(axis=1).mean() - truth[far].sum()) > 2 * abs(found[:, far].sum(axis=1).mean() - truth[far].sum())


def test_a_law_raises_no_cell_beyond_what_was_seen_and_says_nothing_of_too_few() -> None:
    prior = np.full(9, 100.0)
    rising = Noisy(np.where(KM < 10, 100.0 * np.exp(0.1 * KM), np.nan), 1.0, 90.0)
    found = reconcile.extended(prior, rising, ALONG)
    assert found.max() <= 1.001 * found[KM < 10].max()
    one = Noisy(np.where(KM < 1, 100.0, np.nan), 1.0, 90.0)
    np.testing.assert_array_equal(reconcile.extended(prior, one, ALONG), prior)


def test_two_cells_say_how_a_law_falls_with_what_was_cut_beside_them() -> None:
    """Pupils' ways: all but the nearest were cut, and a prior as wide as other purposes' would fill them up to the cut."""
    prior = np.array([340.0, 810.0, 500.0, 640.0, 450.0, 360.0, 380.0, 320.0, 180.0])
    found = reconcile.extended(prior, Noisy(np.append([2_700.0, 1_600.0], np.full(7, np.nan)), 100.0, 280.0), ALONG)
    assert found[:2] == pytest.approx([2_700, 1_600], rel=0.3)
    assert found[2:].sum() < 700 and found[4:].sum() < 150


@given(hnp.arrays(float, 9, elements=sizes), hnp.arrays(float, 9, elements=st.floats(50, 1e5) | st.just(np.nan)), st.floats(0, 500))
def test_a_law_stays_a_number(prior: FloatArray, count: FloatArray, sigma: float) -> None:
    found = reconcile.extended(prior, Noisy(count, sigma, 50.0), ALONG)
    assert np.isfinite(found).all() and (found >= 0).all()


@given(st.integers(0, 1000))
def test_settled_tables_meet_their_totals(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.lognormal(4, 1.5, (5, 4))
    group = np.broadcast_to(np.arange(5)[:, None], truth.shape)
    totals = truth.sum(axis=1)
    found = reconcile.settle(rng.random((5, 4)), measured(truth, rng), group, totals)
    assert (found >= 0).all() and found.sum(axis=1) == pytest.approx(totals)
    assert reconcile.settle(rng.random((5, 4)) + 0.1, exact(truth), group, totals) == pytest.approx(truth, rel=1e-4)


def test_a_small_table_is_estimated_from_itself() -> None:
    rng = np.random.default_rng(7)
    truth = 4_000 * np.outer(rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(8)))
    noisy = [measured(truth, rng, sigma=15.0, cut=40.0) for _ in range(40)]
    found = np.mean([reconcile.product_prior(n) for n in noisy], axis=0)
    clipped = np.mean([np.nan_to_num(n.count) for n in noisy], axis=0)
    assert np.abs(found - truth).sum() < 0.65 * np.abs(clipped - truth).sum()
    assert np.abs(found.sum() - truth.sum()) < 0.65 * np.abs(clipped.sum() - truth.sum())
    assert reconcile.product_prior(exact(truth)) == pytest.approx(truth, rel=1e-6)


def test_contexts_back_off_to_coarser_ones() -> None:
    rng = np.random.default_rng(8)
    shape = rng.dirichlet(np.ones(5) * 3)
    truth = rng.lognormal(5, 1.5, (3, 4, 1)) * shape  # every context has the same bins
    totals = truth.sum(axis=-1)
    noisy = measured(truth, rng, sigma=15.0, cut=60.0)
    found = reconcile.backed_off(noisy, totals)
    assert found.sum(axis=-1) == pytest.approx(totals)
    shares = found / found.sum(axis=-1, keepdims=True)
    assert np.abs(shares - shape).sum(axis=-1).max() < 0.45
    assert (np.abs(shares - shape).sum(axis=-1) * totals).sum() / totals.sum() < 0.15
    for known in (None, totals):
        assert reconcile.backed_off(exact(truth), known) == pytest.approx(truth, rel=1e-4)


@given(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=5).flatmap(
    lambda s: hnp.arrays(float, s, elements=st.just(0.0) | sizes)))  # fmt: skip
def test_rows_of_the_ladder_are_laws(table: FloatArray) -> None:
    found = reconcile.ladder(table)
    assert found.shape == table.shape and (found > 0).all()
    assert found.sum(axis=-1) == pytest.approx(np.ones(table.shape[:-1]))
    law = reconcile.conditional(table, found, weight=5.0)
    assert law.sum(axis=-1) == pytest.approx(np.ones(table.shape[:-1])) and (law > 0).all()


def test_an_empty_context_inherits_from_the_coarser_one() -> None:
    table = np.zeros((2, 3, 4))
    table[0, 0], table[1, 1] = 1e6 * np.array([1, 2, 3, 4]), 1e6 * np.array([4, 3, 2, 1])
    law = reconcile.conditional(table, reconcile.ladder(table), weight=5.0)
    assert law[0, 2] == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=1e-3)
    assert law[1, 0] == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=1e-3)
    assert law[0, 0] == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=1e-3)
    few = np.zeros((1, 4))
    few[0, 0] = 5.0
    assert reconcile.conditional(few, np.full((1, 4), 0.25), weight=5.0)[0].tolist() == [0.625, 0.125, 0.125, 0.125]


@given(hnp.arrays(float, (4, 5), elements=st.floats(0.01, 100)), hnp.arrays(float, (4, 5), elements=st.floats(0.01, 100)))
def test_raking_meets_both_margins_and_keeps_the_seeds_odds(seed: FloatArray, truth: FloatArray) -> None:
    rows, columns = np.indices(seed.shape)
    found = reconcile.rake(seed, [(rows, truth.sum(axis=1)), (columns, truth.sum(axis=0))], rounds=200)
    assert found.sum(axis=0) == pytest.approx(truth.sum(axis=0))  # the last margin exactly
    assert found.sum(axis=1) == pytest.approx(truth.sum(axis=1), rel=1e-3)
    odds = [t[0, 0] * t[1, 1] / (t[0, 1] * t[1, 0]) for t in (seed, found)]
    assert odds[0] == pytest.approx(odds[1], rel=1e-6)


def test_raking_leaves_what_cannot_be_at_zero() -> None:
    seed = np.array([[1.0, 0.0], [1.0, 1.0]])
    rows, columns = np.indices(seed.shape)
    found = reconcile.rake(seed, [(columns, np.array([5.0, 5.0])), (rows, np.array([0.0, 10.0]))], rounds=3)
    assert found.tolist() == [[0, 0], [5, 5]] and seed.tolist() == [[1, 0], [1, 1]]


def test_the_product_of_margins() -> None:
    table = np.arange(1.0, 25).reshape(2, 3, 4)
    found = reconcile.independent(table)
    for axis in range(3):
        rest = tuple(k for k in range(3) if k != axis)
        assert found.sum(axis=rest) == pytest.approx(table.sum(axis=rest))
    assert reconcile.independent(found) == pytest.approx(found)
    assert (reconcile.independent(np.zeros((2, 2))) < 1e-6).all()


PARENT = np.array([0, 0, 1, 1, 1, 2])
FINE = np.array([0, 0, 1, 2, 2, 3, 4, 4, 4, 5, 5])


def levels(fine: FloatArray, noise: Any) -> tuple[list[Any], FloatArray, FloatArray]:
    """A table over 11 zones as two levels below a settled one of three, each as `noise` releases it."""
    middle = np.stack([fine[k == FINE].sum(axis=0) for k in range(6)])
    top = np.stack([middle[k == PARENT].sum(axis=0) for k in range(3)])
    return [(noise(middle), PARENT), (noise(fine), FINE)], top, middle


@pytest.mark.parametrize("rest", [(), (2,), (2, 3)])
def test_descending_sums_to_the_parents_at_every_level(rest: tuple[int, ...]) -> None:
    rng = np.random.default_rng(9)
    fine = rng.lognormal(4, 1, (11, *rest))
    steps, top, _middle = levels(fine, lambda t: measured(t, rng))
    found = reconcile.descend(steps, top, np.ones(11))
    assert found.shape == fine.shape and (found >= 0).all()
    up = np.stack([found[PARENT[FINE] == k].sum(axis=0) for k in range(3)])
    assert up == pytest.approx(top)
    steps, top, _middle = levels(fine, exact)
    assert reconcile.descend(steps, top, np.ones(11)) == pytest.approx(fine, rel=1e-4)


def test_descending_in_silence_follows_the_sizes() -> None:
    silent = [(Noisy(np.full(n, np.nan), 0.0, 1e15), parent) for n, parent in ((6, PARENT), (11, FINE))]
    size = np.arange(1.0, 12)
    top = np.array([60.0, 0.0, 21.0])
    found = reconcile.descend(silent, top, size)
    area = PARENT[FINE]
    want = size * (top / np.bincount(area, weights=size))[area]
    assert found == pytest.approx(want, rel=1e-6)


def test_a_middle_level_helps_where_zones_are_cut() -> None:
    rng = np.random.default_rng(10)
    fine = rng.lognormal(2.5, 0.4, 11) * np.array([1.0, 1, 12, 1, 1, 1, 1, 1, 1, 9, 9])
    steps, top, middle = levels(fine, lambda t: measured(t, rng, sigma=10.0, cut=70.0))
    blind = [(Noisy(np.full(6, np.nan), 0.0, 1e15), PARENT), steps[1]]
    with_middle, without = (reconcile.descend(s, top, np.ones(11)) for s in (steps, blind))
    apart = [np.abs(np.bincount(FINE, weights=t) - middle).sum() for t in (with_middle, without)]
    assert apart[0] < apart[1]


def test_a_released_table_as_an_array() -> None:
    axes = (Axis("a", ("x", "y")), Axis("b", ("p", "q", "r")))
    noisy = Noisy.of(Marginal.of("t", axes, [[0, 1], [1, 2]], [60.0, 70.0], sigma=3.0, cut=55.0))
    assert (noisy.sigma, noisy.cut) == (3.0, 55.0) and noisy.published.sum() == 2
    turned = noisy.moved(np.transpose)
    assert turned.count[1, 0] == 60.0 and np.isnan(turned.count[0, 0]) and (turned.sigma, turned.cut) == (3.0, 55.0)


def test_a_table_in_blocks_comes_out_as_in_one_piece_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    seed, prior = rng.lognormal(0, 2, (37, 11)), rng.lognormal(4, 1, (37, 11))
    noisy = measured(prior * rng.lognormal(0, 0.5, prior.shape), rng)
    codes, totals = rng.integers(0, 5, seed.shape).astype(np.int8), rng.lognormal(3, 1, 5)
    row = np.broadcast_to(np.arange(37, dtype=np.int32)[:, None], seed.shape)

    def found() -> list[FloatArray]:
        mean, variance = reconcile.posterior(prior, noisy)
        margins = [(row, prior.sum(axis=1)), (codes, totals)]
        return [mean, variance, reconcile.adjust(mean, variance, codes, totals), reconcile.rake(seed, margins, rounds=5)]

    whole = found()
    sums = reconcile.sums_by(codes, seed, 5)
    assert (sums == np.bincount(codes.ravel(), weights=seed.ravel())).all()
    for cells in (1, 50, 11 * 36):
        monkeypatch.setattr(reconcile, "BLOCK_CELLS", cells)
        assert all((a == b).all() for a, b in zip(whole, found(), strict=True))
        assert (reconcile.sums_by(codes, seed, 5) == sums).all()
