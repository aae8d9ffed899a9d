"""The ends of hidden cells: by hand, against every table that could be, and where nothing fits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmob.errors import FormatError
from synthmob.published.differencing import Grid, Margin
from synthmob.published.ranges import hidden_ranges


def two_way(shown: np.ndarray, rows: np.ndarray | None, columns: np.ndarray | None) -> tuple[list[Grid], list[Margin]]:
    grids, margins = [Grid("cells", shown.ravel(), str)], list[Margin]()
    n, m = shown.shape
    for sums, group in ((rows, np.repeat(np.arange(n), m)), (columns, np.tile(np.arange(m), n))):
        if sums is not None:
            grids.append(Grid("margin", sums.astype(np.float64), str))
            margins.append(Margin(0, len(grids) - 1, group))
    return grids, margins


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=6, max_size=6), st.booleans(), st.booleans())
def test_ranges_agree_with_trying_every_table(cells: list[int], with_rows: bool, with_columns: bool) -> None:
    """A 2 x 3 table, threshold 3, all integer tables tried: the corners of such a table's polytope are integers."""
    if not (with_rows or with_columns):
        return
    true = np.array(cells).reshape(2, 3)
    shown = np.where(true >= 3, true, np.nan)
    hidden = np.argwhere(np.isnan(shown))
    values: list[set[int]] = [set() for _ in hidden]
    for guess in itertools.product(range(3), repeat=len(hidden)):
        table = shown.copy()
        for (i, j), value in zip(hidden, guess, strict=True):
            table[i, j] = value
        if (not with_rows or (table.sum(axis=1) == true.sum(axis=1)).all()) and (
            not with_columns or (table.sum(axis=0) == true.sum(axis=0)).all()
        ):
            for k, value in enumerate(guess):
                values[k].add(value)
    found = hidden_ranges(*two_way(shown, true.sum(axis=1) if with_rows else None, true.sum(axis=0) if with_columns else None), 2.0)
    assert found.low.tolist() == [min(v) for v in values] and found.high.tolist() == [max(v) for v in values]
    assert found.narrowed.tolist() == [v != {0, 1, 2} and max(v) - min(v) < 2 for v in values]
    assert found.exact.tolist() == [len(v) == 1 for v in values]


def test_only_a_program_sees_three_sums_at_once() -> None:
    """Each two of three hidden cells sum to 4: bounds alone allow 0 to 4, together they leave 2 each."""
    grids = [Grid("cells", np.full(3, np.nan), str), *(Grid("two and one", np.array([4.0, np.nan]), str) for _ in range(3))]
    groups = ([0, 0, 1], [1, 0, 0], [0, 1, 0])
    found = hidden_ranges(grids, [Margin(0, k, np.array(group)) for k, group in enumerate(groups, start=1)], 4.0)
    assert found.low.tolist() == found.high.tolist() == [2.0] * 6


def test_what_lies_under_no_margin_is_only_under_the_threshold() -> None:
    grids, margins = two_way(np.array([[np.nan, 5.0], [np.nan, np.nan]]), np.array([7.0, 100.0]), None)
    assert hidden_ranges([grids[0], Grid("margin", np.array([7.0, np.nan]), str)], margins, 4.0).high.tolist() == [2.0, 4.0, 4.0, 4.0]


def test_rounding_leaves_room() -> None:
    """A sum of 8 rounded to 5 is 5.5 to 10.5, the 7 in it 4.5 to 9.5: what is hidden beside it may be anything up to 4."""
    grids = [Grid("cells", np.array([np.nan, 7.0]), str), Grid("sum", np.array([8.0]), str)]
    margins = [Margin(0, 1, np.zeros(2, dtype=np.int64))]
    assert hidden_ranges(grids, margins, 4.0).exact.all()
    assert hidden_ranges(grids, margins, 4.0, rounding=5.0).narrowed.tolist() == [False]


def test_some_cells_of_many() -> None:
    shown = np.where(np.arange(400).reshape(20, 20) % 3 == 0, 9.0, np.nan)
    true = np.where(np.isnan(shown), 1.0, shown)
    found = hidden_ranges(*two_way(shown, true.sum(axis=1), true.sum(axis=0)), 4.0, most=10)
    assert len(found.low) == 10 and (found.low == 0).all() and (found.high == 4).all()


@pytest.mark.parametrize("sums", [[3.0, 20.0], [3.0, -1.0]])
def test_tables_that_contradict_each_other_are_refused(sums: list[float]) -> None:
    shown = np.array([[np.nan, 1.0], [np.nan, np.nan]])
    with pytest.raises(FormatError, match="do not add up"):
        hidden_ranges(*two_way(shown, np.array(sums), None), 4.0)


def test_a_contradiction_that_only_a_program_sees() -> None:
    """Rows of 2 and 2, columns of 3 and 3: every cell alone could be anything."""
    with pytest.raises(FormatError, match="do not add up"):
        hidden_ranges(*two_way(np.full((2, 2), np.nan), np.array([2.0, 2.0]), np.array([3.0, 3.0])), 4.0)
