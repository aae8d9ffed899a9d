"""Processes that are killed at a moment or at a call of the system: what they were doing is forked, so nothing is loaded anew."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CALLS = ("open", "fsync", "replace", "rename", "mkdir", "unlink", "rmdir")
"""Calls that change what lies on the disk under which name; what a library writes by itself is met by the clock."""


@dataclass(frozen=True)
class Ending:
    """How a process ended: by a kill, with an error that it told, or well; after so many seconds."""

    killed: bool
    told: str
    seconds: float

    @property
    def well(self) -> bool:
        return not self.killed and not self.told


def run(what: Callable[[], object], *, at: int | None = None, after_s: float | None = None, how: int = signal.SIGKILL) -> Ending:
    """Do something in a process of its own that gets a signal before its call number `at`, or after so many seconds."""
    ours, theirs = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _child(what, theirs, at, how)
    os.close(theirs)
    told, due = b"", None if after_s is None else started + after_s
    while True:
        ready, _, _ = select.select([ours], [], [], None if due is None else max(due - time.monotonic(), 0.0))
        if not ready:
            os.kill(child, how)
            due = None
        elif not (part := os.read(ours, 4096)):
            break
        else:
            told += part
    os.close(ours)
    _, status = os.waitpid(child, 0)
    return Ending(os.WIFSIGNALED(status), told.decode(), time.monotonic() - started)


def _child(what: Callable[[], object], pipe: int, at: int | None, how: int) -> None:
    write, finish = os.write, os._exit
    try:
        if at is not None:
            _put_at_risk(at, how)
        what()
    except BaseException as error:  # noqa: BLE001
        write(pipe, f"{type(error).__name__}: {error}".encode()[:2000])
    finally:
        finish(0)


def _put_at_risk(at: int, how: int) -> None:
    seen, lock = [0], threading.Lock()

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def calling(*words: Any, **more: Any) -> Any:
            with lock:
                seen[0] += 1
                if seen[0] == at:
                    os.kill(os.getpid(), how)
            return call(*words, **more)

        return calling

    for name in CALLS:
        setattr(os, name, watched(getattr(os, name)))
