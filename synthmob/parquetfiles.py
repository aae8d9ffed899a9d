"""Parquet files of a stranger: what a file will unpack to is known before a library unpacks it.

A file of kilobytes can hold a page of two gigabytes or a row a billion times over, and what its footer says of sizes nobody
checks. So the footer and the header of every page are read here, from the bytes themselves (Apache Parquet format 2.11,
`FileMetaData` and `PageHeader`), and only a file whose pages, rows and columns are in proportion is handed on.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthmob import folders
from synthmob.compactthrift import Structure, structure
from synthmob.errors import FormatError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

Content = mmap.mmap | bytes
MAGIC = b"PAR1"
MAX_FOOTER = 1 << 20
MAX_ROW_GROUPS = 10_000
FREE_ROWS, ROWS_A_BYTE = 10_000, 8
"""No honest file of ours has more rows than these and eight for every byte of it: that would be an eighth of a bit a row."""
FREE_PAGES, BYTES_A_PAGE = 1_000, 512
_LONGEST_HEADER = 1 << 16
_SCHEMA, _ROWS, _GROUPS = 2, 3, 4
"""Fields of a footer."""
_COLUMNS, _GROUP_ROWS = 1, 3
"""Fields of a group of rows."""
_ELSEWHERE, _CHUNK = 1, 3
"""Fields of a column in a group: the path of another file, and what it says of itself."""
_VALUES, _PACKED_SIZE, _DATA_AT, _DICTIONARY_AT = 5, 7, 9, 11
"""Fields of what a column says of itself."""
_UNPACKED, _PACKED, _DATA_PAGE, _DATA_PAGE_V2 = 2, 3, 5, 8
"""Fields of a page's header: both sizes, and what it says of a page of data, whose first field is the number of values."""


@dataclass(frozen=True)
class Bounds:
    """The most columns, unpacked bytes of one page, and unpacked bytes of all pages that a file may have."""

    columns: int
    page_bytes: int
    unpacked_bytes: int


def mapped(path: Path, *, linked: bool = False) -> Content:
    """The bytes of a regular file, not read before they are looked at; OSError for what is none."""
    with folders.opened(path, linked=linked) as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.seek(0, 2) else b""


def opened(content: Content, name: str, bounds: Bounds, *, labels: Sequence[str] = ()) -> pq.ParquetFile:
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
        said, _ = structure(content[size - 8 - footer : size - 8])
        _check_sizes(said, content, size - 8 - footer, name, bounds)
        return pq.ParquetFile(
            pa.BufferReader(pa.py_buffer(content)), read_dictionary=list(labels), thrift_string_size_limit=MAX_FOOTER,
            thrift_container_size_limit=MAX_FOOTER)
    except KeyError as error:
        raise _damaged(name, f"among its columns is no {str(error)[:40]}") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(name, str(error)[:80]) from None


def _check_sizes(said: Structure, content: Content, end: int, name: str, bounds: Bounds) -> None:
    """Refuse a file with more columns, rows, row groups or pages than are in proportion."""
    size = len(content)
    groups, n_said, n_columns = _lists(said, _GROUPS), _whole(said, _ROWS), len(_lists(said, _SCHEMA)) - 1
    if n_columns > bounds.columns or len(groups) > MAX_ROW_GROUPS:
        raise _damaged(name, f"{n_columns} columns in {len(groups)} groups of rows are too many")
    if n_said > FREE_ROWS + ROWS_A_BYTE * size:
        raise _damaged(name, f"it has {n_said} rows in {size} bytes")
    unpacked = n_pages = n_rows = 0
    for group in groups:
        n_rows += _whole(group, _GROUP_ROWS)
        for chunk in _lists(group, _COLUMNS):
            n_values = 0
            for page, values in _pages(content, _chunk(chunk, name), end, name):
                unpacked, n_pages, n_values = unpacked + page, n_pages + 1, n_values + values
                if page > bounds.page_bytes or unpacked > bounds.unpacked_bytes or n_pages > FREE_PAGES + size // BYTES_A_PAGE:
                    raise _damaged(name, "it unpacks to more than it can hold")
            if n_values != _whole(chunk[_CHUNK], _VALUES) or n_values > FREE_ROWS + ROWS_A_BYTE * size:
                raise _damaged(name, f"a column has {n_values} values in its pages and says {chunk[_CHUNK].get(_VALUES)}")
    if n_rows != n_said:
        raise _damaged(name, f"its groups of rows have {n_rows} rows and not {n_said}")


def _lists(said: Structure, field: int) -> list[Structure]:
    """The structures in a list; ValueError where it is none."""
    found = said.get(field)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):  # pyright: ignore[reportUnknownVariableType]
        raise ValueError("its footer lacks a list")
    return found  # pyright: ignore[reportUnknownVariableType]  (looked at above)


def _whole(said: Structure, field: int) -> int:
    """A number of at least 0; ValueError where it is none."""
    found = said.get(field)
    if type(found) is not int or found < 0:
        raise ValueError("its footer has a number that cannot be")
    return found


def _chunk(chunk: Structure, name: str) -> Structure:
    """What a column in a group of rows says of itself."""
    said = chunk.get(_CHUNK)
    if not isinstance(said, dict) or _ELSEWHERE in chunk:
        raise _damaged(name, "it points at another file, or at none")
    return said  # pyright: ignore[reportUnknownVariableType]


def _pages(content: Content, chunk: Structure, end: int, name: str) -> Iterator[tuple[int, int]]:
    """The unpacked size in bytes of every page of a column in a group of rows, and how many values it holds."""
    starts = [_whole(chunk, _DATA_AT), _whole(chunk, _DICTIONARY_AT) if _DICTIONARY_AT in chunk else 0]
    at = min((start for start in starts if start), default=len(MAGIC))
    last = at + _whole(chunk, _PACKED_SIZE)
    if not len(MAGIC) <= at <= last <= end:
        raise _damaged(name, "a column lies outside it")
    while at < last:
        header, length = structure(content[at : min(at + _LONGEST_HEADER, last)])
        unpacked, packed = _whole(header, _UNPACKED), _whole(header, _PACKED)
        data: Any = header.get(_DATA_PAGE) or header.get(_DATA_PAGE_V2) or {1: 0}
        at += length + packed
        if at > last or not isinstance(data, dict):
            raise _damaged(name, "a page has a size that cannot be")
        yield unpacked, _whole(data, 1)  # pyright: ignore[reportUnknownArgumentType]


def _damaged(name: str, why: str) -> FormatError:
    return FormatError(f"{name} cannot be read as Parquet ({why}): it is damaged, ask for it again.")
