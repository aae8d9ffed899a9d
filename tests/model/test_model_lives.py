"""The sample of lives that destinations are fitted on has the homes, works and chains that were fitted."""

from __future__ import annotations

from typing import Any

import handmade
import numpy as np
import pytest

from synthmob.model.chains import Chains
from synthmob.model.geography import Geography
from synthmob.model.habits import Types, by_type
from synthmob.model.lives import Lives, sample_lives

N = 40_000


def types_of(laws: list[Chains], rho: Any = (0.0,) * 6) -> Types:
    return by_type(laws, np.asarray(rho), range(6))


@pytest.fixture(scope="module")
def lives() -> Lives:
    geography = Geography.of(handmade.zoning(), handmade.DOMAIN)
    laws = [handmade.chains(kinds) for kinds in (handmade.WEEKDAYS, handmade.WEEKENDS)]
    return sample_lives(handmade.anchors(), laws, types_of(laws), (0,), geography, N)


@pytest.fixture(scope="module")
def days() -> Lives:
    """The same people on a weekday and on a day of the weekend."""
    geography = Geography.of(handmade.zoning(), handmade.DOMAIN)
    laws = [handmade.chains(kinds) for kinds in (handmade.WEEKDAYS, handmade.WEEKENDS)]
    return sample_lives(handmade.anchors(), laws, types_of(laws), (0, 1), geography, N // 2)


def test_homes_and_works_are_those_of_the_anchors(lives: Lives) -> None:
    anchors, works = handmade.anchors(), lives.work >= 0
    total = anchors.home_worker.sum()
    assert lives.weight == total / N
    for worker, mine in ((0, works), (1, ~works)):
        found = np.bincount(lives.home[mine], minlength=6) * lives.weight
        assert found == pytest.approx(anchors.home_worker[:, worker], abs=2 * lives.weight)
    pairs = np.zeros((6, 6))
    np.add.at(pairs, (lives.home[works], lives.work[works]), lives.weight)
    assert (pairs[anchors.home_work == 0] == 0).all()
    assert np.abs(pairs - anchors.home_work).sum() < 0.02 * anchors.home_work.sum()
    homes = np.bincount(lives.home[works], minlength=6)
    shares = anchors.home_work / np.maximum(anchors.home_work.sum(axis=1, keepdims=True), 1e-9)
    assert (np.abs(pairs / lives.weight - homes[:, None] * shares) < 2).all()  # spread evenly, no sample of a sample


@pytest.mark.parametrize(("day_type", "kinds"), [(0, handmade.WEEKDAYS), (1, handmade.WEEKENDS)])
def test_chains_are_those_of_their_classes_and_day_types(days: Lives, day_type: int, kinds: tuple[tuple[int, ...], ...]) -> None:
    assert ((days.purposes >= 0).sum(axis=1) == days.lengths).all()
    assert days.day_type.tolist() == [0, 1] * (N // 2)
    lived = [tuple(p for p in row if p >= 0) for row in days.purposes.tolist()]
    for worker, who in ((0, days.work >= 0), (1, days.work < 0)):
        mine, law = np.flatnonzero(who & (days.day_type == day_type)), handmade.chains(kinds).by_class[worker]
        for chain in {*handmade.WEEKDAYS, *handmade.WEEKENDS}:
            expected = law[kinds.index(chain)] / law.sum() if chain in kinds else 0.0
            found = sum(lived[k] == chain for k in mine) / len(mine)
            assert found == pytest.approx(expected, abs=0.015) and (found == 0) == (expected == 0), chain


def test_the_sample_is_the_same_every_time() -> None:
    geography = Geography.of(handmade.zoning(), handmade.DOMAIN)
    laws = [handmade.chains(handmade.WEEKDAYS)]
    one, two = (sample_lives(handmade.anchors(), laws, types_of(laws), (0,), geography, 500) for _ in range(2))
    for name in ("home", "work", "purposes", "lengths"):
        assert np.array_equal(getattr(one, name), getattr(two, name))


def test_a_life_has_one_home_and_work_and_days_of_its_class() -> None:
    geography = Geography.of(handmade.zoning(), handmade.DOMAIN)
    laws = [handmade.chains(kinds) for kinds in (handmade.WEEKDAYS, handmade.WEEKENDS)]
    some = sample_lives(handmade.anchors(), laws, types_of(laws), (0, 0, 0, 1, 1), geography, 4_000)
    one = sample_lives(handmade.anchors(), laws, types_of(laws), (0,), geography, 4_000)
    assert len(some.purposes) == 20_000 and some.days == 5 and some.weight == one.weight / 5
    assert np.array_equal(some.home, np.repeat(one.home, 5)) and np.array_equal(some.work, np.repeat(one.work, 5))
    same = (some.purposes.reshape(4_000, 5, -1) == some.purposes.reshape(4_000, 5, -1)[:, :1]).all(axis=(1, 2))
    assert 0 < same.mean() < 0.5  # the days of a life differ


def test_every_so_manieth_life_is_like_all(lives: Lives) -> None:
    few = lives.every(4)
    assert lives.every(1) is lives and len(few.home) == N / 4 and few.weight == 4 * lives.weight
    for name in ("home", "work", "lengths"):
        mine, all_ = (np.bincount(getattr(x, name) + 1, minlength=9) * x.weight for x in (few, lives))
        assert np.abs(mine - all_).sum() < 0.03 * all_.sum(), name
    who = np.repeat(np.arange(5), 2)
    days = Lives(who, who, np.arange(10, dtype=np.int8)[:, None], np.arange(10), 1.0, 2, (0, 1))
    assert days.every(2).lengths.tolist() == [0, 1, 4, 5, 8, 9]


def test_who_does_something_on_one_day_does_it_on_the_next() -> None:
    geography, rho = Geography.of(handmade.zoning(), handmade.DOMAIN), np.zeros(6)
    rho[handmade.WORK] = 0.5
    laws = [handmade.chains(handmade.WEEKDAYS)]
    some = sample_lives(handmade.anchors(), laws, types_of(laws, rho), (0, 0), geography, N)
    works = (some.purposes == handmade.WORK).any(axis=1).reshape(N, 2)[some.work[::2] >= 0]
    assert works.mean() == pytest.approx(0.5, abs=0.01)  # as of the class: 5 of 10
    assert np.corrcoef(works.T)[0, 1] == pytest.approx(0.5, abs=0.03)
    errands = (some.purposes == handmade.LEISURE).any(axis=1).reshape(N, 2)[some.work[::2] < 0]
    assert abs(np.corrcoef(errands.T)[0, 1]) < 0.03
