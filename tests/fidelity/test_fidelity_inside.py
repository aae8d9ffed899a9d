"""The truth against a population: halves of real records, day types, ids, attributes that are not there."""

from __future__ import annotations

import json
from pathlib import Path

import hand_town as town
import numpy as np
import pandas as pd
import pytest

from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.errors import FormatError, InputError
from synthmob.fidelity import compare
from synthmob.fidelity.metrics import ANCHORS, ROUTINES
from synthmob.fidelity.sides import Tables
from synthmob.period import Period
from synthmob.zonefiles import read_zoning

ATLANTA = Path(__file__).resolve().parents[2] / "../shared/data/atlanta_activitysim"
FRI_TO_SUN = Period.of("2026-03-06", 3)


def _compared(truth: Tables, made: Tables, period: Period = town.WEEKDAY, **rest):
    return compare.compare_inside(
        truth, made, town.zoning(), rest.pop("domain", Domain()), period, connect(), bootstraps=3, **rest
    )


def _longest(stays: pd.DataFrame, purpose: str) -> pd.Series:
    """The zone with most minutes of a purpose, by person."""
    some = stays[stays.purpose == purpose]
    minutes = (some.end_min - some.start_min).groupby([some.person_id, some.zone_id]).sum().reset_index(name="minutes")
    return minutes.sort_values("minutes").drop_duplicates("person_id", keep="last").set_index("person_id").zone_id


@pytest.fixture(scope="module")
def atlanta() -> Tables:
    if not ATLANTA.exists():
        pytest.skip(f"no records in {ATLANTA}")
    persons, stays = (
        pd.read_parquet(ATLANTA / f"{name}.parquet").rename(columns={"subscriber_id": "person_id"})
        for name in ("subscribers", "stays")
    )
    persons["home_zone"] = persons.person_id.map(_longest(stays, "home")).fillna("unknown")
    persons["work_zone"] = persons.person_id.map(_longest(stays, "work"))
    persons["worker"] = np.where(persons.work_zone.notna(), "yes", "no")
    return Tables(persons, stays)


@pytest.fixture(scope="module")
def halves(atlanta):
    """ActivitySim 1.6 prototype_arc example (BSD-3): one half of its households' persons against the other."""
    first = np.random.default_rng(0).random(len(atlanta.persons)) < 0.5
    one, other = (
        Tables(atlanta.persons[chosen], atlanta.stays[atlanta.stays.person_id.isin(atlanta.persons.person_id[chosen])])
        for chosen in (first, ~first)
    )
    zoning = read_zoning(ATLANTA / "zones.geojson")
    return compare.compare_inside(one, other, zoning, Domain(), Period.read(ATLANTA / "period.toml"), connect())


def test_one_half_of_real_records_is_to_the_other_as_another_sample(halves):
    """Two samples differ by sqrt(2) of the floor, and by 2 where many chains or links occur once."""
    ratios = {m.name: m.ratio for m in halves.metrics}
    assert 0.9 < np.median(list(ratios.values())) < 1.5
    heavy = {"chain_tvd", "home_work_cpl_zone", "flows_cpl_zone"}
    assert {name: ratio for name, ratio in ratios.items() if ratio > 2 and name not in heavy} == {}
    assert max(ratios.values()) < 3.5


def test_the_baseline_is_clearly_worse_where_things_are_joint(halves):
    joint = (
        "group_tvd",
        "home_work_cpc_district",
        "home_work_km",
        "flows_cpc_zone",
        "flows_cpc_hour_district",
        "trip_km",
        "gyration_km",
        "trips_by_group",
        "departures_by_purpose_min",
        "dwell_min",
        "dwell_by_purpose_min",
    )
    for name in joint:
        found = halves.metric(name)
        assert found.baseline_error > 5 * found.error, name


def test_every_ratio_is_the_error_over_the_larger_of_floor_and_tolerance(halves):
    for found in halves.metrics:
        floor = abs(found.floor - found.best)
        assert found.ratio == pytest.approx(
            abs(found.value - found.best) / max(floor, found.tolerance), rel=1e-6, abs=1e-9
        )
        assert found.strict_ratio is None or found.strict_ratio >= found.ratio * (1 - 1e-9)


def test_inside_is_confidential_and_says_so(halves):
    said = json.loads(json.dumps(halves.as_json(), allow_nan=False))
    assert said["kind"] == "inside"
    assert said["confidential"] is True
    assert said["headline"] == "INSIDE, CONFIDENTIAL: computed from private records"
    assert compare.Fidelity.from_json(said) == halves


def test_the_same_seed_gives_the_same_result():
    truth, made = town.tables(town.TRUTH, copies=5), town.tables(town.MADE, copies=4)
    three, again, four = (_compared(truth, made, seed=seed, metrics=ROUTINES) for seed in (3, 3, 4))
    assert three == again
    assert three != four


def test_ids_may_be_text_and_sizes_may_differ():
    truth, made = town.tables(town.TRUTH), town.tables(town.MADE, copies=20)
    named = Tables(*(t.assign(person_id="s" + t.person_id.astype(str)) for t in truth[:2]))
    one, other = (_compared(t, made, metrics=ANCHORS) for t in (truth, named))
    assert [m.value for m in one.metrics] == [m.value for m in other.metrics]
    assert one.n_persons == 80


def test_people_of_one_day_each_compare_with_people_of_many():
    """Half of the truth is seen on Friday alone, half on the weekend; the made people live all three days the same."""
    days = [town.tables(town.TRUTH, copies=10, day=day) for day in range(3)]
    n = len(days[0].persons)
    everyone = Tables(days[0].persons, pd.concat([d.stays for d in days]))
    persons = pd.concat([days[0].persons, days[0].persons.assign(person_id=days[0].persons.person_id + n)])
    weekend = pd.concat([days[1].stays, days[2].stays])
    some = Tables(persons, pd.concat([days[0].stays, weekend.assign(person_id=weekend.person_id + n)]))
    fidelity = _compared(some, everyone, FRI_TO_SUN)
    assert {m.name: m.value for m in fidelity.metrics if abs(m.value - m.best) > 1e-9} == {}


def test_a_day_type_that_one_side_lacks_is_left_out_and_said():
    days = [town.tables(town.TRUTH, copies=10, day=day) for day in range(2)]
    both = Tables(days[0].persons, pd.concat([d.stays for d in days]))
    fidelity = _compared(both, days[0], FRI_TO_SUN, metrics=ROUTINES)
    assert fidelity.notes == (
        "day type saturday: left out, one side has no such day",
        "day type sunday: left out, one side has no such day",
    )
    assert fidelity.metric("chain_tvd").value == 0
    with pytest.raises(InputError, match="no day type in common"):
        _compared(days[0], days[1], FRI_TO_SUN)


def test_without_attributes_the_metrics_of_groups_are_left_out_and_said():
    truth = town.tables(town.TRUTH, copies=10)
    bare = Tables(truth.persons.drop(columns=["sex", "age_band"]), truth.stays)
    names = {m.name for m in _compared(bare, bare).metrics}
    assert names & {"sex_tvd", "age_tvd", "home_work_km_worst_group"} == set()
    assert {"group_tvd", "worker_tvd", "trips_by_group", "chain_tvd"} <= names
    notes = _compared(bare, truth, metrics=ANCHORS[:4]).notes
    assert notes == tuple(
        f"metrics of {name}: left out, the plan or one side has no such attribute" for name in ("age_band", "sex")
    )
    planned = _compared(truth, truth, domain=Domain(sex=("other",), attributes=("age_band",)), metrics=ANCHORS[:4])
    assert {m.name for m in planned.metrics} >= {"age_tvd"}
    assert "sex_tvd" not in {m.name for m in planned.metrics}


def test_nobody_works_is_a_truth_like_any_other():
    idle = town.tables([town.TRUTH[2], town.TRUTH[3]], copies=5)
    fidelity = _compared(idle, idle, metrics=(*ANCHORS, *ROUTINES))
    assert {m.name for m in fidelity.metrics if m.name.startswith("home_work")} == set()
    assert {m.ratio for m in fidelity.metrics} == {0.0}


def test_tables_that_are_not_what_they_should_be_are_refused():
    truth = town.tables(town.TRUTH, copies=2)
    with pytest.raises(FormatError, match="no column 'purpose'"):
        _compared(truth, Tables(truth.persons, truth.stays.drop(columns="purpose")))
    with pytest.raises(InputError, match="no stay in the 1 days from 2026-03-02"):
        _compared(truth, Tables(truth.persons, truth.stays.assign(day=9)))
