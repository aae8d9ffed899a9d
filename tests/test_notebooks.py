"""The notebooks run from top to bottom, and each .ipynb is its py:percent source and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "notebooks").glob("*.py"))


def test_there_are_notebooks() -> None:
    assert SOURCES and {p.stem for p in SOURCES} == {p.stem for p in (ROOT / "notebooks").glob("*.ipynb")}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_notebook_is_its_source_without_outputs(source: Path) -> None:
    written, notebook = jupytext.read(source), jupytext.read(source.with_suffix(".ipynb"))
    assert [(c.cell_type, c.source) for c in notebook.cells] == [(c.cell_type, c.source) for c in written.cells]
    assert not [c for c in notebook.cells if c.cell_type == "code" and (c.outputs or c.execution_count)]


@pytest.mark.slow  # `.ci/run` runs two of them in a kernel, as their reader does
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_it_runs(source: Path, tmp_path: Path) -> None:
    said = {"cwd": tmp_path, "env": {**os.environ, "TMPDIR": str(tmp_path)}, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, source], timeout=400, check=False, **said)
    assert done.returncode == 0, done.stderr[-2000:]
