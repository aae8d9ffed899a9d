"""The first people of an OUT folder as an OUT folder, in as small blocks as a test wants, and exports of it."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq

from synthmob.pipeline.exporting import export

PERSONS = 1_200


def small(out: Path, target: Path, *, persons: int = PERSONS, block: int = PERSONS, weight: float | None = None) -> Path:
    """`persons` people of OUT, `block` of them a row group and two row groups a part file; with weights, if one is given."""
    target.mkdir(parents=True)
    for name in ("manifest.json", "zones.parquet"):
        shutil.copy(out / name, target / name)
    people = pq.read_table(out / "persons.parquet", filters=[("person_id", "<", persons)])
    if weight is not None:
        people = people.append_column("weight", pa.array([weight] * len(people)))
    with pq.ParquetWriter(target / "persons.parquet", people.schema) as file:
        for start in range(0, persons, block):
            file.write_table(people.slice(start, block))
    if (out / "sites.parquet").exists():
        shutil.copy(out / "sites.parquet", target / "sites.parquet")
    for name in (name for name in ("stays", "trips", "events") if (out / name).exists()):
        (target / name).mkdir()
        table = pq.read_table(out / name / "part-00000.parquet")
        for part, start in enumerate(range(0, persons, 2 * block)):
            with pq.ParquetWriter(target / name / f"part-{part:05d}.parquet", table.schema) as file:
                for low in range(start, min(start + 2 * block, persons), block):
                    file.write_table(of_persons(table, low, min(low + block, persons)))
    return target


def of_persons(table: pa.Table, low: int, high: int) -> pa.Table:
    """The rows of the persons from `low` to before `high`."""
    who = table["person_id"].to_numpy()
    return table.filter(pa.array((who >= low) & (who < high)))


def rows(out: Path, name: str) -> Any:
    """The persons, stays, trips or events of an OUT folder as pandas."""
    return pq.read_table(out / (name if name != "persons" else "persons.parquet")).to_pandas()


def parsed(path: Path) -> ElementTree.Element:
    """The XML of a file, compressed or not."""
    return ElementTree.fromstring(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


def exported(out: Path, top: Path, name: str, **more: Any) -> Path:
    """The folder that an export makes."""
    folder = top / name
    export(out, folder, name, **more)
    return folder
