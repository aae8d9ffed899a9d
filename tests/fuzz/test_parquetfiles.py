"""Honest files of every writer pass, whatever their packing; sizes are known before anything is unpacked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import compact_thrift
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmob import compactthrift, parquetfiles
from synthmob.errors import FormatError
from synthmob.parquetfiles import Bounds

WIDE = Bounds(columns=50, page_bytes=64 << 20, unpacked_bytes=1 << 30)
TABLE = pa.table({
    "label": [f"l{k % 7}" for k in range(20_000)], "n": np.arange(20_000.0),
    "lists": [[f"x{k}"] * (k % 3) for k in range(20_000)], "nothing": pa.nulls(20_000, pa.int32())})  # fmt: skip


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "brotli", "lz4", "zstd"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("rows", [1_000, 100_000])
def test_what_pyarrow_writes_is_opened(tmp_path: Path, compression: str, version: Any, rows: int) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(
        TABLE, path, compression=compression, data_page_version=version, row_group_size=rows, data_page_size=4_096, write_page_index=True)
    for content in (parquetfiles.mapped(path), path.read_bytes()):
        assert parquetfiles.opened(content, path.name, WIDE).read().equals(TABLE)
    labels = parquetfiles.opened(content, path.name, WIDE, labels=["label"]).read()["label"]
    assert pa.types.is_dictionary(labels.type) and labels.to_pylist() == TABLE["label"].to_pylist()


def test_what_duckdb_and_pandas_write_is_opened(tmp_path: Path) -> None:
    duckdb.sql(f"COPY (SELECT range AS n, 'a' || range % 5 AS label FROM range(30000)) TO '{tmp_path / 'd.parquet'}' (ROW_GROUP_SIZE 4096)")
    TABLE.drop_columns(["nothing"]).to_pandas().to_parquet(tmp_path / "p.parquet")
    TABLE.slice(0, 0).to_pandas().to_parquet(tmp_path / "empty.parquet")
    for name, rows in (("d", 30_000), ("p", 20_000), ("empty", 0)):
        path = tmp_path / f"{name}.parquet"
        assert parquetfiles.opened(parquetfiles.mapped(path), path.name, WIDE).metadata.num_rows == rows


@pytest.mark.parametrize(("bounds", "words"), [
    (Bounds(columns=3, page_bytes=64 << 20, unpacked_bytes=1 << 30), "columns"),
    (Bounds(columns=50, page_bytes=1_000, unpacked_bytes=1 << 30), "unpacks to more"),
    (Bounds(columns=50, page_bytes=64 << 20, unpacked_bytes=100_000), "unpacks to more"),
])  # fmt: skip
def test_the_bounds_hold(tmp_path: Path, bounds: Bounds, words: str) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(TABLE, path)
    with pytest.raises(FormatError, match=words):
        parquetfiles.opened(path.read_bytes(), path.name, bounds)


def test_what_repeats_a_row_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"label": pa.array(["x"]).take(pa.array(np.zeros(3_000_000, dtype=np.int64)))}), path, compression="zstd")
    assert path.stat().st_size < 10_000
    with pytest.raises(FormatError, match="rows in"):
        parquetfiles.opened(path.read_bytes(), path.name, WIDE)


@pytest.mark.parametrize("content", [
    b"", b"PAR1", b"PAR1PAR1PAR1", b"PAR1" + b"\0" * 40 + b"\xff\xff\xff\x7fPAR1", b"PARE" + b"\0" * 40 + b"PARE"])  # fmt: skip
def test_what_is_no_parquet_is_refused(content: bytes) -> None:
    with pytest.raises(FormatError, match="cannot be read as Parquet"):
        parquetfiles.opened(content, "x.parquet", WIDE)


VALUES = st.recursive(
    st.tuples(st.just(6), st.integers(-(2**63), 2**63 - 1)) | st.tuples(st.just(8), st.binary(max_size=20)),
    lambda inside: st.tuples(st.just(12), st.dictionaries(st.integers(1, 40), inside, max_size=4))
    | st.tuples(st.just(9), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20).map(lambda items: (6, items))),
    max_leaves=12)  # fmt: skip


def plain(kind: int, value: Any) -> Any:
    if kind == 12:
        return {field: plain(*inside) for field, inside in value.items()}
    return value[1] if kind == 9 else value


@given(st.dictionaries(st.integers(1, 40), VALUES, max_size=5))
def test_a_structure_comes_back_as_it_was_written(content: dict[int, Any]) -> None:
    data = compact_thrift.write(content)
    assert compactthrift.structure(data) == (plain(12, content), len(data))
    for end in range(len(data)):
        with pytest.raises(ValueError, match=r"ends|bytes|kind"):
            compactthrift.structure(data[:end])


@given(st.binary(max_size=200))
def test_bytes_are_a_structure_or_a_value_error(data: bytes) -> None:
    try:
        _, end = compactthrift.structure(data)
    except ValueError:
        return
    assert 0 < end <= len(data) + 8  # the last field may be of a kind whose bytes are passed over


@pytest.mark.parametrize("data", [
    b"\x1c" * 100_000, b"\x19\x19" + b"\x19" * 100_000, b"\x19\xfc" + b"\xff" * 9 + b"\x01", b"\x16" + b"\xff" * 20])  # fmt: skip
def test_what_nests_or_counts_without_end_is_no_structure(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"deep|ends|bytes"):
        compactthrift.structure(data)
