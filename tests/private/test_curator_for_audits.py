"""The doors that audits use: a sample of people with what they add to every table, and noisy counts before the cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from record_folder import TOWN, few, people, write

from synthmob.accounting import FIXED_POINT
from synthmob.counts import Contributions
from synthmob.marginals import ravel
from synthmob.private import noise
from synthmob.private.curator import Curator, Sample, Sources, noisy_tables

AXES_CELLS = np.arange(6, dtype=np.int64)


@pytest.fixture(scope="module")
def sample(curator: Curator) -> Sample:
    return curator.sample(few())


def test_what_all_people_add_is_the_bounded_truth(curator: Curator, sample: Sample) -> None:
    truth = curator.truth(few(), bounds=True)
    assert set(truth) == set(sample.contributions)
    for name, exact in truth.items():
        cells, fixed = sample.contributions[name].totals()
        whole = fixed > 0
        assert set(cells[whole]) <= set(ravel(exact.codes, exact.axes)), name
        rounding = sample.contributions[name].n_persons / FIXED_POINT
        assert abs(fixed.sum() / FIXED_POINT - exact.total) <= rounding * 30, name


def test_a_sample_is_of_so_many_whole_people(curator: Curator) -> None:
    some = curator.sample(few(), 7)
    assert len(some.persons) == 7 and set(some.stays["person_id"].to_pylist()) <= set(range(7))
    assert some.persons["person_id"].to_pylist() == list(range(7))
    for table in some.contributions.values():
        assert table.n_persons == 7 and set(table.persons) <= set(range(7))
        norms = np.zeros(7)
        np.add.at(norms, table.persons, (table.fixed / FIXED_POINT) ** 2)
        assert norms.max() <= table.bound_l2**2 * (1 + 1e-5) and table.fixed.max() <= FIXED_POINT


def test_sizes_are_those_of_the_records(curator: Curator, sample: Sample) -> None:
    assert curator.sizes(few()) == {"subscribers": len(sample.persons), "stays": len(sample.stays)}


def test_two_samples_are_not_the_same_people(curator: Curator) -> None:
    """By chance they are once in more than 10^7 of such pairs."""
    one, other = (curator.sample(few(), 8).stays.drop(["person_id"]) for _ in range(2))
    assert not one.equals(other)


def test_contributions_of_chosen_people_add_up(sample: Sample) -> None:
    for table in sample.contributions.values():
        chosen = np.arange(table.n_persons) % 3 == 0
        cells, fixed = table.totals(chosen)
        by_hand: dict[int, int] = {}
        for who in np.flatnonzero(chosen):
            for cell, part in zip(*table.of(int(who)), strict=True):
                by_hand[int(cell)] = by_hand.get(int(cell), 0) + int(part)
        assert by_hand == dict(zip(cells.tolist(), fixed.tolist(), strict=True))


def test_planted_subscribers_count_as_real_ones_do(curator: Curator, tmp_path: Path) -> None:
    """At a sigma of nearly nothing the noisy counts with everybody planted once more are twice those without."""
    plan = curator.plan(few(epsilon=1e9))
    twice = Sources(write(tmp_path / "twice", people()))
    at = {r.name: np.arange(200, dtype=np.int64) for r in plan.requests[:3]}
    once, both = curator.measure_raw(plan, at), curator.measure_raw(plan, at, extra=twice)
    assert set(once) == set(at) == set(both)
    for name in at:
        assert once[name].dtype == np.int64 and np.abs(both[name] - 2 * once[name]).max() <= 5 + len(people().persons)
        assert once[name].sum() > 0


def test_noise_at_some_cells_has_its_sigma_and_its_counts() -> None:
    at = np.arange(0, 40_000, 2, dtype=np.int64)
    cells, counts = np.array([10, 11, 50], dtype=np.int64), np.array([90, 7, 30], dtype=np.int64) * FIXED_POINT
    noisy = noise.noisy_at(at, cells, counts, 2.0).astype(float) / FIXED_POINT
    assert abs(noisy[5] - 90) < 30 and abs(noisy[25] - 30) < 30
    rest = np.delete(noisy, [5, 25])
    assert abs(rest.std() / 2.0 - 1) < 0.05 and abs(rest.mean()) < 0.15  # 7 and 10 standard errors


def test_noise_at_no_cells_is_none() -> None:
    none = np.empty(0, dtype=np.int64)
    assert len(noise.noisy_at(none, none, none, 1.0)) == 0


def test_noise_and_cut_of_given_counts_are_those_of_a_release(curator: Curator, sample: Sample) -> None:
    plan = curator.plan(few())
    totals = {name: table.totals() for name, table in sample.contributions.items()}
    made, released = noisy_tables(plan, TOWN, curator.period, totals), curator.measure(few()).marginals
    assert list(made) == list(released)
    for name, table in made.items():
        assert (table.sigma, table.cut, table.bound_l2, table.axes) == (
            released[name].sigma, released[name].cut, released[name].bound_l2, released[name].axes)
        assert not len(table.values) or table.values.min() >= table.cut


def test_a_door_for_one_table_says_nothing_of_the_others(curator: Curator, sample: Sample) -> None:
    name = next(iter(sample.contributions))
    made = noisy_tables(curator.plan(few()), TOWN, curator.period, {name: sample.contributions[name].totals()})
    assert list(made) == [name]


def test_a_person_outside_the_sample_has_no_cells(sample: Sample) -> None:
    table: Contributions = next(iter(sample.contributions.values()))
    assert [len(part) for part in table.of(table.n_persons)] == [0, 0]
