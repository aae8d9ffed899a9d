"""Time and memory of `generate` as a table: `uv run python tests/benchmarks/generate.py MODEL`.

Each line is a process of its own, so that its peak memory is its own; the kernel is compiled before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

from synthmob import manifest, modelfile
from synthmob.synthesis.days import generate
from synthmob.synthesis.writer import write

CASES = ((1_000_000, 1, 1), (1_000_000, 1, 2), (1_000_000, 7, 2))
"""Persons, days, workers."""
LIMIT_GB = 2.0
UNIT = 1024 * 1024 if sys.platform == "linux" else 1024 * 1024 * 1024


def measured(model: Path, persons: int, days: int, workers: int) -> dict[str, float | str]:
    """One generation, in this process."""
    people = generate(modelfile.load(model), n_persons=persons, days=days, seed=1).prepare()
    _ = people.block(0)
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        out = write(people, Path(folder) / "out", workers=workers)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        files = [out / "persons.parquet", *(out / "stays").iterdir(), *(out / "trips").iterdir()]
        rows = sum(pq.read_metadata(file).num_rows for file in files)
        size, digest = sum(file.stat().st_size for file in files), manifest.digest(out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT
    return {"rows": rows, "wall": wall, "cpu": cpu, "peak": peak, "bytes": size / rows, "digest": digest}


def main() -> int:
    """Print the table; 1 where a case takes more memory than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--case", type=int, nargs=3, metavar=("PERSONS", "DAYS", "WORKERS"), help="one case, as JSON")
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(measured(asked.model, *asked.case)))
        return 0
    print(f"{'persons':>10} {'days':>4} {'workers':>7} {'rows':>12} {'wall s':>7} {'CPU s':>7} {'M rows/CPU s':>12} "
          f"{'bytes/row':>9} {'peak GB':>7}  sha256")  # fmt: skip
    worst = 0.0
    for persons, days, workers in CASES:
        words = [sys.executable, __file__, str(asked.model), "--case", str(persons), str(days), str(workers)]
        found = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        worst = max(worst, found["peak"])
        rate = found["rows"] / found["cpu"] / 1e6
        print(f"{persons:>10,} {days:>4} {workers:>7} {found['rows']:>12,} {found['wall']:>7.1f} {found['cpu']:>7.1f} "
              f"{rate:>12.2f} {found['bytes']:>9.1f} {found['peak']:>7.2f}  {found['digest'][:16]}")  # fmt: skip
    return int(worst > LIMIT_GB)


if __name__ == "__main__":
    sys.exit(main())
