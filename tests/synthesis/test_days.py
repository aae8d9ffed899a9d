"""Every person-day is a day: whole, in order, at the right places, and as the model's laws have it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import handmade
import numpy as np
import pytest
from handmade import HOME, OUTSIDE, WORK

from synthmob.domain import DAY_TYPES
from synthmob.period import Period
from synthmob.synthesis.days import Block, Population, generate

PERSONS, DAYS = 6_000, 4
LAST_TRIP_MIN, LAST_LEFT = 1439, 12


@pytest.fixture(scope="module")
def population() -> Population:
    return generate(handmade.model(), n_persons=PERSONS, days=DAYS, seed=11)


@pytest.fixture(scope="module")
def block(population: Population) -> Block:
    return population.block(0)


def length_of_days(block: Block) -> Any:
    """Stays of every person-day, in order."""
    first = np.flatnonzero(block.stays.seq == 0)
    return np.diff(np.append(first, len(block.stays.seq)))


def chosen(block: Block, kinds: Any) -> Any:
    """Which chain of the model every person-day has, shape (persons, days)."""
    ends = np.cumsum(length_of_days(block))
    days = [tuple(block.stays.purpose[a:b].tolist()) for a, b in zip(np.append(0, ends[:-1]), ends, strict=True)]
    table = [handmade.WEEKDAYS, handmade.WEEKENDS]
    return np.array([table[kinds[k % DAYS]].index(day) for k, day in enumerate(days)]).reshape(PERSONS, DAYS)


def test_every_person_day_runs_from_midnight_to_midnight(block: Block) -> None:
    s, n = block.stays, length_of_days(block)
    assert len(n) == PERSONS * DAYS
    assert np.array_equal(s.person, np.repeat(np.arange(PERSONS), n.reshape(PERSONS, DAYS).sum(axis=1)))
    assert np.array_equal(s.day, np.repeat(np.tile(np.arange(DAYS), PERSONS), n))
    assert np.array_equal(s.seq, np.concatenate([np.arange(k) for k in n]))
    last = np.append(s.seq[1:] == 0, True)
    assert (s.start[s.seq == 0] == 0).all() and (s.end[last] == 1440).all()
    assert (s.end > s.start).all() and (s.start[1:] > s.end[:-1])[~last[:-1]].all()


def test_home_is_home_and_places_are_zones(block: Block) -> None:
    s = block.stays
    assert (s.zone[s.purpose == HOME] == block.people.home[s.person[s.purpose == HOME]]).all()
    assert s.zone.min() >= 0 and s.zone.max() == OUTSIDE
    assert (block.people.work[np.unique(s.person[s.purpose == WORK])] >= 0).all()


def test_chains_are_as_frequent_as_in_their_class(population: Population, block: Block) -> None:
    found = chosen(block, population.day_types)
    for day, kind in enumerate(population.day_types):
        law = population.model.routines.chains[kind].by_class
        for worker in (0, 1):
            mine = block.people.klass % 2 == worker
            want = law[worker] / law[worker].sum()
            share = np.bincount(found[mine, day], minlength=len(want)) / mine.sum()
            assert (share[want == 0] == 0).all()
            # The days of this model end and begin so differently that most people change over: their chains are drawn anew.
            assert np.abs(share - want).max() < (0.01 if day == 0 else 0.02), (day, worker)


def test_work_stays_are_at_the_own_work_place_at_the_stated_rate() -> None:
    model = handmade.model()
    only = np.array(model.flows.attraction)
    only[WORK] = np.eye(6)[4]  # whoever works elsewhere works in zone 4
    made = generate(replace(model, flows=replace(model.flows, attraction=only)), n_persons=PERSONS, days=DAYS, seed=2)
    s, people = made.block(0).stays, made.block(0).people
    work = (s.purpose == WORK) & (people.work[s.person] != 4)
    own = s.zone == people.work[s.person]
    assert (own | (s.zone == 4))[work].all()
    weekday = made.day_types[s.day] == 0
    first = s.seq == 1
    rates = (own[work & first & weekday].mean(), own[work & ~first & weekday].mean(), own[work & ~weekday].mean())
    assert rates == pytest.approx((0.75, 0.5, 1.0), abs=0.03)


def test_departures_and_durations_follow_their_laws(population: Population, block: Block) -> None:
    s = block.stays
    found = chosen(block, population.day_types)
    chain = np.repeat(found.ravel(), length_of_days(block))
    weekday = population.day_types[s.day] == 0
    # Home-work-home leaves from quarter 28 on, the k-th of ten quarters with weight k.
    leaves = s.end[(s.seq == 0) & weekday & (chain == 1)] // 15 - 28
    share = np.bincount(leaves, minlength=10) / len(leaves)
    assert len(share) == 10 and share == pytest.approx(np.arange(1, 11) / 55, abs=0.03)
    # Its work stay has the second row of durations: weight 9 on ten bins, 1 on the others.
    work = (s.seq == 1) & weekday & (chain == 1)
    edges = np.array(handmade.DOMAIN.duration_edges_min)
    bins = np.searchsorted(edges, (s.end - s.start)[work], side="right") - 1
    early = (s.start[work] < 660) & (bins < 20)  # before the day's end can cut the law
    share = np.bincount(bins[early], minlength=20)[:20] / early.sum()
    want = np.where((np.arange(20) >= 5) & (np.arange(20) < 15), 9.0, 1.0)
    assert share == pytest.approx(want / want.sum(), abs=0.03)


def test_trips_take_the_time_of_their_distance(population: Population, block: Block) -> None:
    s = block.stays
    after = np.flatnonzero(s.seq > 0)
    took = (s.start[after] - s.end[after - 1]).astype(int)
    band = population.geography.bands[s.zone[after - 1], s.zone[after]]
    edges = np.append(handmade.DOMAIN.travel_edges_min, 240)
    left = 1440 - s.end[after - 1] > 300  # enough of the day left for any travel time
    for k in np.unique(band):
        law = population.model.routines.travel[k]
        mine = took[(band == k) & left]
        share = np.bincount(np.searchsorted(edges, mine, side="right") - 1, minlength=len(law)) / len(mine)
        assert np.abs(share - law / law.sum())[1:].max() < 5 * np.sqrt(0.25 / len(mine)), k
        assert mine.min() >= 1 and mine.max() < 240


@pytest.mark.parametrize(
    ("first_day", "measured", "want"),
    [
        ("2026-03-05", 3, "Thu Fri Sat Sun Mon Tue Wed Thu Fri Sat Sun"),
        ("2026-03-07", 1, "Sat Sun Mon Tue Wed Thu Fri Sat Sun Mon Tue"),
        ("2026-03-02", 7, "Mon Tue Wed Thu Fri Sat Sun Mon Tue Wed Thu"),
    ],
)
def test_days_past_the_period_go_on_with_its_calendar(first_day: str, measured: int, want: str) -> None:
    model = handmade.model(period=Period.of(first_day, measured), day_type_of=(0, 1, 2))
    names = want.split()
    made = generate(model, n_persons=1, days=len(names), seed=1)
    assert [DAY_TYPES[k] for k in made.day_types] == [{"Sat": "saturday", "Sun": "sunday"}.get(n, "weekday") for n in names]
    for day in range(measured):
        assert made.day_types[day] == model.period.day_type(day)


def test_a_day_type_that_was_not_measured_borrows_the_row_it_is_given() -> None:
    made = generate(handmade.model(), n_persons=1, days=5, seed=1)
    assert made.day_types.tolist() == [0, 0, 1, 1, 0]
    assert replace(made, model=handmade.model(day_type_of=(1, 0, 1))).day_types.tolist() == [1, 1, 0, 1, 1]
