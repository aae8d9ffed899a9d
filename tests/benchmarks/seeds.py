"""The spread of each metric over seeds of generation and over releases: `uv run python tests/benchmarks/seeds.py`.

What differs by less than this is no progress. A row is a metric: its ratio's mean and standard deviation over `--seeds` populations of
one release, and over `--releases` releases with one population each.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from synthmob import Plan, fit, generate, worlds, write
from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.fidelity.inside import compare_inside
from synthmob.fidelity.people import tables_of
from synthmob.fidelity.result import Fidelity
from synthmob.fidelity.sides import Tables
from synthmob.model.mobility import MobilityModel
from synthmob.plan import STANDARD
from synthmob.private.curator import Curator
from synthmob.synthesis.outfolder import open_out

BOOTSTRAPS = 5


def scored(model: MobilityModel, truth: Tables, persons: int, days: int, seed: int, backend: Any) -> Fidelity:
    with tempfile.TemporaryDirectory() as scratch:
        out = write(generate(model, n_persons=persons, days=days, seed=seed), Path(scratch) / "out", workers=2)
        made = tables_of(open_out(out, backend))
        return compare_inside(truth, made, model.zoning, Domain(), model.period, backend, bootstraps=BOOTSTRAPS)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--releases", type=int, default=5)
    parser.add_argument("--epsilon", type=float, default=1.0)
    a = parser.parse_args()
    world, backend = worlds.london(a.subscribers, a.days, seed=1, h3_resolution=6), connect()
    with tempfile.TemporaryDirectory() as scratch:
        world.write(Path(scratch) / "records", events=False)
        owner = Curator.of(Path(scratch) / "records", world.zoning)
        plan = owner.plan(Plan(a.epsilon, 1e-6, requests=STANDARD))
        truth = Tables(*owner.rows(plan))
        models = [fit(owner.measure(plan), world.zoning) for _ in range(a.releases)]
    by_seed = [scored(models[0], truth, a.subscribers, a.days, seed, backend) for seed in range(1, a.seeds + 1)]
    by_release = [by_seed[0], *(scored(model, truth, a.subscribers, a.days, 1, backend) for model in models[1:])]
    print(f"{a.subscribers:,} subscribers, {a.days} days, epsilon {a.epsilon:g}; ratios over {a.seeds} seeds and {a.releases} releases")
    print("| metric | mean | sd over seeds | least | most | sd over releases |\n|---|---:|---:|---:|---:|---:|")
    for metric in by_seed[0].metrics:
        seeds, releases = (np.array([f.metric(metric.name).ratio for f in found]) for found in (by_seed, by_release))
        spread = releases.std(ddof=1) if len(releases) > 1 else float("nan")
        print(f"| {metric.title} | {seeds.mean():.2f} | {seeds.std(ddof=1):.2f} | {seeds.min():.2f} | {seeds.max():.2f} | {spread:.2f} |")


if __name__ == "__main__":
    main()
