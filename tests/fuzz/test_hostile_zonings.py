"""Zonings from a stranger with a purpose: files that are instructions, shapes that take for ever, columns that lie."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from fuzz_bases import Bases
from fuzz_cases import one_sentence
from hostile_files import put

from synthmob.errors import ZoningError
from synthmob.zonefiles import read_zoning

Feature = dict[str, Any]
STEP = 0.02


def square(k: int, **properties: Any) -> Feature:
    shape = shapely.geometry.mapping(shapely.box(k * STEP, 51.5, (k + 1) * STEP, 51.52))
    return {"type": "Feature", "properties": {"zone_id": f"z{k}", "district_id": "d", **properties}, "geometry": shape}


def ring(k: int, corners: Any) -> Feature:
    return {**square(k), "geometry": {"type": "Polygon", "coordinates": [[*np.asarray(corners).tolist(), np.asarray(corners)[0].tolist()]]}}


def written(folder: Path, features: list[Feature], name: str = "zones.geojson", **more: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps({"type": "FeatureCollection", **more, "features": features}), encoding="utf-8")
    return path


def refused(path: Path, words: str, **options: Any) -> str:
    with pytest.raises(ZoningError, match=words) as caught:
        read_zoning(path, **options)
    assert one_sentence(caught.value), str(caught.value)
    return str(caught.value)


@pytest.fixture
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """The address of somebody who waits for a sign of life, and what they have heard."""
    heard: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                caller, _ = server.accept()
            except OSError:
                return
            heard.append(caller.recv(200))
            caller.close()

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/zones", heard
    server.close()


def virtual(source: object) -> str:
    layer = f'<OGRVRTLayer name="s"><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer>'
    return f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>"


def with_system(**system: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "crs": system, "features": [square(0), square(1)]})


INSTRUCTIONS: dict[str, Callable[[str], str]] = {
    "virtual": lambda url: virtual(f"/vsicurl/{url}"),
    "service": lambda url: f"<OGRWFSDataSource><URL>{url}</URL></OGRWFSDataSource>",
    "pipeline": lambda url: json.dumps({"type": "gdal_streamed_alg", "command_line": f"gdal vector convert /vsicurl/{url} o.gpkg"}),
    "system by link": lambda url: with_system(type="link", properties={"href": url, "type": "proj4"}),
    "system by address": lambda url: with_system(type="URL", properties={"url": url}),
    "system by name": lambda url: with_system(type="name", properties={"name": url}),
}


@pytest.mark.parametrize("kind", INSTRUCTIONS)
@pytest.mark.parametrize("name", ["zones.geojson", "zones.json", "zones.gml", "zones.vrt"])
def test_a_file_that_is_an_instruction_is_not_followed(tmp_path: Path, listener: tuple[str, list[bytes]], kind: str, name: str) -> None:
    url, heard = listener
    (tmp_path / name).write_text(INSTRUCTIONS[kind](url), encoding="utf-8")
    refused(tmp_path / name, "cannot be read as zone shapes")
    assert heard == []


def test_another_file_is_not_read_for_it(tmp_path: Path) -> None:
    secret = written(tmp_path, [square(0), square(1)], "secret.geojson")
    (tmp_path / "zones.geojson").write_text(virtual(secret))
    refused(tmp_path / "zones.geojson", "of another kind")


def star(corners: int) -> Feature:
    turn = 2 * np.pi * np.arange(corners) * (corners // 2) / corners
    return ring(0, np.column_stack([0.02 * np.cos(turn), 51.5 + 0.02 * np.sin(turn)]))


def zigzag(corners: int) -> Feature:
    """A valid polygon: no edge crosses another, and the boxes of all of them do."""
    k = np.arange(corners)
    side = np.where(k % 2, 0.3, 0.0)
    return ring(0, np.vstack([np.column_stack([side + 1e-6 * k, 51 + side]), [(1.0, 50.0), (-1.0, 50.0)]]))


def sliver() -> Feature:
    return ring(0, [(-170.0, -80.0), (170.0, 80.0), (170.0, 80.0000001)])


SHAPES: dict[str, tuple[list[Feature], str, dict[str, Any]]] = {
    "a star of 4,001 points": ([star(4_001), square(5)], "over and over", {}),
    "a zigzag of 20,000 edges": ([zigzag(20_000), square(5)], "over and over", {}),
    "no area": ([ring(0, [(0, 51), (0, 51), (0, 51)]), square(1)], "polygon with an area", {}),
    "an area by rounding": ([ring(0, [(0, 51), (1e-14, 51), (0, 51 + 1e-14)]), square(1)], "polygon with an area", {}),
    "cells of a sliver": ([sliver()], "too many cells|would make", {"h3_resolution": 9}),
    "two million numbers": ([ring(0, np.zeros((3_000_001, 2))), square(1)], "lists and objects", {}),
    "a collection": ([{**square(0), "geometry": {"type": "GeometryCollection", "geometries": []}}, square(1)], "no shape", {}),
    "a shape of words": ([{**square(0), "geometry": {"type": "Polygon", "coordinates": "here"}}, square(1)], "cannot be read", {}),
    "no number": ([{**square(0), "geometry": {"type": "Polygon", "coordinates": [[[0, 51], [None, 51], [1, 52], [0, 51]]]}}, square(1)],
                  "polygon|cannot be read", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_that_would_take_for_ever_are_refused(tmp_path: Path, name: str) -> None:
    features, words, options = SHAPES[name]
    refused(written(tmp_path, features), words, **options)


def test_nesting_and_numbers_of_json_are_bounded(tmp_path: Path) -> None:
    text = written(tmp_path, [square(0), square(1)]).read_text()
    words = ("1e999", "NaN", "[" * 50_000)
    for spoilt in (*(text.replace("51.52", word) for word in words), text.encode("utf-16")):
        path = tmp_path / "spoilt.geojson"
        path.write_bytes(spoilt if isinstance(spoilt, bytes) else spoilt.encode())
        refused(path, "cannot be read as zone shapes")


COLUMNS: dict[str, tuple[list[Feature], str]] = {
    "a level with a strange name": ([square(k, **{"level_Bad\n": "x"}) for k in range(4)], "has a level"),
    "a level called zone": ([square(k, level_zone="x") for k in range(4)], "has a level 'zone'"),
    "three hundred levels": ([square(k, **{f"level_{n}": "x" for n in range(300)}) for k in range(4)], "at most 12"),
    "a district outside": ([square(k, district_id="outside") for k in range(4)], "reserved"),
    "an area unknown": ([square(k, level_a="unknown") for k in range(4)], "reserved"),
    "an endless id": ([square(0, zone_id="x" * 2_000_000), square(1)], "no short text"),
    "an id of two lines": ([square(0, zone_id="a\nb"), square(1)], "no short text"),
    "an empty id": ([square(0, zone_id=""), square(1)], "no short text"),
    "an id that is a list": ([square(0, zone_id=[1]), square(1)], "no short text"),
    "a district that is an object": ([square(k, district_id={"a": 1}) for k in range(3)], "no short text"),
    "a thousand and one columns": ([square(0, **{f"c{n}": 1 for n in range(1_001)}), square(1)], "properties|cannot be read"),
    "a zone twice among many": ([square(k) for k in range(3_000)] + [square(2_999)], "stands twice"),
    "features that are none": ([square(0), 5], "feature that is none"),  # pyright: ignore[reportAssignmentType]  (wrong on purpose)
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_that_lie_are_refused(tmp_path: Path, name: str) -> None:
    features, words = COLUMNS[name]
    refused(written(tmp_path, features), words)


def test_a_thousand_sensitive_zones_are_merged_at_once(tmp_path: Path) -> None:
    """Each used to be measured against all others after every merge: hours."""
    zoning = read_zoning(written(tmp_path, [square(k, sensitive=k % 2) for k in range(2_000)]))
    assert zoning.n_zones == 1_000 and len(zoning.aliases) == 1_000
    assert all(abs(int(lost[1:]) - int(kept[1:])) == 1 for lost, kept in zoning.aliases.items())


def test_zones_on_top_of_one_another_have_no_borders(tmp_path: Path) -> None:
    alike = [{**square(0), "properties": {"zone_id": f"z{k}", "sensitive": k > 1}} for k in range(2_000)]
    refused(written(tmp_path, alike), "on top of one another")


def parquet(bases: Bases, tmp_path: Path, change: Callable[[pa.Table], pa.Table]) -> Path:
    path = tmp_path / "zones.parquet"
    pq.write_table(change(pq.read_table(bases["geoparquet"] / "zones.parquet")), path)
    return path


def about(said: Any) -> Callable[[pa.Table], pa.Table]:
    return lambda t: t.replace_schema_metadata({"geo": said if isinstance(said, bytes) else json.dumps(said)})


GEO = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}}}
TABLES: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "says nothing of shapes": (about({}), "it is damaged"),
    "shapes of a list": (about([1]), "it is damaged"),
    "nested": (about(b"[" * 100_000), "cannot be read"),
    "shapes in a column of text": (
        about({**GEO, "primary_column": "zone_id", "columns": {"zone_id": {"encoding": "WKB"}}}), "cannot be read"),
    "another encoding": (about({**GEO, "columns": {"geometry": {"encoding": "point"}}}), "not encoded as WKB"),
    "a system of words": (about({**GEO, "columns": {"geometry": {"encoding": "WKB", "crs": "x"}}}), "cannot be read"),
    "no shapes": (lambda t: put(t, "geometry", pa.nulls(len(t), pa.binary())), "not degrees"),
    "shapes of garbage": (lambda t: put(t, "geometry", pa.array([b"\x01\x03\0\0\0\xff\xff\xff\x7f"] * len(t))), "cannot be read"),
    "merged by numbers": (lambda t: put(t, "merged_ids", pa.array([5] * len(t))), "merged away"),
    "merged with itself": (lambda t: put(t, "merged_ids", pa.array([["z0"]] * len(t))), "merged away"),
    "merged twice": (lambda t: put(t, "merged_ids", pa.array([["x"]] * len(t))), "merged away"),
    "merged outside": (lambda t: put(t, "merged_ids", pa.array([["outside"]] + [[]] * (len(t) - 1), pa.list_(pa.string()))), "merged away"),
    "a text said once and repeated": (
        lambda t: put(t.take(pa.array([0] * 7_000)), "district_id", pa.array(["x" * 40_000] * 7_000)), "unpacks to more"),
    "infinite ids": (lambda t: put(t, "zone_id", pa.array([float("inf")] * len(t))), "stands twice|no short text"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_geoparquet_that_lies_is_refused(bases: Bases, tmp_path: Path, name: str) -> None:
    change, words = TABLES[name]
    refused(parquet(bases, tmp_path, change), words)


def test_metadata_of_others_is_not_believed(bases: Bases, tmp_path: Path) -> None:
    """What pandas has written for itself decides nothing."""
    path = parquet(bases, tmp_path, lambda t: t.replace_schema_metadata(
        {**t.schema.metadata, b"pandas": b'{"index_columns": ["nope"], "columns": 5}'}))  # fmt: skip
    assert read_zoning(path).ids == bases.zoning.ids


def test_a_geopackage_is_read_and_one_of_queries_is_not(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"zone_id": ["a", "b"]}, geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], crs=4326)
    path = tmp_path / "zones.gpkg"
    frame.to_file(path)
    assert read_zoning(path).ids == ("a", "b")
    with sqlite3.connect(path) as database:
        database.execute("CREATE VIEW v AS WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n) SELECT * FROM n")
    refused(path, "holds views")


def test_a_zip_is_read_if_it_is_a_shapefile_of_a_size(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"zone_id": ["a", "b"]}, geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], crs=4326)
    (tmp_path / "s").mkdir()
    frame.to_file(tmp_path / "s" / "zones.shp")
    assert read_zoning(tmp_path / "s" / "zones.shp").ids == ("a", "b")
    for name, more in (("good", {}), ("bomb", {"zones.txt": b"\0" * (300 << 20)}), ("instruction", {"zones.vrt": b"<OGRVRTDataSource/>"})):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for part in sorted((tmp_path / "s").iterdir()):
                archive.write(part, part.name)
            for part, content in more.items():
                archive.writestr(part, content)
    assert read_zoning(tmp_path / "good.zip").ids == ("a", "b")
    refused(tmp_path / "bomb.zip", "no zip of one shapefile")
    refused(tmp_path / "instruction.zip", "no zip of one shapefile")
