"""Home and work from one subscriber's own stays: by purposes, by night and working hours, and the least evidence for
each."""

from __future__ import annotations

import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tiny_operator import DAY, WEEK, frame, grid

from synthmob.engine import connect
from synthmob.period import Period
from synthmob.private import anchors
from synthmob.zonefiles import read_zoning
from synthmob.zones import Zoning

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
ZONING = grid(12, 1)
WEEKEND = Period(datetime.date(2026, 3, 7), 2, "Europe/London")
MONTH = Period(datetime.date(2026, 3, 2), 28, "Europe/London")
COLUMNS = ["subscriber_id", "day", "seq", "purpose", "zone_id", "start_min", "end_min"]
Rows = list[tuple[int, str, int, int]]


def anchored(
    stays: pd.DataFrame, people: pd.DataFrame | None = None, period: Period = WEEK, zoning: Zoning = ZONING
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """PERSONS by person_id and STAYS in order."""
    import ibis

    backend = connect(threads=1)
    if people is None:
        people = pd.DataFrame({"subscriber_id": stays.subscriber_id.unique()})
    persons, rows = anchors.detect(ibis.memtable(people), ibis.memtable(stays), zoning, period)
    return frame(backend, persons, "person_id").set_index("person_id"), frame(backend, rows, "person_id", "day", "seq")


def days_at(days: range | list[int], *spans: tuple[str, int, int]) -> Rows:
    """The same (zone, from hour, to hour) on several days."""
    return [(day, zone, 60 * start, 60 * end) for day in days for zone, start, end in spans]


def without_purpose(cases: dict[str, Rows]) -> pd.DataFrame:
    """Detected stays, each seen from its start to its end."""
    rows = [
        (name, day, zone, start, end, start, end) for name, spans in cases.items() for day, zone, start, end in spans
    ]
    table = pd.DataFrame(
        rows, columns=["subscriber_id", "day", "zone_id", "start_min", "end_min", "seen_from_min", "seen_to_min"]
    )
    return table.assign(seq=table.groupby(["subscriber_id", "day"]).cumcount())


OFFICE = [("z0", 0, 8), ("z5", 9, 17), ("z0", 18, 24)]
WEEK_CASES: dict[str, tuple[Rows, str, str | None]] = {
    "office": (days_at(range(5), *OFFICE), "z0", "z5"),
    "at home": (days_at(range(7), ("z0", 0, 24)), "z0", None),
    "one day of work": (days_at([0], *OFFICE) + days_at(range(1, 5), ("z0", 0, 24)), "z0", None),
    "two days of work": (days_at([0, 3], *OFFICE) + days_at([1, 2, 4], ("z0", 0, 24)), "z0", "z5"),
    "short errands": (days_at(range(5), ("z0", 0, 10), ("z5", 11, 12), ("z0", 13, 24)), "z0", None),
    "only a weekend job": (days_at([5, 6], *OFFICE) + days_at([0, 1], ("z0", 0, 24)), "z0", None),
    "night shift": (
        days_at([0, 1, 2], ("z5", 0, 6), ("z0", 7, 21), ("z5", 22, 24)) + days_at([3, 4, 5, 6], ("z0", 0, 24)),
        "z0",
        "z5",
    ),
    "one night only": (days_at([0], ("z0", 0, 24)), "unknown", None),
    "never at night": (days_at(range(5), ("z5", 9, 17)), "unknown", "z5"),
    "a home outside": (days_at(range(5), ("outside", 0, 8), ("z5", 9, 17), ("outside", 18, 24)), "outside", "z5"),
    "work outside": (days_at(range(5), ("z0", 0, 8), ("outside", 9, 17), ("z0", 18, 24)), "z0", "outside"),
    "two equal homes": (days_at([0, 5], ("z10", 0, 24)) + days_at([1, 6], ("z2", 0, 24)), "z2", None),
}


@pytest.fixture(scope="module")
def week() -> tuple[pd.DataFrame, pd.DataFrame]:
    """All cases of a week in one detection, and one subscriber without a stay."""
    stays = without_purpose({name: rows for name, (rows, _, _) in WEEK_CASES.items()})
    return anchored(stays, pd.DataFrame({"subscriber_id": [*WEEK_CASES, "never seen"]}))


@pytest.mark.parametrize("name", WEEK_CASES)
def test_a_week_without_purposes(week: tuple[pd.DataFrame, pd.DataFrame], name: str) -> None:
    _, home, work = WEEK_CASES[name]
    person = week[0].loc[name]
    assert person.home_zone == home
    assert (person.work_zone == work) if work else pd.isna(person.work_zone)
    assert person.worker == ("yes" if work else "no")


def test_who_is_never_seen_is_a_person_still(week: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    person = week[0].loc["never seen"]
    assert person.home_zone == "unknown" and person.worker == "no" and pd.isna(person.work_zone)


def test_purposes_follow_from_the_anchors(week: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    rows = week[1]
    assert rows.columns.tolist() == ["person_id", *COLUMNS[1:]]
    assert rows[(rows.person_id == "office") & (rows.day == 0)].purpose.tolist() == ["home", "work", "home"]
    assert set(rows[rows.person_id == "short errands"].purpose) == {"home", "other"}
    assert set(rows[rows.person_id == "one night only"].purpose) == {"other"}


def test_what_is_only_inferred_is_no_evidence() -> None:
    stays = without_purpose({"inferred": days_at(range(5), *OFFICE)}).astype(
        {"seen_from_min": "Int64", "seen_to_min": "Int64"}
    )
    stays.loc[stays.zone_id == "z0", ["seen_from_min", "seen_to_min"]] = pd.NA
    person = anchored(stays)[0].loc["inferred"]
    assert person.home_zone == "unknown" and person.work_zone == "z5"


def test_a_single_weekday_asks_for_four_hours_and_a_weekend_knows_no_work() -> None:
    cases = {
        "long": days_at([0], ("z0", 0, 9), ("z5", 10, 14), ("z0", 15, 24)),
        "short": days_at([0], ("z0", 0, 9), ("z5", 10, 13), ("z0", 14, 24)),
    }
    persons = anchored(without_purpose(cases), period=DAY)[0]
    assert persons.home_zone.tolist() == ["z0", "z0"] and persons.worker.tolist() == ["yes", "no"]
    assert anchored(without_purpose({"office": days_at([0, 1], *OFFICE)}), period=WEEKEND)[0].worker.tolist() == ["no"]


def test_a_month_asks_for_a_quarter_of_the_days() -> None:
    home = ("z0", 0, 24)
    often = [day for day in range(28) if day % 7 in (0, 1)]
    rare = [0, 7]
    cases = {
        name: days_at(some, *OFFICE) + days_at([d for d in range(28) if d not in some], home)
        for name, some in (("often", often), ("rare", rare))
    }
    assert anchored(without_purpose(cases), period=MONTH)[0].worker.to_dict() == {"often": "yes", "rare": "no"}


def test_children_do_not_work() -> None:
    people = pd.DataFrame({"subscriber_id": ["child", "adult"], "age_band": ["0-15", "16-24"]})
    persons = anchored(without_purpose({name: days_at(range(5), *OFFICE) for name in people.subscriber_id}), people)[0]
    assert persons.worker.to_dict() == {"child": "no", "adult": "yes"} and persons.age_band.to_dict()["child"] == "0-15"


def test_purposes_decide_where_they_are_given() -> None:
    rows = [
        ("a", 0, 0, "home", "z1", 0, 300),
        ("a", 0, 1, "work", "z2", 310, 400),
        ("a", 0, 2, "home", "z3", 410, 1440),
        ("b", 0, 0, "work", "z2", 0, 600),
        ("b", 0, 1, "shop", "z0", 610, 1440),
        ("c", 0, 0, "home", "outside", 0, 700),
        ("c", 0, 1, "home", "z4", 740, 1440),
        ("d", 0, 0, "home", "z4", 0, 600),
        ("d", 0, 1, "work", "z4", 600, 1440),
    ]
    stays = pd.DataFrame(rows, columns=COLUMNS)
    persons, out = anchored(stays.assign(mode="car"))
    assert persons.home_zone.to_dict() == {"a": "z3", "b": "unknown", "c": "z4", "d": "z4"}, (
        "of equals the first in the zoning"
    )
    assert persons.work_zone.dropna().to_dict() == {"a": "z2", "b": "z2", "d": "z4"}
    assert persons.worker.to_dict() == {"a": "yes", "b": "yes", "c": "no", "d": "yes"}
    assert out.purpose.tolist() == stays.purpose.tolist() and set(out["mode"]) == {"car"}


def random_stays(seed: int, n: int, *, purposes: bool) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows: list[tuple[Any, ...]] = []
    for person in range(n):
        usual = rng.integers(0, 13, size=2)
        for day in rng.choice(7, size=rng.integers(1, 8), replace=False):
            cuts = np.unique([0, *rng.integers(1, 1440, size=rng.integers(0, 5)), 1440])
            for seq, (start, end) in enumerate(pairwise(cuts)):
                zone = ZONING.labels[rng.choice(usual) if rng.random() < 0.7 else rng.integers(0, 13)]
                rows.append((person, day, seq, rng.choice(["home", "work", "shop"]), zone, start, end))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return (
        table
        if purposes
        else table.drop(columns="purpose").assign(seen_from_min=table.start_min, seen_to_min=table.end_min)
    )


@settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.booleans(), st.data())
def test_the_anchors_of_a_subset_are_the_subset_of_the_anchors(
    seed: int, n: int, purposes: bool, data: st.DataObject
) -> None:
    stays = random_stays(seed, n, purposes=purposes)
    persons, rows = anchored(stays)
    assert len(persons) == n and len(rows) == len(stays)
    assert ((persons.worker == "yes") == persons.work_zone.notna()).all()
    chosen = data.draw(st.sets(st.integers(0, n - 1), min_size=1))
    few, few_rows = anchored(stays[stays.subscriber_id.isin(chosen)])
    pd.testing.assert_frame_equal(few, persons[persons.index.isin(chosen)])
    pd.testing.assert_frame_equal(few_rows, rows[rows.person_id.isin(chosen)].reset_index(drop=True))


@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")
def test_atlantas_work_zones_agree_with_the_usual_workplace() -> None:
    """98.7 % of those with a work stay; the model's persons may work elsewhere than at the usual place."""
    from synthmob.private import records

    folder = DATA / "atlanta_activitysim"
    backend, zoning, period = connect(), read_zoning(folder / "zones.geojson"), Period.read(folder / "period.toml")
    found = records.read(backend, records.Sources(folder), zoning, period, ("sex", "age_band"))
    persons, _ = anchors.detect(found.subscribers, found.stays, zoning, period)
    true = pd.read_parquet(folder / "anchors_truth.parquet").set_index("subscriber_id").add_prefix("true_")
    both = backend.to_pandas(persons).set_index("person_id").join(true)
    workers = both[both.worker == "yes"]
    assert (both.home_zone == both.true_home_zone).all()
    assert (workers.work_zone == workers.true_work_zone).mean() > 0.98
