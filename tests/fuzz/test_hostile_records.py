"""Records that are broken in ways that readers pass over in silence, or never come to the end of; nobody is named for it."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzz_bases import CANARY, SHORT_PLAN, SUBSCRIBERS, Bases
from fuzz_cases import one_sentence
from hostile_files import copied, endless, pipe, put

from synthmob.engine import connect
from synthmob.errors import RecordError
from synthmob.private.curator import Curator
from synthmob.private.files import open_file

STAYS = "stays.csv"
Spoil = Callable[[Path], object]


def lines(change: Callable[[bytes], bytes], name: str = STAYS) -> Spoil:
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))


def packed(more: Callable[[bytes], list[bytes]]) -> Spoil:
    """The stays packed, in as many pieces as are given."""

    def spoil(folder: Path) -> None:
        pieces = more((folder / STAYS).read_bytes())
        (folder / STAYS).unlink()
        (folder / f"{STAYS}.gz").write_bytes(b"".join(gzip.compress(piece) for piece in pieces))

    return spoil


def swap_columns(text: bytes) -> bytes:
    """The ids in the column of zones, as a slipped export has them."""
    return text.replace(b"subscriber_id,day,seq,purpose,zone_id", b"zone_id,day,seq,purpose,subscriber_id")


def headless(text: bytes) -> bytes:
    """The first row taken for the header, and made distinct."""
    rows = text.split(b"\n")
    return b"\n".join([b",".join([f"{CANARY}-000".encode(), b"0", b"1", b"home", b"z0", b"2", b"480"]), *rows[1:]])


def open_quote(text: bytes) -> bytes:
    """DuckDB passes over everything behind it."""
    rows = text.split(b"\n")
    return b"\n".join([*rows[:100], b'"' + rows[100], *rows[101:]])


def folder_of(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / "stays").mkdir()
        (folder / STAYS).rename(folder / "stays" / name)

    return spoil


CSV: dict[str, tuple[Spoil, str]] = {
    "a quote that opens a row": (lines(open_quote), "quotation mark"),
    "a quote that opens the first row": (lines(lambda b: b.replace(CANARY.encode(), b'"' + CANARY.encode(), 1)), "header but no row"),
    "a quote inside": (lines(lambda b: b.replace(b"home", b'ho"me', 1)), "quotation mark"),
    "a quote never closed among subscribers": (lines(lambda b: b.replace(b"-020", b'-020"'), "subscribers.csv"), "quotation mark|CSV"),
    "no header": (lines(headless), "no column 'subscriber_id' \\(it has none of them\\)"),
    "columns exchanged": (lines(swap_columns), "row 1: zone_id is not a zone"),
    "a line without end": (lines(lambda b: b + b"x" * 50_000_000), "line"),
    "a header of a hundred thousand": (lines(lambda b: b.replace(b"end_min\n", b"end_min," + b"c," * 100_000 + b"\n", 1)), "header"),
    "a carriage return in the header": (lines(lambda b: b.replace(b"seq", b"s\req", 1)), "CSV|UTF-8"),
    "another encoding": (lines(lambda b: b.decode().encode("utf-16")), "UTF-8"),
    "packed zeros": (packed(lambda b: [b, b"\0" * 100_000_000]), "200 times"),
    "packed blank lines": (packed(lambda b: [b, b"\n" * 100_000_000]), "200 times"),
    "packed rows": (packed(lambda b: [b, b"s1,9,0,home,z0,0,1\n" * 5_000_000]), "200 times"),
    "packed and cut": (packed(lambda b: [b + os.urandom(100_000).hex().encode()][:1]), "CSV|line"),
    "packed in name only": (lambda f: (f / STAYS).rename(f / f"{STAYS}.gz"), "UTF-8"),
    "pipe": (lambda f: pipe(f / STAYS), "empty"),
    "device": (lambda f: endless(f / STAYS), "empty"),
    "pipe for the period": (lambda f: pipe(f / "period.toml"), r"no readable period\.toml"),
    "pipe among the parts": (lambda f: (folder_of("a.csv")(f), os.mkfifo(f / "stays" / "b.csv")), "empty"),
}


@pytest.mark.parametrize("name", CSV)
def test_broken_text_is_refused_and_nobody_is_named(bases: Bases, tmp_path: Path, name: str) -> None:
    spoil, words = CSV[name]
    folder = copied(bases["records.csv"], tmp_path)
    spoil(folder)
    refused(folder, bases, words)


def refused(folder: Path, bases: Bases, words: str) -> None:
    with pytest.raises(RecordError, match=words) as caught:
        Curator.of(folder, bases.zoning).measure(SHORT_PLAN)
    said = str(caught.value)
    assert one_sentence(caught.value), said
    assert CANARY not in said and not re.search(r"\bz\d\b|\b480\b", said)


def column(name: str, change: Callable[[pa.ChunkedArray], pa.Array]) -> Spoil:
    def spoil(folder: Path) -> None:
        table = pq.read_table(folder / "stays.parquet")
        pq.write_table(put(table, name, change(table[name])), folder / "stays.parquet")

    return spoil


def no_text(values: pa.ChunkedArray) -> pa.Array:
    n = len(values)
    return pa.Array.from_buffers(pa.string(), n, [None, pa.array(range(n + 1), pa.int32()).buffers()[1], pa.py_buffer(b"\xff" * n)])


PARQUET: dict[str, tuple[Spoil, str]] = {
    "ids that are lists": (column("subscriber_id", lambda c: pa.array([[v] for v in c.to_pylist()])), "keeps subscriber_id as array:"),
    "ids that are structures": (
        column("subscriber_id", lambda c: pa.array([{v: 1} for v in c.to_pylist()[:1]] * len(c))), "keeps subscriber_id as struct:"),
    "nothing but nulls": (column("end_min", lambda c: pa.nulls(len(c))), "keeps end_min as nothing but nulls"),
    "ids of bytes": (column("subscriber_id", lambda c: c.cast(pa.binary())), "keeps subscriber_id as binary"),
    "text that is none": (column("purpose", no_text), "cannot be read as Parquet"),
    "numbers too wide": (column("day", lambda c: pa.array([2**64 - 1] * len(c), pa.uint64())), "cannot be read as Parquet"),
}


@pytest.mark.parametrize("name", PARQUET)
def test_broken_parquet_is_refused_and_nobody_is_named(bases: Bases, tmp_path: Path, name: str) -> None:
    spoil, words = PARQUET[name]
    folder = copied(bases["records.parquet"], tmp_path)
    spoil(folder)
    refused(folder, bases, words)


@pytest.mark.parametrize("name", ["[ab]*.csv", "a?.csv", "a'b.csv", 'a"b.csv', "a b\nc.csv"])
def test_a_file_may_have_any_name(bases: Bases, tmp_path: Path, name: str) -> None:
    """Stars and brackets are no pattern: the file of that name is read and no other."""
    folder = copied(bases["records.csv"], tmp_path)
    folder_of(name)(folder)
    (folder / "stays" / "_other.csv").write_text("not,for,us\n")
    table = open_file(connect(), folder / "stays")
    assert table.fetch(table.table.count().name("n").as_table())[0]["n"] == SUBSCRIBERS * 6


def test_quotes_that_are_closed_are_text(bases: Bases, tmp_path: Path) -> None:
    folder = copied(bases["records.csv"], tmp_path)
    lines(lambda b: b.replace(b"home", b'"ho,""me"""', 2).replace(b"work", b'"work"'))(folder)
    assert len(Curator.of(folder, bases.zoning).measure(SHORT_PLAN).marginals) == 2


def test_offsets_that_no_clock_has_are_refused(bases: Bases, tmp_path: Path) -> None:
    folder = copied(bases["records.csv"], tmp_path)
    (folder / STAYS).unlink()
    lines(lambda b: b.replace(b"01:00:00", b"01:00:00+99:99", 1), "events.csv")(folder)
    refused(folder, bases, "time is empty or cannot be read")
