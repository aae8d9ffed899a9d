"""`datapackage.json`: the dataset as a Data Package (https://datapackage.org), for frictionless and its relatives.

A resource is one file, for frictionless would put the bytes of several parts one after the other; parts share one schema. Neither `bytes`
nor `hash` are given: frictionless 5 does not compute them for Parquet, and SHA256SUMS has them.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from synthmob.dataset.facts import Facts, File, Shipped
from synthmob.dataset.layout import FOLDERS, TABLES, table_of
from synthmob.schema import Column, Table

TYPES = {
    "int64": "integer", "int32": "integer", "float64": "number", "float32": "number", "string": "string", "date32": "date",
    "timestamp": "datetime", "list": "any", "wkb": "any"}  # fmt: skip
"""The type of every column type; frictionless 5 takes a list that comes out of Parquet for no array."""
LONE = tuple(table.name for table in TABLES if table.name not in FOLDERS)
"""Tables of one file: the only ones that a resource can lead to."""


def describe(facts: Facts) -> dict[str, Any]:
    """The description of a dataset."""
    said, more = facts.said, {}
    if said.published:
        more["created"] = f"{said.published.isoformat()}T00:00:00Z"
    if said.publisher:
        more["contributors"] = [{"title": said.publisher, "role": "publisher"}]
    licence = {"name": said.licence.spdx, "title": said.licence.name}
    return {
        "name": f"synthetic-mobility-{facts.out[:12]}", "title": said.title, "description": facts.summary,
        "licenses": [{**licence, "path": said.licence.url} if said.licence.url else licence],
        "version": "1.0.0", "keywords": ["synthetic data", "human mobility", "activity chains"], **more,
        "resources": [_resource(shipped, file) for shipped in facts.tables for file in shipped.files],
    }  # fmt: skip


def columns(described: dict[str, Any]) -> dict[str, list[str]]:
    """The columns of every file that a description names, by path; KeyError, TypeError or AttributeError where it is none of ours."""
    return {one["path"]: [field["name"] for field in one["schema"]["fields"]] for one in described["resources"]}


def _resource(shipped: Shipped, file: File) -> dict[str, Any]:
    return {
        "name": _name(file.path), "type": "table", "title": f"One row: {shipped.table.row}", "path": file.path, "scheme": "file",
        "format": "parquet", "mediatype": "application/vnd.apache.parquet", "schema": _schema(shipped.table)}  # fmt: skip


def _name(path: str) -> str:
    """The name of a resource.

    >>> _name("stays/part-00000.parquet"), _name("persons.parquet")
    ('stays-00000', 'persons')
    """
    table, stem = table_of(path), PurePosixPath(path).stem
    return stem if table is None or stem == table.name else f"{table.name}-{stem.removeprefix('part-')}"


def _schema(table: Table) -> dict[str, Any]:
    links = [
        {"fields": [link.column], "reference": {"resource": link.table, "fields": [link.key]}}
        for link in table.links if link.table in LONE]
    found: dict[str, Any] = {"fields": [_field(column, table) for column in table.columns]}
    return found | ({"primaryKey": list(table.key)} if table.key else {}) | ({"foreignKeys": links} if links else {})


def _field(column: Column, table: Table) -> dict[str, Any]:
    found: dict[str, Any] = {"name": column.name, "type": TYPES[column.dtype], "description": column.meaning}
    if column.unit:
        found["unit"] = column.unit
    if found["type"] == "integer" and not table.key:
        found["missingValues"] = ["", "nan"]  # frictionless 5 reads by pandas, which has no null among whole numbers
    return {**found, "constraints": {"required": True}} if column.name in table.key else found
