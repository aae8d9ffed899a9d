"""flowkit: every event once in the table of its kind, its numbers plainly made up, and a real server that takes all of it."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import postgres_run
import pyarrow.parquet as pq
import pytest
from small_out import exported, rows, small
from smallrun import Run, synthmob
from tinyrecords import wrong

from synthmob.export.flowkit import KINDS

needs_server = pytest.mark.skipif(
    postgres_run.programs() is None, reason="needs PostgreSQL with PostGIS: apt-get install postgresql-15-postgis-3")


@pytest.fixture(scope="module")
def folder(exports: dict[str, Path]) -> Path:
    return exports["flowkit"]


def person(msisdn: str) -> int:
    text = bytes.fromhex(msisdn.removeprefix("\\x")).decode()
    assert len(text) == 32 and text.startswith("synthetic-person-")
    return int(text.removeprefix("synthetic-person-"))


@pytest.mark.parametrize(("kind", "name"), KINDS.items())
def test_every_event_is_in_the_table_of_its_kind(folder: Path, out: Path, kind: str, name: str) -> None:
    ours = rows(out, "events").query("kind == @kind").reset_index(drop=True)
    made = pd.read_csv(folder / f"{name}.csv")
    assert len(made) == len(ours) > 1_000
    assert (made["msisdn"].map(person) == ours["person_id"]).all()
    assert made["location_id"].equals(ours["site_id"])
    local = pd.to_datetime(made["datetime"]).dt.tz_convert("Europe/London").dt.tz_localize(None)
    assert (local == ours["time"]).all()
    if kind != "data":
        assert (made["outgoing"].map({True: "out", False: "in"}).fillna("") == ours["direction"].fillna("")).all()
        assert (made["msisdn_counterpart"].map(person) == ours["counterpart_id"]).all()
    else:
        np.testing.assert_array_equal(made["volume_total"], ours["volume_kb"] * 1_000)
    if kind != "sms":
        np.testing.assert_array_equal(made["duration"], ours["duration_s"])


def test_ids_say_that_they_are_made_up_and_are_there_once(folder: Path, out: Path) -> None:
    ids = pd.concat([pd.read_csv(folder / f"{name}.csv")["id"] for name in KINDS.values()])
    assert sorted(ids) == [f"synthetic-{k:012d}" for k in range(len(rows(out, "events")))]


def test_events_of_no_kind_of_flowkits_are_left_out_and_counted(out: Path, tmp_path: Path) -> None:
    odd = small(out, tmp_path / "out", persons=20, block=20)
    path = odd / "events" / "part-00000.parquet"
    events = pq.read_table(path).to_pandas()
    events.loc[:2, "kind"] = "other"
    pq.write_table(pq.read_table(path).set_column(4, "kind", [events["kind"]]), path)
    note = (exported(odd, tmp_path, "flowkit") / "export.json").read_text()
    assert "3 events of no kind that FlowKit knows were left out." in note


def test_an_out_without_events_is_refused(run: Run, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silent = small(out, tmp_path / "out", persons=20, block=20)
    shutil.rmtree(silent / "events")
    assert synthmob("export", silent, "--to", "flowkit", "-o", tmp_path / "x") == 2
    assert "has no events: generate it with --events" in wrong(capsys) and not (tmp_path / "x").exists()


def test_an_event_outside_the_period_is_refused(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    late = small(out, tmp_path / "out", persons=20, block=20)
    path = late / "events" / "part-00000.parquet"
    events = pq.read_table(path)
    pq.write_table(events.set_column(1, "time", [events["time"].to_pandas() + pd.Timedelta(days=3)]), path)
    assert synthmob("export", late, "--to", "flowkit", "-o", tmp_path / "x") == 2
    assert "an event outside the days of its period" in wrong(capsys) and not (tmp_path / "x").exists()


def test_days_of_another_clock_are_other_partitions(folder: Path, out: Path, tmp_path: Path) -> None:
    def days(where: Path) -> list[str]:
        return re.findall(r"CREATE TABLE events\.calls_(\d+)", (where / "load.sql").read_text())

    assert days(folder) == ["20260306", "20260307"]
    assert days(exported(out, tmp_path, "flowkit", timezone="Asia/Tokyo")) == ["20260305", "20260306", "20260307"]


@pytest.fixture
def server() -> Iterator[postgres_run.Server]:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        with postgres_run.server(Path(place) / "server") as found:
            yield found


@pytest.mark.slow
@needs_server
def test_a_file_cut_short_between_two_lines_leaves_nothing(folder: Path, server: postgres_run.Server) -> None:
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        place = Path(shutil.copytree(folder, Path(top) / "flowkit"))
        content = (place / "mds.csv").read_bytes()
        (place / "mds.csv").write_bytes(content[: content.index(b"\n", len(content) // 2) + 1])
        done = server.psql("-f", "load.sql", cwd=place)
    assert done.returncode != 0 and "mds.csv is not whole" in done.stderr
    assert server.asked("select count(*) from pg_tables where schemaname = 'events'") == [["0"]]


@pytest.mark.slow
@needs_server
def test_a_server_takes_every_row_and_no_day_twice(folder: Path, out: Path, server: postgres_run.Server) -> None:
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        place = Path(shutil.copytree(folder, Path(top) / "flowkit"))
        done = server.psql("-f", "load.sql", cwd=place)
        assert done.returncode == 0, done.stderr
        again = server.psql("-f", "load.sql", cwd=place)
        assert again.returncode != 0 and "already exists" in again.stderr
    events = rows(out, "events")
    for kind, name in KINDS.items():
        assert server.asked(f"select count(*) from events.{name}") == [[str((events["kind"] == kind).sum())]]
    placed = "select count(*) from events.calls e join infrastructure.cells c on e.location_id = c.id where c.geom_point is not null"
    assert server.asked(placed) == [[str(int(events.query("kind == 'call'")["site_id"].notna().sum()))]]
    most = events.query("kind == 'call'").groupby("person_id").size()
    found = server.asked("select encode(msisdn, 'escape'), count(*) from events.calls group by 1 order by 2 desc, 1 limit 1")
    assert found == [[f"synthetic-person-{most[most == most.max()].index.min():015d}", str(most.max())]]
    assert server.asked("select count(*) from events.mds_20260306")[0][0] == str(
        int(((events["kind"] == "data") & (events["time"] < "2026-03-07")).sum()))
