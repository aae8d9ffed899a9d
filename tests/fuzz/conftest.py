"""Right inputs, made once, and a clock for wrong ones."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any, NoReturn

import fuzz_bases
import pytest
from fuzz_cases import TookTooLongError

SECONDS = 30
"""A reader that waits for a pipe waits for ever; one on a busy machine does not."""


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> fuzz_bases.Bases:
    """One of everything, right."""
    return fuzz_bases.make(tmp_path_factory.mktemp("fuzz") / "bases")


@pytest.fixture(autouse=True)
def clock(request: pytest.FixtureRequest) -> Iterator[None]:
    """Ends a test that hangs in Python's own code or in a system call."""

    def alarm(*_: Any) -> NoReturn:
        raise TookTooLongError(request.node.nodeid)

    before = signal.signal(signal.SIGALRM, alarm)
    signal.alarm(SECONDS * (10 if "fuzz" in request.node.name else 1))
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
