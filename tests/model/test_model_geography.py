"""The zoning as arrays: distance bands and parents, `outside` among them."""

from __future__ import annotations

import itertools

import handmade
import numpy as np
import planted_town as town
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmob.model.geography import Geography, band_of

EDGES = town.DOMAIN.distance_edges_km


@given(st.lists(st.floats(0, 1e4) | st.just(float("nan")), min_size=1))
def test_a_band_holds_its_distances(km: list[float]) -> None:
    for value, band in zip(km, band_of(np.array(km), EDGES).tolist(), strict=True):
        if np.isnan(value):
            assert band == len(EDGES)
        else:
            assert EDGES[band] <= value < [*EDGES[1:], np.inf][band]


def test_bands_are_those_of_the_zonings_distances() -> None:
    zoning = handmade.zoning()
    geography = Geography.of(zoning, handmade.DOMAIN)
    assert (geography.n, geography.n_bands) == (6, len(handmade.DOMAIN.distance_edges_km) + 1)
    for a in range(6):
        want = band_of(zoning.distances_km(a, np.arange(6)), handmade.DOMAIN.distance_edges_km)
        assert geography.bands[a].tolist() == want.tolist()
    assert (geography.bands == geography.bands.T).all()
    assert (geography.bands[handmade.OUTSIDE] == geography.n_bands - 1).all()
    assert np.isnan(geography.xy_km[-1]).all() and np.isfinite(geography.xy_km[:-1]).all()


@pytest.mark.parametrize("strips", [False, True])
def test_every_level_nests_in_the_next(strips: bool) -> None:
    geography = town.geography(town.zoning(strips=strips))
    names = list(geography.parents)
    assert names == (["zone", "strip", "district"] if strips else ["zone", "district"])
    for fine, coarse in itertools.pairwise(names):
        up = geography.level_parent(fine, coarse)
        assert np.array_equal(up[geography.parents[fine]], geography.parents[coarse])
        assert up[-1] == geography.parents[coarse].max()  # outside lies in outside
