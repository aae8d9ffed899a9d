"""Membership inference as a table: `uv run python tests/benchmarks/membership.py [--records DIR --zones F] [--world N]`.

AUC with its interval at 95 % for groups of 100 and of 1,000, by form of publication and epsilon, for the attacker who knows the population
and for the one who knows nothing but the target; the most that the noise allows stands beside. The people attacked are a random sample of
the records. Scores of real records are confidential: run it on records that are yours, or on a world.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from synthmob import worlds
from synthmob.audit import membership, zeroauxiliary
from synthmob.audit.evidence import Evidence
from synthmob.audit.subject import Subject, halves, trial
from synthmob.audit.synthetic_membership import on_synthetic
from synthmob.plan import Plan
from synthmob.private.curator import Curator, Sample, noisy_tables, release_info
from synthmob.zonefiles import read_zoning

DATA = Path(__file__).resolve().parents[2] / "../shared/data/atlanta_activitysim"
DELTA = 1e-6
TRIALS = {100: 20, 1_000: 10}
"""Trials of the informed attacker by group."""


def subject_of(curator: Curator, sample: Sample, plan: Plan) -> Subject:
    """The sampled people under a plan: of a contribution, only the noise that it will get depends on the budget."""
    sigma = {request.name: plan.sigma_of(request) for request in plan.requests}
    return Subject(
        sample.persons, sample.stays, {name: replace(table, sigma=sigma[name]) for name, table in sample.contributions.items()},
        curator.zoning, curator.period, plan, lambda totals: noisy_tables(plan, curator.zoning, curator.period, totals),
        release_info(plan, curator.zoning, curator.period))  # fmt: skip


def attacked(subject: Subject, seed: int, n_synthetic: int) -> list[Evidence]:
    """Every attack at every size of group."""
    rng = np.random.default_rng(seed)
    found: list[Evidence] = []
    for group, n_trials in TRIALS.items():
        found += membership.on_aggregates(subject, group, n_trials, rng, lambda _: None)
        found += zeroauxiliary.attack(subject, group, zeroauxiliary.N_TRIALS, rng, lambda _: None)
    if n_synthetic:
        found += on_synthetic(subject, [trial(subject, halves(subject.n, rng), seed + k) for k in range(n_synthetic)], rng)
    return found


def cell(e: Evidence) -> str:
    """A value and its interval, and what it may be at most."""
    allowed = "" if e.limit is None else f" (at most {e.limit:.3f}{'' if e.passed else ', FAILED'})"
    return f"{e.value:.3f} [{e.low:.3f}, {e.high:.3f}]{allowed}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=Path, default=DATA)
    parser.add_argument("--zones", type=Path, help="zones.geojson among the records by default")
    parser.add_argument("--world", type=int, metavar="N", help="a made-up operator of N subscribers in place of records")
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--epsilon", type=float, nargs="+", default=[0.5, 1.0, 2.0, 4.0])
    parser.add_argument("--people", type=int, default=20_000, help="how many of the subscribers are sampled")
    parser.add_argument("--synthetic", type=int, default=0, metavar="TRIALS", help="also attack synthetic people, in so many trials")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.records
        if asked.world:
            folder = Path(scratch) / "records"
            worlds.london(asked.world, asked.days, asked.seed).write(folder, events=False)
        curator = Curator.of(folder, read_zoning(asked.zones or folder / "zones.geojson"))
        plans = [curator.plan(Plan.standard(epsilon, DELTA)) for epsilon in asked.epsilon]
        sample = curator.sample(plans[0], asked.people)
    columns: list[list[Evidence]] = []
    for plan in plans:
        began = time.perf_counter()
        columns.append(attacked(subject_of(curator, sample, plan), asked.seed, asked.synthetic))
        print(f"epsilon {plan.epsilon:g}: {time.perf_counter() - began:.0f} s", flush=True)
    name = f"a world of {asked.world:,}" if asked.world else folder.name
    print(f"\n{name}, {curator.period.days} days, {len(curator.zoning.ids)} zones, {len(sample.persons):,} people sampled, "
          f"seed {asked.seed}\n\n| attack | " + " | ".join(f"epsilon {e:g}" for e in asked.epsilon) + " |")  # fmt: skip
    print("|" + " --- |" * (1 + len(columns)))
    for row in zip(*columns, strict=True):
        print(f"| {row[0].title} | " + " | ".join(cell(e) for e in row) + " |")


if __name__ == "__main__":
    main()
