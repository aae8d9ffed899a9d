"""What two workers of `generate` are worth on a machine that others use: `uv run python tests/benchmarks/workers.py MODEL`.

Each round, in turns: one worker; two workers with twice the persons; two processes of one worker each at once, which share nothing and so
are the best that two cores can do with this work; and a loop that touches no memory, alone and twice at once, which says how much of two
cores there is to have. Where other work waits for the cores, two of anything get more of them than one does: a speed-up is to be read
beside those of the processes and the loops. Speed-ups are in rows per second on the wall, by the medians of all rounds. The processes
live through all rounds and have the model laid out and the kernels compiled before any clock starts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from synthmob import modelfile
from synthmob.synthesis import writer
from synthmob.synthesis.days import Population, generate

DAYS, PARTS, LOOPS = 7, 4, 20_000_000
PERSONS = PARTS * 8 * 16_384
"""Persons for one worker: so many whole parts."""
LEAST = 1.8
Took = tuple[float, float]
"""Seconds on the wall and of the processor."""


def burn() -> None:
    """A loop that touches no memory."""
    total = 0
    for k in range(LOOPS):
        total ^= k


def one(people: dict[int, Population], order: str) -> Took:
    """What an order took: the number of workers, each with its own persons, or none for the loop."""
    workers = int(order)
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        if workers:
            writer.write(people[workers], Path(folder) / "out", workers=workers)
        else:
            burn()
        return time.perf_counter() - wall, time.process_time() - cpu


def serve(model: Path) -> None:
    """Do what comes in, a line an order, and print what each took."""
    known = modelfile.load(model)
    people = {k: generate(known, n_persons=k * PERSONS, days=DAYS, seed=1).prepare() for k in (1, 2)}
    one(people, "1")
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(one(people, line.strip())), flush=True)


class Process:
    """A process that waits for orders."""

    def __init__(self, model: Path) -> None:
        words = [sys.executable, __file__, str(model), "--serve"]
        self._of = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    def order(self, what: str) -> None:
        """Have something begun."""
        assert self._of.stdin is not None
        self._of.stdin.write(what + "\n")
        self._of.stdin.flush()

    def answer(self) -> str:
        """Wait for what it took."""
        assert self._of.stdout is not None
        return self._of.stdout.readline()

    def end(self) -> None:
        """Have it end."""
        self._of.communicate()


def at_once(processes: list[Process], what: str) -> Took:
    """An order for each of some processes: the longest on the wall, and all of their CPU seconds."""
    for process in processes:
        process.order(what)
    took = [json.loads(process.answer()) for process in processes]
    return max(wall for wall, _ in took), sum(cpu for _, cpu in took)


def main() -> int:
    """Print the table; 1 where two workers are worth less than they should be, beside what two processes are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--serve", action="store_true", help="be one of the processes")
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.model)
        return 0
    both = [Process(asked.model), Process(asked.model)]
    ways = {
        "one worker": (both[:1], "1", 1), "two workers": (both[:1], "2", 2),
        "two processes of one": (both, "1", 2), "a loop": (both[:1], "0", 1), "two loops": (both, "0", 2)}  # fmt: skip
    seen: dict[str, list[Took]] = {name: [] for name in ways}
    for _ in range(asked.rounds):
        for name, (processes, what, _n) in ways.items():
            seen[name].append(at_once(processes, what))
    for process in both:
        process.end()
    wall = {name: statistics.median(w for w, _ in took) for name, took in seen.items()}
    print(f"{PERSONS:,} persons for each worker, {DAYS} days, {asked.rounds} rounds")
    print("| | wall s | CPU s | speed-up |\n|---|---:|---:|---:|")
    speed_up = dict[str, float]()
    for name, took in seen.items():
        alone = wall["a loop" if "loop" in name else "one worker"]
        speed_up[name] = ways[name][2] * alone / wall[name]
        print(f"| {name} | {wall[name]:.2f} | {statistics.median(cpu for _, cpu in took):.2f} | {speed_up[name]:.2f} |")
    had = speed_up["two workers"] / speed_up["two processes of one"]
    print(f"Two workers are worth {had:.2f} of two processes that share nothing; where those are worth 2, {2 * had:.2f} times one.")
    return int(2 * had < LEAST)


if __name__ == "__main__":
    sys.exit(main())
