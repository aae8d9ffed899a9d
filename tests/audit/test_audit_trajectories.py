"""Trajectories are recovered from exact counts of few people, and not from what the mechanism publishes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from disclosure_people import DAYS, SUBSCRIBERS, by_chance, exactly, operator, quiet, released, tables, trial
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import FRIDAY_ON, MONDAY, town

from synthmob.audit import recovery, trajectories
from synthmob.audit.evidence import Evidence
from synthmob.audit.whereabouts import NOWHERE, Stays, codes, stays_of
from synthmob.domain import Axis, Domain
from synthmob.marginals import Marginal

LINE = np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [21.0, 0.0]])


def counted(truth: np.ndarray, n_places: int) -> np.ndarray:
    return np.stack([np.bincount(hour, minlength=n_places) for hour in truth.T])


@settings(max_examples=30)
@given(st.integers(1, 8), st.integers(1, 3), st.integers(0, 2**20))
def test_recovered_people_are_as_many_as_were_counted(people: int, days: int, seed: int) -> None:
    truth = np.random.default_rng(seed).integers(len(LINE), size=(people, 24 * days))
    paths = recovery.recover(counted(truth, len(LINE)), LINE)
    assert paths.shape == truth.shape
    assert (counted(paths, len(LINE)) == counted(truth, len(LINE))).all()
    right = recovery.matched(paths, truth)
    assert ((right >= 0) & (right <= 1)).all()
    assert recovery.matched(truth[::-1], truth).tolist() == [1.0] * people


def test_a_commuter_is_followed_by_hand() -> None:
    """Two people stay at 0 and 10 km; one goes from 20 to 21 km for the day: the nearest there is."""
    truth = np.array([[0] * 24, [1] * 24, [2] * 8 + [3] * 9 + [2] * 7])
    assert recovery.recover(counted(truth, 4), LINE).tolist() == truth.tolist()


def test_people_return_to_where_they_were() -> None:
    """Of two who meet at place 1, one came from 0 and one from 3; 2 is nearer to 1 than 3 is, but nobody was there."""
    truth = np.array([[0] * 8 + [1] * 6 + [0] * 10, [3] * 8 + [1] * 6 + [3] * 10])
    assert recovery.matched(recovery.recover(counted(truth, 4), LINE), truth).tolist() == [1.0, 1.0]


def test_days_are_linked_by_the_places_they_share() -> None:
    """Each spends the mornings of both days in a place of their own, and wakes up somewhere else on the second."""
    first = np.array([[0] * 24, [1] * 24, [2] * 24])
    second = np.array([[0] * 20 + [1] * 4, [1] * 20 + [2] * 4, [2] * 20 + [0] * 4])
    paths = recovery.recover(counted(np.hstack([first, second[[2, 0, 1]]]), 4), LINE)
    assert sorted(map(tuple, paths[:, [0, 24]])) == [(0, 0), (1, 1), (2, 2)]


def test_the_match_by_hand() -> None:
    """Overlaps of 3 and 2, and of 3 and 0 of 5 hours: the best pairs are 2 + 3, though 3 is the first person's own best."""
    truth = np.array([[0, 0, 0, 1, 1], [0, 0, 0, 2, 2]])
    paths = np.array([[0, 0, 0, 3, 3], [4, 4, 4, 1, 1]])
    assert recovery.matched(paths, truth).tolist() == [0.4, 0.6]
    assert sorted(recovery.matched(paths[:1], truth)) == [0.0, 0.6]


def test_whereabouts_by_hand() -> None:
    persons, stays = tables(
        [(7, "male", "16-24", "no", "z1", None), (3, "female", "65+", "no", "z0", None)],
        [(3, 0, 0, "home", "z0", 0, 90, None), (3, 0, 1, "shop", None, 150, 1440, None),
         (7, 1, 1, "home", "z1", 200, 1440, None), (7, 1, 0, "other", "z2", 0, 150, None)])  # fmt: skip
    found = stays_of(persons, stays, town(), Domain())
    assert found.person.tolist() == [0, 0, 1, 1] and found.day.tolist() == [1, 1, 0, 0]
    assert found.purpose.tolist() == [5, 0, 0, 3] and found.first_of_day.tolist() == [True, False, True, False]
    at = found.hourly(2)
    outside = town().n_zones
    assert at[1, :4].tolist() == [0, NOWHERE, outside, outside] and at[1, 24:].tolist() == [NOWHERE] * 24  # 90 ends before half past
    assert at[0, 24:29].tolist() == [2, 2, NOWHERE, 1, 1]
    carried = found.hourly(2, carried=True)
    assert carried[1, :3].tolist() == [0, 0, outside] and carried[0, 26] == 2 and carried[1, 24] == NOWHERE
    assert Stays.hourly(found, 1).shape == (2, 24)
    assert codes(persons["sex"].dictionary_encode(), ("female", "male"), -1).tolist() == [1, 0]


def presence(level: str, values: dict[tuple[int, int, int], float], day_types: tuple[str, ...]) -> Marginal:
    axes = (Axis("day_type", day_types), Axis("hour", tuple(f"{h:02d}" for h in range(24))), Axis("zone", town().level_labels(level)))
    return Marginal.of(f"presence@{level}", axes, list(values), list(values.values()), sigma=1.0)


def test_what_an_attacker_takes_presence_for_by_hand() -> None:
    """The zones z0 to z11 of the town lie by turns two and two in d0 and d1."""
    zoning = town()
    zones = presence("zone", {(0, 8, 0): 30.0, (1, 8, 1): 10.0}, FRIDAY_ON.day_types)
    districts = presence("district", {(0, 8, 0): 80.0, (0, 8, 1): 20.0}, FRIDAY_ON.day_types)
    found = trajectories.guessed({"presence@zone": zones, "presence@district": districts}, zoning, FRIDAY_ON, 100)
    assert found.shape == (24 * 4, 13) and (found.sum(axis=1) == 100).all()
    first = zoning.parent_of("district")[:12] == 0
    friday = found[8]
    assert friday[0] == 30 and friday[:12][first][1:].tolist() == [10] * 5 and friday[:12][~first].sum() == 20
    assert found[24 + 8].tolist() == [0, 100, *[0] * 11]  # Saturday: one zone is known
    assert (found[72 + 8] == friday).all()  # Monday is a weekday as Friday is
    assert np.ptp(found[3]) <= 1  # nothing is known of that hour
    alone = trajectories.guessed({"presence@zone": zones}, zoning, FRIDAY_ON, 7)
    assert alone[8].tolist() == [7, *[0] * 12]


def by_name(found: list[Evidence]) -> dict[str, Evidence]:
    return {row.name: row for row in found}


@pytest.fixture(scope="module")
def found() -> dict[str, Evidence]:
    members, _ = released()
    return by_name(trajectories.attack(operator(), trial(members), np.random.default_rng(1), quiet))


def test_exact_counts_of_few_people_give_their_days_away(found: dict[str, Evidence]) -> None:
    raw, excess = found["trajectories_raw"], found["trajectories_raw_excess"]
    assert raw.value > 0.75 and raw.low <= raw.value <= raw.high and raw.n == 500
    assert excess.low > 0.15 and excess.passed is None
    assert raw.control is not None and excess.value == pytest.approx(raw.value - raw.control)


@pytest.mark.parametrize("name", ["group", "release"])
def test_what_is_published_does_not(found: dict[str, Evidence], name: str) -> None:
    excess = found[f"trajectories_{name}_excess"]
    assert excess.passed and by_chance(excess) and excess.limit is not None
    assert excess.limit == pytest.approx((operator().plan.rho / 2) ** 0.5)
    assert f"{DAYS} days" in found[f"trajectories_{name}"].sentence


def test_a_mechanism_without_noise_is_found_out() -> None:
    members, _ = released()
    subject = operator()
    bare = dataclasses.replace(subject, publish=lambda totals: exactly(subject, dict(totals)))
    rows = by_name(trajectories.attack(bare, trial(members), np.random.default_rng(1), quiet))
    excess = rows["trajectories_group_excess"]
    assert excess.passed is False and excess.low > 0.15
    assert excess.value == pytest.approx(rows["trajectories_raw_excess"].value, abs=0.06)


def test_too_few_people_or_no_presence_give_no_evidence() -> None:
    members, release = released()
    made = trial(members)
    without: Any = {name: table for name, table in release.marginals.items() if name != "presence@zone"}
    changed = dataclasses.replace(made, release=dataclasses.replace(release, marginals=without))
    assert trajectories.attack(operator(), changed, np.random.default_rng(1), quiet) == []
    few = dataclasses.replace(operator(), persons=operator().persons.slice(0, 399))
    assert few.n == 399 and trajectories.attack(few, made, np.random.default_rng(1), quiet) == []


def test_one_day_is_called_one_day() -> None:
    assert MONDAY.days == 1 and SUBSCRIBERS >= 4 * trajectories.GROUP
    one = trajectories.Found(np.array([0.5, 0.7]), np.array([0.5, 0.5]))
    rows = trajectories.rows("x", "release", "a table", [one], 0.1, 1)
    assert "over one day" in rows[0].sentence and rows[1].value == pytest.approx(0.1)
    assert rows[1].passed is True and trajectories.rows("x", "release", "a table", [one], -0.5, 1)[1].passed is False
