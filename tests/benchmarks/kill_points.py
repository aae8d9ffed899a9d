"""generate and measure killed at many points, as a table: `uv run python tests/benchmarks/kill_points.py`.

Every process gets SIGKILL before one of its calls of the system, or at a moment on the clock; what it leaves is looked at, and then the
same is asked for again. A generate that goes on must end in the bytes of one that was never killed; a measure must leave no release or a
whole one, and a ledger that has counted every release that there is. Exit code 1 where any of that is not so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import handmade
import killed
import smallrun

from synthmob import manifest, modelfile, worlds
from synthmob.ledger import Ledger
from synthmob.pipeline import modelling
from synthmob.pipeline.measurement import Asked, measure
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles
from synthmob.plan import Plan
from synthmob.release import Release
from synthmob.synthesis import days
from synthmob.synthesis.unfinished import beside

BLOCK, PERSONS = 256, 5 * 8 * 256
SUBSCRIBERS = 300
TABLES = ("demographics", "home@district", "chains", "stays_per_day")


@dataclass
class Tally:
    """What was seen at the points of one step."""

    step: str
    points: int = 0
    killed: int = 0
    nothing: int = 0
    whole: int = 0
    wrong: int = 0
    begun: int = 0

    def row(self) -> str:
        """A line of the table."""
        return f"{self.step:<22} {self.points:>6} {self.killed:>6} {self.nothing:>8} {self.whole:>6} {self.begun:>7} {self.wrong:>6}"


def digest(folder: Path) -> str:
    """The SHA-256 of a folder's files."""
    return manifest.digest(folder)


def generate_points(top: Path, points: Iterable[dict[str, float | int]], *, workers: int, whole: str) -> Tally:
    """Kill generate at points, look at what it leaves, kill the run that goes on too, and let a third one end."""
    tally = Tally(f"generate, {workers} workers")
    for number, point in enumerate(points):
        out = top / f"at{number}" / "out"

        def run(out: Path = out) -> None:
            modelling.generate(top / "model", out, persons=PERSONS, days=2, seed=3, workers=workers, resume=True)

        for again in (False, True):
            ending = killed.run(run, **({k: v / 2 if again else v for k, v in point.items()} if "after_s" in point else point))
            tally.points, tally.killed = tally.points + 1, tally.killed + ending.killed
            tally.nothing += not out.exists()
            tally.begun += beside(out).exists()
            there = out.exists()
            tally.whole += there and digest(out) == whole
            tally.wrong += (there and digest(out) != whole) or bool(ending.told)
        run()
        tally.wrong += digest(out) != whole or [p.name for p in out.parent.iterdir()] != ["out"]
    return tally


def measure_points(top: Path, points: Iterable[dict[str, float | int]], run: Callable[[Path], None]) -> Tally:
    """Kill measure at points: no release or a whole one, and every one is in the ledger."""
    tally = Tally("measure")
    ledger = top / "ledger.jsonl"
    for number, point in enumerate(points):
        release = top / f"release{number}"
        before = len(Ledger.open(ledger).state().spends) if ledger.exists() else 0
        ending = killed.run(lambda release=release: run(release), **point)
        spends = len(Ledger.open(ledger).verify().spends) - before if ledger.exists() else 0
        there = release.exists()
        tally.points, tally.killed = tally.points + 1, tally.killed + ending.killed
        tally.nothing, tally.whole, tally.begun = tally.nothing + (not there), tally.whole + there, tally.begun + (spends and not there)
        if there:
            _ = Release.load(release), manifest.read(release)
        tally.wrong += spends not in (0, 1) or (there and spends != 1) or bool(ending.told)
    run(top / "last")
    tally.wrong += not Release.load(top / "last").marginals
    return tally


def made_up_operator(folder: Path) -> Callable[[Path], None]:
    """Measures a few tables of a small record folder into a release: what is killed is how they get to the disk, not how many there are."""
    worlds.london(SUBSCRIBERS, 1, seed=1, h3_resolution=6, first_day=smallrun.FRIDAY).write(folder, events=False)
    plan = folder.parent / "plan.toml"
    plan.write_text("".join(f'[tables."{r.name}"]\nshare = 0\n' for r in Plan.standard().requests if r.name not in TABLES))

    def run(release: Path) -> None:
        measure(
            RecordFiles(folder), ZoningFile(folder / "zones.geojson"), release, Asked(200.0, 1e-6, plan, 10),
            show=lambda *_: True, progress=lambda *_: None)  # fmt: skip

    return run


def spread(seconds: float, n: int) -> list[dict[str, float | int]]:
    """Moments spread over a run, the half of one before its beginning and its end."""
    return [{"after_s": seconds * (k + 0.5) / n} for k in range(n)]


def calls(n: int, step: int) -> list[dict[str, float | int]]:
    """Every step-th call of the system."""
    return [{"at": 1 + k * step} for k in range(n)]


def main() -> int:
    """Print the table; 1 where something wrong was left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=104, help="of generate, and of measure")
    parser.add_argument("--only", choices=("generate", "measure"), help="one of the two")
    asked = parser.parse_args()
    n, days.BLOCK = asked.points, BLOCK
    found: list[Tally] = []

    def told(tally: Tally) -> None:
        found.append(tally)
        print(tally.row(), flush=True)

    print(f"{'step':<22} {'points':>6} {'killed':>6} {'no OUT':>8} {'whole':>6} {'begun':>7} {'wrong':>6}", flush=True)
    with tempfile.TemporaryDirectory(prefix="kill-points-") as folder:
        top = Path(folder)
        if asked.only != "measure":
            modelfile.save(handmade.model(), top / "model")
            modelling.generate(top / "model", top / "whole", persons=PERSONS, days=2, seed=3)
            whole = digest(top / "whole")
            usual = killed.run(lambda: modelling.generate(top / "model", top / "usual", persons=PERSONS, days=2, seed=3, resume=True))
            told(_in(top, "a", calls(n // 4, 4), 1, whole))
            told(_in(top, "b", spread(usual.seconds, n - n // 4 - n // 2), 2, whole))
        if asked.only != "generate":
            operator = made_up_operator(top / "records")
            operator(top / "first")  # loads and compiles what a fork then has
            usual = killed.run(lambda: operator(top / "second"))
            told(measure_points(top, [*calls(n // 2, 2), *spread(usual.seconds, n - n // 2)], operator))
    print("begun: to be gone on with, or spent without a release")
    return int(any(tally.wrong for tally in found))


def _in(top: Path, name: str, points: list[dict[str, float | int]], workers: int, whole: str) -> Tally:
    place = top / name
    place.mkdir()
    (place / "model").symlink_to(top / "model")
    return generate_points(place, points, workers=workers, whole=whole)


if __name__ == "__main__":
    sys.exit(main())
