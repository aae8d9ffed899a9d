"""A small folder of records and its curator, made once a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from record_folder import TOWN, people, write

from synthmob.private.curator import Curator


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("records"), people())


@pytest.fixture(scope="module")
def curator(folder: Path) -> Curator:
    return Curator.of(folder, TOWN)
