"""How many exact counts lie in their intervals: `uv run python tests/benchmarks/interval_coverage.py`.

Made-up operators are measured, modelled and generated; their exact bounded counts are known. A row is a table, a column a size class
by the interval's own estimate, with the share of cells held and how many cells there are; below it the same by word and epsilon.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from synthmob import worlds
from synthmob.counts import STATISTICS
from synthmob.fidelity.people import intervals
from synthmob.marginals import ravel
from synthmob.model.mobility import fit
from synthmob.plan import STANDARD, Plan
from synthmob.private.curator import Curator
from synthmob.synthesis.days import generate

EDGES = (0.0, 1.0, 5.0, 20.0, 60.0, np.inf)
CLASSES = ("published", *(f"missing {a:g}-{b:g}" for a, b in itertools.pairwise(EDGES)))
Held = dict[tuple[str, str], list[np.ndarray]]


def held(subscribers: int, days: int, resolution: int, seed: int, epsilon: float, level: float) -> Held:
    """Whether each exact count is in its interval, by table and size class."""
    out: Held = defaultdict(list)
    world = worlds.london(subscribers, days, seed=seed, h3_resolution=resolution)
    with tempfile.TemporaryDirectory() as scratch:
        world.write(Path(scratch) / "records", events=False)
        owner = Curator.of(Path(scratch) / "records", world.zoning)
        plan = owner.plan(Plan(epsilon, 1e-6, requests=STANDARD))
        release, exact = owner.measure(plan), owner.exact(plan)
    people = generate(fit(release, world.zoning), n_persons=subscribers, days=days, seed=seed)
    for each in intervals(release, [people], level)[0]:
        flat, fixed = exact[each.table]
        cells = ravel(each.codes, each.released.axes)
        truth = np.zeros(len(cells))
        if len(flat):
            at = np.minimum(np.searchsorted(flat, cells), len(flat) - 1)
            truth = np.where(flat[at] == cells, np.asarray(fixed)[at] / 1024, 0.0)
        inside = (truth >= each.low - 1e-9) & (truth <= each.high + 1e-9)
        size = 1 + np.searchsorted(EDGES[1:], each.estimate, side="right")
        size[each.published] = 0
        for k, name in enumerate(CLASSES):
            out[each.table, name].append(inside[size == k])
    return out


def line(title: str, cells: Held, chosen: set[str]) -> str:
    parts = []
    for name in CLASSES:
        found = np.concatenate([np.zeros(0, dtype=bool), *(v for (t, c), vs in cells.items() if t in chosen and c == name for v in vs)])
        parts.append(f"{found.mean():.2f} {len(found):>6,}" if len(found) else f"{'':11}")
    return f"{title:26} " + "  ".join(part.rjust(14) for part in parts)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, nargs="+", default=[20_000, 30_000, 40_000])
    parser.add_argument("--epsilons", type=float, nargs="+", default=[0.5, 1.0, 4.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--level", type=float, default=0.9)
    a = parser.parse_args()
    everything: Held = defaultdict(list)
    by_run: list[tuple[str, Held]] = []
    for subscribers, epsilon, seed in zip(a.subscribers, a.epsilons, a.seeds, strict=True):
        found = held(subscribers, a.days, 6 if subscribers < 30_000 else 7, seed, epsilon, a.level)
        by_run.append((f"{subscribers:,} at epsilon {epsilon:g}", found))
        for key, value in found.items():
            everything[key] += value
    heading = f"{'table':26} " + "  ".join(name.rjust(14) for name in CLASSES)
    print(f"share of exact counts in their {a.level:.0%} intervals, and cells\n{heading}")
    tables = sorted({table for table, _ in everything})
    for table in tables:
        print(line(table, everything, {table}))
    for title, found in [*by_run, ("all", everything)]:
        print(f"\n{title}")
        for word in ("anchors", "flows", "routines"):
            print(line(word, found, {t for t in tables if STATISTICS[t.partition("@")[0]].word == word}))


if __name__ == "__main__":
    main()
