"""check: outside, against the release, by anyone; inside, against the truth, by the owner alone, confidential."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthmob import manifest
from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.errors import CheckFailed, ZoningError
from synthmob.fidelity import quality
from synthmob.fidelity.compare import Fidelity, Tables, compare_inside
from synthmob.fidelity.people import compare
from synthmob.pipeline.places import ZoningFile, check_confidential, check_file, check_folder, write_result
from synthmob.pipeline.records import RecordFiles, enough_memory
from synthmob.plan import Plan
from synthmob.release import Release
from synthmob.synthesis.outfolder import open_out

PERSONS_SCORED = 100_000
"""How many synthetic persons a third party's score looks at: they are in no order, so the first are as good as any."""
EPSILON, DELTA = 1.0, 1e-6


@dataclass(frozen=True)
class Checked:
    """A fidelity result, and sdmetrics' scores of the persons table: None outside, or where it is not installed."""

    fidelity: Fidelity
    sdmetrics: Mapping[str, float] | None = None

    def as_json(self) -> dict[str, Any]:
        """The result as plain numbers, text and lists; `report` reads it."""
        return {**self.fidelity.as_json(), "sdmetrics": dict(self.sdmetrics) if self.sdmetrics is not None else None}


def check_outside(release: Path, out: Path, target: Path | None = None) -> Checked:
    """OUT against the release that its model was fitted on; the JSON result goes to `target`."""
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
            if synthetic.zoning.ids != zoning.ids:
                raise ZoningError(f"{out} has other zones than {zones.path.name}: give the zoning of its release.")
            domain = synthetic.domain or Domain()
            truth = Tables(*curator.rows(Plan(EPSILON, DELTA, domain=domain)))
            fidelity = compare_inside(truth, Tables(synthetic.persons, synthetic.stays), zoning, domain, curator.period, backend)
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


def refuse_above(fidelity: Fidelity, most: float) -> None:
    """CheckFailed where a metric has a ratio above `most`."""
    over = sorted((found for found in fidelity.metrics if found.ratio > most), key=lambda found: -found.ratio)
    if over:
        raise CheckFailed(
            f"{len(over)} of {len(fidelity.metrics)} metrics have a ratio above {most:g}, the worst is {over[0].title!r} with "
            f"{over[0].ratio:.2f}: see the table.")
