"""How people travel, in records, their release and the people made of it: `uv run python tests/benchmarks/modes.py RECORDS ZONES`.

Shares of modes by band of distance, and of trips by the mode of the one before, at epsilon 1 and with neither noise nor cut. They are
exact and so confidential where the records are: run it on records that are yours.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from synthmob import Plan, fit, generate, read_zoning, write
from synthmob.counts import STATISTICS, count
from synthmob.engine import connect
from synthmob.fidelity.people import tables_of
from synthmob.fidelity.sides import open_side
from synthmob.private.curator import Curator
from synthmob.synthesis.days import Population
from synthmob.synthesis.outfolder import open_out

RUNS = (("epsilon 1", 1.0, 50), ("neither noise nor cut", 1000.0, 1))
TABLES = ("modes", "mode_again")
FEW = 0.005
"""Bands of fewer trips than this part of all are left out."""


def counted(people: Population) -> dict[str, Any]:
    """The same counts of generated people, without a bound."""
    backend = connect()
    with tempfile.TemporaryDirectory() as scratch:
        out = open_out(write(people, Path(scratch) / "out", workers=2), backend)
        period = replace(people.model.period, days=people.days)
        side = open_side(backend, tables_of(out), out.zoning, people.model.domain, period, name="made")
        return {name: count(STATISTICS[name], side.coded, "", bound_l2=None, confidential=False).dense() for name in TABLES}


def show(title: str, counts: Any, rows: Any, labels: list[str], heads: list[str]) -> None:
    """The shares of each row, blank where a count is not known."""
    share = counts / np.maximum(np.nansum(counts, axis=1, keepdims=True), 1e-300)
    print(f"\n| {title} | " + " | ".join(heads) + " |\n|" + " --- |" * (1 + len(heads)))
    for row in rows:
        print(f"| {labels[row]} | " + " | ".join("" if np.isnan(value) else f"{value:.3f}" for value in share[row]) + " |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=Path)
    parser.add_argument("zones", type=Path)
    parser.add_argument("--persons", type=int, default=50_000)
    asked = parser.parse_args()
    zoning = read_zoning(asked.zones)
    owner = Curator.of(asked.records, zoning)
    exact = owner.truth(Plan.standard(1.0, 1e-6))
    if "modes" not in exact:
        raise SystemExit(f"{asked.records} has no modes: give records whose stays have a column mode.")
    for title, epsilon, group in RUNS:
        release = owner.measure(replace(Plan.standard(epsilon, 1e-6), min_group=group))
        made = counted(generate(fit(release, zoning), n_persons=asked.persons, days=owner.period.days, seed=1))
        for name in TABLES:
            truth, (first, second) = exact[name].dense(), exact[name].axes
            rows = np.flatnonzero(truth.sum(axis=1) > FEW * truth.sum())
            labels, heads = ([axis.label(k) for k in range(axis.size)] for axis in (first, second))
            for who, counts in (("records", truth), ("release", release.marginals[name].dense(np.nan)), ("generated", made[name])):
                show(f"{title}: {who}, {first.name}", counts, rows, labels, heads)


if __name__ == "__main__":
    main()
