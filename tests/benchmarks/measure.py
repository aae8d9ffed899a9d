"""Time, memory and spilled bytes of counting, beside hand-written SQL: `uv run python tests/benchmarks/measure.py --subscribers 20000`.

Tables of the standard plan, from stays and from events of a made-up operator, bounded in whole numbers: `measure` reads, judges,
codes and counts; the SQL (`measure_sql.py`), on the same DuckDB settings, only counts, and trusts the records. Both give the same counts,
which is looked at. `--pandas` counts a few of the tables, by a pandas program too (`measure_pandas.py`). Each line is a process of its
own, so that its peak memory is its own; the lines of a case take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import measure_pandas
import measure_sql
import pyarrow.parquet as pq
from peak import peak_gb

from synthmob import worlds
from synthmob.period import Period
from synthmob.plan import Plan
from synthmob.private.curator import Curator
from synthmob.zonefiles import read_zoning

MOST = 1.3


def plan_of(curator: Curator, few: bool) -> Plan:
    """The plan of the tables that are counted here."""
    plan, names = curator.plan(Plan.standard()), measure_pandas.TABLES if few else measure_sql.CELLS
    return replace(plan, requests=tuple(r for r in plan.requests if r.name in names))


def by(how: str, folder: Path, curator: Curator, plan: Plan, spill: str) -> dict[str, Any]:
    """The counts."""
    if how == "measure":
        return curator.exact(plan)
    if how == "pandas":
        return {name: (cells, counts) for name, cells, counts in measure_pandas.count(folder, curator, plan)}
    return {name: (cells, counts) for name, cells, counts in measure_sql.count(folder, curator, plan, curator.memory_limit_gb, spill)}


def counted(how: str, folder: Path, memory_gb: float | None, few: bool) -> dict[str, Any]:
    """One way of counting, in this process: seconds, peak memory, most bytes spilled, and a digest of the counts."""
    zoning = read_zoning(folder / "zones.geojson")
    curator = Curator.of(folder, zoning, Period.read(folder / "period.toml"), memory_limit_gb=memory_gb)
    with tempfile.TemporaryDirectory() as spill:
        tempfile.tempdir = spill
        most, done = [0], threading.Event()

        def watch() -> None:
            while not done.wait(0.1):
                sizes = [p.stat().st_size for p in Path(spill).rglob("*") if p.is_file()] if Path(spill).exists() else []
                most[0] = max(most[0], sum(sizes))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        wall, cpu = time.perf_counter(), time.process_time()
        found = by(how, folder, curator, plan_of(curator, few), spill)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        done.set()
        watcher.join()
    digest = {name: [len(cells), int(counts.sum()), int((cells * 31 + counts).sum())] for name, (cells, counts) in found.items()}
    peak = peak_gb()
    return {"wall": wall, "cpu": cpu, "peak": peak, "spilled": most[0] / 2**30, "digest": digest}


def main() -> int:
    """Print the table; 1 where measure takes more than it may, or counts otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--memory-limit-gb", type=float)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the records are kept, made there unless they are")
    parser.add_argument("--case", choices=("SQL", "measure", "pandas"), help="one line, as JSON")
    parser.add_argument("--pandas", action="store_true", help="a few tables alone, and by pandas too")
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(counted(asked.case, asked.folder, asked.memory_limit_gb, asked.pandas)))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch) / "records"
        if not (folder / "events.parquet").exists():
            worlds.london(asked.subscribers, asked.days).write(folder)
        n_stays, n_events = (pq.read_metadata(folder / f"{name}.parquet").num_rows for name in ("stays", "events"))
        print(f"{n_events:,} events and {n_stays:,} stays, {len(measure_pandas.TABLES if asked.pandas else measure_sql.CELLS)} tables, "
              f"memory limit {asked.memory_limit_gb or 'none'}, {asked.rounds} rounds")
        words = [sys.executable, __file__, "--folder", str(folder)]
        words += ["--memory-limit-gb", str(asked.memory_limit_gb)] if asked.memory_limit_gb else []
        words += ["--pandas"] if asked.pandas else []
        lines: dict[str, list[dict[str, Any]]] = {how: [] for how in ("SQL", "measure", "pandas")[: 3 if asked.pandas else 2]}
        for _ in range(asked.rounds):
            for how, found in lines.items():
                found.append(json.loads(subprocess.run([*words, "--case", how], stdout=subprocess.PIPE, text=True, check=True).stdout))
    print(f"{'':10} {'wall s':>8} {'CPU s':>8} {'peak GB':>8} {'spilled GB':>10}")
    for how, found in lines.items():
        middle = {name: statistics.median(line[name] for line in found) for name in ("wall", "cpu", "peak", "spilled")}
        print(f"{how:10} {middle['wall']:>8.1f} {middle['cpu']:>8.1f} {middle['peak']:>8.2f} {middle['spilled']:>10.2f}")
    ratio = statistics.median(m["cpu"] / s["cpu"] for s, m in zip(lines["SQL"], lines["measure"], strict=True))
    same = all(line["digest"] == lines["SQL"][0]["digest"] for found in lines.values() for line in found)
    for name in lines["SQL"][0]["digest"] if not same else ():
        print(name, *(found[0]["digest"][name] for found in lines.values()), "SQL, then measure: cells, their sum, a checksum")
    agree = "the same" if same else "NOT THE SAME"
    print(f"CPU of measure over that of the SQL: {ratio:.2f} (at most {MOST} is wanted); the counts are {agree}")
    return int(not same or ratio > MOST)


if __name__ == "__main__":
    sys.exit(main())
