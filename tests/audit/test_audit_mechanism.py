"""Checks of the mechanism: silent where all is well, however often they are asked, and loud at each fault."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from audited_city import CITY, MONDAY, table

from synthmob import accounting
from synthmob.accounting import FIXED_POINT
from synthmob.audit import mechanism, released
from synthmob.audit.evidence import Evidence
from synthmob.audit.mechanism import ALARM, Noise
from synthmob.domain import Axis
from synthmob.errors import InputError
from synthmob.marginals import Marginal
from synthmob.plan import Plan
from synthmob.release import Release, privacy

SHAPES: dict[str, tuple[int, ...]] = {"few": (3,), "groups": (3, 8, 2), "flows": (30, 30), "hours": (2, 24, 40)}
SIGMAS = {"few": 40.0, "groups": 25.0, "flows": 20.5, "hours": 126.0}
RUNS = 3
Draw = Callable[[np.random.Generator, int, float], np.ndarray]


def _normal(rng: np.random.Generator, n: int, sigma: float) -> np.ndarray:
    """On the grid of the counts."""
    return np.rint(rng.normal(scale=sigma * FIXED_POINT, size=n)) / FIXED_POINT


def _noise(seed: int, draw: Draw = _normal) -> list[Noise]:
    rng = np.random.default_rng(seed)
    return [
        Noise(name, SIGMAS[name], np.stack([draw(rng, math.prod(shape), SIGMAS[name]) for _ in range(RUNS)]), shape)
        for name, shape in SHAPES.items()]  # fmt: skip


def _by_name(found: list[Evidence]) -> dict[str, Evidence]:
    return {e.name.removeprefix("mechanism."): e for e in found}


def _alarms(tables: list[Noise]) -> set[str]:
    return {name for name, e in _by_name(mechanism.check(tables)).items() if not e.passed}


# ---------------------------------------------------------------- noise


def test_a_sound_mechanism_is_never_accused_and_its_chances_are_chances() -> None:
    """Over 150 sound mechanisms no p-value is near the alarm, and small ones are no more frequent than they say."""
    found = [_by_name(mechanism.check(_noise(seed))) for seed in range(150)]
    for name in ("size", "shape", "fresh", "sums"):
        values = np.array([row[name].value for row in found])
        assert values.min() > 1e-5 and (values < 0.05).mean() < 0.12, name
        assert all(row[name].passed for row in found)


@pytest.mark.parametrize("factor", [1 / 3, 0.8, 1.2, 0.0])
def test_noise_of_another_size_is_found(factor: float) -> None:
    tables = [replace(t, drawn=t.drawn * factor) for t in _noise(1)]
    assert "size" in _alarms(tables)


def test_one_table_with_a_third_of_its_noise_is_found_among_many() -> None:
    tables = [replace(t, drawn=t.drawn / 3) if t.name == "groups" else t for t in _noise(2)]
    assert "size" in _alarms(tables)


def test_a_shift_of_half_a_sigma_is_found() -> None:
    assert "size" in _alarms([replace(t, drawn=t.drawn + 0.5 * t.sigma) for t in _noise(3)])


def test_noise_of_another_shape_is_found_though_its_size_is_right() -> None:
    def uniform(rng: np.random.Generator, n: int, sigma: float) -> np.ndarray:
        return rng.uniform(-sigma * math.sqrt(3), sigma * math.sqrt(3), size=n)

    assert "shape" in _alarms(_noise(4, uniform))


def test_noise_that_comes_again_is_found() -> None:
    again = [replace(t, drawn=np.stack([t.drawn[0]] * RUNS)) for t in _noise(5)]
    assert _alarms(again) == {"fresh"}
    one_table = [again[k] if t.name == "flows" else t for k, t in enumerate(_noise(5))]
    assert _alarms(one_table) == {"fresh"}


def test_noise_shared_in_part_is_found() -> None:
    """Half of the variance is the same in all runs."""
    rng, tables = np.random.default_rng(6), list[Noise]()
    for t in _noise(6):
        shared = rng.normal(scale=t.sigma, size=t.drawn.shape[1])
        tables.append(replace(t, drawn=(t.drawn + shared) / math.sqrt(2)))
    assert "fresh" in _alarms(tables)


def test_the_same_noise_in_every_table_is_found() -> None:
    """A generator seeded anew for every table, differently in every run."""
    rng = np.random.default_rng(7)
    runs = rng.normal(size=(RUNS, max(math.prod(s) for s in SHAPES.values())))
    tables = [replace(t, drawn=t.sigma * runs[:, : t.drawn.shape[1]]) for t in _noise(7)]
    assert "fresh" in _alarms(tables)


@pytest.mark.parametrize("name", list(SHAPES))
def test_a_single_total_that_is_kept_exact_is_found(name: str) -> None:
    tables = [_closed(t, axis=None) if t.name == name else t for t in _noise(8)]
    assert _alarms(tables) == {"sums"}


def test_a_margin_that_is_kept_exact_is_found() -> None:
    tables = [_closed(t, axis=1) if t.name == "hours" else t for t in _noise(9)]
    assert _alarms(tables) == {"sums"}


def _closed(noise: Noise, axis: int | None) -> Noise:
    """The noise less its mean, so that its sums are nothing: overall, or along an axis for each of the others."""
    assert noise.shape is not None
    cube = noise.drawn.reshape(RUNS, *noise.shape)
    axes = tuple(range(1, cube.ndim)) if axis is None else (axis + 1,)
    return replace(noise, drawn=(cube - cube.mean(axis=axes, keepdims=True)).reshape(RUNS, -1))


def test_noise_is_what_was_added_cell_by_cell() -> None:
    plan = _plan()
    exact = {r.name: (np.array([1, 4]), np.array([5, 7]) * FIXED_POINT) for r in plan.requests}
    at = mechanism.cells_to_measure(exact, plan, CITY, MONDAY)
    assert len(at["demographics"]) == 48 and at["chains"].tolist() == [1, 4]  # two million chains: those that occur
    runs = [{name: np.full(len(cells), k * 512) for name, cells in at.items()} for k in (1, 2)]
    found = {t.name: t for t in mechanism.noises(exact, at, runs, plan, CITY, MONDAY)}
    assert found["demographics"].drawn[:, [0, 1, 4]].tolist() == [[0.5, -4.5, -6.5], [1.0, -4.0, -6.0]]
    assert found["demographics"].shape == (3, 8, 2) and found["chains"].shape is None
    with pytest.raises(InputError, match="three times"):
        mechanism.noises(exact, at, runs[:1], plan, CITY, MONDAY)


def _plan() -> Plan:
    wanted = ("demographics", "chains")
    few = tuple(r for r in Plan.standard().requests if r.name in wanted)
    return Plan(1.0, 1e-6, 10, few).resolve(CITY, MONDAY, attributes=("sex", "age_band"), modes=False)


# ---------------------------------------------------------------- bounds


def test_whoever_moves_a_table_by_more_than_its_bound_is_found() -> None:
    weights = np.zeros((3, 9))
    weights[0, :4], weights[1, :9], weights[2, 0] = 1.0, 1.0, 1.0
    fine = mechanism.bounds({"a": table(weights, 3.0, 0.01)})
    assert fine.passed and fine.value == pytest.approx(1.0) and fine.n == 3
    over = mechanism.bounds({"a": table(weights, 3.0, 0.01), "b": table(weights, 2.5, 0.01)})
    assert not over.passed and over.value == pytest.approx(3 / 2.5)
    twice = mechanism.bounds({"a": table(np.array([[2.0, 0.0]]), 5.0, 0.01)})
    assert not twice.passed and twice.value == 2.0  # within its norm, yet two people in one cell
    assert mechanism.bounds({"a": table(np.zeros((2, 2)), 1.0, 0.01)}).value == 0.0


# ---------------------------------------------------------------- the cut


SIGMA, N = 20.0, 4_000
CUT = accounting.cut_for(SIGMA, 50, N)


def _counts(seed: int) -> dict[str, Any]:
    """Counts around the cut in half of the cells."""
    rng = np.random.default_rng(seed)
    return {"t": (np.arange(0, N, 2), rng.integers(20 * FIXED_POINT, 160 * FIXED_POINT, size=N // 2))}


def _release(exact: dict[str, Any], rng: np.random.Generator, rule: str = "noisy", cut: float = CUT, noise: float = 1.0) -> Release:
    """A release of one table by a cut on noisy counts, or by another rule."""
    cells, fixed = exact["t"]
    true = np.zeros(N, dtype=np.int64)
    true[cells] = fixed
    noisy = true + np.rint(rng.normal(scale=noise * SIGMA * FIXED_POINT, size=N)).astype(np.int64)
    keep = noisy >= cut * FIXED_POINT
    if rule == "exact":
        keep &= true >= cut * FIXED_POINT
    if rule == "not empty":
        keep &= true > 0
    axes = (Axis("cell", tuple(map(str, range(N)))),)
    marginal = Marginal("t", axes, np.flatnonzero(keep)[:, None], noisy[keep] / FIXED_POINT, sigma=SIGMA, cut=min(cut, CUT))
    return Release({"t": marginal}, {"privacy": privacy(1.0, 1e-6, accounting.rho_from(1.0, 1e-6))})


def test_a_cut_on_noisy_counts_is_never_accused() -> None:
    values = []
    for seed in range(60):
        exact = _counts(seed)
        found = released.cut(exact, [_release(exact, np.random.default_rng(seed))])
        values.append(found.value)
        assert found.passed and found.n > 500
    assert min(values) > 1e-4 and np.mean(np.array(values) < 0.05) < 0.15


def test_a_cut_on_exact_counts_is_found() -> None:
    exact = _counts(1)
    found = released.cut(exact, [_release(exact, np.random.default_rng(1), "exact")])
    assert not found.passed and found.value < 1e-30 and "NOT as often" in found.sentence


def test_a_cut_higher_than_stated_is_found() -> None:
    exact = _counts(2)
    assert not released.cut(exact, [_release(exact, np.random.default_rng(2), cut=CUT + 20)]).passed


def test_less_noise_than_stated_is_found_at_the_cut() -> None:
    exact = _counts(3)
    assert not released.cut(exact, [_release(exact, np.random.default_rng(3), noise=1 / 3)]).passed


def test_empty_cells_that_are_never_published_are_found() -> None:
    """Which cells hold people must not show: at a low cut, some empty ones are published too."""
    exact = {"t": (np.arange(4), np.full(4, 1_000 * FIXED_POINT))}
    low = SIGMA * 1.5
    sound = released.cut(exact, [_release(exact, np.random.default_rng(4), cut=low)])
    hidden = released.cut(exact, [_release(exact, np.random.default_rng(4), "not empty", cut=low)])
    assert sound.passed and not hidden.passed


def test_the_chance_of_being_published_is_that_of_the_accounting() -> None:
    exact = _counts(5)
    marginal = _release(exact, np.random.default_rng(5)).marginals["t"]
    fixed = np.array([0, 49, 90, 130]) * FIXED_POINT
    chances = released._chance(fixed, marginal)  # pyright: ignore[reportPrivateUsage]
    expected = [accounting.probability_published(k, SIGMA, CUT) for k in (0, 49, 90, 130)]
    assert chances == pytest.approx(np.array(expected), rel=1e-4)


def test_the_law_of_unequal_coins_is_exact() -> None:
    """Two of three coins of 1/2, 1/4 and 1/8: (1 * 1 * 7 + 1 * 3 * 1 + 1 * 1 * 1) / 64, and at least two with the 1 / 64 of all."""
    coins = released.Shown(np.array([0.5, 0.25, 0.125]), np.array([True, True, False]))
    few, many = released._as_often(coins)  # pyright: ignore[reportPrivateUsage]
    assert many == pytest.approx(12 / 64) and few == pytest.approx(63 / 64)


def test_published_counts_that_are_exact_are_found() -> None:
    exact = _counts(6)
    assert released.unnoised(exact, _release(exact, np.random.default_rng(6))).passed
    bare = released.unnoised(exact, _release(exact, np.random.default_rng(6), noise=0.0))
    assert not bare.passed and bare.value == 0.0


def test_releases_that_repeat_each_other_are_found() -> None:
    exact = _counts(7)
    one, other, again = (_release(exact, np.random.default_rng(seed)) for seed in (7, 8, 7))
    assert released.repeated(one, other).passed
    assert not released.repeated(one, again).passed and released.repeated(one, again).value < ALARM


# ---------------------------------------------------------------- what is written down


def _two_tables() -> Release:
    axes = (Axis("cell", ("a", "b")),)
    rho = accounting.rho_from(1.0, 1e-6)
    tables = {
        name: Marginal(name, axes, np.array([[0]]), np.array([100.0]), sigma=accounting.sigma_for(1.0, rho / 2), cut=60.0)
        for name in ("a", "b")}  # fmt: skip
    return Release(tables, {"privacy": privacy(1.0, 1e-6, rho)})


def test_tables_that_nobody_paid_for_are_found() -> None:
    release = _two_tables()
    rho = accounting.rho_from(1.0, 1e-6)
    paid = released.accounts(release, {"a": rho / 2, "b": rho / 2, "c": 1.0})
    assert paid.passed and paid.value == 0.0 and "cost epsilon 1 together" in paid.sentence
    left_out = released.accounts(release, {"a": rho})
    assert not left_out.passed and left_out.value == 1.0 and "not, or not in full: b" in left_out.sentence
    assert not released.accounts(release, {"a": rho / 2, "b": rho / 3}).passed


def test_tables_that_cost_more_than_is_claimed_are_found() -> None:
    """A release refuses to be one, so the claim is lowered behind its back."""
    release = _two_tables()
    release.info["privacy"]["rho"] /= 2
    rho = accounting.rho_from(1.0, 1e-6)
    assert not released.accounts(release, {"a": rho, "b": rho}).passed


@pytest.mark.parametrize(
    "leak", [
        {"notes": ["51851 subscribers"]}, {"notes": ["51,851 subscribers"]}, {"n": 51851}, {"deep": [{"er": 51851.0}]}, {"51851": 1},
        {"total": 7310.8125}, {"total": 7311}])  # fmt: skip
def test_exact_numbers_are_found_wherever_they_stand(leak: dict[str, Any]) -> None:
    release, secrets = _two_tables(), {"subscribers": 51_851.0, "flows": 7_310.8125, "nothing": 0.0}
    public = {"epsilon": 1.0, "cells": [0, 1], "rho": 0.02436}
    found = released.exact_numbers([{**public, **leak}], secrets, [public], release)
    assert not found.passed and found.value == 1.0 and not any(digits in found.sentence for digits in ("51", "7310", "7311"))


@pytest.mark.parametrize(
    "fine", [{}, {"n": 51852}, {"n": 518510}, {"v": "x51851"}, {"v": "0.51851"}, {"said": True}, {"sha256": "51851" + 59 * "a"}])
def test_other_numbers_are_no_leak(fine: dict[str, Any]) -> None:
    release, secrets = _two_tables(), {"subscribers": 51_851.0, "nothing": 0.0, "one": 1.0}
    assert released.exact_numbers([{"zero": 0, **fine}], secrets, [{"zero": 0}], release).passed


def test_a_number_that_is_public_anyway_is_no_leak() -> None:
    release = _two_tables()
    assert released.exact_numbers([{"domain_cells": 480}], {"flows": 480.0}, [{"domain_cells": 480}], release).passed
    assert not released.exact_numbers([{"domain_cells": 480}], {"flows": 480.0}, [{"domain_cells": 90}], release).passed


