"""What each export costs, as a table: `uv run python tests/benchmarks/exports.py OUT [NAME ...]`.

Each runs as a command of its own: rows that it wrote (persons, stays, trips, cells), processor time, rows per second of that, the most
memory it held, and the size of its folder. Run it on OUT folders of
different size to see that memory does not grow with the people.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

from synthmob.export.formats import EXPORTERS

COMMAND = "import sys; from synthmob.cli import main; sys.exit(main())"


def measured(out: Path, name: str, folder: Path) -> tuple[int, float, float, float, float]:
    """Rows, processor seconds, seconds, MB of memory and MB on the disk of one export."""
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", COMMAND, "export", str(out), "--to", name, "-o", str(folder)],
                          stdout=subprocess.PIPE, text=True) as running:  # fmt: skip
        said = running.stdout.read() if running.stdout else ""
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise RuntimeError(f"{name} ended with {running.returncode}")
    rows = sum(int(n.replace(",", "")) for n in re.findall(r": ([\d,]+) rows$", said, re.MULTILINE))
    size = sum(path.stat().st_size for path in folder.rglob("*")) / 1e6
    return rows, usage.ru_utime + usage.ru_stime, time.perf_counter() - started, usage.ru_maxrss / 1024, size


def main() -> None:
    """One line an export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", default=[], help="exports (default all)")
    asked = parser.parse_args()
    people = pq.read_metadata(asked.out / "persons.parquet").num_rows
    parts = {name: sum(pq.read_metadata(p).num_rows for p in (asked.out / name).glob("*.parquet")) for name in ("stays", "trips")}
    print(f"{people:,} persons, {parts['stays']:,} stays, {parts['trips']:,} trips")
    heading = (("rows written", 14), ("CPU s", 9), ("s", 8), ("rows / CPU s", 14), ("OUT rows / CPU s", 18), ("memory MB", 11),
               ("disk MB", 9))  # fmt: skip
    print(f"{'export':<12}" + "".join(f"{word:>{width}}" for word, width in heading))
    with tempfile.TemporaryDirectory() as top:
        for name in asked.names or EXPORTERS:
            rows, cpu, seconds, memory, size = measured(asked.out, name, Path(top) / name)
            through = (people + parts["stays"] + parts["trips"]) / cpu
            line = f"{name:<12}{rows:>14,}{cpu:>9.1f}{seconds:>8.1f}{rows / cpu:>14,.0f}{through:>18,.0f}{memory:>11,.0f}{size:>9.1f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
