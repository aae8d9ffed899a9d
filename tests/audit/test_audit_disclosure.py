"""Singling out, linkability and inference: by hand, on copied people, and on people of whom nothing is known."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from disclosure_people import by_chance, independent, operator, quiet, released, tables, trial
from hypothesis import given
from hypothesis import strategies as st
from strategies import town

from synthmob.audit import disclosure, inference, linkability, neighbours, risks, singlingout
from synthmob.audit.advantage import most_advantage, most_excess, most_success
from synthmob.audit.attributes import Attributes, attributes
from synthmob.audit.evidence import Evidence
from synthmob.audit.risks import Rate, risk
from synthmob.domain import Domain
from synthmob.plan import Plan

PLAN = Plan.standard(1.0, 1e-6)
NORMAL = NormalDist()


def made_up(*columns: list[float], names: str = "abcdefgh", categorical: str = "") -> Attributes:
    """Attributes from columns; those named in `categorical` are codes."""
    names = names[: len(columns)]
    return Attributes(tuple(names), np.array(columns, dtype=np.float64).T, np.array([name in categorical for name in names]))


# The limit


@given(st.floats(0.05, 8), st.floats(0, 1))
def test_the_limit_is_met_by_randomised_response(epsilon: float, share: float) -> None:
    """Telling the truth with chance e^epsilon / (1 + e^epsilon) keeps (epsilon, 0) and goes to the end of it."""
    truth = math.exp(epsilon) / (1 + math.exp(epsilon))
    assert most_success(epsilon, 0.0, 1e9, 1 - truth) == pytest.approx(truth)
    assert share <= most_success(epsilon, 0.0, 1e9, share) <= 1.0
    assert most_success(epsilon, 0.0, 1e9, 0.0) == 0.0


@given(st.floats(0.05, 8), st.floats(0.001, 0.999))
def test_the_best_attack_on_gaussian_noise_keeps_the_limit(epsilon: float, control: float) -> None:
    """Noise of that rho against one person: the power of the best test of size c is Phi(Phi^-1(c) + sqrt(2 rho))."""
    plan = Plan.standard(epsilon, 1e-6)
    power = NORMAL.cdf(NORMAL.inv_cdf(control) + math.sqrt(2 * plan.rho))
    assert power <= control + most_excess(plan, control) + 1e-9
    assert most_excess(plan, control) <= most_advantage(plan) + 1e-9


def test_the_limit_is_not_idle() -> None:
    """Three times less noise than claimed breaks it."""
    power = NORMAL.cdf(NORMAL.inv_cdf(0.3) + 3 * math.sqrt(2 * PLAN.rho))
    assert power > 0.3 + most_advantage(PLAN)


# Attributes


def test_attributes_by_hand() -> None:
    persons, stays = tables(
        [(5, "female", "25-34", "yes", "z0", "z1"), (2, "male", None, "no", None, None), (9, "x", "65+", "no", "unknown", None)],
        [(5, 0, 0, "home", "z0", 0, 480, None), (5, 0, 1, "work", "z1", 500, 900, None), (5, 0, 2, "shop", "z2", 910, 940, None),
         (5, 0, 3, "leisure", "z3", 950, 980, None), (5, 0, 4, "home", "z0", 1000, 1440, None),
         (5, 1, 0, "home", "z0", 0, 600, None), (5, 1, 1, "shop", "z3", 610, 1440, None),
         (2, 0, 0, "home", None, 0, 1440, None)])  # fmt: skip
    zoning = town()
    found = attributes(persons, stays, zoning, Domain())
    km = zoning.distances_km(np.array([0, 1, 2, 3, 0]), np.array([1, 2, 3, 0, 3]))
    wanted = {
        "sex": [0, 1, -1], "age_band": [2, -1, 6], "worker": [0, 1, 1], "home_zone": [0, -1, 13], "work_zone": [1, -1, -1],
        "other_zone": [3, 12, -1], "stays": [3.5, 1, 0], "km": [round(km.sum() / 2, 3), 0, 0], "zones": [4, 1, 0],
        "out_min": [540, 1440, 1440], "home_min": [(480 + 440 + 600) / 2, 1440, 0], "work_min": [200, 0, 0]}  # fmt: skip
    assert found.names == tuple(wanted) and len(found) == 3
    for name, values in wanted.items():
        assert found.column(name).tolist() == pytest.approx(values), name
    without = attributes(persons, stays, zoning, Domain(attributes=("age_band",)))
    assert without.names == tuple(n for n in wanted if n != "sex") and found.only(without.names).names == without.names
    assert found.of(np.array([2])).column("home_zone").tolist() == [13]


# Rates


def test_the_risk_by_hand() -> None:
    """With z^2 = 3.8415: Wilson's middles are (60 + 1.9207) / 103.8415 and (20 + 1.9207) / 103.8415."""
    value, low, high = risk(Rate(60, 100), Rate(20, 100))
    train, control = 61.92073 / 103.84146, 21.92073 / 103.84146
    assert value == pytest.approx((train - control) / (1 - control), abs=1e-5)
    train_error = 1.95996 / 103.84146 * math.sqrt(60 * 0.4 + 0.96036)
    control_error = 1.95996 / 103.84146 * math.sqrt(20 * 0.8 + 0.96036)
    error = math.hypot(train_error / (1 - control), control_error * (1 - train) / (1 - control) ** 2)
    assert (low, high) == pytest.approx((value - error, value + error), abs=1e-4)
    assert Rate(0, 0).share == 0.0 and all(map(math.isfinite, risk(Rate(0, 0), Rate(0, 0))))
    assert risk(Rate(5, 5), Rate(5, 5))[0] == 0.0


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0, 1))
def test_a_limit_on_success_is_the_same_as_one_on_risk(members: int, controls: int, success: float) -> None:
    """The risk is a rising line in the rate on members."""
    rate, other = Rate(members, 50), Rate(controls, 50)
    assert (risks.as_risk(success, other) >= risk(rate, other)[0]) == (success >= rate.wilson[0])
    row = risks.evidence("a", "A", "works", (rate, other, other), success)
    assert row.limit is not None and row.limit >= 0 and row.passed == (row.low <= row.limit) and row.control == 0.0


# Neighbours


def test_gower_by_hand() -> None:
    synthetic = made_up([0, 1, 1], [0, 10, 20], categorical="a")
    targets = made_up([1, 0], [5, 90], categorical="a")
    [(rows, apart, jitter)] = list(neighbours.distances(targets, synthetic, np.random.default_rng(1)))
    assert rows == slice(0, 2) and (jitter >= 0).all() and jitter.max() < 1e-8
    assert apart[0].tolist() == [[1, 0, 0], [0, 1, 1]]
    assert apart[1].tolist() == [[0.25, 0.25, 0.75], [1, 1, 1]]
    assert neighbours.nearest(apart.sum(axis=0) + np.array([[0, 0, 0], [0, 0.1, 0]]), 2).tolist() == [[1, 2], [0, 2]]


def test_equals_are_drawn_at_random() -> None:
    synthetic, targets = made_up([1.0] * 10, categorical="a"), made_up([1.0] * 200, categorical="a")
    first = [neighbours.nearest(apart.sum(axis=0) + jitter, 1)[:, 0]
             for _, apart, jitter in neighbours.distances(targets, synthetic, np.random.default_rng(1))]  # fmt: skip
    counts = np.bincount(np.concatenate(first), minlength=10)
    assert len(first) == 4 and counts.sum() == 200 and counts.max() < 45 and counts.min() > 3


# Linkability


def test_links_by_hand() -> None:
    """One person's halves lead to the same synthetic person, the other's to two."""
    names, kinds = ("home_zone", "out_min"), np.array([True, False])
    synthetic = Attributes(names, np.array([[0.0, 0], [1, 60]]), kinds)
    targets = Attributes(names, np.array([[0.0, 0], [0, 60]]), kinds)
    found = linkability.linked(targets, synthetic, np.random.default_rng(1))
    assert found[1].tolist() == [True, False] and found[10].tolist() == [True, True]


def test_links_by_chance_are_as_many_as_they_should_be() -> None:
    """k of n for each half: none in common with chance C(n - k, k) / C(n, k)."""
    found = linkability.linked_by_chance(3_000, 40, np.random.default_rng(1))
    for k, share in ((1, 1 / 40), (10, 1 - math.comb(30, 10) / math.comb(40, 10))):
        assert abs(found[k].mean() - share) < 5 * math.sqrt(share * (1 - share) / 3_000)


# Inference


def test_inference_by_hand() -> None:
    """The nearest in everything else tells the secret; who has no work zone is not asked for it."""
    names = ("home_zone", "work_zone", "out_min")
    kinds = np.array([True, True, False])
    synthetic = Attributes(names, np.array([[0.0, 5, 480], [1, 6, 600], [2, -1, 1440]]), kinds)
    targets = Attributes(names, np.array([[0.0, 5, 500], [1, 5, 640], [2, -1, 1440]]), kinds)
    found = inference.guessed(targets, synthetic, np.random.default_rng(1))
    assert list(found) == ["home_zone", "work_zone", "out_min"]
    assert found["work_zone"].nearest.tolist() == [True, False]
    assert found["out_min"].nearest.tolist() == [True, False, True]  # 20 min off, 160 or 40, none
    assert found["home_zone"].nearest[[0, 2]].tolist() == [True, True]
    nobody = Attributes(names, np.array([[2.0, -1, 1440]]), kinds)
    assert inference.guessed(targets, nobody, np.random.default_rng(1))["work_zone"].nearest.tolist() == [False, False]


# Singling out


def test_predicates_by_hand() -> None:
    people = np.array([[0.0, 0, 1, 1], [10.0, 20, 30, 40]])
    assert singlingout.Predicate((0,), (singlingout.EQUAL,), (1.0,)).count(people) == 2
    assert singlingout.Predicate((0, 1), (singlingout.EQUAL, singlingout.AT_MOST), (0.0, 10.0)).count(people) == 1
    assert singlingout.Predicate((1,), (singlingout.AT_LEAST,), (20.0,)).count(people) == 3
    synthetic = made_up([0, 0, 1], [7, 7, 9], categorical="a")
    rows = singlingout.on_one(synthetic, np.random.default_rng(1))
    assert {(p.columns, p.relations, p.values) for p in rows} == {
        ((0,), (singlingout.EQUAL,), (1.0,)), ((1,), (singlingout.EQUAL,), (9.0,)), ((1,), (singlingout.AT_LEAST,), (9.0,))}


@given(st.integers(0, 2**20))
def test_predicates_hold_for_one_synthetic_person(seed: int) -> None:
    rng = np.random.default_rng(seed)
    synthetic = Attributes(tuple("abcde"), rng.integers(0, 6, size=(30, 5)).astype(float), np.array([True, True, False, False, False]))
    columns = np.ascontiguousarray(synthetic.values.T)
    found = [*singlingout.on_one(synthetic, rng), *singlingout.on_several(synthetic, columns, rng, attempts=200)]
    assert len(set(found)) == len(found) and all(p.count(columns) == 1 for p in found)


def test_the_limit_of_singling_out_by_hand() -> None:
    """Two predicates fit no member; of these one fits 3 controls, the other none: m = 3 / 4 over four, and its upper end."""
    found = singlingout.Outcome(np.array([1, 0, 0, 5]), np.array([2, 3, 0, 1]), np.zeros(4, dtype=np.int64))
    m = 0.75 + 1.96 * np.std([0, 3, 0, 0]) / 2
    assert found.most_success(0.01, 1e-6, 1_000) == 1.0
    assert found.most_success(-1.5, 1e-6, 1_000) == pytest.approx(math.exp(-1.5) * m + 0.001)
    assert singlingout.Outcome(*(np.zeros(0, dtype=np.int64) for _ in range(3))).most_success(1.0, 1e-6, 10) == 1.0


# All together


def attacked(*given: object) -> dict[str, Evidence]:
    return {row.name: row for row in disclosure.attack(*given, np.random.default_rng(4), quiet)}  # pyright: ignore[reportArgumentType]


def test_copied_people_are_disclosed() -> None:
    members, _ = released()
    rows = attacked(operator(), trial(members))
    assert all(row.passed is False for row in rows.values())
    for name in ("singling_out_one", "singling_out_several", "inference_work_zone", "inference_other_zone", "inference_out_min"):
        assert rows[name].low > 0.9, name
    assert rows["linkability_10"].low > 0.85
    assert rows["linkability_1"].low > 0.3  # up to ten people of one home and group: the first half is a guess among them


def test_other_people_are_not_disclosed() -> None:
    rows = attacked(*independent())
    assert all(row.passed for row in rows.values())
    assert all(by_chance(row) for row in rows.values())
    assert set(rows) == {
        "singling_out_one", "singling_out_several", "linkability_1", "linkability_10",
        *(f"inference_{secret}" for secret in inference.SECRETS)}  # fmt: skip
    for row in rows.values():
        assert row.family == "disclosure" and row.subject == "synthetic" and row.control is not None and row.limit is not None


@pytest.mark.slow
def test_synthetic_people_of_a_real_release_disclose_nobody() -> None:
    """The whole way: the mechanism at epsilon 1, a fit, people made from it."""
    from membership_people import operator as whole

    from synthmob.audit import differencing, trajectories, uniqueness
    from synthmob.audit.subject import halves
    from synthmob.audit.subject import trial as tried

    subject, rng = whole(), np.random.default_rng(5)
    made = tried(subject, halves(subject.n, rng), 5)
    rows = [row for attack in (trajectories.attack, uniqueness.attack, disclosure.attack) for row in attack(subject, made, rng, quiet)]
    rows += differencing.attack(subject, made)
    assert len(rows) > 25 and all(row.passed is not False for row in rows)
