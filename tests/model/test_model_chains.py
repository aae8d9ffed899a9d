"""Chains: the Markov prior against brute force, the released cells over it, and who has which chain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmob.domain import ChainAxis
from synthmob.model import chains
from synthmob.model.chains import MAX_STAYS

FloatArray = np.ndarray[Any, Any]
PURPOSES = ("home", "work", "shop")
AXIS = ChainAxis("chain", PURPOSES, 5)



def test_outlines_are_those_of_the_stays() -> None:
    outline, of = ChainAxis("outline", ("home", "work", "errand"), AXIS.max_stays), (0, 1, 2, 2, 2, 2)[: len(AXIS.purposes)]
    found = chains.outlines(AXIS, outline, of)
    assert found.shape == (AXIS.size,)
    for code in np.random.default_rng(1).integers(0, AXIS.size, 300):
        assert outline.stays(int(found[code])) == tuple(of[p] for p in AXIS.stays(int(code)))


@given(st.integers(0, 10_000), st.sampled_from([50.0, 5_000.0]))
def test_selecting_chains_keeps_the_mass_and_the_large_ones(seed: int, scale: float) -> None:
    axis = ChainAxis("chain", ("home", "work", "shop", "leisure"), 7)  # 21,844 chains: more than are kept
    persons = scale * np.random.default_rng(seed).pareto(1.1, axis.size)
    codes, weights = chains.select(axis, persons, f"test {seed}")
    assert weights.sum() == pytest.approx(persons.sum()) and len(np.unique(codes)) == len(codes)
    order = np.argsort(-persons)
    largest = np.isin(codes, order[: chains.KEPT_CHAINS])
    assert largest.sum() == chains.KEPT_CHAINS
    assert weights[largest].tolist() == persons[codes[largest]].tolist()
    tail = persons[order[chains.KEPT_CHAINS :]].sum()
    assert len(codes) - chains.KEPT_CHAINS <= chains.TAIL_CHAINS and weights[~largest].sum() == pytest.approx(tail)
    # The tail is read off evenly: any run of codes has its mass to within one draw on either side.
    upto = np.searchsorted(codes[~largest], axis.size // 2)
    rest = persons.copy()
    rest[order[: chains.KEPT_CHAINS]] = 0
    assert abs(weights[~largest][:upto].sum() - rest[: axis.size // 2].sum()) <= tail / chains.TAIL_CHAINS * 1.001


def test_few_chains_are_all_kept() -> None:
    persons = np.zeros(AXIS.size)
    persons[[3, 40, 7]] = (5.0, 1e-3, 900.0)
    codes, weights = chains.select(AXIS, persons, "few")
    assert (codes.tolist(), weights.tolist()) == ([3, 7, 40], [5.0, 900.0, 1e-3])
    spelt = chains.spell(AXIS, codes)
    assert [tuple(int(p) for p in row if p >= 0) for row in spelt] == [AXIS.stays(int(c)) for c in codes]


KINDS = ((0,), (0, 1, 0), (0, 2, 0), (0, 1, 2, 0), (0, 2, 1, 0), (1, 0), (0, 2, 0, 2, 0))
SPELT = np.array([(*c, *[-1] * (MAX_STAYS - len(c))) for c in KINDS], dtype=np.int8)
LENGTHS = np.array([len(c) for c in KINDS])
HAS_WORK, HAS_SHOP = np.array([1 in c for c in KINDS]), np.array([2 in c for c in KINDS])
WORKER = np.array([True, False, True, False])


def planted(seed: int) -> FloatArray:
    """Persons by class and chain, those without work having no chain with work."""
    table = np.random.default_rng(seed).gamma(0.8, 100.0, (4, len(KINDS))) + 1
    table[np.ix_(~WORKER, HAS_WORK)] = 0.0
    return table


def margins(table: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Persons of every class by number of stays, and by taking part in work and shop."""
    by_length = np.zeros((4, MAX_STAYS + 1))
    for n in np.unique(LENGTHS):
        by_length[:, n] = table[:, n == LENGTHS].sum(axis=1)
    return by_length, np.stack([table[:, HAS_WORK].sum(axis=1), table[:, HAS_SHOP].sum(axis=1)], axis=1)


@given(st.integers(0, 500))
def test_chains_by_class_meet_what_is_known_of_classes_and_chains(seed: int) -> None:
    truth = planted(seed)
    by_length, participation = margins(truth)
    known = np.ones(len(KINDS), dtype=np.bool_)
    found = chains.by_class(SPELT, LENGTHS, truth.sum(axis=0), truth.sum(axis=1), by_length, participation, WORKER, known)
    assert (found >= 0).all() and (found[np.ix_(~WORKER, HAS_WORK)] == 0).all()
    assert found.sum(axis=1) == pytest.approx(truth.sum(axis=1))
    whole = truth.sum()
    assert np.abs(found.sum(axis=0) - truth.sum(axis=0)).sum() < 0.01 * whole
    for met, want in zip(margins(found), (by_length, participation), strict=True):
        assert np.abs(met - want).sum() < 0.01 * whole


def test_chains_that_no_cell_speaks_for_give_way() -> None:
    truth = planted(7)
    by_length, participation = margins(truth)
    guess, known = truth.sum(axis=0), LENGTHS != 4
    guess[~known] *= np.array([3.0, 0.2])  # a bad guess at the two chains of four stays
    found = chains.by_class(SPELT, LENGTHS, guess, truth.sum(axis=1), by_length, participation, WORKER, known)
    assert found[:, ~known].sum() == pytest.approx(truth[:, ~known].sum(), rel=0.02)
    assert found.sum(axis=0)[known] == pytest.approx(truth.sum(axis=0)[known], rel=0.05)


def test_a_noisy_zero_does_not_end_a_chain() -> None:
    truth = planted(8)
    by_length, participation = margins(truth)
    participation[0] = 0.0  # the first class is said never to work nor to shop, its lengths say otherwise
    known = np.ones(len(KINDS), dtype=np.bool_)
    found = chains.by_class(SPELT, LENGTHS, truth.sum(axis=0), truth.sum(axis=1), by_length, participation, WORKER, known)
    assert np.isfinite(found).all() and (found[0] > 0).all()
    assert found.sum(axis=1) == pytest.approx(truth.sum(axis=1))


def test_lengths_are_met_where_not_everything_can_be() -> None:
    truth = planted(11)
    by_length, participation = margins(truth)
    weights, known = truth.sum(axis=0), np.ones(len(KINDS), dtype=np.bool_)
    weights[LENGTHS == 3] *= 0.8  # a cell is off, and so is what a class is said to take part in
    participation[1] *= 1.3
    found = chains.by_class(SPELT, LENGTHS, weights, truth.sum(axis=1), by_length, participation, WORKER, known)
    assert margins(found)[0] == pytest.approx(by_length, rel=1e-6)


def test_trips_are_counted_by_purpose_up_to_eight_a_day() -> None:
    errands = np.full((2, MAX_STAYS), -1, dtype=np.int8)
    errands[0, :4], errands[1, :12] = (0, 1, 2, 0), (0, *[2] * 10, 0)
    np.testing.assert_array_equal(chains.trips_of(errands, 3), [[1, 1, 1], [0, 0, 8]])


def test_trips_by_purpose_are_met_where_participations_were_cut() -> None:
    """Chains that no cell speaks for are guessed with too few shops, and so is taking part in shops; the sum of trips is known."""
    truth = planted(9)
    by_length, participation = margins(truth)
    guess, known = truth.sum(axis=0), np.zeros(len(KINDS), dtype=np.bool_)
    guess[HAS_SHOP] *= 0.7
    low = participation * np.array([1.0, 0.8])
    wanted = truth.sum(axis=0) @ chains.trips_of(SPELT, 3)
    found, held, without = (
        chains.by_class(SPELT, LENGTHS, guess, truth.sum(axis=1), by_length, low, WORKER, known, trips, slack)
        for trips, slack in ((wanted, 1.0), (wanted, 0.0), (None, 1.0)))
    assert found.sum(axis=0) @ chains.trips_of(SPELT, 3) == pytest.approx(wanted, rel=0.03)
    shoppers = [table[:, HAS_SHOP].sum() for table in (without, held, found)]
    assert shoppers[2] - shoppers[1] > 0.03 * shoppers[1], "participations move along, where they are not known"
    assert without.sum(axis=0) @ chains.trips_of(SPELT, 3)[:, 2] < 0.96 * wanted[2]
    assert (found[np.ix_(~WORKER, HAS_WORK)] == 0).all() and found.sum(axis=1) == pytest.approx(truth.sum(axis=1))
