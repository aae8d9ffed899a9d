"""The public comparison: a release and synthetic people, generated or written, and nothing private."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.fidelity.outside import compare_outside
from synthmob.fidelity.result import Fidelity
from synthmob.fidelity.sides import Tables
from synthmob.model.mobility import DEFAULT_PERIOD
from synthmob.period import Period
from synthmob.plan import domain_from
from synthmob.synthesis.days import Population
from synthmob.synthesis.outfolder import Out, open_out
from synthmob.synthesis.writer import write

if TYPE_CHECKING:
    from synthmob.release import Release


def compare(release: Release, people: Population | str | Path) -> Fidelity:
    """Every released table beside the same count of the synthetic people: a Population, or the OUT folder of one.

    A Population is generated into a temporary folder first, so its size does not matter.
    """
    with tempfile.TemporaryDirectory(prefix="synthmob-") as scratch, _written(people, Path(scratch)) as folder:
        backend = connect(temp_directory=scratch)
        try:
            out = open_out(folder, backend)
            period = Period.from_json(release.info["period"]) if "period" in release.info else out.period or DEFAULT_PERIOD
            plan = release.info.get("plan")
            domain = domain_from(plan.get("domain"), "release.json") if plan else out.domain or Domain()
            return compare_outside(release, tables_of(out), out.zoning, domain, period, backend)
        finally:
            backend.disconnect()


def tables_of(out: Out) -> Tables:
    """An OUT folder as one side of a comparison."""
    return Tables(out.persons, out.stays, out.events, 0 if out.period is None else out.period.days)


@contextmanager
def _written(people: Population | str | Path, scratch: Path) -> Generator[Path]:
    if isinstance(people, Population):
        yield write(people, scratch / "out", workers=2)
    else:
        yield Path(people)
