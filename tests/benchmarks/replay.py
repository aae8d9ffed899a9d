"""Events to Redis and Mosquitto, with a kill half way: `uv run python tests/benchmarks/replay.py OUT [--speed X] [--only NAME]`.

Starts both servers of Debian's packages (apt-get install redis-server mosquitto), sends every event of OUT with `synthmob replay`,
kills it when half has arrived, resumes from its cursor, and compares what arrived with the files: lost, out of order, twice.
"""

from __future__ import annotations

import argparse
import itertools
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import redis

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "replay"))

import stream_servers

COMMAND = [sys.executable, "-c", "import sys; from synthmob.cli import main; sys.exit(main(sys.argv[1:]))", "replay"]


def times(out: Path) -> list[str]:
    """The times of all events in order, as the messages must state them where the clock is UTC's, as London's in winter."""
    files = f"read_parquet('{out}/events/*.parquet', file_row_number = true)"
    query = f"SELECT strftime(time, '%Y-%m-%dT%H:%M:%SZ') FROM {files} ORDER BY time, person_id, file_row_number"
    return [row[0] for row in duckdb.sql(query).fetchall()]


def sent(words: list[str], arrived: Callable[[], int], half: int) -> list[str]:
    """Start, kill when half has arrived, go on: what each of the runs told, and what had arrived at the kill."""
    begun = time.perf_counter()
    running = subprocess.Popen([*COMMAND, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while arrived() < half and running.poll() is None:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    told = [f"killed after {time.perf_counter() - begun:.1f} s with {arrived():,} there"]
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False)
    return [*told, done.stderr.strip()]


def judged(ids: list[str], stamps: list[str], wanted: list[str]) -> str:
    """Lost, twice, and out of order, of ids that end in the number of the event."""
    numbers = [int(one.split("-")[1]) for one in ids]
    first, seen = list[int](), set[int]()
    for k, number in enumerate(numbers):
        if number not in seen:
            seen.add(number)
            first.append(k)
    order = [numbers[k] for k in first]
    wrong = sum(a >= b for a, b in itertools.pairwise(order))
    other = sum(stamps[k] != wanted[numbers[k]] for k in first)
    lost, twice = len(wanted) - len(first), len(ids) - len(first)
    counts = {"arrived": len(ids), "lost": lost, "twice": twice, "out of order": wrong, "at another time": other}
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


def to_redis(out: Path, speed: str, place: Path, wanted: list[str]) -> list[str]:
    """What Redis got."""
    with stream_servers.redis_server() as port, redis.Redis(port=port) as client:
        words = [str(out), "--to", f"redis://127.0.0.1:{port}/events", "--speed", speed, "--cursor", str(place / "redis.cursor")]
        told = sent(words, lambda: int(client.xlen("events")), len(wanted) // 2)
        ids, stamps, start = list[str](), list[str](), "-"
        while rows := client.xrange("events", min=start, count=20_000):
            ids += [key.decode() for key, _ in rows]
            stamps += [json.loads(row[b"event"])["time"] for _, row in rows]
            start = f"({ids[-1]}"
    return [*told, judged(ids, stamps, wanted)]


def to_mosquitto(out: Path, speed: str, place: Path, wanted: list[str]) -> list[str]:
    """What a subscriber of Mosquitto got."""
    with stream_servers.mosquitto(place / "broker") as port:
        reader = stream_servers.Subscriber(port, "events")
        words = [str(out), "--to", f"mqtt://127.0.0.1:{port}/events", "--speed", speed, "--cursor", str(place / "mqtt.cursor")]
        told = sent(words, lambda: len(reader.payloads), len(wanted) // 2)
        reader.wait(len(wanted), 120)
        time.sleep(2)
        reader.close()
        got = [json.loads(payload) for payload in reader.payloads]
    return [*told, judged([message["id"] for message in got], [message["time"] for message in got], wanted)]


def main() -> None:
    """Both servers, a line of what each run told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--speed", default="max")
    parser.add_argument("--only", choices=("Redis", "Mosquitto"), help="one of the two (default both)")
    asked = parser.parse_args()
    wanted = times(asked.out)
    print(f"{len(wanted):,} events", flush=True)
    with tempfile.TemporaryDirectory() as place:
        for name, run in (("Redis", to_redis), ("Mosquitto", to_mosquitto)):
            for line in [] if asked.only not in (None, name) else run(asked.out, asked.speed, Path(place), wanted):
                print(f"{name}: {line}", flush=True)


if __name__ == "__main__":
    main()
