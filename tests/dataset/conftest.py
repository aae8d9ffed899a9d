"""One small population and its dataset, made once."""

from __future__ import annotations

from pathlib import Path

import packed_run
import pytest
from smallrun import Run


@pytest.fixture(scope="session")
def out(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OUT of 300 persons in two parts: tests read it and write elsewhere."""
    return packed_run.small_out(run, tmp_path_factory.mktemp("population") / "out")


@pytest.fixture(scope="session")
def dataset(run: Run, out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its dataset: tests read it and write elsewhere."""
    return packed_run.packed(run, out, tmp_path_factory.mktemp("shipped") / "dataset")
