"""Parts of an OUT made by the tasks of a Spark: each makes and writes its own files by the same code as a thread does.

No row goes through Spark: a task is told which people are wanted and the numbers of its parts, and answers with a line for each (files,
bytes, SHA-256, rows). MODEL and OUT lie where all workers see them under one path. A task may be run again or twice, by Spark's own rules:
its files grow in a folder of their own and take their place by one rename, and whichever comes last brings the same bytes.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from synthmob import engine, sparkengine
from synthmob.errors import InputError
from synthmob.pipeline import clustertask
from synthmob.pipeline.wanted import Wanted
from synthmob.synthesis.unfinished import Files, Work
from synthmob.synthesis.writer import Elsewhere

JOBS = 3
"""So many jobs of a task a core each are under way, so that no core waits for the slowest task of one."""
TRIES = 4
"""How often a task is tried on this machine; on a cluster Spark's own setting says it."""
WORKER_S = 60.0
_LAST_LINE = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)(?::.*)?)$", re.MULTILINE)
_LOCAL = re.compile(r"local(?:\[([^,\]]+)\])?")


@dataclass(frozen=True)
class Made:
    """What a task says of a part that is on the disk."""

    part: int
    files: Files
    rows: int
    cpu_s: float


def check(name: str) -> None:
    """InputError for an engine that is no Spark."""
    if not engine.is_spark(name):
        raise InputError(f"There is no engine {name!r}: give local[*] (Spark on this machine) or spark://HOST:PORT (a cluster).")


@contextmanager
def opened(name: str, wanted: Wanted, heard: Callable[[Made], None] = lambda _made: None) -> Generator[Elsewhere]:
    """A Spark that makes parts; InputError where there is none, where no worker answers, or where workers lack this package.

    `heard` is told of every part that a task has made.
    """
    check(name)
    local = _LOCAL.fullmatch(name)
    session = sparkengine.session(f"local[{local[1] or 1},{TRIES}]" if local else name, "generate", {})
    try:
        _first_answer(session, name)
        paths = {field.name: value.absolute() for field in fields(wanted) if isinstance(value := getattr(wanted, field.name), Path)}
        yield partial(_elsewhere, session, replace(wanted, **paths), heard)
    finally:
        _end(session)


@contextmanager
def _elsewhere(
    session: Any, wanted: Wanted, heard: Callable[[Made], None], work: Work, missing: Sequence[int]
) -> Generator[Callable[[int], Files]]:
    """The parts that are missing, made by jobs that take the next ones as they come free."""
    found: dict[int, Future[Files]] = {part: Future() for part in missing}
    waiting, task = deque(missing), partial(clustertask.make, wanted, work.folder, work.asides())

    def work_off() -> None:
        while parts := _next(waiting, _cores(session)):
            try:
                for made in _run(session, task, parts):
                    heard(made)
                    work.note(made.part, _there(work, made.files))
                    found[made.part].set_result(made.files)
            except BaseException as error:  # noqa: BLE001  (it is raised where the parts are waited for)
                _raise_in([found[part] for part in parts if not found[part].done()], error)

    jobs = [threading.Thread(target=work_off, daemon=True) for _ in range(JOBS)]
    for job in jobs:
        job.start()
    try:
        yield lambda part: found[part].result()
    finally:
        waiting.clear()
        if not all(future.done() for future in found.values()):
            _end(session)
        for job in jobs:
            job.join()
        _raise_in([future for future in found.values() if not future.done()], InterruptedError("told to stop"))


def _raise_in(futures: Iterable[Future[Files]], error: BaseException) -> None:
    """Raise an error where somebody waits for those."""
    for future in futures:
        future.set_exception(error)


def _next(waiting: deque[int], most: int) -> list[int]:
    """Up to so many of those that wait, which no other thread takes."""
    taken: list[int] = []
    with suppress(IndexError):
        while len(taken) < most:
            taken.append(waiting.popleft())
    return taken


def _run(session: Any, task: Callable[[Iterable[int]], list[str]], parts: list[int]) -> list[Made]:
    """One job: a task for each part."""
    try:
        lines: list[str] = session.sparkContext.parallelize(parts, len(parts)).mapPartitions(task).collect()
    except sparkengine.failures() as error:
        raise InputError(_why(str(error))) from None
    said = [cast(dict[str, Any], json.loads(line)) for line in lines]
    if refused := [one["refused"] for one in said if "refused" in one]:
        raise InputError(refused[0])
    return [Made(one["part"], {path: (size, sha) for path, (size, sha) in one["files"].items()}, one["rows"], one["cpu_s"]) for one in said]


def _there(work: Work, files: Files) -> Files:
    """The files that a task names, if this machine sees them as the task does."""
    for path, (size, _) in files.items():
        with suppress(OSError):
            if (work.rows / path).stat().st_size == size:
                continue
        raise InputError(f"{path} was written by a worker and is not seen here: OUT must lie on a file system that all workers see.")
    return files


def _first_answer(session: Any, name: str) -> None:
    """Wait for a first worker to say that it has this package."""
    answer: Future[None] = Future()

    def ask() -> None:
        try:
            session.sparkContext.parallelize([0], 1).map(clustertask.here).collect()
            answer.set_result(None)
        except BaseException as error:  # noqa: BLE001  (it is raised where the answer is waited for)
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer.result(WORKER_S)
    except TimeoutError:
        raise InputError(
            f"No worker of {name} has taken any work within {WORKER_S:.0f} s: start one there, or wait until one is free.") from None
    except sparkengine.failures() as error:
        raise InputError(_why(str(error))) from None


def _why(said: str) -> str:
    """A sentence for what Spark says at length; there is no record here that it could quote."""
    if missing := re.search(r"ModuleNotFoundError: No module named '([\w.]+)'", said):
        return (
            f"The Python of the workers has no {missing[1]}: install the synthmob of this machine, with what it needs, on every worker, "
            "and let PYSPARK_PYTHON name the Python that has it.")
    python = [line for line in _LAST_LINE.findall(said) if not line.startswith(("org.", "java."))]
    reason = python[0] if python else next((line.strip() for line in said.splitlines() if "xception" in line), "it does not say why")
    return f"Spark gave a part up after its last try ({reason[:300]}): see to that, and go on with --resume."


def _cores(session: Any) -> int:
    """How many tasks can be at work at once, as far as workers have come; one where Spark has ended."""
    with suppress(*sparkengine.failures(), AttributeError):
        return max(int(session.sparkContext.defaultParallelism), 1)
    return 1


def _end(session: Any) -> None:
    """End what it is at, and itself; it may have ended before."""
    gone = *sparkengine.failures(), AttributeError
    with suppress(*gone):
        session.sparkContext.cancelAllJobs()
    with suppress(*gone):
        session.stop()
