"""The verb `generate`, like the others in `cli`: arguments in, one step, what was made in a line."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from synthmob import arguments


def add(verbs: Any, epilog: str) -> None:
    """Add the verb to the parser's others."""
    p = verbs.add_parser("generate", help="a model in, synthetic people and their days out", epilog=epilog)
    p.add_argument("model", type=Path, metavar="MODEL")
    p.add_argument("--persons", type=int, required=True, help="how many people")
    p.add_argument("--days", type=int, default=1, help="how many days, from the period's first on (default 1)")
    p.add_argument("--seed", type=int, default=0, help="the same seed gives the same files (default 0)")
    p.add_argument("--scale-to", type=Path, metavar="CENSUS", help="residents by district (or zone), sex, age_band, n: gives each a weight")
    p.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="threads (default: one a processor)")
    p.add_argument("--engine", metavar="NAME",
                   help="let tasks of Spark make the parts: local[*] on this machine, spark://HOST:PORT on a cluster")  # fmt: skip
    p.add_argument("--resume", action="store_true", help="go on where a run for the same OUT was broken off, and keep what this one writes")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder to write")
    arguments.add_events(p)
    p.set_defaults(run=run)


def run(a: argparse.Namespace) -> None:
    """Generate, and say what was made."""
    from synthmob import terminal
    from synthmob.pipeline.modelling import generate

    with terminal.persons_progress() as progress:
        people = generate(
            a.model, a.output, persons=a.persons, days=a.days, seed=a.seed, workers=a.workers, census=a.scale_to,
            progress=progress, events=arguments.events(a), site_list=a.sites, resume=a.resume, engine=a.engine)  # fmt: skip
    print(f"{a.output}: {people.n_persons:,} synthetic persons, {people.days} days, seed {people.seed}")
    if people.census is not None:
        print(f"Their weights make them the {people.census.total:,.0f} residents of {a.scale_to}.")
