"""A task of a cluster, without the cluster: the part that a thread would make, however often, or one line that refuses it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import handmade
import pytest

from synthmob import modelfile
from synthmob.pipeline import clustertask
from synthmob.pipeline.wanted import Wanted
from synthmob.synthesis.unfinished import BEGUN, ROWS, Work
from synthmob.synthesis.writer import paths_of, write


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> Wanted:
    return Wanted(modelfile.save(handmade.model(), tmp_path_factory.mktemp("model") / "model"), persons=300, days=2, seed=5)


def begun(wanted: Wanted, folder: Path) -> Work:
    """An OUT on its way, as a driver would leave it to tasks."""
    work = Work(folder, {})
    for path in paths_of(None, 0):
        (work.rows / path).parent.mkdir(parents=True)
    (folder / BEGUN).write_text(json.dumps(wanted.manifest(*wanted.people())))
    return work


def test_a_part_has_the_bytes_of_a_thread_s_however_often_it_is_made(wanted: Wanted, tmp_path: Path) -> None:
    people, _ = wanted.people()
    out, work = write(people, tmp_path / "out"), begun(wanted, tmp_path / "begun")
    for asides in (work.asides(), work.asides()):
        line, = clustertask.make(wanted, work.folder, asides, [0])
        said = json.loads(line)
        assert said["part"] == 0 and list(said["files"]) == list(paths_of(None, 0)) and not list(asides.iterdir())
        for path, (size, _sha256) in said["files"].items():
            assert (work.rows / path).read_bytes() == (out / path).read_bytes() and (out / path).stat().st_size == size
    assert sorted(p.name for p in work.rows.rglob("*.*")) == ["part-00000.parquet"] * 2


def test_what_is_not_the_same_there_is_refused_in_a_line(wanted: Wanted, tmp_path: Path) -> None:
    work = begun(wanted, tmp_path / "begun")
    content = json.loads((work.folder / BEGUN).read_text())
    content["versions"]["numba"] = "0.1"
    (work.folder / BEGUN).write_text(json.dumps(content))
    asides = work.asides()
    line, = clustertask.make(wanted, work.folder, asides, [0])
    assert 'Asked for is versions.numba "0.1" and there it is' in json.loads(line)["refused"]
    assert not list((work.folder / ROWS).rglob("*.parquet")) and not list(asides.iterdir())
    line, = clustertask.make(wanted, tmp_path / "elsewhere", asides, [0])
    assert "It does not see" in json.loads(line)["refused"] and not (tmp_path / "elsewhere").exists()
    shutil.rmtree(asides)
    line, = clustertask.make(wanted, work.folder, asides, [0])
    assert "It does not see" in json.loads(line)["refused"]
