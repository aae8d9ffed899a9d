"""Zonings: what the constructor refuses, levels, parents and distances."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from synthmob.errors import ZoningError
from synthmob.zones import MEAN_DISTANCE_IN_UNIT_DISK, Level, Zoning

SIDE = 0.01
LAT = 51.5


def squares(ids: tuple[str, ...], **rest: object) -> Zoning:
    """Squares of SIDE degrees in a row from west to east, two to a district."""
    shapes = np.array([shapely.box(i * SIDE, LAT, (i + 1) * SIDE, LAT + SIDE) for i in range(len(ids))], dtype=object)
    n = len(ids)
    pairs = np.arange(n) // 2
    levels = (
        Level("zone", ids, np.arange(n)),
        Level("district", tuple(f"d{k}" for k in range(pairs.max() + 1)), pairs),
    )
    return Zoning(ids, shapes, levels, **rest)  # pyright: ignore[reportArgumentType]  (wrong on purpose)


def test_outside_is_one_more_zone_at_every_level() -> None:
    zoning = squares(("a", "b", "c", "d"))
    assert zoning.labels == ("a", "b", "c", "d", "outside")
    assert zoning.level_labels("district") == ("d0", "d1", "outside")
    assert zoning.parent_of("district").tolist() == [0, 0, 1, 1, 2]
    assert zoning.parent_of("zone").tolist() == [0, 1, 2, 3, 4]
    assert zoning.aliases == {}


def test_distances_are_between_centroids_and_inside_a_zone_that_of_a_disk() -> None:
    zoning = squares(("a", "b", "c", "d"))
    step = math.cos(math.radians(LAT + SIDE / 2)) * SIDE * 111.32
    found = zoning.distances_km([0, 0, 3, 1], [1, 3, 0, 1])
    assert found[:3] == pytest.approx([step, 3 * step, 3 * step], rel=3e-3)
    assert found[3] == pytest.approx(MEAN_DISTANCE_IN_UNIT_DISK * math.sqrt(zoning.areas_km2[1] / math.pi), abs=1e-4)
    assert math.isclose(MEAN_DISTANCE_IN_UNIT_DISK, 0.9054, abs_tol=1e-4)
    assert np.isnan(zoning.distances_km([4, 0], [0, 4])).all()


def test_the_disk_constant_is_the_mean_distance_of_two_points_of_a_disk() -> None:
    k = (np.arange(1500) + 0.5) / 1500
    radius, angle = np.sqrt(k), 2 * np.pi * ((np.arange(1500) * 0.6180339887498949) % 1.0)
    points = radius * np.exp(1j * angle)
    assert np.abs(points[:, None] - points[None, :]).mean() == pytest.approx(MEAN_DISTANCE_IN_UNIT_DISK, rel=2e-3)


def test_points_lie_inside_their_zones() -> None:
    zoning = squares(("a", "b", "c"))
    points = shapely.points(zoning.lonlat)
    assert shapely.contains(zoning.geometry, points).all()


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (("a",), "at least two"),
        (("a", "b", "a"), "'a' stands twice"),
        (("a", "outside"), "'outside' is reserved"),
        (("unknown", "b"), "'unknown' is reserved"),
    ],
)
def test_impossible_ids_are_refused(ids: tuple[str, ...], words: str) -> None:
    with pytest.raises(ZoningError, match=words):
        squares(ids)


def test_levels_must_run_from_zone_to_district() -> None:
    good = squares(("a", "b"))
    with pytest.raises(ZoningError, match="from zone to district"):
        Zoning(good.ids, good.geometry, good.levels[:1])
    with pytest.raises(ZoningError, match="from zone to district"):
        Zoning(good.ids, good.geometry[:1], good.levels)
    with pytest.raises(ZoningError, match="no level 'street'"):
        good.level("street")
