"""One world counted by DuckDB, Spark and PostgreSQL, and one model lived by threads and by Spark's tasks, each as a table.

`UV_PROJECT_ENVIRONMENT=.venv-spark uv run --group spark python tests/benchmarks/engines.py [MODEL]` wants a Java and PostgreSQL's programs.
Counts are exact, before noise, of a few made-up subscribers or of those of a demonstration (`--records synthmob-demo/records`); MODEL is a
folder of `fit`, a small one by hand where none is named. CPU seconds of counting are those of this process and of the Java that it has
started, without a server's; those of tasks are what they say themselves, and beside them stand those of the driver and of Java.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "private"))

import duckdb
import handmade_usage
import numpy as np
import postgres_run
import pyarrow.parquet as pq
from record_folder import TOWN, write_everything

from synthmob import manifest, modelfile
from synthmob.databases import Address
from synthmob.period import Period
from synthmob.pipeline import cluster
from synthmob.pipeline.cluster import Made
from synthmob.pipeline.wanted import Wanted
from synthmob.plan import Plan
from synthmob.private.curator import Curator
from synthmob.private.records import Sources
from synthmob.synthesis.writer import write
from synthmob.zonefiles import read_zoning

ENGINES = ("DuckDB", "Spark", "PostgreSQL")
TYPES = {
    "subscribers": "subscriber_id text, sex text, age_band text",
    "stays": "subscriber_id text, day int, seq int, purpose text, zone_id text, start_min int, end_min int, mode text",
    "events": "subscriber_id text, time timestamp, zone_id text, kind text, direction text, duration_s double precision, "
              "volume_kb double precision, app text"}  # fmt: skip


@dataclass(frozen=True)
class Lived:
    """A run of generate: what it wrote, and CPU seconds of who made it."""

    digest: str
    rows: int
    size: int
    makers_s: float
    driver_s: float
    java_s: float


def loaded(server: postgres_run.Server, folder: Path) -> Address:
    """The address of a schema that holds the records of a folder."""
    server.asked("CREATE SCHEMA cdr")
    for name, known in TYPES.items():
        there = pq.read_schema(folder / f"{name}.parquet").names
        columns = ", ".join(column for column in known.split(", ") if column.split()[0] in there)
        server.asked(f"CREATE TABLE cdr.{name} ({columns})")
        rows = server.socket / f"{name}.csv"
        names = ", ".join(word.split()[0] for word in columns.split(", "))
        duckdb.sql(f"COPY (SELECT {names} FROM '{folder}/{name}.parquet') TO '{rows}' (HEADER false)")
        rows.chmod(0o644)
        server.asked(f"COPY cdr.{name} FROM '{rows}' (FORMAT csv)")
    return Address.of(f"postgresql://postgres@/postgres?host={server.socket}&schema=cdr")


def copied(folder: Path, n: int, target: Path) -> Path:
    """Records n times over, each time of other subscribers."""
    target.mkdir()
    for name in TYPES:
        duckdb.sql(f"COPY (SELECT concat_ws('-', n, subscriber_id) AS subscriber_id, * EXCLUDE (subscriber_id, n) FROM "
                   f"'{folder}/{name}.parquet', range({n}) AS copies(n)) TO '{target}/{name}.parquet'")  # fmt: skip
    for path in (*folder.glob("*.toml"), *folder.glob("*.geojson")):
        (target / path.name).write_bytes(path.read_bytes())
    return target


@contextmanager
def engines(folder: Path, spark: str, read_from: Literal["stays", "events"]) -> Iterator[dict[str, Curator]]:
    """A curator of the same records for each engine; the server lives as long as the block."""
    zones = folder / "zones.geojson"
    files = Curator.of(folder, read_zoning(zones) if zones.exists() else TOWN, read_from=read_from)
    with tempfile.TemporaryDirectory() as short:
        Path(short).chmod(0o755)  # the server's user must get in
        with postgres_run.server(Path(short) / "pg") as server:
            there = replace(files, sources=Sources(loaded(server, folder)), period=Period.read(folder / "period.toml"))
            yield {"DuckDB": files, f"Spark {spark}": replace(files, engine_name=spark), "PostgreSQL": there}


def show_counts(folder: Path, spark: str, most: int | None, by: Sequence[str]) -> bool:
    """Print what each engine counts, or those that `by` names; whether it is the same."""
    same = True
    rows = {name: pq.read_metadata(folder / f"{name}.parquet").num_rows for name in TYPES}
    print(", ".join(f"{n:,} {name}" for name, n in rows.items()))
    print(f"{'records of':<10} {'counted by':<16} {'tables':>6} {'cells':>9} {'sum, persons':>14} {'CPU s':>7}  sha256 of the counts")
    for read_from in ("stays", "events"):
        digests = set[str]()
        with engines(folder, spark, read_from) as curators:
            for name in [name for name in curators if name.split()[0] in by]:
                curator = curators[name]
                plan, began = curator.plan(Plan.standard()), time.process_time() + java_s()
                plan = plan if most is None else replace(plan, requests=plan.requests[:: -(-len(plan.requests) // most)])
                found = curator.exact(plan)
                digest = digest_of(found)
                digests.add(digest)
                cells, total = sum(len(c) for c, _ in found.values()), sum(int(n.sum()) for _, n in found.values()) / 1024
                print(f"{read_from:<10} {name:<16} {len(found):>6} {cells:>9,} {total:>14,.3f} "
                      f"{time.process_time() + java_s() - began:>7.1f}  "
                      f"{digest[:16]}", flush=True)  # fmt: skip
        same = same and len(digests) == 1
    return same


def digest_of(found: dict[str, Any]) -> str:
    """One SHA-256 of all tables."""
    digest = hashlib.sha256()
    for name in sorted(found):
        digest.update(name.encode())
        for column in found[name]:
            digest.update(np.ascontiguousarray(column, dtype="<i8").tobytes())
    return digest.hexdigest()


def lived(wanted: Wanted, engine: str | None, out: Path) -> Lived:
    """One run, by a thread of this process or by the tasks of a Spark."""
    people, network = wanted.people()
    people.prepare()
    made: list[Made] = []
    before, java = time.process_time(), java_s()
    if engine is None:
        write(people, out, workers=1, inputs=wanted.inputs(), origin=wanted.origin(), network=network)
    else:
        with cluster.opened(engine, wanted, made.append) as elsewhere:
            before, java = time.process_time(), java_s()
            write(people, out, inputs=wanted.inputs(), origin=wanted.origin(), network=network, elsewhere=elsewhere)
            java = java_s() - java
    driver = time.process_time() - before
    rows = sum(pq.read_metadata(file).num_rows for file in out.glob("*/*.parquet"))
    size, said = sum(file.stat().st_size for file in out.rglob("*") if file.is_file()), sum(one.cpu_s for one in made)
    return Lived(manifest.digest(out), rows, size, said if engine else driver, driver if engine else 0.0, java if engine else 0.0)


def java_s() -> float:
    """CPU seconds of the Java that this process has started."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def show_generated(wanted: Wanted, spark: str, rounds: int) -> bool:
    """Print the runs, in turns; whether all have the same bytes."""
    print(f"\n{wanted.persons:,} persons, {wanted.days} days")
    print(f"{'made by':<16} {'rows':>12} {'CPU s':>7} {'driver':>7} {'Java':>6} {'M rows/CPU s':>13} {'with all':>9} {'bytes/row':>9}  "
          "sha256 of OUT")  # fmt: skip
    digests = set[str]()
    for _ in range(rounds):
        for engine in (None, spark):
            with tempfile.TemporaryDirectory() as folder:
                run = lived(wanted, engine, Path(folder) / "out")
            digests.add(run.digest)
            whole = run.makers_s + run.driver_s + run.java_s
            print(f"{'a thread' if engine is None else engine:<16} {run.rows:>12,} {run.makers_s:>7.2f} {run.driver_s:>7.2f} "
                  f"{run.java_s:>6.2f} {run.rows / run.makers_s / 1e6:>13.2f} {run.rows / whole / 1e6:>9.2f} "
                  f"{run.size / run.rows:>9.1f}  {run.digest[:16]}", flush=True)  # fmt: skip
    return len(digests) == 1


def main() -> int:
    """Print both tables; 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--subscribers", type=int, default=60)
    parser.add_argument("--records", type=Path, metavar="DIR", help="count these, with their zones.geojson, instead")
    parser.add_argument("--copies", type=int, default=1, metavar="N", help="so many times over, of other subscribers each time")
    parser.add_argument("--by", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--tables", type=int, metavar="N", help="count about so many of the standard plan's tables (default all)")
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spark", default="local[2]", metavar="MASTER")
    parser.add_argument("--only", choices=("counts", "bytes"))
    asked = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as top:
        if asked.only != "bytes":
            folder = asked.records or write_everything(Path(top) / "records", asked.subscribers)
            folder = folder if asked.copies == 1 else copied(folder, asked.copies, Path(top) / "copies")
            good = show_counts(folder, asked.spark, asked.tables, asked.by)
        if asked.only != "counts":
            model = asked.model or modelfile.save(handmade_usage.model(), Path(top) / "model")
            good = show_generated(Wanted(model, asked.persons, asked.days, 1), asked.spark, asked.rounds) and good
    print("The same." if good else "NOT THE SAME.")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
