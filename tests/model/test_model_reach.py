"""Reach: a planted difference between evenings and mornings, short stays and long ones, is found again, and only where there is one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_model_flows import BANDS, HOME, LEISURE, LEVELS, PLACE, PURPOSES, SHOP, WORK, WORK_ANCHOR, far, lives, marginal, planted, released

from synthmob.counts.reach import DEPARTURES
from synthmob.model import reach
from synthmob.model.chains import MAX_STAYS
from synthmob.model.expectation import Expectation, Flows, expectation
from synthmob.model.flows import begin, go_on
from synthmob.model.lives import Lives, Times
from synthmob.model.reconcile import Noisy
from synthmob.model.timing import BY_CLOCK, QUARTERS, Timing

EDGES = np.array([0, 20, 45, 90, 240, 1440])
MINUTES = np.tile(np.linspace(5.0, 30.0, 26), (BANDS, 1)) + np.arange(BANDS)[:, None]


def timed(n: int, seed: int) -> Lives:
    """Lives that leave home at any hour, and stay as long as they like."""
    some, rng = lives(n, seed), np.random.default_rng(seed)
    later = np.where(rng.random((n, MAX_STAYS)) < 0.5, rng.integers(0, 3, (n, MAX_STAYS)), BY_CLOCK + rng.integers(50, 96, (n, MAX_STAYS)))
    schedules = np.where(np.arange(MAX_STAYS) > 0, later, rng.integers(20, 80, (n, 1)))
    return replace(some, times=Times(schedules.astype(np.int16), MINUTES, EDGES))


def evenings() -> Flows:
    """People go far for leisure in the evening and for a long stay, and to shops near by in the morning, and nearer from errands."""
    flows, band = planted(3), np.arange(BANDS)
    departing, lasting, origins = (np.ones_like(factor) for factor in flows.reach)
    departing[LEISURE, 4:], lasting[LEISURE, 3] = np.exp(0.7 * band), np.exp(0.7 * band)
    departing[SHOP, :3], lasting[SHOP, 0], origins[SHOP, 2] = np.exp(-0.7 * band), np.exp(-0.5 * band), np.exp(-0.9 * band)
    return replace(flows, departing=departing, lasting=lasting, origins=origins)


def tables_of(found: Expectation, weight: float) -> dict[str, Any]:
    sums = zip(reach.TABLES, reach.apart(found.reached, found.usual_min), strict=True)
    return released(found, weight) | {name: marginal(name, table * weight, "purpose", "kind", "distance") for name, table in sums}


@given(st.integers(1, 1439), st.integers(0, 6), st.integers(0, 4), st.integers(0, QUARTERS - 1), st.booleans(), st.booleans())
@example(600, 0, 0, 48, True, False)
@example(600, 0, 0, 46, True, False)
@example(600, 0, 0, 45, True, False)
@example(1300, 3, 0, 0, False, True)
def test_rows_tell_the_part_of_the_day_and_how_long_it_is_until_people_go_on(
    clock: int, before: int, bin_: int, quarter: int, by_clock: bool, last: bool
) -> None:
    entry = BY_CLOCK + quarter if by_clock else bin_
    row, usual = reach.rows(np.array([clock]), np.array([before]), np.array([entry]), np.array([last]), EDGES), np.array([0.0, 40.0, 200.0])
    told = np.array([[int(reach.kinds(row, np.array([band]), name, usual)[0]) for name in reach.TABLES] for band in range(3)])
    assert (told[:, 0] == sum(clock >= 60 * hour for hour in range(9, 22, 2))).all() and (told[:, 2] == min(before, 2)).all()
    if not (last or by_clock):
        assert (told[:, 1] == int(EDGES[bin_] >= 45)).all()
        return
    away = 1440 - clock if last else 15 * quarter + 7 - clock
    near, middling, far = told[:, 1]
    assert (near == 3) == (middling == 3) == (far == 3) == (away >= 180)
    if away < 180:
        assert near == (1 if away < 90 else 2) and middling == (0 if away < 90 else 1 if away < 120 else 2) and far == 0


def test_a_stay_gets_what_the_way_there_leaves() -> None:
    """Of two hours away: nearly all of it next door, and next to nothing of it where the way takes as long."""
    of_two_hours = 2 + sum(edge <= 120 for edge in reach.SPAN_EDGES_MIN)
    found = reach.lastings(np.array([5.0, 50.0, 95.0, 130.0]))
    assert found.shape == (reach.SPANS, 4) and found[of_two_hours].tolist() == [2, 1, 0, 0]
    assert (found[0] == 0).all() and (found[1] == 1).all() and (found[-1] == 3).all()


def test_factors_are_joined_and_sums_taken_apart() -> None:
    rng, usual = np.random.default_rng(1), np.array([1.0, 20.0, 50.0, 80.0])
    factors = [rng.random((3, kinds, 4)) for kinds in reach.KINDS]
    joint, lasting = reach.joined(factors, usual), reach.lastings(usual)
    assert (joint[:, reach.ROWS] == 1).all()
    sums = [np.zeros_like(factor) for factor in factors]
    for (departure, span, origin), row in zip(np.ndindex(8, reach.SPANS, 3), range(reach.ROWS), strict=True):
        for band in range(4):
            of_all = factors[0][:, departure, band] * factors[1][:, lasting[span, band], band] * factors[2][:, origin, band]
            assert joint[:, row, band] == pytest.approx(of_all)
            for total, kind in zip(sums, (departure, lasting[span, band], origin), strict=True):
                total[:, kind, band] += of_all
    for found, want in zip(reach.apart(joint, usual), sums, strict=True):
        assert found == pytest.approx(want)


def test_expectations_follow_the_rows_of_the_stays() -> None:
    """One life that leaves at 20:00 for a shop and stays till midnight."""
    schedules = np.full((1, MAX_STAYS), -1, np.int16)
    schedules[0, 0] = 80
    one = Lives(np.array([3]), np.array([-1]), np.array([[HOME, SHOP]], dtype=np.int8), np.array([2]), 1.0)
    flows, row = evenings(), int(np.ravel_multi_index((6, reach.SPANS - 1, 0), (8, reach.SPANS, 3)))
    flows.departing[SHOP, 6], flows.lasting[SHOP, 3] = np.linspace(1.0, 2.0, BANDS), np.linspace(1.0, 3.0, BANDS)
    found = expectation(flows, PLACE, replace(one, times=Times(schedules, MINUTES, EDGES)), np.ones(4))
    plain = expectation(flows, PLACE, one, np.ones(4)).destinations[SHOP]
    pull = np.linspace(1.0, 2.0, BANDS)[PLACE.bands[3]] * np.linspace(1.0, 3.0, BANDS)[PLACE.bands[3]]
    assert found.destinations[SHOP] == pytest.approx(plain * pull / (plain * pull).sum())
    assert found.reached[SHOP, row].sum() == pytest.approx(1.0) and found.reached.sum() == pytest.approx(1.0)
    assert found.visits.reach.tolist() == [reach.ROWS, row]


def test_a_difference_between_hours_is_found_again() -> None:
    truth, made_of, fitted_on = evenings(), timed(8_000, 4), timed(4_000, 6)
    want = expectation(truth, PLACE, made_of, WORK_ANCHOR)
    tables = tables_of(want, made_of.weight)
    begun = begin(tables, LEVELS, PLACE, replace(fitted_on, times=None), WORK_ANCHOR, PURPOSES, goes_on=1)
    fitted, _ = go_on(begun, tables, LEVELS, PLACE, fitted_on, WORK_ANCHOR, np.full(PURPOSES, np.inf))
    other = timed(4_000, 8)
    got, plain = (expectation(flows, PLACE, other, WORK_ANCHOR) for flows in (fitted, begun.flows))
    apart = 0
    for purpose in (SHOP, LEISURE):
        for exact, found, without in zip(*(reach.apart(e.reached, e.usual_min) for e in (want, got, plain)), strict=True):
            for kind in range(exact.shape[1]):
                if exact[purpose, kind].sum() < 300:
                    continue
                assert far(found[purpose, kind], exact[purpose, kind]) < 0.06
                apart += far(without[purpose, kind], exact[purpose, kind]) > 0.1
    assert apart >= 8
    for purpose in (SHOP, LEISURE):  # and what was met without hours still is
        assert far(got.destinations[purpose], want.destinations[purpose]) < 0.05
        assert far(got.distances[3 * purpose : 3 * purpose + 3], want.distances[3 * purpose : 3 * purpose + 3]) < 0.06


def test_who_goes_outside_does_so_at_hours_of_their_own() -> None:
    """For long stays, and in the morning: attraction alone would send people out for a coffee at midnight."""
    truth, made_of, fitted_on = planted(3), timed(8_000, 4), timed(4_000, 6)
    truth.attraction[:, -1] = 0.8
    departing, lasting = np.ones_like(truth.departing), np.ones_like(truth.lasting)
    lasting[LEISURE, 3, -1], departing[LEISURE, 5:, -1] = 10.0, 0.2
    truth = replace(truth, departing=departing, lasting=lasting)
    want = expectation(truth, PLACE, made_of, WORK_ANCHOR)
    tables = tables_of(want, made_of.weight)
    begun = begin(tables, LEVELS, PLACE, replace(fitted_on, times=None), WORK_ANCHOR, PURPOSES, goes_on=1)
    fitted, _ = go_on(begun, tables, LEVELS, PLACE, fitted_on, WORK_ANCHOR, np.full(PURPOSES, np.inf))
    exact, found = (reach.apart(expectation(f, PLACE, timed(4_000, 8), WORK_ANCHOR).reached, MINUTES.mean(axis=1))[1][LEISURE]
                    for f in (truth, fitted))  # fmt: skip
    outside = [table[:, -1] / table.sum(axis=1) for table in (exact, found)]
    assert outside[1] == pytest.approx(outside[0], abs=0.03) and outside[0][3] > 3 * outside[0][1]


def test_hours_that_are_alike_leave_the_factors_at_one_and_work_has_none() -> None:
    found = expectation(planted(2), PLACE, timed(4_000, 5), WORK_ANCHOR)
    for same in reach.apart(found.reached, found.usual_min):
        ones = np.ones(same.shape)
        assert reach.pulled(ones, same * 7.0, same) == pytest.approx(ones, abs=1e-9)  # how many stays there are is not for them to say
        tilted = same * np.linspace(0.5, 2.0, same.shape[1])[:, None] ** np.linspace(-1.0, 1.0, BANDS)
        moved = reach.pulled(ones, tilted, same)
        assert (moved[: WORK + 1] == 1).all() and np.ptp(moved[SHOP]) > 0.1


def test_a_noisy_table_is_believed_as_far_as_it_can_be() -> None:
    rng, sigma, cut = np.random.default_rng(3), 40.0, 130.0
    exact = rng.gamma(2.0, 300.0, (PURPOSES, DEPARTURES, BANDS))
    expected = exact * rng.gamma(30.0, 1 / 30.0, exact.shape)
    seen = exact + rng.normal(0, sigma, exact.shape)
    found = reach.believed(expected, Noisy(np.where(seen >= cut, seen, np.nan), sigma, cut))[SHOP:]
    for other in (expected * exact.sum() / expected.sum(), np.where(seen >= cut, seen, 0.0)):
        assert np.abs(found - exact[SHOP:]).sum() < 0.95 * np.abs(other[SHOP:] - exact[SHOP:]).sum()
    nothing = reach.believed(expected, Noisy(np.full(exact.shape, np.nan), sigma, 1e9))
    assert nothing == pytest.approx(expected, rel=1e-3)


def test_schedules_are_those_of_the_chain() -> None:
    n = 30_000
    numbered = np.arange(5, dtype=np.int16)[:, None] * np.ones(MAX_STAYS, np.int16)
    law = Timing(numbered, np.array([1.0, 3.0, 0.0, 2.0, 2.0]), np.array([0, 2, 5]))
    chain = np.arange(n) % 2
    some = Lives(np.zeros(n, int), np.full(n, -1), np.zeros((n, 1), np.int8), np.ones(n, int), 1.0, chain=chain)
    drawn = some.timed((law,), some.drawn((law,))[:, 0], MINUTES, EDGES).times
    assert drawn is not None
    first = [np.bincount(drawn.schedules[chain == c, 0], minlength=5) / (n / 2) for c in (0, 1)]
    assert first[0] == pytest.approx([0.25, 0.75, 0, 0, 0], abs=0.015) and first[1] == pytest.approx([0, 0, 0, 0.5, 0.5], abs=0.015)
    with pytest.raises(ValueError, match="chains are not known"):
        replace(some, chain=None).drawn((law,))
