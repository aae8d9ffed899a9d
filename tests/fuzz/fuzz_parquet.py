"""Ways to spoil a Parquet file: its rows, its columns and types, how it is packed, and what its footer and pages say of sizes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import compact_thrift as thrift
import pyarrow as pa
import pyarrow.parquet as pq
from fuzz_texts import NASTY_NUMBERS, NASTY_TEXTS, spoil_bytes

MAX_TEXT = 10_000_000
"""As much text as a spoilt column holds: what spoils must not take more memory than what is spoilt."""
SIZES = (0, 1, -1, 2**20, 2**31 - 1, 2**31, 2**40, 2**62, -(2**63), 7, 100)


def spoil_file(rng: random.Random, path: Path) -> None:
    """Change the file in one of three depths: its table, its footer and pages, its bytes."""
    depth = rng.random()
    if depth < 0.72:
        spoil_rows(rng, path)
    elif depth < 0.9:
        spoil_sizes(rng, path)
    else:
        path.write_bytes(spoil_bytes(rng, path.read_bytes()))


def spoil_rows(rng: random.Random, path: Path) -> None:
    """Change the table and write it again, packed in some other way."""
    before, table = path.read_bytes(), pq.read_table(path)
    options: dict[str, Any] = {
        "compression": rng.choice(("zstd", "snappy", "none", "gzip", "brotli", "lz4")), "use_dictionary": rng.random() < 0.6,
        "version": rng.choice(("1.0", "2.6")), "store_schema": rng.random() < 0.7,
        "data_page_version": rng.choice(("1.0", "2.0")), "write_statistics": rng.random() < 0.7}  # fmt: skip
    try:
        for _ in range(rng.choice((1, 1, 2))):
            table = rng.choice(_CHANGES)(rng, table)
        pq.write_table(table, path, row_group_size=max(rng.choice((1, 3, 10_000)), len(table) // 50), **options)
    except (pa.ArrowException, ValueError, TypeError, KeyError):  # a change that no file can hold
        path.write_bytes(spoil_bytes(rng, before))


def spoil_sizes(rng: random.Random, path: Path) -> None:
    """Numbers of the footer, or of the header of one page, made to lie."""
    data = path.read_bytes()
    try:
        body, said = thrift.footer(data)
        chunk = rng.choice(thrift.columns(said))
        kind = rng.randrange(8)
        if kind < 3:
            body = _page_lies(rng, body, said, chunk)
        elif kind == 3:
            said[3] = (6, rng.choice(SIZES))
        elif kind == 4:
            field = rng.choice([n for n in (5, 6, 7, 9, 11) if n in chunk])
            chunk[field] = (6, rng.choice(SIZES))
        elif kind == 5:
            group = rng.choice(said[4][1][1])
            said[4] = (9, (12, [group] * rng.choice((0, 2, 3_000))))
        elif kind == 6:
            _deepen(rng, said)
        else:
            said[5] = (9, (12, [{1: (8, rng.choice((b"geo", b"pandas", b"ARROW:schema"))), 2: (8, rng.choice(_METADATA))}]))
        path.write_bytes(thrift.joined(body, said))
    except (IndexError, KeyError, ValueError, TypeError, RecursionError):  # what was no such file any more
        path.write_bytes(spoil_bytes(rng, data))


_METADATA = (
    b"", b"{}", b"[]", b"null", b"[" * 20_000, b'{"columns": 5, "primary_column": "geometry"}', b"\xff\xfe",
    b'{"index_columns": ["nope"], "columns": 5}', b"/////////////////////gAAAA=",
    b'{"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB", "crs": "x"}}}',
    b'{"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB", "crs": {"type": 1}}}}')  # fmt: skip


def _page_lies(rng: random.Random, body: bytes, said: dict[int, Any], chunk: dict[int, Any]) -> bytes:
    """The header of a column's first page with other numbers; what lies behind it moves."""
    at = chunk.get(11, chunk[9])[1]
    header, end = thrift.read(body, at)
    field = rng.choice([2, 3, *(k for k in (5, 7, 8) if k in header)])
    if field in (2, 3):
        header[field] = (5, rng.choice(SIZES))
    else:
        header[field][1][1] = (5, rng.choice(SIZES))
    new = thrift.write(header)
    moved = len(new) - (end - at)
    for column in thrift.columns(said):
        for offset in (9, 11):
            if offset in column and column[offset][1] > at:
                column[offset] = (6, column[offset][1] + moved)
    chunk[7] = (6, chunk[7][1] + moved)
    return body[:at] + new + body[end:]


def _deepen(rng: random.Random, said: dict[int, Any]) -> None:
    """Columns inside groups inside groups."""
    kind, schema = said[2][1]
    depth = rng.choice((1, 120, 3_000))
    columns = len(schema) - 1
    nest = [{3: (5, 1), 4: (8, b"g"), 5: (5, 1)} for _ in range(depth)]
    nest[-1][5] = (5, columns)
    schema[0][5] = (5, 1)
    said[2] = (9, (kind, [schema[0], *nest, *schema[1:]]))


def _column(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def _values(rng: random.Random, table: pa.Table) -> pa.Table:
    """One value, some or all of a column, as its type allows."""
    if not table.num_columns or not len(table):
        return table
    name = rng.choice(table.column_names)
    kind = table.schema.field(name).type
    old = table[name].to_pylist()
    rows = range(len(old)) if rng.random() < 0.3 else [rng.randrange(len(old))]
    pool: tuple[Any, ...] = (*NASTY_NUMBERS, float("nan"), float("inf"), -float("inf"))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        pool = tuple(v for v in (*NASTY_TEXTS, *old[:5]) if v is not None and len(v) * len(old) < MAX_TEXT)
    elif pa.types.is_binary(kind):
        pool = (b"", b"\0", b"\x01\x03\0\0\0\xff\xff\xff\x7f", b"\x01\x06\0\0\0\0\0\0\0", rng.randbytes(30))
    elif pa.types.is_boolean(kind):
        pool = (True, False)
    elif pa.types.is_list(kind):
        pool = ([], ["z0"], ["outside"], ["x", "x"], ["x" * 9_000], [None])
    value = None if rng.random() < 0.15 else rng.choice(pool)
    near = rng.random() < 0.3 and isinstance(old[rows[0]], int | float) and not isinstance(old[rows[0]], bool)
    for row in rows:
        old[row] = old[row] + rng.choice((1, -1, 1 / 3)) if near and old[row] is not None else value
    try:
        return _column(table, name, pa.array(old, kind))
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return _column(table, name, pa.array([None] * len(old), kind))


def _retype(rng: random.Random, table: pa.Table) -> pa.Table:
    if not table.num_columns:
        return table
    name = rng.choice(table.column_names)
    kinds = (
        pa.string(), pa.int64(), pa.int8(), pa.uint64(), pa.float32(), pa.float64(), pa.binary(), pa.bool_(), pa.large_string(),
        pa.decimal128(38, 9), pa.timestamp("ns"), pa.date32(), pa.null(), pa.list_(pa.string()), pa.struct({"a": pa.int64()}))  # fmt: skip
    kind = rng.choice(kinds)
    try:
        return _column(table, name, table[name].cast(kind, safe=False))
    except (pa.ArrowException, TypeError, ValueError):
        return _column(table, name, pa.nulls(len(table), kind))


def _drop(rng: random.Random, table: pa.Table) -> pa.Table:
    return table.drop_columns([rng.choice(table.column_names)]) if table.num_columns else table


def _double(rng: random.Random, table: pa.Table) -> pa.Table:
    if not table.num_columns:
        return table
    name = rng.choice(table.column_names)
    other = rng.choice((name, name.upper(), f"{name} ", "", "x", "a.b", "_file", "filename", "level_x", "level_zone", "sensitive", "name"))
    return table.append_column(other, table[name])


def _rename(rng: random.Random, table: pa.Table) -> pa.Table:
    names = list(table.column_names)
    if names:
        names[rng.randrange(len(names))] = rng.choice((*NASTY_TEXTS[:12], "person_id", "zone_id"))
    return table.rename_columns(names)


def _rows(rng: random.Random, table: pa.Table) -> pa.Table:
    order = list(range(len(table)))
    kind = rng.randrange(6)
    if kind == 0:
        order.reverse()
    elif kind == 1:
        order = order[: rng.randrange(len(order) + 1)]
    elif kind == 2:
        order = order + order[:1]
    elif kind == 3:
        rng.shuffle(order)
    elif kind == 4:
        order = order[:1] * rng.choice((0, 2, 40_000))
    else:
        order = order * 2
    return table.take(pa.array(order, pa.int64()))


def _many_columns(rng: random.Random, table: pa.Table) -> pa.Table:
    for k in range(rng.choice((3, 300))):
        table = table.append_column(f"c{k}", pa.nulls(len(table), pa.int8()))
    return table


_CHANGES = (_values, _values, _values, _values, _retype, _drop, _double, _rename, _rows, _rows, _many_columns)
