"""Routines: what each small law is fitted to, from tables made by a law that is known."""

from __future__ import annotations

from typing import Any

import handmade
import numpy as np
import pytest

from synthmob.counts import STATISTICS, Public
from synthmob.marginals import Marginal, unravel
from synthmob.model import daychains, routines
from synthmob.model.chains import MAX_STAYS
from synthmob.model.reconcile import Noisy
from synthmob.period import Period

WEEK = Period.of("2026-03-02", 7)
PUBLIC = Public(handmade.zoning(), handmade.DOMAIN, WEEK)
PEOPLE = (3, 8, 2)


def table(name: str, values: Any) -> Marginal:
    """An exact table of that name, over its own axes."""
    axes = STATISTICS[name].axes(PUBLIC, "")
    assert tuple(axis.size for axis in axes) == values.shape
    flat = np.flatnonzero(values.ravel() > 0)
    return Marginal(name, axes, unravel(flat, axes), values.ravel()[flat])


@pytest.mark.parametrize("theta", [0.3, 2.0, 15.0])
def test_the_rate_of_new_places_is_found_again(theta: float) -> None:
    rng = np.random.default_rng(1)
    counts = np.zeros((6, 16, 16))
    for visits in range(1, 17):
        new = rng.random((4_000, visits)) < theta / (theta + np.arange(visits))
        counts[3, visits - 1] += np.bincount(new.sum(axis=1) - 1, minlength=16)[:16]
    found = routines._exploration({"distinct_given_visits": table("distinct_given_visits", counts)}, 6)
    assert found[3] == pytest.approx(theta, rel=0.1)
    assert (routines._exploration({}, 6) == 2.0).all()


def test_the_share_of_work_at_the_own_work_place() -> None:
    counts = np.zeros((3, 4, 2))
    counts[..., 0] = [[9_000, 600, 20, 300], [1_000, 0, 0, 0], [50, 10, 5, 5]]
    counts[..., 1] = [[1_000, 400, 980, 700], [0, 0, 0, 0], [50, 10, 5, 5]]
    found = routines._work_anchor({"anchored": table("anchored", counts)}, 3)
    assert found[0] == pytest.approx([0.9, 0.6, 0.021, 0.3], abs=0.002) and found[1, 0] == pytest.approx(1.0, abs=0.002)
    assert found[2] == pytest.approx([0.5] * 4, abs=0.06)
    assert found[1, 1] == pytest.approx(0.9)  # nobody ever worked twice on a Saturday
    assert (routines._work_anchor({}, 3) == 1).all()


def test_lengths_of_days_sum_to_the_people() -> None:
    rng = np.random.default_rng(2)
    truth = 50_000 * rng.dirichlet(np.ones(MAX_STAYS) * 0.7)
    exact = routines._lengths(Noisy(truth, 0.0, 0.0), 50_000.0)
    assert exact[0] == 0 and exact[1:] == pytest.approx(truth, rel=1e-4)
    noisy = truth + rng.normal(0, 30, MAX_STAYS)
    found = routines._lengths(Noisy(np.where(noisy > 110, noisy, np.nan), 30.0, 110.0), 50_000.0)
    assert found.sum() == pytest.approx(50_000) and np.abs(found[1:] - truth).sum() < 1_000 and (found >= 0).all()


def planted_classes() -> tuple[Any, Any]:
    """People by class, and by class and number of stays: women and workers have longer days."""
    rng = np.random.default_rng(3)
    people = rng.gamma(1.0, 800.0, PEOPLE)
    lengths = np.arange(1, MAX_STAYS + 1)
    long = 2.0 + 1.0 * (np.arange(3)[:, None, None] == 0) + 1.5 * (np.arange(2)[None, None, :] == 0) + np.zeros(PEOPLE)
    law = np.exp(-((lengths - long[..., None]) ** 2) / 4.0)
    return people, people[..., None] * law / law.sum(axis=-1, keepdims=True)


def test_lengths_by_class_meet_both_sums() -> None:
    people, truth = planted_classes()
    rng = np.random.default_rng(4)
    lengths = np.append([0.0], truth.sum(axis=(0, 1, 2)))
    blurred = truth + rng.normal(0, 15, truth.shape)
    for noisy, most in ((Noisy(truth, 0.0, 0.0), 0.01), (Noisy(np.where(blurred > 80, blurred, np.nan), 15.0, 80.0), 0.2)):
        found = routines._class_lengths(noisy, people, lengths)
        assert found.shape == (48, MAX_STAYS + 1) and (found >= 0).all()
        assert found.sum(axis=0)[1:] == pytest.approx(lengths[1:], rel=1e-6)
        assert found.sum(axis=1) == pytest.approx(people.ravel(), rel=0.02)
        assert np.abs(found[:, 1:] - truth.reshape(48, -1)).sum() < most * people.sum()


def trips_of(lengths: Any) -> Any:
    """Trips, up to eight a day, in eighths."""
    return lengths @ (np.clip(np.arange(MAX_STAYS + 1) - 1, 0, 8) / 8)


def test_a_clear_sum_of_trips_is_met_and_a_blurred_one_is_not_believed() -> None:
    people, truth = planted_classes()
    lengths = np.append([0.0], truth.sum(axis=(0, 1, 2)))[None]
    wanted = 1.1 * trips_of(lengths)
    both = np.stack([wanted, people.sum() - wanted], axis=1)
    clear = routines._with_trips(lengths, Noisy(0.97 * both, 1.0, 1.0))  # their share counts: how many they are is known better
    assert trips_of(clear) == pytest.approx(wanted, rel=1e-3) and clear.sum() == pytest.approx(people.sum())
    blurred = routines._with_trips(lengths, Noisy(both, 1e6, 1.0))
    assert trips_of(blurred) == pytest.approx(trips_of(lengths), rel=1e-3)


def test_trips_by_purpose_are_shares_of_people_who_are_known_better() -> None:
    expected, people = np.array([1_000.0, 300.0, 500.0]), 1_000.0
    truth = np.array([900.0, 500.0, 400.0]) / 8
    released = Noisy(0.9 * np.append(truth, people - truth.sum()), 1e-3, 1e-3)
    assert daychains.by_purpose(expected, released, people) == pytest.approx(8 * truth, rel=1e-2)
    cut = Noisy(np.array([112.5, np.nan, 50.0, people - 225.0]), 1e-3, 40.0)
    found = daychains.by_purpose(expected, cut, people)
    assert found.sum() == pytest.approx(expected.sum()) and 50 < found[1] < 350  # a suppressed purpose is there still, below the cut
    assert routines._made_and_none(cut.count) == pytest.approx(np.array([[162.5, 775.0]]))


def test_participations_are_left_open_by_their_noise_and_by_what_was_cut() -> None:
    clear = Noisy(np.full((2, 3, 2, 2), 500.0), 0.0, 1.0)
    cut = clear.moved(lambda a: np.where(np.arange(2) == 1, np.nan, a)).count
    assert routines._left_open(clear) == pytest.approx([0.0, 0.0])
    blurred, gone = routines._left_open(Noisy(cut, 10.0, 50.0))
    assert blurred == pytest.approx(np.log1p(20 * np.sqrt(12) / 6_000)) and gone > np.log(5)


def test_groups_get_their_trips_and_all_together_keep_their_days() -> None:
    people, truth = planted_classes()
    flat = np.concatenate([np.zeros((48, 1)), truth.reshape(48, -1)], axis=1)
    lengths = flat.sum(axis=0)
    alike = people.reshape(-1, 1) * lengths / lengths.sum()
    both = np.stack([trips_of(flat), people.ravel() - trips_of(flat)], axis=1)
    found = routines._groups_with_trips(alike, Noisy(both, 1e-3, 1e-3), lengths)
    assert found.sum(axis=0)[1:] == pytest.approx(lengths[1:], rel=0.02)
    assert found.sum(axis=1) == pytest.approx(people.ravel(), rel=1e-6)
    rate = trips_of(found) / people.ravel()
    assert rate == pytest.approx(trips_of(flat) / people.ravel(), rel=0.02)
    assert np.ptp(rate) > 0.2 > np.ptp(trips_of(alike) / people.ravel())


def test_nobody_without_work_takes_part_in_it_and_nobody_exceeds_the_class() -> None:
    people, _ = planted_classes()
    wanted = people[..., None] * np.array([0.9, 0.2, 0.4, 1.3, 0.1])
    found = routines._participation(Noisy(wanted, 0.0, 0.0), people).reshape(*PEOPLE, 5)
    assert (found[:, :, 1, 0] == 0).all() and (found <= people[..., None]).all()
    assert found[..., 1] == pytest.approx(wanted[..., 1], rel=1e-3)


def test_routines_need_their_tables() -> None:
    every = dict.fromkeys(routines.NEEDED, table("anchored", np.ones((3, 4, 2))))
    assert routines.has_routines(every)
    for name in routines.NEEDED:
        assert not routines.has_routines({n: t for n, t in every.items() if n != name})


def test_few_people_do_not_have_the_long_days_of_many() -> None:
    """Days of nine stays are told of no group: all have their part of them, a group of ten people a part of ten people."""
    people = np.full(PEOPLE, 3_000.0)
    people[2] = 5.0
    share = np.zeros(MAX_STAYS + 1)
    share[[1, 3, 5, 9]] = 0.3, 0.4, 0.25, 0.05
    truth = people[..., None] * share[1:]
    seen = np.where(truth > 400, truth, np.nan)
    found = routines._class_lengths(Noisy(seen, 60.0, 200.0), people, people.sum() * share)
    mean = (found @ np.arange(MAX_STAYS + 1.0)) / people.ravel()
    assert found.sum(axis=0) == pytest.approx(people.sum() * share, abs=1e-6 * people.sum())
    assert mean[: 2 * 16] == pytest.approx(share @ np.arange(MAX_STAYS + 1.0), rel=0.1)
    assert (mean[2 * 16 :] < 1.35 * mean[0]).all()


def test_groups_that_were_cut_take_part_as_others_do() -> None:
    people = np.full(PEOPLE, 3_000.0)
    people[2] = 20.0
    rate = np.array([0.8, 0.1, 0.4, 0.3, 0.2])
    truth = people[..., None] * rate
    truth[:, :, 1, 0] = 0.0  # the second of the workers' axis are those without work
    found = routines._participation(Noisy(np.where(truth > 200, truth, np.nan), 60.0, 200.0), people)
    assert found[:32] == pytest.approx(truth.reshape(-1, 5)[:32], rel=0.12, abs=1.0)
    assert found[32:] == pytest.approx(truth.reshape(-1, 5)[32:], rel=0.5, abs=1.0)
    assert (found[1::2, 0] == 0).all()
