"""Processes that spend from one ledger at once and are killed at any call of the system: what they were told, and what is left.

A child tells through a pipe, after its spend has returned, whether it was allowed. Whatever was told before a kill counts as told.
"""

from __future__ import annotations

import errno
import os
import random
import select
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthmob import accounting
from synthmob.errors import BudgetError
from synthmob.ledger import Ledger, Spend

DELTA = 1e-6
CALLS = ("open", "write", "fsync", "replace", "link", "unlink", "close")
"""Calls of the system that a spend makes on its way to the disk."""
CALLS_A_SPEND = 17
"""How many of them a spend from a ledger that is there makes; the first one and those that mend something make more."""
ALLOWED, REFUSED, FAILED = b"A", b"R", b"F"


def spend(epsilon: float = 0.05, *, tables: int = 1) -> Spend:
    """A spend of that epsilon, spread evenly over tables."""
    rho = accounting.rho_from(epsilon, DELTA)
    return Spend("measure", epsilon, DELTA, rho, {f"table_{k}": rho / tables for k in range(tables)}, subject="made-up records")


@dataclass
class Saboteur:
    """Counts the calls of the system and ends the process at number `at`; a write is left half done, or not, by turns."""

    at: int
    how: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGKILL)
    half: bool = True
    seen: int = field(default=0, init=False)

    def install(self) -> None:
        """Put this process at risk."""
        for name in CALLS:
            setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*words: Any, **more: Any) -> Any:
            self.seen += 1
            if self.seen == self.at:
                if name == "write" and self.half:
                    call(words[0], bytes(words[1])[: len(words[1]) // 2])
                self.how()
            return call(*words, **more)

        return watched


def full_disk() -> None:
    """What a call says where there is no room."""
    raise OSError(errno.ENOSPC, "No space left on device")


@dataclass
class Child:
    """A process that spends once."""

    pid: int
    pipe: int
    kill_at: float | None
    told: bytes = b""
    killed: bool = False


def start(path: Path, what: Spend, total: float | None, saboteur: Saboteur | None = None, kill_after_s: float | None = None) -> Child:
    """Fork a process that spends, at the mercy of a saboteur or of a kill from outside."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        answer, finish = os.write, os._exit
        try:
            if saboteur is not None:
                saboteur.install()
            Ledger.open(path).spend(what, total_epsilon=total)
            answer(theirs, ALLOWED)
        except BudgetError:
            answer(theirs, REFUSED)
        except BaseException as error:  # noqa: BLE001
            answer(theirs, FAILED + repr(error).encode()[:2000])
        finally:
            finish(0)
    os.close(theirs)
    return Child(pid, ours, None if kill_after_s is None else time.monotonic() + kill_after_s)


def finished(children: list[Child]) -> Iterator[Child]:
    """Those that have ended, after waiting for one or for the next kill."""
    now = time.monotonic()
    for child in children:
        if child.kill_at is not None and child.kill_at <= now and not child.killed:
            os.kill(child.pid, signal.SIGKILL)
            child.killed = True
    dues = [child.kill_at - now for child in children if child.kill_at is not None and not child.killed]
    ready, _, _ = select.select([child.pipe for child in children], [], [], max(0.0, min(dues, default=60.0)))
    for child in [child for child in children if child.pipe in ready]:
        part = os.read(child.pipe, 4096)
        child.told += part
        if not part:
            os.close(child.pipe)
            _, status = os.waitpid(child.pid, 0)
            child.killed = os.WIFSIGNALED(status)
            yield child


@dataclass
class Outcome:
    """How many were told what, and how many were killed before they were told anything."""

    allowed: int = 0
    refused: int = 0
    killed: int = 0
    failed: list[str] = field(default_factory=list)

    def add(self, child: Child) -> None:
        """Count a child that has ended."""
        if child.told.startswith(ALLOWED):
            self.allowed += 1
        elif child.told.startswith(REFUSED):
            self.refused += 1
        elif child.told:
            self.failed.append(child.told[1:].decode())
        else:
            self.killed += 1


def storm(path: Path, n: int, *, at_once: int, epsilon: float, total: float, killed: float, rng: random.Random) -> Outcome:
    """`n` processes spend once each, `at_once` at a time; a share of them is killed, half at a call, half at any moment."""
    outcome, children, begun = Outcome(), list[Child](), 0
    while begun < n or children:
        while begun < n and len(children) < at_once:
            saboteur, after = None, None
            if rng.random() < killed:
                if rng.random() < 0.5:
                    saboteur = Saboteur(rng.randrange(1, CALLS_A_SPEND + 1), half=rng.random() < 0.5)
                else:
                    after = rng.random() * 0.02 * at_once
            children.append(start(path, spend(epsilon), total, saboteur, after))
            begun += 1
        for child in finished(children):
            outcome.add(child)
            children.remove(child)
    return outcome
