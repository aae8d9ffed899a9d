"""Files that are hostile on purpose, by hand: what a reviewer would send."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import compact_thrift as thrift
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Said = dict[str, Any]


def copied(base: Path, place: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(base, place / base.name))


def edited(folder: Path, name: str, change: Callable[[Said], object]) -> Path:
    """A folder whose JSON file is changed."""
    said = json.loads((folder / name).read_text(encoding="utf-8"))
    change(said)
    (folder / name).write_text(json.dumps(said), encoding="utf-8")
    return folder


def retabled(folder: Path, name: str, change: Callable[[pa.Table], pa.Table], **options: Any) -> Path:
    """A release with another table in a file, its hash and its number of rows mended."""
    path = folder / "tables" / f"{name}.parquet"
    pq.write_table(change(pq.read_table(path)), path, **options)
    return mended(folder, name)


def mended(folder: Path, name: str) -> Path:
    """A release whose text gives a table's file its hash and its number of rows."""
    path = folder / "tables" / f"{name}.parquet"
    rows = thrift.footer(path.read_bytes())[1][3][1]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return edited(folder, "release.json", lambda said: said["tables"][name].update(sha256=digest, cells=rows))


def footed(path: Path, change: Callable[[dict[int, Any]], object]) -> None:
    """Change the footer of a Parquet file."""
    body, said = thrift.footer(path.read_bytes())
    change(said)
    path.write_bytes(thrift.joined(body, said))


def put(table: pa.Table, name: str, values: Any) -> pa.Table:
    """A table with another column in the place of one."""
    return table.set_column(table.column_names.index(name), name, values)


def pipe(path: Path) -> None:
    """A pipe that nobody will ever write into."""
    path.unlink()
    os.mkfifo(path)


def endless(path: Path) -> None:
    """A device that never ends."""
    path.unlink()
    path.symlink_to("/dev/zero")


def elsewhere(path: Path) -> None:
    """The right file or folder, but outside."""
    aside = path.parent.parent.parent / f"aside-{path.name}"
    shutil.move(path, aside)
    path.symlink_to(aside)


def swollen(path: Path, array: np.ndarray[Any, Any], shape: tuple[int, ...]) -> None:
    """An array file that is as large as its shape says, and takes no room on the disk."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": array.dtype.str, "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + int(np.prod(shape)) * array.dtype.itemsize)
