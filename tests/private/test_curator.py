"""The one door to the records: what comes out of it is noisy and public in form, or says that it is confidential."""

from __future__ import annotations

import json
import stat
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from strategies import FRIDAY_ON, MONDAY, Population, crowd, town

from synthmob.accounting import FIXED_POINT, compose
from synthmob.counts import STATISTICS, cells
from synthmob.engine import connect
from synthmob.errors import ConfidentialError, PlanError, RecordError
from synthmob.marginals import Marginal
from synthmob.period import Period
from synthmob.plan import ROUNDING_SLACK, Plan, Request
from synthmob.private import bounding
from synthmob.private.curator import Curator, _under_fresh_ids  # pyright: ignore[reportPrivateUsage]
from synthmob.release import Release

TOWN = town()
CANARY = "canary-7f3a91"
FEW = tuple(r for r in Plan.standard().requests if r.name in (
    "demographics", "home@district", "home_work@below", "destinations@below", "chains", "stays_per_day", "modes",
    "distinct_zones"))  # fmt: skip


def subscriber(person_id: int) -> str:
    return CANARY if person_id == 0 else f"subscriber-{person_id * 7919:08d}"


def write(folder: Path, people: Population, *, drop: tuple[str, ...] = (), period: Period = FRIDAY_ON) -> Path:
    """A folder of records: subscribers and stays, and the period beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    persons, stays = (pd.DataFrame(rows) for rows in (people.persons, people.stays))
    for table, columns, name in (
        (persons, ["sex", "age_band"], "subscribers"),
        (stays, ["day", "seq", "purpose", "zone_id", "start_min", "end_min", "mode"], "stays"),
    ):
        table.insert(0, "subscriber_id", table.person_id.map(subscriber))
        table[["subscriber_id", *(c for c in columns if c not in drop)]].to_parquet(folder / f"{name}.parquet", index=False)
    said = f"first_day = {period.first_day}\ndays = {period.days}\ntimezone = '{period.timezone}'\n"
    (folder / "period.toml").write_text(said, encoding="utf-8")
    return folder


def people(n: int = 90, period: Period = FRIDAY_ON, seed: int = 1) -> Population:
    return crowd(n, TOWN, period, seed, (1, 3, 4, 5, 8, 30))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("records"), people())


@pytest.fixture(scope="module")
def curator(folder: Path) -> Curator:
    return Curator.of(folder, TOWN)


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Curator:
    """Half as many people who are alike, stay in two zones of which one has no shape, and are awake at night alone."""
    quiet = people(45, seed=2)
    persons = tuple({**row, "sex": "male", "age_band": "nonsense"} for row in quiet.persons)
    stays = tuple({**row, "zone_id": "z1" if row["seq"] % 2 else None, "purpose": "shop", "mode": "bus",
                   "start_min": row["start_min"] // 3, "end_min": row["end_min"] // 3} for row in quiet.stays)  # fmt: skip
    return Curator.of(write(tmp_path_factory.mktemp("others"), Population(persons, stays)), TOWN)


def few(epsilon: float = 1.0, min_group: int = 10, requests: tuple[Request, ...] = FEW) -> Plan:
    return Plan(epsilon, 1e-6, min_group, requests)


@pytest.fixture(scope="module")
def truths(curator: Curator) -> tuple[dict[str, Marginal], dict[str, Marginal]]:
    """The tables of a few requests, without bounds and with them."""
    return curator.truth(few()), curator.truth(few(), bounds=True)


# ---------------------------------------------------------------- measure


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def release(curator: Curator, told: list[str]) -> Release:
    """The whole standard plan."""
    return curator.measure(Plan.standard(1.0, 1e-6, min_group=10), progress=told.append)


def test_all_that_the_plan_asks_for_is_released_and_nothing_else(curator: Curator, release: Release) -> None:
    plan = curator.plan(Plan.standard(1.0, 1e-6, min_group=10))
    assert list(release.marginals) == [r.name for r in plan.requests] and len(plan.requests) > 40
    for r in plan.requests:
        found = release.marginals[r.name]
        assert (found.sigma, found.bound_l2) == (plan.sigma_of(r), r.bound_l2) and not found.confidential
        assert found.cut >= 10 + 2 * found.sigma
        assert len(found.values) == 0 or found.values.min() >= found.cut
        assert np.array_equal(found.values * FIXED_POINT, np.round(found.values * FIXED_POINT)), "off the grid of the noise"
    assert release.rho <= plan.rho <= release.rho * (1 + 1e-5)


def test_axes_noise_and_words_do_not_depend_on_the_records(curator: Curator, others: Curator) -> None:
    one, two = curator.measure(few()), others.measure(few())
    assert one.info == two.info and list(one.marginals) == list(two.marginals)
    for name, found in one.marginals.items():
        other = two.marginals[name]
        assert (found.axes, found.sigma, found.cut, found.bound_l2) == (other.axes, other.sigma, other.cut, other.bound_l2)
    assert json.dumps(one.info) == json.dumps(two.info)


def test_progress_names_tables_and_says_nothing_of_the_records(release: Release, told: list[str]) -> None:
    assert told == ["reading the records", *release.marginals]


def test_a_release_on_disk_holds_no_id_and_nothing_exact(
    curator: Curator, release: Release, folder: Path, tmp_path: Path
) -> None:
    release.save(tmp_path / "release")
    files = [path for path in (tmp_path / "release").rglob("*") if path.is_file()]
    assert len(files) == len(release.marginals) + 1
    for path in files:
        content = path.read_bytes()
        for secret in (CANARY, "subscriber-", str(folder), folder.name):
            assert secret.encode() not in content, path.name
    # A value equals the exact count once in 50,000 cells by chance; more than one in twenty would be no chance.
    plan = Plan.standard(1.0, 1e-6, min_group=10)
    for truth in (curator.truth(plan), curator.truth(plan, bounds=True)):
        exact, released, equal = 0, 0, 0
        for name, found in release.marginals.items():
            known = dict(zip(truth[name].flat.tolist(), truth[name].values.tolist(), strict=True))
            exact += len(known)
            released += len(found.values)
            pairs = zip(found.flat.tolist(), found.values.tolist(), strict=True)
            equal += sum(abs(known.get(cell, 0.0) - value) < 1e-9 for cell, value in pairs)
        assert exact > 5000 and released > 20 and equal <= released / 20


def test_noise_is_new_every_time(curator: Curator) -> None:
    plan = few(epsilon=50.0, requests=tuple(r for r in FEW if r.statistic in ("demographics", "home")))
    one, two = (curator.measure(plan).marginals["home@district"] for _ in range(2))
    both = np.intersect1d(one.flat, two.flat)
    assert len(both) >= 2
    values = [m.values[np.isin(m.flat, both)] for m in (one, two)]
    assert not np.array_equal(*values)


def test_with_next_to_no_noise_a_release_is_the_bounded_truth(
    curator: Curator, truths: tuple[dict[str, Marginal], ...]
) -> None:
    release, truth = curator.measure(few(epsilon=1e5, min_group=1)), truths[1]
    for name, found in release.marginals.items():
        exact = dict(zip(truth[name].flat.tolist(), truth[name].values.tolist(), strict=True))
        assert len(found.values) > 1 or name == "modes"
        for cell, value in zip(found.flat.tolist(), found.values.tolist(), strict=True):
            # each person's part was rounded toward zero to 1/1024
            assert exact[cell] - 90 / FIXED_POINT - 8 * found.sigma <= value <= exact[cell] + 1e-4 + 8 * found.sigma
        surely = {cell for cell, n in exact.items() if n > found.cut + 90 / FIXED_POINT + 8 * found.sigma}
        assert surely <= set(found.flat.tolist())


def test_a_plan_of_unknown_statistics_reads_no_record(curator: Curator) -> None:
    told: list[str] = []
    plan = few(requests=(Request("shoe_size", "", 1.0), *FEW))
    with pytest.raises(PlanError, match=r"a statistic 'shoe_size': known are demographics"):
        curator.measure(plan, progress=told.append)
    assert told == []


# ---------------------------------------------------------------- dropping a subscriber from the files


@pytest.mark.parametrize("victim", [0, 7])
def test_a_subscriber_taken_out_of_the_files_moves_no_table_by_more_than_its_norm(
    curator: Curator, victim: int, tmp_path: Path
) -> None:
    """The law of test_bounding.py from the record files on: reading, anchors and codes are part of it."""
    plan = replace(curator.plan(few()), min_group=10)
    without = Curator.of(write(tmp_path / "without", people().without(victim)), TOWN)
    before, after = (_totals(who, plan) for who in (curator, without))
    moved_at_all = 0
    for r in plan.requests:
        moved = Counter(before[r.name])
        moved.subtract(after[r.name])
        assert max(map(abs, moved.values())) <= FIXED_POINT, r.name
        assert sum(m * m for m in moved.values()) <= (FIXED_POINT * r.bound_l2 * ROUNDING_SLACK) ** 2, r.name
        moved_at_all += any(moved.values())
    assert moved_at_all > len(plan.requests) / 2


def _totals(curator: Curator, plan: Plan) -> dict[str, dict[int, int]]:
    out: dict[str, dict[int, int]] = {}
    with curator._coded(plan, lambda step: None) as table:  # pyright: ignore[reportPrivateUsage]
        for r in plan.requests:
            rows = cells(STATISTICS[r.statistic], table, r.level)
            at, counts = bounding.totals(table.backend, rows, r.bound_l2)
            out[r.name] = dict(zip(at.tolist(), counts.tolist(), strict=True))
    return out


# ---------------------------------------------------------------- truth and rows


def test_truth_is_confidential_and_no_release_takes_it(
    curator: Curator, release: Release, truths: tuple[dict[str, Marginal], ...]
) -> None:
    for truth in truths:
        assert all(m.confidential for m in truth.values()) and len(truth) == len(curator.plan(few()).requests)
        with pytest.raises(ConfidentialError, match="exact counts of real records"):
            Release(truth, release.info)
        derived = {"home@district": truth["home@district"].project(["home", "worker"]).normalised()}
        with pytest.raises(ConfidentialError):
            Release(derived, release.info)


def test_bounds_take_away_from_the_truth(truths: tuple[dict[str, Marginal], dict[str, Marginal]]) -> None:
    free, held = truths
    assert free["demographics"].total == held["demographics"].total == 90
    assert held["destinations@zone"].total < free["destinations@zone"].total
    assert all(m.sigma == m.cut == 0 for m in (*free.values(), *held.values()))


def test_rows_come_under_fresh_ids(curator: Curator) -> None:
    plan = few()
    persons, stays = (table.to_pandas() for table in curator.rows(plan))
    assert sorted(persons.person_id) == list(range(90)) and set(stays.person_id) <= set(range(90))
    assert list(persons.columns) == ["sex", "age_band", "worker", "home_zone", "work_zone", "person_id"]
    assert not any("subscriber" in str(v) or CANARY in str(v) for v in (*persons.to_numpy().flat, *stays.to_numpy().flat))
    assert _lives(persons, stays) == _lives(*_own_rows(curator, plan))


def test_fresh_ids_do_not_follow_the_order_of_the_subscribers() -> None:
    """Who stands first, in the file and by id, gets ids from everywhere, and the same one in both tables."""
    backend, ids = connect(threads=1), set[int]()
    persons, stays = (ibis.memtable(table) for table in people(60, MONDAY).tables())
    for _ in range(20):
        swapped = _under_fresh_ids(backend, persons.mutate(first=persons.person_id == 0), stays)
        who, days = (table.to_pandas() for table in swapped)
        ids.add(int(who.person_id[who["first"]].iloc[0]))
        assert sorted(who.person_id) == sorted(set(days.person_id)) == list(range(60))
    assert len(ids) > 10 and max(ids) > 30  # by chance never: less than once in 10^9


def _own_rows(curator: Curator, plan: Plan) -> tuple[pd.DataFrame, pd.DataFrame]:
    with curator._backend() as backend:  # pyright: ignore[reportPrivateUsage]
        tables = curator._tables(backend, curator.plan(plan))  # pyright: ignore[reportPrivateUsage]
        persons, stays = (backend.to_pandas(table) for table in tables)
    return persons, stays


def _lives(persons: pd.DataFrame, stays: pd.DataFrame) -> Counter[tuple[Any, ...]]:
    """Persons with all that they do, whatever their ids."""
    columns = [c for c in stays.columns if c != "person_id"]
    stays = stays.sort_values(["person_id", "day", "seq"])
    days = {k: tuple(map(tuple, t[columns].astype(str).to_numpy().tolist())) for k, t in stays.groupby("person_id")}
    people = persons[["person_id", "sex", "age_band", "worker", "home_zone", "work_zone"]].astype({"work_zone": str})
    return Counter((*row[1:], days.get(row[0], ())) for row in people.itertuples(index=False, name=None))


# ---------------------------------------------------------------- plans for the columns and days that there are


def test_what_the_columns_and_days_do_not_give_is_dropped_and_said(tmp_path: Path) -> None:
    where = write(tmp_path / "bare", people(20, MONDAY), drop=("sex", "mode"), period=MONDAY)
    curator = Curator.of(where, TOWN)
    plan = curator.plan(Plan.standard())
    assert plan.dropped[0] == "attribute sex" and "modes (no such column)" in plan.dropped
    assert "chain_people (one day only)" in plan.dropped and "visitors@zone (one day only)" in plan.dropped
    assert plan.domain.attributes == ("age_band",) and plan.domain.sex == ("other",)
    assert not {"modes", "chain_people", "visitors"} & {r.statistic for r in plan.requests}
    assert sum(r.share for r in plan.requests) == pytest.approx(1)
    release = curator.measure(few(requests=FEW))
    assert release.info["plan"]["dropped"] == ["attribute sex", "modes (no such column)", "distinct_zones (one day only)"]
    assert release.marginals["demographics"].axes[0].size == 1


def test_a_plan_is_read_from_headers_alone(tmp_path: Path) -> None:
    broken = people(5)
    stays = tuple({**row, "end_min": -5} for row in broken.stays)
    curator = Curator.of(write(tmp_path / "broken", Population(broken.persons, stays)), TOWN)
    plan = curator.plan(few())
    assert plan.resolved and curator.plan(plan) is plan
    for call in (curator.measure, curator.truth, curator.rows):
        with pytest.raises(RecordError, match=r"stays\.parquet, row 1: .*outside the day"):
            call(plan)


def test_the_period_beside_the_records_gives_way_to_one_that_is_given(folder: Path) -> None:
    assert Curator.of(folder, TOWN).period == FRIDAY_ON
    assert Curator.of(folder, TOWN, MONDAY).period == MONDAY
    with pytest.raises(RecordError, match=r"no readable period\.toml"):
        Curator.of(folder / "nowhere", TOWN)


def test_events_are_measured_too(tmp_path: Path) -> None:
    where = write(tmp_path / "both", people(12))
    moments = [(subscriber(k), pd.Timestamp("2026-03-06") + pd.Timedelta(hours=h), f"z{k % 3 if h < 9 or h > 18 else 7}")
               for k in range(12) for h in (7, 10, 13, 16, 20, 31)]  # fmt: skip
    events = pd.DataFrame(moments, columns=["subscriber_id", "time", "zone_id"])
    events.to_parquet(where / "events.parquet", index=False)
    curator = Curator.of(where, TOWN, read_from="events")
    plan = curator.plan(few(epsilon=1e5, min_group=1, requests=(Request("home", "zone", 1.0), Request("modes", "", 1.0))))
    assert plan.dropped == ("modes (no such column)",)
    found = curator.measure(plan).marginals["home@zone"]
    homes = [found.axes[0].label(int(code)) for code in found.codes[:, 0]]
    assert homes == ["z0", "z1", "z2"] and found.values == pytest.approx([4, 4, 4], abs=0.1)


def test_a_release_of_a_standard_plan_costs_what_was_asked(curator: Curator) -> None:
    for epsilon in (0.1, 1.0, 10.0):
        plan = curator.plan(Plan.standard(epsilon, 1e-6))
        spent = compose(plan.rho_of(r) for r in plan.requests)
        assert spent <= plan.rho * (1 + 1e-12)


# ---------------------------------------------------------------- what is left behind


def test_the_spill_folder_is_private_and_gone_afterwards(
    curator: Curator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[int] = []

    def look(step: str) -> None:
        seen.extend(stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir())

    curator.measure(few(), progress=look)
    assert set(seen) == {0o700} and not list(tmp_path.iterdir())
    curator.truth(few())
    curator.rows(few())
    assert not list(tmp_path.iterdir())


def test_the_spill_folder_is_gone_after_a_failure_too(
    curator: Curator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def fail(step: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        curator.measure(few(), progress=fail)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("min_group", [1, 10, 50, 400])
def test_no_cell_under_the_group_and_two_sigma_is_published(curator: Curator, min_group: int) -> None:
    plan = few(epsilon=20.0, min_group=min_group, requests=FEW[:3])
    for found in curator.measure(plan).marginals.values():
        assert found.cut >= min_group + 2 * found.sigma
        assert (found.values >= found.cut).all()
        assert min_group < 400 or len(found.values) == 0  # there are ninety people
