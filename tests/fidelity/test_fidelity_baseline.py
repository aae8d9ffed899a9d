"""The naive baseline: exact one-way marginals, nothing joint, whole days, the same for the same seed."""

from __future__ import annotations

import hand_town as town
import numpy as np
import pandas as pd
import pytest

from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.errors import InputError
from synthmob.fidelity.baseline import baseline, draw
from synthmob.fidelity.sides import Tables, open_side
from synthmob.period import Period

N = 20_000
WEEKEND = Period.of("2026-03-07", 2)


def _side(people=town.TRUTH, period=town.WEEKDAY, tables=None):
    given = tables or town.tables(people)
    return open_side(connect(), given, town.zoning(), Domain(), period, name="truth")


@pytest.fixture(scope="module")
def naive() -> Tables:
    made = baseline(_side(), N, seed=1)
    return Tables(made.persons.to_pandas(), made.stays.to_pandas())


def _share(column: pd.Series) -> dict[str, float]:
    return column.value_counts(normalize=True).to_dict()


def test_one_way_marginals_are_those_of_the_truth(naive):
    """20,000 draws: a share of a half is within .02 but for one time in 10^8."""
    persons, stays = naive.persons, naive.stays
    assert _share(persons.sex) == pytest.approx({"female": 0.5, "male": 0.5}, abs=0.02)
    assert _share(persons.age_band) == pytest.approx({"25-34": 0.25, "35-44": 0.25, "65+": 0.5}, abs=0.02)
    assert _share(persons.worker) == pytest.approx({"yes": 0.5, "no": 0.5}, abs=0.02)
    assert _share(persons.home_zone) == pytest.approx({"a": 0.5, "b": 0.25, "c": 0.25}, abs=0.02)
    assert _share(persons.work_zone.dropna()) == pytest.approx({"b": 0.5, "c": 0.5}, abs=0.02)
    days = stays.groupby("person_id").purpose.agg("-".join)
    assert _share(days) == pytest.approx({"home-work-home": 0.5, "home-shop-home": 0.5}, abs=0.02)


def test_nothing_is_joint(naive):
    """In the truth all people of 65 and more do not work and all others do; here one does not tell the other."""
    works = naive.persons.worker[naive.persons.age_band == "65+"]
    assert (works == "yes").mean() == pytest.approx(0.5, abs=0.03)


def test_home_stays_are_at_home_and_work_stays_at_work_where_there_is_one(naive):
    joined = naive.stays.merge(naive.persons, on="person_id")
    home, work = joined[joined.purpose == "home"], joined[joined.purpose == "work"]
    assert (home.zone_id == home.home_zone).all()
    employed = work[work.work_zone.notna()]
    assert len(employed) > 1000
    assert (employed.zone_id == employed.work_zone).all()
    assert set(work.zone_id[work.work_zone.isna()]) == {"b", "c"}
    assert set(joined.zone_id[joined.purpose == "shop"]) == {"c"}


def test_days_run_from_0_to_1440_without_a_gap(naive):
    by_day = naive.stays.groupby(["person_id", "day"])
    assert (by_day.start_min.min() == 0).all()
    assert (by_day.end_min.max() == 1440).all()
    assert (naive.stays.end_min > naive.stays.start_min).all()
    later = naive.stays.seq > 0
    assert (naive.stays.start_min[later].to_numpy() == naive.stays.end_min.shift()[later].to_numpy()).all()


def test_crowded_days_keep_a_minute_for_every_stay():
    """Twelve stays that all begin at the last minutes of a day leave room for each other."""
    stays = [("home", "a", 0, 1428), *(("shop", "c", 1428 + k, 1429 + k) for k in range(12))]
    made = baseline(_side([("male", "65+", "a", None, stays)]), 500, seed=2).stays.to_pandas()
    assert (made.end_min > made.start_min).all()
    assert made.groupby("person_id").size().unique().tolist() == [13]


def test_same_seed_same_people():
    side = _side()
    assert baseline(side, 300, seed=4).stays.equals(baseline(side, 300, seed=4).stays)
    assert not baseline(side, 300, seed=4).stays.equals(baseline(side, 300, seed=5).stays)


def test_each_day_has_the_chains_of_its_type():
    saturday, sunday = (town.tables(people, day=day) for day, people in enumerate((town.ONE_SORT, town.OTHER_SORT)))
    stays = pd.concat([saturday.stays, sunday.stays])
    made = baseline(_side(period=WEEKEND, tables=Tables(saturday.persons, stays)), 50, seed=3).stays.to_pandas()
    days = made.groupby(["day", "person_id"]).purpose.agg("-".join).reset_index()
    assert {day: set(part.purpose) for day, part in days.groupby("day")} == {0: {"home-work"}, 1: {"home-shop-shop"}}


def test_unknown_homes_stay_unknown_and_outside_stays_outside():
    people = [("male", "65+", "unknown", None, [("home", "b", 0, 600), ("shop", None, 620, 1440)])]
    made = baseline(_side(people), 40, seed=1)
    assert set(made.persons["home_zone"].to_pylist()) == {"unknown"}
    stays = made.stays.to_pandas()
    assert set(stays.zone_id[stays.purpose == "home"]) == {"b"}
    assert stays.zone_id[stays.purpose == "shop"].isna().all()


def test_an_empty_marginal_cannot_be_drawn_from():
    with pytest.raises(InputError, match="A marginal of the truth is empty"):
        draw(np.zeros(3), np.array([0.5]))
