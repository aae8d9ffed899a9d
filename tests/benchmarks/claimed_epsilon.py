"""What canaries show of epsilon against what is claimed, as a table: `uv run python tests/benchmarks/claimed_epsilon.py RECORDS ZONES`.

`--world N` in place of RECORDS ZONES makes an operator of N subscribers for a week. The exact counts behind the attack are
confidential where the records are; what is printed is not: it owes nothing to anyone but the planted subscribers.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from synthmob import worlds
from synthmob.audit import canary
from synthmob.audit.planted import plant
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles
from synthmob.plan import Plan
from synthmob.private.curator import Curator, Sources

DELTA = 1e-6


def scored(door: Curator, plan: Plan, exact: Any, canaries: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Coins and scores of one run."""
    made = plant(canaries, door.zoning, door.period, plan.domain, rng)
    with tempfile.TemporaryDirectory() as folder:
        free = door.planted(plan, Sources(made.write(Path(folder) / "everyone", everyone=True)), bounds=False)
        noisy = door.measure_raw(plan, canary.cells_touched(free), extra=Sources(made.write(Path(folder) / "inside")))
    return made.inside, canary.scores(free, noisy, exact, rng)


def main() -> int:
    """Print the table; 1 where a bound lies above its claim."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=Path, nargs="?")
    parser.add_argument("zones", type=Path, nargs="?")
    parser.add_argument("--world", type=int, metavar="N", help="a made-up operator of N subscribers for a week")
    parser.add_argument("--epsilon", type=float, nargs="+", default=[0.5, 1.0, 2.0, 4.0])
    parser.add_argument("--canaries", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=4, help="runs that the canaries are spread over, each in one of them")
    parser.add_argument("--memory-limit-gb", type=float)
    asked = parser.parse_args()
    over = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder, shapes = asked.records, asked.zones
        if asked.world:
            folder = Path(scratch) / "records"
            worlds.london(asked.world, 7, 1).write(folder, events=False)
            shapes = folder / "zones.geojson"
        door = RecordFiles(folder, memory_limit_gb=asked.memory_limit_gb).curator(ZoningFile(shapes).read())
        exact = door.exact(Plan.standard(1.0, DELTA))
        print(f"{asked.canaries:,} canaries in {asked.runs} runs, delta {DELTA:g}")
        print(f"{'claimed':>8} {'bound':>6} {'right':>6} {'guesses':>8} {'right share':>12} {'AUC':>6} {'allowed':>8} "
              f"{'as epsilon':>10} {'seconds':>8}")  # fmt: skip
        for epsilon in asked.epsilon:
            begun, rng, plan = time.monotonic(), np.random.default_rng(), door.plan(Plan.standard(epsilon, DELTA))
            runs = [scored(door, plan, exact, asked.canaries // asked.runs, rng) for _ in range(asked.runs)]
            inside, scores = (np.concatenate(parts) for parts in zip(*runs, strict=True))
            shown, area = canary.evidence(inside, scores, rho=plan.rho, epsilon=epsilon, delta=DELTA, rng=rng)
            bound = canary.bound(inside, scores, plan.rho, DELTA)
            over += not shown.passed
            print(f"{epsilon:>8g} {bound.epsilon:>6.2f} {bound.right:>6,} {bound.guesses:>8,} {bound.right / bound.guesses:>12.3f} "
                  f"{area.value:>6.3f} {area.limit:>8.3f} {canary.gaussian_epsilon(area.value, DELTA):>10.2f} "
                  f"{time.monotonic() - begun:>8.0f}", flush=True)  # fmt: skip
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024:.1f} GB")
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
