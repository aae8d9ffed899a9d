"""Parquet files of a stranger: what a file will unpack to is known before a library unpacks it.

A file of kilobytes can hold a page of two gigabytes or a row a billion times over, and what its footer says of sizes nobody
checks. So the header of every page is read here, from the bytes themselves (Apache Parquet format 2.11, `PageHeader`, in Thrift's
compact protocol), and only a file whose pages, rows and row groups are in proportion is handed on.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthmob import folders
from synthmob.errors import FormatError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

MAGIC = b"PAR1"
MAX_FOOTER = 4 << 20
MAX_ROW_GROUPS = 10_000
FREE_ROWS, ROWS_A_BYTE = 10_000, 8
"""No honest file of ours has more rows than these and eight for every byte of it: that would be an eighth of a bit a row."""
FREE_PAGES, BYTES_A_PAGE = 1_000, 512
_UNPACKED, _PACKED, _DATA_PAGE, _DATA_PAGE_V2 = 2, 3, 5, 8
"""Fields of a page's header: both sizes, and what it says of a page of data, whose first field is the number of values."""
_LONGEST_HEADER = 1 << 16
_DEEPEST = 16


@dataclass(frozen=True)
class Bounds:
    """The most columns, unpacked bytes of one page, and unpacked bytes of all pages that a file may have."""

    columns: int
    page_bytes: int
    unpacked_bytes: int


def mapped(path: Path, *, linked: bool = False) -> mmap.mmap | bytes:
    """The bytes of a regular file, not read before they are looked at; OSError for what is none."""
    with folders.opened(path, linked=linked) as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.seek(0, 2) else b""


def opened(content: mmap.mmap | bytes, name: str, bounds: Bounds, *, labels: Sequence[str] = ()) -> pq.ParquetFile:
    """The Parquet file in some bytes, within the bounds; FormatError for any other. Columns of `labels` stay dictionaries."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    size = len(content)
    footer = int.from_bytes(content[size - 8 : size - 4], "little")
    if size < 12 or content[:4] != MAGIC or content[size - 4 :] != MAGIC or footer > size - 12:
        raise _damaged(name, "it does not begin and end as one")
    if footer > MAX_FOOTER:
        raise _damaged(name, f"its description of itself is longer than {MAX_FOOTER >> 20} MB")
    try:
        file = pq.ParquetFile(
            pa.BufferReader(pa.py_buffer(content)), read_dictionary=list(labels), thrift_string_size_limit=MAX_FOOTER,
            thrift_container_size_limit=1_000_000)
        _check_sizes(file.metadata, content, size - 8 - footer, name, bounds)
    except KeyError as error:
        raise _damaged(name, f"among its columns is no {str(error)[:40]}") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(name, str(error)[:80]) from None
    return file


def _check_sizes(metadata: Any, content: mmap.mmap | bytes, end: int, name: str, bounds: Bounds) -> None:
    """Refuse a file with more columns, rows, row groups or pages than are in proportion."""
    size = len(content)
    if metadata.num_columns > bounds.columns or metadata.num_row_groups > MAX_ROW_GROUPS:
        raise _damaged(name, f"{metadata.num_columns} columns in {metadata.num_row_groups} groups of rows are too many")
    if not 0 <= metadata.num_rows <= FREE_ROWS + ROWS_A_BYTE * size:
        raise _damaged(name, f"it has {metadata.num_rows} rows in {size} bytes")
    unpacked = n_pages = n_rows = 0
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        n_rows += group.num_rows
        for chunk in map(group.column, range(metadata.num_columns)):
            if group.num_rows < 0 or chunk.file_path:
                raise _damaged(name, "it points at another file or has fewer than no rows")
            n_values = 0
            for page, values in _pages(content, chunk, end, name):
                unpacked, n_pages, n_values = unpacked + page, n_pages + 1, n_values + values
                if page > bounds.page_bytes or unpacked > bounds.unpacked_bytes or n_pages > FREE_PAGES + size // BYTES_A_PAGE:
                    raise _damaged(name, "it unpacks to more than it can hold")
            if n_values != chunk.num_values or not 0 <= n_values <= FREE_ROWS + ROWS_A_BYTE * size:
                raise _damaged(name, f"a column has {n_values} values in its pages and says {chunk.num_values}")
    if n_rows != metadata.num_rows:
        raise _damaged(name, f"its groups of rows have {n_rows} rows and not {metadata.num_rows}")


def _pages(content: mmap.mmap | bytes, chunk: Any, end: int, name: str) -> Iterator[tuple[int, int]]:
    """The unpacked size in bytes of every page of a column in a group of rows, and how many values it holds."""
    starts = [chunk.data_page_offset, chunk.dictionary_page_offset if chunk.has_dictionary_page else None]
    at = min((start for start in starts if start), default=len(MAGIC))
    last = at + chunk.total_compressed_size
    if not len(MAGIC) <= at <= last <= end:
        raise _damaged(name, "a column lies outside it")
    while at < last:
        try:
            numbers, length = _numbers(content[at : min(at + _LONGEST_HEADER, last)], 0, 0)
        except (IndexError, ValueError):
            raise _damaged(name, "a page has no header") from None
        unpacked, packed = numbers.get((_UNPACKED,), -1), numbers.get((_PACKED,), -1)
        values = numbers.get((_DATA_PAGE, 1), 0) + numbers.get((_DATA_PAGE_V2, 1), 0)
        at += length + packed
        if unpacked < 0 or packed < 0 or values < 0 or at > last:
            raise _damaged(name, "a page has a size that cannot be")
        yield unpacked, values


def _numbers(data: bytes, at: int, depth: int) -> tuple[dict[tuple[int, ...], int], int]:
    """The whole numbers in the Thrift structure at a place, by the fields that lead to them, and where it ends."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    found: dict[tuple[int, ...], int] = {}
    field = 0
    while head := data[at]:
        field, at = _field(data, at, field)
        kind = head & 15
        if kind in (4, 5, 6):
            number, at = _varint(data, at)
            found[field,] = (number >> 1) ^ -(number & 1)
        elif kind == 12:
            inside, at = _numbers(data, at, depth + 1)
            found |= {(field, *path): number for path, number in inside.items()}
        else:
            at = _skip(data, at, kind, depth)
    return found, at + 1


def _field(data: bytes, at: int, before: int) -> tuple[int, int]:
    """The number of the field whose head stands at a place, and where its value begins."""
    if step := data[at] >> 4:
        return before + step, at + 1
    number, at = _varint(data, at + 1)
    return (number >> 1) ^ -(number & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        number |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return number, at
    raise ValueError("a number of more than ten bytes")


def _skip(data: bytes, at: int, kind: int, depth: int) -> int:
    """Where the value that begins at a place ends."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if kind in (1, 2):  # a boolean, which the head of its field has said already
        return at
    if kind in (3, 7):
        return at + (1 if kind == 3 else 8)
    if kind in (4, 5, 6):
        return _varint(data, at)[1]
    if kind == 8:
        length, at = _varint(data, at)
        return at + length
    if kind in (9, 10):
        return _skip_list(data, at, depth)
    if kind != 12:
        raise ValueError("no such kind")
    return _numbers(data, at, depth + 1)[1]


def _skip_list(data: bytes, at: int, depth: int) -> int:
    length, kind, at = data[at] >> 4, data[at] & 15, at + 1
    if length == 15:
        length, at = _varint(data, at)
    for _ in range(length):
        at = at + 1 if kind in (1, 2) else _skip(data, at, kind, depth + 1)
        _ = data[at]
    return at


def _damaged(name: str, why: str) -> FormatError:
    return FormatError(f"{name} cannot be read as Parquet ({why}): it is damaged, ask for it again.")
