"""Person-days per CPU second beside scikit-mobility: `uv run python tests/benchmarks/speed_of_movers.py SKMOB_ENVIRONMENT`.

SKMOB_ENVIRONMENT is made by `peer_environments/skmob.sh`. DITRAS and DensityEPR generate in memory, with the package's defaults and, in
lines of their own, on a matrix of trip probabilities that was made before the clock started. Ours generates and writes all files, with a
model fitted on a release of the same records, its kernel compiled before the clock starts. All in CPU seconds, a round of each after the
other, the median of rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import movers
import pandas as pd

from synthmob import Plan, fit, generate, worlds, write
from synthmob.plan import STANDARD
from synthmob.private.curator import Curator
from synthmob.synthesis.days import Population

DAYS, SUBSCRIBERS, LEARNERS, LIMIT_S = 7, 5_000, 200, 600
AGENTS = {"ditras-itself": 1_000, "ditras": 1_000, "epr": 200}
NAMES = {"ours": "generate and write", "ditras-itself": "DITRAS", "ditras": "DITRAS, matrix given", "epr": "DensityEPR, matrix given"}
LEAST = 900.0
"""How many times as fast as DITRAS ours is meant to be."""


def ours(people: Population, folder: Path) -> float:
    """Person-days per CPU second of all files of a population."""
    clock = time.process_time()
    write(people, folder, workers=1)
    return people.n_persons * people.days / (time.process_time() - clock)


def main() -> int:
    """Print the table; 1 where ours is not LEAST times as fast as DITRAS."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", type=Path)
    parser.add_argument("--persons", type=int, default=200_000)
    parser.add_argument("--h3-resolution", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    world = worlds.london(SUBSCRIBERS, 1, seed=1, h3_resolution=a.h3_resolution)
    seen: dict[str, list[float]] = {name: [] for name in NAMES}
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch)
        world.write(top / "records", events=False)
        release = Curator.of(top / "records", world.zoning).measure(Plan(1.0, 1e-6, requests=STANDARD))
        people = generate(fit(release, world.zoning), n_persons=a.persons, days=DAYS, seed=1).prepare()
        ours(generate(people.model, n_persons=1_000, days=DAYS, seed=1), top / "warm")
        stays = pd.read_parquet(top / "records" / "stays.parquet").rename(columns={"subscriber_id": "person_id"})
        homes = stays[stays.purpose == "home"].groupby("person_id").zone_id.first()
        movers.prepare(top / "movers", world.zoning, homes, stays)
        for turn in range(a.rounds):
            seen["ours"].append(ours(people, top / f"out{turn}"))
            for model, agents in AGENTS.items():
                took = movers.run(a.environment, top / "movers", model, agents, DAYS, LIMIT_S, LEARNERS)["generate"]
                seen[model].append(agents * DAYS / took)
    agents = f"{AGENTS['ditras']:,} agents of DITRAS, {AGENTS['epr']:,} of DensityEPR"
    print(f"{world.zoning.n_zones} zones, {DAYS} days; {a.persons:,} persons, {agents}")
    print("| | person-days per CPU s, median | least | most | ours is so many times as fast |\n|---|---:|---:|---:|---:|")
    middle = {name: statistics.median(rates) for name, rates in seen.items()}
    for name, title in NAMES.items():
        print(f"| {title} | {middle[name]:,.0f} | {min(seen[name]):,.0f} | {max(seen[name]):,.0f} | {middle['ours'] / middle[name]:,.0f} |")
    return int(middle["ours"] < LEAST * middle["ditras-itself"])


if __name__ == "__main__":
    sys.exit(main())
