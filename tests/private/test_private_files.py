"""Files that are missing, empty, damaged, doubled or of another kind: one sentence each, without a row of theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_operator import WEEK, good, grid, refusal, stays, write

from synthmob.engine import connect
from synthmob.errors import RecordError
from synthmob.private import records
from synthmob.private.records import Sources

HEADERS = ["subscriber_id,sex,sex\n1,m,m\n", "\n1,m,m\n", "subscriber_id,,sex\n1,m,m\n", "\xff\xfe\n"]


def no_subscribers(folder: Path) -> None:
    (folder / "subscribers.parquet").unlink()


def no_rows_at_all(folder: Path) -> None:
    (folder / "stays.parquet").unlink()
    (folder / "events.parquet").unlink()


def empty(folder: Path) -> None:
    (folder / "stays.parquet").write_bytes(b"")


def not_parquet(folder: Path) -> None:
    (folder / "stays.parquet").write_bytes(b"987654321,0,0\n" * 50)


def half(folder: Path) -> None:
    whole = (folder / "stays.parquet").read_bytes()
    (folder / "stays.parquet").write_bytes(whole[: len(whole) // 2])


def overwritten(folder: Path) -> None:
    whole = (folder / "stays.parquet").read_bytes()
    (folder / "stays.parquet").write_bytes(whole[:4] + b"\xff" * 900 + whole[904:])


def header_only(folder: Path) -> None:
    stays().iloc[:0].to_parquet(folder / "stays.parquet")


def two_formats(folder: Path) -> None:
    stays().to_csv(folder / "stays.csv")


def folder_without_parts(folder: Path) -> None:
    (folder / "stays.parquet").unlink()
    (folder / "stays").mkdir()
    (folder / "stays" / "_SUCCESS").write_text("")


def folder_of_two_formats(folder: Path) -> None:
    folder_without_parts(folder)
    write(folder / "stays", a=stays())
    write(folder / "stays", suffix=".csv", b=stays())


def folder_of_two_types(folder: Path) -> None:
    folder_without_parts(folder)
    write(folder / "stays", a=stays(), b=stays(["x"]))


def csv_parts_with_other_columns(folder: Path) -> None:
    folder_without_parts(folder)
    write(folder / "stays", suffix=".csv", a=stays(), b=stays().drop(columns="seq"))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (no_subscribers, "There is no subscribers.parquet or subscribers.csv"),
        (no_rows_at_all, "There are neither stays nor events"),
        (empty, "stays.parquet is empty"),
        (not_parquet, "stays.parquet cannot be read as Parquet"),
        (half, "stays.parquet cannot be read as Parquet"),
        (overwritten, "stays.parquet cannot be read as Parquet"),
        (header_only, "stays.parquet has a header but no row"),
        (two_formats, "has both stays.parquet and stays.csv"),
        (folder_without_parts, "The folder stays has no part"),
        (folder_of_two_formats, "The folder stays has both Parquet and CSV parts"),
        (folder_of_two_types, "stays cannot be read as Parquet (all parts with the same columns)"),
        (csv_parts_with_other_columns, "The parts of stays have different columns"),
    ],
)
def test_spoilt_folders(tmp_path: Path, spoil: Callable[[Path], Any], says: str) -> None:
    folder = write(tmp_path, **good())
    spoil(folder)
    assert says in refusal(folder)


def test_no_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere").startswith("There is no folder")


def test_a_csv_row_with_too_many_fields_names_its_line(tmp_path: Path) -> None:
    folder = write(tmp_path, suffix=".csv", **good())
    lines = (folder / "stays.csv").read_text().splitlines()
    lines[5] += ",987654321,7"
    (folder / "stays.csv").write_text("\n".join(lines))
    assert refusal(folder).startswith("stays.csv, line 6, cannot be read as CSV")


@pytest.mark.parametrize("lines", HEADERS)
def test_a_csv_without_a_proper_header(tmp_path: Path, lines: str) -> None:
    folder = write(tmp_path, stays=stays())
    (folder / "subscribers.csv").write_bytes(lines.encode("latin-1"))
    assert refusal(folder).startswith("subscribers.csv ")


def test_asking_for_events_that_are_not_there(tmp_path: Path) -> None:
    tables = good()
    del tables["events"]
    assert refusal(write(tmp_path, **tables), prefer="events").startswith("Events were asked for")


def test_paths_of_another_kind_or_of_nothing(tmp_path: Path) -> None:
    folder = write(tmp_path, **good())
    (folder / "stays.xlsx").write_text("x")
    with pytest.raises(RecordError, match=r"stays\.xlsx is neither Parquet nor CSV"):
        records.read(connect(), Sources(folder, stays=folder / "stays.xlsx"), grid(), WEEK, ())
    with pytest.raises(RecordError, match=r"There is no gone\.csv"):
        records.read(connect(), Sources(folder, stays=folder / "gone.csv"), grid(), WEEK, ())
