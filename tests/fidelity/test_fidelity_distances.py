"""Every distance: its best, its worst, a value worked out by hand, and the laws that hold for all counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from synthmob.errors import InputError
from synthmob.fidelity.distances import DISTANCES, cpc, wasserstein_1d, wasserstein_grid

Pair = tuple[np.ndarray, np.ndarray]

APART = ([3.0, 0.0], [0.0, 5.0])
WORST = {"tvd": 1.0, "jsd": 1.0, "cpc": 0.0, "cpl": 0.0, "wasserstein": 1.0, "geh": 0.0, "wmape": 8 / 3}
BY_HAND = [
    ("tvd", [2, 1, 1], [1, 1, 2], 0.25),
    # p = (1/2, 1/2), q = (3/4, 1/4), middle (5/8, 3/8): half of .5 log2(4/5) + .5 log2(4/3) + .75 log2(6/5) + .25
    # log2(2/3).
    ("jsd", [1, 1], [3, 1], math.sqrt(0.0487949)),
    ("cpc", [3, 1], [3, 3], 0.75),
    ("cpl", [1, 1, 1, 0], [1, 0, 0, 1], 0.4),
    # Half of the mass moves by two cells.
    ("wasserstein", [1, 1, 0], [0, 1, 1], 1.0),
    ("wmape", [10, 30], [20, 25], 0.375),
    # GEH of 50 and 100 is sqrt(2 * 2500 / 150) = 5.77, of 50 and 60 it is 1.35; the pair of zeros does not count.
    ("geh", [50, 50, 0], [100, 60, 0], 0.5),
]

counts = hnp.arrays(np.float64, st.shared(st.integers(1, 12), key="size"), elements=st.floats(0, 1e6))
some = st.tuples(counts, counts).filter(lambda pair: pair[0].sum() > 1e-3 and pair[1].sum() > 1e-3)
symmetric = [d for d in DISTANCES.values() if d.name != "wmape"]


@pytest.mark.parametrize("distance", DISTANCES.values(), ids=lambda d: d.name)
def test_best_for_equal_counts_and_worst_for_disjoint_ones(distance):
    assert distance.of([3, 0, 1], [3, 0, 1]) == distance.best
    assert distance.error(distance.best) == 0
    large = [100 * v for v in APART[0]], [100 * v for v in APART[1]]
    assert distance.of(*large) == pytest.approx(WORST[distance.name])
    if math.isfinite(distance.worst):
        assert WORST[distance.name] == distance.worst


@pytest.mark.parametrize(("name", "truth", "other", "value"), BY_HAND)
def test_a_value_worked_out_by_hand(name, truth, other, value):
    assert DISTANCES[name].of(truth, other) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("distance", symmetric, ids=lambda d: d.name)
@given(pair=some)
def test_symmetric(distance, pair: Pair):
    assert distance.of(pair[0], pair[1]) == pytest.approx(distance.of(pair[1], pair[0]), abs=1e-7)


@pytest.mark.parametrize("distance", DISTANCES.values(), ids=lambda d: d.name)
@given(pair=some)
def test_within_its_range_and_best_on_itself(distance, pair: Pair):
    low, high = sorted((distance.best, distance.worst))
    assert low <= distance.of(*pair) <= high
    assert distance.of(pair[0], pair[0]) == pytest.approx(distance.best, abs=1e-12)


@pytest.mark.parametrize("name", ["tvd", "jsd", "cpc", "wasserstein"])
@given(pair=some, factor=st.floats(0.01, 100))
def test_shape_alone_matters_where_totals_are_scaled(name, pair: Pair, factor: float):
    assert DISTANCES[name].of(pair[0], pair[1] * factor) == pytest.approx(DISTANCES[name].of(*pair), abs=1e-6)


@given(pair=some, third=counts)
def test_true_metrics_keep_the_triangle(pair: Pair, third):
    if third.sum() > 1e-3:
        for name in ("tvd", "jsd", "wasserstein"):
            of = DISTANCES[name].of
            assert of(pair[0], pair[1]) <= of(pair[0], third) + of(third, pair[1]) + 1e-7


@given(pair=some)
def test_a_grid_and_a_weighted_sample_agree(pair: Pair):
    places = np.arange(len(pair[0])) * 0.5
    assert wasserstein_1d(places, places, pair[0], pair[1]) == pytest.approx(
        wasserstein_grid(*pair, step=0.5), abs=1e-9
    )


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20), st.floats(-50, 50))
def test_moving_a_sample_costs_what_it_is_moved_by(sample, shift):
    assert wasserstein_1d(sample, np.asarray(sample) + shift) == pytest.approx(abs(shift), abs=1e-6)


def test_cpc_with_totals_as_they_are():
    assert cpc([3, 1], [1, 1]) == pytest.approx(2 / 3)
    assert (cpc([1, 0], [0, 1]), cpc([2, 3], [2, 3]), cpc([0], [0])) == (0.0, 1.0, 1.0)


@pytest.mark.parametrize("name", ["tvd", "jsd", "cpc", "cpl", "wasserstein", "geh"])
def test_two_empty_sides_agree_and_one_empty_side_is_the_worst(name):
    distance = DISTANCES[name]
    assert distance.of([0, 0], [0, 0]) == distance.best
    assert distance.of([100, 0], [0, 0]) == WORST[name]


def test_wmape_without_truth():
    assert DISTANCES["wmape"].of([0.0], [0.0]) == 0
    assert DISTANCES["wmape"].of([0.0], [1.0]) == math.inf


@pytest.mark.parametrize("distance", DISTANCES.values(), ids=lambda d: d.name)
@pytest.mark.parametrize(
    "bad", [([1, -1], [1, 1]), ([1, math.nan], [1, 1]), ([math.inf, 1], [1, 1]), ([1, 2], [1, 2, 3])]
)
def test_what_is_not_a_pair_of_counts_is_refused(distance, bad):
    with pytest.raises(InputError):
        distance.of(*bad)


@pytest.mark.parametrize("bad", [([], [1.0]), ([math.nan], [1.0]), ([1.0], [math.inf])])
def test_what_is_not_a_pair_of_samples_is_refused(bad):
    with pytest.raises(InputError):
        wasserstein_1d(*bad)
    with pytest.raises(InputError):
        wasserstein_1d([1.0, 2.0], [1.0], truth_weights=[1.0])


def test_directions_are_declared():
    assert {d.name for d in DISTANCES.values() if d.better == "higher"} == {"cpc", "cpl", "geh"}
