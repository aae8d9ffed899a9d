"""Bugs planted in the real code, and the detectors that must find each; the shipped code is accused of nothing.

tests/benchmarks/planted_bugs.py prints the whole table; here are the parts of it that take seconds.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from audited_city import CITY, MONDAY, records
from benchmarks import planted_bugs
from benchmarks.planted_bugs import planted

from synthmob.audit import canary, mechanism, released
from synthmob.audit.evidence import Evidence
from synthmob.audit.planted import Planted, plant
from synthmob.counts import Contributions
from synthmob.domain import Domain
from synthmob.errors import BudgetError
from synthmob.pipeline import spending
from synthmob.pipeline.attacks import Attacks, Extent
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles
from synthmob.plan import Plan
from synthmob.private.curator import Curator, Sources, noisy_counts, noisy_tables, release_info
from synthmob.release import Release

SHIPPED = "none: the shipped code"
SUBSCRIBERS = 1_500
WANTED = ("demographics", "home@below", "home_work@district", "destinations@below", "od@district", "chains")
FEW = tuple(r for r in Plan.standard().requests if r.name in WANTED)
Exact = dict[str, tuple[np.ndarray, np.ndarray]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return records(tmp_path_factory.mktemp("real"), SUBSCRIBERS, without=("events",))


@pytest.fixture(scope="module")
def door(folder: Path) -> Curator:
    return Curator.of(folder, CITY)


@pytest.fixture(scope="module")
def plan(door: Curator) -> Plan:
    return door.plan(Plan(2.0, 1e-6, 10, FEW))


@pytest.fixture(scope="module")
def exact(door: Curator, plan: Plan) -> Exact:
    return door.exact(plan)


def _alarms(found: list[Evidence]) -> set[str]:
    return {e.name.split(".")[1] for e in found if e.passed is False}


# ---------------------------------------------------------------- noise and cut, from counts that are known


def _checked(exact: Exact, plan: Plan) -> list[Evidence]:
    at = mechanism.cells_to_measure(exact, plan, CITY, MONDAY)
    runs = [noisy_counts(plan, exact, at) for _ in range(3)]
    info = release_info(plan, CITY, MONDAY)
    releases = [Release(noisy_tables(plan, CITY, MONDAY, exact), info) for _ in range(4)]
    noise = mechanism.check(mechanism.noises(exact, at, runs, plan, CITY, MONDAY))
    return [*noise, released.cut(exact, releases), released.unnoised(exact, releases[0]), released.repeated(*releases[:2])]


@pytest.mark.parametrize(
    ("bug", "found"), [
        (SHIPPED, set()),
        ("sigma / 3", {"size", "shape"}),
        ("no noise", {"size", "shape", "sums", "cut", "unnoised", "repeated"}),
        ("noise seeded at every call", {"fresh", "repeated"}),
        ("threshold on the true count", {"cut"}),
        ("a total left exact", {"sums"})])  # fmt: skip
def test_bugs_of_the_noise_and_the_cut(bug: str, found: set[str], exact: Exact, plan: Plan) -> None:
    with planted(bug):
        alarms = _alarms(_checked(exact, plan))
    assert alarms >= found and bool(alarms) == bool(found)


# ---------------------------------------------------------------- bounds, by canaries


@dataclass(frozen=True)
class Canaries:
    """Planted subscribers, their files, and what they would add if nothing held them."""

    made: Planted
    everyone: Sources
    inside: Sources
    plan: Plan
    free: dict[str, Contributions]


@pytest.fixture(scope="module")
def canaries(door: Curator, tmp_path_factory: pytest.TempPathFactory) -> Canaries:
    top, plan = tmp_path_factory.mktemp("planted"), door.plan(Plan(0.5, 1e-6, 10, FEW))
    made = plant(3_000, CITY, MONDAY, Domain(), np.random.default_rng())
    everyone = Sources(made.write(top / "everyone", everyone=True))
    return Canaries(made, everyone, Sources(made.write(top / "inside")), plan, door.planted(plan, everyone, bounds=False))


@pytest.mark.parametrize(
    ("bug", "found"), [(SHIPPED, set()), ("contribution bound dropped", {"epsilon"}), ("no noise", {"epsilon", "auc"})])
def test_bugs_that_canaries_find(bug: str, found: set[str], door: Curator, canaries: Canaries, exact: Exact) -> None:
    """The counts of the records are bounded or not as the bug would have it: the attacker knows them either way."""
    rng, plan = np.random.default_rng(), canaries.plan
    with planted(bug):
        noisy = door.measure_raw(plan, canary.cells_touched(canaries.free), extra=canaries.inside)
        known = door.exact(plan) if "bound" in bug else exact
    scored = canary.scores(canaries.free, noisy, known, rng)
    alarms = _alarms(canary.evidence(canaries.made.inside, scored, rho=plan.rho, epsilon=0.5, delta=1e-6, rng=rng))
    assert alarms >= found and bool(alarms) == bool(found)


@pytest.mark.parametrize(
    ("bug", "found"), [(SHIPPED, set()), ("contribution bound dropped", {"bounds"}), ("contribution bound tenfold", {"bounds"})])
def test_bugs_of_the_bounds(bug: str, found: set[str], door: Curator, tmp_path: Path) -> None:
    made = plant(60, CITY, MONDAY, Domain(), np.random.default_rng(1))
    plan = door.plan(Plan(0.5, 1e-6, 10, tuple(r for r in FEW if r.statistic == "destinations")))
    with planted(bug):
        assert _alarms([mechanism.bounds(door.planted(plan, Sources(made.write(tmp_path, everyone=True))))]) == found


# ---------------------------------------------------------------- what is written down


def _released(folder: Path, scratch: Path, exact: Exact) -> list[Evidence]:
    door = Curator.of(folder, CITY)
    plan, zones = door.plan(Plan(2.0, 1e-6, 10, FEW)), ZoningFile(folder / "zones.geojson")
    return Attacks(RecordFiles(folder), zones, door, plan, Extent(), scratch, np.random.default_rng())._release(exact)


@pytest.mark.parametrize(
    ("bug", "found"), [(SHIPPED, set()), ("a table not in the ledger", {"accounts"}), ("the total told in the notes", {"exact"})])
def test_bugs_of_what_is_written_down(bug: str, found: set[str], folder: Path, exact: Exact, tmp_path: Path) -> None:
    with planted(bug):
        assert _alarms(_released(folder, tmp_path, exact)) == found


def test_measure_itself_refuses_a_table_that_its_ledger_has_not_paid(
    folder: Path, exact: Exact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The audit's row stands behind a check of the shipped code, which the bug takes away."""
    check = spending.check_paid
    planted_bugs.table_not_in_ledger(monkeypatch)
    monkeypatch.setattr(spending, "check_paid", check)
    with pytest.raises(BudgetError, match="its ledger has paid"):
        _released(folder, tmp_path, exact)


# ---------------------------------------------------------------- all of it


@pytest.mark.slow
def test_every_bug_is_found_and_the_shipped_code_is_not_accused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["planted_bugs.py", "--subscribers", "20000"])
    assert planted_bugs.main() == 0, capsys.readouterr().out
