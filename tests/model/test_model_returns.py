"""Returns: lives are brought to as many places by purpose, and in all, as the release says."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from test_model_flows import BANDS, HEADINGS, HOME, LEISURE, PLACE, PURPOSES, SHOP, WORK, WORK_ANCHOR, planted, several_days

from synthmob.counts.routines import VISIT_COUNTS
from synthmob.domain import Axis
from synthmob.marginals import Marginal
from synthmob.model import returns
from synthmob.model.expectation import Visits, expectation
from synthmob.model.lives import Lives
from synthmob.model.outings import shared
from synthmob.model.reach import KINDS, joined
from synthmob.model.returns import Returns, Wanted, moved

DAYS = 4
EXPLORATION = np.array([2.0, 1.0, 0.8, 3.0])
NOTHING = Marginal("distinct_given_visits", (Axis("purpose", ("home",)),), np.zeros((0, 1), np.int64), np.zeros(0))


def people_by_zones(persons: Any, cut: float = 0.0) -> Marginal:
    """A table of persons by distinct zones, without those below the cut."""
    shown = np.flatnonzero(persons >= max(cut, 1e-9))
    return Marginal("distinct_zones", (Axis("distinct", VISIT_COUNTS),), shown[:, None], persons[shown].astype(float), cut=cut)


def told(persons: Any, cut: float = 0.0) -> dict[str, Marginal]:
    return {"distinct_zones": people_by_zones(persons, cut), "distinct_given_visits": NOTHING}


def places(visits: Visits, n_lives: int) -> tuple[Any, Any]:
    """Places by purpose, all lives together, and lives by distinct zones, counted one by one."""
    seen: dict[tuple[int, int], set[int]] = {}
    for life, purpose, zone in zip(visits.life, visits.purpose, visits.zone, strict=True):
        seen.setdefault((int(life), int(purpose)), set()).add(int(zone))
    by_purpose = [sum(len(z) for (_, p), z in seen.items() if p == purpose) for purpose in range(PURPOSES)]
    zones = [len(set().union(*(seen.get((life, p), set()) for p in range(PURPOSES)))) for life in range(n_lives)]
    return np.array(by_purpose), np.bincount(np.minimum(zones, 16) - 1, minlength=16)


@pytest.mark.parametrize(("exploration", "same"), [(0.01, 0.99), (0.5, 0.0)])
def test_who_hardly_explores_is_back_at_the_same_place_on_the_same_day(exploration: float, same: float) -> None:
    n, day = 2_000, (HOME, SHOP, HOME, SHOP, HOME)
    twice = Lives(np.zeros(2 * n, int), np.full(2 * n, -1), np.tile(np.array(day, np.int8), (2 * n, 1)), np.full(2 * n, 5), 1.0, 2, (0, 0))
    visits = expectation(planted(3), PLACE, twice, WORK_ANCHOR, np.array([2.0, 1.0, exploration, 3.0])).visits
    zone = np.full((2 * n, 5), -1)
    zone[visits.row, visits.rank] = visits.zone
    first = zone[::2]
    again = (first[:, 1] == first[:, 3]).mean()
    chance = ((np.bincount(first[:, 1], minlength=PLACE.n) / n) ** 2).sum()
    assert again == pytest.approx(same + (1 - same) * chance, abs=0.03)


def test_wanted_places_are_those_of_the_restaurant() -> None:
    some = several_days(300, DAYS, 5)
    wanted = Wanted.of(told(np.full(16, 100.0)), some, EXPLORATION, DAYS)
    assert wanted is not None
    visits = np.zeros((300, PURPOSES), int)
    for row, purpose in zip(*np.nonzero(some.purposes >= 0), strict=True):
        visits[row // DAYS, some.purposes[row, purpose]] += 1
    for p in (SHOP, LEISURE):
        expected = sum(sum(EXPLORATION[p] / (EXPLORATION[p] + k) for k in range(n)) for n in visits[:, p])
        assert wanted.places[p] == pytest.approx(expected)


def test_nothing_is_wanted_where_nothing_is_told() -> None:
    some, persons = several_days(50, DAYS, 5), np.full(16, 100.0)
    assert Wanted.of({}, some, EXPLORATION, DAYS) is None
    assert Wanted.of(told(persons), some, EXPLORATION, 2 * DAYS) is None  # a longer period than that of the lives
    assert Wanted.of(told(persons, cut=1e3), some, EXPLORATION, DAYS) is None  # all of it was cut
    assert Wanted.of(told(persons), several_days(50, 1, 5), EXPLORATION, 1) is None


def test_who_is_in_very_many_zones_does_not_count() -> None:
    persons = np.zeros(16)
    persons[1:5], persons[15] = 100.0, 21.0
    wanted = Wanted.of(told(persons), several_days(50, DAYS, 5), EXPLORATION, DAYS)
    assert wanted is not None and np.flatnonzero(wanted.usual).tolist()[-1] == 3 and not wanted.usual[15]


def test_a_step_goes_where_it_should() -> None:
    some, n = several_days(400, DAYS, 5), 400
    found = expectation(planted(3), PLACE, some, WORK_ANCHOR, EXPLORATION)
    by_purpose, zones = places(found.visits, n)
    usual = np.ones(16, bool)
    still = moved(Returns(EXPLORATION, 0.3), Wanted(by_purpose.astype(float), zones.astype(float), usual), found.visits, PLACE.n, some)
    assert still.exploration == pytest.approx(EXPLORATION) and still.sharing == pytest.approx(0.3)
    fewer = np.append(zones[1:], 0.0)  # everybody in a zone less
    step = moved(Returns(EXPLORATION, 0.3), Wanted(by_purpose * 1.1, fewer, usual), found.visits, PLACE.n, some)
    assert step.sharing > 0.33 and (step.exploration[SHOP:] > EXPLORATION[SHOP:] * 1.1).all()
    assert (step.exploration[: WORK + 1] == EXPLORATION[: WORK + 1]).all()


def test_the_night_goes_on_where_it_was_and_leads_nowhere_new() -> None:
    some, n = several_days(200, DAYS, 5), 200
    found = expectation(planted(3), PLACE, some, WORK_ANCHOR, EXPLORATION)
    by_purpose, zones = places(found.visits, n)
    wanted = Wanted(by_purpose.astype(float), zones.astype(float), np.ones(16, bool))
    day = np.ones(3, np.int64)  # the first stay of a second day, in zones where nobody has been
    nights = {f.name: np.append(getattr(found.visits, f.name), day * 0) for f in fields(Visits)}
    nights["life"][-3:], nights["row"][-3:], nights["purpose"][-3:], nights["zone"][-3:] = 5, 5 * DAYS + 1, LEISURE, (80, 81, 82)
    step = moved(Returns(EXPLORATION, 0.3), wanted, Visits(**nights), 1_000, some)
    assert step.exploration == pytest.approx(EXPLORATION) and step.sharing == pytest.approx(0.3)
    nights["row"][-3:] = 5 * DAYS  # of a first day
    assert moved(Returns(EXPLORATION, 0.3), wanted, Visits(**nights), 1_000, some).exploration[LEISURE] < EXPLORATION[LEISURE]


@pytest.mark.parametrize("weight", [0.05, 1.0, 7.0])
def test_places_and_their_growth_are_those_of_the_restaurant_walked_through(weight: float) -> None:
    visits = np.array([0, 1, 4, 4, 9])

    def walked(theta: float) -> float:
        return sum(theta / (theta + k) for n in visits for k in range(n))

    found, grows = returns._expected(weight, visits)
    step = weight * 1e-6
    assert found == pytest.approx(walked(weight))
    assert grows == pytest.approx((walked(weight + step) - walked(weight - step)) / 2e-6 / walked(weight), rel=1e-5)


def test_lives_get_the_places_that_were_planted() -> None:
    truth, made_of, other, n = planted(3), several_days(3_000, DAYS, 14), several_days(3_000, DAYS, 16), 3_000
    want, zones = places(expectation(truth, PLACE, made_of, WORK_ANCHOR, EXPLORATION * 1.7, 0.35).visits, n)
    wanted = Wanted(want.astype(float), zones.astype(float), np.ones(16, bool))
    here = Returns(EXPLORATION, 0.0)
    for _ in range(30):
        found = expectation(truth, PLACE, other, WORK_ANCHOR, here.exploration, here.sharing)
        here = moved(here, wanted, found.visits, PLACE.n, other)
    got, in_all = places(expectation(truth, PLACE, other, WORK_ANCHOR, here.exploration, here.sharing).visits, n)
    assert got[SHOP:] == pytest.approx(want[SHOP:], rel=0.02)
    mean = [float(k @ np.arange(1, 17)) / n for k in (in_all, zones)]
    assert mean[0] == pytest.approx(mean[1], abs=0.03) and 0.2 < here.sharing < 0.55


def test_a_shared_place_is_taken_in_proportion_to_what_draws_there() -> None:
    flows, rng, n = planted(5), np.random.default_rng(6), 60_000
    kept = np.zeros((1, PURPOSES, 4), np.int32)
    kept[0, LEISURE, :3], kept[0, SHOP, :2] = (4, 11, 11), (30, 30)
    known = np.array([[0, 0, 2, 3]])
    pull = joined([rng.random((PURPOSES, kinds, BANDS)) for kinds in KINDS], np.full(BANDS, 20.0))
    ones, zeros, u = np.ones(n, np.int64), np.zeros(n, np.int64), rng.random((2, n))

    def drawn_for(purpose: int, exploration: Any) -> tuple[Any, Any]:
        laws = np.zeros((PURPOSES, PLACE.n))
        zones = shared(
            kept, known, zeros, np.full(n, purpose), ones, np.full(n, 2), np.full(n, 9), np.full(n, 7), np.full(n, 20), np.full(n, 5),
            flows.attraction, flows.deterrence, pull, PLACE.bands, exploration, 0.4, *u, np.full(n, 2.5), laws)  # fmt: skip
        return zones, laws

    drawn, laws = drawn_for(SHOP, EXPLORATION)
    weights: dict[int, float] = {}
    for zone in (2, 9, 4, 11, 11):  # home's and work's own, and those of leisure; not those that shopping knows itself
        ahead, behind = PLACE.bands[7, zone], PLACE.bands[20, zone]
        weights[zone] = weights.get(zone, 0.0) + (
            flows.attraction[SHOP, zone] * flows.deterrence[HEADINGS * SHOP + 1, ahead, behind] * pull[SHOP, 5, behind])
    some = (drawn >= 0).sum()
    assert some / n == pytest.approx(0.4, abs=0.01)
    for zone, weight in weights.items():
        assert (drawn == zone).sum() / some == pytest.approx(weight / sum(weights.values()), abs=0.012)
        assert laws[SHOP, zone] == pytest.approx(2.5 * some * weight / sum(weights.values()))
    assert laws.sum() == pytest.approx(2.5 * some)
    for purpose, exploration in ((WORK, EXPLORATION), (SHOP, np.full(PURPOSES, 0.29))):  # no errand, and what people do in one place
        zones, laws = drawn_for(purpose, exploration)
        assert (zones < 0).all() and not laws.any()


def test_without_sharing_nothing_changes() -> None:
    some = several_days(300, DAYS, 5)
    one, two = (expectation(planted(3), PLACE, some, WORK_ANCHOR, EXPLORATION, s).destinations for s in (0.0, 0.4))
    assert np.array_equal(one, expectation(planted(3), PLACE, some, WORK_ANCHOR, EXPLORATION).destinations) and not np.array_equal(one, two)
