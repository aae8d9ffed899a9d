"""Canaries: planted lives and what they would do to the tables, an attacker's guesses, and what these are taken to show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from audited_city import CITY, MONDAY, records, table
from scipy.stats import norm

from synthmob.accounting import FIXED_POINT, rho_from
from synthmob.audit import canary
from synthmob.audit.lowerbound import epsilon_lower_bound
from synthmob.audit.planted import Planted, plant
from synthmob.counts import Contributions
from synthmob.domain import Domain
from synthmob.errors import InputError
from synthmob.plan import Plan
from synthmob.private.curator import Curator, Sources

NOBODY = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
ONE_TABLE = tuple(r for r in Plan.standard().requests if r.name == "demographics")
RHO = rho_from(1.0, 1e-6)


# ---------------------------------------------------------------- the lives


@pytest.fixture(scope="module")
def made() -> Planted:
    return plant(400, CITY, MONDAY, Domain(), np.random.default_rng(2))


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Curator:
    return Curator.of(records(tmp_path_factory.mktemp("real"), 50, MONDAY), CITY)


@pytest.fixture(scope="module")
def plan(door: Curator) -> Plan:
    return door.plan(Plan.standard(1.0, 1e-6))


Both = tuple[dict[str, Contributions], dict[str, Contributions]]


@pytest.fixture(scope="module")
def both(made: Planted, door: Curator, plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """What everyone would add if nothing held them, and what they add."""
    everyone = Sources(made.write(tmp_path_factory.mktemp("everyone"), everyone=True))
    return door.planted(plan, everyone, bounds=False), door.planted(plan, everyone)


def _paid(tables: dict[str, Contributions], plan: Plan, n: int) -> np.ndarray:
    """What each planted subscriber moves the tables by, as a part of the whole budget: 1 is all that one subscriber may."""
    cost = np.zeros(n)
    for name, found in tables.items():
        norms = np.bincount(found.persons, weights=(found.fixed / FIXED_POINT) ** 2, minlength=n)
        cost += norms / (2 * found.sigma**2)
        assert found.n_persons == n and found.bound_l2 == next(r.bound_l2 for r in plan.requests if r.name == name)
    return cost / plan.rho


def test_their_lives_use_up_most_of_what_one_subscriber_may_move(made: Planted, both: Both, plan: Plan) -> None:
    used = _paid(both[1], plan, made.n)
    assert used.max() <= 1 + 1e-9 and np.mean(used) > 0.8 and used.min() > 0.6


def test_the_restless_would_move_the_tables_many_times_as_much_if_nothing_held_them(made: Planted, both: Both, plan: Plan) -> None:
    stays = np.bincount(made.stays["subscriber_id"].to_numpy(), minlength=made.n)
    free = _paid(both[0], plan, made.n)
    assert 0.08 * made.n < (stays > 40).sum() < 0.16 * made.n
    assert free[stays > 40].min() > 10 and free[stays <= 40].max() < 4


def test_every_table_of_the_plan_is_reached(both: Both) -> None:
    assert [name for name, found in both[1].items() if not len(found.cells)] in ([], ["home@unknown"])


def test_what_the_attacker_supposes_of_bounds_is_what_the_curator_does(both: Both) -> None:
    free, held = both
    for name in free:
        assert np.array_equal(free[name].cells, held[name].cells)
        assert np.abs(canary.held(free[name]) - held[name].fixed).max(initial=0) <= 1.01, name


def test_only_those_whose_coin_says_so_are_written_and_coins_are_fair(made: Planted, tmp_path: Path) -> None:
    inside, everyone = made.write(tmp_path / "in"), made.write(tmp_path / "all", everyone=True)
    for file in ("subscribers", "stays", "events"):
        ids = pq.read_table(inside / f"{file}.parquet")["subscriber_id"].to_numpy()
        assert set(ids) == set(np.flatnonzero(made.inside))
        assert set(pq.read_table(everyone / f"{file}.parquet")["subscriber_id"].to_numpy()) == set(range(made.n))
    many = plant(10_000, CITY, MONDAY, Domain(), np.random.default_rng(3))
    assert abs(many.inside.mean() - 0.5) < 0.025  # five standard errors
    short = np.bincount(many.stays["subscriber_id"].to_numpy()) == 7
    assert abs(many.inside[short].mean() - 0.5) < 0.05  # nor do coins follow lives


def test_presence_is_never_missed_on_the_way(made: Planted) -> None:
    """At half past every hour everyone is somewhere, so that presence tables are moved in full."""
    stays = made.stays.to_pandas()
    for moment in range(30, 1440, 60):
        assert set(stays[(stays.start_min <= moment) & (moment < stays.end_min)].subscriber_id) == set(range(made.n))


def test_a_plan_with_the_fewest_categories_and_zones_is_enough(tmp_path: Path) -> None:
    domain = Domain(sex=("a", "b"), age_band=("a", "b"), purposes=("home", "work"), modes=("a", "b"), max_chain_stays=2)
    few = plant(30, CITY, MONDAY, domain, np.random.default_rng(4))
    assert set(few.stays["purpose"].to_pylist()) == {"home", "work"}
    real = Curator.of(records(tmp_path / "real", 20, MONDAY), CITY)
    plan = real.plan(Plan(1.0, 1e-6, 10, ONE_TABLE, domain))
    tables = real.planted(plan, Sources(few.write(tmp_path / "few", everyone=True)))
    assert tables["demographics"].totals()[1].sum() == 30 * FIXED_POINT


def test_planting_nobody_is_refused() -> None:
    with pytest.raises(InputError, match="1 planted"):
        plant(1, CITY, MONDAY, Domain(), np.random.default_rng(0))


# ---------------------------------------------------------------- through the curator


@pytest.mark.parametrize("without", [("mode", "events"), ("stays",)], ids=["stays without modes", "events alone"])
def test_they_are_read_and_counted_as_the_records_are(tmp_path: Path, without: tuple[str, ...]) -> None:
    door = Curator.of(records(tmp_path / "real", 40, MONDAY, without=without), CITY)
    plan = door.plan(Plan(2_000.0, 1e-6, 10, ONE_TABLE))
    made = plant(60, CITY, MONDAY, Domain(), np.random.default_rng(5))
    noisy = door.measure_raw(plan, {"demographics": np.arange(48)}, extra=Sources(made.write(tmp_path / "inside")))["demographics"]
    assert abs(noisy.sum() / FIXED_POINT - 40 - made.inside.sum()) < 1


def test_what_is_added_to_every_cell_is_what_those_inside_add(made: Planted, door: Curator, tmp_path: Path) -> None:
    plan = door.plan(Plan(2_000.0, 1e-6, 10, ONE_TABLE))
    at = {"demographics": np.arange(48)}
    free = door.planted(plan, Sources(made.write(tmp_path / "everyone", everyone=True)), bounds=False)
    noisy = door.measure_raw(plan, at, extra=Sources(made.write(tmp_path / "inside")))["demographics"]
    added = noisy - canary.at_cells(at["demographics"], door.exact(plan)["demographics"])
    expected = canary.at_cells(at["demographics"], free["demographics"].totals(made.inside))
    assert np.abs(added - expected).max() < 0.5 * FIXED_POINT and expected.sum() == made.inside.sum() * FIXED_POINT


@pytest.mark.slow
def test_events_tell_of_the_same_lives(tmp_path: Path) -> None:
    """Where stays are detected from events, days still have most of the stays that were meant, in the zones that were meant."""
    made = plant(40, CITY, MONDAY, Domain(), np.random.default_rng(6))
    folder = made.write(tmp_path / "made", everyone=True)
    (folder / "period.toml").write_text("first_day = 2026-03-02\ndays = 1\ntimezone = 'Europe/London'\n")
    _, found = (t.to_pandas() for t in Curator.of(folder, CITY, read_from="events").rows(Plan(1.0, 1e-6, 10, ONE_TABLE)))
    meant = made.stays.to_pandas()
    meant = meant[meant.end_min - meant.start_min > 30]
    assert len(found) > 0.5 * len(meant)
    assert len(found.zone_id.unique()) == CITY.n_zones


# ---------------------------------------------------------------- the attacker


def _run(adds: Contributions, inside: np.ndarray, noise: np.ndarray | float) -> dict[str, np.ndarray]:
    """What a mechanism without bounds would say at the cells touched, with that noise in persons."""
    cells = canary.cells_touched({"table": adds})["table"]
    true = canary.at_cells(cells, adds.totals(inside))
    return {"table": np.rint(true + np.asarray(noise) * FIXED_POINT).astype(np.int64)}


def _scores(adds: Contributions, noisy: dict[str, np.ndarray], seed: int = 1) -> np.ndarray:
    return canary.scores({"table": adds}, noisy, {"table": NOBODY}, np.random.default_rng(seed))


def _apart(n: int, cells_each: int = 4) -> np.ndarray:
    """Weights of people who share no cell, each just within a bound of sqrt(cells_each)."""
    return np.kron(np.eye(n), np.ones((1, cells_each)))


def test_the_scores_of_two_people_worked_out_by_hand() -> None:
    """A single cell each, weight 1, sigma 4: (1/16 + 4) s = (count - 1/2) / 16, where noise is believed to be as claimed."""
    adds = table(np.eye(2), 1.0, 1 / 32)
    assert adds.sigma == 4.0
    noisy = {"table": np.array([8.5, -7.5]) * FIXED_POINT}
    assert _scores(adds, noisy) == pytest.approx(np.array([8.0, -8.0]) / 16 / (1 / 16 + 4), rel=1e-4)


def test_counts_of_the_records_are_known_and_taken_off() -> None:
    adds, inside = table(_apart(50), 2.0, RHO), np.arange(50) % 2 == 0
    base = (np.arange(0, 200, 3, dtype=np.int64), np.arange(0, 200, 3, dtype=np.int64) * 977)
    plain = _run(adds, inside, 0.0)
    above = {"table": plain["table"] + canary.at_cells(np.arange(200), base)}
    found = canary.scores({"table": adds}, above, {"table": base}, np.random.default_rng(1))
    assert found == pytest.approx(_scores(adds, plain), abs=1e-9)


@pytest.mark.parametrize("part", [1.0, 1 / 3, 0.0])
def test_the_attacker_sees_how_large_the_noise_is(part: float) -> None:
    rng = np.random.default_rng(7)
    weights = (rng.random((300, 1_500)) < 0.02).astype(float)
    adds, inside = table(weights, np.sqrt(60), 5.0), rng.random(300) < 0.5
    noisy = _run(adds, inside, part * adds.sigma * rng.normal(size=len(np.unique(adds.cells))))
    matrix, rest = canary._seen(adds, noisy["table"], NOBODY)  # pyright: ignore[reportPrivateUsage]
    level = canary._noise_level(matrix, rest, rng)  # pyright: ignore[reportPrivateUsage]
    assert level == pytest.approx(max(part, canary.LEAST_NOISE), rel=0.1, abs=2e-3)


def _audit(weights: np.ndarray, bound: float, rng: np.random.Generator, *, of_sigma: float, free: bool, blind: bool = False) -> Any:
    adds, inside = table(weights, bound, RHO), rng.random(len(weights)) < 0.5
    cells = np.unique(adds.cells)
    meant = adds if free else Contributions(
        adds.name, adds.axes, adds.n_persons, adds.persons, adds.cells, canary.held(adds).astype(np.int64), bound, adds.sigma)
    noisy = _run(meant, inside, of_sigma * adds.sigma * rng.normal(size=len(cells)))
    scored = _scores(adds, noisy)
    told = rng.random(len(weights)) < 0.5 if blind else inside
    return canary.evidence(told, scored, rho=RHO, epsilon=1.0, delta=1e-6, rng=rng)


def test_a_mechanism_that_keeps_its_word_shows_what_it_may_and_no_more() -> None:
    rng = np.random.default_rng(8)
    found = [_audit(_apart(4_000), 2.0, rng, of_sigma=1.0, free=False) for _ in range(2)]
    assert all(e.passed for pair in found for e in pair)
    assert np.mean([area.value for _, area in found]) == pytest.approx(norm.cdf(np.sqrt(RHO)), abs=0.02)
    assert 0.05 < np.mean([bound.value for bound, _ in found]) < 0.6
    assert max(bound.control for bound, _ in found) < 0.25


def test_without_noise_every_guess_is_right() -> None:
    bound, area = _audit(_apart(2_000), 2.0, np.random.default_rng(9), of_sigma=0.0, free=False)
    assert bound.value > 4 and not bound.passed and area.value == 1.0 and not area.passed
    assert "100.0% right" in bound.sentence


def test_a_third_of_the_noise_is_found() -> None:
    bound, area = _audit(_apart(4_000), 2.0, np.random.default_rng(10), of_sigma=1 / 3, free=False)
    assert bound.value > 1.0 and not bound.passed and not area.passed


def test_contributions_that_nothing_holds_are_found_though_the_claim_says_otherwise() -> None:
    """Every tenth would add thirty times what it may; if bounded, the same lives show nothing out of the ordinary."""
    weights = _apart(4_000)
    weights[::10] *= 30
    loose = _audit(weights, 2.0, np.random.default_rng(11), of_sigma=1.0, free=True)
    tight = _audit(weights, 2.0, np.random.default_rng(11), of_sigma=1.0, free=False)
    assert loose[0].value > 2 and not loose[0].passed and all(e.passed for e in tight)


def test_where_there_is_nothing_to_find_nothing_is_found() -> None:
    """Judged by coins that decided nothing."""
    bound, area = _audit(_apart(4_000), 2.0, np.random.default_rng(12), of_sigma=0.0, free=False, blind=True)
    assert bound.value < 0.25 and bound.passed and abs(area.value - 0.5) < 4 * 0.0091 and area.passed


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 4.0])
def test_the_area_that_noise_allows_is_that_noise(epsilon: float) -> None:
    area = float(norm.cdf(np.sqrt(rho_from(epsilon, 1e-6))))
    assert canary.gaussian_epsilon(area, 1e-6) == pytest.approx(epsilon, rel=1e-6)
    assert canary.gaussian_epsilon(0.4, 1e-6) == 0.0 and canary.gaussian_epsilon(1.0, 1e-6) > 50


def test_guesses_counted_by_hand() -> None:
    scored, inside = np.array([0.9, -0.3, 0.4, -0.8, 0.1]), np.array([True, True, False, False, True])
    assert canary.guessed_right(scored, inside, 4) == 2  # -0.8 out: right; -0.3 out: wrong; 0.4 in: wrong; 0.9 in: right
    assert canary.guessed_right(scored, inside, 2) == 2


def test_the_better_of_few_guesses_and_many_is_taken_and_the_choice_paid_for() -> None:
    """Sixty are known for certain, nothing of the others: a hundred guesses show it and many would not."""
    rng = np.random.default_rng(13)
    inside = rng.random(4_000) < 0.5
    scored = rng.normal(size=4_000) * 1e-3
    scored[:60] = np.where(inside[:60], 1.0, -1.0)
    found = canary.bound(inside, scored, RHO, 1e-6)
    assert found.guesses == canary.FEW_GUESSES and found.epsilon > 0.5
    alone = epsilon_lower_bound(4_000, found.guesses, found.right, 1e-6)
    assert found.epsilon == epsilon_lower_bound(4_000, found.guesses, found.right, 1e-6, 0.99) < alone


def test_nothing_to_attack_is_refused() -> None:
    with pytest.raises(InputError, match="add to no table"):
        _scores(table(np.zeros((3, 2)), 1.0, RHO), {"table": np.empty(0, dtype=np.int64)})


def test_the_cells_measured_do_not_depend_on_the_coins(door: Curator, plan: Plan, both: Both) -> None:
    """They come from everyone planted, in or out, and cover whatever anyone adds."""
    at = canary.cells_touched(both[0])
    assert all(np.array_equal(at[name], np.unique(both[1][name].cells)) for name in at)
    assert {r.name for r in plan.requests} == set(at) and all(cells.dtype == np.int64 for cells in at.values())


