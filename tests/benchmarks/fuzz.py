"""Ten thousand spoilt inputs through the Python API: `uv run python tests/benchmarks/fuzz.py [CASES] [--seed N] [--workers K]`.

Releases, models, OUT folders, zonings, plans, periods, check results and records are made right, spoilt and opened, each case in a
folder of its own. A case may take five seconds by the clock and the process two gigabytes; whoever dies, by a signal of its own
too, has crashed. What is accepted must obey its laws, what is refused must say so in one sentence, and neither may leave anything.
Printed is a table of kind by outcome; the exit code is 1 where a case crashed, hung or left something half done.

A clock does not know how busy a machine is, so a case that takes too long is played once more at the end, alone, and hangs where
it takes five seconds by the clock and of processor time, too, or a minute by the clock; how many were is printed.
`--only KIND --case NUMBER` plays one case of a seed again and says what became of it. What is spoilt, and how, is in tests/fuzz;
`fuzz_atheris.py` beside this file is led by what code a text reaches.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("fuzz", ".")]

import fuzz_bases  # noqa: E402
from fuzz_cases import CRASH, HANG, OUTCOMES, PARTIAL, TookTooLongError, played, removed  # noqa: E402
from fuzz_kinds import KINDS, Kind  # noqa: E402

from synthmob.zonefiles import read_zoning  # noqa: E402

SECONDS, ALONE, GRACE, STARTING = 5.0, 60.0, 10.0, 120.0
"""How long a case may take, and by the clock where it is alone; how much longer one that no alarm can reach is waited for; and how
long a process may take to start."""
AGAIN = 0.25
"""How often it is looked whether a case that is late by the clock is late by its processor time."""
MEMORY, ADDRESSES = 2 << 30, 16 << 30
"""The most memory of a process, and of addresses, whatever it does."""
UNIT = 1024 if sys.platform == "linux" else 1


@dataclass
class Worker:
    """A process that plays cases, and what it is at."""

    process: subprocess.Popen[bytes]
    case: tuple[str, int] | None = None
    until: float = 0.0
    said: bytes = b""
    warm: bool = False


@dataclass
class Count:
    """What became of the cases."""

    found: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    failures: list[str] = field(default_factory=list)
    alone: int = 0
    peak: int = 0


def schedule(cases: int, seed: int, only: str | None) -> list[tuple[str, int]]:
    """Which kind each case is of, in their shares, mixed."""
    kinds = [KINDS[only]] if only else list(KINDS.values())
    rng = random.Random(f"{seed}/order")
    return [(rng.choices(kinds, [kind.share for kind in kinds])[0].name, number) for number in range(cases)]


def play(kind: Kind, seed: int, number: int, bases: fuzz_bases.Bases, top: Path, *, alone: bool) -> tuple[str, str]:
    """One case, under an alarm from when it is opened."""
    place = top / f"{os.getpid()}-{number}"
    place.mkdir()
    late: list[bool] = []
    since = [0.0, 0.0]

    def alarm(*_: Any) -> None:
        if alone and time.process_time() - since[1] < SECONDS and time.monotonic() - since[0] < ALONE:
            return  # the clock ran, but not for this process
        late.append(True)
        raise TookTooLongError

    def opening() -> None:
        since[:] = time.monotonic(), time.process_time()
        signal.setitimer(signal.ITIMER_REAL, SECONDS, AGAIN)

    signal.signal(signal.SIGALRM, alarm)
    try:
        outcome, said = played(kind, random.Random(f"{seed}/{kind.name}/{number}"), bases, place, opening)
    except TookTooLongError:
        outcome, said = HANG, "".join(traceback.format_exc().splitlines(keepends=True)[-7:-1])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        removed(place)
    return (HANG, f"{outcome}: {said}") if late else (outcome, said)  # a library may have turned the alarm into an error of its own


def started(seed: int, top: Path) -> Worker:
    """A process that waits for cases: a new one, for a copy of this one would have copies of locks."""
    words = [sys.executable, __file__, "--seed", str(seed), "--worker", str(top)]
    return Worker(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))


def work(seed: int, top: Path) -> int:
    """Play what is asked until there is nothing more."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.dup(1)
    os.dup2(2, 1)
    bases = fuzz_bases.Bases(top / "bases", read_zoning(top / "bases" / "geojson" / "zones.geojson"))
    for line in sys.stdin:
        name, number, alone = line.rstrip("\n").split("\t")
        outcome, said = play(KINDS[name], seed, int(number), bases, top, alone=alone == "alone")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
        if peak > MEMORY:
            outcome, said = CRASH, f"took {peak >> 20} MB of memory; {outcome}: {said}"
        os.write(answers, json.dumps([outcome, peak, said]).encode() + b"\n")
        if peak > MEMORY:
            return 1
    return 0


def run(cases: list[tuple[str, int]], seed: int, workers: int, top: Path) -> Count:
    """Play all cases on some processes; one that ends or hangs is replaced."""
    count, waiting, doubted = Count(), collections.deque(cases), list[tuple[str, int]]()
    crew = [started(seed, top) for _ in range(workers)]
    while waiting or doubted or any(worker.case for worker in crew):
        if not waiting and not any(worker.case for worker in crew):
            waiting.append(doubted.pop())
            count.alone += 1
        for worker in crew:
            if worker.case is None and waiting:
                _ask(worker, waiting.popleft(), alone=count.alone > 0)
        busy = [worker for worker in crew if worker.case]
        ready = select.select([worker.process.stdout for worker in busy], [], [], 0.5)[0]
        for worker in busy:
            outcome, said = _heard(worker, worker.process.stdout in ready, count)
            case = worker.case
            if outcome is None or case is None:
                continue
            worker.case, worker.warm = None, True
            if outcome == HANG and not count.alone:
                doubted.append(case)
            else:
                _note(count, case, outcome, f"--seed {seed} --only {case[0]!r} --case {case[1]}\n    {said[:1500]}")
            if worker.process.poll() is not None or said.startswith("took "):
                worker.process.wait()
                crew[crew.index(worker)] = started(seed, top)
    for worker in crew:
        worker.process.communicate()
    return count


def _note(count: Count, case: tuple[str, int], outcome: str, said: str) -> None:
    count.found[case[0], outcome] += 1
    if outcome in (CRASH, HANG, PARTIAL):
        count.failures.append(f"{outcome}: {said}")


def _ask(worker: Worker, case: tuple[str, int], *, alone: bool) -> None:
    worker.case, worker.until = case, time.monotonic() + (ALONE if alone else SECONDS) + GRACE + (0 if worker.warm else STARTING)
    with contextlib.suppress(BrokenPipeError):  # what it died of is seen when it is heard
        os.write(worker.process.stdin.fileno(), f"{case[0]}\t{case[1]}\t{'alone' if alone else 'beside'}\n".encode())


def _heard(worker: Worker, ready: bool, count: Count) -> tuple[str | None, str]:
    """What a worker has answered, None where it is not done yet; one that cannot be reached is ended."""
    if ready:
        text = os.read(worker.process.stdout.fileno(), 1 << 16)
        worker.said += text
        if not text:
            status = worker.process.wait()
            return CRASH, f"the process ended: {signal.strsignal(-status) if status < 0 else f'exit code {status}'}"
    if worker.said.endswith(b"\n"):
        outcome, peak, said = json.loads(worker.said)
        worker.said = b""
        count.peak = max(count.peak, peak)
        return outcome, said
    if time.monotonic() > worker.until:
        worker.process.kill()
        worker.process.wait()
        return HANG, "no alarm reached it"
    return None, ""


def table(count: Count) -> str:
    """Kind by outcome."""
    width = max(map(len, KINDS))
    lines = [f"{'kind':{width}} {'cases':>7} " + " ".join(f"{outcome:>8}" for outcome in OUTCOMES)]
    for name in (*KINDS, "all"):
        row = [sum(n for (kind, found), n in count.found.items() if found == outcome and name in (kind, "all")) for outcome in OUTCOMES]
        if sum(row):
            lines.append(f"{name:{width}} {sum(row):>7,} " + " ".join(f"{n:>8,}" for n in row))
    return "\n".join(lines)


def main() -> int:
    """Print the table; 1 where something crashed, hung or was left half done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=list(KINDS))
    parser.add_argument("--case", type=int, help="one case of --only again")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        return work(asked.seed, asked.worker)
    top = Path(tempfile.mkdtemp(prefix="synthmob-fuzz-"))
    try:
        bases = fuzz_bases.make(top / "bases")
        if asked.case is not None:
            outcome, said = play(KINDS[asked.only], asked.seed, asked.case, bases, top, alone=True)
            print(f"{outcome}: {said}")
            return int(outcome in (CRASH, HANG, PARTIAL))
        begun = time.monotonic()
        count = run(schedule(asked.cases, asked.seed, asked.only), asked.seed, asked.workers, top)
        took = time.monotonic() - begun
    finally:
        shutil.rmtree(top, ignore_errors=True)
    print(table(count))
    print(f"seed {asked.seed}, {asked.cases:,} cases in {took:.0f} s on {asked.workers} processes, {asked.cases / took:.1f} a second; "
          f"{count.alone} took over {SECONDS:g} s by the clock and were played once more, alone; "
          f"peak memory of a process {count.peak >> 20} MB")  # fmt: skip
    print("\n".join(count.failures))
    return int(bool(count.failures))


if __name__ == "__main__":
    sys.exit(main())
