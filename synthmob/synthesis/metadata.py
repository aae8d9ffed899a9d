"""`metadata.json`: the tables of OUT, their columns, keys and how they hang together, as SDV and SDMetrics read it.

It is the Metadata of SDV 2 (`METADATA_SPEC_VERSION` "V2"), written out of `schema` without SDV. Coordinates are numbers and
not SDV's `latitude`, which it takes for personal data and would neither model nor score.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthmob import folders, schema
from synthmob.errors import FormatError
from synthmob.schema import Column, Table

FILE = "metadata.json"
SPEC_VERSION = "V2"
IDS = (*schema.PERSONS.key, *schema.SITES.key, "counterpart_id")
MAX_BYTES, MAX_PARTS = 1 << 20, 1_000


def describe(columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The metadata of tables by name, each with the columns that its files have; ids lead from rows to their person, and to their site.

    >>> describe({"persons": ["person_id", "worker"]})["tables"]["persons"]["columns"]["worker"]
    {'sdtype': 'categorical'}
    """
    tables = [table for table in (*schema.SYNTHETIC, *schema.OF_PHONES) if table.name in columns]
    return {
        "tables": {table.name: _table(table, columns[table.name]) for table in tables},
        "relationships": [
            {"parent_table_name": link.table, "parent_primary_key": link.key,
             "child_table_name": table.name, "child_foreign_key": link.column}
            for table in tables for link in table.links if link.table in columns and link.column == link.key],
        "METADATA_SPEC_VERSION": SPEC_VERSION,
    }  # fmt: skip


def write(columns: Mapping[str, Sequence[str]], path: Path) -> None:
    """Write the metadata of tables with those columns."""
    text = json.dumps(describe(columns), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def check(path: Path, columns: Mapping[str, Sequence[str]]) -> None:
    """FormatError where a metadata file describes other tables than those with these columns."""
    if folders.read_json(path, "synthetic population", most=MAX_BYTES, parts=MAX_PARTS) != describe(columns):
        raise FormatError(f"{path.name} describes other tables, columns or keys than lie beside it: generate them again.")


def _table(table: Table, names: Sequence[str]) -> dict[str, Any]:
    columns = {column.name: {"sdtype": _sdtype(column)} for column in table.columns if column.name in names}
    if not table.key:
        return {"columns": columns}
    return {"columns": columns, "primary_key": table.key[0] if len(table.key) == 1 else list(table.key)}


def _sdtype(column: Column) -> str:
    if column.name in IDS:
        return "id"
    if column.dtype == "timestamp":
        return "datetime"
    return "categorical" if column.dtype == "string" else "numerical"
