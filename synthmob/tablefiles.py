"""One released table as one Parquet file: a column of text labels per axis, sorted by cell, and `count` in persons.

The same table gives the same bytes. A file from a stranger is data: its bytes are compared with their SHA-256 and its sizes,
columns and types looked at before it is read, and its labels compared with the axes of `release.json`.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from synthmob import folders, parquetfiles
from synthmob.domain import AnyAxis, Axis, ChainAxis
from synthmob.errors import FormatError, PlanError
from synthmob.marginals import Marginal

if TYPE_CHECKING:
    import pyarrow as pa

MAX_CELLS = 10_000_000
MAX_BYTES = 256 << 20
MAX_AXES = 12
MAX_LABELS = 500_000
LONGEST_LABEL = 500
LARGEST = 2.0**53 / 1024
"""The most persons that stand exactly on the 1/1024 grid of a float."""
SMALLEST_NOISE = 1e-6
"""No sigma or bound that is above 0 is below this: their squares are numbers still."""
AXIS_NAME = re.compile(r"[a-z0-9_]{1,60}")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""What no label may hold: it goes on to terminals, pages and files of others."""
_ROW_GROUP = 1 << 18
_BOUNDS = parquetfiles.Bounds(columns=MAX_AXES + 1, page_bytes=64 << 20, unpacked_bytes=512 << 20)


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


def read(
    name: str, entry: object, axes: Mapping[str, object], path: Path, known: dict[str, AnyAxis] | None = None
) -> Marginal:
    """The marginal that `entry` of release.json describes, its cells from `path`; FormatError where they do not fit.

    `known` are the axes that tables before it have read, by key: each is made once, however many tables name it.
    """
    if not isinstance(entry, dict):
        raise FormatError(f"Table {name!r} has no description in release.json: it is damaged, ask for it again.")
    said = cast(dict[str, Any], entry)
    table_axes = _axes(name, said.get("axes"), axes, {} if known is None else known)
    if math.prod(axis.size for axis in table_axes) >= 1 << 62:
        raise FormatError(
            f"Table {name!r} has more cells than 2^62 in its domain: it is not a table that measure writes."
        )
    sigma, cut, bound_l2 = (_number(name, said, key) for key in ("sigma", "cut", "bound_l2"))
    table = _open(name, path, said, table_axes)
    codes = np.empty((table.num_rows, len(table_axes)), dtype=np.int64)
    for k, axis in enumerate(table_axes):
        codes[:, k] = _codes(name, axis, table.column(axis.name))
    counts = table.column("count")
    if counts.null_count:
        raise FormatError(f"Table {name!r} has an empty count: it is damaged, ask for it again.")
    values = counts.to_numpy().astype(np.float64)
    return Marginal(name, table_axes, codes, values, sigma=sigma, cut=cut, bound_l2=bound_l2)


def n_numbers(entry: object) -> int:
    """How many numbers a table of that description holds in memory, for a bound on all tables of a release together."""
    said = cast(dict[str, Any], entry) if isinstance(entry, dict) else {}
    cells, axes = said.get("cells"), said.get("axes")
    n_axes = len(cast(list[Any], axes)) if isinstance(axes, list) else 0
    return cells * (n_axes + 1) if type(cells) is int and cells > 0 else 0


def _axes(name: str, keys: object, axes: Mapping[str, object], known: dict[str, AnyAxis]) -> tuple[AnyAxis, ...]:
    """The axes that a table names by their keys: an axis's name, or that with #2, #3, ... behind it."""
    if not isinstance(keys, list) or not 1 <= len(cast(list[Any], keys)) <= MAX_AXES:
        raise FormatError(f"Table {name!r} does not name its axes in release.json: it is damaged, ask for it again.")
    found: list[AnyAxis] = []
    for key in cast(list[Any], keys):
        if not isinstance(key, str):
            raise FormatError(f"Table {name!r} names an axis that is not described: it is damaged, ask for it again.")
        if key not in known:
            known[key] = axis_from(axes.get(key), f"table {name!r}")
        if known[key].name != key.partition("#")[0]:
            raise FormatError(f"Table {name!r} has an axis filed as {key[:60]!r} and named {known[key].name!r}: it is damaged.")
        found.append(known[key])
    return tuple(found)


def axis_from(said: object, where: str) -> AnyAxis:
    """The axis that a JSON object describes, as `Axis.describe` writes it.

    >>> axis_from({"name": "sex", "labels": ["female", "male"]}, "an example").size
    2
    """
    content = cast(dict[str, Any], said) if isinstance(said, dict) else {}
    name, chain = content.get("name"), "chain_of" in content
    labels = content.get("chain_of" if chain else "labels")
    if not isinstance(name, str) or not isinstance(labels, list) or len(content) != (3 if chain else 2):
        raise FormatError(f"An axis of {where} is not described in release.json: it is damaged, ask for it again.")
    texts = cast(list[Any], labels)
    if not AXIS_NAME.fullmatch(name):
        raise FormatError(f"An axis of {where} is named {name[:60]!r}: names have a-z, 0-9 and _ only, it is damaged.")
    if not 1 <= len(texts) <= MAX_LABELS or not all(isinstance(t, str) for t in texts):
        raise FormatError(f"Axis {name!r} of {where} has labels that are not text: it is damaged, ask for it again.")
    if "" in texts or max(map(len, texts)) > LONGEST_LABEL or UNPRINTABLE.search("".join(texts)):
        raise FormatError(f"Axis {name!r} of {where} has a label that is empty, endless or cannot be printed: ask for it again.")
    try:
        return _chain_axis(name, texts, content.get("max_stays"), where) if chain else Axis(name, tuple(texts))
    except PlanError as error:
        raise FormatError(f"{error} It stands in {where}.") from None


def _chain_axis(name: str, purposes: list[str], stays: object, where: str) -> ChainAxis:
    """An axis of chains, whose labels join the purposes by hyphens: these have none of their own."""
    good = type(stays) is int and 1 <= stays <= 16 and len(set(purposes)) == len(purposes) <= 64
    if type(stays) is not int or not good or any("-" in purpose for purpose in purposes):
        raise FormatError(f"Axis {name!r} of {where} is not a chain axis that can be: it is damaged, ask for it again.")
    return ChainAxis(name, tuple(purposes), stays)


def _labels(axis: AnyAxis, codes: npt.NDArray[np.int64]) -> pa.Array[Any]:
    import pyarrow as pa

    used, inverse = np.unique(codes, return_inverse=True)
    return pa.array([axis.label(int(code)) for code in used], pa.string()).take(pa.array(inverse, pa.int64()))


def _codes(name: str, axis: AnyAxis, column: pa.ChunkedArray[Any]) -> npt.NDArray[np.int64]:
    """The codes of a column of labels, each chunk with a dictionary; FormatError for a label that the axis does not have."""
    if column.null_count:
        raise FormatError(
            f"Table {name!r} has a row without a label for {axis.name!r}: it is damaged, ask for it again."
        )
    parts = [np.empty(0, dtype=np.int64)]
    for chunk in cast(list[Any], column.chunks):
        if len(chunk.dictionary) > max(axis.size, 1):
            raise FormatError(f"Table {name!r} has more labels than its axis {axis.name!r}: it is damaged, ask for it again.")
        of_label = np.array([_code(name, axis, label) for label in _texts(name, chunk.dictionary)], dtype=np.int64)
        parts.append(of_label[chunk.indices.to_numpy()] if len(chunk) else parts[0])
    return np.concatenate(parts)


def _texts(name: str, labels: Any) -> list[str | None]:
    try:
        return labels.to_pylist()
    except UnicodeDecodeError:
        raise FormatError(f"Table {name!r} has a label that is no text: it is damaged, ask for it again.") from None


def _code(name: str, axis: AnyAxis, label: str | None) -> int:
    try:
        return axis.code(label or "")
    except KeyError:
        raise FormatError(
            f"Table {name!r} has the label {str(label)[:80]!r}, which its axis {axis.name!r} lacks: it is damaged."
        ) from None


def _open(name: str, path: Path, said: Mapping[str, Any], axes: tuple[AnyAxis, ...]) -> pa.Table:
    """The Arrow table of a file whose size, hash, columns and types are as described; its labels are dictionaries."""
    import pyarrow as pa

    try:
        content = b"" if path.parent.is_symlink() else folders.read_bytes(path, MAX_BYTES)
    except OSError:
        content = b""
    if not content:
        raise FormatError(
            f"Table {name!r} has no file {path.parent.name}/{path.name}: the release is incomplete, ask for it again."
        )
    if hashlib.sha256(content).hexdigest() != said.get("sha256") or said.get("file") != f"tables/{path.name}":
        raise FormatError(
            f"{path.name} is not the file that release.json describes (its SHA-256 differs): ask for it again."
        )
    file = parquetfiles.opened(content, path.name, _BOUNDS, labels=[axis.name for axis in axes])
    wanted = [(axis.name, "string") for axis in axes] + [("count", "double")]
    got = [
        (column.name, str(column.type.value_type if pa.types.is_dictionary(column.type) else column.type))
        for column in file.schema_arrow]
    if got != wanted:
        raise FormatError(f"{path.name} has the columns {got[:8]} but its axes want {wanted[:8]}: it is damaged.")
    cells = said.get("cells")
    if type(cells) is not int or file.metadata.num_rows != cells or cells > MAX_CELLS:
        raise FormatError(
            f"{path.name} has {file.metadata.num_rows} rows where release.json says {str(cells)[:40]}: ask for it again."
        )
    try:
        table = file.read()
        table.validate(full=True)  # a file may point past the end of its dictionary
        return table
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FormatError(
            f"{path.name} cannot be read as Parquet ({str(error)[:80]}): ask for the release again."
        ) from None


def _number(name: str, said: Mapping[str, Any], key: str) -> float:
    value = said.get(key)
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not 0 <= number <= LARGEST or (0 < number < SMALLEST_NOISE and key != "cut"):
        raise FormatError(
            f"Table {name!r} has {key} {str(value)[:40]!r} in release.json: it needs a number from 0 to {LARGEST:g}."
        )
    return number


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
