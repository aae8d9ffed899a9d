"""check: outside, against the release, by anyone; inside, against the truth, by the owner alone, confidential or paid for."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synthmob import manifest
from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.errors import CheckFailed, ZoningError
from synthmob.fidelity import quality
from synthmob.fidelity.compare import Fidelity, Tables, compare_inside, compare_published
from synthmob.fidelity.people import compare, tables_of
from synthmob.fidelity.uncertainty import LEVEL, Interval
from synthmob.pipeline.measurement import Asked, Progress, Show, Tell, agree
from synthmob.pipeline.places import ZoningFile, check_confidential, check_file, check_folder, write_result
from synthmob.pipeline.records import RecordFiles, enough_memory
from synthmob.pipeline.spending import Account, measured
from synthmob.plan import STANDARD, USAGE, Plan
from synthmob.release import Release
from synthmob.synthesis.outfolder import Out, open_out
from synthmob.synthesis.unfinished import check_whole
from synthmob.zones import Zoning

PERSONS_SCORED = 100_000
"""How many synthetic persons a third party's score looks at: they are in no order, so the first are as good as any."""
EPSILON, DELTA = 1.0, 1e-6


@dataclass(frozen=True)
class Published:
    """What scores that may be published have cost, the ledger's line, and the interval of every table's score."""

    epsilon: float
    delta: float
    rho: float
    ledger: Mapping[str, Any]
    intervals: Mapping[str, Interval]

    @property
    def headline(self) -> str:
        """The first line of every report."""
        return f"PUBLISHABLE: computed from noisy marginals of the records, which cost epsilon {self.epsilon:g} at delta {self.delta:g}"

    def as_json(self) -> dict[str, Any]:
        """The same as plain numbers, text and lists."""
        return {
            "epsilon": self.epsilon, "delta": self.delta, "rho": self.rho, "ledger": dict(self.ledger), "level": LEVEL,
            "interval": "where the score of a table against exact counts in its published cells lies",
            "intervals": {name: [found.low, found.high] for name, found in self.intervals.items()}}  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """A fidelity result, sdmetrics' scores of the persons table (None outside, or where it is not installed), and what publishing
    it has cost where noisy marginals of the records were measured for it."""

    fidelity: Fidelity
    sdmetrics: Mapping[str, float] | None = None
    published: Published | None = None

    def as_json(self) -> dict[str, Any]:
        """The result as plain numbers, text and lists; `report` reads it."""
        said = {**self.fidelity.as_json(), "sdmetrics": dict(self.sdmetrics) if self.sdmetrics is not None else None}
        return said if self.published is None else {**said, "headline": self.published.headline, "published": self.published.as_json()}


def check_outside(release: Path, out: Path, target: Path | None = None) -> Checked:
    """OUT against the release that its model was fitted on; the JSON result goes to `target`."""
    check_whole(out)
    check_folder(release, "release.json", "release")
    if target is not None:
        check_file(target)
    found = Checked(compare(Release.load(release), out))
    if target is not None:
        said = manifest.compose("check", {"kind": "outside"}, inputs={"release": release, "out": out}, packages=("duckdb",))
        write_result(found.as_json(), said, target)
    return found


def check_inside(
    records: RecordFiles, zones: ZoningFile, out: Path, target: Path | None = None, *, second_opinion: bool = True
) -> Checked:
    """OUT against the records: confidential, so `target` may lie in no folder that is made to be shipped.

    With `second_opinion` sdmetrics scores the persons too, where it is installed; importing it takes seconds.
    """
    if target is not None:
        check_file(target)
        check_confidential(target, out)
    zoning = zones.read()
    curator = records.curator(zoning)
    with tempfile.TemporaryDirectory(prefix="synthmob-") as scratch, enough_memory():
        backend = connect(memory_limit_gb=records.memory_limit_gb, temp_directory=scratch)
        try:
            synthetic = open_out(out, backend)
            _check_zones(synthetic, zoning, out, zones)
            domain = synthetic.domain or Domain()
            asked = STANDARD if synthetic.events is None else (*STANDARD, *USAGE)  # no event is read that nothing is compared with
            truth = Tables(*curator.rows(Plan(EPSILON, DELTA, requests=asked, domain=domain)))
            fidelity = compare_inside(truth, tables_of(synthetic), zoning, domain, curator.period, backend)
            made = backend.to_pyarrow(synthetic.persons.order_by("person_id").limit(PERSONS_SCORED))
        finally:
            backend.disconnect()
    scores = quality.quality(truth.persons.to_pandas(), made.to_pandas()) if second_opinion else None
    found = Checked(fidelity, scores)
    if target is not None:
        inputs = {"out": out, "zones": zones.path}
        said = manifest.compose("check", {"kind": "inside"}, inputs=inputs, packages=("duckdb", "sdmetrics"), confidential=True)
        write_result(found.as_json(), said, target)
    return found


def check_published(
    records: RecordFiles, zones: ZoningFile, out: Path, asked: Asked, target: Path | None = None, *,
    show: Show, progress: Progress, account: Account | None = None, tell: Tell,
) -> Checked:  # fmt: skip
    """OUT against noisy marginals of the records that are measured for this alone and never written: the result may be published.

    It spends from the ledger as `measure` does. No score is noised: all are computed from the marginals, with intervals.
    """
    if target is not None:
        check_file(target)
    pays, plan = account or Account(), asked.plan()
    pays.check(records)
    zoning = zones.read()
    curator = records.curator(zoning)
    with tempfile.TemporaryDirectory(prefix="synthmob-") as scratch, enough_memory():
        backend = connect(memory_limit_gb=records.memory_limit_gb, temp_directory=scratch)
        try:
            synthetic = open_out(out, backend)
            _check_zones(synthetic, zoning, out, zones)
            domain = synthetic.domain or Domain()
            concrete = curator.plan(replace(plan, domain=domain))
            purse = pays.purse(records, "check", concrete)
            agree(concrete, zoning, curator.period, purse, show)
            release = measured(curator, concrete, purse, lambda table: progress(table, len(concrete.requests)), tell)
            fidelity, intervals = compare_published(release, tables_of(synthetic), zoning, concrete.domain, curator.period, backend)
        finally:
            backend.disconnect()
    found = Checked(fidelity, published=Published(plan.epsilon, plan.delta, release.rho, release.info["ledger"], intervals))
    if target is not None:
        said = manifest.compose(
            "check", {"kind": "published", "epsilon": plan.epsilon, "delta": plan.delta}, inputs={"out": out, "zones": zones.path},
            packages=("opendp", "duckdb"), rho_spent=release.rho, ledger=release.info["ledger"])  # fmt: skip
        write_result(found.as_json(), said, target)
    return found


def _check_zones(synthetic: Out, zoning: Zoning, out: Path, zones: ZoningFile) -> None:
    if synthetic.zoning.ids != zoning.ids:
        raise ZoningError(f"{out} has other zones than {zones.path.name}: give the zoning of its release.")


def refuse_above(fidelity: Fidelity, most: float) -> None:
    """CheckFailed where a metric has a ratio above `most`."""
    over = sorted((found for found in fidelity.metrics if found.ratio > most), key=lambda found: -found.ratio)
    if over:
        raise CheckFailed(
            f"{len(over)} of {len(fidelity.metrics)} metrics have a ratio above {most:g}, the worst is {over[0].title!r} with "
            f"{over[0].ratio:.2f}: see the table.")
