"""What a CSV file cannot say of itself, in a file beside it: W3C's metadata for tabular data (https://www.w3.org/TR/tabular-metadata/).

A reader of that standard finds `stays.csv-metadata.json` beside `stays.csv` by itself: columns, units, CRS, time zone, and that all of
it is synthetic. Other readers of CSV never see it.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path
from typing import Any

from synthmob import folders
from synthmob.export.exporter import Written

CONTEXT, SUFFIX = "http://www.w3.org/ns/csvw", "-metadata.json"


def names(files: Collection[str]) -> tuple[str, ...]:
    """What lies beside the CSV files among those of an export.

    >>> names(("stays.csv", "load.sql"))
    ('stays.csv-metadata.json',)
    """
    return tuple(name + SUFFIX for name in files if name.endswith(".csv"))


def describe(folder: Path, written: Written) -> None:
    """Write the metadata of every CSV file in a folder, with the columns of its first line."""
    units = {column: unit for key, unit in written.units.items() for column in key.split(", ")}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        (folder / (path.name + SUFFIX)).write_text(folders.json_text(_said(path.name, header, units, written)), encoding="utf-8")


def _said(name: str, header: list[str], units: dict[str, str], written: Written) -> dict[str, Any]:
    columns = [{"name": column, "titles": column, **({"schema:unitText": units[column]} if column in units else {})} for column in header]
    notes = [{"synthetic": True, "crs": written.crs, "timezone": written.timezone}]
    return {"@context": CONTEXT, "url": name, "notes": notes, "tableSchema": {"columns": columns}}
