"""Fitting beside dpmm's MST on the same subscribers, as a table: `uv run python tests/benchmarks/fit.py ENV`.

ENV is made by `peer_environments/dpmm.sh`. Two programs that do not do the same: MST is given the records themselves, one row a subscriber
(sex, age band, home, work, and of the first stays of one day what, where and until which hour; `peers.wide`), and its fit is what spends
the budget. Ours spends it in `measure`, some forty tables of whole days, and `fit` sees those alone; so both stand here. Each line is a
process of its own, so that its peak memory is its own; clocks start when rows, or the release, are in memory and kernels are compiled.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import peers
from peak import peak_gb

from synthmob import Plan, Release, fit, worlds
from synthmob.fidelity.sides import Tables
from synthmob.plan import STANDARD
from synthmob.private.curator import Curator
from synthmob.zonefiles import read_zoning

EPSILON, DELTA = 1.0, 1e-6
CASES = ((2_000, 6, (0, 3)), (20_000, 6, (3,)), (20_000, 7, (0,)))
"""Subscribers of the made-up operators, H3 resolutions of their zones, and how many stays of the day a row of MST's has."""
LIMIT_S = 300
"""CPU seconds after which a line is given up."""
MST = Path(__file__).parent / "peer_environments" / "fit_mst.py"


def plan_of(owner: Curator) -> Plan:
    """The standard plan."""
    return owner.plan(Plan(EPSILON, DELTA, requests=STANDARD))


def taken(what: Callable[[], object]) -> dict[str, float]:
    """CPU seconds, seconds on the wall and peak memory in GB of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    what()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"cpu": cpu, "wall": wall, "peak": peak_gb()}


def case(name: str, folder: Path) -> dict[str, float]:
    """One of our two steps, in this process."""
    zoning = read_zoning(folder / "zones.geojson")
    if name == "measure":
        owner = Curator.of(folder, zoning)
        return taken(lambda: owner.measure(plan_of(owner)).save(folder.parent / "release"))
    release = Release.load(folder.parent / "release")
    return taken(lambda: fit(release, zoning))


def said(*words: object) -> dict[str, float] | None:
    """What a process of its own prints as JSON; None where it takes longer than it may."""
    limited = ["sh", "-c", f'ulimit -t {LIMIT_S}; exec "$@"', "sh", *map(str, words)]
    done = subprocess.run(limited, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return None
    done.check_returncode()
    return json.loads(done.stdout)


def show(name: str, sees: str, found: dict[str, float] | None) -> None:
    """A line of the table."""
    took = f"not in {LIMIT_S} | | " if found is None else f"{found['cpu']:.1f} | {found['wall']:.1f} | {found['peak']:.2f}"
    print(f"| | {name} | {sees} | {took} |", flush=True)


def compared(environment: Path, folder: Path, subscribers: int, resolution: int, stays: tuple[int, ...]) -> None:
    """The lines of one made-up operator."""
    records = folder / "records"
    worlds.london(subscribers, 1, seed=1, h3_resolution=resolution).write(records, events=False)
    zoning = read_zoning(records / "zones.geojson")
    owner = Curator.of(records, zoning)
    plan = plan_of(owner)
    print(f"| **{subscribers:,} subscribers, {zoning.n_zones} zones** | | | | | |")
    for name, sees in (("measure", "records"), ("fit", f"{len(plan.requests)} tables")):
        show(f"synthmob {name}", sees, said(sys.executable, __file__, environment, "--case", name, records))
    truth = Tables(*owner.rows(plan))
    people, days = truth.persons.to_pandas(), truth.stays.to_pandas()
    for n in stays:
        rows, sizes = peers.wide(people, days, zoning, peers.Shape(n, 60))
        rows.to_csv(folder / "given.csv", index=False)
        (folder / "domain.json").write_text(json.dumps(sizes))
        show(f"dpmm MST, {n} stays", f"records, {len(sizes)} columns",
             said(environment / "bin" / "python", MST, folder / "given.csv", folder / "domain.json", EPSILON, DELTA))  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", type=Path)
    parser.add_argument("--case", nargs=2, metavar=("STEP", "RECORDS"), help="one of our steps, as JSON")
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(case(asked.case[0], Path(asked.case[1]))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        worlds.london(500, 1, seed=1, h3_resolution=6).write(Path(scratch) / "records", events=False)
        for name in ("measure", "fit"):
            case(name, Path(scratch) / "records")  # compiles the kernels
    print("| | program | sees | CPU s | wall s | peak GB |\n|---|---|---|---:|---:|---:|")
    for n, resolution, stays in CASES:
        with tempfile.TemporaryDirectory() as folder:
            compared(asked.environment, Path(folder), n, resolution, stays)


if __name__ == "__main__":
    main()
