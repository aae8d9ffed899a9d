"""A small population in two parts, the dataset that it is packed into, and copies of both to spoil."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from smallrun import Run, synthmob

from synthmob.synthesis.tables import SYNTHETIC

PERSONS, DAYS = 300, 2
WORDS = ("--title", "Synthetic London", "--publisher", "A made-up operator", "--published", "2026-03-20", "--zones-notice",
         "Contains OS data, Open Government Licence v3.0")  # fmt: skip


def small_out(run: Run, out: Path) -> Path:
    """An OUT of a few persons whose stays are in two parts, as those of many are."""
    assert synthmob("generate", run.model, "--persons", PERSONS, "--days", DAYS, "--seed", 5, "--events", "-o", out) == 0
    whole = pq.read_table(out / "stays" / "part-00000.parquet")
    half = whole.num_rows // 2
    for number, rows in enumerate((whole.slice(0, half), whole.slice(half))):
        with pq.ParquetWriter(out / "stays" / f"part-{number:05d}.parquet", whole.schema, store_schema=False) as file:
            file.write_table(rows)
            file.add_key_value_metadata(SYNTHETIC)
    return out


def packed(run: Run, out: Path, dataset: Path) -> Path:
    """The dataset of an OUT."""
    assert synthmob("pack", out, "--release", run.release, "-o", dataset, *WORDS) == 0
    return dataset


def copy(folder: Path, to: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(folder, to))


def edited(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what a JSON file says."""
    said = json.loads(path.read_text())
    change(said)
    path.write_text(json.dumps(said))
