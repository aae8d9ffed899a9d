"""Destinations of purposes that differ in how they lie, most of a small one cut."""

from __future__ import annotations

import numpy as np
import pytest

from synthmob.model import destinations, reconcile
from synthmob.model.reconcile import FloatArray, Noisy

SIGMA, CUT = 50.0, 150.0


def released(truth: FloatArray, rng: np.random.Generator) -> Noisy:
    noisy = truth + rng.normal(0, SIGMA, truth.shape)
    return Noisy(np.where(noisy >= CUT, noisy, np.nan), SIGMA, CUT)


@pytest.mark.parametrize(("b", "least", "most"), [(0.01, 0.0, 0.15), (0.3, 0.08, 1.2), (2.0, 0.8, 4.0)])
def test_a_planted_misfit_is_found_though_most_cells_were_cut(b: float, least: float, most: float) -> None:
    rng, prior = np.random.default_rng(3), np.full(60, 110.0)
    found = [destinations.likely_misfit(prior, released(prior * rng.gamma(1 / b, b, 60), rng)) for _ in range(20)]
    assert least <= np.median(found) <= most


def test_a_purpose_of_a_few_places_is_not_spread_over_all() -> None:
    """Universities in eight of forty districts, among purposes that are everywhere: their own cells were cut in all others."""
    rng = np.random.default_rng(4)
    people = rng.lognormal(0, 0.5, 40)
    few = np.append(np.full(8, 260.0), np.full(32, 8.0))
    truth = np.stack([np.zeros(40), *(n * people / people.sum() for n in (40_000, 25_000, 13_000)), few])
    stays = truth.sum(axis=1)
    off: list[FloatArray] = []
    for _ in range(8):
        noisy = released(truth, rng)
        both = reconcile.product_prior(noisy), destinations.by_district(noisy, stays * 0.97)
        off.append(np.array([[np.abs(t[p] / t[p].sum() - truth[p] / stays[p]).sum() / 2 for p in range(1, 5)] for t in both]))
        assert both[1].sum(axis=1)[1:4] == pytest.approx(stays[1:4] * 0.97, rel=0.06)
    before, after = np.mean(off, axis=0)
    assert after[3] < 0.2 < before[3] and (after[:3] < before[:3] + 0.01).all()


def test_of_a_row_that_nobody_counts_only_its_cells_speak() -> None:
    noisy = Noisy(np.array([[300.0, 100.0], [np.nan, 60.0]]), 0.0, 10.0)
    found = destinations.by_district(noisy, np.zeros(2))
    assert found[0] == pytest.approx([300, 100], rel=0.02) and found[1, 1] == pytest.approx(60, rel=0.05) and found[1, 0] < 10


@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_visitors_of_a_week_are_a_second_look(spread: float) -> None:
    """A hundred zones of ten areas whose stays a day are known; a stay has .6 visitors in a week of them, give or take."""
    rng, parent = np.random.default_rng(5), np.repeat(np.arange(10), 10)
    off: list[list[float]] = []
    for _ in range(20):
        stays = rng.lognormal(5.0, 0.7, 100)
        above = np.bincount(parent, weights=stays)
        visitors = 4.2 * stays * np.exp(rng.normal(0, spread, 100))
        seen, again = released(stays, rng), released(visitors, rng)
        looks = None, (again, 4.2)
        found = [destinations._zones(above, seen, parent, np.full(100, 0.1), look) for look in looks]
        assert all(np.bincount(parent, weights=cells) == pytest.approx(above) for cells in found)
        off.append([float(np.abs(cells - stays).sum()) for cells in found])
    before, after = np.mean(off, axis=0)
    assert after < 0.6 * before
