"""Shapes survive the trip into the page: what the script decodes is what was drawn, to a grid unit."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import shapely
from fake_out import LONDON, boroughs, hexagons
from hypothesis import given
from hypothesis import strategies as st

from synthmob.report import geometry
from synthmob.report.geometry import GRID, Shapes, encoded, of_zoning, packed
from synthmob.report.maps import numbers

RINGS = st.lists(
    st.lists(st.lists(st.tuples(st.integers(0, GRID), st.integers(0, GRID)), min_size=1, max_size=6), max_size=3),
    max_size=5,
)


def decoded(shapes: Shapes) -> list[list[np.ndarray]]:
    """The rings of every shape, by the same steps as `outlines` of codec.js."""
    counts = np.frombuffer(base64.b64decode(shapes.rings), "<u2").tolist()
    points = np.cumsum(np.frombuffer(base64.b64decode(shapes.steps), "<i2").reshape(-1, 2).astype(int), axis=0)
    out, r, p = [], 0, 0
    while r < len(counts):
        sizes = counts[r + 1 : r + 1 + counts[r]]
        r += 1 + counts[r]
        rings = []
        for size in sizes:
            rings.append(points[p : p + size])
            p += size
        out.append(rings)
    return out


@given(RINGS)
def test_rings_come_back_as_they_went_in(shapes):
    found = decoded(encoded([[np.array(ring) for ring in rings] for rings in shapes]))
    assert [[ring.tolist() for ring in rings] for rings in found] == [
        [list(map(list, ring)) for ring in rings] for rings in shapes
    ]


def test_hexagons_keep_their_area_and_their_shared_borders():
    zoning = hexagons(2)
    shapes = of_zoning(zoning)
    polygons = [shapely.Polygon(rings[0]) for rings in decoded(shapes.zones)]
    km2 = np.array([p.area for p in polygons]) * shapes.km_per_unit**2
    assert km2 == pytest.approx(zoning.areas_km2, rel=0.01)
    assert sum(p.area for p in polygons) == pytest.approx(shapely.union_all(polygons).area, rel=1e-9)
    assert max(shapes.width, shapes.height) == GRID


def test_centres_lie_in_their_zones():
    shapes = of_zoning(hexagons(2))
    for rings, centre in zip(decoded(shapes.zones), shapes.zone_centres, strict=True):
        assert shapely.Polygon(rings[0]).contains(shapely.Point(centre))


@pytest.mark.skipif(not LONDON.exists(), reason=f"no {LONDON.parent}")
def test_london_is_small_and_has_no_slits():
    shapes = of_zoning(boroughs())
    assert len(shapes.zones.rings) + len(shapes.zones.steps) < 12_000
    whole = shapely.union_all([shapely.make_valid(shapely.Polygon(rings[0])) for rings in decoded(shapes.zones)])
    biggest = max(shapely.get_parts(whole), key=lambda part: part.area)
    assert not [hole for hole in biggest.interiors if shapely.Polygon(hole).area > 16]


def test_shapes_that_are_no_coverage_are_simplified_one_by_one():
    squares = np.array(
        [shapely.box(0, 0, 10, 10), shapely.box(5, 5, 15, 15), shapely.box(20, 0, 20.001, 0.001)], dtype=object
    )
    thin = geometry.simplified(squares)
    assert [g.area for g in thin[:2]] == pytest.approx([100, 100])
    assert thin[2].area > 0


def test_a_number_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="70000"):
        packed([1, 70000], "<u2")
    assert numbers(np.array([70000]))[0] == "u4"
    assert numbers(np.array([-129, 5]))[0] == "i2"
    assert numbers(np.zeros((0, 2), dtype=np.int64)) == ["u1", ""]
    with pytest.raises(ValueError, match="does not fit"):
        numbers(np.array([1 << 40]))
