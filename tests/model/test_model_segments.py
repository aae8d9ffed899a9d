"""Pupils and students: chains split by who has them, tables that tell them apart or do not, and people who live by both laws."""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest
from handmade import CLASSES, EDUCATION, HOME, SCHOOL, SHOP, WORK

from synthmob.domain import PUPILS, Axis, Domain
from synthmob.marginals import Marginal
from synthmob.model import segments, timing
from synthmob.model.chains import Chains
from synthmob.synthesis.days import generate

KINDS = ((HOME,), (HOME, EDUCATION, HOME), (HOME, WORK, HOME), (HOME, EDUCATION, SHOP, EDUCATION, HOME))
AGE = np.arange(CLASSES) // 2 % len(handmade.DOMAIN.age_band)
NO_AGES = replace(handmade.DOMAIN, attributes=("sex",), age_band=("other",))


def by_code(chains: Chains, who: np.ndarray) -> np.ndarray:
    return np.bincount(chains.codes, weights=chains.by_class[who].sum(axis=0), minlength=len(KINDS))


def test_days_with_education_are_split_by_who_has_them() -> None:
    law = handmade.chains(KINDS)
    found = segments.split(law, handmade.DOMAIN)
    assert found.codes.tolist() == [0, 1, 2, 3, 1, 3] and found.lengths.tolist() == [1, 3, 3, 5, 3, 5]
    assert found.purposes[4:, :5].tolist() == [[HOME, SCHOOL, HOME, -1, -1], [HOME, SCHOOL, SHOP, SCHOOL, HOME]]
    assert np.array_equal(found.purposes[:4], law.purposes)
    pupils, has = AGE == 0, (found.purposes == SCHOOL).any(axis=1)
    assert (found.by_class[~pupils][:, has] == 0).all() and (found.by_class[pupils][:, [1, 3]] == 0).all()
    for who in (pupils, ~pupils):
        assert by_code(found, who) == pytest.approx(by_code(law, who))
    assert found.weights == pytest.approx(found.by_class.sum(axis=0))


@pytest.mark.parametrize("domain", [NO_AGES, Domain(purposes=("home", "work", "other")), Domain(age_band=("18-64", "other"))])
def test_nothing_is_split_where_no_pupils_are_known(domain: Domain) -> None:
    law = handmade.chains(KINDS)
    assert segments.split(law, domain) is law and domain.segments == domain.purposes and domain.segment_duties == domain.duties


def test_pupils_and_others_share_the_row_that_was_released_of_their_day() -> None:
    law = segments.split(handmade.chains(KINDS), handmade.DOMAIN)
    axes = Axis("day_type", ("weekday",)), Axis("chain", tuple("abcd"))
    own = Marginal("chain_departure", axes, np.empty((0, 2), np.int64), np.empty(0))
    row, codes = timing.chain_rows(law, own)
    assert codes.tolist() == [1, 2, 3] and row.tolist() == [-1, 0, 1, 2, 0, 2]
    assert timing.timed_chains(law, own).tolist() == [2]
    few = replace(law, weights=law.weights * 1e-6)
    assert timing.timed_chains(few, own).size == 0 and (timing.chain_rows(few, own)[0] == -1).all()


def table(labels: tuple[str, ...], cells: list[tuple[int, int]], values: list[float]) -> Marginal:
    return Marginal.of("destinations@zone", (Axis("purpose", labels), Axis("zone", ("a", "b"))), cells, values, sigma=3.0, cut=9.0)


def test_tables_that_tell_no_pupils_apart_hold_for_both() -> None:
    domain = handmade.DOMAIN
    plain = table(domain.purposes, [(EDUCATION, 1), (SHOP, 0)], [20.0, 30.0])
    found = segments.told_apart({"destinations@zone": plain, "presence@zone": plain}, domain)
    both = found["destinations@zone"]
    assert both.axes[0].labels == (*domain.purposes, PUPILS) and (both.sigma, both.cut) == (3.0, 9.0)
    assert both.codes.tolist() == [[EDUCATION, 1], [SHOP, 0], [SCHOOL, 1]] and both.values.tolist() == [20.0, 30.0, 20.0]
    assert found["presence@zone"] is plain


def test_where_nobody_has_an_age_pupils_and_others_are_added_up() -> None:
    told = table(handmade.DOMAIN.segments, [(EDUCATION, 1), (SCHOOL, 0), (SCHOOL, 1)], [20.0, 10.0, 5.0])
    found = segments.told_apart({"destinations@zone": told}, NO_AGES)["destinations@zone"]
    assert found.axes[0].labels == NO_AGES.purposes
    assert found.codes.tolist() == [[EDUCATION, 0], [EDUCATION, 1]] and found.values.tolist() == [10.0, 25.0]


def test_people_go_to_school_where_pupils_do_and_call_it_education() -> None:
    model = handmade.model()
    law = segments.split(handmade.chains(KINDS), handmade.DOMAIN)
    attraction = np.array(model.flows.attraction)
    attraction[EDUCATION], attraction[SCHOOL] = np.eye(6)[1], np.eye(6)[3]
    routines = replace(model.routines, chains=(law,) * 2, timings=(handmade.timing(law, n=200),) * 2)
    block = generate(
        replace(model, flows=replace(model.flows, attraction=attraction), routines=routines), n_persons=2_000, days=2, seed=1).block(0)
    stays = block.stays
    learns = stays.purpose == EDUCATION
    pupil = block.people.klass[stays.person] // 2 % len(handmade.DOMAIN.age_band) == 0
    assert stays.purpose.max() == SHOP and (learns & pupil).sum() > 100 < (learns & ~pupil).sum()
    assert (stays.zone[learns & pupil] == 3).all() and (stays.zone[learns & ~pupil] == 1).all()
