"""Gravity: commuters of a law that falls off smoothly come back out of their distance bands, inside the bands, too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synthmob.model import reconcile
from synthmob.model.geography import Geography
from synthmob.model.gravity import commuters

EDGES_KM = (0.0, 2.0, 5.0, 9.0, 15.0)
ZONES, WORKERS = 150, 40_000.0


def town(seed: int) -> tuple[Geography, Any, Any]:
    """A town of random zones with `outside` last, its distances in km (0 to outside), and sizes."""
    rng = np.random.default_rng(seed)
    xy = np.vstack([rng.uniform(0, 16, (ZONES, 2)), np.full((1, 2), np.nan)])
    internal = np.append(np.full(ZONES, 0.4), np.nan)
    km = np.hypot(*np.moveaxis(xy[:, None] - xy, 2, 0))
    np.fill_diagonal(km, internal)
    bands = np.where(np.isnan(km), len(EDGES_KM), np.digitize(km, EDGES_KM) - 1).astype(np.int8)
    parents = {"district": np.zeros(ZONES + 1, dtype=np.int64)}
    return Geography(xy, internal, bands, parents, EDGES_KM, "district"), np.nan_to_num(km), rng.lognormal(0, 0.7, (2, ZONES + 1))


def ends(works: Any, homes: Any) -> list[Any]:
    zone, n = np.arange(len(works)), len(works)
    return [(np.broadcast_to(zone, (n, n)), works), (np.broadcast_to(zone[:, None], (n, n)), homes)]


def of_law(seed: int, scale_km: float) -> tuple[Geography, Any, Any, Any, Any]:
    """A town whose commuters fall off as exp(-km / scale) wherever they go, a tenth of a zone's worth of them outside."""
    geography, km, size = town(seed)
    outside = geography.bands == geography.n_bands - 1
    true = size[0][:, None] * size[1] * np.where(outside, 0.1, np.exp(-km / scale_km))
    true[-1] = 0.0
    true *= WORKERS / true.sum()
    by_band = np.bincount(geography.bands.ravel(), weights=true.ravel(), minlength=geography.n_bands)
    return geography, km, true, by_band, outside


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_inside_a_band_fewer_go_far_than_near(seed: int) -> None:
    geography, km, true, by_band, outside = of_law(seed, 3.0)
    homes, works = true.sum(axis=1), true.sum(axis=0)
    found = commuters(homes, works, by_band, ends(works, homes), geography)
    margins = [(geography.bands, by_band), *ends(works, homes)]
    level = reconcile.rake(np.outer(homes, works), margins, rounds=100)  # the deterrence that is level inside bands
    assert np.abs(found - true).sum() < 0.45 * np.abs(level - true).sum()
    mean_km, level_km, true_km = (float((table * km)[~outside].sum() / table[~outside].sum()) for table in (found, level, true))
    assert level_km > 1.01 * true_km  # what it is written against
    assert abs(mean_km - true_km) < 0.3 * (level_km - true_km)


def test_bands_and_ends_are_met() -> None:
    geography, _, true, by_band, _ = of_law(4, 5.0)
    homes, works = true.sum(axis=1), true.sum(axis=0)
    found = commuters(homes, works, by_band, ends(works, homes), geography)
    assert np.bincount(geography.bands.ravel(), weights=found.ravel()) == pytest.approx(by_band, rel=1e-3)
    assert found.sum(axis=1) == pytest.approx(homes, rel=1e-6, abs=1e-6)
    assert found.sum(axis=0) == pytest.approx(works, rel=1e-3, abs=1e-3)


def test_a_level_law_stays_level() -> None:
    geography, _, true, _, _ = of_law(5, 1e9)
    by_band = np.bincount(geography.bands.ravel(), weights=true.ravel())
    homes, works = true.sum(axis=1), true.sum(axis=0)
    found = commuters(homes, works, by_band, ends(works, homes), geography)
    assert np.abs(found - true).sum() < 0.01 * true.sum()


def test_bands_in_which_nobody_commutes_hold_nobody() -> None:
    geography, _, true, by_band, _ = of_law(6, 3.0)
    true[geography.bands == 3] = 0.0
    by_band[3] = 0.0
    homes, works = true.sum(axis=1), true.sum(axis=0)
    found = commuters(homes, works, by_band, ends(works, homes), geography)
    assert np.isfinite(found).all() and found[geography.bands == 3].max() < 1e-6


def test_without_bands_there_are_still_all_workers() -> None:
    geography, _, true, _, _ = of_law(7, 3.0)
    homes, works = true.sum(axis=1), true.sum(axis=0)
    found = commuters(homes, works, None, ends(works, homes), geography)
    assert found.sum() == pytest.approx(WORKERS) and found.sum(axis=1) == pytest.approx(homes, abs=1e-6)
