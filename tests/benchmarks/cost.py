"""What generating costs by persons, days, zones and workers, a table each: `uv run python tests/benchmarks/cost.py MODEL [MODEL ...]`.

The first model is generated with each number of persons, days and workers, the rest being as usual; all models are generated once, for
what zones cost. Each line is a process of its own (`generate.py --case`), the median of rounds that take turns, so that what else the
machine does falls on all of them. `of the first` is a line's CPU seconds for a person-day over those of the table's first line: 1
throughout would be a cost that grows as what is made does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthmob import modelfile

PERSONS, DAYS, WORKERS = 100_000, 7, 1
MANY = 8 * 131_072
"""Persons for workers to share: a worker makes a whole part of so many eighths of them."""
VARIED = {"persons": (25_000, 100_000, 400_000), "days": (1, 7, 28), "workers": (1, 2)}
Case = tuple[Path, int, int, int]
"""A model, persons, days, workers."""


def measured(case: Case) -> dict[str, Any]:
    """One generation, in a process of its own."""
    words = [sys.executable, str(Path(__file__).with_name("generate.py")), str(case[0]), "--case", *map(str, case[1:])]
    return json.loads(subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout)


def cases(models: Sequence[Path]) -> dict[str, list[tuple[int, Case]]]:
    """Of every table its lines: what is varied, and the case."""
    usual = {"persons": PERSONS, "days": DAYS, "workers": WORKERS}
    shared = {"workers": {"persons": MANY}}
    found = {
        name: [(value, (models[0], *(usual | shared.get(name, {}) | {name: value}).values())) for value in values]
        for name, values in VARIED.items()}
    zones = [(modelfile.load(model).zoning.n_zones, (model, PERSONS, DAYS, WORKERS)) for model in models]
    return found | {"zones": sorted(zones)}


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=(*VARIED, "zones"), default=(*VARIED, "zones"), metavar="TABLE")
    asked = parser.parse_args()
    for name, lines in cases(asked.models).items():
        if name not in asked.only:
            continue
        seen: list[list[dict[str, Any]]] = [[] for _ in lines]
        for _ in range(asked.rounds):
            for (_value, case), found in zip(lines, seen, strict=True):
                found.append(measured(case))
        print(f"\n{name:>10} {'rows':>12} {'CPU s':>7} {'wall s':>7} {'M rows/CPU s':>12} {'peak GB':>8} {'of the first':>12}")
        first = 0.0
        for (value, (_model, persons, days, _workers)), found in zip(lines, seen, strict=True):
            middle = {key: statistics.median(one[key] for one in found) for key in ("rows", "cpu", "wall", "peak")}
            each = middle["cpu"] / persons / days
            first = first or each
            print(f"{value:>10,} {int(middle['rows']):>12,} {middle['cpu']:>7.2f} {middle['wall']:>7.2f} "
                  f"{middle['rows'] / middle['cpu'] / 1e6:>12.2f} {middle['peak']:>8.2f} {each / first:>12.2f}", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
