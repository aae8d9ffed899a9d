"""sumo: trips in order of departure between streets that are there, an OD that adds up, roads wide enough; and SUMO itself."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import sumo_run
from hypothesis import given
from hypothesis import strategies as st
from small_out import exported, parsed, rows, small
from smallrun import synthmob
from tinyrecords import wrong

from synthmob.export.exporter import Options
from synthmob.export.network import Network
from synthmob.export.sumonet import VEHICLES_PER_LANE_H, loads
from synthmob.zonefiles import read_zoning

UNPLACED = '<net version="1.20"><location netOffset="0,0" projParameter="!"/></net>'


@pytest.fixture(scope="module")
def net(exports: dict[str, Path]) -> ElementTree.Element:
    return parsed(exports["sumo"] / "zones.net.xml")


@pytest.mark.parametrize("day", [0, 1])
def test_trips_are_those_inside_in_order_of_departure(exports: dict[str, Path], out: Path, day: int) -> None:
    found = list(parsed(exports["sumo"] / f"trips_{day:03d}.xml.gz").iter("trip"))
    trips = rows(out, "trips")
    trips = trips[(trips.day == day) & trips.origin_zone.notna() & trips.destination_zone.notna()]
    zones = {name: k for k, name in enumerate(read_zoning(out / "zones.parquet").ids)}
    departs = [int(trip.get("depart")) for trip in found]
    assert departs == sorted(departs) and len(found) == len(trips) > 100
    streets = zip(trips.origin_zone.map(zones), trips.destination_zone.map(zones), strict=True)
    wanted = {
        f"{t.person_id}_{t.day}_{t.seq}": (86_400 * t.day + 60 * t.depart_min, f"out_{a}", f"in_{b}")
        for t, (a, b) in zip(trips.itertuples(), streets, strict=True)}  # fmt: skip
    assert {t.get("id"): (int(t.get("depart")), t.get("from"), t.get("to")) for t in found} == wanted


def test_the_od_is_the_trips_by_hour(exports: dict[str, Path]) -> None:
    wanted = Counter[tuple[int, str, str]]()
    for day in range(2):
        for trip in parsed(exports["sumo"] / f"trips_{day:03d}.xml.gz").iter("trip"):
            wanted[int(trip.get("depart")) // 3600, trip.get("from").removeprefix("out_"), trip.get("to").removeprefix("in_")] += 1
    found = Counter[tuple[int, str, str]]()
    for interval in parsed(exports["sumo"] / "od.xml").iter("interval"):
        assert float(interval.get("end")) - float(interval.get("begin")) == 3600
        for relation in interval:
            found[int(interval.get("begin")) // 3600, relation.get("from"), relation.get("to")] += int(relation.get("count"))
    assert found == wanted


def test_every_street_leads_to_every_zone(net: ElementTree.Element, exports: dict[str, Path]) -> None:
    edges = {edge.get("id"): edge for edge in net.iter("edge")}
    lanes = {name: len(list(edge)) for name, edge in edges.items()}
    after: dict[str, set[str]] = {}
    for c in net.iter("connection"):
        assert edges[c.get("from")].get("to") == edges[c.get("to")].get("from")
        assert int(c.get("fromLane")) < lanes[c.get("from")] and int(c.get("toLane")) < lanes[c.get("to")]
        after.setdefault(c.get("from"), set()).add(c.get("to"))
    zones = list(parsed(exports["sumo"] / "zones.add.xml").iter("taz"))
    for zone in zones[:5]:
        reached = {zone.find("tazSource").get("id")}
        for _ in edges:
            reached |= {b for a in reached for b in after.get(a, ())}
        assert {z.find("tazSink").get("id") for z in zones} <= reached
    incoming = {lane.get("id") for edge in edges.values() for lane in edge}
    assert incoming == {lane for junction in net.iter("junction") for lane in junction.get("incLanes").split()}
    assert all(float(lane.get("length")) >= 10 for edge in edges.values() for lane in edge)


def test_zones_are_named_and_drawn(exports: dict[str, Path], out: Path) -> None:
    zones = list(parsed(exports["sumo"] / "zones.add.xml").iter("taz"))
    assert [z.find("param").get("value") for z in zones] == list(read_zoning(out / "zones.parquet").ids)
    assert all(len(z.get("shape").split()) >= 4 for z in zones)


def test_the_files_say_units_crs_and_time_zone(exports: dict[str, Path]) -> None:
    for path in exports["sumo"].iterdir():
        if path.suffix != ".json":
            text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
            assert "<!-- synthetic: true -->" in text and "<!-- timezone: Europe/London -->" in text and "<!-- units: " in text, path.name
    assert "trips from or to outside" in json.loads((exports["sumo"] / "export.json").read_text())["notes"][0]


@given(st.lists(st.floats(0, 50), min_size=16, max_size=16))
def test_loads_are_those_of_everybody_on_a_line(values: list[float]) -> None:
    demand = np.array(values).reshape(4, 4)
    ways = [(a, b) for a in range(4) for b in (a - 1, a + 1) if 0 <= b < 4]
    line = Network("", np.zeros((4, 2)), np.array([a for a, _ in ways]), np.array([b for _, b in ways]), np.ones(len(ways)))
    wanted = [sum(demand[o, d] for o in range(4) for d in range(4) if (o <= a < b <= d) or (o >= a > b >= d)) for a, b in ways]
    np.testing.assert_allclose(loads(line, demand), wanted, atol=1e-9)


def test_roads_are_as_wide_as_their_busiest_hour_needs(out: Path, tmp_path: Path) -> None:
    heavy = small(out, tmp_path / "out", persons=300, block=300, weight=2_000.0)
    folder = exported(heavy, tmp_path, "sumo", weighted=True)
    hours = [relation for interval in parsed(folder / "od.xml").iter("interval") for relation in interval]
    busiest = max(float(relation.get("count")) for relation in hours)
    lanes = {edge.get("id"): len(list(edge)) for edge in parsed(folder / "zones.net.xml").iter("edge")}
    relation = next(r for r in hours if float(r.get("count")) == busiest)
    assert lanes[f"out_{relation.get('from')}"] >= busiest / VEHICLES_PER_LANE_H > 2


# ---------------------------------------------------------------- a network of the user's own


def test_on_a_network_of_ones_own_trips_go_from_point_to_point(exports: dict[str, Path], out: Path, tmp_path: Path) -> None:
    folder = exported(out, tmp_path, "sumo", options=Options(net=exports["sumo"] / "zones.net.xml"))
    assert (folder / "net.xml").read_bytes() == (exports["sumo"] / "zones.net.xml").read_bytes()
    assert not (folder / "zones.net.xml").exists() and 'net-file value="net.xml"' in (folder / "run.sumocfg").read_text()
    trips, stays = rows(out, "trips"), rows(out, "stays").set_index(["person_id", "day", "seq"])
    inside = trips[trips.origin_zone.notna() & trips.destination_zone.notna() & (trips.day == 0)]
    found = {t.get("id"): t for t in parsed(folder / "trips_000.xml.gz").iter("trip")}
    assert len(found) == len(inside)
    for t in inside.head(200).itertuples():
        for name, step in (("fromLonLat", 0), ("toLonLat", 1)):
            point = stays.loc[(t.person_id, t.day, t.seq + step)]
            at = [float(x) for x in found[f"{t.person_id}_{t.day}_{t.seq}"].get(name).split(",")]
            np.testing.assert_allclose(at, [point.lon, point.lat], atol=6e-7)


NETS = {
    "none": (None, "There is no readable network"),
    "no network": (b"<routes/>", "is no SUMO network"),
    "no projection": (UNPLACED.encode(), "has no projection"),
}


@pytest.mark.parametrize("case", NETS)
def test_a_network_that_is_none_is_one_sentence(out: Path, tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    content, sentence = NETS[case]
    if content is not None:
        (tmp_path / "my.net.xml").write_bytes(content)
    assert synthmob("export", out, "--to", "sumo", "--net", tmp_path / "my.net.xml", "-o", tmp_path / "x") == 2
    assert sentence in wrong(capsys) and not (tmp_path / "x").exists()


def test_a_damaged_gzip_is_one_sentence(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "my.net.xml.gz").write_bytes(gzip.compress(UNPLACED.encode())[:-20])
    assert synthmob("export", out, "--to", "sumo", "--net", tmp_path / "my.net.xml.gz", "-o", tmp_path / "x") == 2
    assert "cannot be unpacked" in wrong(capsys)


def test_a_network_is_for_sumo_alone(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synthmob("export", out, "--to", "omx", "--net", tmp_path / "my.net.xml", "-o", tmp_path / "x") == 2
    assert re.search(r"The format omx takes no --net.*it is for sumo", wrong(capsys))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("uv") is None, reason="SUMO comes with uv")
def test_every_vehicle_finishes(out: Path, tmp_path: Path) -> None:
    few = small(out, tmp_path / "out", persons=300, block=300)
    folder = exported(few, tmp_path, "sumo")
    said = json.loads((folder / "export.json").read_text())["rows"]
    trips = said["trips_000.xml.gz"] + said["trips_001.xml.gz"]
    for run in (sumo_run.as_it_is(folder, tmp_path, trips), sumo_run.by_od(folder, tmp_path), sumo_run.by_router(folder, tmp_path, 2)):
        assert run == sumo_run.Run(trips, trips)
    zoning = read_zoning(few / "zones.parquet")
    net = sumo_run.grid(tmp_path, *zoning.projected.to_crs(4326).total_bounds)
    own = exported(few, tmp_path / "own", "sumo", options=Options(net=net))
    assert sumo_run.as_it_is(own, tmp_path, trips) == sumo_run.Run(trips, trips)
