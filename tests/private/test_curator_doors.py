"""The other doors to the records: the exact truth and the rows, both confidential, and what is left behind: nothing."""

from __future__ import annotations

import stat
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest
from record_folder import CANARY, FEW, TOWN, few, people, write
from strategies import MONDAY

from synthmob.accounting import FIXED_POINT
from synthmob.counts import STATISTICS, cells
from synthmob.engine import connect
from synthmob.errors import ConfidentialError
from synthmob.marginals import Marginal
from synthmob.plan import ROUNDING_SLACK, Plan
from synthmob.private import bounding
from synthmob.private.curator import Curator, release_info
from synthmob.private.freshids import under_fresh_ids
from synthmob.release import Release


@pytest.fixture(scope="module")
def truths(curator: Curator) -> tuple[dict[str, Marginal], dict[str, Marginal]]:
    """The tables of a few requests, without bounds and with them."""
    return curator.truth(few()), curator.truth(few(), bounds=True)


# ---------------------------------------------------------------- dropping a subscriber from the files


def test_a_subscriber_taken_out_of_the_files_moves_no_table_by_more_than_its_norm(curator: Curator, tmp_path: Path) -> None:
    """The law of test_bounding.py from the record files on: reading, anchors and codes are part of it."""
    plan = curator.plan(few())
    without = Curator.of(write(tmp_path / "without", people().without(0)), TOWN)
    before, after = (_totals(who, plan) for who in (curator, without))
    moved_at_all = 0
    for r in plan.requests:
        moved = Counter(before[r.name])
        moved.subtract(after[r.name])
        assert max(map(abs, moved.values())) <= FIXED_POINT, r.name
        assert sum(m * m for m in moved.values()) <= (FIXED_POINT * r.bound_l2 * ROUNDING_SLACK) ** 2, r.name
        moved_at_all += any(moved.values())
    assert moved_at_all > len(plan.requests) / 2


def test_a_plan_made_for_records_with_modes_finds_nobody_in_records_without(curator: Curator, tmp_path: Path) -> None:
    plan = curator.plan(few())
    assert any(r.statistic == "modes" for r in plan.requests)
    without = Curator.of(write(tmp_path / "records", people(), drop=("mode",)), TOWN)
    assert without.truth(plan)["modes"].total == 0 < curator.truth(plan)["modes"].total
    without.measure(plan)


def test_an_attribute_of_a_single_category_holds_everybody(curator: Curator) -> None:
    plan = replace(few(), domain=replace(few().domain, sex=("unknown",)))
    assert set(curator.truth(plan)["demographics"].codes[:, 0]) == {0}


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
    curator: Curator, truths: tuple[dict[str, Marginal], ...]
) -> None:
    info = release_info(curator.plan(few()), curator.zoning, curator.period)
    for truth in truths:
        assert all(m.confidential for m in truth.values()) and len(truth) == len(curator.plan(few()).requests)
        with pytest.raises(ConfidentialError, match="exact counts of real records"):
            Release(truth, info)
        derived = {"home@district": truth["home@district"].project(["home", "worker"]).normalised()}
        with pytest.raises(ConfidentialError):
            Release(derived, info)


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
    persons, stays = people(60, MONDAY).tables()
    for _ in range(20):
        swapped = under_fresh_ids(backend, persons.mutate(first=persons.person_id == ibis.literal(0)), stays)
        who, days = (table.to_pandas() for table in swapped[:2])
        ids.add(int(who.person_id[who["first"]].iloc[0]))
        assert sorted(who.person_id) == sorted(set(days.person_id)) == list(range(60))
    assert len(ids) > 10 and max(ids) > 30  # by chance never: less than once in 10^9


def _own_rows(curator: Curator, plan: Plan) -> tuple[pd.DataFrame, pd.DataFrame]:
    with curator._backend() as backend:  # pyright: ignore[reportPrivateUsage]
        tables = curator._tables(backend, curator.plan(plan))  # pyright: ignore[reportPrivateUsage]
        persons, stays = (backend.to_pandas(table) for table in tables[:2])
    return persons, stays


def _lives(persons: pd.DataFrame, stays: pd.DataFrame) -> Counter[tuple[Any, ...]]:
    """Persons with all that they do, whatever their ids."""
    columns = [c for c in stays.columns if c != "person_id"]
    stays = stays.sort_values(["person_id", "day", "seq"])
    days = {k: tuple(map(tuple, t[columns].astype(str).to_numpy().tolist())) for k, t in stays.groupby("person_id")}
    people = persons[["person_id", "sex", "age_band", "worker", "home_zone", "work_zone"]].astype({"work_zone": str})
    return Counter((*row[1:], days.get(row[0], ())) for row in people.itertuples(index=False, name=None))


# ---------------------------------------------------------------- what is left behind


def test_the_spill_folder_is_private_and_gone_afterwards(
    curator: Curator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[int] = []

    def look(step: str) -> None:
        seen.extend(stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir())

    one_table = few(requests=FEW[:1])
    curator.measure(one_table, progress=look)
    assert set(seen) == {0o700} and not list(tmp_path.iterdir())
    curator.rows(one_table)
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
