"""Chains: the Markov prior against brute force, the released cells over it, and who has which chain."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmob.counts.routines import PHASE_LABELS
from synthmob.domain import ChainAxis
from synthmob.model import chains
from synthmob.model.chains import MAX_STAYS
from synthmob.model.reconcile import Noisy, settle

FloatArray = np.ndarray[Any, Any]
PURPOSES = ("home", "work", "shop")
AXIS = ChainAxis("chain", PURPOSES, 5)
BASE, PARTS = len(PURPOSES), len(PHASE_LABELS)


def random_law(seed: int) -> tuple[FloatArray, FloatArray]:
    """Some first purpose, and some next purpose given the one before, this one and the part of the day."""
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(BASE)), rng.dirichlet(np.ones(BASE + 1) * 0.7, (BASE + 1, BASE, PARTS))


def part(rank: int, stays: int, longest: int) -> int:
    """The third of the day, those of long days apart."""
    return (3 * rank) // stays + (3 if stays > longest else 0)


def chance(chain: tuple[int, ...], first: FloatArray, follow: FloatArray, longest: int = AXIS.max_stays) -> float:
    """How likely a chain is to be begun, gone through and then ended, stay by stay."""
    out, before = float(first[chain[0]]), 0
    for rank, here in enumerate(chain):
        after = chain[rank + 1] + 1 if rank + 1 < len(chain) else 0
        out *= float(follow[before, here, part(rank, len(chain), longest), after])
        before = here + 1
    return out


def counted(days: Counter[tuple[int, ...]]) -> FloatArray:
    """Transition counts of days: before, purpose, part of the day, after; 'none' first."""
    out = np.zeros((BASE + 1, BASE, PARTS, BASE + 1))
    for chain, n in days.items():
        around = (0, *(c + 1 for c in chain), 0)
        for rank, here in enumerate(chain):
            out[around[rank], here, part(rank, len(chain), AXIS.max_stays), around[rank + 2]] += n
    return out


@pytest.mark.parametrize("seed", [1, 2])
def test_expectations_are_those_of_brute_force(seed: int) -> None:
    first, follow = random_law(seed)
    lengths = np.append([0.0], np.random.default_rng(seed).integers(1, 1000, MAX_STAYS)).astype(float)
    found = chains.expected(AXIS, lengths, first, follow)
    assert found.shape == (AXIS.size,)
    for n in range(1, AXIS.max_stays + 1):
        every = list(itertools.product(range(BASE), repeat=n))
        weights = np.array([chance(c, first, follow) for c in every])
        want = lengths[n] * weights / weights.sum()
        assert found[[AXIS.encode(c) for c in every]] == pytest.approx(want)
    assert found.sum() == pytest.approx(lengths[1 : AXIS.max_stays + 1].sum())


def test_the_markov_law_is_read_off_the_transitions() -> None:
    days = Counter({(0,): 30, (0, 1, 0): 50, (0, 1, 2, 0): 20})
    first, follow = chains.markov(counted(days))
    assert first == pytest.approx([1, 0, 0], abs=1e-6)
    assert follow.sum(axis=3) == pytest.approx(np.ones((BASE + 1, BASE, PARTS)))
    assert follow[0, 0, 0] == pytest.approx([0.3, 0, 0.7, 0], abs=1e-6)
    assert follow[1, 1, 1] == pytest.approx([0, 1, 0, 0], abs=1e-6)  # second third of home-work-home
    lengths = np.zeros(MAX_STAYS + 1)
    for chain, n in days.items():
        lengths[len(chain)] += n
    found = chains.expected(AXIS, lengths, first, follow)
    for chain, n in days.items():  # every length has one chain here, so the prior is the truth
        assert found[AXIS.encode(chain)] == pytest.approx(n, rel=1e-5)


def test_the_parts_of_a_day() -> None:
    assert chains.phase(0, 1, 8) == 0
    for n in range(3, MAX_STAYS + 1):
        found = [chains.phase(r, n, 8) for r in range(n)]
        assert found == [part(r, n, 8) for r in range(n)] == sorted(found)
        sizes = Counter(found)
        assert set(sizes) == ({0, 1, 2} if n <= 8 else {3, 4, 5}) and max(sizes.values()) - min(sizes.values()) <= 1


def test_released_chains_correct_the_prior_and_lengths_are_kept() -> None:
    first, follow = random_law(3)
    lengths = np.zeros(MAX_STAYS + 1)
    lengths[1:6] = (4_000, 500, 9_000, 2_000, 3_000)
    prior = chains.expected(AXIS, lengths, first, follow)
    rng = np.random.default_rng(3)
    truth = prior * rng.gamma(2.0, 0.5, AXIS.size)
    of_length = np.repeat(np.arange(1, 6), np.diff(AXIS.offsets))
    truth *= (lengths[1:6] / np.bincount(of_length, weights=truth)[1:])[of_length - 1]
    noisy = truth + rng.normal(0, 15, AXIS.size)
    count = np.where(noisy >= 80, noisy, np.nan)
    found = settle(prior, Noisy(count, 15.0, 80.0), chains.by_length(AXIS), lengths[1:6])
    assert np.bincount(of_length, weights=found)[1:] == pytest.approx(lengths[1:6])
    assert (found >= 0).all()
    assert np.abs(found - truth).sum() < 0.5 * np.abs(prior - truth).sum()
    assert np.abs(found - truth).sum() < 0.7 * np.abs(np.where(noisy >= 80, noisy, 0) - truth).sum()
    assert settle(prior, Noisy(truth, 0.0, 0.0), chains.by_length(AXIS), lengths[1:6]) == pytest.approx(truth, rel=1e-3)


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


def test_long_chains_have_the_lengths_asked_for_and_their_conditional_law() -> None:
    first, follow = random_law(4)
    lengths = np.zeros(MAX_STAYS + 1)
    lengths[[2, 4, 9, MAX_STAYS]] = (1e6, 600.0, 50.0, 7.0)
    purposes, weights = chains.long_chains(lengths, 4, first, follow, "long")
    counts = (purposes >= 0).sum(axis=1)
    assert set(counts.tolist()) == {4, 9, MAX_STAYS}  # those of two stays are shorter than asked for
    assert [weights[counts == n].sum() for n in (4, 9, MAX_STAYS)] == pytest.approx([600.0, 50.0, 7.0])
    assert (purposes[counts == MAX_STAYS] >= 0).all() and purposes.max() < BASE
    lengths[5:] = 0
    rows = np.concatenate([chains.long_chains(lengths, 4, first, follow, f"long {k}")[0][:, :4] for k in range(40)])
    seen = Counter(map(tuple, rows.tolist()))
    every = list(itertools.product(range(BASE), repeat=4))
    want = np.array([chance(c, first, follow, longest=3) for c in every])
    want = want / want.sum() * seen.total()
    found = np.array([seen[c] for c in every])
    frequent = want > 5
    chi2 = ((found - want)[frequent] ** 2 / want[frequent]).sum()
    assert chi2 < frequent.sum() + 6 * np.sqrt(2 * frequent.sum())
    assert found[want < 1e-3].sum() <= 1
    none, empty = chains.long_chains(np.zeros(MAX_STAYS + 1), 4, first, follow, "none")
    assert none.shape == (0, MAX_STAYS) and empty.shape == (0,)


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


def test_home_after_home_is_not_made_up() -> None:
    table, none = np.ones((4, 3, 2, 4)), np.zeros((4, 3, 2, 4), dtype=bool)
    found = chains.without_home_after_home(table, none)
    assert found[:, 0, :, 1].sum() == found[1, 0].sum() == 0 and found.sum() == table.sum() - 8 - 8 + 2
    seen = none.copy()
    seen[2, 0, 1, 1] = True
    assert (chains.without_home_after_home(table, seen) == table).all()
    first, follow = chains.markov(chains.without_home_after_home(np.ones((4, 3, 6, 4)), np.zeros((4, 3, 6, 4), dtype=bool)))
    long, _weights = chains.long_chains(np.array([*np.zeros(5), 9.0, *np.zeros(MAX_STAYS)]), 5, first, follow, "test")
    assert ((long[:, 1:] == 0) & (long[:, :-1] == 0)).sum() == 0 and (long == 0).any()
