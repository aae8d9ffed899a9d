"""Spoilt inputs of every kind: accepted with its laws kept, or refused in one sentence; never a traceback, a hang, a leftover.

tests/benchmarks/fuzz.py plays the same cases by the thousand, with an alarm and a watch on memory.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from fuzz_bases import Bases
from fuzz_cases import ACCEPTED, OUTCOMES, REFUSED, played
from fuzz_kinds import KINDS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CASES = {"release": 160, "published release": 60, "model": 100, "out": 30, "records, Parquet": 6, "records, CSV": 6}
OTHERS = 60


@pytest.mark.parametrize("name", KINDS)
def test_what_is_right_is_accepted(bases: Bases, tmp_path: Path, name: str) -> None:
    KINDS[name].use(bases[KINDS[name].base], bases)


@pytest.mark.parametrize("name", KINDS)
def test_fuzzed(bases: Bases, name: str) -> None:
    found: set[str] = set()

    @settings(max_examples=CASES.get(name, OTHERS), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=False))
    def play(rng: random.Random) -> None:
        with tempfile.TemporaryDirectory() as place:
            outcome, said = played(KINDS[name], rng, bases, Path(place))
        found.add(outcome)
        assert outcome in (ACCEPTED, REFUSED), said

    play()
    assert found <= set(OUTCOMES) and REFUSED in found
