"""The ledger itself: it is verified before every use, and a spend is on the disk before anybody is told that it is allowed."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthmob.errors import FormatError, InputError
from synthmob.ledger import chain, files
from synthmob.ledger.budget import Outlook, Spend, outlook
from synthmob.ledger.chain import Chain, Head, Keys, is_name
from synthmob.ledger.files import Files
from synthmob.ledger.state import FORMAT, FORMAT_VERSION, State, state_of


@dataclass(frozen=True)
class Ledger:
    """A ledger on disk, made by its first spend. Any number of threads and processes may use it at once.

    `customers` is None where it is not stated: then an existing one is taken for whose it is, and a new one is called `unnamed`.
    """

    files: Files
    customers: str | None
    unnamed: str

    @staticmethod
    def open(path: str | Path, *, key: str | Path | None = None, customers: str | None = None, unnamed: str | None = None) -> Ledger:
        """The ledger at a path; its key lies beside it unless another place is given. Nothing is read or written yet."""
        where = Files.of(Path(path), None if key is None else Path(key))
        name = where.ledger.parent.name if unnamed is None else unnamed
        if customers is not None and not is_name(customers):
            raise InputError("The customers of a ledger need a name that can be printed, of at most 200 characters: give one.")
        return Ledger(where, customers, name if is_name(name) else "customers")

    def state(self) -> State:
        """What it says, verified; empty where there is no ledger yet. FormatError where it is not what was written."""
        found = self._looked()
        return State(self.customers or self.unnamed) if found is None else found[1]

    def verify(self, heads: Iterable[tuple[str, Head]] = ()) -> State:
        """What it says, verified against its own head and those that releases name (label and head); it must be there."""
        state = self.state()
        if not state.entries:
            raise FormatError(f"There is no ledger at {self.files.ledger}: name the file that a measure has written.")
        for label, head in heads:
            self._check_release(state, label, head)
        return state

    def preview(self, spend: Spend, *, total_epsilon: float | None = None, total_delta: float | None = None) -> Outlook:
        """What a spend would come to, without spending; BudgetError where it would be refused."""
        state = self.state()
        found = outlook(state, spend, total_epsilon, total_delta)
        if not found.allowed and found.states and state.spends:
            # What has been spent only grows and a total only shrinks: refused now is refused then, and the lower total is kept.
            self.spend(spend, total_epsilon=total_epsilon, total_delta=total_delta)
        if not found.allowed:
            raise found.refusal()
        return found

    def spend(self, spend: Spend, *, total_epsilon: float | None = None, total_delta: float | None = None) -> Head:
        """Spend, and return the line that says so; BudgetError where the total does not allow it.

        A total that is stated stands from then on, even where this spend is refused, unless nothing was ever spent.
        """
        with files.writing(self.files):
            read = self._read()
            state = State(self.customers or self.unnamed) if read is None else read[1]
            found = outlook(state, spend, total_epsilon, total_delta)
            if not found.allowed and not (found.states and state.spends):
                raise found.refusal()
            keys, head = self._opened() if read is None else self._repaired(*read)
            if found.states and found.total:
                head = self._add(keys, head, "total", {"epsilon": found.total.epsilon, "delta": found.total.delta})
            if not found.allowed:
                raise found.refusal()
            return self._add(keys, head, "spend", spend.content(keys))

    def _looked(self) -> tuple[Keys, State] | None:
        """What `_read` finds while nobody writes."""
        locked = self.files.lock.exists()
        try:
            with files.reading(self.files):
                return self._read()
        except FormatError:
            if locked or not self.files.lock.exists():
                raise
        # It was begun while we looked at half of it; now there is a lock to wait for.
        with files.reading(self.files):
            return self._read()

    def _read(self) -> tuple[Keys, State] | None:
        """Keys and state, verified; None where nothing has been written but, perhaps, the beginnings of a first line."""
        where, sealed = str(self.files.ledger), files.read(self.files.head)
        data = files.read(self.files.ledger) or b""
        if sealed is None:
            if data:
                raise FormatError(f"{where} has no {self.files.head.name} beside it: restore that, or name a ledger of its own.")
            return None
        keys = Keys.of(files.key_of(self.files))
        head = chain.opened(keys, sealed, str(self.files.head))
        lines = chain.read(keys, data, where)
        chain.check_head(lines, head, where)
        if not lines.entries:
            return None
        state = state_of(lines, where, behind=len(lines.entries) > head.line)
        if self.customers is not None and self.customers != state.customers:
            raise InputError(
                f"{where} is the ledger of {state.customers!r} and {self.customers!r} was named: customers of their own need a ledger of "
                "their own.")
        return keys, state

    def _opened(self) -> tuple[Keys, Head]:
        """A new ledger. The head comes first, naming no line: no line is ever without one."""
        keys, name = Keys.of(files.make_key(self.files)), self.customers or self.unnamed
        head = Chain(()).head(name)
        files.replace(self.files.head, chain.sealed(keys, head))
        # The id makes every ledger another one, even where two share a key.
        content = {"customers": name, "format": FORMAT, "format_version": FORMAT_VERSION, "id": secrets.token_hex(16)}
        return keys, self._add(keys, head, "opened", content, before=b"")

    def _repaired(self, keys: Keys, state: State) -> tuple[Keys, Head]:
        """An existing ledger made whole: what was never finished was never told, so it goes and a line says that it did."""
        if state.behind:
            files.replace(self.files.head, chain.sealed(keys, state.head))
        if not state.unfinished:
            return keys, state.head
        whole = (files.read(self.files.ledger) or b"")[: -state.unfinished]
        content = {"removed": "an unfinished line", "bytes": state.unfinished}
        return keys, self._add(keys, state.head, "repaired", content, before=whole)

    def _add(self, keys: Keys, head: Head, kind: str, content: Mapping[str, Any], *, before: bytes | None = None) -> Head:
        """Add a line while the lock is held, then its head; given `before`, the file is written anew with those bytes first."""
        time = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        entry, data = chain.linked(keys, head.mac, {"line": head.line + 1, "kind": kind, "time": time, **content})
        if before is None:
            files.append(self.files.ledger, data)
        else:
            files.replace(self.files.ledger, before + data)
        new = Head(head.customers, entry.line, entry.mac)
        files.replace(self.files.head, chain.sealed(keys, new))
        return new

    def _check_release(self, state: State, label: str, head: Head) -> None:
        if head.customers != state.customers:
            raise FormatError(f"{label} was entered for {head.customers!r}, and this is the ledger of {state.customers!r}: name that one.")
        if not 1 <= head.line <= len(state.entries):
            raise FormatError(
                f"{label} was entered as line {head.line} and {self.files.ledger} has {len(state.entries)}: it was shortened or is an "
                "older copy, restore what it was.")
        if state.entries[head.line - 1].mac != head.mac:
            raise FormatError(
                f"{label} was entered as line {head.line}, and that line of {self.files.ledger} is another one: it is not the ledger that "
                "the release was entered in.")

