"""Zonings from files: every form that is read, every refusal, levels, sensitive zones, and the way there and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import geopandas
import h3
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from synthmob.errors import ZoningError
from synthmob.zonefiles import cell_polygon, read_zoning, write_zoning
from synthmob.zonelevels import clustered_districts, n_districts_wanted
from synthmob.zones import Zoning

SHARED = Path(__file__).resolve().parents[1] / "../shared/data"


def grid(columns: int, rows: int, **more: list[Any]) -> geopandas.GeoDataFrame:
    """A grid of squares of a hundredth of a degree, named z00, z01, ... row by row from the south-west."""
    boxes = [
        shapely.box(x / 100, 51 + y / 100, (x + 1) / 100, 51 + (y + 1) / 100)
        for y in range(rows)
        for x in range(columns)
    ]
    ids = [f"z{k:02d}" for k in range(len(boxes))]
    return geopandas.GeoDataFrame({"zone_id": ids, **more}, geometry=boxes, crs=4326)


def saved(frame: geopandas.GeoDataFrame, folder: Path, name: str = "zones.geojson") -> Path:
    path = folder / name
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    return path


def assert_same(a: Zoning, b: Zoning) -> None:
    assert (a.ids, a.names, a.aliases) == (b.ids, b.names, b.aliases)
    assert [(v.name, v.labels, v.of_zone.tolist()) for v in a.levels] == [
        (v.name, v.labels, v.of_zone.tolist()) for v in b.levels
    ]
    assert all(p.equals(q) for p, q in zip(a.geometry, b.geometry, strict=True))


def test_a_plain_file_gives_zones_in_its_order_and_its_districts(tmp_path: Path) -> None:
    frame = grid(4, 2, district_id=["w", "w", "e", "e"] * 2).iloc[::-1]
    zoning = read_zoning(saved(frame, tmp_path))
    assert zoning.ids == tuple(frame["zone_id"])
    assert [v.name for v in zoning.levels] == ["zone", "district"]
    assert zoning.levels[1].labels == ("e", "w")
    assert zoning.levels[1].of_zone.tolist() == [0, 0, 1, 1] * 2


@pytest.mark.parametrize("name", ["z.parquet", "z.gpkg", "z.geojson"])
def test_other_formats_coordinate_systems_and_column_names(tmp_path: Path, name: str) -> None:
    frame = grid(3, 3, part=[1, 1, 1, 2, 2, 2, 3, 3, 3]).rename(columns={"zone_id": "code"})
    system = 4326 if name.endswith("geojson") else 27700
    zoning = read_zoning(saved(frame.to_crs(system), tmp_path, name), id_column="code", district_column="part")
    assert zoning.levels[-1].labels == ("1", "2", "3")
    assert shapely.equals_exact(zoning.geometry, frame.geometry.to_numpy(), tolerance=1e-6, normalize=True).all()


def test_numbers_as_ids_become_text(tmp_path: Path) -> None:
    frame = grid(2, 2, code=[7.0, 8.0, 9.0, 10.0])
    assert read_zoning(saved(frame, tmp_path), id_column="code").ids == ("7", "8", "9", "10")


def test_without_districts_neighbours_are_clustered_evenly(tmp_path: Path) -> None:
    zoning = read_zoning(saved(grid(8, 4), tmp_path))
    district = zoning.levels[-1]
    assert np.bincount(district.of_zone).tolist() == [4] * 8
    shapes = [shapely.union_all(zoning.geometry[district.of_zone == d]) for d in range(8)]
    assert all(s.geom_type == "Polygon" for s in shapes)
    assert_same(zoning, read_zoning(tmp_path / "zones.geojson"))


@given(st.integers(2, 400))
def test_clusters_hold_nearly_equal_numbers_of_zones(n_zones: int) -> None:
    k = np.arange(n_zones)
    points = np.column_stack([np.cos(k * 2.4) * np.sqrt(k), np.sin(k * 2.4) * np.sqrt(k)])
    sizes = np.unique(clustered_districts(points), return_counts=True)[1]
    assert len(sizes) == n_districts_wanted(n_zones)
    assert sizes.max() <= 2 * sizes.min() + 1


def test_h3_ids_get_parents_as_districts_and_the_levels_between(tmp_path: Path) -> None:
    cells = sorted(h3.cell_to_children("84195dbffffffff", 7))
    frame = geopandas.GeoDataFrame({"zone_id": cells}, geometry=[cell_polygon(c) for c in cells], crs=4326)
    zoning = read_zoning(saved(frame, tmp_path))
    assert [(v.name, len(v.labels)) for v in zoning.levels] == [("zone", 343), ("h3_6", 49), ("district", 7)]
    for level, resolution in zip(zoning.levels[1:], (6, 5), strict=True):
        assert all(
            h3.cell_to_parent(z, resolution) == level.labels[a] for z, a in zip(zoning.ids, level.of_zone, strict=True)
        )
    frame["district_id"] = [h3.cell_to_parent(c, 4) for c in cells]
    assert [v.name for v in read_zoning(saved(frame, tmp_path)).levels] == ["zone", "h3_6", "h3_5", "district"]


def test_cells_over_a_boundary_take_its_shapes_as_districts(tmp_path: Path) -> None:
    frame = grid(2, 2)
    zoning = read_zoning(saved(frame, tmp_path), h3_resolution=9)
    assert zoning.levels[-1].labels == tuple(frame["zone_id"])
    assert list(zoning.ids) == sorted(zoning.ids)
    for cell, district in zip(zoning.ids, zoning.levels[-1].of_zone, strict=True):
        lat, lon = h3.cell_to_latlng(cell)
        assert frame.geometry[district].contains(shapely.Point(lon, lat))
        assert h3.get_resolution(cell) == 9
    between = zoning.levels[1]
    assert between.name == "h3_8"
    assert all(label.count("/") == 1 for label in between.labels)


def test_sensitive_zones_join_the_neighbour_with_the_longest_border(tmp_path: Path) -> None:
    shapes = [
        shapely.box(0, 0, 2, 3),
        shapely.box(2, 0, 3, 3),
        shapely.box(2, 3, 3, 4),
        shapely.box(0, 3, 2, 4),
        shapely.box(9, 9, 10, 10),
    ]
    ids = ["a", "clinic", "b", "c", "island"]
    frame = geopandas.GeoDataFrame(
        {"zone_id": ids, "sensitive": [False, True, False, False, True], "district_id": list("wxxyy")},
        geometry=shapes,
        crs=4326,
    )
    zoning = read_zoning(saved(frame, tmp_path))
    assert zoning.ids == ("a", "b", "c")
    assert zoning.aliases == {"clinic": "a", "island": "b"}
    assert zoning.geometry[0].equals(shapely.box(0, 0, 3, 3))
    assert zoning.levels[-1].labels == ("w", "x", "y")
    write_zoning(zoning, tmp_path / "z.parquet")
    assert_same(zoning, read_zoning(tmp_path / "z.parquet"))


def test_a_run_of_sensitive_zones_ends_in_a_zone_that_is_kept(tmp_path: Path) -> None:
    frame = grid(6, 1, sensitive=["no", "yes", "yes", "yes", "yes", "no"])
    zoning = read_zoning(saved(frame, tmp_path))
    assert zoning.ids == ("z00", "z05")
    assert set(zoning.aliases) == {"z01", "z02", "z03", "z04"} and set(zoning.aliases.values()) <= set(zoning.ids)
    assert sum(zoning.areas_km2) == pytest.approx(sum(read_zoning(saved(grid(6, 1), tmp_path)).areas_km2))


def test_broken_polygons_are_repaired(tmp_path: Path) -> None:
    frame = grid(3, 1)
    bow_tie = shapely.Polygon([(0, 51), (0.01, 51.01), (0.01, 51), (0, 51.01)])
    frame.loc[0, "geometry"] = bow_tie
    zoning = read_zoning(saved(frame, tmp_path))
    assert shapely.is_valid(zoning.geometry).all()
    assert zoning.geometry[0].area == pytest.approx(0.00005)


def test_level_columns_are_levels(tmp_path: Path) -> None:
    frame = grid(8, 1, level_ward=list("aabbccdd"), district_id=list("xxxxyyyy"))
    zoning = read_zoning(saved(frame, tmp_path))
    assert [(v.name, v.labels) for v in zoning.levels[1:]] == [("ward", ("a", "b", "c", "d")), ("district", ("x", "y"))]
    write_zoning(zoning, tmp_path / "z.parquet")
    assert_same(zoning, read_zoning(tmp_path / "z.parquet"))
    frame["level_ward"] = list("abababab")
    with pytest.raises(ZoningError, match="must be nested"):
        read_zoning(saved(frame, tmp_path))


def _point(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    frame.loc[1, "geometry"] = shapely.Point(0, 51)
    return frame


def _empty(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    frame.loc[2, "geometry"] = None
    return frame


BROKEN: list[tuple[geopandas.GeoDataFrame, dict[str, Any], str]] = [
    (grid(2, 2).drop(columns="zone_id"), {}, "no column 'zone_id'"),
    (grid(2, 2), {"district_column": "ward"}, "no column 'ward'"),
    (grid(2, 2, code=["a", None, "b", "c"]), {"id_column": "code"}, "Row 2 .* has no code"),
    (grid(2, 2, code=list("abca")), {"id_column": "code"}, "'a' stands twice"),
    (grid(2, 2, district_id=["a", None, "b", "c"]), {}, "'z01' .* has no district"),
    (grid(2, 2, level_x=["a", None, "b", "c"]), {}, "has no level_x"),
    (grid(2, 2, sensitive=[True] * 4), {}, "Every zone is marked sensitive"),
    (_point(grid(2, 2)), {}, "Row 2 .* a Point"),
    (_empty(grid(2, 2)), {}, "Row 3 .* no shape"),
    (grid(2, 2), {"h3_resolution": 16}, "resolution 16 does not exist"),
    (grid(2, 2), {"h3_resolution": 15}, "at most 200000"),
    (grid(2, 2), {"h3_resolution": 3}, "leaves 0 cells"),
    (
        grid(2, 2)
        .set_crs(27700, allow_override=True)
        .scale(1e6)
        .to_frame("geometry")
        .set_crs(None, allow_override=True)
        .assign(zone_id=list("abcd")),
        {},
        "not degrees",
    ),
    (grid(1, 1), {}, "at least two"),
]


@pytest.mark.parametrize(("frame", "options", "words"), BROKEN)
def test_every_broken_zoning_is_refused_in_one_sentence(
    tmp_path: Path, frame: geopandas.GeoDataFrame, options: dict[str, Any], words: str
) -> None:
    path = saved(frame, tmp_path, "z.parquet")
    with pytest.raises(ZoningError, match=words) as caught:
        read_zoning(path, **options)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and caught.value.exit_code == 2


def test_what_is_no_zoning_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ZoningError, match="There is no zoning"):
        read_zoning(tmp_path / "none.geojson")
    (tmp_path / "text.geojson").write_text("hello")
    with pytest.raises(ZoningError, match="cannot be read as zone shapes"):
        read_zoning(tmp_path / "text.geojson")
    (tmp_path / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(ZoningError, match="holds no shapes"):
        read_zoning(tmp_path / "empty.geojson")
    (tmp_path / "table.csv").write_text("zone_id,name\na,b\n")
    with pytest.raises(ZoningError, match="is of another kind"):
        read_zoning(tmp_path / "table.csv")


def test_degrees_without_a_stated_system_are_taken_as_degrees(tmp_path: Path) -> None:
    frame = grid(2, 2).set_crs(None, allow_override=True)
    assert read_zoning(saved(frame, tmp_path, "z.parquet")).n_zones == 4


@pytest.mark.parametrize(
    ("file", "zones", "levels"),
    [
        ("atlanta_activitysim/zones.geojson", 36, [("zone", 36), ("district", 8)]),
        ("melbourne_vista2009/zones.geojson", 2473, [("zone", 2473), ("h3_6", 392), ("district", 66)]),
        ("london_census2011/london_zones.geojson", 32, [("zone", 32), ("district", 8)]),
    ],
)
def test_the_shared_zonings(tmp_path: Path, file: str, zones: int, levels: list[tuple[str, int]]) -> None:
    path = SHARED / file
    if not path.exists():
        pytest.skip(f"{path.parent} is not here")
    started = time.perf_counter()
    zoning = read_zoning(path)
    assert time.perf_counter() - started < 10
    assert zoning.n_zones == zones
    assert [(v.name, len(v.labels)) for v in zoning.levels] == levels
    write_zoning(zoning, tmp_path / "z.parquet")
    assert_same(zoning, read_zoning(tmp_path / "z.parquet"))
