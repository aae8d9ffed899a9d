"""The margins narrow a hidden cell exactly as far as trying every table out says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmob.errors import FormatError
from synthmob.published.differencing import Grid, Margin, refuse_differencing


def two_way(
    table: list[list[float | None]], rows: list[float | None] | None, columns: list[float | None] | None
) -> int:
    """Check a table with the margins given; None is hidden; the threshold is 5."""
    values = np.array(table, dtype=np.float64)
    n, m = values.shape
    grids, margins = [Grid("cells", values.ravel(), lambda k: f"({k // m}, {k % m})")], list[Margin]()
    for name, sums, group in (
        ("rows", rows, np.repeat(np.arange(n), m)),
        ("columns", columns, np.tile(np.arange(m), n)),
    ):
        if sums is not None:
            grids.append(Grid(name, np.array(sums, dtype=np.float64), str))
            margins.append(Margin(0, len(grids) - 1, group))
    return refuse_differencing(grids, margins, top=4.0)


def test_a_single_hidden_cell_of_a_row_is_given_away() -> None:
    with pytest.raises(FormatError, match=r"\(0, 1\) of table 'cells' is at (most|least) 3,.*'from 0 to 4'"):
        two_way([[10, None], [7, 8]], [13, 15], None)


def test_two_hidden_cells_hide_each_other_only_where_their_sum_allows() -> None:
    assert two_way([[10, None, None], [7, 8, 9]], [14, 24], None) == 2  # 4 between them: each may be 0 or 4
    with pytest.raises(FormatError, match="at most 3"):
        two_way([[10, None, None], [7, 8, 9]], [13, 24], None)
    with pytest.raises(FormatError, match="at least 3"):
        two_way([[10, None, None], [7, 8, 9]], [17, 24], None)


def test_two_margins_see_more_than_one() -> None:
    table: list[list[float | None]] = [[None, None, 9], [None, None, 9], [9, 9, 9]]
    assert two_way(table, [13, 13, 27], None) == 4
    assert two_way(table, [13, 13, 27], [13, 13, 27]) == 4
    with pytest.raises(FormatError, match="at most 2"):
        two_way(table, [13, 13, 27], [11, 15, 27])


def test_a_hidden_total_is_a_margin_too() -> None:
    with pytest.raises(FormatError, match="do not add up"):
        two_way([[6, None], [7, 8]], [None, 15], None)  # a row with 6 people cannot have a total of under 5
    with pytest.raises(FormatError, match="'rows'"):
        two_way([[2, 1], [7, 8]], [None, 15], None)  # a hidden total whose parts are printed


def test_tables_that_contradict_each_other_are_refused_unless_rounded() -> None:
    with pytest.raises(FormatError, match="do not add up"):
        two_way([[10, 5], [7, 8]], [16, 15], None)
    with pytest.raises(FormatError, match="do not add up"):
        two_way([[10, None], [7, 8]], [16, 15], None)
    grids = [Grid("cells", np.array([10.0, 5.0]), str), Grid("total", np.array([16.0]), str)]
    assert refuse_differencing(grids, [Margin(0, 1, np.array([0, 0]))], 4.0, rounding=1.0) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=6, max_size=6), st.booleans(), st.booleans())
def test_linear_programming_agrees_with_trying_every_table(
    cells: list[int], with_rows: bool, with_columns: bool
) -> None:
    """A 2 x 3 table, threshold 3, all integer tables tried: the corners of such a table's polytope are integers."""
    if not (with_rows or with_columns):
        return
    true = np.array(cells).reshape(2, 3)
    shown = np.where(true >= 3, true, np.nan)
    hidden = np.argwhere(np.isnan(shown))
    rows, columns = true.sum(axis=1), true.sum(axis=0)
    ranges: list[set[int]] = [set() for _ in hidden]
    for guess in itertools.product(range(3), repeat=len(hidden)):
        table = shown.copy()
        for (i, j), value in zip(hidden, guess, strict=True):
            table[i, j] = value
        if (not with_rows or (table.sum(axis=1) == rows).all()) and (
            not with_columns or (table.sum(axis=0) == columns).all()
        ):
            for k, value in enumerate(guess):
                ranges[k].add(value)
    grids, margins = [Grid("cells", shown.ravel(), str)], list[Margin]()
    for wanted, sums, group in (
        (with_rows, rows, np.repeat([0, 1], 3)),
        (with_columns, columns, np.tile([0, 1, 2], 2)),
    ):
        if wanted:
            grids.append(Grid("margin", sums.astype(np.float64), str))
            margins.append(Margin(0, len(grids) - 1, group))
    if all({0, 2} <= found for found in ranges):
        assert refuse_differencing(grids, margins, top=2.0) == len(hidden)
    else:
        with pytest.raises(FormatError, match="differencing"):
            refuse_differencing(grids, margins, top=2.0)


def test_a_large_table_is_bounded_in_reasonable_time() -> None:
    """14,400 cells, most of them hidden, under both margins: seconds, for a solution is a witness for many cells."""
    true = np.random.default_rng(3).poisson(6.0, (120, 120))
    shown = np.where(true >= 10, true, np.nan)
    grids = [
        Grid("od", shown.ravel(), str),
        *(Grid("margin", true.sum(axis=k).astype(np.float64), str) for k in (1, 0)),
    ]
    margins = [Margin(0, 1, np.repeat(np.arange(120), 120)), Margin(0, 2, np.tile(np.arange(120), 120))]
    assert refuse_differencing(grids, margins, top=9.0) == np.isnan(shown).sum() > 12_000
