"""How far a change of the true process is followed: `uv run python tests/benchmarks/changed_worlds.py`.

A line a change: the figure in the records and in the synthetic people, before and after, and the share of the shift that they follow.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from changedworlds import CHANGES, STANDARD

from synthmob import Plan, fit, generate, worlds, write
from synthmob.plan import STANDARD as TABLES
from synthmob.private.curator import Curator
from synthmob.worlds import WorldParameters


def lived(parameters: WorldParameters, subscribers: int, days: int, epsilon: float) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Stays of the records, of synthetic people, and the district of every zone."""
    world = worlds.london(subscribers, days, seed=1, h3_resolution=6, parameters=parameters)
    level = world.zoning.level("district")
    district_of = {zone: level.labels[area] for zone, area in zip(world.zoning.ids, level.of_zone, strict=True)}
    with tempfile.TemporaryDirectory() as scratch:
        world.write(Path(scratch) / "records", events=False)
        release = Curator.of(Path(scratch) / "records", world.zoning).measure(Plan(epsilon, 1e-6, requests=TABLES))
        people = generate(fit(release, world.zoning), n_persons=subscribers, days=days, seed=1)
        write(people, Path(scratch) / "out", workers=2)
        return (pd.read_parquet(Path(scratch) / "records" / "stays.parquet"), pd.read_parquet(Path(scratch) / "out" / "stays"), district_of)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--epsilon", type=float, default=1.0)
    a = parser.parse_args()
    before = lived(STANDARD, a.subscribers, a.days, a.epsilon)
    print(f"{a.subscribers:,} subscribers, {a.days} day, epsilon {a.epsilon:g}")
    print("| change | records before | after | people before | after | followed |\n|---|---:|---:|---:|---:|---:|")
    for change in CHANGES.values():
        after = lived(change.parameters, a.subscribers, a.days, a.epsilon)
        said = [change.figure(stays, side[2]) for k in (0, 1) for side in (before, after) for stays in (side[k],)]
        followed = (said[3] - said[2]) / (said[1] - said[0])
        print(f"| {change.title} | " + " | ".join(f"{x:.3f}" for x in said) + f" | {followed:.0%} |", flush=True)


if __name__ == "__main__":
    main()
