"""The boundary is a folder: with `synthmob/private` deleted, everything from a saved release to written output still runs.

Import contracts see imports, not data, and not what a string imports at run time. So the package is copied, the folder that sees
records is deleted from the copy, and every verb after `measure` runs there, to the same bytes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import smallrun

import synthmob

PACKAGE = Path(synthmob.__file__).resolve().parent
WRITING = (
    ("fit", "release", "--zones", "zones.geojson", "-o", "model"),
    ("generate", "model", "--persons", "4000", "--days", "2", "--seed", "7", "--workers", "2", "-o", "out"),
)
READING = (
    ("check", "release", "out", "-o", "check.json"),
    ("report", "out", "--release", "release", "--check", "check.json", "-o", "report.html"),
    ("export", "out", "--to", "gis", "-o", "gis"),
    ("pack", "out", "--release", "release", "-o", "dataset"),
    ("verify", "dataset"),
)
RUN_VERBS = """
import ast, sys
from hasty import hasty
from synthmob.cli import main
for verb in ast.literal_eval(sys.argv[1]):
    with hasty():
        code = main(verb)
    if code:
        sys.exit(code)
opened = [name for name in sys.modules if name.startswith("synthmob.private")]
sys.exit(f"{opened[0]} was imported" if opened else 0)
"""
PUBLIC_NAMES = """
import synthmob
print(synthmob.__file__)
for name in synthmob.__all__:
    getattr(synthmob, name)
import synthmob.private
"""


@pytest.fixture(scope="module")
def public(run: smallrun.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a release of a small made-up operator and its zoning, and no record."""
    folder = tmp_path_factory.mktemp("public")
    shutil.copytree(run.release, folder / "release")
    shutil.copy(run.zones, folder / "zones.geojson")
    return folder


@pytest.fixture(scope="module")
def outsider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to import from that holds the package without its private side; kernels that numba has compiled come along."""
    folder = tmp_path_factory.mktemp("outsider")
    shutil.copytree(PACKAGE, folder / "synthmob", ignore=shutil.ignore_patterns("*.pyc"))
    shutil.rmtree(folder / "synthmob" / "private")
    return folder


def python(script: str, arguments: Sequence[str], package: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), str(Path(__file__).parent)])}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False)


def run_verbs(verbs: tuple[tuple[str, ...], ...], public: Path, package: Path, folder: Path) -> None:
    """Run verbs by the package of one folder in another a folder that has the public things alone."""
    shutil.copytree(public, folder, dirs_exist_ok=True)
    done = python(RUN_VERBS, [repr(verbs)], package, folder)
    assert done.returncode == 0, done.stderr


def written(folder: Path) -> dict[str, bytes]:
    """The bytes of every file of the model and of the synthetic people."""
    files = (p for name in ("model", "out") for p in (folder / name).rglob("*"))
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files if p.is_file()}


def test_the_copy_has_no_private_side_and_all_public_names(outsider: Path, tmp_path: Path) -> None:
    done = python(PUBLIC_NAMES, [], outsider, tmp_path)
    assert Path(done.stdout.strip()).is_relative_to(outsider)
    assert done.stderr.strip().splitlines()[-1] == "ModuleNotFoundError: No module named 'synthmob.private'"


def test_from_a_release_to_a_report_without_the_private_side(public: Path, outsider: Path, tmp_path: Path) -> None:
    within, without = tmp_path / "within", tmp_path / "without"
    run_verbs(WRITING, public, PACKAGE.parent, within)
    run_verbs(WRITING + READING, public, outsider, without)
    made = written(without)
    assert {"out/persons.parquet", "out/stays/part-00000.parquet", "out/trips/part-00000.parquet"} <= set(made)
    assert made == written(within)
    assert "synthmob" in (without / "report.html").read_text(encoding="utf-8")
