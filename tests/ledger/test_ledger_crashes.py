"""Whenever a process dies and however many spend at once: never overspent, never stuck, and what was mended is recorded."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spenders import ALLOWED, CALLS, CALLS_A_SPEND, FAILED, Child, Saboteur, finished, full_disk, spend, start, storm

from synthmob.errors import BudgetError
from synthmob.ledger import Ledger, State
from synthmob.ledger.budget import allows

TOTAL = 1.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill leaves what was written, whether or not it was synchronised; a cut of power is another matter, see below."""
    monkeypatch.setattr("os.fsync", lambda _handle: None)


def ended(child: Child) -> Child:
    while not list(finished([child])):
        pass
    return child


def new(folder: Path) -> None:
    """No ledger yet."""
    folder.mkdir()


def spent(folder: Path) -> None:
    """One spend."""
    Ledger.open(folder / "ledger.jsonl").spend(spend(0.3), total_epsilon=TOTAL)


def torn(folder: Path) -> None:
    """One spend, and another that was broken off in the middle of its line."""
    spent(folder)
    with (folder / "ledger.jsonl").open("ab") as file:
        file.write(b'{"delta":1e-06,"epsilon":0.3,"fing')


def behind(folder: Path) -> None:
    """Two spends, the second broken off before the head."""
    spent(folder)
    head = (folder / "ledger.head").read_bytes()
    Ledger.open(folder / "ledger.jsonl").spend(spend(0.3))
    (folder / "ledger.head").write_bytes(head)


@pytest.mark.parametrize("how", [None, full_disk], ids=["killed", "full disk"])
@pytest.mark.parametrize("begin", [new, spent, torn, behind])
def test_at_every_call_of_the_system(tmp_path: Path, begin: Callable[[Path], None], how: Callable[[], None] | None) -> None:
    """The process is ended at its first call, its second, and so on until it gets through."""
    begin(tmp_path / "base")
    at, told, counts = 0, b"", list[int]()
    while not told.startswith(ALLOWED):
        at += 1
        place = Path(shutil.copytree(tmp_path / "base", tmp_path / f"at-{at}"))
        ledger = Ledger.open(place / "ledger.jsonl")
        before = ledger.state()
        saboteur = Saboteur(at) if how is None else Saboteur(at, how)
        child = ended(start(place / "ledger.jsonl", spend(0.3), TOTAL, saboteur))
        told = child.told
        assert child.killed == (how is None and not told), told
        after = ledger.state()
        found = len(after.spends) - len(before.spends)
        counts.append(found)
        # Told that it is allowed: it counts. Not told: it may count, for nobody knows how far it came.
        assert found == 1 if told.startswith(ALLOWED) else (found in (0, 1) and (how is None or told.startswith(FAILED)))
        _goes_on(ledger, after)
    assert at >= CALLS_A_SPEND and (begin is not spent or at == CALLS_A_SPEND + 1)
    assert counts == sorted(counts) and set(counts) == {0, 1}


def _goes_on(ledger: Ledger, before: State) -> None:
    """The next spend mends what was left, says so, and adds itself; nothing is lost."""
    head = ledger.spend(spend(0.05), total_epsilon=TOTAL)
    after = ledger.verify([("the next release", head)])
    assert len(after.spends) == len(before.spends) + 1 and after.unfinished == 0 and not after.behind
    assert after.spends[: len(before.spends)] == before.spends
    mended = sum(e.content["kind"] == "repaired" for e in after.entries) - sum(e.content["kind"] == "repaired" for e in before.entries)
    assert mended == (before.unfinished > 0 and bool(before.entries))
    left = {p.name for p in ledger.files.ledger.parent.iterdir()} - {"ledger.jsonl", "ledger.head", "ledger.key", "ledger.jsonl.lock"}
    assert all(name.endswith(".part") for name in left), left


def test_a_broken_off_line_does_not_count_and_is_recorded(tmp_path: Path) -> None:
    torn(tmp_path / "base")
    ledger = Ledger.open(tmp_path / "base" / "ledger.jsonl")
    state = ledger.verify()
    assert len(state.spends) == 1 and state.unfinished == 34 and "unfinished line follows" in state.notes[0]
    ledger.spend(spend(0.3))
    after = ledger.verify()
    assert [e.content["kind"] for e in after.entries] == ["opened", "total", "spend", "repaired", "spend"]
    assert after.entries[3].content["bytes"] == 34 and after.notes == ("line 4: an unfinished line was removed",)


def test_a_spend_that_its_head_has_not_heard_of_counts(tmp_path: Path) -> None:
    behind(tmp_path / "base")
    ledger = Ledger.open(tmp_path / "base" / "ledger.jsonl")
    state = ledger.verify()
    assert state.behind and len(state.spends) == 2 and "broken off before the head" in state.notes[0]
    with pytest.raises(BudgetError):
        ledger.spend(spend(0.95))
    ledger.spend(spend(0.3))
    assert ledger.verify().notes == () and len(ledger.verify().spends) == 3


def test_a_line_is_on_the_disk_before_its_head_and_its_head_before_anybody_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of the calls, as a cut of power needs it: each file, then its folder, and the head after the line."""
    spent(tmp_path / "base")
    seen, names = list[str](), dict[int, str]()
    calls = {name: getattr(os, name) for name in CALLS}

    def watched(name: str) -> Callable[..., Any]:
        def call(*words: Any, **more: Any) -> Any:
            found = None if name == "fsync" else calls[name](*words, **more)
            if name == "open":
                names[found] = Path(words[0]).name
            elif name in ("write", "fsync"):
                seen.append(f"{name} {names[words[0]]}")
            elif name == "replace":
                seen.append(f"replace {Path(words[1]).name}")
            return found

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, watched(name))
    Ledger.open(tmp_path / "base" / "ledger.jsonl").spend(spend(0.1))
    assert seen == ["write ledger.jsonl", "fsync ledger.jsonl", "fsync base",
                    "write .ledger.head.part", "fsync .ledger.head.part", "replace ledger.head", "fsync base"]  # fmt: skip


def test_processes_at_once_of_which_some_are_killed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    told = storm(path, 120, at_once=12, epsilon=0.12, total=TOTAL, killed=0.4, rng=random.Random(7))
    assert told.failed == [] and told.allowed + told.refused + told.killed == 120
    assert told.allowed > 10 and told.refused > 10 and told.killed > 10
    state = Ledger.open(path).verify()
    assert state.total and allows(state.total, state.rho, 0.0)
    assert told.allowed <= len(state.spends) <= told.allowed + told.killed
    assert not allows(state.total, state.rho + spend(0.12).rho, 0.0)  # all that fits was given out
    with pytest.raises(BudgetError):
        Ledger.open(path).spend(spend(0.12))


def test_threads_at_once(tmp_path: Path) -> None:
    path, allowed, refused = tmp_path / "ledger.jsonl", list[int](), list[int]()

    def run() -> None:
        for _ in range(4):
            try:
                allowed.append(Ledger.open(path).spend(spend(0.3), total_epsilon=TOTAL).line)
            except BudgetError:
                refused.append(1)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = Ledger.open(path).verify()
    assert sorted(allowed) == [s.line for s in state.spends] and len(allowed) + len(refused) == 32
    assert state.total and allows(state.total, state.rho, 0.0) and not allows(state.total, state.rho + spend(0.3).rho, 0.0)


def test_a_killed_writer_does_not_hold_the_lock_and_a_forked_one_neither(tmp_path: Path) -> None:
    """The child is stopped inside the lock: others wait, and go on as soon as it is killed."""
    spent(tmp_path / "base")
    path = tmp_path / "base" / "ledger.jsonl"
    holder = start(path, spend(0.1), None, Saboteur(3, lambda: os.kill(os.getpid(), signal.SIGSTOP)))
    os.waitpid(holder.pid, os.WUNTRACED)
    waiting = start(path, spend(0.1), None)
    import select

    assert select.select([waiting.pipe], [], [], 0.3)[0] == []
    os.kill(holder.pid, signal.SIGKILL)
    assert ended(holder).killed and ended(waiting).told == ALLOWED
    assert len(Ledger.open(path).verify().spends) == 2
