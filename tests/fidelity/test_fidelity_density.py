"""The distance between maps: at its best, at its worst, on a line, and against another solver of the whole problem."""

from __future__ import annotations

import hand_town as town
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from synthmob.fidelity import density
from synthmob.fidelity.density import area_distances_km, emd_km, map_level, mean_emd_km
from synthmob.fidelity.distances import wasserstein_1d

LINE = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))
maps = st.lists(st.integers(0, 9), min_size=5, max_size=5).map(lambda n: np.array(n, dtype=float)).filter(lambda m: m.sum() > 0)


def linear_program(p, q, km):
    """The transport problem as it stands in the textbook."""
    n = len(p)
    leave, arrive = np.kron(np.eye(n), np.ones(n)), np.kron(np.ones(n), np.eye(n))
    found = linprog(km.ravel(), A_eq=np.vstack([leave, arrive]), b_eq=np.concatenate([p / p.sum(), q / q.sum()]))
    return found.fun


@given(maps, maps)
def test_on_a_line_it_is_the_distance_of_two_distributions(truth, other):
    assert emd_km(truth, other, LINE) == pytest.approx(wasserstein_1d(np.arange(5), np.arange(5), truth, other), abs=1e-9)


def test_on_a_plane_it_is_what_another_solver_finds():
    rng = np.random.default_rng(1)
    for n in (2, 6, 12):
        points = rng.random((n, 2)) * 30
        km = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
        truth, other = rng.poisson(3.0, n) + 1.0, rng.poisson(9.0, n) + 1.0
        assert emd_km(truth, other, km) == pytest.approx(linear_program(truth, other, km), abs=1e-8)


def test_best_and_worst():
    nobody, west, east = np.zeros(5), np.eye(5)[0], np.eye(5)[4]
    assert emd_km(west, 7 * west, LINE) == 0.0
    assert emd_km(nobody, nobody, LINE) == 0.0
    assert emd_km(west, east, LINE) == emd_km(west, nobody, LINE) == emd_km(nobody, east, LINE) == 4.0


def test_the_mean_of_the_hours_in_which_anybody_is_anywhere():
    truth, other = np.zeros((24, 5)), np.zeros((24, 5))
    truth[7:9, 0] = other[7, 0] = other[8, 2] = 1.0
    assert mean_emd_km(truth, other, LINE) == 1.0
    assert mean_emd_km(np.zeros((24, 5)), np.zeros((24, 5)), LINE) == 0.0


def test_a_fine_zoning_is_compared_by_coarser_areas(monkeypatch):
    zoning = town.zoning()
    assert map_level(zoning) == "zone"
    assert area_distances_km(zoning, "zone")[0, 3] == pytest.approx(zoning.distances_km(0, 3), abs=1e-3)
    monkeypatch.setattr(density, "MOST_AREAS", 3)
    assert map_level(zoning) == "district"
    assert area_distances_km(zoning, "district")[0, 1] == pytest.approx(2 * float(zoning.distances_km(0, 1)), abs=1e-3)
    monkeypatch.setattr(density, "MOST_AREAS", 1)
    assert map_level(zoning) == "district"
