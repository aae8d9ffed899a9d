"""Bugs planted in the real code, one at a time, and what of the audit finds each: `uv run python tests/benchmarks/planted_bugs.py`.

By default over a made-up operator; `RECORDS ZONES` for others. A cell is what a detector came to, `!` where it sounds the alarm; the first
line is the shipped code. Nothing in the package knows of these bugs: they are patched in from here.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthmob import worlds
from synthmob.audit.evidence import Evidence
from synthmob.pipeline import spending
from synthmob.pipeline.attacks import Attacks, Extent
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles
from synthmob.pipeline.tracing import Tracer
from synthmob.pipeline.twoprocesses import two_processes
from synthmob.plan import Plan
from synthmob.private import bounding, curator, noise
from synthmob.release import Release

Patch = Callable[[pytest.MonkeyPatch], None]
SMALL_TABLE = 100


def evidence(attacks: Attacks) -> list[Evidence]:
    """What the audit's own stages find of the mechanism alone: noise, cut and account, canaries."""
    exact = attacks.curator.exact(attacks.plan)
    return [*attacks._noise(exact), *attacks._release(exact), *attacks._canaries(exact, lambda _: None)]


def program(bug: str) -> tuple[str, ...]:
    """The commands with a bug planted, as the words of a process."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import planted_bugs; planted_bugs.for_good({bug!r})"
    return (sys.executable, "-c", f"{code}; from synthmob.cli import main; sys.exit(main(sys.argv[1:]))")


# ---------------------------------------------------------------- the bugs


def _whole(contributions: Any) -> Any:
    """Contributions as they come, in 1/1024 person."""
    return contributions.select("person_id", "cell", fixed=(contributions.weight * 1024).floor().cast("int64"))


def bound_dropped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bounding, "fixed_contributions", lambda contributions, bound_l2: _whole(contributions))


def bound_tenfold(patch: pytest.MonkeyPatch) -> None:
    real = bounding.fixed_contributions
    patch.setattr(bounding, "fixed_contributions", lambda contributions, bound_l2: real(contributions, 10 * bound_l2))


def third_of_sigma(patch: pytest.MonkeyPatch) -> None:
    real = noise._scale
    patch.setattr(noise, "_scale", lambda sigma: real(sigma) / 3)


def no_noise(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(noise, "_gaussian", lambda counts, scale, workers: counts.copy())
    patch.setattr(noise, "empty_cells_published", lambda n_empty, scale, least: ([], np.empty(0, dtype=np.int64)))


def _drawn(counts: Any, scale: Fraction, chance: np.random.Generator) -> Any:
    return counts + np.rint(chance.normal(scale=float(scale), size=len(counts))).astype(np.int64)


def noise_seeded_each_call(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(noise, "_gaussian", lambda counts, scale, workers: _drawn(counts, scale, np.random.default_rng(7)))


def noise_seeded_once(patch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(7)
    patch.setattr(noise, "_gaussian", lambda counts, scale, workers: _drawn(counts, scale, chance))


def threshold_on_true_count(patch: pytest.MonkeyPatch) -> None:
    real = noise.add_noise

    def add(cells: Any, counts: Any, n_domain: int, sigma: float, cut: float, workers: int | None = None) -> Any:
        enough = counts >= cut * 1024
        found, noisy = real(cells[enough], counts[enough], n_domain, sigma, cut, workers)
        kept = np.isin(found, cells[enough])
        return found[kept], noisy[kept]

    patch.setattr(noise, "add_noise", add)


def table_not_in_ledger(patch: pytest.MonkeyPatch) -> None:
    real = spending.Spend

    def spend(step: str, epsilon: float, delta: float, rho: float, tables: Mapping[str, float], **rest: Any) -> Any:
        fewer = dict(list(tables.items())[:-1])
        return real(step, epsilon, delta, sum(fewer.values()), fewer, **rest)

    patch.setattr(spending, "Spend", spend)
    patch.setattr(spending, "check_paid", lambda release, paid: None)  # or measure refuses by itself


def _total_kept(real: Any) -> Any:
    """A noise whose last cell takes up what the others add, in small tables."""

    def gaussian(counts: Any, scale: Fraction, workers: int | None) -> Any:
        noisy = real(counts, scale, workers)
        if 1 < len(noisy) <= SMALL_TABLE:
            noisy[-1] += counts.sum() - noisy.sum()
        return noisy

    return gaussian


def total_exact(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(noise, "_gaussian", _total_kept(noise._gaussian))


def total_told(patch: pytest.MonkeyPatch) -> None:
    """The number of subscribers in the notes of a release."""
    real, seen = curator._totals, list[int]()

    def totals(table: Any, request: Any) -> Any:
        found = real(table, request)
        if request.name == "demographics":
            seen.append(int(found[1].sum()) // 1024)
        return found

    patch.setattr(curator, "_totals", totals)
    patch.setattr(curator.Curator, "measure", _telling(curator.Curator.measure, seen))


def _telling(measure: Any, seen: list[int]) -> Any:
    def told(self: Any, *words: Any, **rest: Any) -> Release:
        release = measure(self, *words, **rest)
        return replace(release, info={**release.info, "notes": [f"made from the days of {seen[-1]:,} subscribers"]})

    return told


BUGS: dict[str, Patch] = {
    "none: the shipped code": lambda patch: None,
    "contribution bound dropped": bound_dropped,
    "contribution bound tenfold": bound_tenfold,
    "sigma / 3": third_of_sigma,
    "no noise": no_noise,
    "noise seeded at every call": noise_seeded_each_call,
    "noise seeded once a process": noise_seeded_once,
    "threshold on the true count": threshold_on_true_count,
    "a table not in the ledger": table_not_in_ledger,
    "a total left exact": total_exact,
    "the total told in the notes": total_told,
}


def for_good(bug: str) -> None:
    """Plant a bug for the rest of this process."""
    BUGS[bug](pytest.MonkeyPatch())


@contextmanager
def planted(bug: str) -> Iterator[None]:
    """Plant a bug for a while."""
    with pytest.MonkeyPatch.context() as patch:
        BUGS[bug](patch)
        yield


# ---------------------------------------------------------------- the table


def cell(evidence: Evidence) -> str:
    """What a detector came to, in little room."""
    value = f"{evidence.value:.0e}" if evidence.unit == "p" and evidence.value < 0.01 else f"{evidence.value:.2f}"
    return value + ("!" if evidence.passed is False else " ")


def main() -> int:
    """Print the table; 1 where a bug is missed or the shipped code is accused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=Path, nargs="?")
    parser.add_argument("zones", type=Path, nargs="?")
    parser.add_argument("--subscribers", type=int, default=50_000, help="of the made-up operator, for a day")
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--canaries", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--bug", action="append", choices=list(BUGS), help="this one alone (may be repeated)")
    asked = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        small = scratch / "small"
        worlds.london(1_000, 1, seed=1, h3_resolution=6).write(small, events=False)
        few = ZoningFile(small / "zones.geojson")
        door = RecordFiles(small).curator(few.read())
        sample = door.sample(door.plan(Plan.standard(asked.epsilon, 1e-6)))
        records, zones = asked.records, asked.zones
        if records is None:
            records = scratch / "records"
            worlds.london(asked.subscribers, 1, seed=1).write(records, events=False)
            zones = records / "zones.geojson"
        files, shapes = RecordFiles(records), ZoningFile(zones)
        whole = files.curator(shapes.read())
        plan = whole.plan(Plan.standard(asked.epsilon, 1e-6))
        extent = Extent(canaries=asked.canaries // asked.runs, canary_runs=asked.runs)
        for bug in asked.bug or BUGS:
            begun = time.monotonic()
            with planted(bug):
                found = evidence(Attacks(files, shapes, whole, plan, extent, scratch, np.random.default_rng()))
            place = scratch / f"{time.monotonic_ns()}"
            tracer = Tracer(sample.persons, sample.stays, door.period, few, place, program(bug))
            found.append(two_processes(tracer, lambda _: None))
            if not wrong and bug == (asked.bug or list(BUGS))[0]:
                print(f"{'bug':30}" + "".join(f"{e.name.split('.')[1] if e.family == 'mechanism' else e.name:>17}" for e in found))
            print(f"{bug:30}" + "".join(f"{cell(e):>17}" for e in found) + f"   {time.monotonic() - begun:.0f} s", flush=True)
            wrong += any(e.passed is False for e in found) == (bug == next(iter(BUGS)))
    return 1 if wrong else 0


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "200")
    raise SystemExit(main())
