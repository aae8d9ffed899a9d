"""Anchors: exact tables come back exactly, noisy ones better than without gravity and levels, and nobody is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import planted_town as town
import pytest
import recount

from synthmob.domain import Axis
from synthmob.errors import FormatError
from synthmob.marginals import Marginal
from synthmob.model.anchors import NO, YES, Anchors, demographics, fit_anchors

PEOPLE = 30_000
ANCHOR_TABLES = ("demographics", "home", "home_by_group", "work", "home_work", "commute_km", "commute_km_by_group")
N = town.ZONES + 1


def tables_of(persons: Any, zoning: Any) -> dict[str, Marginal]:
    return recount.counted(
        persons, town.at_home(persons), zoning, town.DAY, domain=town.DOMAIN, only=lambda name: name in ANCHOR_TABLES)  # fmt: skip


def fitted(tables: dict[str, Marginal], zoning: Any) -> Anchors:
    return fit_anchors(tables, tuple(level.name for level in zoning.levels), town.geography(zoning))


def pairs(who: dict[str, Any]) -> Any:
    out = np.zeros((N, N))
    np.add.at(out, (who["home"][who["works"]], who["work"][who["works"]]), 1)
    return out


def group_code(who: dict[str, Any]) -> Any:
    """The groups of the town in sex x age of the domain."""
    codes = [town.DOMAIN.sex.index(s) * len(town.DOMAIN.age_band) + town.DOMAIN.age_band.index(a) for s, a in town.GROUPS]
    return np.array(codes)[who["group"]]


@pytest.fixture(scope="module", params=[False, True], ids=["two levels", "three levels"])
def exact(request: pytest.FixtureRequest) -> Any:
    zoning = town.zoning(strips=request.param)
    persons, who = town.commuters(PEOPLE, 1, town=zoning)
    return zoning, who, tables_of(persons, zoning)


def test_exact_tables_come_back(exact: Any) -> None:
    zoning, who, tables = exact
    found = fitted(tables, zoning)
    homes = np.zeros((N, 2))
    np.add.at(homes, (who["home"], np.where(who["works"], YES, NO)), 1)
    assert found.home_worker == pytest.approx(homes, rel=1e-3, abs=0.5)
    assert np.abs(found.home_work - pairs(who)).sum() < 0.005 * pairs(who).sum()
    assert found.home_work.sum(axis=1) == pytest.approx(found.home_worker[:, YES], rel=1e-6, abs=1e-6)
    groups = np.zeros((5, 2, 24))
    district = town.geography(zoning).parents["district"][who["home"]]
    np.add.at(groups, (district, np.where(who["works"], YES, NO), group_code(who)), 1)
    assert np.abs(found.groups - groups).sum() < 0.01 * PEOPLE
    assert found.group_area.tolist() == town.geography(zoning).parents["district"].tolist()


def test_noisy_tables_give_commuting_that_the_table_alone_does_not(exact: Any) -> None:
    zoning, who, tables = exact
    rng = np.random.default_rng(2)
    noisy = {name: recount.blurred(t, rng, sigma=12.0, cut=60.0) for name, t in tables.items()}
    found = fitted(noisy, zoning)
    truth = pairs(who)

    def common(table: Any) -> float:
        return float(np.minimum(table, truth).sum() * 2 / (table.sum() + truth.sum()))

    published = np.nan_to_num(noisy["home_work@zone"].dense()[:N])
    independent = np.outer(found.home_work.sum(axis=1), found.home_work.sum(axis=0)) / found.home_work.sum()
    assert common(found.home_work) > 0.88
    assert common(found.home_work) > common(published) + 0.1
    assert common(found.home_work) > common(independent) + 0.1
    assert (found.home_work >= 0).all() and (found.home_worker >= 0).all() and (found.groups >= 0).all()
    assert found.home_worker.sum() == pytest.approx(PEOPLE, rel=0.02)
    assert found.home_work.sum() == pytest.approx(who["works"].sum(), rel=0.02)
    homes = np.bincount(who["home"], minlength=N)
    assert 0.5 * np.abs(found.home_worker.sum(axis=1) / found.home_worker.sum() - homes / homes.sum()).sum() < 0.03


def test_districts_alone_are_met_and_spread_over_their_zones(exact: Any) -> None:
    zoning, who, tables = exact
    coarse = {name: t for name, t in tables.items() if not name.endswith(("@zone", "@strip"))}
    found = fitted(coarse, zoning)
    parent = town.geography(zoning).parents["district"]
    truth, up = np.zeros((5, 5)), np.zeros((5, 5))
    np.add.at(truth, (parent[who["home"]][who["works"]], parent[who["work"]][who["works"]]), 1)
    np.add.at(up, (parent[:, None], parent[None, :]), found.home_work)
    assert np.abs(up - truth).sum() < 0.01 * truth.sum()
    for district in range(4):
        inside = found.home_worker[parent == district].sum(axis=1)
        assert inside == pytest.approx(np.full(9, inside.mean()), rel=1e-3)


@pytest.mark.parametrize("unknown", [0.0, 0.5])
def test_people_without_a_known_home_are_spread_like_others_of_their_kind(unknown: float) -> None:
    """They keep their group and whether they work; only where they live has to be guessed."""
    zoning = town.zoning()
    persons, who = town.commuters(PEOPLE, 3, town=zoning, unknown=unknown)
    assert (who["lost"].sum() > 2_000) == (unknown > 0)
    found = fitted(tables_of(persons, zoning), zoning)
    assert found.home_worker.sum(axis=0) == pytest.approx([who["works"].sum(), (~who["works"]).sum()], rel=0.005)
    want = np.zeros((2, 24))
    np.add.at(want, (np.where(who["works"], YES, NO), group_code(who)), 1)
    assert np.abs(found.groups.sum(axis=0) - want).sum() < 0.01 * PEOPLE


def test_a_distance_has_its_own_mix_of_groups(exact: Any) -> None:
    zoning, who, tables = exact
    even = fitted(tables, zoning).band_groups
    assert even[3:6, 1] == pytest.approx(even[3:6, 9], abs=0.5)  # young women commute as far as young men
    far = who["works"] & (town.geography(zoning).bands[who["home"], np.maximum(who["work"], 0)] >= 3)
    persons = town.commuters(PEOPLE, 1, town=zoning)[0]
    sex = np.where(far, "male", np.array(persons["sex"].to_pylist()))  # whoever works far away is a man
    place = persons.column_names.index("sex")
    tilted = fitted(tables_of(persons.set_column(place, "sex", [sex.tolist()]), zoning), zoning).band_groups
    women, men = tilted[:, :8], tilted[:, 8:16]
    assert (women[4:6, 1:3] < 0.05).all() and (men[4:6, 1:3] > 1.3).all()
    silent = {name: t for name, t in tables.items() if not name.startswith("commute_km")}
    assert (fitted(silent, zoning).band_groups == 1).all()


def test_a_published_flow_table_is_enough(exact: Any) -> None:
    zoning, who, tables = exact
    found = fitted({"home_work@zone": tables["home_work@zone"]}, zoning)
    truth = pairs(who)
    assert np.abs(found.home_work - truth).sum() < 0.01 * truth.sum()
    assert found.home_worker[:, YES].sum() == pytest.approx(truth.sum(), rel=0.01) and found.home_worker[:, NO].sum() == 0


@pytest.mark.parametrize("known", [("demographics",), ("work@zone", "work@district"), ("commute_km",)])
def test_a_release_that_says_nothing_of_homes_is_refused(exact: Any, known: tuple[str, ...]) -> None:
    zoning, _who, tables = exact
    with pytest.raises(FormatError, match="nothing says where people live"):
        fitted({name: tables[name] for name in known}, zoning)


def test_demographics_need_all_three_axes() -> None:
    one = Marginal.of("demographics", [Axis("age_band", ("a", "b"))], [[0], [1]], [5.0, 6.0])
    assert demographics({"demographics": one}) is None and demographics({}) is None
