"""One small run of everything: a made-up operator, its release, a model, and 40,000 synthetic people, by the command line."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

FRIDAY = datetime.date(2026, 3, 6)
SUBSCRIBERS, PERSONS, DAYS = 3_000, 40_000, 2
BUDGET = ("--epsilon", "200", "--delta", "1e-6", "--min-group", "10")


@dataclass(frozen=True)
class Run:
    """The folders of the run; tests read them and write elsewhere."""

    records: Path
    zones: Path
    release: Path
    model: Path
    out: Path

    @staticmethod
    def at(top: Path) -> Run:
        """A run in that folder."""
        return Run(top / "records", top / "records" / "zones.geojson", top / "release", top / "model", top / "out")


def synthmob(*words: object) -> int:
    """The exit code of a command."""
    from synthmob.cli import main

    return main([str(word) for word in words])


def made(top: Path) -> Run:
    """records -> measure -> fit -> generate, over a Friday and a Saturday; the fit is a hasty one."""
    from hasty import hasty

    from synthmob import worlds

    run = Run.at(top)
    worlds.london(SUBSCRIBERS, DAYS, seed=1, h3_resolution=6, first_day=FRIDAY).write(run.records)
    steps = (
        ("measure", run.records, "--zones", run.zones, *BUDGET, "--yes", "-o", run.release),
        ("fit", run.release, "--zones", run.zones, "-o", run.model),
        ("generate", run.model, "--persons", PERSONS, "--days", DAYS, "--seed", 1, "--workers", 2, "-o", run.out),
    )
    with hasty():
        for step in steps:
            assert synthmob(*step) == 0, step
    return run
