"""The real readers take what pack describes: mlcroissant, frictionless, and, in its own file, SDV."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from packed_run import copy

# In processes of their own: both packages warn on import, and change what logging and warnings do for the rest.
CROISSANT = """
import json, sys, itertools, mlcroissant
dataset = mlcroissant.Dataset("croissant.json")
issues = dataset.metadata.ctx.issues
said = {"errors": list(issues.errors), "warnings": list(issues.warnings), "version": dataset.metadata.ctx.conforms_to.value}
said["records"] = {}
for records in dataset.metadata.record_sets:
    found = list(itertools.islice(dataset.records(records.uuid), int(sys.argv[1])))
    first, last = ({key: str(value) for key, value in found[k].items()} for k in (0, -1))
    said["records"][records.uuid] = {"n": len(found), "first": first, "last": last}
print(json.dumps(said))
"""
FRICTIONLESS = """
import json, sys, frictionless
report = frictionless.Package("datapackage.json").validate()
tasks = {task.name: [task.valid, task.stats.get("rows"), [e.message for e in task.errors][:3]] for task in report.tasks}
print(json.dumps({"valid": report.valid, "errors": len(report.errors), "tasks": tasks}))
"""


def told(dataset: Path, code: str, *words: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=dataset, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def rows(dataset: Path, name: str) -> Any:
    return pq.read_table(dataset / name if (dataset / name).is_dir() else dataset / f"{name}.parquet")


def test_mlcroissant_validates_and_loads_every_record(dataset: Path) -> None:
    said = told(dataset, CROISSANT, "100000")
    assert (said["errors"], said["warnings"], said["version"]) == ([], [], "http://mlcommons.org/croissant/1.1")
    for name in ("persons", "stays", "trips", "events", "sites", "zones", "calendar"):
        table, found = rows(dataset, name), said["records"][name]
        assert found["n"] == table.num_rows, name
        columns = [column for column in table.column_names if column != "geometry"]
        assert [key.partition("/")[2] for key in found["first"]] == columns
    person = rows(dataset, "persons").slice(0, 1).to_pylist()[0]
    first = said["records"]["persons"]["first"]
    assert first["persons/person_id"] == str(person["person_id"]) and first["persons/home_zone"] == f"b'{person['home_zone']}'"
    assert said["records"]["calendar"]["first"]["calendar/date"] == "2026-03-06 00:00:00"
    last = rows(dataset, "stays").slice(rows(dataset, "stays").num_rows - 1).to_pylist()[0]
    assert said["records"]["stays"]["last"]["stays/end_min"] == str(last["end_min"]) == "1440"


def test_frictionless_finds_nothing_wrong_with_a_row(dataset: Path) -> None:
    """Types, keys that no two rows share, and links between the tables."""
    said = told(dataset, FRICTIONLESS)
    assert said["valid"] and said["errors"] == 0, said
    parts = [pq.read_metadata(dataset / "stays" / f"part-0000{k}.parquet").num_rows for k in (0, 1)]
    want = {"persons": 300, "stays-00000": parts[0], "stays-00001": parts[1], "trips-00000": rows(dataset, "trips").num_rows,
            "events-00000": rows(dataset, "events").num_rows, "sites": rows(dataset, "sites").num_rows,
            "zones": rows(dataset, "zones").num_rows, "calendar": 2}  # fmt: skip
    assert {name: task[1] for name, task in said["tasks"].items()} == want


def test_a_zoning_with_levels_is_described_in_the_order_of_its_columns(tmp_path: Path) -> None:
    """frictionless goes by the order of columns; the levels of a zoning stand between zone and district."""
    from synthmob import schema
    from synthmob.dataset import datapackage
    from synthmob.dataset.agreement import opened, table_with
    from synthmob.synthesis.tables import SYNTHETIC
    from synthmob.zonefiles import read_zoning, write_zoning

    zoning = read_zoning(Path(__file__).resolve().parents[2] / "geodata" / "london_boroughs.geojson", h3_resolution=7)
    assert len(zoning.levels) > 2
    write_zoning(zoning, tmp_path / "zones.parquet", marks=SYNTHETIC)
    names = list(opened(tmp_path, "zones.parquet").schema_arrow.names)
    table = table_with(names, schema.ZONES)
    assert list(table.names) == names and names[0] == "zone_id" and names[1].startswith("level_")
    described = {"name": "zones", "resources": [{"name": "zones", "type": "table", "path": "zones.parquet", "format": "parquet",
                                                 "scheme": "file", "schema": datapackage._schema(table)}]}  # fmt: skip
    (tmp_path / "datapackage.json").write_text(json.dumps(described))
    said = told(tmp_path, FRICTIONLESS)
    assert said["valid"] and said["tasks"]["zones"][1] == zoning.n_zones, said


def test_frictionless_finds_what_is_wrong(dataset: Path, tmp_path: Path) -> None:
    """The test above would be worth nothing if it could not fail."""
    spoilt = copy(dataset, tmp_path / "dataset")
    persons = pq.read_table(spoilt / "persons.parquet")
    pq.write_table(persons.slice(1), spoilt / "persons.parquet")
    said = told(spoilt, FRICTIONLESS)
    assert not said["valid"] and any("persons" in message for message in said["tasks"]["stays-00000"][2])


@pytest.mark.parametrize("name", ["croissant.json", "datapackage.json"])
def test_both_say_under_which_licence_and_by_whom(dataset: Path, name: str) -> None:
    text = (dataset / name).read_text()
    assert "https://creativecommons.org/licenses/by/4.0/" in text and "A made-up operator" in text and "2026-03-20" in text
