"""One released table as one Parquet file: a column of text labels per axis, sorted by cell, and `count` in persons.

The same table gives the same bytes. A file from a stranger is data: its size, columns and types are looked at before it
is read, its labels against the axes of `release.json`, its bytes against their SHA-256.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from synthmob.domain import AnyAxis, Axis, ChainAxis
from synthmob.errors import FormatError, PlanError
from synthmob.marginals import Marginal

if TYPE_CHECKING:
    import pyarrow as pa

MAX_CELLS = 50_000_000
MAX_BYTES = 4 << 30
MAX_AXES = 12
_MAX_LABELS = 5_000_000
_ROW_GROUP = 1 << 18


@dataclass
class AxisBook:
    """The axes of a release, each written once: a key and what `release.json` says of it."""

    entries: dict[str, dict[str, object]] = field(default_factory=dict[str, dict[str, object]])

    def key(self, axis: AnyAxis) -> str:
        """The key of an axis, a new one where no equal axis stands in the book: its name, or name#2, name#3, ..."""
        said, number = axis.describe(), 1
        key = axis.name
        while self.entries.setdefault(key, said) != said:
            number += 1
            key = f"{axis.name}#{number}"
        return key


def write(marginal: Marginal, path: Path, axes: AxisBook) -> dict[str, Any]:
    """Write the table of a marginal; returns its file name, SHA-256 and axis keys."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {axis.name: _labels(axis, marginal.codes[:, k]) for k, axis in enumerate(marginal.axes)}
    table = pa.table({**columns, "count": pa.array(marginal.values, pa.float64())})
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=3,
        row_group_size=_ROW_GROUP,
        use_dictionary=list(columns),  # pyright: ignore[reportArgumentType]  (a list is meant)
    )
    return {"file": f"tables/{path.name}", "sha256": _sha256(path), "axes": [axes.key(axis) for axis in marginal.axes]}


def read(name: str, entry: object, axes: Mapping[str, object], path: Path) -> Marginal:
    """The marginal that `entry` of release.json describes, its cells from `path`; FormatError where they do not fit."""
    if not isinstance(entry, dict):
        raise FormatError(f"Table {name!r} has no description in release.json: it is damaged, ask for it again.")
    said = cast(dict[str, Any], entry)
    keys = said.get("axes")
    if not isinstance(keys, list) or not 1 <= len(cast(list[Any], keys)) <= MAX_AXES:
        raise FormatError(f"Table {name!r} does not name its axes in release.json: it is damaged, ask for it again.")
    table_axes = tuple(axis_from(axes.get(str(key)), f"table {name!r}") for key in cast(list[Any], keys))
    if math.prod(axis.size for axis in table_axes) >= 1 << 62:
        raise FormatError(
            f"Table {name!r} has more cells than 2^62 in its domain: it is not a table that measure writes."
        )
    numbers = {key: _number(name, said, key) for key in ("sigma", "cut", "bound_l2", "cells")}
    table = _open(name, path, said, table_axes, int(numbers["cells"]))
    codes = np.empty((table.num_rows, len(table_axes)), dtype=np.int64)
    for k, axis in enumerate(table_axes):
        codes[:, k] = _codes(name, axis, table.column(axis.name))
    counts = table.column("count")
    if counts.null_count:
        raise FormatError(f"Table {name!r} has an empty count: it is damaged, ask for it again.")
    return Marginal(
        name, table_axes, codes, counts.to_numpy().astype(np.float64),
        sigma=numbers["sigma"], cut=numbers["cut"], bound_l2=numbers["bound_l2"])  # fmt: skip


def axis_from(said: object, where: str) -> AnyAxis:
    """The axis that a JSON object describes, as `Axis.describe` writes it.

    >>> axis_from({"name": "sex", "labels": ["female", "male"]}, "an example").size
    2
    """
    content = cast(dict[str, Any], said) if isinstance(said, dict) else {}
    name, chain = content.get("name"), "chain_of" in content
    labels = content.get("chain_of" if chain else "labels")
    if not isinstance(name, str) or not isinstance(labels, list):
        raise FormatError(f"An axis of {where} is not described in release.json: it is damaged, ask for it again.")
    texts = cast(list[Any], labels)
    if not 1 <= len(texts) <= _MAX_LABELS or not all(isinstance(t, str) for t in texts):
        raise FormatError(f"Axis {name!r} of {where} has labels that are not text: it is damaged, ask for it again.")
    try:
        if not chain:
            return Axis(name, tuple(texts))
        stays = content.get("max_stays")
        if type(stays) is not int or not 1 <= stays <= 16 or len(set(texts)) != len(texts) or len(texts) > 64:
            raise FormatError(
                f"Axis {name!r} of {where} is not a chain axis that can be: it is damaged, ask for it again."
            )
        return ChainAxis(name, tuple(texts), stays)
    except PlanError as error:
        raise FormatError(f"{error} It stands in {where}.") from None


def _labels(axis: AnyAxis, codes: npt.NDArray[np.int64]) -> pa.Array[Any]:
    import pyarrow as pa

    used, inverse = np.unique(codes, return_inverse=True)
    return pa.array([axis.label(int(code)) for code in used], pa.string()).take(pa.array(inverse, pa.int64()))


def _codes(name: str, axis: AnyAxis, column: pa.ChunkedArray[Any]) -> npt.NDArray[np.int64]:
    """The codes of a column of labels; FormatError for a label that the axis does not have."""
    if column.null_count:
        raise FormatError(
            f"Table {name!r} has a row without a label for {axis.name!r}: it is damaged, ask for it again."
        )
    encoded: Any = column.combine_chunks().dictionary_encode()
    found: list[int] = []
    for label in encoded.dictionary.to_pylist():
        try:
            found.append(axis.code(label))
        except KeyError:
            raise FormatError(
                f"Table {name!r} has the label {label[:80]!r}, which its axis {axis.name!r} lacks: it is damaged."
            ) from None
    return np.array(found, dtype=np.int64)[encoded.indices.to_numpy()]


def _open(name: str, path: Path, said: Mapping[str, Any], axes: tuple[AnyAxis, ...], cells: int) -> pa.Table:
    """The Arrow table of a file whose size, hash, columns and types are as described."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
        raise FormatError(
            f"Table {name!r} has no file {path.parent.name}/{path.name}: the release is incomplete, ask for it again."
        )
    if path.stat().st_size > MAX_BYTES or _sha256(path) != said.get("sha256"):
        raise FormatError(
            f"{path.name} is not the file that release.json describes (its SHA-256 differs): ask for it again."
        )
    try:
        file = pq.ParquetFile(path)
        wanted = [(axis.name, "string") for axis in axes] + [("count", "double")]
        got = [(column.name, str(column.type)) for column in file.schema_arrow]
        if got != wanted:
            raise FormatError(f"{path.name} has the columns {got[:8]} but its axes want {wanted[:8]}: it is damaged.")
        unpacked = sum(file.metadata.row_group(k).total_byte_size for k in range(file.metadata.num_row_groups))
        if file.metadata.num_rows != cells or cells > MAX_CELLS or unpacked > MAX_BYTES:
            raise FormatError(
                f"{path.name} has {file.metadata.num_rows} rows where release.json says {cells}: ask for it again."
            )
        return file.read()
    except (pa.ArrowException, OSError) as error:
        raise FormatError(
            f"{path.name} cannot be read as Parquet ({str(error)[:80]}): ask for the release again."
        ) from None


def _number(name: str, said: Mapping[str, Any], key: str) -> float:
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value >= 0):
        raise FormatError(
            f"Table {name!r} has {key} {str(value)[:40]!r} in release.json: it needs a finite number of at least 0."
        )
    return float(value)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
