"""From a release to people and back: the tables of a made-up London are reproduced, and what cannot be fitted is refused."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import recount
from hasty import hasty

from synthmob import engine, modelcheck, worlds
from synthmob.domain import DAY_TYPES
from synthmob.errors import FormatError, ZoningError
from synthmob.marginals import Marginal
from synthmob.model import defaults, mobility
from synthmob.model.mobility import MobilityModel, fit
from synthmob.period import Period
from synthmob.private import anchors
from synthmob.release import Release
from synthmob.synthesis.days import generate
from synthmob.zones import Level, Zoning

SUBSCRIBERS, PERSONS = 4_000, 12_000
FRIDAY = datetime.date(2026, 3, 6)

TOLERANCE = {
    # Read off the fitted table, to rounding.
    "demographics": 0.01, "home_by_group@district": 0.03, "home@district": 0.005, "home@zone": 0.005, "work@district": 0.005,
    "work@zone": 0.005, "home_work@district": 0.005, "home_work@zone": 0.005, "commute_km": 0.005, "commute_km_by_group": 0.06,
    # Within the sampling error of so many days.
    "chains": 0.06, "chain_outlines": 0.03, "stays_by_group": 0.05, "trips": 0.01, "trips_by_group": 0.03,
    "participation": 0.025, "stays_per_day": 0.01,
    "transitions": 0.035, "first_departure": 0.05, "first_departure_next": 0.04, "first_departure_size": 0.05, "anchored": 0.02,
    "destinations@district": 0.045, "destinations@zone": 0.05, "visitors@zone": 0.055, "presence@district": 0.03,
    "presence@zone": 0.035,
    # What the model's form leaves open: trips by home and by the place before, times after the first departure, returns.
    "trip_km": 0.065, "trip_km_by_departure": 0.08, "trip_km_by_stay": 0.08, "trip_km_by_origin": 0.08,
    "work_hours@district": 0.12, "commute_hours": 0.08, "departures_between": 0.1,
    "distances": 0.075, "od@district": 0.065, "od@zone": 0.065, "travel_time": 0.04, "departures": 0.1,
    "departures_to": 0.1, "durations": 0.17, "durations_left": 0.17, "durations_between": 0.17, "distinct_zones": 0.05, "place_share": 0.06,
    "distinct_given_visits": 0.065,
    # Sparse: most cells hold one day.
    "od_hour@district": 0.4, "episodes": 0.3, "chain_departure": 0.3, "chain_episodes": 0.65,
}  # fmt: skip
"""The total variation distance of each table from itself after release, fit, generation and recount, at most."""


@pytest.fixture(scope="module")
def london() -> Any:
    """A Friday and a Saturday of a made-up operator: the zoning, the period, and the exact tables, bounded as in a release."""
    world = worlds.london(SUBSCRIBERS, 2, seed=5, h3_resolution=6, first_day=FRIDAY)
    backend = engine.connect()
    given = [backend.create_table(n, t) for n, t in (("subscribers", world.subscribers), ("stays", world.stays))]
    persons, stays = (backend.to_pyarrow(t) for t in anchors.detect(*given, world.zoning, world.period))
    backend.disconnect()
    return world.zoning, world.period, recount.counted(persons, stays, world.zoning, world.period)


@pytest.fixture(scope="module")
def model(london: Any) -> MobilityModel:
    zoning, period, tables = london
    return fit(recount.release_of(tables, zoning, period), zoning)


def test_released_tables_are_reproduced(london: Any, model: MobilityModel) -> None:
    _zoning, period, found = london
    made = recount.recounted(generate(model, n_persons=PERSONS, days=2, seed=1), period)
    tables = {name: table for name, table in found.items() if name != "habits"}  # no day is followed by one of its type
    assert set(tables) == set(TOLERANCE)
    off = {name: recount.apart(made[name], tables[name]) for name in tables}
    assert {name: round(far, 3) for name, far in off.items() if far > TOLERANCE[name]} == {}
    # As many people, stays and trips, too.
    scale = SUBSCRIBERS / PERSONS
    totals = {name: made[name].total * scale / tables[name].total for name in tables}
    assert {name: round(t, 3) for name, t in totals.items() if abs(t - 1) > 0.09} == {}


def test_the_model_is_whole_and_says_what_it_assumed(london: Any, model: MobilityModel) -> None:
    _zoning, period, tables = london
    modelcheck.check(model)
    assert model.period == period and model.day_type_of == (0, 1, 0)
    assert model.assumed == ("No sunday was measured: a sunday is generated like a weekday.",)
    assert model.anchors.home_worker.sum() == pytest.approx(tables["demographics"].total)
    for law in model.routines.chains:
        assert law.weights.sum() == pytest.approx(tables["demographics"].total, rel=1e-3)
        assert law.by_class.sum(axis=0) == pytest.approx(law.weights)


@pytest.fixture(name="hasty")
def in_haste() -> Iterator[None]:
    with hasty():
        yield


@pytest.mark.usefixtures("hasty")
def test_fitting_twice_gives_the_same_arrays(london: Any) -> None:
    """Whatever the order of the tables."""
    zoning, period, tables = london
    one, two = (fit(recount.release_of(t, zoning, period), zoning) for t in (tables, dict(reversed(tables.items()))))
    for part, other in ((one.anchors, two.anchors), (one.flows, two.flows)):
        for name in part.__dataclass_fields__:
            assert np.array_equal(getattr(part, name), getattr(other, name)), name
    assert np.array_equal(one.routines.timings[0].weights, two.routines.timings[0].weights)


OPTIONAL = ("home@zone", "work@zone", "home_work@zone", "commute_km", "destinations", "visitors", "distances", "trip_km", "od",
            "presence", "chain_", "anchored", "distinct", "place_share")  # fmt: skip
FAMILIES = {name: (name,) for name in OPTIONAL} | {
    "all of these": OPTIONAL, "demographics": ("demographics",), "home_by_group": ("home_by_group",), "homes": ("home@",),
    "homes and groups": ("home@", "home_by_group"), "works": ("work@",), "works and flows": ("work@", "home_work@"),
    "all about work": ("work@", "home_work@", "commute_km"), "people": ("demographics", "home_by_group"),
}  # fmt: skip
QUICK = ("all of these", "homes and groups", "all about work")


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in FAMILIES])
def test_a_plan_may_drop_tables(london: Any, name: str) -> None:
    """The owner decides what is counted: without a table the model still is one."""
    zoning, period, tables = london
    kept = {n: t for n, t in tables.items() if not n.startswith(FAMILIES[name])}
    assert len(kept) < len(tables)
    found = fit(recount.release_of(kept, zoning, period), zoning)
    modelcheck.check(found)
    assert found.anchors.home_worker.sum() == pytest.approx(SUBSCRIBERS, rel=0.02)
    assert found.anchors.home_work.sum() == pytest.approx(tables["work@district"].total, rel=0.05)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", ["chains", "travel_time"])
def test_without_the_tables_of_days_days_are_the_stated_ones(london: Any, name: str) -> None:
    zoning, period, tables = london
    kept = {n: t for n, t in tables.items() if n != name}
    found = fit(recount.release_of(kept, zoning, period), zoning)
    modelcheck.check(found)
    assert defaults.STATEMENT in found.assumed and len(found.routines.chains) == len(DAY_TYPES)
    stays = generate(found, n_persons=200, days=2, seed=1).block(0).stays
    assert set(np.unique(stays.purpose)) == {0, 1}


@pytest.mark.parametrize("kept", [("demographics",), ("demographics", "chains", "work@zone"), ("presence@zone",)])
def test_too_little_to_fit_on_is_refused(london: Any, kept: tuple[str, ...]) -> None:
    zoning, period, tables = london
    with pytest.raises(FormatError, match="nothing says where people live"):
        fit(recount.release_of({n: tables[n] for n in kept}, zoning, period), zoning)


def renamed(zoning: Zoning, level: int, labels: tuple[str, ...]) -> Zoning:
    levels = list(zoning.levels)
    levels[level] = Level(levels[level].name, labels, levels[level].of_zone)
    return replace(zoning, levels=tuple(levels), ids=labels if level == 0 else zoning.ids)


def test_another_zoning_is_refused(london: Any) -> None:
    zoning, period, tables = london
    release = recount.release_of(tables, zoning, period)
    ids, districts = zoning.ids, zoning.level("district").labels
    for other in (renamed(zoning, 0, (ids[1], ids[0], *ids[2:])), renamed(zoning, 1, (*districts[:-1], "elsewhere")),
                  worlds.london(20, 1, h3_resolution=7).zoning):  # fmt: skip
        with pytest.raises(ZoningError, match="use the zoning it was measured with"):
            fit(release, other)
    finer = Marginal("home@block", tables["home@zone"].axes, tables["home@zone"].codes, tables["home@zone"].values)
    with pytest.raises(ZoningError, match="no level 'block'"):
        fit(Release({**tables, "home@block": finer}, release.info), zoning)


def published(london: Any, **more: pd.DataFrame) -> tuple[Release, Any]:
    zoning, _period, tables = london
    table = tables["home_work@zone"]
    rows = [(table.axes[0].label(h), table.axes[1].label(w), n) for (h, w), n in zip(table.codes.tolist(), table.values, strict=True)
            if "outside" not in (table.axes[0].label(h), table.axes[1].label(w))]  # fmt: skip
    flows_of = pd.DataFrame(rows, columns=["home", "work", "n"]).astype({"n": int})
    given = {"home_work@zone": flows_of, **{name.replace("_at_", "@"): frame for name, frame in more.items()}}
    universe = {name: "commuters" if name == "home_work@zone" else "residents" for name in given}
    release = Release.from_tables(
        given, zoning=zoning, threshold=1, universe=universe, source="a made-up office", licence="CC0")  # fmt: skip
    return release, flows_of


def test_a_published_flow_table_alone_makes_commuters(london: Any) -> None:
    zoning, _period, _tables = london
    release, rows = published(london)
    model = fit(release, zoning)
    modelcheck.check(model)
    assert model.domain.attributes == () and model.day_type_of == (0, 1, 2)
    assert {"sex", "age_band"} <= set(" ".join(model.assumed).replace(":", "").split()) and defaults.STATEMENT in model.assumed
    assert any("there are no others" in said for said in model.assumed)
    n = int(rows["n"].sum())
    people = generate(model, n_persons=n, days=1, seed=1).block(0).people
    assert (people.work >= 0).all()
    want = np.zeros((zoning.n_zones + 1,) * 2)
    for home, work, count in rows.itertuples(index=False):
        want[zoning.ids.index(home), zoning.ids.index(work)] = count
    found = np.zeros(want.shape)
    np.add.at(found, (people.home, people.work), 1)
    assert np.minimum(found, want).sum() / n > 0.99


def test_published_age_bands_join_the_flows(london: Any) -> None:
    zoning = london[0]
    ages = ("16-24", "25-34", "65+")
    rows = [(z, age, 100 * (k + 1)) for z in zoning.ids for k, age in enumerate(ages)]
    residents = pd.DataFrame(rows, columns=["home", "age_band", "n"])
    model = fit(published(london, home_by_group_at_zone=residents)[0], zoning)
    modelcheck.check(model)
    assert model.domain.attributes == ("age_band",)
    people = generate(model, n_persons=6_000, days=1, seed=1).block(0).people
    share = np.bincount(people.klass // 2 % len(model.domain.age_band), minlength=8) / 6_000
    assert share[[model.domain.age_band.index(a) for a in ages]] == pytest.approx([1 / 6, 2 / 6, 3 / 6], abs=0.02)


def test_ages_that_no_table_gives_to_homes_are_left_out(london: Any) -> None:
    """Half an answer must not become a wrong one: nobody is made 0 to 15 years old."""
    ages = pd.DataFrame({"age_band": ["25-34", "65+"], "n": [900, 600]})
    model = fit(published(london, demographics=ages)[0], london[0])
    modelcheck.check(model)
    assert model.domain.attributes == () and model.domain.age_band == ("other",)


@pytest.mark.usefixtures("hasty")
def test_groups_are_those_of_days_where_nothing_else_has_them(london: Any) -> None:
    zoning, period, tables = london
    kept = {n: t for n, t in tables.items() if not n.startswith(("demographics", "home_by_group"))}
    found = fit(recount.release_of(kept, zoning, period), zoning)
    groups = found.anchors.groups.sum(axis=0).reshape(2, 3, 8)
    want = np.moveaxis(tables["demographics"].dense(), 2, 0)
    assert np.abs(groups - want).sum() < 0.02 * SUBSCRIBERS


def test_a_release_without_a_period_is_about_the_stated_week(london: Any) -> None:
    model = fit(published(london)[0], london[0])
    assert model.period == mobility.DEFAULT_PERIOD == Period.of("2026-03-02", 7)
