"""A marginal is a sparse array that knows its axes, its noise and whether it may be shown."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from synthmob import marginals
from synthmob.domain import Axis, ChainAxis
from synthmob.errors import FormatError
from synthmob.marginals import Marginal, ravel, unravel

X, Y, Z = Axis("x", ("a", "b")), Axis("y", ("p", "q", "r")), ChainAxis("z", ("home", "work"), 2)
AXES = (X, Y, Z)
DENSE = hnp.arrays(np.float64, (2, 3, 6), elements=st.sampled_from([0.0, 0.0, 1.0, 2.5, 40.0]))


def of(array: np.ndarray, **rest: Any) -> Marginal:
    codes = np.argwhere(array)
    return Marginal("t", AXES, codes.astype(np.int64), array[tuple(codes.T)], **rest)


@given(DENSE)
def test_dense_and_sparse_are_one(array: np.ndarray) -> None:
    found = of(array)
    assert np.array_equal(found.dense(), array)
    assert np.array_equal(found.dense(missing=-1.0) == -1.0, array == 0)
    assert found.total == pytest.approx(array.sum())
    assert (found.shape, found.n_domain, found.axis_names) == ((2, 3, 6), 36, ("x", "y", "z"))


@given(DENSE, st.permutations(["x", "y", "z"]), st.integers(1, 3))
def test_projecting_adds_up_the_other_axes(array: np.ndarray, names: list[str], keep: int) -> None:
    kept = names[:keep]
    found = of(array, sigma=3.0, cut=1.0, bound_l2=2.0, confidential=True).project(kept)
    others = tuple(k for k, name in enumerate("xyz") if name not in kept)
    ordered = sorted(kept)
    wanted = np.moveaxis(array.sum(axis=others), range(keep), [kept.index(n) for n in ordered])
    assert found.axis_names == tuple(kept)
    assert found.dense() == pytest.approx(wanted)
    assert (found.sigma, found.cut, found.bound_l2, found.confidential) == (3.0, 1.0, 2.0, True)


@given(DENSE, st.floats(0.5, 1e6))
def test_normalising_scales_the_noise_too(array: np.ndarray, total: float) -> None:
    found = of(array, sigma=3.0, cut=6.0, confidential=True)
    scaled = found.normalised(total)
    assert scaled.confidential and np.array_equal(scaled.codes, found.codes)
    if array.any():
        assert scaled.total == pytest.approx(total)
        assert scaled.sigma / 3.0 == pytest.approx(scaled.cut / 6.0) == pytest.approx(total / found.total)
    else:
        assert (scaled.total, scaled.sigma, scaled.cut) == (0, 3.0, 6.0)


ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 5), st.sampled_from([1.0, 0.25, 7.0])))


@given(ROWS)
def test_rows_in_any_order_are_added_up(rows: list[tuple[int, int, int, float]]) -> None:
    wanted = np.zeros((2, 3, 6))
    for *cell, value in rows:
        wanted[tuple(cell)] += value
    found = Marginal.of("t", AXES, [r[:3] for r in rows], [r[3] for r in rows], sigma=1.0)
    assert found.dense() == pytest.approx(wanted) and found.sigma == 1.0
    assert (np.diff(found.flat) > 0).all() and len(found.values) == len({r[:3] for r in rows})


@given(st.lists(st.integers(0, 35), unique=True).map(sorted))
def test_flat_indices_are_row_major_and_come_back(flat: list[int]) -> None:
    index = np.array(flat, dtype=np.int64)
    codes = unravel(index, AXES)
    assert np.array_equal(codes, np.stack(np.unravel_index(index, (2, 3, 6)), axis=1))
    assert np.array_equal(ravel(codes, AXES), index)


def test_big_domains_keep_whole_indices() -> None:
    axes = [Axis(f"a{k}", tuple(map(str, range(2000)))) for k in range(5)]
    top = 2000**5 - 1
    assert np.array_equal(ravel(unravel(np.array([top], dtype=np.int64), axes), axes), [top])


def test_the_given_arrays_are_left_alone() -> None:
    codes, values = [[1, 2, 3], [0, 0, 0]], np.array([1.0, 2.0])
    found = Marginal.of("t", AXES, codes, values)
    found.normalised(5.0)
    found.project(["y"])
    assert codes == [[1, 2, 3], [0, 0, 0]] and values.tolist() == [1.0, 2.0] and found.values.tolist() == [2.0, 1.0]


def test_a_marginal_is_itself_alone() -> None:
    """Equality of arrays has no single answer: two marginals are compared by their parts, and each can be a key."""
    one = of(np.ones((2, 3, 6)))
    assert one == one and one != replace(one) and len({one, replace(one)}) == 2


GOOD = of(np.ones((2, 3, 6)))


@pytest.mark.parametrize(("changes", "says"), [
    ({"codes": GOOD.codes[:-1]}, "is not a marginal"),
    ({"codes": GOOD.codes[:, :2]}, "is not a marginal"),
    ({"values": GOOD.values[:-1]}, "is not a marginal"),
    ({"codes": GOOD.codes + np.array([0, 0, 1])}, "a code outside its axes"),
    ({"codes": GOOD.codes - np.array([0, 0, 1])}, "a code outside its axes"),
    ({"codes": GOOD.codes[::-1]}, "cells twice or out of order"),
    ({"codes": GOOD.codes[[0, *range(35)]]}, "cells twice or out of order"),
    ({"values": np.full(36, math.nan)}, "not a finite count"),
    ({"values": np.full(36, math.inf)}, "not a finite count"),
    ({"sigma": -1.0}, "not a finite count"),
    ({"cut": -1.0}, "not a finite count"),
])  # fmt: skip
def test_what_is_no_marginal_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        replace(GOOD, **changes)
    assert "'t'" in str(caught.value)


@pytest.mark.parametrize("row", [[0, 3, 0], [0, -1, 0], [2, 0, 0], [1, 0, 6], [-1, 0, 0]])
def test_a_code_outside_its_axis_is_not_taken_for_another_cell(row: list[int]) -> None:
    """Row-major, (0, 3, 0) and (1, 0, 0) are the same number: adding up must not hide it."""
    with pytest.raises(FormatError, match="a code outside its axes"):
        Marginal.of("t", AXES, [[1, 0, 0], [0, 2, 5], row], [1.0, 1.0, 1.0])


def test_a_dense_array_that_would_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marginals, "MAX_DENSE_CELLS", 36)
    assert GOOD.dense().shape == (2, 3, 6)
    monkeypatch.setattr(marginals, "MAX_DENSE_CELLS", 35)
    with pytest.raises(FormatError, match="has 36 cells: too many for a dense array"):
        GOOD.dense()
