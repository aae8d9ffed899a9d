"""One table, one file: the same bytes each time, axes written once; refusals are tested through `Release.load`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from synthmob.domain import SEX, Axis, ChainAxis, Domain
from synthmob.errors import FormatError
from synthmob.marginals import Marginal
from synthmob.tablefiles import AxisBook, axis_from, read, write


def table(cells: int) -> Marginal:
    axes = (Axis("sex", SEX), Domain().chain_axis)
    codes = np.random.default_rng(1).integers(0, [3, axes[1].size], (cells, 2))
    return Marginal.of("chains", axes, codes, np.arange(cells) + 0.5, sigma=2.0, cut=0.5)


def test_bytes_depend_on_the_table_alone(tmp_path: Path) -> None:
    books = AxisBook(), AxisBook()
    said = [write(table(5000), tmp_path / f"{k}.parquet", book) for k, book in enumerate(books)]
    assert (tmp_path / "0.parquet").read_bytes() == (tmp_path / "1.parquet").read_bytes()
    assert said[0]["sha256"] == said[1]["sha256"] and books[0].entries == books[1].entries
    frame = pq.read_table(tmp_path / "0.parquet").to_pandas()
    assert frame["chain"].str.fullmatch(r"[a-z]+(-[a-z]+){0,7}").all()


def test_a_table_comes_back_from_its_entry(tmp_path: Path) -> None:
    book, whole = AxisBook(), table(300)
    said = write(whole, tmp_path / "chains.parquet", book)
    entry = {**said, "cells": len(whole.values), "sigma": 2.0, "cut": 0.5, "bound_l2": 1.0}
    back = read("chains", entry, book.entries, tmp_path / "chains.parquet")
    assert (
        back.axes == whole.axes
        and np.array_equal(back.codes, whole.codes)
        and np.array_equal(back.values, whole.values)
    )
    with pytest.raises(FormatError, match="rows"):
        read("chains", {**entry, "cells": 10**12}, book.entries, tmp_path / "chains.parquet")


def test_axes_are_written_once_under_their_name() -> None:
    book = AxisBook()
    zones, areas = Axis("home", ("a", "b")), Axis("home", ("north",))
    assert [book.key(axis) for axis in (zones, areas, zones, areas, Axis("work", ("a", "b")))] == [
        "home", "home#2", "home", "home#2", "work",
    ]  # fmt: skip
    for axis in (zones, areas, ChainAxis("chain", ("home", "work"), 3)):
        assert axis_from(book.entries[book.key(axis)], "a test") == axis
