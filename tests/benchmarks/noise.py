"""Time of noise and cut for tables too large to draw cell by cell: `uv run python tests/benchmarks/noise.py`.

A table of 8,000 x 8,000 zones is the case that must take seconds. Beside it stands what drawing every cell would take, from
the rate of the dense draw measured in the same run.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np

from synthmob.accounting import cut_for
from synthmob.private import noise

CASES = ((8_000 * 8_000, 500_000, 30.0), (8_000 * 8_000, 500_000, 4.0), (8_000 * 8_000, 0, 30.0), (443_417_040, 200_000, 111.7))
"""Cells of the public domain, cells with people, sigma in persons."""
DENSE = 200_000
UNIT = 1024 * 1024 if sys.platform == "linux" else 1024 * 1024 * 1024


def timed(n_domain: int, occupied: int, sigma: float, cut: float) -> tuple[float, float, int]:
    """Wall and CPU seconds of one table, and how many cells it publishes."""
    chance = np.random.default_rng(1)
    cells = np.unique(chance.integers(0, n_domain, size=occupied)).astype(np.int64)
    counts = (chance.pareto(1.2, size=len(cells)) * 4096).clip(0, 1e9).astype(np.int64) + 1024
    wall, cpu = time.perf_counter(), time.process_time()
    published, _ = noise.add_noise(cells, counts, n_domain, sigma, cut)
    return time.perf_counter() - wall, time.process_time() - cpu, len(published)


def main() -> int:
    """Print the table; 1 where the first case takes more CPU time than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=float, default=60.0, metavar="S", help="CPU seconds that 8,000 x 8,000 zones may take (60)")
    most = parser.parse_args().most
    timed(1_000, 10, 20.0, 90.0)  # OpenDP is loaded before the clock starts
    none = np.empty(0, dtype=np.int64)
    wall, cpu = time.perf_counter(), time.process_time()
    noise.noisy_domain(none, none, DENSE, 30.0)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rate = DENSE / cpu
    print(f"dense draw: {rate:,.0f} cells a CPU second ({DENSE:,} cells in {wall:.2f} s of wall, {cpu:.2f} s of CPU)")
    print(f"{'cells':>13} {'occupied':>9} {'sigma':>6} {'cut':>7} {'published':>10} {'wall s':>7} {'CPU s':>7} {'dense, CPU s':>13}")
    first = 0.0
    for n_domain, occupied, sigma in CASES:
        cut = cut_for(sigma, 50, n_domain)
        assert noise.drawn_in_bulk(n_domain, sigma, cut)
        wall, cpu, published = timed(n_domain, occupied, sigma, cut)
        first = first or cpu
        print(f"{n_domain:>13,} {occupied:>9,} {sigma:>6.1f} {cut:>7.1f} {published:>10,} {wall:>7.2f} {cpu:>7.2f} "
              f"{n_domain / rate:>13,.0f}")  # fmt: skip
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT:.2f} GB")
    return int(first > most)


if __name__ == "__main__":
    sys.exit(main())
