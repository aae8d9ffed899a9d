"""Day types: a planted difference between days is found again, and what days have in common is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_model_flows import BANDS, LEISURE, LEVELS, PLACE, PURPOSES, SHOP, WORK_ANCHOR, far, lives, marginal, planted, released

from synthmob.counts.flows import HEADINGS
from synthmob.model import daytypes
from synthmob.model.expectation import Expectation, Flows, day_rows, expectation
from synthmob.model.flows import fit_flows
from synthmob.model.lives import Lives

TYPES = (0, 0, 1)


def week(n: int, seed: int) -> Lives:
    """The same people on two days of one type and one of the other."""
    some, drawn = lives(n, seed), lives(n * len(TYPES), seed + 1)
    work = np.repeat(some.work, len(TYPES))
    return Lives(np.repeat(some.home, len(TYPES)), work, drawn.purposes, drawn.lengths, 50_000 / (n * len(TYPES)), len(TYPES), TYPES)


def sundays() -> Flows:
    """On days of the second type people go four times as often to places some bands off."""
    daily = np.ones((2, PURPOSES, BANDS))
    daily[1, LEISURE, 2:6], daily[1, SHOP, :2] = 4.0, 0.5
    return replace(planted(3), daily=daily)


def by_day(found: Expectation, day_type: int, p: int) -> np.ndarray:
    return daytypes.by_purpose(found.daily_distances)[day_type, p]


def test_a_difference_between_day_types_is_found_again() -> None:
    truth, made_of, fitted_on = sundays(), week(8_000, 4), week(3_000, 6)
    want = expectation(truth, PLACE, made_of, WORK_ANCHOR)
    tables = released(want, made_of.weight)
    daily = daytypes.by_purpose(want.daily_distances) * made_of.weight / daytypes.days(made_of, 2)
    daily[:, 0] = 0
    tables["trip_km"] = marginal("trip_km", daily, "day_type", "purpose", "distance")
    fitted = fit_flows(tables, LEVELS, PLACE, fitted_on, WORK_ANCHOR, PURPOSES, day_types=2)
    other = week(3_000, 8)
    got = expectation(fitted, PLACE, other, WORK_ANCHOR)
    alike = expectation(replace(fitted, daily=np.ones_like(fitted.daily)), PLACE, other, WORK_ANCHOR)
    for p in (SHOP, LEISURE):
        for day_type in (0, 1):
            assert far(by_day(got, day_type, p), by_day(want, day_type, p)) < 0.03
        assert far(by_day(alike, 1, p), by_day(want, 1, p)) > 0.06
    assert far(got.distances[HEADINGS:], want.distances[HEADINGS:]) < 0.05


def test_days_that_are_alike_leave_the_factors_at_one() -> None:
    some = week(4_000, 5)
    found = expectation(replace(planted(2), daily=np.ones((2, PURPOSES, BANDS))), PLACE, some, WORK_ANCHOR)
    same = daytypes.by_purpose(found.daily_distances)
    pulled = daytypes.pulled(np.ones(same.shape), same * 7.0, found)  # how many trips there are is not for them to say
    assert pulled == pytest.approx(np.ones(same.shape), abs=1e-6)


def test_rows_of_day_types_are_products() -> None:
    flows = sundays()
    rows = day_rows(flows.deterrence, flows.daily).reshape(2, PURPOSES, HEADINGS, BANDS, BANDS)
    assert rows[1, LEISURE, 1, 3, 4] == pytest.approx(4.0 * flows.deterrence[HEADINGS * LEISURE + 1, 3, 4])
    assert np.array_equal(rows[0].reshape(flows.deterrence.shape), flows.deterrence)
