"""What privacy costs, metric by metric, as a table: `uv run python tests/benchmarks/privacy_cost.py RECORDS ZONES`.

Each column is a whole run (measure, fit, generate as many persons as there are subscribers, check --truth) at its epsilon; the
last two are the model's own error, without the noise and without the cut. Scores against the truth are confidential where the
records are: run it on records that are yours, or on a world (`--world N` in place of RECORDS ZONES).
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from synthmob import worlds
from synthmob.fidelity.compare import Fidelity
from synthmob.pipeline import checking, measurement, modelling
from synthmob.pipeline.measurement import Asked
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles
from synthmob.pipeline.spending import Account

DELTA = 1e-6
RUNS: tuple[tuple[str, float, int], ...] = (
    ("0.5", 0.5, 50), ("1", 1.0, 50), ("2", 2.0, 50), ("4", 4.0, 50), ("no noise", 1000.0, 50), ("nor cut", 1000.0, 1))
"""Heading, epsilon, smallest group."""


def one(records: RecordFiles, zones: ZoningFile, asked: Asked, persons: int, seed: int) -> Fidelity:
    """One run in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        top, days = Path(folder), records.period().days
        measurement.measure(
            records, zones, top / "release", asked, show=lambda _p, _c, _o: True, progress=lambda _t, _n: None,
            account=Account(top / "ledger.jsonl"))  # fmt: skip  (a study: its ledger goes with it)
        modelling.fit(top / "release", zones, top / "model")
        modelling.generate(top / "model", top / "out", persons=persons, days=days, seed=seed, workers=os.cpu_count() or 1)
        return checking.check_inside(records, zones, top / "out", second_opinion=False).fidelity


def arguments(what: str | None) -> argparse.ArgumentParser:
    """Which records: a folder of them with its zones, or a made-up operator."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("records", type=Path, nargs="?")
    parser.add_argument("zones", type=Path, nargs="?")
    parser.add_argument("--world", type=int, metavar="N", help="a made-up operator of N subscribers for a week")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def given(asked: argparse.Namespace, scratch: str) -> tuple[RecordFiles, ZoningFile]:
    """The records and zones that were asked for; a made-up operator's are written into `scratch`."""
    if not asked.world:
        return RecordFiles(asked.records), ZoningFile(asked.zones)
    folder = Path(scratch) / "records"
    worlds.london(asked.world, 7, asked.seed).write(folder, events=False)
    return RecordFiles(folder), ZoningFile(folder / "zones.geojson")


def main() -> None:
    """Print two tables: values beside floor and baseline, and ratios."""
    parser = arguments(__doc__)
    parser.add_argument("--persons", type=int, default=50_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        records, zones = given(asked, scratch)
        runs = [Asked(epsilon, DELTA, None, group, accepted=True) for _, epsilon, group in RUNS]
        found = [one(records, zones, run, asked.persons, asked.seed) for run in runs]
        print(f"{asked.persons:,} synthetic persons, {records.period().days} days, seed {asked.seed}")
    _table("value", found, ("floor", "baseline"))
    _table("ratio", found, ())


def _table(what: str, found: list[Fidelity], beside: tuple[str, ...]) -> None:
    heads = [heading for heading, _, _ in RUNS]
    print(f"\n| {what} | " + " | ".join([*heads, *beside]) + " |\n|" + " --- |" * (1 + len(heads) + len(beside)))
    for metric in found[0].metrics:
        cells = [getattr(run.metric(metric.name), what) for run in found]
        cells += [getattr(found[0].metric(metric.name), name) for name in beside]
        print(f"| {metric.name} | " + " | ".join(f"{value:.4g}" for value in cells) + " |")


if __name__ == "__main__":
    main()
