"""A small OUT folder, and every export of it, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_out import exported, small
from smallrun import Run

from synthmob.export.formats import EXPORTERS


@pytest.fixture(scope="session")
def out(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,200 people in one block."""
    return small(run.out, tmp_path_factory.mktemp("small") / "out")


@pytest.fixture(scope="session")
def exports(out: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of every export that needs no server; tests read them."""
    top = tmp_path_factory.mktemp("exports")
    return {name: exported(out, top, name) for name in EXPORTERS}
