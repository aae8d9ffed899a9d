"""How the budget is best shared out: `uv run python tests/benchmarks/shares.py PLAN.toml... [--world N]... [--records FOLDER ZONES]...`.

Every plan file, and the standard plan before them, is measured, fitted, generated and checked on every world and record set at the same
epsilon. A column is a plan on a set, a row a metric's ratio; below are their geometric means, overall and in the worst quarter of the
metrics, which is what a share should be moved for. Noise is fresh in every run: a plan is better where it is better on all sets.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from privacy_cost import DELTA, one

from synthmob import worlds
from synthmob.fidelity.result import Fidelity
from synthmob.pipeline.measurement import Asked
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles

SEED_OF_WORLDS = 11
LEAST = 0.5
"""Ratios below this count as this: nobody needs them to be better."""


def means(found: Fidelity, names: Sequence[str]) -> tuple[float, float]:
    """The geometric mean of the ratios, and that of the worst quarter of them."""
    ratios = np.sort([max(found.metric(name).ratio, LEAST) for name in names])
    return float(np.exp(np.log(ratios).mean())), float(np.exp(np.log(ratios[-len(ratios) // 4 :]).mean()))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plans", type=Path, nargs="*")
    parser.add_argument("--world", type=int, action="append", default=[], metavar="N")
    parser.add_argument("--records", type=Path, nargs=2, action="append", default=[], metavar=("FOLDER", "ZONES"))
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--persons", type=int, default=50_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        sets = [(folder.name, folder, zones) for folder, zones in asked.records]
        for k, n in enumerate(asked.world):
            folder = Path(scratch) / str(k)
            worlds.london(n, 7, SEED_OF_WORLDS + k).write(folder, events=False)
            sets.append((f"world {n}", folder, folder / "zones.geojson"))
        plans = [None, *asked.plans]
        heads = [f"{name}, {plan.stem if plan else 'standard'}" for name, _, _ in sets for plan in plans]
        runs = [(RecordFiles(folder), ZoningFile(zones), plan) for _, folder, zones in sets for plan in plans]
        found = [one(*files, Asked(asked.epsilon, DELTA, plan), asked.persons, 1) for *files, plan in runs]
    print(f"epsilon {asked.epsilon:g}, {asked.persons:,} persons\n| ratio | " + " | ".join(heads) + " |\n|---|" + "---:|" * len(heads))
    names = [m.name for m in found[0].metrics if all(m.name in {x.name for x in f.metrics} for f in found)]
    for name in names:
        print(f"| {name} | " + " | ".join(f"{f.metric(name).ratio:.2f}" for f in found) + " |")
    for k, what in enumerate(("**geometric mean**", "**worst quarter**")):
        print(f"| {what} | " + " | ".join(f"{means(f, names)[k]:.2f}" for f in found) + " |")


if __name__ == "__main__":
    main()
