"""The public files of `geodata/`: what SOURCES.json says of them is so, and the notice stands in the README."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import geopandas
import pytest

from synthmob.errors import FormatError
from synthmob.worlds.geography import geodata_path

GEODATA = Path(__file__).resolve().parents[1] / "geodata"
SOURCES = json.loads((GEODATA / "SOURCES.json").read_text(encoding="utf-8"))


def test_every_file_has_its_source() -> None:
    listed = {entry["file"] for entry in SOURCES}
    assert listed | {"README.md", "SOURCES.json"} == {p.name for p in GEODATA.iterdir()}


@pytest.mark.parametrize("entry", SOURCES, ids=[entry["file"] for entry in SOURCES])
def test_the_file_is_what_its_source_says(entry: dict[str, object]) -> None:
    path = GEODATA / str(entry["file"])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
    assert path.stat().st_size < 300_000
    frame = geopandas.read_file(path)
    assert str(frame.crs) == entry["crs"] and len(frame) == entry["features"]
    assert frame.geometry.is_valid.all() and frame[entry["id_column"]].is_unique
    readme = " ".join((GEODATA / "README.md").read_text(encoding="utf-8").split())
    assert str(entry["sha256"]) in readme
    for sentence in str(entry["notice"]).split(". ")[:2]:
        assert sentence in readme


def test_boroughs_do_not_overlap() -> None:
    frame = geopandas.read_file(geodata_path("london_boroughs.geojson")).to_crs(27700)
    assert frame.area.sum() == pytest.approx(frame.union_all().area, rel=1e-6)
    assert 1.55e9 < frame.area.sum() < 1.6e9


def test_a_missing_file_is_said_to_be_missing() -> None:
    with pytest.raises(FormatError, match=r"no mars\.geojson"):
        geodata_path("mars.geojson")
