"""Where floats end: weights become whole numbers before anything is summed over cells, and no rounding leaves the bound.

The weights of one person in one cell are whole eighths of one day's weight (test_bounding_tables.py); they are the last floats that
are added up. After that, norms and counts are sums of whole numbers, which no order can change.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synthmob.accounting import FIXED_POINT
from synthmob.counts import bounded
from synthmob.engine import connect
from synthmob.period import MAX_DAYS
from synthmob.plan import ROUNDING_SLACK
from synthmob.private import bounding

BACKEND = connect(threads=2)


def rows_of(rows: Sequence[tuple[int, int, float | None]]) -> Any:
    person, cell, weight = zip(*rows, strict=True)
    columns = {"person_id": pa.array(person, pa.int64()), "cell": pa.array(cell, pa.int64()), "weight": pa.array(weight, pa.float64())}
    return ibis.memtable(pa.table(columns))


def made_up(weights: dict[int, list[float]]) -> Any:
    return rows_of([(person, cell, w) for person, ws in weights.items() for cell, w in enumerate(ws)])


def fixed(table: Any, bound: float) -> dict[tuple[int, int], int]:
    found = BACKEND.to_pyarrow(bounding.fixed_contributions(table, bound))
    assert found.schema.field("fixed").type == pa.int64()
    return {(r["person_id"], r["cell"]): r["fixed"] for r in found.to_pylist()}


def squares(weights: dict[int, list[float]], bound: float) -> dict[int, int]:
    """Each person's squared norm in 1/1024 person, in whole numbers."""
    out = dict.fromkeys(weights, 0)
    for (person, _), value in fixed(made_up(weights), bound).items():
        out[person] += value * value
    return out


def most(bound: float) -> Fraction:
    """The largest square that the noise is scaled for."""
    return (Fraction(bound) * Fraction(ROUNDING_SLACK) * FIXED_POINT) ** 2


# ---------------------------------------------------------------- the norm

WEIGHT = st.floats(0, 40) | st.integers(1, 30).map(lambda n: 1 / n) | st.integers(1, 2048).map(lambda k: k / 1024 * (1 - 4e-10))


@settings(max_examples=40)
@given(st.dictionaries(st.integers(0, 9), st.lists(WEIGHT, min_size=1, max_size=40), min_size=1), st.floats(1e-3, 6))
def test_rounding_never_leaves_the_norm(weights: dict[int, list[float]], bound: float) -> None:
    assert all(found <= most(bound) for found in squares(weights, bound).values())


@pytest.mark.parametrize("cells_", [1, 3, 1000])
@pytest.mark.parametrize("steps", [1, 2, 7, 1024])
@pytest.mark.parametrize("short", [0.0, 1e-12, 1e-9, 9e-9, 1e-8, 1.1e-8, 1e-6, 1e-5, 4e-4, 0.5])
def test_the_worst_that_rounding_can_do_is_covered(cells_: int, steps: int, short: float) -> None:
    """A norm that stands exactly at the bound, every cell just short of a whole step: all are forgiven upwards together."""
    weight = (steps - short) / FIXED_POINT
    for slack in (1.0, 1 + 1e-9):
        bound = weight * math.sqrt(cells_) / slack
        assert squares({1: [weight] * cells_}, bound)[1] <= most(bound)


@pytest.mark.parametrize("square", [2, 3, 5, 7, 24, 48, 72, 999_999])
def test_a_bound_that_is_a_root_is_not_under_itself(square: int) -> None:
    """sqrt(72) as a float has a square under 72: whoever stands exactly on it is not scaled, and nobody gets past it."""
    on_it = [1.0] * min(square, 5000)
    bound = math.sqrt(len(on_it))
    assert squares({1: on_it}, bound)[1] == len(on_it) * FIXED_POINT**2
    over = squares({1: [*on_it, 1.0]}, bound)[1]
    assert over <= most(bound) and over < len(on_it) * FIXED_POINT**2


@pytest.mark.parametrize("n_cells", [1, 100, 20_000])
def test_a_huge_person_is_one_bounded_person(n_cells: int) -> None:
    """Thousands of stays in every cell, or one cell with an absurd weight: the vector is as long as anybody's."""
    for weight in (1e308, 40.0, 0.3):
        found = fixed(made_up({1: [weight] * n_cells, 2: [1.0]}), 2.5)
        mine = [value for (person, _), value in found.items() if person == 1]
        assert sum(v * v for v in mine) <= most(2.5) and max(mine) <= FIXED_POINT
        assert found[2, 0] == FIXED_POINT  # who stands beside them keeps what is theirs


@pytest.mark.parametrize(("weight", "fine"), [
    (math.nan, 1024), (math.inf, 1024), (None, 1024), (-math.inf, 0), (-3.0, 0), (-1e-9, 0), (-0.0, 0), (5e-324, 0)])  # fmt: skip
def test_a_weight_that_no_statistic_has_stays_between_nothing_and_one(weight: float | None, fine: int) -> None:
    assert fixed(rows_of([(1, 0, weight), (1, 1, 0.5), (2, 0, 0.25)]), 9.0) == {(1, 0): fine, (1, 1): 512, (2, 0): 256}


def test_weights_that_a_float_cannot_hold() -> None:
    """0.1 ten times, a third three times, a seventh seven times: each is one person, none is more."""
    for n in (3, 7, 10, 49, 93):
        summed = rows_of([(1, 0, 1 / n)] * n)
        summed = summed.group_by(["person_id", "cell"]).agg(weight=summed.weight.sum())
        assert fixed(summed, 1.0) == {(1, 0): FIXED_POINT}
    assert fixed(made_up({1: [0.1 * 10, 0.1 + 0.2, 1 / 3, 0.9999, 1 / 1024, 1e-4]}), 9.0) == {
        (1, 0): 1024, (1, 1): 307, (1, 2): 341, (1, 3): 1023, (1, 4): 1, (1, 5): 0}  # fmt: skip


# ---------------------------------------------------------------- no order


def test_the_order_of_rows_and_the_rows_of_others_move_no_step() -> None:
    """The attack: a bound for which the float norm of one person, summed in one order, rounds to 41, and in another to 42.

    With norms summed from floats, dropping a subscriber who stands between the rows of another moved that other's step too.
    """
    weights = (1 / np.random.default_rng(1).integers(1, 31, 200)).tolist()

    def in_order(seed: int, others: int) -> Any:
        rows = [(7, cell, w) for cell, w in enumerate(weights)] + [(100 + k, 0, 0.5) for k in range(others)]
        return rows_of(random.Random(seed).sample(rows, len(rows)))

    def first_cell_by_floats(seed: int, bound: float) -> float:
        return float(BACKEND.to_pandas(bounded(in_order(seed, 0), bound)).set_index("cell").weight[0])

    found = [first_cell_by_floats(k, 2.0) for k in range(12)]
    step = (round(min(found) * FIXED_POINT) - 1e-6) / FIXED_POINT
    bound = 2.0 * step / ((min(found) + max(found)) / 2)
    by_floats = {math.floor(first_cell_by_floats(k, bound) * FIXED_POINT + 1e-6) for k in range(12)}
    assert len(by_floats) == 2, "float norms would have no order here: without one this test shows nothing"
    for at in (bound, math.nextafter(bound, 0), math.nextafter(bound, 9)):
        alone = [fixed(in_order(k, 0), at) for k in range(6)]
        beside = [{key: v for key, v in fixed(in_order(k, 1000 * k), at).items() if key[0] == 7} for k in range(1, 4)]
        assert all(found == alone[0] for found in (*alone, *beside))


@settings(max_examples=300)
@given(st.integers(1, 2 * MAX_DAYS), st.data())
@example(1000, None)
@example(2 * MAX_DAYS - 1, None)
def test_a_sum_of_unit_fractions_is_the_same_whole_number_in_any_order(n: int, data: st.DataObject | None) -> None:
    """k times 1/n, added one by one, in two parts or as a tree: `FORGIVEN` takes every float to the step of the true k/n."""
    nearest = {-pow(bounding.FINE, -1, n) % n} - {0} if n % 2 else set[int]()  # FINE k / n is 1/n short of a whole number
    for k in {data.draw(st.integers(1, n)), n, *nearest} if data else {*range(1, min(n, 1000) + 1), *nearest}:
        true = Fraction(k, n)
        in_parts = [math.fsum([1 / n] * k), sum([1 / n] * k), sum([1 / n] * (k // 2)) + sum([1 / n] * (k - k // 2)),
                    float(np.sum(np.full(k, 1 / n))), float(np.cumsum(np.full(k, 1 / n))[-1])]  # fmt: skip
        wanted = math.floor(true * bounding.FINE)
        assert {math.floor(min(s, 1.0) * bounding.FINE + bounding.FORGIVEN) for s in in_parts} == {wanted}


@settings(max_examples=100)
@given(st.integers(1, MAX_DAYS), st.lists(st.integers(0, 8), min_size=1, max_size=12), st.booleans())
@example(MAX_DAYS, [1], False)
@example(MAX_DAYS - 1, [7, 8, 1], True)
def test_a_sum_of_eighths_is_the_same_whole_number_in_any_order(n: int, trips: list[int], long: bool) -> None:
    """Trips of a day and what is missing to 8, as counts/routines.py weighs them: the floats of both are the step of the true k/(8n)."""
    days = [trips[k % len(trips)] for k in range(n if long else min(n, len(trips)))]
    made = [k / 8.0 / n for k in days]
    for floats, eighths in ((made, sum(days)), ([1.0 / n - m for m in made], 8 * len(days) - sum(days))):
        in_parts = [math.fsum(floats), sum(floats), sum(sorted(floats)), float(np.sum(floats)), float(np.cumsum(floats[::-1])[-1])]
        wanted = math.floor(Fraction(eighths, 8 * n) * bounding.FINE)
        assert {math.floor(min(s, 1.0) * bounding.FINE + bounding.FORGIVEN) for s in in_parts} == {wanted}


def test_the_slack_that_is_forgiven_lies_between_float_error_and_true_fractions() -> None:
    rows = 8 * MAX_DAYS
    assert (rows + 24) * 2.0**-53 * bounding.FINE < 4e-6 < bounding.FORGIVEN < 1 / MAX_DAYS / 20
    assert bounding.FINE % 8 == 0  # or an eighth of a day would not be a whole number of n-ths of a step


def test_the_sums_of_the_database_are_those_whole_numbers_too() -> None:
    days = (1, 2, 3, 7, 49, 93, 366, 3659, 7319)
    rows = [(n, k % 3, 1 / n) for n in days for k in range(n)]
    table = rows_of(random.Random(3).sample(rows, len(rows)))
    table = table.group_by(["person_id", "cell"]).agg(weight=table.weight.sum())
    found = fixed(table, 9.0)
    for n in days:
        for cell in range(min(n, 3)):
            assert found[n, cell] == math.floor(Fraction(len(range(cell, n, 3)), n) * FIXED_POINT), (n, cell)


# ---------------------------------------------------------------- totals


def test_totals_add_up_persons_cell_by_cell() -> None:
    at, counts = bounding.totals(BACKEND, made_up({4: [1.0, 0.0, 0.25], 9: [0.5, 0.5, 0.0]}), 5.0)
    assert (at.tolist(), counts.tolist()) == ([0, 1, 2], [1536, 512, 256])
    none = made_up({1: [1.0]})
    at, counts = bounding.totals(BACKEND, none.filter(none.person_id == 2), 5.0)
    assert len(at) == len(counts) == 0 and at.dtype == counts.dtype == np.int64


def test_totals_are_sums_of_whole_numbers() -> None:
    """Ten thousand thirds are ten thousand times 341 steps, not the nearest whole number to a float."""
    at, counts = bounding.totals(BACKEND, made_up({person: [1 / 3] for person in range(10_000)}), 1.0)
    assert (at.tolist(), counts.tolist()) == ([0], [3_410_000])
