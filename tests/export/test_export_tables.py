"""kepler, skmob and trackintel: what pandas, DuckDB and shapely read back is what OUT holds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from small_out import exported, parsed, rows, small

from synthmob.export import csvw
from synthmob.export.formats import EXPORTERS
from synthmob.manifest import FILE
from synthmob.zonefiles import read_zoning

LONDON = "Europe/London"
FIRST = pd.Timestamp("2026-03-06")


def local(table: pd.DataFrame, column: str) -> pd.Series:
    """Local minutes of OUT as local times."""
    return FIRST + pd.to_timedelta(table["day"], "D") + pd.to_timedelta(table[column], "min")


@pytest.mark.parametrize("name", sorted(EXPORTERS))
def test_a_note_says_rows_units_crs_and_time_zone(exports: dict[str, Path], name: str) -> None:
    said = json.loads((exports[name] / "export.json").read_text())
    assert said["format"] == name and said["synthetic"] is True and said["readers"] and said["units"]
    assert said["timezone"] == LONDON and said["crs"]
    there = {path.name for path in exports[name].iterdir()}
    assert {*said["rows"], *csvw.names(said["rows"]), "export.json", FILE} == there and set(said["rows"]) <= set(EXPORTERS[name].holds)
    assert json.loads((exports[name] / FILE).read_text())["parameters"] == {"format": name, "timezone": LONDON, "weighted": False}


# ---------------------------------------------------------------- kepler


def test_duckdb_takes_every_row_of_keplers_tables(exports: dict[str, Path], out: Path) -> None:
    for name in ("stays", "trips"):
        found = duckdb.sql(f"select * from read_csv('{exports['kepler']}/{name}.csv', auto_detect = true)")
        kinds = dict(zip(found.columns, map(str, found.types), strict=True))
        assert kinds["start" if name == "stays" else "depart"] == "TIMESTAMP WITH TIME ZONE"
        assert found.aggregate("count(*)").fetchall() == [(len(rows(out, name)),)]


def test_kepler_holds_the_stays_at_their_instants(exports: dict[str, Path], out: Path) -> None:
    found = pd.read_csv(exports["kepler"] / "stays.csv", parse_dates=["start", "end"], float_precision="round_trip")
    ours = rows(out, "stays")
    for column, minutes in (("start", "start_min"), ("end", "end_min")):
        assert (found[column].dt.tz_convert(LONDON).dt.tz_localize(None) == local(ours, minutes)).all()
    for column in ("lon", "lat"):
        np.testing.assert_array_equal(found[column], ours[column])
    assert found.zone_id.equals(ours.zone_id) and found.purpose.equals(ours.purpose) and "weight" not in found


def test_kepler_draws_a_trip_from_the_stay_that_ends_to_the_one_that_begins(exports: dict[str, Path], out: Path) -> None:
    trips = pd.read_csv(exports["kepler"] / "trips.csv", parse_dates=["depart", "arrive"], float_precision="round_trip")
    ours, stays = rows(out, "trips"), rows(out, "stays").set_index(["person_id", "day", "seq"])
    for end, step in (("origin", 0), ("destination", 1)):
        there = stays.loc[list(zip(ours.person_id, ours.day, ours.seq + step, strict=True))]
        for axis in ("lon", "lat"):
            np.testing.assert_array_equal(trips[f"{end}_{axis}"], there[axis])
    assert (trips.arrive >= trips.depart).all() and trips.distance_km.sum() == pytest.approx(ours.distance_km.sum(), rel=1e-4)


def test_weights_are_a_column_where_they_are_asked_for(out: Path, tmp_path: Path) -> None:
    heavy = small(out, tmp_path / "out", persons=50, block=50, weight=2.5)
    for name, files in (("kepler", ("stays", "trips")), ("trackintel", ("staypoints", "triplegs", "trips", "locations")),
                        ("postgis", ("persons",)), ("flowkit", ("weights",))):  # fmt: skip
        folder = exported(heavy, tmp_path, name, weighted=True)
        for file in files:
            found = pd.read_csv(folder / f"{file}.csv", dtype={"geom": str, "home": str})
            assert set(found.weight) == {2.5} and not {c for c in found if c.startswith("weight.")}, (name, file)
    assert "COPY" in (load := (folder / "load.sql").read_text().upper()) and "SUBSCRIBER_WEIGHTS (MSISDN, WEIGHT)" in load
    persons = parsed(exported(heavy, tmp_path, "matsim", weighted=True) / "population_000.xml.gz").iter("person")
    told = [a.text for person in persons for a in person.iter("attribute") if a.get("name") == "weight"]
    assert len(told) > 30 and set(told) == {"2.5"}


# ---------------------------------------------------------------- scikit-mobility


def test_skmob_holds_a_point_for_every_stay_inside(exports: dict[str, Path], out: Path) -> None:
    found = pd.read_parquet(exports["skmob"] / "trajectories.parquet")
    ours = rows(out, "stays").dropna(subset=["lon"]).reset_index(drop=True)
    assert list(found.columns) == ["uid", "datetime", "lat", "lng"]
    assert (found.datetime == local(ours, "start_min")).all() and found.uid.equals(ours.person_id)
    np.testing.assert_array_equal(found[["lng", "lat"]], ours[["lon", "lat"]])


def test_skmobs_flows_are_the_trips_between_tiles(exports: dict[str, Path], out: Path) -> None:
    flows = pd.read_csv(exports["skmob"] / "flows.csv")
    trips = rows(out, "trips").dropna(subset=["origin_zone", "destination_zone"])
    wanted = trips.groupby(["origin_zone", "destination_zone"]).size()
    assert flows.set_index(["origin", "destination"]).flow.sort_index().to_dict() == wanted.to_dict()
    tiles = gpd.read_file(exports["skmob"] / "tessellation.geojson")
    assert tiles.crs.to_epsg() == 4326 and set(flows.origin) | set(flows.destination) <= set(tiles.tile_ID)
    assert list(tiles.tile_ID) == list(read_zoning(out / "zones.parquet").ids)


def test_skmobs_parquet_says_what_it_is(exports: dict[str, Path]) -> None:
    said = {k.decode(): v.decode() for k, v in pq.read_schema(exports["skmob"] / "trajectories.parquet").metadata.items()}
    assert said["synthetic"] == "true" and said["timezone"] == LONDON and said["crs"] == "EPSG:4326"
    assert json.loads(said["units"])["datetime"].startswith("local time")


# ---------------------------------------------------------------- trackintel


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    found = {path.stem: pd.read_csv(path, index_col="id") for path in folder.glob("*.csv")}
    for table in found.values():
        for column in ("started_at", "finished_at"):
            if column in table:
                table[column] = pd.to_datetime(table[column])
    return found


def test_trackintel_has_its_columns_and_its_links_lead_somewhere(exports: dict[str, Path]) -> None:
    t = tables(exports["trackintel"])
    for name in ("staypoints", "triplegs", "trips"):
        assert {"user_id", "started_at", "finished_at"} <= set(t[name].columns) and t[name].index.is_unique
        assert str(t[name].started_at.dt.tz) == "UTC" and (t[name].started_at <= t[name].finished_at).all()
    assert set(t["locations"].columns) == {"user_id", "center"}
    sp, trips = t["staypoints"], t["trips"]
    for end, link in (("origin", "next"), ("destination", "prev")):
        there = sp.loc[trips[f"{end}_staypoint_id"]]
        assert (there[f"{link}_trip_id"].to_numpy() == trips.index.to_numpy()).all()
        assert (there.user_id.to_numpy() == trips.user_id.to_numpy()).all()
    assert (sp.loc[trips.origin_staypoint_id].finished_at.to_numpy() == trips.started_at.to_numpy()).all()
    assert (sp.loc[trips.destination_staypoint_id].started_at.to_numpy() == trips.finished_at.to_numpy()).all()
    assert sp.prev_trip_id.count() == sp.next_trip_id.count() == len(trips)
    assert set(t["triplegs"].trip_id) <= set(trips.index) and set(sp.location_id) == set(t["locations"].index)


def test_trackintels_shapes_are_those_of_the_stays(exports: dict[str, Path], out: Path) -> None:
    t = tables(exports["trackintel"])
    points = shapely.from_wkt(t["staypoints"].geom.to_numpy())
    ours = rows(out, "stays").dropna(subset=["lon"])
    np.testing.assert_allclose(shapely.get_coordinates(points), ours[["lon", "lat"]], atol=6e-8)
    lines = shapely.from_wkt(t["triplegs"].geom.to_numpy())
    assert (shapely.get_type_id(lines) == 1).all() and shapely.is_valid(lines).all() and (shapely.length(lines) > 0).all()
    assert (shapely.get_type_id(shapely.from_wkt(t["trips"].geom.to_numpy())) == 4).all()
    centres = shapely.from_wkt(t["locations"].center.loc[t["staypoints"].location_id].to_numpy())
    assert shapely.equals(centres, points).all()


# ---------------------------------------------------------------- what CSV files cannot say of themselves


@pytest.mark.parametrize("name", sorted(EXPORTERS))
def test_beside_every_csv_file_lies_what_it_holds(exports: dict[str, Path], name: str) -> None:
    said = json.loads((exports[name] / "export.json").read_text())
    files = sorted(exports[name].glob("*.csv"))
    assert {f"{path.name}-metadata.json" for path in files} == {path.name for path in exports[name].glob("*-metadata.json")}
    for path in files:
        found = json.loads((exports[name] / f"{path.name}-metadata.json").read_text())
        assert found["url"] == path.name and found["@context"] == "http://www.w3.org/ns/csvw"
        assert found["notes"] == [{"synthetic": True, "crs": said["crs"], "timezone": said["timezone"]}]
        columns = {column["titles"]: column.get("schema:unitText") for column in found["tableSchema"]["columns"]}
        assert list(columns) == pd.read_csv(path, nrows=0).columns.tolist()
        assert all(unit for column, unit in columns.items() if re.search(r"lon|lat|geom|_km|start|end|duration|volume|datetime", column))
