"""Time, memory and spilled bytes of counting, beside hand-written SQL: `uv run python tests/benchmarks/measure.py --subscribers 20000`.

A few tables of the standard plan, from stays and from events of a made-up operator, bounded in whole numbers: `measure` reads, judges,
codes and counts; the SQL, on the same DuckDB settings, only counts, and trusts the records. Both give the same counts, which is looked at.
Each line is a process of its own, so that its peak memory is its own; the lines of a case take turns.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthmob import worlds
from synthmob.domain import DAY_TYPES, KINDS
from synthmob.period import Period
from synthmob.plan import Plan
from synthmob.private.curator import Curator
from synthmob.zonefiles import read_zoning

TABLES = ("stays_per_day", "destinations@district", "od@district", "event_hours", "event_apps")
MOST = 1.3
UNIT = 1024 * 1024 if sys.platform == "linux" else 1024 * 1024 * 1024
CELLS = {
    "stays_per_day": "SELECT subscriber_id AS p, (day_type * 20 + least(n_stays, 20) - 1) AS cell, sum(1.0 / n_days)::DOUBLE AS w "
                     "FROM visits WHERE rank = 0 GROUP BY ALL",
    "destinations@district": "SELECT subscriber_id AS p, purpose * {areas} + area AS cell, sum(1.0 / all_days)::DOUBLE AS w "
                             "FROM visits WHERE purpose > 0 GROUP BY ALL",
    "od@district": "SELECT subscriber_id AS p, previous * {areas} + area AS cell, sum(1.0 / all_days)::DOUBLE AS w "
                   "FROM visits WHERE rank > 0 GROUP BY ALL",
    "event_hours": "SELECT subscriber_id AS p, kind * 24 + hour(time) AS cell, count(*) / (4.0 * {days}) AS w FROM used GROUP BY ALL",
    "event_apps": "SELECT used.subscriber_id AS p, (app * {sexes} + sex) * {ages} + age AS cell, count(*) / (8.0 * {days}) AS w "
                  "FROM used JOIN people USING (subscriber_id) WHERE kind = {data} GROUP BY ALL"}  # fmt: skip
BOUNDED = """
WITH cells AS ({cells}),
fine AS (SELECT p, cell, floor(greatest(least(w, 1.0), 0.0) * 1048576 + 1e-5)::BIGINT AS fine FROM cells),
normed AS (SELECT cell, fine, sqrt((sum(fine * fine) OVER (PARTITION BY p))::DOUBLE) AS norm FROM fine)
SELECT cell, sum(CASE WHEN norm <= {bound} * 1048576 * (1 + 1e-9) THEN fine // 1024
    ELSE floor(fine * ({bound} * 1024 * (1 - 1e-9)) / norm)::BIGINT END)::BIGINT AS total FROM normed GROUP BY cell ORDER BY cell"""


def plan_of(curator: Curator) -> Plan:
    """The plan of the tables that are counted here."""
    plan = curator.plan(Plan.standard())
    return replace(plan, requests=tuple(r for r in plan.requests if r.name in TABLES))


def by_sql(folder: Path, curator: Curator, memory_gb: float | None, spill: str) -> dict[str, Any]:
    """The counts by hand."""
    plan, connection = plan_of(curator), duckdb.connect()
    connection.execute(f"SET preserve_insertion_order=false; SET temp_directory='{spill}'")
    if memory_gb is not None:
        connection.execute(f"SET memory_limit='{memory_gb}GB'")
    zoning, domain, period = curator.zoning, plan.domain, curator.period
    zones = pa.table({"zone_id": list(zoning.labels), "area": np.asarray(zoning.parent_of("district"), dtype=np.int32)})
    connection.register("zones", zones)
    types = [period.day_types.index(DAY_TYPES[period.day_type(day)]) for day in range(period.days)]
    code: Callable[[str, Any], str] = lambda column, labels: f"coalesce(list_position({list(labels)}, {column}), {len(labels)}) - 1"  # noqa: E731
    connection.execute(f"CREATE TEMP VIEW people AS SELECT subscriber_id, {code('sex', domain.sex)} AS sex, "
                       f"{code('age_band', domain.age_band)} AS age FROM '{folder}/subscribers.parquet'")  # fmt: skip
    connection.execute(f"CREATE TEMP VIEW used AS SELECT subscriber_id, time, {code('kind', KINDS)} AS kind, "
                       f"{code('app', domain.apps)} AS app FROM '{folder}/events.parquet'")  # fmt: skip
    connection.execute(f"""CREATE TEMP TABLE visits AS SELECT *, count(*) FILTER (rank = 0) OVER (PARTITION BY subscriber_id) AS all_days,
        count(*) FILTER (rank = 0) OVER (PARTITION BY subscriber_id, day_type) AS n_days FROM (
        SELECT subscriber_id, day, {types}[day + 1] AS day_type, {code('purpose', domain.purposes)} AS purpose, area,
        row_number() OVER d - 1 AS rank, count(*) OVER (PARTITION BY subscriber_id, day) AS n_stays, lag(area) OVER d AS previous
        FROM '{folder}/stays.parquet' AS s
        JOIN zones ON zones.zone_id = coalesce(s.zone_id, 'outside') WINDOW d AS (PARTITION BY subscriber_id, day ORDER BY seq))""")
    said = {"areas": len(zoning.level_labels("district")), "days": period.days, "data": KINDS.index("data"), "sexes": len(domain.sex),
            "ages": len(domain.age_band)}  # fmt: skip
    found = {}
    for request in plan.requests:
        query = BOUNDED.format(cells=CELLS[request.name].format(**said), bound=f"{request.bound_l2!r}::DOUBLE")
        rows = connection.execute(query).fetchnumpy()
        found[request.name] = (rows["cell"].astype(np.int64), rows["total"].astype(np.int64))
    return found


def counted(how: str, folder: Path, memory_gb: float | None) -> dict[str, Any]:
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
        found = by_sql(folder, curator, memory_gb, spill) if how == "SQL" else curator.exact(plan_of(curator))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        done.set()
        watcher.join()
    digest = {name: [len(cells), int(counts.sum()), int((cells * 31 + counts).sum())] for name, (cells, counts) in found.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT
    return {"wall": wall, "cpu": cpu, "peak": peak, "spilled": most[0] / 2**30, "digest": digest}


def main() -> int:
    """Print the table; 1 where measure takes more than it may, or counts otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--memory-limit-gb", type=float)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the records are kept, made there unless they are")
    parser.add_argument("--case", choices=("SQL", "measure"), help="one line, as JSON")
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(counted(asked.case, asked.folder, asked.memory_limit_gb)))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch) / "records"
        if not (folder / "events.parquet").exists():
            worlds.london(asked.subscribers, asked.days).write(folder)
        n_stays, n_events = (pq.read_metadata(folder / f"{name}.parquet").num_rows for name in ("stays", "events"))
        print(f"{n_events:,} events and {n_stays:,} stays, memory limit {asked.memory_limit_gb or 'none'}, {asked.rounds} rounds")
        words = [sys.executable, __file__, "--folder", str(folder)]
        words += ["--memory-limit-gb", str(asked.memory_limit_gb)] if asked.memory_limit_gb else []
        lines: dict[str, list[dict[str, Any]]] = {"SQL": [], "measure": []}
        for _ in range(asked.rounds):
            for how, found in lines.items():
                found.append(json.loads(subprocess.run([*words, "--case", how], stdout=subprocess.PIPE, text=True, check=True).stdout))
    print(f"{'':10} {'wall s':>8} {'CPU s':>8} {'peak GB':>8} {'spilled GB':>10}")
    for how, found in lines.items():
        middle = {name: statistics.median(line[name] for line in found) for name in ("wall", "cpu", "peak", "spilled")}
        print(f"{how:10} {middle['wall']:>8.1f} {middle['cpu']:>8.1f} {middle['peak']:>8.2f} {middle['spilled']:>10.2f}")
    ratio = statistics.median(m["cpu"] / s["cpu"] for s, m in zip(lines["SQL"], lines["measure"], strict=True))
    same = all(line["digest"] == lines["SQL"][0]["digest"] for found in lines.values() for line in found)
    for name in TABLES if not same else ():
        print(name, *(found[0]["digest"][name] for found in lines.values()), "SQL, then measure: cells, their sum, a checksum")
    agree = "the same" if same else "NOT THE SAME"
    print(f"CPU of measure over that of the SQL: {ratio:.2f} (at most {MOST} is wanted); the counts are {agree}")
    return int(not same or ratio > MOST)


if __name__ == "__main__":
    sys.exit(main())
