"""What all tests share: how hypothesis searches, and one small run of everything, made once."""

from __future__ import annotations

import os

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
    """Records, a release, a model and an OUT folder: tests read them and write elsewhere."""
    return smallrun.made(tmp_path_factory.mktemp("run"))
