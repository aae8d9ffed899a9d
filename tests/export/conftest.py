"""A small OUT folder, and every export of it, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_out import PERSONS, exported
from smallrun import DAYS, Run, synthmob

from synthmob.export.formats import EXPORTERS


@pytest.fixture(scope="session")
def out(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,200 people in one block, with what their phones do."""
    target = tmp_path_factory.mktemp("small") / "out"
    assert synthmob("generate", run.model, "--persons", PERSONS, "--days", DAYS, "--seed", 1, "--events", "-o", target) == 0
    return target


@pytest.fixture(scope="session")
def exports(out: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of every export that needs no server; tests read them."""
    top = tmp_path_factory.mktemp("exports")
    return {name: exported(out, top, name) for name in EXPORTERS}
