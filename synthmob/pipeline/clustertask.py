"""What a task of a cluster does, on a worker: it makes and writes parts of an OUT that another process has begun."""

from __future__ import annotations

import json
import socket
import tempfile
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from synthmob.errors import InputError, SynthmobError
from synthmob.pipeline.wanted import Wanted
from synthmob.synthesis import unfinished, writer
from synthmob.synthesis.days import Population
from synthmob.synthesis.events import Network


def make(wanted: Wanted, folder: Path, asides: Path, parts: Iterable[int]) -> list[str]:
    """On a worker: make parts of the OUT that grows in `folder`, and a line of JSON for each, or one that says why it is refused."""
    try:
        people, network = _people(wanted, folder, asides)
        return [_line(people, network, folder / unfinished.ROWS, asides, part) for part in parts]
    except SynthmobError as error:
        return [json.dumps({"refused": f"The worker {socket.gethostname()} refuses its part: {error}"})]


def here(_number: int) -> str:
    """On a worker: its name, which it can only say if it has this package."""
    return socket.gethostname()


@lru_cache(maxsize=1)
def _people(wanted: Wanted, folder: Path, asides: Path) -> tuple[Population, Network | None]:
    """The people, laid out once a process and a run, if they are those of the OUT, by the same versions."""
    if not (folder / unfinished.BEGUN).is_file() or not asides.is_dir():
        raise InputError(f"It does not see {folder}: MODEL and OUT must lie on a file system that all workers see under one path.")
    people, network = wanted.people()
    other = unfinished.difference(folder, wanted.manifest(people.prepare(), network))
    if other is not None:
        name, asked, found = other
        raise InputError(f"Asked for is {name} {asked} and there it is {found}: give all workers the same files and the same versions.")
    return people, network


def _line(people: Population, network: Network | None, rows: Path, asides: Path, part: int) -> str:
    import pyarrow.parquet as pq

    mine, before = Path(tempfile.mkdtemp(dir=asides)), time.process_time()
    files = writer.write_part(people, network, rows, part, aside=mine).files
    mine.rmdir()
    written = sum(pq.read_metadata(rows / path).num_rows for path in files)
    return json.dumps({"part": part, "files": files, "rows": written, "cpu_s": time.process_time() - before})
