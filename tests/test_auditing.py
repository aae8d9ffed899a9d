"""The audit as a whole, on a small made-up operator: what it writes, where it may write, and that it fails where something does."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import smallrun
from tinyrecords import wrong

from synthmob import manifest, worlds
from synthmob.audit import traces
from synthmob.audit.evidence import FAMILIES, Audit
from synthmob.errors import CheckFailed, ConfidentialError, FormatError
from synthmob.pipeline import auditing, tracing
from synthmob.pipeline.attacks import Extent
from synthmob.pipeline.measurement import Asked
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles
from synthmob.pipeline.twoprocesses import two_processes
from synthmob.release import Release

SMALL = Extent(people=1_000, canaries=200, canary_runs=1, trials={100: 3}, blind_trials=6, populations=1, traced=False)
ASKED = Asked(4.0, 1e-6, None, 10)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("operator") / "records"
    worlds.london(1_000, 1, seed=3, h3_resolution=6).write(folder, events=False)
    return folder


@pytest.fixture(scope="module")
def told() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture(scope="module")
def found(records: Path, told: list[tuple[str, int, int]], tmp_path_factory: pytest.TempPathFactory) -> tuple[Audit, Path]:
    target = tmp_path_factory.mktemp("audited") / "audit"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Extent, "of", staticmethod(lambda *, full: SMALL))
        audit = auditing.audit(
            RecordFiles(records), ZoningFile(records / "zones.geojson"), target, ASKED, full=False,
            progress=lambda *said: told.append(said))
    return audit, target


def test_every_family_says_something_and_the_shipped_code_passes(found: tuple[Audit, Path]) -> None:
    audit, _ = found
    assert {e.family for e in audit.evidence} == set(FAMILIES) - {"traces"}
    assert [e.title for e in audit.failed if e.family in ("mechanism", "traces", "canaries")] == []
    assert 0 <= audit.epsilon_lower_bound <= 4.0
    assert len({e.name for e in audit.evidence}) == len(audit.evidence)
    assert all(e.sentence.endswith((".", ".\n")) and len(e.sentence) < 600 for e in audit.evidence)


def test_the_folder_holds_the_result_the_page_and_a_manifest(found: tuple[Audit, Path], records: Path) -> None:
    audit, target = found
    assert {path.name for path in target.iterdir()} == {auditing.RESULT, auditing.PAGE, manifest.FILE}
    said = json.loads((target / auditing.RESULT).read_text(encoding="utf-8"))
    assert said["confidential"] is True and said["epsilon_lower_bound"] == audit.epsilon_lower_bound
    assert len(said["evidence"]) == len(audit.evidence)
    page = (target / auditing.PAGE).read_text(encoding="utf-8")
    assert "INSIDE, CONFIDENTIAL" in page and str(records) not in page
    assert manifest.read(target)["confidential"] is True


SEEDED_ONCE = """
import sys
import numpy as np
from synthmob.private import noise
chance = np.random.default_rng(7)
noise._gaussian = lambda counts, scale, workers: counts + np.rint(chance.normal(0.0, float(scale), len(counts))).astype(np.int64)
from synthmob.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The commands with noise that every process draws alike."""


@pytest.fixture
def tracer(records: Path, tmp_path: Path) -> tracing.Tracer:
    zones = ZoningFile(records / "zones.geojson")
    curator = RecordFiles(records).curator(zones.read())
    sample = curator.sample(curator.plan(ASKED.plan()), 500)
    return tracing.Tracer(sample.persons, sample.stays, curator.period, zones, tmp_path / "places")


def test_noise_that_every_process_draws_alike_is_found(tracer: tracing.Tracer) -> None:
    steps: list[str] = []
    seeded = two_processes(dataclasses.replace(tracer, program=(sys.executable, "-c", SEEDED_ONCE)), steps.append)
    assert not seeded.passed and seeded.n > 100 and len(steps) == 2


@pytest.mark.slow
def test_two_processes_of_the_shipped_code_share_nothing(tracer: tracing.Tracer) -> None:
    sound = two_processes(tracer, lambda _: None)
    assert sound.passed and sound.n > 100


@pytest.mark.slow
def test_a_planted_id_is_in_no_byte_that_the_commands_leave(tracer: tracing.Tracer) -> None:
    steps: list[str] = []
    rows = tracing.attack(tracer, steps.append)
    assert [row.value for row in rows] == [0.0, 0.0, 0.0] and all(row.passed for row in rows) and len(steps) > 12
    assert min(row.n for row in rows) > 100  # a measure that is broken off leaves one line
    # What was searched can be found: the records themselves hold the id.
    ids = pq.read_table(tracer.scratch / "text-records" / "subscribers.parquet")["subscriber_id"].to_pylist()
    secret = next(who for who in ids if who.startswith("canary"))
    assert traces.found_in_folder(tracer.scratch, traces.forms_of_text(secret)) != []


def test_progress_counts_stages(found: tuple[Audit, Path], told: list[tuple[str, int, int]]) -> None:
    numbers = [number for _, number, _ in told]
    assert numbers == sorted(numbers) and {stages for _, _, stages in told} == {max(numbers) + 1}


def test_nothing_is_spent_beside_the_records(found: tuple[Audit, Path], records: Path) -> None:
    assert [path.name for path in records.parent.iterdir()] == ["records"]


def test_an_audit_lies_in_nothing_that_is_shipped(run: smallrun.Run, records: Path) -> None:
    with pytest.raises(ConfidentialError, match="made to be shipped"):
        auditing.audit(
            RecordFiles(records), ZoningFile(records / "zones.geojson"), run.out / "audit", ASKED, full=False, progress=lambda *_: None)


def test_a_failed_result_is_an_exit_code_of_one(found: tuple[Audit, Path]) -> None:
    audit, _ = found
    passed = dataclasses.replace(audit, evidence=tuple(dataclasses.replace(e, passed=None, limit=None) for e in audit.evidence))
    auditing.refuse_failed(passed)
    bad = dataclasses.replace(audit.evidence[0], limit=0.0, passed=False)
    with pytest.raises(CheckFailed, match="did not pass") as error:
        auditing.refuse_failed(dataclasses.replace(passed, evidence=(*passed.evidence, bad)))
    assert error.value.exit_code == 1 and bad.title in str(error.value)


def test_a_world_is_of_a_releases_plan_and_size(run: smallrun.Run) -> None:
    release = Release.load(run.release)
    plan, size = auditing._plan_of(release, None), auditing._size_of(release)  # pyright: ignore[reportPrivateUsage]
    assert (plan.epsilon, plan.delta, plan.min_group) == (200.0, 1e-6, 10) and not plan.resolved
    assert abs(size - smallrun.SUBSCRIBERS) < 300
    assert np.isclose(plan.rho, release.info["privacy"]["rho"])


def test_a_release_without_a_claim_has_no_mechanism_to_attack(run: smallrun.Run) -> None:
    release = Release.load(run.release)
    public = Release(release.marginals, {**release.info, "privacy": {"claim": "none claimed"}})
    with pytest.raises(FormatError, match="claims no differential privacy"):
        auditing._plan_of(public, None)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("words", [
    (), ("RECORDS", "--epsilon", "1"), ("RECORDS", "--outside", "RELEASE"), ("RECORDS", "--zones", "Z", "--epsilon", "1")])  # fmt: skip
def test_an_audit_of_what_is_not_named_is_one_sentence(words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert smallrun.synthmob("audit", *words, "-o", tmp_path / "a") == 2
    assert "RECORDS" in wrong(capsys) and not (tmp_path / "a").exists()
