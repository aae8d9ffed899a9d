"""Nights: a day's chains stay as they were fitted, and as many people as can go on with what they ended the day before with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import handmade
import numpy as np
import pytest

from synthmob.model.chains import Chains
from synthmob.synthesis import nights
from synthmob.synthesis.days import _even, generate

PURPOSES = 6
KINDS = ((0,), (0, 1, 0), (0, 4), (4, 0), (0, 1), (1, 0), (4,), (1, 0, 4), (0, 3, 0))
N = 60_000


def law_of(seed: int) -> Chains:
    """Chains of two classes, with weights of their own that some have none of."""
    rng = np.random.default_rng(seed)
    law = handmade.chains(KINDS)
    people = rng.dirichlet(np.ones(len(KINDS)), len(law.by_class)) * 1_000
    people[:, 4] = 0.0
    return replace(law, by_class=people, weights=people.sum(axis=0))


def chosen(days: tuple[Chains, ...], u: Any, klass: int = 0) -> Any:
    """The chain of every day, one day after the other of these laws."""
    law = nights.laws(days, [_even(day.by_class) for day in days], PURPOSES)
    purposes, lengths = (np.stack([getattr(day, name) for day in days]) for name in ("purposes", "lengths"))
    return nights.choose(
        u, np.full(len(u), klass), np.arange(len(days)), purposes, lengths, law["chain_order"], law["chain_cumulative"],
        law["chain_guide"], law["begins"], law["ends"])  # fmt: skip


def share(law: Chains, klass: int, at: int) -> Any:
    """The share of people by the purpose that a day begins (at = 0) or ends (at = -1) with."""
    people = law.by_class[klass] / law.by_class[klass].sum()
    ends = [(day[0], day[-1])[at] for day in KINDS]
    return np.bincount(ends, weights=people, minlength=PURPOSES)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_chains_stay_as_fitted_and_as_many_go_on_as_can(seed: int) -> None:
    first, second = law_of(seed), law_of(seed + 10)
    found = chosen((first, second), np.random.default_rng(seed).random((N, 2)))
    for day, law in enumerate((first, second)):
        want = law.by_class[0] / law.by_class[0].sum()
        assert np.bincount(found[:, day], minlength=len(KINDS)) / N == pytest.approx(want, abs=0.008)
        assert not (found[:, day] == 4).any()
    ended = first.purposes[found[:, 0], first.lengths[found[:, 0]] - 1]
    began = second.purposes[found[:, 1], 0]
    most = np.minimum(share(first, 0, -1), share(second, 0, 0))
    assert (ended == began).mean() == pytest.approx(most.sum(), abs=0.008)
    for purpose in (0, 1, 4):
        assert ((ended == purpose) & (began == purpose)).mean() == pytest.approx(most[purpose], abs=0.008)


def test_the_first_day_is_drawn_as_it_stands() -> None:
    law, u = law_of(5), np.linspace(0, 1, 4_001)[:-1, None]
    found = chosen((law,), u, klass=1)[:, 0]
    order = np.argsort(law.purposes[:, 0], kind="stable")
    running = np.cumsum(law.by_class[1][order])
    assert found.tolist() == [order[int((running <= x * running[-1]).sum())] for x in u[:, 0]]


def test_a_class_of_nobody_still_has_days() -> None:
    law = law_of(6)
    law.by_class[0] = 0.0
    found = chosen((law, law), np.random.default_rng(6).random((2_000, 2)))
    assert len(np.unique(found)) == len(KINDS)


def test_who_is_away_at_midnight_wakes_up_there() -> None:
    model = handmade.model()
    law = handmade.chains(((0, 4), (4, 0, 4), (0, 3, 0)))
    routines = replace(
        model.routines, chains=(law,), timings=(handmade.timing(law),), work_anchor=np.ones((1, 4)))
    flows = replace(model.flows, daily=model.flows.daily[:1])
    people = generate(replace(model, routines=routines, flows=flows, day_type_of=(0, 0, 0)), n_persons=3_000, days=3, seed=2)
    stays = people.block(0).stays
    begins = np.flatnonzero((stays.seq == 0) & (stays.day > 0))
    went_on = stays.purpose[begins] == stays.purpose[begins - 1]
    assert (stays.zone[begins] == stays.zone[begins - 1])[went_on].all()
    away = went_on & (stays.purpose[begins] == 4)
    assert away.sum() > 200 and len(np.unique(stays.zone[begins][away])) > 3
