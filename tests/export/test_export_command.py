"""The command: whole or not at all, the same bytes whatever the blocks, one sentence for what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from small_out import exported, of_persons, rows, small
from smallrun import Run, synthmob
from tinyrecords import wrong

from synthmob.export.formats import EXPORTERS

NAMES = sorted(EXPORTERS)
COMMAND = "import sys; from synthmob.cli import main; sys.exit(main(sys.argv[1:]))"
LIMITED = ("import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
           "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, 1 << 14)); ")  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_exports_names_every_format_and_its_files(name: str) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "EXPORTS.md").read_text()
    line = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
    other_days = {file for file in EXPORTERS[name].holds if "_" in file and file[-10:-7].isdigit() and not file.endswith("_000.xml.gz")}
    for file in set(EXPORTERS[name].holds) - other_days - {"net.xml", "net.xml.gz"}:
        stem, _, ending = file.partition(".")
        assert f"`{file}`" in line or (f"`{stem}`" in line and f"`.{ending}`" in line), file


def test_the_command_prints_what_it_wrote(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synthmob("export", out, "--to", "skmob", "-o", tmp_path / "skmob") == 0
    said = dict(line.rsplit(": ", 1) for line in capsys.readouterr().out.splitlines())
    there = duckdb.sql(f"select count(*) from '{tmp_path}/skmob/trajectories.parquet'").fetchall()[0][0]
    assert said[str(tmp_path / "skmob" / "trajectories.parquet")] == f"{there:,} rows" and len(said) == 3


@pytest.mark.parametrize("name", NAMES)
def test_the_same_people_are_the_same_bytes_whatever_the_blocks(exports: dict[str, Path], out: Path, tmp_path: Path, name: str) -> None:
    again = contents(exported(out, tmp_path / "again", name))
    assert again == contents(exports[name])
    split = exported(small(out, tmp_path / "out", block=250), tmp_path / "split", name)
    for file, content in contents(split).items():
        if file == "trajectories.parquet":  # a row group a block
            assert pq.read_table(split / file).equals(pq.read_table(exports[name] / file))
        elif file != "manifest.json":  # it has the hashes of OUT's files
            assert content == again[file], file


def test_an_earlier_export_is_replaced_and_nothing_else(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("export", out, "--to", "skmob", "-o", tmp_path / "x")
    assert synthmob(*words) == 0 and synthmob(*words) == 0
    capsys.readouterr()
    for target in (out, tmp_path / "mine"):
        target.mkdir(exist_ok=True)
        (target / "notes.txt").write_text("mine")
        before = sorted(target.iterdir())
        assert (synthmob(*words[:-1], target) == 2 and "notes.txt" in wrong(capsys)) or target == out
        assert sorted(target.iterdir()) == before
        (target / "notes.txt").unlink()


BROKEN = {
    "no format": (("--to", "shapefile"), "There is no format 'shapefile': choose one of flowkit, gis, kepler, matsim"),
    "no zone of time": (("--to", "omx", "--timezone", "Mars/Olympus"), "timezone 'Mars/Olympus' is not known"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_wrong_word_is_one_sentence(out: Path, tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    words, sentence = BROKEN[case]
    assert synthmob("export", out, *words, "-o", tmp_path / "x") == 2
    assert sentence in wrong(capsys) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", ["nowhere", "release", "model"])
def test_what_generate_did_not_write_is_refused(run: Run, tmp_path: Path, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert synthmob("export", run.release.parent / source, "--to", "omx", "-o", tmp_path / "x") == 2
    assert wrong(capsys) and list(tmp_path.iterdir()) == []


def shuffled(out: Path) -> None:
    people = pq.read_table(out / "persons.parquet")
    pq.write_table(people.take(list(reversed(range(len(people))))), out / "persons.parquet", row_group_size=15)


def without_a_trip(out: Path) -> None:
    path = out / "trips" / "part-00000.parquet"
    table = pq.read_table(path)
    with pq.ParquetWriter(path, table.schema) as file:
        for part in (of_persons(table, 0, 15).slice(1), of_persons(table, 15, 30)):
            file.write_table(part)


def in_other_blocks(out: Path) -> None:
    path = out / "stays" / "part-00000.parquet"
    table = pq.read_table(path)
    with pq.ParquetWriter(path, table.schema) as file:
        for low, high in ((15, 30), (0, 15)):
            file.write_table(of_persons(table, low, high))


def without_stays(out: Path) -> None:
    path = out / "stays" / "part-00000.parquet"
    pq.write_table(of_persons(pq.read_table(path), 0, 15), path)


def without_people(out: Path) -> None:
    for path in out.rglob("*.parquet"):
        if path.name != "zones.parquet":
            pq.write_table(pq.read_table(path).slice(0, 0), path)


@pytest.mark.parametrize(("change", "sentence"), [
    (shuffled, "not numbered in order"), (without_a_trip, "no trip leads to"), (in_other_blocks, "away from that person"),
    (without_stays, "without their stays and trips"), (without_people, "has no persons")])  # fmt: skip
def test_an_out_that_was_rearranged_is_refused(out: Path, tmp_path: Path, change: object, sentence: str,
                                               capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    broken = small(out, tmp_path / "out", persons=30, block=15)
    change(broken)
    assert synthmob("export", broken, "--to", "kepler", "-o", tmp_path / "x") == 2
    assert sentence in wrong(capsys) and not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", [name if name in ("kepler", "omx") else pytest.param(name, marks=pytest.mark.slow) for name in NAMES])
def test_a_full_disk_leaves_nothing(out: Path, tmp_path: Path, name: str) -> None:
    """A limit on the size of a file stands in for the disk."""
    command = [sys.executable, "-c", LIMITED + COMMAND, "export", str(out), "--to", name, "-o", str(tmp_path / "x")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert done.stderr.startswith("synthmob: The system says") and done.stderr.count("\n") == 1, done.stderr


def test_an_interruption_leaves_nothing(run: Run, tmp_path: Path) -> None:
    words = ["export", str(run.out), "--to", "matsim", "-o", str(tmp_path / "x")]
    running = subprocess.Popen([sys.executable, "-c", COMMAND, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for _ in range(600):
        if any(path.stat().st_size for path in tmp_path.rglob("population_000.xml.gz")):
            break
        time.sleep(0.02)
    running.send_signal(2)
    told, err = running.communicate(timeout=60)
    assert (running.returncode, told, err) == (130, "", "synthmob: Interrupted: nothing was left half-written.\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_without_rights_is_one_sentence(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert synthmob("export", out, "--to", "omx", "-o", tmp_path / "locked" / "x") == 2
    assert "Permission denied" in wrong(capsys)


def test_a_large_out_is_read_a_block_at_a_time(run: Run, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    folder = exported(run.out, tmp_path, "skmob", progress=lambda done, people: told.append((done, people)))
    assert told == [(16_384, 40_000), (32_768, 40_000), (40_000, 40_000)]
    assert pq.ParquetFile(folder / "trajectories.parquet").num_row_groups == 3
    assert pq.read_metadata(folder / "trajectories.parquet").num_rows == rows(run.out, "stays").lon.notna().sum()
