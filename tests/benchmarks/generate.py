"""Time and memory of `generate` as tables: `uv run python tests/benchmarks/generate.py MODEL`.

First generating and writing a block at a time against pyarrow writing the same tables out of memory, with its defaults and zstd at level 1,
and with our encodings: CPU seconds, interleaved, the median of rounds. Then whole runs, each a process of its own, so that its peak memory
is its own; the kernel is compiled before the clock starts, and `alone` is the time of the thread that no other worker can share.
`--large` adds a million persons for a week and ten million for a day.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from peak import peak_gb

from synthmob import manifest, modelfile
from synthmob.synthesis import allocation, writer
from synthmob.synthesis.days import Population, generate
from synthmob.synthesis.writer import write

CASES = ((100_000, 1, 1), (200_000, 1, 1), (200_000, 7, 1), (200_000, 7, 2), (200_000, 28, 2))
LARGE = ((1_000_000, 7, 2), (10_000_000, 1, 2))
"""Persons, days, workers."""
LIMIT_GB = 1.0
ROUNDS, DAYS = 7, 7
DEFAULT_MOST, OURS_MOST = 0.7, 1.5


def measured(model: Path, persons: int, days: int, workers: int) -> dict[str, float | str]:
    """One generation, in this process."""
    people = generate(modelfile.load(model), n_persons=persons, days=days, seed=1).prepare()
    _ = writer._tables_of(people, None, 0)
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu, alone = time.perf_counter(), time.process_time(), time.thread_time()
        out = write(people, Path(folder) / "out", workers=workers)
        wall, cpu, alone = time.perf_counter() - wall, time.process_time() - cpu, time.thread_time() - alone
        files = [out / "persons.parquet", *(out / "stays").iterdir(), *(out / "trips").iterdir()]
        rows = sum(pq.read_metadata(file).num_rows for file in files)
        size, digest = sum(file.stat().st_size for file in files), manifest.digest(out)
    peak = peak_gb()
    return {"rows": rows, "wall": wall, "cpu": cpu, "alone": alone, "peak": peak, "bytes": size / rows, "digest": digest}


def cpu_s(what: Callable[[], object]) -> float:
    """CPU seconds of all threads of this process."""
    before = time.process_time()
    what()
    return time.process_time() - before


def against_pyarrow(model: Path, folder: Path) -> dict[str, float]:
    """CPU seconds a block of a week: made, made and written, and its tables written by pyarrow alone in two ways."""
    allocation.keep_freed()
    people: Population = generate(modelfile.load(model), n_persons=1_000_000, days=DAYS, seed=1).prepare()
    made = writer._tables_of(people, None, 0)
    names = ("persons", "stays", "trips")

    def ours(tables: tuple[object, ...]) -> None:
        for name, table in zip(names, tables, strict=True):
            with writer._file(folder / f"{name}.parquet", table.schema) as file:
                file.write_table(table, row_group_size=table.num_rows)

    def default() -> None:
        for name, table in zip(names, made, strict=True):
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd", compression_level=1)

    ways = {
        "made": lambda: writer._tables_of(people, None, 1), "made and written": lambda: ours(writer._tables_of(people, None, 1)),
        "pyarrow, its defaults": default, "pyarrow, our encodings": lambda: ours(made)}  # fmt: skip
    seen: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS + 1):
        for name, way in ways.items():
            took = cpu_s(way)
            if turn:
                seen[name].append(took)
    rows = sum(table.num_rows for table in made)
    return {"rows": float(rows)} | {name: statistics.median(values) for name, values in seen.items()}


def show_ratios(found: dict[str, float]) -> bool:
    """Print the comparison; whether both ratios are what they should be."""
    rows, whole = found.pop("rows"), found["made and written"]
    print(f"{'a block of a week':<24} {'CPU ms':>8} {'M rows/CPU s':>13} {'ratio':>6}")
    for name, took in found.items():
        print(f"{name:<24} {took * 1e3:>8.1f} {rows / took / 1e6:>13.2f} {whole / took:>6.2f}")
    return whole <= DEFAULT_MOST * found["pyarrow, its defaults"] and whole <= OURS_MOST * found["pyarrow, our encodings"]


def main() -> int:
    """Print the tables; 1 where a ratio or a peak is above what it may be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--case", type=int, nargs=3, metavar=("PERSONS", "DAYS", "WORKERS"), help="one case, as JSON")
    parser.add_argument("--large", action="store_true", help="the large cases too")
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(measured(asked.model, *asked.case)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        good = show_ratios(against_pyarrow(asked.model, Path(folder)))
    print(f"{'persons':>10} {'days':>4} {'workers':>7} {'rows':>12} {'wall s':>7} {'CPU s':>7} {'alone s':>7} {'M rows/CPU s':>12} "
          f"{'bytes/row':>9} {'peak GB':>7}  sha256")  # fmt: skip
    worst = 0.0
    for persons, days, workers in (*CASES, *(LARGE if asked.large else ())):
        words = [sys.executable, __file__, str(asked.model), "--case", str(persons), str(days), str(workers)]
        found = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        worst = max(worst, found["peak"])
        rate, alone = found["rows"] / found["cpu"] / 1e6, found["alone"]
        print(f"{persons:>10,} {days:>4} {workers:>7} {found['rows']:>12,} {found['wall']:>7.1f} {found['cpu']:>7.1f} {alone:>7.2f} "
              f"{rate:>12.2f} {found['bytes']:>9.1f} {found['peak']:>7.2f}  {found['digest'][:16]}", flush=True)  # fmt: skip
    return int(worst > LIMIT_GB or not good)


if __name__ == "__main__":
    sys.exit(main())
