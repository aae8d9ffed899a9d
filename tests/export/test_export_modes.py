"""What exports make of modes: a column where the format has room for it, MATSim's words for legs, and in SUMO only those who drive."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import handmade_modes
import pandas as pd
import pyarrow.parquet as pq
import pytest
from small_out import exported, parsed, rows
from test_export_matsim import CONTENT

from synthmob.synthesis.days import generate
from synthmob.synthesis.writer import write

WORDS = {"vehicle passenger": "ride", "walking": "walk", "bicycle": "bike", "train": "pt", "bus": "pt", "tram": "pt"}


@pytest.fixture(scope="module")
def moded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(generate(handmade_modes.model(), n_persons=120, days=2, seed=3), tmp_path_factory.mktemp("moded") / "out")


def test_tables_carry_the_mode_of_each_trip(moded: Path, tmp_path: Path) -> None:
    trips = rows(moded, "trips")
    assert trips["mode"].nunique() == handmade_modes.N
    kepler = pd.read_csv(exported(moded, tmp_path, "kepler") / "trips.csv")
    assert list(kepler["mode"]) == list(trips["mode"])
    postgis = exported(moded, tmp_path, "postgis")
    assert list(pd.read_csv(postgis / "trips.csv", usecols=["mode"])["mode"]) == list(trips["mode"])
    assert "mode text" in (postgis / "load.sql").read_text()
    found = exported(moded, tmp_path, "trackintel")
    legs, ends = pd.read_csv(found / "triplegs.csv"), pd.read_csv(found / "trips.csv")
    inside = trips[trips.origin_zone.notna() & trips.destination_zone.notna()].reset_index(drop=True)
    assert len(inside) == len(ends) and list(legs["mode"]) == list(inside["mode"][legs.trip_id])


def test_a_leg_of_matsim_has_the_mode_of_the_trip_to_its_activity(moded: Path, tmp_path: Path) -> None:
    folder = exported(moded, tmp_path, "matsim")
    stays = rows(moded, "stays")
    stays = stays[(stays.day == 0) & stays.lon.notna()]
    want = [WORDS.get(mode, mode) for _, day in stays.groupby("person_id") for mode in day.sort_values("seq")["mode"].iloc[1:]]
    assert [leg.get("mode") for leg in parsed(folder / "population_000.xml.gz").iter("leg")] == want and len(set(want)) == 6
    config = parsed(folder / "config.xml")
    assert all(element.tag in CONTENT for element in config.iter())
    assert _named(config, "modeParams") >= set(want) and _named(config, "teleportedModeParameters") == set(want) - {"car"}


def _named(config: ElementTree.Element, kind: str) -> set[str | None]:
    return {s.find("param").get("value") for s in config.iter("parameterset") if s.get("type") == kind}


def test_only_those_who_drive_are_on_the_roads_of_sumo(moded: Path, tmp_path: Path) -> None:
    folder, trips = exported(moded, tmp_path, "sumo"), rows(moded, "trips")
    driven = trips[(trips["mode"] == "car") & trips.origin_zone.notna() & trips.destination_zone.notna()]
    made = [trip.get("id") for day in range(2) for trip in parsed(folder / f"trips_{day:03d}.xml.gz").iter("trip")]
    assert sorted(made) == sorted(f"{t.person_id}_{t.day}_{t.seq}" for t in driven.itertuples())
    assert f"{(trips['mode'] != 'car').sum():,} trips by other modes than car are left out." in (folder / "export.json").read_text()


def test_columns_of_out_say_how_people_travel(moded: Path) -> None:
    stays, trips = pq.read_table(moded / "stays").to_pandas(), rows(moded, "trips")
    assert stays["mode"].isna().eq(stays.seq == 0).all() and trips["mode"].notna().all()
    assert list(stays["mode"][stays.seq > 0]) == list(trips["mode"])
