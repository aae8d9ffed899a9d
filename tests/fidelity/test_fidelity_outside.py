"""A release against a population: by hand, against simulation, and on real records under noise and cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import hand_town as town
import numpy as np
import pandas as pd
import pytest

from synthmob import published
from synthmob.counts import STATISTICS, coded, count
from synthmob.domain import Axis, Domain
from synthmob.engine import connect
from synthmob.errors import FormatError
from synthmob.fidelity import compare
from synthmob.fidelity.noisefloor import Noise, common_part_error, simulated
from synthmob.fidelity.sides import Tables
from synthmob.marginals import Marginal
from synthmob.period import Period
from synthmob.release import Release
from synthmob.zonefiles import read_zoning

ATLANTA = Path(__file__).resolve().parents[2] / "../shared/data/atlanta_activitysim"
HOMES = Axis("home", ("a", "b", "c", "d", "outside", "unknown"))
WORKER = Axis("worker", ("yes", "no"))


def _release(*tables: Marginal) -> Release:
    return Release({table.name: table for table in tables}, {"privacy": published.privacy()})


def _homes(values: dict[tuple[int, int], float], *, sigma=0.0, cut=0.0) -> Marginal:
    return Marginal.of("home@zone", (HOMES, WORKER), list(values), list(values.values()), sigma=sigma, cut=cut)


def _compared(release: Release, people=town.MADE, **rest) -> compare.Fidelity:
    return compare.compare_outside(
        release, town.tables(people), town.zoning(), Domain(), town.WEEKDAY, connect(), **rest
    )


# The made people, 50 of each: home a 100 workers, home b 50 workers and 50 others.
MADE_HOMES = {(0, 0): 100.0, (1, 0): 50.0, (1, 1): 50.0}


def test_at_its_best():
    fidelity = _compared(_release(_homes(MADE_HOMES)))
    (fit,), (found,) = fidelity.tables, fidelity.metrics
    assert (fidelity.kind, fidelity.confidential, fidelity.n_persons) == ("outside", False, 200)
    assert (fit.cells, fit.tvd, fit.chi2_per_cell, fit.ratio, fit.hidden_violations, fit.worst_sd) == (3, 0.0, 0.0, 0.0, 0, 0.0)
    assert (found.value, found.ratio, found.word) == (0.0, 0.0, "anchors")


def test_at_its_worst():
    with pytest.raises(FormatError, match="nobody in any published cell"):
        _compared(_release(_homes({(2, 1): 200.0})))
    people = Marginal.of("demographics", (Axis("worker", ("yes", "no")),), [[0], [1]], [150.0, 50.0])
    fit = {t.table: t for t in _compared(_release(people, _homes({(2, 1): 200.0}, cut=10))).tables}["home@zone"]
    assert fit.tvd == 1.0
    assert (fit.hidden_cells, fit.hidden_violations) == (3, 3)


def test_by_hand():
    """True 200 / 100 / 100 of the 400 persons that are published, made 100 / 50 / 50: twice as many true as made."""
    released = _homes({(0, 0): 160.0, (1, 0): 120.0, (1, 1): 120.0}, sigma=10.0)
    fit = _compared(_release(released)).tables[0]
    assert fit.tvd == pytest.approx((40 + 20 + 20) / 800)
    # Variance: 100 of noise, and 2 true persons per made person times the mean of released and made.
    assert fit.chi2_per_cell == pytest.approx((1600 / (100 + 360) + 2 * 400 / (100 + 220)) / 3)
    # Too many in home a by more deviations than too few in either half of home b.
    assert (fit.worst_cell, fit.worst_sd) == ("home a, worker yes", pytest.approx(40 / 460**0.5))
    # Product of margins: home a 160, b 240; yes 280, no 120.
    naive = np.array([160 * 280, 240 * 280, 240 * 120]) / 400
    assert fit.baseline == pytest.approx(np.abs(naive - [160, 120, 120]).sum() / (400 + naive.sum()))
    assert fit.noise_floor < fit.floor
    assert fit.ratio == pytest.approx(fit.tvd / max(fit.floor, 0.01))


def test_suppressed_is_below_the_cut_and_not_zero():
    """50 made people in a cell that was cut at 90 contradict nothing; 50 in one that was cut at 10 do."""
    for cut, sigma, violations in ((90.0, 0.0, 0), (10.0, 0.0, 1), (10.0, 20.0, 0)):
        released = _homes({(0, 0): 100.0, (1, 0): 100.0}, sigma=sigma, cut=cut)
        fit = _compared(_release(released)).tables[0]
        assert (fit.hidden_cells, fit.hidden_violations) == (1, violations), (cut, sigma)


def test_a_table_of_fewer_axes_and_other_labels_is_matched_by_label():
    homes = Axis("home", ("b", "a"))
    released = Marginal.of("home@zone", (homes,), [[0], [1]], [100.0, 100.0])
    fit = _compared(_release(released)).tables[0]
    assert (fit.cells, fit.tvd, fit.note) == (2, 0.0, "baseline: all published cells alike")
    with pytest.raises(FormatError, match="has an axis 'colour'"):
        _compared(_release(Marginal.of("home@zone", (Axis("colour", ("red",)),), [[0]], [1.0])))


def test_tables_that_nothing_is_known_of_are_left_out_and_said():
    strange = Marginal.of("weather", (Axis("sky", ("blue",)),), [[0]], [90.0])
    empty = Marginal.of("work@zone", (Axis("work", ("a", "b", "c", "d", "outside")),), np.empty((0, 1)), [])
    fidelity = _compared(_release(_homes(MADE_HOMES), strange, empty))
    assert fidelity.notes == (
        "table weather: left out, not a statistic that is known here",
        "table work@zone: left out, no published cell",
    )
    with pytest.raises(FormatError, match="no table that a population can be compared with"):
        _compared(_release(strange))


def test_day_types_that_the_population_does_not_live_are_left_out_and_said():
    """The made people live a Friday alone, 50 of them with two stays and 150 with three."""
    weekend = Period.of("2026-03-06", 2)
    axes = Axis("day_type", ("weekday", "saturday")), Axis("n_stays", ("1", "2", "3"))
    released = Marginal.of("stays_by_group", axes, [[0, 1], [0, 2], [1, 2]], [50.0, 150.0, 60.0])
    fidelity = compare.compare_outside(
        _release(released), town.tables(town.MADE), town.zoning(), Domain(), weekend, connect()
    )
    assert (fidelity.tables[0].cells, fidelity.tables[0].tvd) == (2, 0.0)
    assert fidelity.notes == ("day type saturday: left out, the population has no such day",)


@pytest.mark.parametrize(
    ("sigma", "cut", "scale"), [(0.0, 0.0, 1.0), (20.0, 90.0, 2.0), (20.0, 30.0, 0.1), (5.0, 0.0, 1.0)]
)
def test_the_floor_is_what_another_generator_finds(sigma, cut, scale):
    """Numpy's generator and every empty cell drawn, against our counters and the empty cells' expected sum."""
    rng = np.random.default_rng(1)
    truth = np.concatenate([rng.gamma(0.5, 200.0, 300), np.zeros(700)])
    ours = simulated(Noise(sigma, cut, scale, 700), np.arange(300), truth[:300], 100, "test")
    errors, noise_errors, chi2s = [], [], []
    for _ in range(100):
        shown = truth + sigma * rng.standard_normal(1000)
        kept = shown >= cut if cut > 0 else np.arange(1000) < 300
        sample = np.maximum(truth + np.sqrt(scale * truth) * rng.standard_normal(1000), 0)
        shown = np.maximum(shown, 0)
        errors.append(common_part_error(shown[kept], sample[kept]))
        noise_errors.append(common_part_error(shown[kept], truth[kept]))
        chi2s.append(Noise(sigma, cut, scale, 0).chi2(shown[kept], sample[kept]).mean())
    assert ours.error == pytest.approx(np.mean(errors), rel=0.03)
    assert ours.noise_error == pytest.approx(np.mean(noise_errors), rel=0.03, abs=1e-12)
    assert ours.chi2 == pytest.approx(np.mean(chi2s), rel=0.05)


TABLES = (
    "demographics",
    "home@zone",
    "home_work@district",
    "home_work@zone",
    "destinations@zone",
    "od_hour@district",
    "presence@district",
    "chains",
    "episodes",
)
BOUNDS = {"destinations": 2.5, "od_hour": 3.0, "presence": 24**0.5, "episodes": 2.6}


@pytest.fixture(scope="module")
def atlanta():
    if not ATLANTA.exists():
        pytest.skip(f"no records in {ATLANTA}")
    persons, stays = (
        pd.read_parquet(ATLANTA / f"{name}.parquet").rename(columns={"subscriber_id": "person_id"})
        for name in ("subscribers", "stays")
    )
    for purpose in ("home", "work"):
        first = stays[stays.purpose == purpose].drop_duplicates("person_id").set_index("person_id").zone_id
        persons[f"{purpose}_zone"] = persons.person_id.map(first)
    persons["worker"] = np.where(persons.work_zone.notna(), "yes", "no")
    persons["home_zone"] = persons.home_zone.fillna("unknown")
    return Tables(persons, stays), read_zoning(ATLANTA / "zones.geojson"), Period.read(ATLANTA / "period.toml")


@pytest.fixture(scope="module")
def atlanta_release(atlanta) -> Release:
    """ActivitySim 1.6 prototype_arc example (BSD-3) under noise and a cut as at epsilon 1: never a release."""
    tables, zoning, period = atlanta
    backend, rng = connect(), np.random.default_rng(2)
    persons, stays = (backend.create_table(n, t, temp=True) for n, t in zip(("p", "s"), tables[:2], strict=True))
    known = coded(backend, persons, stays, zoning, Domain(), period, name="truth")
    noisy: list[Marginal] = []
    for name in TABLES:
        base, _, level = name.partition("@")
        bound = BOUNDS.get(base, 1.0)
        exact = count(STATISTICS[base], known, level, bound_l2=bound, confidential=False)
        sigma = 20.0 * bound
        values = exact.values + sigma * rng.standard_normal(len(exact.values))
        kept = values >= 50 + 2 * sigma
        noisy.append(replace(exact, codes=exact.codes[kept], values=values[kept], sigma=sigma, cut=50 + 2 * sigma))
    return _release(*noisy)


def test_another_sample_of_the_truth_is_at_the_floor_of_every_table(atlanta, atlanta_release):
    (persons, stays, *_), zoning, period = atlanta
    drawn = np.random.default_rng(3).choice(persons.person_id.to_numpy(), 20_000)
    sample = pd.DataFrame({"person_id": drawn, "new": np.arange(len(drawn))})
    fresh = Tables(
        *(
            t.merge(sample, on="person_id").drop(columns="person_id").rename(columns={"new": "person_id"})
            for t in (persons, stays)
        )
    )
    fidelity = compare.compare_outside(atlanta_release, fresh, zoning, Domain(), period, connect())
    ratios = {t.table: t.tvd / t.floor for t in fidelity.tables}
    chi2 = {t.table: t.chi2_per_cell / t.chi2_floor for t in fidelity.tables}
    assert list(ratios) == list(TABLES)
    # Weights are averages and whole persons move together, so that some tables stay below their floor.
    assert max(ratios.values()) < 1.3, ratios
    assert min(ratios.values()) > 0.4, ratios
    assert max(chi2.values()) < 1.6, chi2
    assert sum(t.hidden_violations for t in fidelity.tables) <= sum(t.hidden_cells for t in fidelity.tables) * 0.005


def test_people_who_go_anywhere_are_far_from_every_joint_table(atlanta, atlanta_release):
    """Destinations and workplaces dealt out anew: only the tables of two places of one person show it."""
    (persons, stays, *_), zoning, period = atlanta
    rng = np.random.default_rng(4)
    workers = persons.worker == "yes"
    dealt = persons.copy()
    dealt.loc[workers, "work_zone"] = rng.permutation(persons.work_zone[workers])
    away = stays.purpose != "home"
    moved = stays.copy()
    moved.loc[away, "zone_id"] = rng.permutation(stays.zone_id[away])
    fidelity = compare.compare_outside(atlanta_release, Tables(dealt, moved), zoning, Domain(), period, connect())
    ratios = {t.table: t.ratio for t in fidelity.tables}
    assert min(ratios[name] for name in ("home_work@district", "home_work@zone", "od_hour@district")) > 3, ratios
    assert max(ratios[name] for name in ("demographics", "home@zone", "chains", "episodes")) < 1.5, ratios
