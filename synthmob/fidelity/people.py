"""The public comparison: a release and synthetic people, generated or written, and nothing private."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.errors import InputError
from synthmob.fidelity.intervals import LEVEL, CellIntervals, cell_intervals
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
            return compare_outside(release, tables_of(out), out.zoning, *_counted_in(release, out), backend)
        finally:
            backend.disconnect()


def intervals(
    release: Release, people: Sequence[Population | str | Path], level: float = LEVEL
) -> tuple[tuple[CellIntervals, ...], tuple[str, ...]]:
    """Where the exact counts behind a release lie, by populations of its model that differ in their seed; see `cell_intervals`."""
    if not people:
        raise InputError("Intervals need at least one synthetic population: give an OUT folder or a MODEL.")
    with tempfile.TemporaryDirectory(prefix="synthmob-") as scratch, ExitStack() as stack:
        folders = [stack.enter_context(_written(each, Path(scratch) / str(k))) for k, each in enumerate(people)]
        backend = connect(temp_directory=scratch)
        try:
            outs = [open_out(folder, backend) for folder in folders]
            domain, period = _counted_in(release, outs[0])
            return cell_intervals(release, [tables_of(out) for out in outs], outs[0].zoning, domain, period, backend, level)
        finally:
            backend.disconnect()


def _counted_in(release: Release, out: Out) -> tuple[Domain, Period]:
    """The categories and the days that a release was counted in; those of OUT where it does not say."""
    period = Period.from_json(release.info["period"]) if "period" in release.info else out.period or DEFAULT_PERIOD
    plan = release.info.get("plan")
    return domain_from(plan.get("domain"), "release.json") if plan else out.domain or Domain(), period


def tables_of(out: Out) -> Tables:
    """An OUT folder as one side of a comparison."""
    return Tables(out.persons, out.stays, out.events, 0 if out.period is None else out.period.days)


@contextmanager
def _written(people: Population | str | Path, scratch: Path) -> Generator[Path]:
    if isinstance(people, Population):
        scratch.mkdir(parents=True, exist_ok=True)
        yield write(people, scratch / "out", workers=2)
    else:
        yield Path(people)
