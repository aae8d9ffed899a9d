"""A ledger under attack as a table: `uv run python tests/benchmarks/ledger.py`.

Processes that spend at once and are killed at any call of the system or at any moment, through the Python API and through the
command line: what all that were told 'allowed', or left a release, have spent is never above the total, and the ledger verifies
afterwards. Then copies of a ledger are edited, cut, reordered, replayed, spliced and put back: how many are found.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from spenders import DELTA, Outcome, spend, storm
from tinyrecords import operator

from synthmob import Plan, Release, accounting
from synthmob.errors import FormatError
from synthmob.ledger import Head, Ledger
from synthmob.ledger.budget import allows

SPENDS, COMMANDS, EDITS = 1_000, 50, 100
API_EPSILON, COMMAND_EPSILON, TOTAL = 0.05, 0.2, 1.0
KILLED = 0.3
COMMAND = "import sys; from synthmob.cli import main; sys.exit(main())"


def through_python(top: Path, n: int, at_once: int, rng: random.Random) -> None:
    """`n` processes through the Python API."""
    started = time.perf_counter()
    told = storm(top / "api.jsonl", n, at_once=at_once, epsilon=API_EPSILON, total=TOTAL, killed=KILLED, rng=rng)
    _row(f"{n} spends through the Python API, {at_once} at once", told, top / "api.jsonl", spend(API_EPSILON).rho, started)


def through_commands(top: Path, n: int, at_once: int, rng: random.Random) -> None:
    """`n` runs of `synthmob measure` on one small set of records, some of them killed."""
    records, ledger = operator(top / "operator" / "records"), top / "commands.jsonl"
    dropped = (r.name for r in Plan.standard().requests if r.name != "demographics")
    (top / "plan.toml").write_text("".join(f'[tables."{name}"]\nshare = 0\n' for name in dropped))
    fixed = ("measure", records, "--zones", records / "zones.geojson", "--epsilon", COMMAND_EPSILON, "--delta", DELTA, "--plan",
             top / "plan.toml", "--yes", "--ledger", ledger, "--total-epsilon", TOTAL)  # fmt: skip
    told, running, begun, started = Outcome(), dict[subprocess.Popen[bytes], float | None](), 0, time.perf_counter()
    numbers: dict[subprocess.Popen[bytes], int] = {}
    while begun < n or running:
        while begun < n and len(running) < at_once:
            words = [sys.executable, "-c", COMMAND, *map(str, fixed), "-o", str(top / f"release-{begun}")]
            with (top / f"said-{begun}").open("wb") as said:
                process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=said)
            numbers[process] = begun
            running[process] = time.monotonic() + rng.random() * 3 * at_once if rng.random() < KILLED else None
            begun += 1
        for process, kill_at in list(running.items()):
            if process.poll() is None and kill_at is not None and time.monotonic() > kill_at:
                process.kill()
            if process.poll() is not None:
                del running[process]
                _add(told, process.returncode, top / f"said-{numbers[process]}")
        time.sleep(0.05)
    releases = [folder for folder in (top / f"release-{k}" for k in range(n)) if (folder / "release.json").exists()]
    found = [Release.load(folder) for folder in releases]
    Ledger.open(ledger).verify((folder.name, release.head) for folder, release in zip(releases, found, strict=True) if release.head)
    paid = accounting.compose(release.rho for release in found)
    print(f"| releases on the disk | {len(found)}, each verified against the ledger, rho {paid:.5f} of {_total():.5f} |")
    if paid > _total():
        raise SystemExit("overspent")
    _row(f"{n} runs of synthmob measure, {at_once} at once", told, ledger, spend(COMMAND_EPSILON).rho, started)


def _add(told: Outcome, code: int, said: Path) -> None:
    if code == 0:
        told.allowed += 1
    elif code == 3:
        told.refused += 1
    elif code < 0:
        told.killed += 1
    else:
        told.failed.append(f"exit code {code}: {said.read_text()[-300:]}")


def _row(what: str, told: Outcome, ledger: Path, each: float, started: float) -> None:
    state = Ledger.open(ledger).verify()
    in_all = told.allowed * each
    if told.failed or state.total is None or not allows(state.total, max(in_all, state.rho), 0.0) or told.allowed > len(state.spends):
        raise SystemExit(f"{what}: {told}, {len(state.spends)} lines, rho {state.rho}")
    broken = sum(e.content["kind"] == "repaired" for e in state.entries)
    print(f"| {what} | told allowed {told.allowed}, refused {told.refused}, killed before told {told.killed}; spends in the ledger "
          f"{len(state.spends)}, unfinished lines removed {broken}; rho told {in_all:.5f}, in the ledger {state.rho:.5f}, "
          f"total {_total():.5f} |")
    print(f"| seconds | {time.perf_counter() - started:.0f} |", flush=True)


def _total() -> float:
    return accounting.rho_from(TOTAL, DELTA)


Tamper = Callable[[random.Random, Path, Path], list[tuple[str, Head]]]
"""Changes a copy of a ledger, given the folder of earlier copies too; returns the heads of releases that it is held against."""


def _lines(change: Callable[[random.Random, list[bytes], list[bytes]], list[bytes]]) -> Tamper:
    def tamper(rng: random.Random, copy: Path, kept: Path) -> list[tuple[str, Head]]:
        own, other = (path.read_bytes().splitlines(keepends=True) for path in (copy / "l.jsonl", kept / "other" / "l.jsonl"))
        (copy / "l.jsonl").write_bytes(b"".join(change(rng, own, other)))
        return []

    return tamper


def _edited(rng: random.Random, copy: Path, _kept: Path) -> list[tuple[str, Head]]:
    content = bytearray((copy / "l.jsonl").read_bytes())
    content[rng.randrange(len(content))] ^= rng.randrange(1, 256)
    (copy / "l.jsonl").write_bytes(content)
    return []


def _cut(rng: random.Random, copy: Path, _kept: Path) -> list[tuple[str, Head]]:
    content = (copy / "l.jsonl").read_bytes()
    (copy / "l.jsonl").write_bytes(content[: rng.randrange(len(content))])
    return []


def _older(rng: random.Random, copy: Path, kept: Path) -> list[tuple[str, Head]]:
    shutil.copy(kept / f"after-{rng.randrange(9)}" / "l.jsonl", copy / "l.jsonl")
    return []


def _both_older(rng: random.Random, copy: Path, kept: Path) -> list[tuple[str, Head]]:
    age = rng.randrange(9)
    for name in ("l.jsonl", "l.head"):
        shutil.copy(kept / f"after-{age}" / name, copy / name)
    return [("a later release", Ledger.open(kept / f"after-{rng.randrange(age + 1, 10)}" / "l.jsonl").state().head)]


def _swapped(rng: random.Random, own: list[bytes], _other: list[bytes]) -> list[bytes]:
    one, two = sorted(rng.sample(range(len(own)), 2))
    return [*own[:one], own[two], *own[one + 1 : two], own[one], *own[two + 1 :]]


def _replayed(rng: random.Random, own: list[bytes], _other: list[bytes]) -> list[bytes]:
    place = rng.randrange(1, len(own) + 1)
    return [*own[:place], rng.choice(own), *own[place:]]


def _spliced(rng: random.Random, own: list[bytes], other: list[bytes]) -> list[bytes]:
    first = rng.randrange(len(own))
    last = rng.randrange(first + 1, len(own) + 1)
    return [*own[:first], *other[first:last], *own[last:]]


TAMPERINGS: dict[str, Tamper] = {
    "one byte changed": _edited, "cut anywhere": _cut, "last lines removed": _lines(lambda rng, own, _: own[: rng.randrange(len(own))]),
    "two lines swapped": _lines(_swapped), "a line replayed": _lines(_replayed),
    "lines of another ledger of the same key": _lines(_spliced), "an older copy under today's head": _older,
    "an older copy with its head, against a later release": _both_older}  # fmt: skip


def tampered(top: Path, n: int, rng: random.Random) -> None:
    """`n` changed copies of each kind."""
    kept = top / "kept"
    for name in ("now", "other"):
        ledger = Ledger.open(kept / name / "l.jsonl", customers="them", key=top / "key")
        for k in range(10):
            ledger.spend(spend(0.05, tables=4), total_epsilon=TOTAL)
            if name == "now":
                shutil.copytree(kept / "now", kept / f"after-{k}")
    for folder in kept.iterdir():
        shutil.copy(top / "key", folder / "l.key")
    for what, tamper in TAMPERINGS.items():
        found = sum(_found(tamper, rng, kept, copy) for copy in _copies(kept, top, n))
        print(f"| {what} | found {found} of {n} |", flush=True)
        if found < n:
            raise SystemExit("not found")


def _copies(kept: Path, top: Path, n: int) -> Iterator[Path]:
    for _ in range(n):
        yield Path(shutil.copytree(kept / "now", top / "copy"))
        shutil.rmtree(top / "copy")


def _found(tamper: Tamper, rng: random.Random, kept: Path, copy: Path) -> bool:
    heads = tamper(rng, copy, kept)
    try:
        Ledger.open(copy / "l.jsonl").verify(heads)
    except FormatError:
        return True
    return False


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spends", type=int, default=SPENDS)
    parser.add_argument("--commands", type=int, default=COMMANDS)
    parser.add_argument("--edits", type=int, default=EDITS)
    parser.add_argument("--at-once", type=int, default=16, help="processes at once")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4)))
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    print(f"seed {asked.seed}\n\n| what | outcome |\n| --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        if asked.edits:
            tampered(top, asked.edits, rng)
        if asked.spends:
            through_python(top, asked.spends, asked.at_once, rng)
        if asked.commands:
            through_commands(top, asked.commands, asked.at_once, rng)


if __name__ == "__main__":
    main()
