"""Zones are drawn by patches, and the law is that of a look at every zone."""

from __future__ import annotations

from typing import Any

import handmade
import kernel_twin as twin
import numpy as np
import pytest
import shapely

from synthmob import seeds
from synthmob.counts.flows import HEADINGS
from synthmob.model.geography import Geography
from synthmob.model.reach import ROWS
from synthmob.synthesis import kernel, places
from synthmob.synthesis.days import LIVED_BY
from synthmob.synthesis.places import LEAST_PATCH, Patches
from synthmob.zones import Level, Zoning

SIDE = 24


def grid(edges_km: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)) -> Geography:
    """576 squares of about a kilometre in four districts, the last of which is small."""
    at = [(x, y) for y in range(SIDE) for x in range(SIDE)]
    shapes = np.array([shapely.box(0.014 * x, 51 + 0.009 * y, 0.014 * (x + 1), 51 + 0.009 * (y + 1)) for x, y in at], dtype=object)
    ids = tuple(f"{x}-{y}" for x, y in at)
    district = np.array([3 if x + y < 3 else int(x >= 12) + (y >= 12) for x, y in at])
    zoning = Zoning(ids, shapes, (Level("zone", ids, np.arange(len(ids))), Level("district", ("a", "b", "c", "d"), district)))
    from dataclasses import replace

    return Geography.of(zoning, replace(handmade.DOMAIN, distance_edges_km=edges_km))


GRID = grid()


def wanted(rng: np.random.Generator, geography: Geography = GRID) -> tuple[Any, Any, Any]:
    attraction = rng.random((3, geography.n)) * (rng.random((3, geography.n)) < 0.7)
    deterrence = np.exp(-rng.random((3 * HEADINGS, 1, 1)) * (np.arange(geography.n_bands)[:, None] + np.arange(geography.n_bands)))
    deterrence *= rng.random(deterrence.shape)  # nothing says that it falls with the distance
    return attraction, rng.random((5, 5)), deterrence


def test_patches_hold_every_zone_once_and_lie_in_one_district() -> None:
    patches, parent = Patches.of(GRID), GRID.parents["district"]
    assert sorted(patches.zone) == list(range(GRID.n)) and patches.zone[-1] == GRID.n - 1
    assert np.diff(patches.first).max() <= LEAST_PATCH and np.diff(patches.first).min() >= 1
    for k, (begin, end) in enumerate(zip(patches.first[:-1], patches.first[1:], strict=True)):
        assert set(parent[patches.zone[begin:end]]) == {patches.area[k]}
        xy = GRID.xy_km[patches.zone[begin:end]]
        assert end - begin == 1 or np.ptp(xy, axis=0).max() < 7  # neighbours


@pytest.mark.parametrize("edges", [GRID.edges_km, tuple(float(k) / 2 for k in range(45))])
def test_no_weight_is_above_its_bound(edges: tuple[float, ...]) -> None:
    """With 46 bands they are looked at in steps: bounds are wider, and still bounds."""
    geography = grid(edges)
    attraction, affinity, deterrence = wanted(np.random.default_rng(1), geography)
    law, patches = places.laws(geography, attraction, affinity, deterrence), Patches.of(geography)
    patch_of, spot = np.repeat(np.arange(len(patches.area)), np.diff(patches.first)), law["spot"]
    for anchor in (0, 300, geography.n - 1):
        bound = law["most"][:, law["code"][spot[anchor]][:, None], law["code"][None, spot[77], :].T][:, :, 0]
        own = deterrence[:, geography.bands[anchor], geography.bands[77]][:, patches.zone]
        assert (own <= bound[:, patch_of]).all()
    pull = (attraction * affinity[2][geography.parents["district"]])[:, patches.zone]
    assert law["mass"][:, 2] == pytest.approx(np.stack([np.bincount(patch_of, weights=a) for a in pull]))


@pytest.mark.parametrize("edges", [GRID.edges_km, tuple(float(k) / 2 for k in range(45))])
def test_reach_leaves_no_patch_more_than_its_bound_and_some_all_of_it(edges: tuple[float, ...]) -> None:
    geography, rng = grid(edges), np.random.default_rng(8)
    law, reach = places.laws(geography, *wanted(rng, geography)), rng.random((3, 4, geography.n_bands)) ** 2
    reach[1, 2] = 0.0
    bound = places.farthest(reach)
    own = np.maximum.reduceat(reach[:, :, law["bands"]], law["patch_first"][:-1], axis=3)  # (purposes, rows, zones, patches)
    assert (own <= bound[:, :, law["code"]]).all() and bound.max() < 1.0001 and (bound[1, 2] == 0).all()
    if geography.n_bands <= places.MOST_STEPS:
        one_band = np.minimum.reduceat(law["bands"], law["patch_first"][:-1], axis=1) == np.maximum.reduceat(
            law["bands"], law["patch_first"][:-1], axis=1)
        assert one_band.any() and own[..., one_band] == pytest.approx(bound[:, :, law["code"]][..., one_band], abs=1e-6)


def test_zones_have_the_numbers_of_their_patches() -> None:
    attraction, affinity, deterrence = wanted(np.random.default_rng(5))
    law = places.laws(GRID, attraction, affinity, deterrence)
    assert (law["patch_zone"][law["spot"]] == np.arange(GRID.n)).all() and law["spot"][GRID.n - 1] == GRID.n - 1
    for zone, other in ((5, 444), (444, GRID.n - 1)):
        assert law["bands"][law["spot"][zone], law["spot"][other]] == GRID.bands[zone, other]
        assert law["area"][law["spot"][zone]] == GRID.parents["district"][zone]
        assert (law["attraction"][:, law["spot"][zone]] == attraction[:, zone]).all()


def test_aliases_are_the_shares_of_the_zones() -> None:
    attraction, affinity, deterrence = wanted(np.random.default_rng(2))
    law, patches = places.laws(GRID, attraction, affinity, deterrence), Patches.of(GRID)
    for purpose in range(3):
        for begin, end in zip(patches.first[:-1], patches.first[1:], strict=True):
            own = attraction[purpose, patches.zone[begin:end]]
            if own.sum() > 0:
                assert twin.shares(law["zone_alias"][purpose, begin:end]) == pytest.approx(own / own.sum(), abs=1e-8)


def test_tied_places_have_the_weights_of_their_patches() -> None:
    attraction, affinity, deterrence = wanted(np.random.default_rng(3))
    law, patches, parent = places.laws(GRID, attraction, affinity, deterrence), Patches.of(GRID), GRID.parents["district"]
    assert law["tied"].shape == (2 * HEADINGS, GRID.n, len(patches.area))  # those of homes are left out
    for here in (5, 444, GRID.n - 1):
        band = GRID.bands[here]
        weights = attraction[1] * affinity[parent[here]][parent] * deterrence[HEADINGS, band, band]
        own = np.add.reduceat(weights[patches.zone], patches.first[:-1])
        assert twin.shares(twin.lengthened(law["tied"][0, law["spot"][here]])) == pytest.approx(own / own.sum(), abs=1e-8)


def test_where_nothing_attracts_the_last_patch_is_taken() -> None:
    attraction, affinity, deterrence = wanted(np.random.default_rng(6))
    law = places.laws(GRID, np.zeros_like(attraction), affinity, deterrence)
    assert twin.shares(twin.lengthened(law["tied"][0, 7]))[-1] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("anchor", "here"), [(30, 30), (30, 400), (0, 575), (30, 576), (576, 31)])
def test_zones_are_drawn_as_a_look_at_all_of_them_would(anchor: int, here: int) -> None:
    """A chain of one stay there and a next one at an anchor: chi-square over 200,000 persons."""
    from scipy.stats import chi2

    attraction, affinity, deterrence = wanted(np.random.default_rng(4))
    law, parent, n = places.laws(GRID, attraction, affinity, deterrence), GRID.parents["district"], 200_000
    reach = np.random.default_rng(7).random((3, ROWS + 1, GRID.n_bands)) ** 3
    reach /= reach.max(axis=2, keepdims=True)
    # Home is `here`, work is the anchor: home, then a look for purpose 2 before work, early and for a short stay.
    day = {
        "sharing": 0.0, "reach": reach, "farthest": places.farthest(reach),
        "purposes": np.array([[[0, 2, 1, 0]]], np.int8), "lengths": np.array([[4]]), "schedules": np.zeros((1, 4), np.int16),
        "duration_edges": np.array([0, 10]), "travel": np.ones((GRID.n_bands, 1, 1)), "travel_edges": np.array([0, 5]),
        "mode_share": np.ones((GRID.n_bands, 1)), "habit": 0.0,
        "work_anchor": np.ones((1, 4)), "exploration": np.full(3, 1e9)}  # fmt: skip
    kinds = (np.int8, np.int32, np.int32, np.int32, np.int32, np.int32, np.int64)
    out = [*(np.empty(4 * n, kind) for kind in kinds), np.empty(0, np.int8)]
    first, law = np.zeros((n, 1), int), law | day
    kernel.live(
        seeds.stage_key(4, "days"), np.arange(n), np.full(n, here), np.full(n, anchor), first, first, np.zeros(1, int),
        *(law[name] for name in LIVED_BY), *kernel.room(law), *out)
    found = np.bincount(out[1][1::4], minlength=GRID.n)
    weights = attraction[2] * affinity[parent[here]][parent] * deterrence[2 * HEADINGS + 1, GRID.bands[anchor], GRID.bands[here]]
    weights *= reach[2, 0, GRID.bands[here]]
    expected = weights / weights.sum() * n
    assert (found[weights == 0] == 0).all()
    rare = expected < 20
    cells = np.append(expected[~rare], expected[rare].sum()), np.append(found[~rare], found[rare].sum())
    score = float(((cells[1] - cells[0]) ** 2 / np.maximum(cells[0], 1e-9))[cells[0] > 5].sum())
    assert chi2.sf(score, int((cells[0] > 5).sum()) - 1) > 1e-6
