"""audit: attacks on a release of these records, and on what is made from it, by their owner; or the same on a made-up operator.

Inside, every number owes something to real people and no noise protects it: the result is confidential and lies in no folder that
is made to be shipped. Outside, the people are a world of the same plan and about the same size: that result may be shown to anyone.
"""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from synthmob import folders, manifest
from synthmob.audit.evidence import Audit
from synthmob.errors import CheckFailed, FormatError
from synthmob.pipeline import spending
from synthmob.pipeline.attacks import Attacks, Extent, Progress
from synthmob.pipeline.measurement import Asked, costs
from synthmob.pipeline.places import ZoningFile, check_confidential, check_folder
from synthmob.pipeline.records import RecordFiles, enough_memory
from synthmob.pipeline.spending import Account
from synthmob.plan import Plan, domain_from
from synthmob.release import Release

RESULT, PAGE = "audit.json", "privacy.html"
HOLDS = (PAGE, manifest.FILE)
KIND = "audit"
SIZED_BY = ("demographics", "home_by_group@district", "home@district")
"""Tables of a release whose total tells about how many subscribers there are."""
LEAST, MOST_IN_WORLD = 2_000, 200_000
WORLD_SEED = 31_415
ENTRY = "canaries.epsilon"


def audit(
    records: RecordFiles, zones: ZoningFile, target: Path, asked: Asked, *, full: bool, progress: Progress,
    account: Account | None = None,
) -> Audit:  # fmt: skip
    """Attack the records' own release and write audit.json and the privacy page, inside edition: confidential."""
    check_confidential(target)
    state = spending.kept(records, account or Account())
    ledger = state.as_json() if state is not None else None
    return _audited("inside", records, zones, target, asked.plan(), Extent.of(full=full), ledger, progress)


def audit_outside(release: Path, target: Path, *, full: bool, progress: Progress, plan_file: Path | None = None) -> Audit:
    """The same attacks on a made-up operator with the plan, the days and about the size of a release: for anyone's eyes."""
    from synthmob import worlds

    check_folder(release, "release.json", "release")
    seen = Release.load(release)
    plan, size = _plan_of(seen, plan_file), _size_of(seen)
    with tempfile.TemporaryDirectory(prefix="synthmob-") as folder:
        progress(f"a made-up operator of {size:,} subscribers", 0, 1)
        days = int(seen.info["period"]["days"])
        worlds.london(size, days, WORLD_SEED).write(Path(folder), events=False)
        records, zones = RecordFiles(Path(folder)), ZoningFile(Path(folder) / "zones.geojson")
        return _audited("outside", records, zones, target, plan, Extent.of(full=full), None, progress)


def refuse_failed(found: Audit) -> None:
    """CheckFailed where something did not pass."""
    if found.failed:
        names = ", ".join(e.title for e in found.failed[:3])
        raise CheckFailed(f"{len(found.failed)} of {len(found.evidence)} results of the audit did not pass ({names}): read {PAGE}.")


def _audited(
    kind: str, records: RecordFiles, zones: ZoningFile, target: Path, plan: Plan, extent: Extent, ledger: Mapping[str, Any] | None,
    progress: Progress,
) -> Audit:  # fmt: skip
    from synthmob.report.privacypage import privacy_page

    zoning = zones.read()
    curator = records.curator(zoning)
    with folders.written_aside(target.resolve(), KIND, RESULT, HOLDS) as work, enough_memory():
        concrete = curator.plan(plan)
        with tempfile.TemporaryDirectory(prefix="synthmob-") as scratch:
            attacks = Attacks(records, zones, curator, concrete, extent, Path(scratch), np.random.default_rng())
            evidence = attacks.evidence(progress)
        bound = next(e.value for e in evidence if e.name == ENTRY)
        claimed = {"epsilon": plan.epsilon, "delta": plan.delta, "rho": plan.rho}
        found = Audit(kind, claimed, bound, tuple(evidence), _about(kind, concrete, curator.period.days, extent))
        tables = [asdict(cost) for cost in costs(concrete, zoning, curator.period)]
        (work / RESULT).write_text(folders.json_text(found.as_json()), encoding="utf-8")
        page = privacy_page(found, plan=concrete, costs=tables, ledger=ledger, title="Privacy of synthetic mobility data")
        (work / PAGE).write_text(page, encoding="utf-8", newline="\n")
        manifest.write(_manifest(found, zones), work / manifest.FILE)
    return found


def _about(kind: str, plan: Plan, days: int, extent: Extent) -> dict[str, Any]:
    """What the audit was of, in public words; how many real people there are is not among them."""
    given = "RECORDS --zones ZONES" if kind == "inside" else "--outside RELEASE"
    everybody = extent.people is None
    command = f"synthmob audit {given} --epsilon {plan.epsilon:g} --delta {plan.delta:g}{' --full' if everybody else ''} -o DIR"
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(), "command": command,
        "people": "everybody" if everybody else f"a random sample of up to {extent.people:,}", "days": days,
        "canaries": extent.canaries * extent.canary_runs, "versions": manifest.versions(("synthmob", "opendp", "numpy", "duckdb"))}


def _manifest(found: Audit, zones: ZoningFile) -> dict[str, Any]:
    """Inside, the records are not even named."""
    confidential = found.kind == "inside"
    inputs = {"zones": zones.path} if confidential else {}
    return manifest.compose(
        "audit", {"kind": found.kind, **found.claimed}, inputs=inputs, packages=("opendp", "duckdb", "scipy"), confidential=confidential)


def _plan_of(release: Release, plan_file: Path | None) -> Plan:
    """The plan of a release, to be resolved over another zoning: its budget, its group size, its categories."""
    if not release.claims_privacy or "plan" not in release.info:
        raise FormatError("The release claims no differential privacy, so there is no mechanism to attack: give one that measure wrote.")
    said = release.info["plan"]
    privacy = release.info["privacy"]
    epsilon, delta, group = privacy["epsilon"], privacy["delta"], said.get("min_group")
    if plan_file is not None:
        return Plan.read(plan_file, epsilon, delta, min_group=group)
    return replace(Plan.standard(epsilon, delta, min_group=group), domain=domain_from(said.get("domain"), "release.json"))


def _size_of(release: Release) -> int:
    """About how many subscribers a release is of, by its own noisy tables, within what a world can be made of."""
    totals = [release.marginals[name].total for name in SIZED_BY if name in release.marginals]
    return int(min(max([*totals, LEAST]), MOST_IN_WORLD))
