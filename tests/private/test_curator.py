"""What is measured: tables that the plan asks for, noisy, cut, and in a form that no record could have changed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from record_folder import CANARY, FEW, TOWN, few, people, subscriber, write
from strategies import FRIDAY_ON, MONDAY, Population

from synthmob.accounting import FIXED_POINT, compose
from synthmob.errors import PlanError, RecordError
from synthmob.marginals import Marginal
from synthmob.plan import Plan, Request
from synthmob.private.curator import Curator
from synthmob.release import Release
from synthmob.request import MODES


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Curator:
    """Half as many people who are alike, stay in two zones of which one has no shape, and are awake at night alone."""
    quiet = people(45, seed=2)
    persons = tuple({**row, "sex": "male", "age_band": "nonsense"} for row in quiet.persons)
    stays = tuple({**row, "zone_id": "z1" if row["seq"] % 2 else None, "purpose": "shop", "mode": "bus",
                   "start_min": row["start_min"] // 3, "end_min": row["end_min"] // 3} for row in quiet.stays)  # fmt: skip
    return Curator.of(write(tmp_path_factory.mktemp("others"), Population(persons, stays)), TOWN)


@pytest.fixture(scope="module")
def truth(curator: Curator) -> dict[str, Marginal]:
    """The exact counts of a few requests, contributions bounded as in a release."""
    return curator.truth(few(), bounds=True)


# ---------------------------------------------------------------- measure


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def release(curator: Curator, told: list[str]) -> Release:
    """The whole standard plan."""
    return curator.measure(Plan.standard(100.0, 1e-6, min_group=10), progress=told.append)


def test_all_that_the_plan_asks_for_is_released_and_nothing_else(curator: Curator, release: Release) -> None:
    plan = curator.plan(Plan.standard(100.0, 1e-6, min_group=10))
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
    release: Release, folder: Path, truth: dict[str, Marginal], tmp_path: Path
) -> None:
    release.save(tmp_path / "release")
    files = [path for path in (tmp_path / "release").rglob("*") if path.is_file()]
    assert len(files) == len(release.marginals) + 1
    for path in files:
        content = path.read_bytes()
        for secret in (CANARY, "subscriber-", str(folder), folder.name):
            assert secret.encode() not in content, path.name
    # A value equals the exact count once in 50,000 cells by chance; more than one in ten would be no chance.
    released, equal = 0, 0
    for name, exact in truth.items():
        found, known = release.marginals[name], dict(zip(exact.flat.tolist(), exact.values.tolist(), strict=True))
        pairs = zip(found.flat.tolist(), found.values.tolist(), strict=True)
        equal += sum(abs(known.get(cell, 0.0) - value) < 1e-9 for cell, value in pairs)
        released += len(found.values)
    assert released > 50 and equal <= released / 10


def test_noise_is_new_every_time(curator: Curator) -> None:
    plan = few(epsilon=50.0, requests=tuple(r for r in FEW if r.statistic in ("demographics", "home")))
    one, two = (curator.measure(plan).marginals["home@district"] for _ in range(2))
    both = np.intersect1d(one.flat, two.flat)
    assert len(both) >= 2
    assert one.values[np.isin(one.flat, both)].tolist() != two.values[np.isin(two.flat, both)].tolist()


def test_with_next_to_no_noise_a_release_is_the_bounded_truth(curator: Curator, truth: dict[str, Marginal]) -> None:
    release = curator.measure(few(epsilon=1e5, min_group=1))
    for name, found in release.marginals.items():
        exact = dict(zip(truth[name].flat.tolist(), truth[name].values.tolist(), strict=True))
        assert len(found.values) > 1 or name in MODES
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


@pytest.mark.parametrize("min_group", [10, 400])
def test_no_cell_under_the_group_and_two_sigma_is_published(curator: Curator, min_group: int) -> None:
    plan = few(epsilon=20.0, min_group=min_group, requests=FEW[:3])
    for found in curator.measure(plan).marginals.values():
        assert found.cut >= min_group + 2 * found.sigma
        assert (found.values >= found.cut).all()
        assert min_group < 400 or len(found.values) == 0  # there are ninety people


# ---------------------------------------------------------------- plans for the columns and days that there are


def test_what_the_columns_and_days_do_not_give_is_dropped_and_said(tmp_path: Path) -> None:
    where = write(tmp_path / "bare", people(20, MONDAY), drop=("sex", "mode"), period=MONDAY)
    curator = Curator.of(where, TOWN)
    plan = curator.plan(Plan.standard())
    assert plan.dropped[0] == "attribute sex" and "modes (no such column)" in plan.dropped
    assert "place_share (one day only)" in plan.dropped and "visitors@zone (one day only)" in plan.dropped
    assert plan.domain.attributes == ("age_band",) and plan.domain.sex == ("other",)
    assert not {"modes", "place_share", "visitors"} & {r.statistic for r in plan.requests}
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
    names = ("subscriber_id", "time", "zone_id")
    events = pd.DataFrame({name: [row[k] for row in moments] for k, name in enumerate(names)})
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
