"""Ten thousand spoilt inputs through the Python API: `uv run python tests/benchmarks/fuzz.py [CASES] [--seed N] [--workers K]`.

Releases, models, OUT folders, zonings, plans, periods, check results and records are made right, spoilt and opened, each case in a
folder of its own. A case may take five seconds by the clock and the process two gigabytes; whoever dies, by a signal of its own
too, has crashed. What is accepted must obey its laws, what is refused must say so in one sentence, and neither may leave anything.
Printed is a table of kind by outcome; the exit code is 1 where a case crashed, hung or left something half done.

A clock does not know how busy a machine is, so a case that takes too long is played once more before it counts; how many were
is printed. `--only KIND --case NUMBER` plays one case of a seed again and says what became of it.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("fuzz", ".")]

import fuzz_bases  # noqa: E402
from fuzz_cases import CRASH, HANG, OUTCOMES, PARTIAL, TookTooLongError, played, removed  # noqa: E402
from fuzz_kinds import KINDS, Kind  # noqa: E402

SECONDS, GRACE = 5.0, 5.0
"""How long a case may take, and how much longer one that no alarm can reach is waited for."""
MEMORY, ADDRESSES = 2 << 30, 16 << 30
"""The most memory of a process, and of addresses, whatever it does."""
UNIT = 1024 if sys.platform == "linux" else 1


@dataclass
class Worker:
    """A process that plays cases, a pipe to it and one from it, and what it is at."""

    pid: int
    asks: int
    answers: int
    case: tuple[str, int] | None = None
    since: float = 0.0
    said: bytes = b""


@dataclass
class Count:
    """What became of the cases."""

    found: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    failures: list[str] = field(default_factory=list)
    again: int = 0
    peak: int = 0


def schedule(cases: int, seed: int, only: str | None) -> list[tuple[str, int]]:
    """Which kind each case is of, in their shares, mixed."""
    kinds = [KINDS[only]] if only else list(KINDS.values())
    rng = random.Random(f"{seed}/order")
    return [(rng.choices(kinds, [kind.share for kind in kinds])[0].name, number) for number in range(cases)]


def play(kind: Kind, seed: int, number: int, bases: fuzz_bases.Bases, top: Path) -> tuple[str, str]:
    """One case, under an alarm."""
    place = top / f"{os.getpid()}-{number}"
    place.mkdir()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return played(kind, random.Random(f"{seed}/{kind.name}/{number}"), bases, place)
    except TookTooLongError:
        return HANG, "".join(traceback.format_exc().splitlines(keepends=True)[-7:-1])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        removed(place)


def started(seed: int, bases: fuzz_bases.Bases, top: Path) -> Worker:
    """A process that waits for cases."""
    (ask_out, ask_in), (answer_out, answer_in) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid:
        os.close(ask_out)
        os.close(answer_in)
        return Worker(pid, ask_in, answer_out)
    os.close(ask_in)
    os.close(answer_out)
    work(seed, bases, top, ask_out, answer_in)


def work(seed: int, bases: fuzz_bases.Bases, top: Path, asked: int, answer: int) -> NoReturn:
    """Play what is asked until there is nothing more."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, _alarm)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with os.fdopen(asked) as lines:
        for line in lines:
            name, number = line.rstrip("\n").split("\t")
            outcome, said = play(KINDS[name], seed, int(number), bases, top)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
            if peak > MEMORY:
                outcome, said = CRASH, f"took {peak >> 20} MB of memory; {outcome}: {said}"
            os.write(answer, f"{outcome}\t{peak}\t{said!r}\n".encode("utf-8", "backslashreplace"))
            if peak > MEMORY:
                break
    os._exit(0)


def _alarm(*_: Any) -> NoReturn:
    raise TookTooLongError


def run(cases: list[tuple[str, int]], seed: int, workers: int, bases: fuzz_bases.Bases, top: Path) -> Count:
    """Play all cases on some processes; one that ends or hangs is replaced."""
    count, waiting, doubted = Count(), collections.deque(cases), set[tuple[str, int]]()
    crew = [started(seed, bases, top) for _ in range(workers)]
    while waiting or any(worker.case for worker in crew):
        for worker in crew:
            if worker.case is None and waiting:
                worker.case, worker.since = waiting.popleft(), time.monotonic()
                os.write(worker.asks, f"{worker.case[0]}\t{worker.case[1]}\n".encode())
        busy = [worker for worker in crew if worker.case]
        ready = select.select([worker.answers for worker in busy], [], [], 0.5)[0]
        for worker in busy:
            outcome, said = _heard(worker, worker.answers in ready, count)
            if outcome is None:
                continue
            case, worker.case = worker.case or ("", 0), None
            if outcome == HANG and case not in doubted:
                doubted.add(case)
                waiting.append(case)
                count.again += 1
            else:
                count.found[case[0], outcome] += 1
                if outcome in (CRASH, HANG, PARTIAL):
                    count.failures.append(f"{outcome}: --seed {seed} --only {case[0]!r} --case {case[1]}\n    {said[:1500]}")
            if not _alive(worker):
                crew[crew.index(worker)] = started(seed, bases, top)
    for worker in crew:
        os.close(worker.asks)
        os.waitpid(worker.pid, 0)
    return count


def _heard(worker: Worker, ready: bool, count: Count) -> tuple[str | None, str]:
    """What a worker has answered, None where it is not done yet; one that cannot be reached is ended."""
    if ready:
        text = os.read(worker.answers, 1 << 16)
        worker.said += text
        if not text:
            _, status = os.waitpid(worker.pid, 0)
            worker.pid = 0
            return CRASH, f"the process ended with status {status}: {signal.strsignal(status & 127) or 'an exit'}"
    if b"\n" in worker.said:
        outcome, peak, said = worker.said.decode("utf-8", "replace").rstrip("\n").split("\t", 2)
        worker.said = b""
        count.peak = max(count.peak, int(peak))
        return outcome, said.encode().decode("unicode_escape", "replace")
    if time.monotonic() - worker.since > SECONDS + GRACE:
        os.kill(worker.pid, signal.SIGKILL)
        os.waitpid(worker.pid, 0)
        worker.pid = 0
        return HANG, "no alarm reached it"
    return None, ""


def _alive(worker: Worker) -> bool:
    """Whether the process goes on; one that has used too much memory has ended itself."""
    if worker.pid and os.waitpid(worker.pid, os.WNOHANG)[0] == 0:
        return True
    os.close(worker.asks)
    os.close(worker.answers)
    return False


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
    asked = parser.parse_args()
    top = Path(tempfile.mkdtemp(prefix="synthmob-fuzz-"))
    try:
        bases = fuzz_bases.make(top / "bases")
        if asked.case is not None:
            signal.signal(signal.SIGALRM, _alarm)
            outcome, said = play(KINDS[asked.only], asked.seed, asked.case, bases, top)
            print(f"{outcome}: {said}")
            return int(outcome in (CRASH, HANG, PARTIAL))
        begun = time.monotonic()
        count = run(schedule(asked.cases, asked.seed, asked.only), asked.seed, asked.workers, bases, top)
        took = time.monotonic() - begun
    finally:
        shutil.rmtree(top, ignore_errors=True)
    print(table(count))
    print(f"seed {asked.seed}, {asked.cases:,} cases in {took:.0f} s on {asked.workers} processes, {asked.cases / took:.1f} a second; "
          f"{count.again} took over {SECONDS:g} s by the clock and were played once more; peak memory of a process {count.peak >> 20} MB")  # fmt: skip
    print("\n".join(count.failures))
    return int(bool(count.failures))


if __name__ == "__main__":
    sys.exit(main())
