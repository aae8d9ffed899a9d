"""matsim: the elements and attributes of its document types, plans that alternate, and a network that joins all zones."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pyproj
import pytest
from small_out import exported, of_persons, parsed, rows, small

from synthmob.zonefiles import read_zoning

# What population_v6.dtd, network_v2.dtd and config_v2.dtd allow of what we write: children as a pattern over their names, and
# the attributes that must be there. tests/benchmarks/consumers.py validates against the files themselves.
CONTENT = {
    "population": (r"(attributes )?(person )*", set()), "attributes": (r"(attribute )*", set()), "attribute": ("", {"name", "class"}),
    "person": (r"(attributes )?(plan )*", {"id"}), "plan": (r"(activity |leg )*", {"selected"}),
    "activity": ("", {"type", "x", "y"}), "leg": ("", {"mode"}), "network": (r"(attributes )?nodes links ", set()),
    "nodes": (r"(node )*", set()), "node": ("", {"id", "x", "y"}), "links": (r"(link )*", set()),
    "link": ("", {"id", "from", "to", "length", "freespeed", "capacity", "permlanes", "oneway", "modes"}),
    "config": (r"(module )*", set()), "module": (r"(param |parameterset )*", {"name"}), "param": ("", {"name", "value"}),
    "parameterset": (r"(param |parameterset )*", {"type"})}  # fmt: skip
TIME = re.compile(r"([01]\d|2[0-4]):[0-5]\d:00")


@pytest.fixture(scope="module")
def population(exports: dict[str, Path]) -> ElementTree.Element:
    return parsed(exports["matsim"] / "population_001.xml.gz")


@pytest.mark.parametrize("name", ["population_000.xml.gz", "population_001.xml.gz", "network.xml.gz", "config.xml"])
def test_every_element_is_where_its_document_type_has_it(exports: dict[str, Path], name: str) -> None:
    for element in parsed(exports["matsim"] / name).iter():
        pattern, needed = CONTENT[element.tag]
        assert re.fullmatch(pattern, "".join(f"{child.tag} " for child in element)), element.tag
        assert needed <= set(element.keys()), element.tag


def test_a_plan_is_the_day_of_a_person(population: ElementTree.Element, out: Path) -> None:
    stays = rows(out, "stays")
    stays = stays[(stays.day == 1) & stays.lon.notna()]
    said = {a.get("name"): a.text for a in population.find("attributes")}
    assert said["timezone"] == "Europe/London" and said["synthetic"] == "true"
    back = pyproj.Transformer.from_crs(said["coordinateReferenceSystem"], "EPSG:4326", always_xy=True)
    people = {int(p.get("id")): p for p in population.iter("person")}
    days = {who: day.sort_values("seq") for who, day in stays.groupby("person_id")}
    assert set(people) == set(days)
    for who, person in people.items():
        steps = list(person.find("plan"))
        assert [s.tag for s in steps] == (["activity", "leg"] * len(steps))[: len(steps)] and steps[-1].tag == "activity"
        acts, day = steps[::2], days[who]
        assert [a.get("type") for a in acts] == list(day.purpose)
        ends = [a.get("end_time") for a in acts]
        assert ends[-1] is None and all(TIME.fullmatch(end) for end in ends[:-1])
        assert [int(end[:2]) * 60 + int(end[3:5]) for end in ends[:-1]] == list(day.end_min[:-1])
        lonlat = np.array(back.transform(*np.array([[float(a.get("x")), float(a.get("y"))] for a in acts]).T)).T
        np.testing.assert_allclose(lonlat, day[["lon", "lat"]], atol=2e-6)


def test_people_carry_their_attributes(population: ElementTree.Element, out: Path) -> None:
    ours = rows(out, "persons").set_index("person_id")
    for person in population.iter("person"):
        said = {a.get("name"): a.text for a in person.find("attributes")}
        assert said == ours.loc[int(person.get("id")), ["sex", "age_band", "worker"]].to_dict()


def test_attributes_are_a_persons_own_where_the_first_of_a_block_has_no_stay(out: Path, tmp_path: Path) -> None:
    some = small(out, tmp_path / "out", persons=30, block=15)
    for path in (some / "stays" / "part-00000.parquet", some / "trips" / "part-00000.parquet"):
        table = pq.read_table(path)
        with pq.ParquetWriter(path, table.schema) as file:
            for first in (0, 15):
                file.write_table(of_persons(table, first + 2, first + 15))
    folder, told = exported(some, tmp_path, "matsim"), dict[int, dict[str | None, str | None]]()
    for day in range(2):
        for person in parsed(folder / f"population_{day:03d}.xml.gz").iter("person"):
            told[int(person.get("id"))] = {a.get("name"): a.text for a in person.find("attributes")}
    ours = rows(some, "persons").set_index("person_id")[["sex", "age_band", "worker"]]
    assert not {0, 1, 15, 16} & set(told) and len(told) > 20 and len(ours.drop_duplicates()) > 5
    assert told == ours.loc[sorted(told)].to_dict("index")


def test_the_network_joins_every_zone_and_no_road_is_shorter_than_the_line(exports: dict[str, Path], out: Path) -> None:
    network = parsed(exports["matsim"] / "network.xml.gz")
    at = {node.get("id"): np.array([float(node.get("x")), float(node.get("y"))]) for node in network.iter("node")}
    assert len(at) == read_zoning(out / "zones.parquet").n_zones
    reached, roads = {"0"}, [(link.get("from"), link.get("to")) for link in network.iter("link")]
    for _ in at:
        reached |= {b for a, b in roads if a in reached}
    assert reached == set(at) and set(roads) == {(b, a) for a, b in roads}
    for link in network.iter("link"):
        assert float(link.get("length")) >= np.hypot(*(at[link.get("from")] - at[link.get("to")]))


def test_the_configuration_names_files_that_are_there_and_all_activities(exports: dict[str, Path], out: Path) -> None:
    config = parsed(exports["matsim"] / "config.xml")
    values = {p.get("name"): p.get("value") for p in config.iter("param")}
    for name in ("inputNetworkFile", "inputPlansFile"):
        assert (exports["matsim"] / values[name]).is_file()
    assert {p.get("value") for p in config.iter("param") if p.get("name") == "activityType"} == set(rows(out, "stays").purpose)
