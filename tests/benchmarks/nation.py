"""A nation of many zones through measure, fit and generate, as a table of time and memory: `uv run python tests/benchmarks/nation.py`.

The operator is made up, of hexagons: who lives where, and days of a few purposes whose places lie near home. It is no city to be
faithful to, but has as many zones, districts and subscribers as a nation. `--keep DIR` leaves the release and the model there, for
other benchmarks.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h3
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.spatial import cKDTree

ZONES, SUBSCRIBERS, DAYS, PERSONS = 8_000, 500_000, 7, 500_000
CENTRE, RESOLUTION, ABOVE = (52.5, -1.5), 7, 2
CHAINS = (
    ("home",), ("home", "shop", "home"), ("home", "leisure", "home"), ("home", "shop", "home", "leisure", "home"),
    ("home", "work", "home"), ("home", "work", "shop", "home"), ("home", "work", "home", "leisure", "home"))  # fmt: skip
OFTEN = np.array([0.2, 0.3, 0.2, 0.1, 0.12, 0.05, 0.03])
OFTEN_WORKER = np.array([0.06, 0.05, 0.04, 0.02, 0.45, 0.2, 0.18])
AGES = ("16-24", "25-34", "35-44", "45-54", "55-64", "65+")
REACH_KM = {"work": 9.0, "shop": 3.0, "leisure": 6.0}
LIMIT_GB = 8.0


@dataclass(frozen=True)
class Step:
    """What a command took: seconds on the wall and of the processor, and its peak memory."""

    name: str
    wall_s: float
    cpu_s: float
    peak_gb: float


def zones(n: int) -> tuple[list[str], np.ndarray]:
    """The n hexagons nearest to the centre, and their middles in km."""
    rings = int(np.ceil(np.sqrt(n / 3))) + 1
    cells = sorted(h3.grid_disk(h3.latlng_to_cell(*CENTRE, RESOLUTION), rings))
    lat, lon = np.array([h3.cell_to_latlng(cell) for cell in cells]).T
    xy = np.column_stack([(lon - CENTRE[1]) * 111.32 * np.cos(np.radians(CENTRE[0])), (lat - CENTRE[0]) * 110.57])
    near = np.sort(np.argsort((xy**2).sum(axis=1))[:n])
    return [cells[k] for k in near], xy[near]


def write_records(folder: Path, n_zones: int, n_subscribers: int, days: int) -> None:
    """The record folder of the made-up operator."""
    rng = np.random.default_rng(1)
    ids, xy = zones(n_zones)
    tree = cKDTree(xy)
    homes = rng.choice(n_zones, n_subscribers, p=(size := rng.lognormal(0, 0.6, n_zones)) / size.sum())
    worker = rng.random(n_subscribers) < 0.5
    work = _near(tree, xy[homes], REACH_KM["work"], rng)
    features = [{"type": "Feature", "properties": {"zone_id": cell, "district_id": h3.cell_to_parent(cell, RESOLUTION - ABOVE)},
                 "geometry": {"type": "Polygon", "coordinates": [[(lon, lat) for lat, lon in (*edge, edge[0])]]}}
                for cell in ids for edge in (h3.cell_to_boundary(cell),)]  # fmt: skip
    (folder / "zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    (folder / "period.toml").write_text(f'first_day = 2026-03-02\ndays = {days}\ntimezone = "Europe/London"\n')
    pq.write_table(pa.table({
        "subscriber_id": np.arange(n_subscribers), "sex": np.array(["female", "male"])[rng.integers(0, 2, n_subscribers)],
        "age_band": np.array(AGES)[rng.integers(0, len(AGES), n_subscribers)]}), folder / "subscribers.parquet")  # fmt: skip
    parts = [_day(day, homes, work, worker, tree, xy, rng) for day in range(days)]
    stays = pd.concat(parts).sort_values(["subscriber_id", "day", "seq"], kind="stable")
    table = pa.Table.from_pandas(stays.drop(columns="zone"), preserve_index=False)
    zone = pa.DictionaryArray.from_arrays(pa.array(stays["zone"].to_numpy(), pa.int32()), pa.array(ids)).cast(pa.string())
    pq.write_table(table.append_column("zone_id", zone), folder / "stays.parquet")


def _near(tree: cKDTree, xy: np.ndarray, reach_km: float, rng: np.random.Generator) -> np.ndarray:
    far, way = rng.exponential(reach_km, len(xy)), rng.random(len(xy)) * 2 * np.pi
    return tree.query(xy + np.column_stack([far * np.cos(way), far * np.sin(way)]))[1]


def _day(
    day: int, homes: np.ndarray, work: np.ndarray, worker: np.ndarray, tree: cKDTree, xy: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    n = len(homes)
    law = np.where((worker & (day < 5))[:, None], OFTEN_WORKER.cumsum(), OFTEN.cumsum())
    chain = (rng.random(n)[:, None] > law).sum(axis=1).clip(0, len(CHAINS) - 1)
    found = []
    for k, purposes in enumerate(CHAINS):
        who = np.flatnonzero(chain == k)
        cuts = np.sort(rng.integers(360, 1380, (len(who), len(purposes) - 1)), axis=1) + np.arange(len(purposes) - 1) * 2
        trips = rng.integers(1, 2, cuts.shape)
        for seq, purpose in enumerate(purposes):
            zone = homes[who] if purpose == "home" else (
                work[who] if purpose == "work" else _near(tree, xy[homes[who]], REACH_KM[purpose], rng))
            start = np.zeros(len(who), int) if seq == 0 else cuts[:, seq - 1] + trips[:, seq - 1]
            end = np.full(len(who), 1440) if seq == len(purposes) - 1 else cuts[:, seq]
            found.append(pd.DataFrame({
                "subscriber_id": who, "day": np.int32(day), "seq": np.int32(seq), "purpose": purpose,
                "start_min": start.astype(np.int32), "end_min": np.maximum(end, start + 1).astype(np.int32), "zone": zone}))  # fmt: skip
    return pd.concat(found)


def step(name: str, words: Sequence[object]) -> Step:
    """Run a command of synthmob to its end."""
    began = time.perf_counter()
    pid = os.posix_spawn(sys.executable, [sys.executable, "-m", "synthmob", *map(str, words)], os.environ)
    _, status, used = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{name} failed")
    return Step(name, time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / (1 << 20))


def main() -> int:
    """Print the table; 1 where a step takes more memory than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("zones", ZONES), ("subscribers", SUBSCRIBERS), ("days", DAYS), ("persons", PERSONS)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--epsilon", type=float, default=10.0)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the release and the model there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nation-") as folder:
        top = Path(folder)
        kept = asked.keep or top
        kept.mkdir(parents=True, exist_ok=True)
        (top / "records").mkdir()
        # In a process of its own: what this one holds would be the least that any step is said to hold.
        making = multiprocessing.get_context("spawn").Process(
            target=write_records, args=(top / "records", asked.zones, asked.subscribers, asked.days))
        making.start()
        making.join()
        if making.exitcode:
            raise SystemExit("the records could not be made")
        at = ("--zones", top / "records" / "zones.geojson")
        budget = ("--epsilon", asked.epsilon, "--delta", 1e-6, "--yes")
        steps = [
            step("measure", ("measure", top / "records", *at, *budget, "-o", kept / "release")),
            step("fit", ("fit", kept / "release", *at, "-o", kept / "model")),
            step("generate", ("generate", kept / "model", "--persons", asked.persons, "--days", asked.days, "-o", top / "out"))]
        rows = sum(pq.read_metadata(p).num_rows for p in top.joinpath("out").rglob("p*.parquet"))
    print(f"{asked.zones:,} zones, {asked.subscribers:,} subscribers, {asked.days} days, {asked.persons:,} persons")
    print(f"{'step':<10} {'wall s':>8} {'CPU s':>8} {'peak GB':>8}")
    for found in steps:
        print(f"{found.name:<10} {found.wall_s:>8.1f} {found.cpu_s:>8.1f} {found.peak_gb:>8.2f}")
    print(f"generate: {rows:,} rows, {rows / steps[-1].cpu_s / 1e6:.2f} M rows per CPU s, start included")
    return int(max(found.peak_gb for found in steps) > LIMIT_GB)


if __name__ == "__main__":
    sys.exit(main())
