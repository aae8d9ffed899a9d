"""omx and gis: matrices and layers whose sums are ours, read by openmatrix, geopandas and DuckDB."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
from small_out import exported, rows, small

from synthmob.zonefiles import read_zoning

DAYS, OUTSIDE = 2, "outside"

READ = """
import json, sys, numpy as np, openmatrix
with openmatrix.open_file(sys.argv[1] + "/trips.omx") as file:
    said = {"version": file.version().decode(), "mappings": file.list_mappings(), "shape": [int(n) for n in file.shape()],
            "zone_number": [int(n) for n in file.map_entries("zone_number")], "units of day": file["day"].attrs["units"].decode(),
            **{name: file.root._v_attrs[name].decode() for name in ("timezone", "synthetic", "units")}}
    np.savez(sys.argv[2], **{name: np.array(file[name]) for name in file.list_matrices()})
print(json.dumps(said))
"""


def by_openmatrix(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What openmatrix reads, in a process of its own: its PyTables and our h5py each bring an HDF5, and one process bears only one."""
    with tempfile.TemporaryDirectory() as top:
        command = [sys.executable, "-c", READ, str(folder), f"{top}/found.npz"]
        said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        with np.load(f"{top}/found.npz") as found:
            return said, dict(found)


def matrix(out: Path, trips: pd.DataFrame) -> np.ndarray:
    """Trips a day between zones, outside last, counted by pandas."""
    labels = [*read_zoning(out / "zones.parquet").ids, OUTSIDE]
    ends = [trips[name].astype("object").fillna(OUTSIDE) for name in ("origin_zone", "destination_zone")]
    return trips.groupby(ends).size().unstack(fill_value=0).reindex(index=labels, columns=labels, fill_value=0).to_numpy() / DAYS


def test_openmatrix_reads_our_sums(exports: dict[str, Path], out: Path) -> None:
    trips = rows(out, "trips")
    said, found = by_openmatrix(exports["omx"])
    day, distance = found["day"], found["distance_km"]
    hours = np.stack([found[f"hour_{hour:02d}"] for hour in range(24)])
    assert said["version"] == "0.2" and said["mappings"] == ["zone_number"] and tuple(said["shape"]) == day.shape
    assert sorted(found) == sorted([*(f"hour_{hour:02d}" for hour in range(24)), "day", "distance_km"])
    assert said["zone_number"] == list(range(1, len(day) + 1)) and said["units of day"] == "trips a day"
    assert said["timezone"] == "Europe/London" and said["synthetic"] == "true" and "hour" in json.loads(said["units"])["hour_00 to hour_23"]
    assert matrix(out, trips.head(0)).shape == day.shape, "an hour in which nobody departs counts too"
    for hour in range(24):
        np.testing.assert_array_equal(hours[hour], matrix(out, trips[trips.depart_min // 60 == hour]))
    np.testing.assert_allclose(day, matrix(out, trips))
    assert day.sum() * DAYS == pytest.approx(len(trips)) and np.isnan(distance[-1]).all() and (distance[:-1, :-1] > 0).all()


def test_zones_of_a_matrix_are_named_beside_it(exports: dict[str, Path], out: Path) -> None:
    found = pd.read_csv(exports["omx"] / "zones.csv")
    assert list(found.zone_id) == [*read_zoning(out / "zones.parquet").ids, OUTSIDE]
    assert list(found.zone_number) == list(range(1, len(found) + 1))


def test_weighted_flows_are_people(out: Path, tmp_path: Path) -> None:
    heavy = small(out, tmp_path / "out", persons=200, block=60, weight=2.5)
    for weighted, each in ((False, 1.0), (True, 2.5)):
        folder = exported(heavy, tmp_path / str(weighted), "omx", weighted=weighted)
        assert by_openmatrix(folder)[1]["day"].sum() * DAYS == pytest.approx(each * len(rows(heavy, "trips")))


def test_without_h5py_one_sentence_says_what_to_install(out: Path, tmp_path: Path) -> None:
    code = "import sys; sys.modules['h5py'] = None; from synthmob.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "export", str(out), "--to", "omx", "-o", str(tmp_path / "omx")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert done.stderr == ("synthmob: Open Matrix files need h5py, which is not installed: "
                           "pip install 'synthmob[omx]' from a checkout brings it.\n")  # fmt: skip


# ---------------------------------------------------------------- layers


def test_the_three_forms_of_a_layer_are_one(exports: dict[str, Path]) -> None:
    folder = exports["gis"]
    assert set(pyogrio.list_layers(folder / "mobility.gpkg")[:, 0]) == {"footfall", "flows"}
    for name in ("footfall", "flows"):
        package = gpd.read_file(folder / "mobility.gpkg", layer=name)
        parquet, geojson = gpd.read_parquet(folder / f"{name}.parquet"), gpd.read_file(folder / f"{name}.geojson")
        for other in (parquet, geojson):
            assert other.crs.to_epsg() == 4326 and package.crs.to_epsg() == 4326
            pd.testing.assert_frame_equal(
                pd.DataFrame(package.drop(columns="geometry")), pd.DataFrame(other.drop(columns="geometry")), check_dtype=False)
            assert package.geometry.geom_equals_exact(other.geometry, 1e-6).all()


def test_flows_of_the_map_are_the_trips(exports: dict[str, Path], out: Path) -> None:
    found, trips = gpd.read_parquet(exports["gis"] / "flows.parquet"), rows(out, "trips")
    moved = trips[(trips.origin_zone != trips.destination_zone) & trips.origin_zone.notna() & trips.destination_zone.notna()]
    wanted = moved.groupby(["origin_zone", "destination_zone"]).agg(n=("day", "size"), km=("distance_km", "first"))
    found = found.set_index(["origin_zone", "destination_zone"]).sort_index()
    np.testing.assert_array_equal(found.trips_a_day, wanted.n / DAYS)
    np.testing.assert_allclose(found.distance_km, wanted.km, rtol=1e-6)
    assert list(found.index) == list(wanted.index)


def test_footfall_counts_who_is_there(exports: dict[str, Path], out: Path) -> None:
    found = gpd.read_file(exports["gis"] / "footfall.geojson").set_index("zone_id")
    stays, people = rows(out, "stays"), rows(out, "persons").set_index("person_id")
    for hour in (3, 8, 18):
        here = stays[(stays.start_min <= hour * 60 + 30) & (stays.end_min > hour * 60 + 30)]
        wanted = here.groupby("zone_id").size().reindex(found.index, fill_value=0) / DAYS
        np.testing.assert_array_equal(found[f"hour_{hour:02d}"], wanted)
    stays["share"] = (stays.end_min - stays.start_min) / 1440 / DAYS
    for attribute in ("sex", "age_band"):
        label = people[attribute].loc[stays.person_id].to_numpy()
        for value in sorted(set(people[attribute])):
            wanted = stays[label == value].groupby("zone_id").share.sum().reindex(found.index, fill_value=0)
            np.testing.assert_allclose(found[f"{attribute}_{value}"], wanted, atol=1e-9)


def test_duckdb_reads_geoparquet_and_each_file_says_what_it_is(exports: dict[str, Path]) -> None:
    folder = exports["gis"]
    found = duckdb.sql(f"select count(*), sum(trips_a_day) from '{folder}/flows.parquet'").fetchall()
    assert found == [(len(gpd.read_parquet(folder / "flows.parquet")), gpd.read_parquet(folder / "flows.parquet").trips_a_day.sum())]
    said = pq.read_schema(folder / "flows.parquet").metadata
    assert said[b"synthetic"] == b"true" and said[b"timezone"] == b"Europe/London" and json.loads(said[b"geo"])["version"] == "1.1.0"
    assert "timezone: Europe/London" in json.loads((folder / "flows.geojson").read_text())["description"]
    package = pyogrio.read_info(folder / "mobility.gpkg", layer="footfall")["layer_metadata"]
    assert package["synthetic"] == "true" and package["timezone"] == "Europe/London"
