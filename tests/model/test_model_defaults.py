"""The stated days of a release without days: out to work once on weekdays, at the stated times."""

from __future__ import annotations

import re

import handmade
import numpy as np
import pytest

from synthmob.model import defaults
from synthmob.model.mobility import MobilityModel
from synthmob.synthesis.days import generate


@pytest.fixture(scope="module")
def model() -> MobilityModel:
    people = np.ones((len(handmade.DOMAIN.sex), len(handmade.DOMAIN.age_band), 2))
    return handmade.model(routines=defaults.commuter_days(handmade.DOMAIN, people), day_type_of=(0, 1, 2))


def test_days_are_what_the_statement_says(model: MobilityModel) -> None:
    made = generate(model, n_persons=8_000, days=3, seed=1)
    block = made.block(0)
    s, works = block.stays, block.people.work >= 0
    weekday = s.day < 2
    assert set(np.unique(s.purpose)) == {0, 1} and not (s.purpose[~weekday] == 1).any()
    at_work = s.purpose == 1
    assert np.bincount(s.person[at_work & (s.day == 0)], minlength=8_000).tolist() == works.astype(int).tolist()
    assert (s.zone[at_work] == block.people.work[s.person[at_work]]).all()
    leaves = s.end[(s.seq == 0) & weekday & works[s.person]]
    assert leaves.mean() == pytest.approx(defaults.LEAVE_MEAN_MIN, abs=3) and leaves.std() == pytest.approx(50, abs=3)
    lasts = (s.end - s.start)[at_work]
    assert lasts.mean() == pytest.approx(defaults.WORK_MEAN_MIN, abs=5) and lasts.std() == pytest.approx(50, abs=4)


def test_trips_go_at_the_stated_speed(model: MobilityModel) -> None:
    made = generate(model, n_persons=8_000, days=1, seed=2)
    s = made.block(0).stays
    after = np.flatnonzero(s.seq > 0)
    took, km = s.start[after] - s.end[after - 1], model.zoning.distances_km(s.zone[after - 1], s.zone[after])
    for low, high in ((0.5, 1.0), (1.0, 2.0), (9.0, 16.0)):
        mine = (km >= low) & (km < high)
        want = defaults.OVERHEAD_MIN + km[mine].mean() / defaults.SPEED_KM_PER_H * 60
        assert mine.sum() > 100 and took[mine].mean() == pytest.approx(want, rel=0.2)


def test_the_statement_has_the_numbers_in_it() -> None:
    said = re.findall(r"[\d.]+", defaults.STATEMENT.replace(":", ""))
    hours, minutes = divmod(defaults.LEAVE_MEAN_MIN, 60)
    assert f"{hours:02.0f}{minutes:02.0f}" in said and {"50", "18", "8"} <= set(said)
