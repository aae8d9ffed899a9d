"""A run that is broken off leaves a whole OUT or one that says it is none, and ends, gone on with, in the bytes of an unbroken one."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import handmade
import handmade_usage
import killed
import pytest
from smallrun import synthmob

from synthmob import modelfile
from synthmob.errors import FormatError, InputError
from synthmob.pipeline import modelling
from synthmob.synthesis import days, unfinished
from synthmob.synthesis.days import generate
from synthmob.synthesis.events import EventOptions
from synthmob.synthesis.outfolder import check_out
from synthmob.synthesis.unfinished import BEGUN, PARTS, ROWS, beside
from synthmob.synthesis.writer import BLOCKS_A_PART, n_parts, write

PERSONS = 5 * BLOCKS_A_PART * 64 - 50
"""Five parts, the last of them not full."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "BLOCK", 64)
    monkeypatch.setattr("os.fsync", lambda _handle: None)  # a kill leaves what was written, synchronised or not


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return modelfile.save(handmade_usage.model(), tmp_path_factory.mktemp("model") / "model")


@pytest.fixture(scope="module")
def whole(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, bytes]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(days, "BLOCK", 64)
        out = tmp_path_factory.mktemp("whole") / "out"
        made(model, out)
        yield bytes_of(out)


def made(model: Path, out: Path, **more: Any) -> None:
    modelling.generate(model, out, **({"persons": PERSONS, "days": 2, "seed": 3} | more))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def stop_after(blocks: int) -> Callable[[int, int], None]:
    def told(written: int, persons: int) -> None:
        if written > blocks * 64:
            raise KeyboardInterrupt

    return told


def broken_off(model: Path, out: Path, after_blocks: int = 20, **more: Any) -> Path:
    """An OUT that was begun with --resume and interrupted."""
    with pytest.raises(KeyboardInterrupt):
        made(model, out, resume=True, progress=stop_after(after_blocks), **more)
    assert not out.exists() and (beside(out) / BEGUN).exists()
    return beside(out)


def parts_noted(folder: Path) -> set[int]:
    return {json.loads(line)["part"] for line in (folder / PARTS).read_text().splitlines()}


@pytest.mark.parametrize("workers", [1, 3])
def test_a_broken_off_run_goes_on_after_its_last_whole_part(model: Path, whole: dict[str, bytes], tmp_path: Path, workers: int) -> None:
    # Three threads that are at a part each have a whole one behind them when more than three parts' blocks are written.
    left = broken_off(model, tmp_path / "out", 24, workers=workers)
    kept = {part: (left / ROWS / f"stays/part-{part:05d}.parquet").stat().st_mtime_ns for part in parts_noted(left)}
    assert kept and len(kept) < 5
    told: list[tuple[int, int]] = []
    made(model, tmp_path / "out", resume=True, workers=workers, progress=lambda done, of: told.append((done, of)))
    assert bytes_of(tmp_path / "out") == whole and [p.name for p in tmp_path.iterdir()] == ["out"]
    assert all((tmp_path / f"out/stays/part-{part:05d}.parquet").stat().st_mtime_ns == at for part, at in kept.items())
    assert told[-1] == (PERSONS, PERSONS) and [done for done, _ in told] == sorted(done for done, _ in told)


def test_without_resume_nothing_is_left_and_everything_begins_anew(model: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        made(model, tmp_path / "out", progress=stop_after(20))
    assert list(tmp_path.iterdir()) == []
    broken_off(model, tmp_path / "out", seed=9)
    made(model, tmp_path / "out")
    assert bytes_of(tmp_path / "out") == whole and [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("at", [3, 12, 20, 29, 38, 47, 56, 60, 64, 68])
def test_killed_at_a_call_of_the_system(model: Path, whole: dict[str, bytes], tmp_path: Path, at: int) -> None:
    made(model, tmp_path / "out", persons=200, seed=8)
    earlier = bytes_of(tmp_path / "out")
    ending = killed.run(lambda: made(model, tmp_path / "out", workers=2), at=at)
    assert ending.killed or ending.well
    assert bytes_of(tmp_path / "out") in (earlier, whole)
    assert killed.run(lambda: made(model, tmp_path / "out", workers=2, resume=True), at=at // 2).killed
    assert bytes_of(tmp_path / "out") in (earlier, whole)
    made(model, tmp_path / "out", resume=True)
    assert bytes_of(tmp_path / "out") == whole and [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
def test_killed_at_any_call_of_the_system(model: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    at, well = 0, False
    while not well:
        at, out = at + 1, tmp_path / f"{at}" / "out"
        well = killed.run(lambda out=out: made(model, out), at=at).well
        assert well or not out.exists() or bytes_of(out) == whole
        made(model, out, resume=True)
        assert bytes_of(out) == whole and [p.name for p in out.parent.iterdir()] == ["out"]
    assert at > 60


def test_a_part_that_was_damaged_is_written_again(model: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    left = broken_off(model, tmp_path / "out", after_blocks=28)
    first, second = sorted(parts_noted(left))[:2]
    damaged, cut = left / ROWS / f"stays/part-{first:05d}.parquet", left / ROWS / f"trips/part-{second:05d}.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-300] + bytes(300))
    cut.write_bytes(cut.read_bytes()[:-1])
    (left / ROWS / "stays" / "part-00004.parquet").write_bytes(b"PAR1 of nobody's PAR1")
    made(model, tmp_path / "out", resume=True)
    assert bytes_of(tmp_path / "out") == whole


@pytest.mark.parametrize("spoil", [
    lambda text: text[:-20], lambda text: "", lambda text: "\x00" * 200 + "\n" + text, lambda text: text.replace("stays/part", "../part"),
    lambda text: text.replace("[", "{"), lambda text: text.replace('"part": 0', '"part": 1')])  # fmt: skip
def test_a_journal_that_is_not_whole_is_believed_as_far_as_it_is(
    model: Path, whole: dict[str, bytes], tmp_path: Path, spoil: Callable[[str], str]
) -> None:
    left = broken_off(model, tmp_path / "out")
    (left / PARTS).write_text(spoil((left / PARTS).read_text()))
    made(model, tmp_path / "out", resume=True)
    assert bytes_of(tmp_path / "out") == whole


@pytest.mark.parametrize(("more", "name"), [
    ({"seed": 4}, "seed 3"), ({"persons": PERSONS + 1}, f"parameters.persons {PERSONS}"), ({"days": 3}, r"parameters.days 2|period.days 2"),
    ({"events": EventOptions()}, "events none"),
])  # fmt: skip
def test_a_run_for_something_else_is_not_gone_on_with(
    model: Path, whole: dict[str, bytes], tmp_path: Path, more: dict[str, Any], name: str
) -> None:
    left = broken_off(model, tmp_path / "out")
    before = bytes_of(left)
    with pytest.raises(FormatError, match=f"begun with ({name}) and is now asked for with .*leave --resume out"):
        made(model, tmp_path / "out", resume=True, **more)
    assert bytes_of(left) == before
    made(model, tmp_path / "out", resume=True)
    assert bytes_of(tmp_path / "out") == whole


def test_a_run_of_another_model_is_not_gone_on_with(model: Path, tmp_path: Path) -> None:
    broken_off(model, tmp_path / "out")
    modelfile.save(handmade.model(), tmp_path / "model")
    with pytest.raises(FormatError, match=r"begun with inputs\.model\.sha256"):
        made(tmp_path / "model", tmp_path / "out", resume=True)
    with pytest.raises(InputError, match="name the model's folder among the inputs"):
        write(generate(handmade.model(), n_persons=10), tmp_path / "out", resume=True)


def test_events_and_weights_are_gone_on_with(model: Path, tmp_path: Path) -> None:
    (tmp_path / "census.csv").write_text("district,n\nwest,5000\neast,3000\n")
    more: dict[str, Any] = {"events": EventOptions(), "census": tmp_path / "census.csv", "workers": 2}
    made(model, tmp_path / "whole", **more)
    broken_off(model, tmp_path / "out", **more)
    made(model, tmp_path / "out", resume=True, **more)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "whole")
    assert "events/part-00004.parquet" in bytes_of(tmp_path / "out")
    (tmp_path / "census.csv").write_text("district,n\nwest,5000\neast,3001\n")
    broken_off(model, tmp_path / "other", **more)
    (tmp_path / "census.csv").write_text("district,n\nwest,5000\neast,3002\n")
    with pytest.raises(FormatError, match=r"begun with inputs\.census\.sha256"):
        made(model, tmp_path / "other", resume=True, **more)


def test_a_whole_out_is_left_as_it_is(model: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    made(model, tmp_path / "out")
    at = (tmp_path / "out" / "persons.parquet").stat().st_mtime_ns
    made(model, tmp_path / "out", resume=True)
    assert (tmp_path / "out" / "persons.parquet").stat().st_mtime_ns == at
    (tmp_path / "out" / "stays" / "part-00002.parquet").unlink()
    made(model, tmp_path / "out", resume=True)
    assert bytes_of(tmp_path / "out") == whole


def test_two_do_not_write_at_once(model: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), list[str]()

    def wait(written: int, persons: int) -> None:
        begun.set()
        go_on.wait(60)

    other = threading.Thread(target=lambda: ended.append(str(made(model, tmp_path / "out", progress=wait))))
    other.start()
    assert begun.wait(60)
    for resume in (False, True):
        with pytest.raises(InputError, match="is being written by another process: wait for it"):
            made(model, tmp_path / "out", resume=resume)
    go_on.set()
    other.join()
    assert ended and bytes_of(tmp_path / "out") == whole


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("resume", [False, True])
def test_signals_end_it_orderly(
    model: Path, whole: dict[str, bytes], tmp_path: Path, how: int, resume: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["generate", model, "--persons", PERSONS, "--days", 2, "--seed", 3, "--workers", 2, "-o", tmp_path / "out"]
    words += ["--resume"] if resume else []
    ending = killed.run(lambda: os._exit(synthmob(*words)), at=110, how=how)
    told = capfd.readouterr().err
    assert not ending.killed and told.count("\n") == 1 and not (tmp_path / "out").exists()
    if resume:
        assert "the same command goes on" in told and parts_noted(beside(tmp_path / "out"))
        assert synthmob(*words) == 0 and bytes_of(tmp_path / "out") == whole
    else:
        assert "nothing was left half-written" in told and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("resume", [False, True])
def test_no_room(model: Path, whole: dict[str, bytes], tmp_path: Path, resume: bool, capfd: pytest.CaptureFixture[str]) -> None:
    """A file may not grow beyond a limit, which the system says as it says that a disk is full."""
    words = ["generate", model, "--persons", PERSONS, "--days", 2, "--seed", 3, "-o", tmp_path / "out", *(["--resume"] if resume else [])]
    most = len(whole["stays/part-00000.parquet"]) - 100

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        os._exit(synthmob(*words))

    assert not killed.run(limited).killed
    told = capfd.readouterr().err
    assert told.startswith("synthmob: The system says") and told.count("\n") == 1
    assert not (tmp_path / "out").exists() and (resume or list(tmp_path.iterdir()) == [])
    assert synthmob(*words) == 0 and bytes_of(tmp_path / "out") == whole


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_and_one_that_is_read_only(
    model: Path, whole: dict[str, bytes], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["generate", model, "--persons", PERSONS, "--days", 2, "--seed", 3, "--resume", "-o", disk / "out"]
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", disk], check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let root mount")
    try:
        assert synthmob(*words) == 2 and "No space left on device" in capfd.readouterr().err
        assert not (disk / "out").exists() and parts_noted(beside(disk / "out"))
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert synthmob(*words) == 2 and "Read-only file system" in capfd.readouterr().err
        subprocess.run(["mount", "-o", "remount,rw,size=50m", disk], check=True)
        assert synthmob(*words) == 0 and bytes_of(disk / "out") == whole
    finally:
        subprocess.run(["umount", disk], check=True)


def test_where_nothing_can_be_written(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for place in (Path("/proc/out"), tmp_path / "file" / "out"):
        (tmp_path / "file").write_text("")
        assert synthmob("generate", model, "--persons", 10, "-o", place) == 2
        assert capfd.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("verb", ["check", "export", "pack", "verify", "report"])
def test_an_unfinished_out_is_refused(model: Path, tmp_path: Path, verb: str, capfd: pytest.CaptureFixture[str]) -> None:
    left = broken_off(model, tmp_path / "out")
    release = tmp_path / "release"
    release.mkdir()
    (release / "release.json").write_text("{}")
    for out in (tmp_path / "out", left, left / ROWS):
        words = {
            "check": ("check", release, out), "verify": ("verify", out), "report": ("report", out, "--release", release),
            "export": ("export", out, "--to", "kepler", "-o", tmp_path / "x"),
            "pack": ("pack", out, "--release", release, "-o", tmp_path / "x")}[verb]  # fmt: skip
        assert synthmob(*words) == 2
        told = capfd.readouterr().err
        assert "is incomplete" in told and told.count("\n") == 1, told
    with pytest.raises(FormatError, match="is incomplete"):
        check_out(tmp_path / "out")


def test_another_name_that_is_not_there_is_not_incomplete(model: Path, tmp_path: Path) -> None:
    broken_off(model, tmp_path / "out")
    unfinished.check_whole(tmp_path / "other")
    made(model, tmp_path / "whole")
    shutil.copytree(beside(tmp_path / "out"), beside(tmp_path / "whole"))
    unfinished.check_whole(tmp_path / "whole")  # a whole one is there, which another run was about to replace


@pytest.mark.parametrize(("n_days", "size"), [(1, 64), (8, 64), (9, 32), (16, 32), (17, 16), (366, 1)])
def test_many_days_make_small_blocks(n_days: int, size: int) -> None:
    people = generate(handmade.model(), n_persons=1_000, days=n_days)
    assert people.block_size == size and people.n_blocks == -(-1_000 // size) and n_parts(people) == -(-people.n_blocks // BLOCKS_A_PART)
