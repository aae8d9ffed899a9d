"""What stays of lives are worth: with it, a sample has as many stays of every purpose in every zone as all people have."""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest

from synthmob.model import habits
from synthmob.model.composition import Composition
from synthmob.model.expectation import expectation
from synthmob.model.geography import Geography
from synthmob.model.lives import Lives, sample_lives

MODEL = handmade.model()
PLACE = Geography.of(MODEL.zoning, MODEL.domain)
DAYS = (0, 1)
PURPOSES = 7


def sampled(n: int) -> Lives:
    chains = MODEL.routines.chains
    types = habits.by_type(chains, MODEL.routines.persistence, MODEL.domain.purpose_of)
    return sample_lives(MODEL.anchors, chains, types, DAYS, PLACE, n)


def test_it_is_what_a_great_many_lives_are_like() -> None:
    many = sampled(200_000)
    assert many.composition is not None
    row, rank = np.nonzero(many.purposes >= 0)
    found = np.zeros(many.composition.stays.shape)
    np.add.at(found, (many.home[row], many.purposes[row, rank]), many.weight)
    assert found == pytest.approx(many.composition.stays, rel=0.05, abs=0.002 * found.sum())
    work = np.bincount(many.work[many.work >= 0], minlength=PLACE.n)
    assert work / work.sum() == pytest.approx(many.composition.working, abs=0.005)


def test_a_sample_is_weighed_to_it() -> None:
    few = sampled(3_000)
    assert few.composition is not None and few.worth is not None
    row, rank = np.nonzero(few.purposes >= 0)
    found = np.zeros(few.composition.stays.shape)
    np.add.at(found, (few.home[row], few.purposes[row, rank]), few.weight * few.worth[few.home[row], few.purposes[row, rank]])
    many = few.composition.stays > 300 * few.weight
    assert many.any() and found[many] == pytest.approx(few.composition.stays[many], rel=0.03)
    plain = replace(few, composition=None)
    assert plain.worth is None and np.abs(few.worth[many] - 1.0).max() > 0.005


def test_a_stay_of_which_there_are_few_is_worth_about_one() -> None:
    alone = Composition(np.array([[3.0, 0.0], [0.0, 1.0]]), np.ones(2))
    worth = alone.worth(np.array([0, 0]), np.array([[0, 1], [0, -1]], np.int8), 1.0)
    assert worth == pytest.approx(np.array([[13 / 12, 10 / 11], [1.0, 11 / 10]]))


def test_work_places_are_those_of_all_people() -> None:
    few = sampled(300)
    found = expectation(MODEL.flows, PLACE, few, MODEL.routines.work_anchor[0], MODEL.routines.exploration)
    fixed = found.fixed_destinations[1]
    assert few.composition is not None and fixed.sum() > 0
    assert fixed / fixed.sum() == pytest.approx(few.composition.working)
