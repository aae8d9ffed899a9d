"""An OUT made by the tasks of a Spark has the bytes of one made by threads, whatever the tasks and whatever befalls them."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import handmade_usage
import pytest
import spark_cluster
from smallrun import synthmob
from spark_cluster import java_children

from synthmob import modelfile
from synthmob.errors import FormatError, InputError
from synthmob.pipeline import cluster, modelling
from synthmob.pipeline.cluster import Made
from synthmob.pipeline.wanted import Wanted
from synthmob.synthesis.days import BLOCK
from synthmob.synthesis.events import EventOptions
from synthmob.synthesis.unfinished import ASIDES, PARTS, beside
from synthmob.synthesis.writer import BLOCKS_A_PART, write

pytest.importorskip("pyspark", reason="no pyspark: uv run --group spark pytest -m spark")
pytestmark = [pytest.mark.spark, pytest.mark.skipif(shutil.which("java") is None, reason="no Java: apt-get install default-jre-headless")]
PERSONS = 3 * BLOCKS_A_PART * BLOCK + 50
"""Four parts, the last of them of fifty persons."""
SPARK = "local[2]"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return modelfile.save(handmade_usage.model(), tmp_path_factory.mktemp("model") / "model")


@pytest.fixture(scope="module")
def whole(model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("whole") / "out"
    made(model, out, workers=2)
    return bytes_of(out)


def made(model: Path, out: Path, **more: Any) -> None:
    modelling.generate(model, out, **({"persons": PERSONS, "days": 1, "seed": 3} | more))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def written(model: Path, out: Path, engine: str, heard: Callable[[Made], None], **more: Any) -> None:
    """What `modelling.generate` does, by somebody who listens."""
    wanted = Wanted(model, PERSONS, 1, 3)
    people, network = wanted.people()
    with cluster.opened(engine, wanted, heard) as elsewhere:
        write(people, out, inputs=wanted.inputs(), origin=wanted.origin(), network=network, elsewhere=elsewhere, **more)


def python_workers() -> list[int]:
    """The processes in which tasks of ours are run: children of a daemon of pyspark that descends from this process."""
    above, daemons = {}, set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            pid, words = int(folder.name), (folder / "cmdline").read_bytes().split(b"\0")
            above[pid] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if b"pyspark.daemon" in words:
            daemons.add(pid)

    def ours(pid: int) -> bool:
        while pid in above:
            pid = above[pid]
            if pid == os.getpid():
                return True
        return False

    return [pid for pid in daemons if above.get(pid) in daemons and ours(pid)]


def test_the_bytes_are_those_of_threads_though_a_worker_was_killed(model: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    killed, done, heard = [], threading.Event(), []

    def kill() -> None:
        while not killed and not done.wait(0.001):
            if list(beside(tmp_path / "out").glob(f"{ASIDES}*/*/*")):
                for pid in python_workers():
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    written(model, tmp_path / "out", SPARK, heard.append)
    done.set()
    killer.join()
    assert killed and bytes_of(tmp_path / "out") == whole and [p.name for p in tmp_path.iterdir()] == ["out"]
    assert sorted(one.part for one in heard) == [0, 1, 2, 3]
    assert {path: size for one in heard for path, (size, _) in one.files.items()} == {
        name: len(content) for name, content in whole.items() if "/" in name}


def stop_after_a_part(written: int, _persons: int) -> None:
    if written > BLOCKS_A_PART * BLOCK:
        raise KeyboardInterrupt


def test_tasks_go_on_with_what_threads_have_left(model: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    out, heard = tmp_path / "out", []
    with pytest.raises(KeyboardInterrupt):
        made(model, out, resume=True, progress=stop_after_a_part)
    by_threads = (beside(out) / PARTS).read_text().count("\n")
    written(model, out, SPARK, heard.append, resume=True)
    assert 0 < by_threads < 4 and len(heard) <= 4 - by_threads
    assert bytes_of(out) == whole and [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
def test_a_run_on_spark_that_is_broken_off_leaves_what_is_asked_for(model: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        made(model, out, engine="local[1]", progress=stop_after_a_part)
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        made(model, out, engine="local[1]", progress=stop_after_a_part, resume=True)
    assert (beside(out) / PARTS).read_text().count("\n") in {1, 2, 3} and not out.exists()
    with pytest.raises(FormatError, match="was begun with seed 3 and is now asked for with 4"):
        made(model, out, seed=4, resume=True, engine="local[1]")
    made(model, out, resume=True)
    assert bytes_of(out) == whole and [p.name for p in tmp_path.iterdir()] == ["out"]


def test_workers_without_the_package_are_refused(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setenv("PYSPARK_PYTHON", str(bare))
    words = ("generate", model, "--persons", 10, "-o", tmp_path / "out")
    assert synthmob(*words, "--engine", SPARK) == 2
    said = capfd.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "The Python of the workers has no " in said.err
    assert [p.name for p in tmp_path.iterdir()] == ["python"]


@pytest.mark.parametrize("engine", ["spark://127.0.0.1:1", "spark://127.0.0.1", "spark://nobody.invalid:7077"])
def test_a_master_that_does_not_answer_is_refused_at_once(
    model: Path, tmp_path: Path, engine: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert synthmob("generate", model, "--persons", 10, "--engine", engine, "-o", tmp_path / "out") == 2
    said = capfd.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "No Spark master answers" in said.err and not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "local[3]", "local[*]"])
def test_the_number_of_tasks_changes_nothing(model: Path, whole: dict[str, bytes], tmp_path: Path, engine: str) -> None:
    made(model, tmp_path / "out", engine=engine)
    assert bytes_of(tmp_path / "out") == whole


@pytest.mark.slow
def test_events_and_weights_are_made_by_tasks_too(model: Path, tmp_path: Path) -> None:
    census = tmp_path / "census.csv"
    census.write_text("district_id,n\n" + "".join(f"{d},{1000 * (k + 1)}\n" for k, d in enumerate(districts(model))))
    more: dict[str, Any] = {"census": census, "events": EventOptions(sites_a_zone=2)}
    made(model, tmp_path / "one", workers=2, **more)
    made(model, tmp_path / "two", engine=SPARK, **more)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def districts(model: Path) -> tuple[str, ...]:
    return modelfile.load(model).zoning.level_labels("district")[:-1]


@pytest.mark.slow
def test_what_a_worker_cannot_write_is_said_in_a_sentence(model: Path, tmp_path: Path) -> None:
    def spoil(_made: Made) -> None:
        for folder in beside(tmp_path / "out").glob(f"{ASIDES}*"):
            shutil.rmtree(folder)

    with pytest.raises(InputError, match=r"(It does not see|Spark gave a part up after its last try \(FileNotFoundError: .*asides-)"):
        written(model, tmp_path / "out", "local[1]", spoil)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_cluster_whose_executor_is_killed_makes_the_same_bytes(
    model: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    killed: list[int] = []

    def kill(_made: Made) -> None:
        if not killed:
            killed.extend(java_children("CoarseGrainedExecutorBackend")[:1])
            os.kill(killed[0], signal.SIGKILL)

    with spark_cluster.running(workers=2) as master:
        written(model, tmp_path / "out", master, kill)
    assert killed and bytes_of(tmp_path / "out") == whole and [p.name for p in tmp_path.iterdir()] == ["out"]
    monkeypatch.setattr(cluster, "WORKER_S", 3.0)
    with spark_cluster.running(workers=0) as master:
        assert synthmob("generate", model, "--persons", 10, "--engine", master, "-o", tmp_path / "new") == 2
    said = capfd.readouterr()
    assert said.err.count("\n") == 1 and "has taken any work within 3 s" in said.err and [p.name for p in tmp_path.iterdir()] == ["out"]
