"""Events by the command line, and the closed loop: what was generated is measured again as the records of an operator."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from closedloop import as_records
from smallrun import Run, synthmob

from synthmob import manifest
from synthmob.counts import STATISTICS, coded, count
from synthmob.engine import connect
from synthmob.errors import FormatError
from synthmob.plan import STANDARD, USAGE, Plan
from synthmob.private.curator import Curator
from synthmob.synthesis.events import STATEMENT
from synthmob.synthesis.outfolder import check_out, open_out
from synthmob.zonefiles import read_zoning

PERSONS, DAYS = 3_000, 2


@pytest.fixture(scope="module")
def out(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("phones") / "out"
    assert synthmob("generate", run.model, "--persons", PERSONS, "--days", DAYS, "--seed", 1, "--events", "-o", target) == 0
    return target


def test_events_stand_beside_stays_and_the_manifest_says_what_was_not_measured(out: Path) -> None:
    said = manifest.read(out)["events"]
    assert said["statement"] == STATEMENT and "nothing about a counterpart was measured" in STATEMENT
    assert (said["sites_a_zone"], said["neighbour_share"]) == (3, 0.02) and said["ties"]["decay"] == 2.0
    sites = pd.read_parquet(out / "sites.parquet")
    assert len(sites) == said["sites"] and sites["site_id"].is_unique
    events = pd.read_parquet(out / "events")
    assert set(events["site_id"].dropna()) <= set(sites["site_id"]) and set(events["person_id"]) <= set(range(PERSONS))
    check_out(out)


def test_stays_are_the_same_with_events_and_without(run: Run, out: Path, tmp_path: Path) -> None:
    assert synthmob("generate", run.model, "--persons", PERSONS, "--days", DAYS, "--seed", 1, "-o", tmp_path / "plain") == 0
    for part in ("persons.parquet", "stays/part-00000.parquet", "trips/part-00000.parquet"):
        assert (out / part).read_bytes() == (tmp_path / "plain" / part).read_bytes()
    assert not (tmp_path / "plain" / "events").exists()


def test_a_public_list_of_sites_serves(run: Run, out: Path, tmp_path: Path) -> None:
    listed = pd.read_parquet(out / "sites.parquet")[["site_id", "lon", "lat"]].iloc[::2]
    listed.to_csv(tmp_path / "sites.csv", index=False)
    words = ("generate", run.model, "--persons", 200, "--seed", 1, "--events", "--sites", tmp_path / "sites.csv", "--neighbour-share", 0)
    assert synthmob(*words, "-o", tmp_path / "out") == 0
    assert manifest.read(tmp_path / "out")["inputs"]["sites"]["name"] == "sites.csv"
    assert set(pd.read_parquet(tmp_path / "out" / "events")["site_id"].dropna()) <= set(listed["site_id"])


@pytest.mark.parametrize(("words", "says"), [
    (("--sites-a-zone", 2), "give --events too"),
    (("--events", "--sites", "a.csv", "--sites-a-zone", 2), "not both"),
    (("--events", "--sites", "a.csv"), "a.csv cannot be read as a list of sites"),
    (("--events", "--neighbour-share", 0.9), "give a number from 0 to 0.5"),
])  # fmt: skip
def test_what_cannot_be_asked_for_is_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[object, ...], says: str
) -> None:
    assert synthmob("generate", run.model, "--persons", 5, *words, "-o", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1 and not (tmp_path / "out").exists()


# ---------------------------------------------------------------- the closed loop


@pytest.fixture(scope="module")
def loop(run: Run, out: Path, tmp_path_factory: pytest.TempPathFactory) -> Curator:
    records = as_records(out, tmp_path_factory.mktemp("loop") / "records")
    return Curator.of(records, read_zoning(run.zones))


def test_homes_and_stays_come_back(loop: Curator, out: Path) -> None:
    """One weekday and a Saturday: homes come back, and so does where people are; work needs more days."""
    plan = loop.plan(Plan(1.0, 1e-6, requests=(*STANDARD, *USAGE)))
    with loop._backend() as backend:  # pyright: ignore[reportPrivateUsage]
        people, days, _ = loop._tables(backend, plan)  # pyright: ignore[reportPrivateUsage]
        found, stays = backend.to_pandas(people), backend.to_pandas(days)
    true = pd.read_parquet(out / "persons.parquet").set_index("person_id").loc[found["person_id"]]
    known = (found["home_zone"] != "unknown").to_numpy()
    assert known.mean() > 0.97 and (found["home_zone"].to_numpy() == true["home_zone"].to_numpy())[known].mean() > 0.97
    minutes = stays.assign(length=stays["end_min"] - stays["start_min"]).groupby("zone_id")["length"].sum()
    lived = duckdb.sql(
        f"SELECT coalesce(zone_id, 'outside') AS zone, sum(end_min - start_min) AS n FROM '{out}/stays/*.parquet' GROUP BY 1")
    wanted = lived.df().set_index("zone")["n"]
    both = pd.concat([minutes / minutes.sum(), wanted / wanted.sum()], axis=1).fillna(0)
    assert 0.5 * (both.iloc[:, 0] - both.iloc[:, 1]).abs().sum() < 0.05


def test_usage_comes_back_to_the_last_event(loop: Curator, out: Path) -> None:
    """The same code counts records and synthetic events: every table of usage is the same, to the float."""
    plan = loop.plan(Plan(1.0, 1e-6))
    found = loop.truth(plan)
    backend = connect(threads=2)
    made = open_out(out, backend)
    rows = coded(backend, made.persons, made.stays, made.zoning, plan.domain, loop.period, name="made", events=made.events)
    tables = [r for r in plan.requests if r.needs_columns]
    assert len(tables) == len([*USAGE])
    for r in tables:
        wanted = count(STATISTICS[r.statistic], rows, r.level, bound_l2=None, confidential=False)
        assert (found[r.name].flat == wanted.flat).all() and found[r.name].values == pytest.approx(wanted.values), r.name


def test_a_release_of_the_records_is_met_by_the_people_made_from_it(run: Run, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synthmob("check", run.release, out, "--json") == 0
    found = {f["name"]: f for f in json.loads(capsys.readouterr().out)["metrics"] if f["word"] == "usage"}
    assert {"events_per_day", "event_hours", "event_apps", "event_zones@district"} <= set(found)
    for name in ("events_per_day", "event_hours", "event_durations", "event_volumes", "event_directions", "event_zones@district"):
        assert found[name]["value"] < 0.12, (name, found[name])


def test_events_that_are_none_are_refused(out: Path, tmp_path: Path) -> None:
    import shutil

    spoilt = Path(shutil.copytree(out, tmp_path / "spoilt"))
    part = spoilt / "events" / "part-00000.parquet"
    faults = (("kind", "'telex'", "no kind"), ("person_id", "-1", "nobody"), ("zone_id", "'nowhere'", "no zone"),
              ("duration_s", "-5", "less"))  # fmt: skip
    for column, value, says in faults:
        duckdb.sql(f"COPY (SELECT * REPLACE ({value} AS {column}) FROM '{out}/events/*.parquet' LIMIT 50) TO '{part}'")
        with pytest.raises(FormatError, match=says):
            check_out(spoilt)
