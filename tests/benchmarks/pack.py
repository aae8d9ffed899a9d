"""pack and verify on many persons: time, what the readers say, and tampering found: `uv run python tests/benchmarks/pack.py [PERSONS]`.

A made-up operator of 20,000 subscribers is measured at epsilon 1, a model is fitted, 100,000 persons are generated for three days and
packed. Then mlcroissant and frictionless read the first 20,000 rows of every table, and twenty times something is done to a copy of it:
a bit flipped in a random file, a file added or taken away. It prints what each of them found.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from smallrun import synthmob

from synthmob import worlds
from synthmob.dataset.layout import walk
from synthmob.errors import FormatError
from synthmob.pipeline.packing import faults, verify

PERSONS, DAYS, TRIES, SEED = 100_000, 3, 20, 7
CROISSANT = """
import mlcroissant, itertools
dataset = mlcroissant.Dataset("croissant.json")
issues = dataset.metadata.ctx.issues
print(f"  {len(issues.errors)} errors, {len(issues.warnings)} warnings, conforms to {dataset.metadata.ctx.conforms_to.value}")
for records in dataset.metadata.record_sets:
    n = sum(1 for _ in itertools.islice(dataset.records(records.uuid), 20_000))
    print(f"  {records.uuid}: {n:,} records loaded{' (and stopped)' if n == 20_000 else ''}")
"""
FRICTIONLESS = """
import frictionless
report = frictionless.Package("datapackage.json").validate(limit_rows=20_000)
print(f"  valid: {report.valid}, {len(report.tasks)} tasks, {report.stats['errors']} errors")
for task in report.tasks:
    print(f"  {task.name}: {task.stats['rows']:,} rows, {task.stats['fields']} fields, {task.stats['errors']} errors")
"""


def main(persons: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        worlds.london(20_000, DAYS, seed=1, h3_resolution=7).write(top / "records")
        zones, release, dataset = top / "records" / "zones.geojson", top / "release", top / "dataset"
        timed("measure", "measure", top / "records", "--zones", zones, "--epsilon", 1, "--delta", 1e-6, "--yes", "-o", release)
        timed("fit", "fit", release, "--zones", zones, "-o", top / "model")
        timed("generate", "generate", top / "model", "--persons", persons, "--days", DAYS, "--seed", 1, "--events", "-o", top / "out")
        timed("pack", "pack", top / "out", "--release", release, "-o", dataset, "--published", "2026-03-20", "--publisher", "A benchmark")
        timed("verify", "verify", dataset)
        size = sum((dataset / path).stat().st_size for path, _ in walk(dataset))
        print(f"{size / 1e6:.1f} MB in {len(list(walk(dataset)))} files")
        for name, code in (("mlcroissant", CROISSANT), ("frictionless", FRICTIONLESS)):
            started = time.perf_counter()
            print(name)
            subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=dataset, check=False)
            print(f"  {time.perf_counter() - started:.1f} s")
        tampered(dataset, top / "copy")


def timed(step: str, *words: object) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    if synthmob(*words) != 0:
        raise SystemExit(f"{step} failed")
    print(f"{step}: {time.perf_counter() - wall:.1f} s, {time.process_time() - cpu:.1f} s of processor time")


def tampered(dataset: Path, place: Path) -> None:
    """Do something to a copy, twenty times, and see whether it is found and the file named."""
    rng, found = random.Random(SEED), 0
    paths = [path for path, _ in walk(dataset)]
    shutil.copytree(dataset, place)
    for number in range(TRIES):
        path = rng.choice(paths)
        kind = ("bit", "bit", "bit", "extra", "missing")[number % 5]
        content = (place / path).read_bytes()
        if kind == "bit":
            bit = rng.randrange(8 * len(content))
            changed = bytearray(content)
            changed[bit // 8] ^= 1 << bit % 8
            (place / path).write_bytes(changed)
        elif kind == "missing":
            (place / path).unlink()
        else:
            path = f"{rng.randrange(10**6)}.txt"
            (place / path).write_text("")
        try:
            verify(place)
            told = "NOT FOUND"
        except FormatError as error:
            told = str(error).replace(str(place), "DATASET")
        found += path in told
        print(f"  {number + 1:2} {kind}: {told}")
        if kind == "extra":
            (place / path).unlink()
        else:
            (place / path).write_bytes(content)
    clean = faults(place) == []
    print(f"found and named: {found} of {TRIES}; nothing found once it was put back: {clean}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PERSONS)
