"""What all tests share: how hypothesis searches, and one small run of everything, made once."""

from __future__ import annotations

import fcntl
import os
import shutil

import pytest
import smallrun
from hypothesis import HealthCheck, settings

# A first call may compile a kernel or open a database: no deadline. The default search is the same every time, so that a test
# fails always or never; HYPOTHESIS_PROFILE=explore looks for new examples.
settings.register_profile("synthmob", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "synthmob"))


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> smallrun.Run:
    """Records, a release, a model and an OUT folder: tests read them and write elsewhere. All processes of a session share them, and
    the one that asks first makes them."""
    top = tmp_path_factory.getbasetemp()
    top = top.parent if "PYTEST_XDIST_WORKER" in os.environ else top
    with (top / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (top / "run.whole").exists():
            shutil.rmtree(top / "run", ignore_errors=True)
            smallrun.made(top / "run")
            (top / "run.whole").touch()
    return smallrun.Run.at(top / "run")


FIRST = ("test_pipeline.py", "test_ledger_crashes.py")
"""Makes what `run` says while nobody waits for it; forks hundreds of times, which takes the longer the more a process has in memory."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that should come first do."""
    items.sort(key=lambda item: FIRST.index(item.path.name) if item.path.name in FIRST else len(FIRST))
