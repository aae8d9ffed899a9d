"""Points lie inside their zone whatever its shape, fill it evenly, and a place stays where it is."""

from __future__ import annotations

import handmade
import numpy as np
import pytest
import shapely
from handmade import IDS, OUTSIDE

from synthmob import seeds
from synthmob.synthesis import kernel
from synthmob.synthesis.days import generate
from synthmob.synthesis.points import INWARD, Triangles
from synthmob.zones import Level, Zoning

ZONING = handmade.zoning()
TRIANGLES = Triangles.of(ZONING)
GOLDEN = [[0.50730838, 0.333957965], [0.549434328, 0.826635331]]


def drawn(zone: int, n: int, seed: int = 1, triangles: Triangles = TRIANGLES) -> np.ndarray:
    key = seeds.stage_key(seed, "points")
    places = np.full(n, 3)
    return kernel.points(
        key, np.arange(n), places, np.full(n, zone), triangles.corners, triangles.first, triangles.cumulative, INWARD)  # fmt: skip


@pytest.mark.parametrize("zone", range(len(IDS)), ids=IDS)
def test_points_are_inside_and_even(zone: int) -> None:
    shape, xy = ZONING.geometry[zone], drawn(zone, 20_000)
    assert shapely.contains_xy(shape, xy[:, 0], xy[:, 1]).all()
    west, south, east, north = shape.bounds
    # As many points in each half of the zone as its area has there, cut both ways.
    for half, inside in (
        (shapely.box(west, south, (west + east) / 2, north), xy[:, 0] < (west + east) / 2),
        (shapely.box(west, south, east, (south + north) / 2), xy[:, 1] < (south + north) / 2),
    ):
        assert inside.mean() == pytest.approx(shape.intersection(half).area / shape.area, abs=0.02)


@pytest.mark.parametrize("zone", range(len(IDS)), ids=IDS)
def test_triangles_cover_the_zone_and_nothing_else(zone: int) -> None:
    corners = TRIANGLES.corners[TRIANGLES.first[zone] : TRIANGLES.first[zone + 1]]
    parts = [shapely.Polygon(c) for c in corners]
    whole = shapely.union_all(parts)
    assert sum(p.area for p in parts) == pytest.approx(ZONING.geometry[zone].area, rel=1e-6)
    assert whole.symmetric_difference(ZONING.geometry[zone]).area < 1e-6 * whole.area
    share = TRIANGLES.cumulative[TRIANGLES.first[zone] : TRIANGLES.first[zone + 1]]
    assert share[-1] == 1.0 and (np.diff(share) > 0).all()


def test_a_star_with_many_arms_and_a_comb() -> None:
    angle = np.linspace(0, 2 * np.pi, 41)[:-1]
    radius = np.where(np.arange(40) % 2, 0.01, 0.0005)
    star = shapely.Polygon(np.column_stack([0.1 + radius * np.cos(angle), 51.5 + radius * np.sin(angle)]))
    teeth = shapely.union_all([shapely.box(0.2 + 0.002 * k, 51.5, 0.2005 + 0.002 * k, 51.51) for k in range(9)])
    comb = teeth.union(shapely.box(0.2, 51.5, 0.2165, 51.5001))
    levels = (Level("zone", ("star", "comb"), np.arange(2)), Level("district", ("all",), np.zeros(2, dtype=np.int64)))
    triangles = Triangles.of(Zoning(("star", "comb"), np.array([star, comb], dtype=object), levels))
    for zone, shape in enumerate((star, comb)):
        xy = drawn(zone, 5_000, triangles=triangles)
        assert shapely.contains_xy(shape, xy[:, 0], xy[:, 1]).all()


def test_outside_has_no_point() -> None:
    assert np.isnan(drawn(OUTSIDE, 5)).all()


def test_homes_never_move_and_a_place_is_a_place() -> None:
    made = generate(handmade.model(), n_persons=3_000, days=5, seed=4)
    block = made.block(0)
    s = block.stays
    home = s.purpose == 0
    assert np.array_equal(s.lonlat[home], made.home_points(block.people)[s.person[home]], equal_nan=True)
    known = s.zone < OUTSIDE
    assert np.isnan(s.lonlat[~known]).all() and not np.isnan(s.lonlat[known]).any()
    rows = np.column_stack([s.person, s.zone, s.purpose])[known]
    places, which = np.unique(rows, axis=0, return_inverse=True)
    first = np.full((len(places), 2), np.nan)
    first[which] = s.lonlat[known]
    assert (first[which] == s.lonlat[known]).all()  # same person, zone and purpose: same point
    assert len(np.unique(first, axis=0)) == len(places)  # and no two places share one
    for zone, shape in enumerate(ZONING.geometry):
        lon, lat = s.lonlat[s.zone == zone].T
        assert shapely.contains_xy(shape, lon, lat).all(), IDS[zone]


def test_the_golden_point() -> None:
    """Triangles given by hand, so that no geometry library has a say."""
    corners = np.array([[[0, 0], [1, 0], [0, 1]], [[1, 0], [1, 1], [0, 1]]], dtype=np.float64)
    key, zone = seeds.stage_key(1, "points"), np.array([0, 0, 1])
    triangles = (corners, np.array([0, 2], dtype=np.int64), np.array([0.5, 1.0]))
    xy = kernel.points(key, np.array([0, 1, 2]), np.array([0, 48, 0]), zone, *triangles, INWARD)
    assert np.round(xy[:2], 9).tolist() == GOLDEN
    assert np.isnan(xy[2]).all()
