"""Subtraction: what suppressed tables give away, and how well noisy tables together know a group."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from disclosure_people import exactly, operator, released, trial
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from strategies import town

from synthmob import published
from synthmob.audit import differencing
from synthmob.audit.evidence import Evidence
from synthmob.audit.identities import MOST_SUMS, NoisyTable, identities
from synthmob.audit.subject import Subject, Trial
from synthmob.counts import Contributions
from synthmob.domain import AGE_BAND, OUTSIDE, SEX, UNKNOWN, Axis
from synthmob.marginals import Marginal, unravel
from synthmob.release import Release

A, B, C = Axis("a", ("a0", "a1")), Axis("b", ("b0", "b1", "b2")), Axis("c", ("c0", "c1"))
HOME = {level: Axis("home", (*town().level_labels(level), UNKNOWN)) for level in ("zone", "block", "district")}


def by_name(found: list[Evidence]) -> dict[str, Evidence]:
    return {row.name: row for row in found}


def noisy(name: str, axes: tuple[Axis, ...], counts: np.ndarray, sigma: float) -> NoisyTable:
    return NoisyTable(name, axes, sigma, counts.ravel().astype(np.float64), np.ones(counts.size, dtype=np.bool_))


def sigmas(*tables: NoisyTable) -> list[np.ndarray]:
    """The standard deviation of the best estimate of every cell, by table."""
    known = identities({table.name: table for table in tables}, town())
    every = known.sigmas(sparse.identity(int(known.starts[-1]), format="csr"))
    return np.split(every, known.starts[1:-1])


# Noisy tables


def test_a_sum_and_its_parts_by_hand() -> None:
    """Two cells and their sum, all of variance 1: a part is 1 - 1/3, the sum 1 / (1 + 1/2)."""
    cells, total = sigmas(noisy("x", (A,), np.array([3, 4]), 1.0), noisy("y", (C,), np.array([7, 0]), 1.0))
    assert cells == pytest.approx(math.sqrt(1 - 1 / 4)) and total == pytest.approx(math.sqrt(1 - 1 / 4))  # both have two cells
    joint, part = sigmas(noisy("x", (A, B), np.arange(6).reshape(2, 3), 1.0), noisy("y", (A,), np.array([3, 12]), 1.0))
    assert joint**2 == pytest.approx(1 - 1 / 4) and part**2 == pytest.approx(1 / (1 + 1 / 3))


@settings(max_examples=40)
@given(st.lists(st.floats(0.5, 20), min_size=3, max_size=3), st.integers(0, 2**20))
def test_the_precision_is_that_of_least_squares(noise: list[float], seed: int) -> None:
    """Against generalised least squares over the cells of the joint table, which sees every identity at once."""
    counts = np.random.default_rng(seed).integers(1, 30, size=(2, 3, 2))
    axes = {"xyz": (A, B, C), "xy": (A, B), "z": (C,)}
    sums = {"xyz": counts, "xy": counts.sum(axis=2), "z": counts.sum(axis=(0, 1))}
    found = sigmas(*(noisy(name, axes[name], sums[name], s) for name, s in zip(axes, noise, strict=True)))
    a, b, c = np.meshgrid(*(np.arange(n) for n in counts.shape), indexing="ij")
    flat = {"xyz": np.arange(12), "xy": (a * 3 + b).ravel(), "z": c.ravel()}
    seen = {name: (flat[name] == np.arange(sums[name].size)[:, None]).astype(float) for name in axes}
    weights = sum(seen[name].T @ seen[name] / s**2 for name, s in zip(axes, noise, strict=True))
    covariance = np.linalg.inv(weights)
    for name, got in zip(axes, found, strict=True):
        assert got**2 == pytest.approx(np.diag(seen[name] @ covariance @ seen[name].T), rel=1e-4)


def test_levels_of_areas_are_summed_up() -> None:
    """Homes by zone, block and district: outside and unknown are areas of every level."""
    zoning = town()
    by_zone = np.arange(5, 19)
    parents = {level: np.append(zoning.parent_of(level), len(zoning.level(level).labels) + 1) for level in ("block", "district")}
    tables = [noisy("home@zone", (HOME["zone"],), by_zone, 1.0)]
    for level, of in parents.items():
        tables.append(noisy(f"home@{level}", (HOME[level],), np.bincount(of, weights=by_zone), 1.0))
    found = sigmas(*tables)
    assert [len(part) for part in found] == [14, len(HOME["block"].labels), 4]
    assert found[0][-2:] ** 2 == pytest.approx(1 / 3) and found[2][-1] ** 2 == pytest.approx(1 / 3)  # seen three times
    of_block = np.bincount(zoning.parent_of("block"))[zoning.parent_of("block")][:12]
    assert (found[0][:12] ** 2 < 1).all() and (np.argsort(of_block, kind="stable").shape == (12,))
    three = sigmas(tables[0], tables[2])
    assert (three[0][:12] >= found[0][:12] - 1e-9).all() and three[0][-1] ** 2 == pytest.approx(1 / 2)


def test_tables_that_differ_in_truth_are_no_identity() -> None:
    cells, total = sigmas(noisy("x", (A,), np.array([300, 400]), 1.0), noisy("y", (A,), np.array([300, 410]), 2.0))
    assert cells.tolist() == [1, 1] and total.tolist() == [2, 2]
    near, _ = sigmas(noisy("x", (A,), np.array([300, 400]), 1.0), noisy("y", (A,), np.array([300, 401]), 1.0))
    assert near == pytest.approx(math.sqrt(1 / 2))
    other = Axis("a", ("a0", "a2"))
    assert sigmas(noisy("x", (A,), np.array([3, 4]), 1.0), noisy("y", (other,), np.array([3, 4]), 1.0))[0] ** 2 == pytest.approx(1 - 1 / 4)
    many = Axis("many", tuple(str(k) for k in range(MOST_SUMS + 1)))
    assert sigmas(*(noisy(n, (many,), np.ones(MOST_SUMS + 1), 1.0) for n in "xy"))[0].min() == 1.0
    empty = np.zeros(2)
    assert sigmas(*(noisy(n, (A,), empty, 1.0) for n in "xy"))[0].min() == 1.0


def test_cells_in_the_same_identities_are_known_alike() -> None:
    tables = (noisy("x", (A, B), np.arange(1, 7), 1.0), noisy("y", (A,), np.array([6, 15]), 1.0), noisy("z", (C,), np.array([9, 9]), 1.0))
    known = identities({table.name: table for table in tables}, town())
    assert len(set(known.alike(0)[:3])) == len(set(known.alike(0)[3:])) == 1 and len(set(known.alike(0))) == 2
    assert known.alike(1).tolist() == [0, 1]
    two = known.summed(0, np.array([0, 0, 1, 1, 1, 1]), np.array([1, 1, 0, 0, 0, 1], dtype=bool))
    assert two.toarray()[:, :6].tolist() == [[1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]]


def test_the_release_knows_no_group_better_than_its_budget_allows() -> None:
    members, release = released()
    subject = operator()
    row = by_name(differencing.attack(subject, trial(members)))["differencing_noisy"]
    limit = 1.95996 / math.sqrt(2 * subject.plan.rho)
    assert row.limit == pytest.approx(limit, rel=1e-5) and row.passed and row.value >= limit and row.unit == "persons"
    alone = min(table.sigma for table in release.marginals.values())
    assert row.value < 1.96 * alone  # together the tables know more than the best of them
    assert row.n > 100


@pytest.mark.parametrize("name", ["home@zone", "chains"])
def test_a_table_that_was_left_exact_is_found(name: str) -> None:
    """As part of the identities, and beside them: chains have too many cells for that."""
    members, release = released()
    subject = operator()
    exact = exactly(subject, {name: subject.contributions[name].totals(members)})[name]
    tables: dict[str, Any] = {**release.marginals, name: exact}
    made = trial(members)
    changed = dataclasses.replace(made, release=Release(tables, {"privacy": {"claim": published.NO_CLAIM}}))
    row = by_name(differencing.attack(subject, changed))["differencing_noisy"]
    assert row.passed is False and row.value < 0.01


# Suppressed tables


def of_homes(homes: list[int]) -> tuple[Subject, Trial]:
    """People of the town with these homes, counted by zone and by district; all but the last are members."""
    zoning, plan = town(), operator().plan
    parents = np.append(zoning.parent_of("district"), 3)
    tables: dict[str, Contributions] = {}
    for level, of in (("zone", np.arange(14)), ("district", parents)):
        axis = Axis("home", (*zoning.level_labels(level), UNKNOWN))
        who = np.arange(len(homes))
        tables[f"home@{level}"] = Contributions(
            f"home@{level}", (axis,), len(homes), who, of[homes], np.full(len(homes), 1024), 1.0, 20.0)  # fmt: skip
    subject = dataclasses.replace(operator(), contributions=tables, zoning=zoning, plan=dataclasses.replace(plan, min_group=50))
    members = np.arange(len(homes)) < len(homes) - 1
    noise = {name: Marginal.of(name, table.axes, [[0]], [90.0], sigma=20.0, cut=90.0) for name, table in tables.items()}
    return subject, Trial(members, Release(noise, {"privacy": {"claim": published.NO_CLAIM}}), subject.persons, subject.stays)


def test_hiding_small_counts_alone_by_hand() -> None:
    """District d0 has 60 members, 55 in one zone and 5 in another; d1 has 70 in one zone; one person, no member, lives in a third.

    Of the zones where members live one is hidden, and the district's count less the other's gives it away.
    """
    district = town().parent_of("district")[:12]
    first, second, third = np.flatnonzero(district == 0)[:3].tolist()
    other = int(np.flatnonzero(district == 1)[0])
    subject, made = of_homes([first] * 55 + [second] * 5 + [other] * 70 + [third])
    rows = by_name(differencing.attack(subject, made))
    assert rows["differencing_exact"].value == rows["differencing_narrowed"].value == 1.0 and rows["differencing_exact"].n == 1
    assert rows["differencing_exact"].subject == "counts of 50 and more"
    # zone: 400 (1 - 400 / (7 * 400)) with seven cells in the identity of d0; it is the only group of under 50
    assert rows["differencing_noisy"].value == pytest.approx(1.95996 * 20 * math.sqrt(1 - 1 / 7), rel=1e-4)
    subject, made = of_homes([first] * 55 + [second] * 5 + [third] * 9 + [other] * 70 + [third])
    rows = by_name(differencing.attack(subject, made))
    assert rows["differencing_narrowed"].value == 1.0 and rows["differencing_exact"].value == 0.0  # 0 to 14 each


def test_nothing_is_said_of_hidden_counts_where_none_are_hidden() -> None:
    members, _ = released()
    subject = operator()
    rows = by_name(differencing.attack(dataclasses.replace(subject, plan=dataclasses.replace(subject.plan, min_group=1)), trial(members)))
    assert not set(rows) & {"differencing_narrowed", "differencing_exact"}


def of_others(values: dict[str, dict[tuple[int, ...], float]], threshold: float) -> Release:
    """Published tables in the form of a release, as if nobody had looked what they give away together."""
    axes = {"home@zone": (HOME["zone"],), "home@district": (HOME["district"],)}
    tables = {name: Marginal.of(name, axes[name], list(cells), list(cells.values()), cut=threshold) for name, cells in values.items()}
    said = {"threshold": threshold, "rounding": 0.0, "tables": {name: {"universe": "residents"} for name in values}}
    return Release(tables, {"privacy": published.privacy(), "source": said})


def test_published_tables_by_hand() -> None:
    """District d0 has 60 people, 55 of them in z0: of the zones of d0 that stand somewhere, the other one has 5."""
    zoning = town()
    first, second = np.flatnonzero(zoning.parent_of("district")[:12] == 0)[:2]
    other = int(np.flatnonzero(zoning.parent_of("district")[:12] == 1)[0])
    shown: dict[tuple[int, ...], float] = {(int(first),): 55.0, (other,): 70.0}
    release = of_others({"home@zone": shown, "home@district": {(0,): 60.0, (1,): 70.0}}, 10)
    rows = by_name(differencing.attack_published(release, zoning))
    assert second != first and rows["differencing_narrowed"].subject == "published tables"
    exact = rows["differencing_exact"]
    known = sum(zoning.parent_of("district")[:12] == 1) - 1  # the rest of d1: nobody
    hidden = sum(zoning.parent_of("district")[:12] == 0) - 1
    assert exact.n == known + hidden and round(exact.value * exact.n) == known
    assert round(rows["differencing_narrowed"].value * exact.n) == exact.n  # the rest of d0: 0 to 5 each


def test_published_tables_that_from_tables_accepts_give_nothing_away() -> None:
    import pandas as pd

    zoning = town()
    zones = pd.DataFrame({"home": ["z0", "z1"], "n": [30, 40]})
    release = Release.from_tables(
        {"home@zone": zones}, zoning=zoning, threshold=10, universe="residents", source="a census", licence="open")
    assert all(row.n == 0 and row.value == 0.0 for row in differencing.attack_published(release, zoning))
    assert differencing.attack_published(of_others({"home@zone": {(0,): 3.0}}, 1), zoning) == []


def test_labels_are_those_of_the_town() -> None:
    assert HOME["zone"].labels[-2:] == (OUTSIDE, UNKNOWN) and len(SEX) * len(AGE_BAND) == 24
    assert unravel(np.array([3]), (A, B)).tolist() == [[1, 0]]
