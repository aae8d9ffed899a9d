"""Spending: which ledger pays for a step, and that nothing is counted before it has, nor released beyond what it has paid."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from synthmob import accounting
from synthmob.databases import Address
from synthmob.errors import BudgetError, ConfidentialError, FormatError, InputError
from synthmob.ledger import Head, Ledger, Outlook, Spend, State, epsilon_at
from synthmob.pipeline.places import SHIPPED
from synthmob.pipeline.records import RecordFiles
from synthmob.plan import Plan
from synthmob.release import Release

if TYPE_CHECKING:
    from synthmob.private.curator import Curator

NAME = "ledger.jsonl"
_DATABASE = re.compile(r"[a-z][a-z0-9+.]+:/", re.IGNORECASE)


@dataclass(frozen=True)
class Account:
    """What a user says of the ledger that pays: where it and its key lie, whose it is, and the total. All of it may be left out."""

    ledger: Path | None = None
    key: Path | None = None
    customers: str | None = None
    total_epsilon: float | None = None
    total_delta: float | None = None

    def check(self, records: RecordFiles) -> None:
        """Refuse, before anything is opened, records beside which no ledger can lie."""
        named = (records.folder, records.subscribers, records.stays, records.events)
        if self.ledger is None and any(isinstance(place, Address) or _DATABASE.match(str(place)) for place in named):
            raise InputError("The records are in a database and a ledger lies in a folder: say with --ledger FILE which one pays.")

    def purse(self, records: RecordFiles, step: str, plan: Plan, target: Path | None = None) -> Purse:
        """The ledger and the spend of a resolved plan; neither may end up in what is shipped, `target` among it."""
        path, unnamed, moved = _default(records) if self.ledger is None else (self.ledger.resolve(), None, False)
        ledger = Ledger.open(path, key=self.key, customers=self.customers, unnamed=unnamed)
        for place in (ledger.files.ledger, ledger.files.key):
            _check_kept(place, target)
            _check_writable(place, to_read=place == ledger.files.key)
        tables = {request.name: plan.rho_of(request) for request in plan.requests}
        spend = Spend(step, plan.epsilon, plan.delta, plan.rho, tables, subject=_subject(records))
        return Purse(ledger, spend, self.total_epsilon, self.total_delta, moved)


@dataclass(frozen=True)
class Purse:
    """A ledger, and what is about to be spent from it; `moved` where the ledger could not lie beside the records."""

    ledger: Ledger
    spend: Spend
    total_epsilon: float | None
    total_delta: float | None
    moved: bool

    def preview(self) -> Outlook:
        """What it would come to; BudgetError where it is refused. No record has been read."""
        return self.ledger.preview(self.spend, total_epsilon=self.total_epsilon, total_delta=self.total_delta)

    def pay(self) -> Head:
        """Spend it."""
        return self.ledger.spend(self.spend, total_epsilon=self.total_epsilon, total_delta=self.total_delta)

    def told(self) -> list[str]:
        """What a user must hear of a spend, one line each: where the ledger is, and that nothing limits it."""
        state, said = self.ledger.state(), list[str]()
        if self.moved:
            said.append(f"The ledger lies at {self.ledger.files.ledger}, because nothing can be written beside the records.")
        if state.total is None and state.spends:
            spent = epsilon_at(state.rho, state.threshold_delta, self.spend.delta)
            said.append(
                f"Spent so far about {state.customers!r}: epsilon {spent:.3g} at delta {self.spend.delta:g}, spends {len(state.spends)}; "
                "no total is set, so nothing is refused: --total-epsilon sets one.")
        return said


def measured(curator: Curator, plan: Plan, purse: Purse, progress: Callable[[str], None], tell: Callable[[str], None]) -> Release:
    """A release that its ledger has paid for before anything was counted, and whose line it names."""
    heads: list[Head] = []

    def pay() -> None:
        heads.append(purse.pay())
        for line in purse.told():
            tell(line)

    release = curator.measure(plan, progress=progress, spend=pay)
    check_paid(release, purse.spend.tables if heads else {})
    return replace(release, info={**release.info, "ledger": heads[0].as_json()})


def check_paid(release: Release, paid: Mapping[str, float]) -> None:
    """BudgetError where a table costs more than was paid for it, or was not paid for at all."""
    costs = {name: accounting.rho_of(table.bound_l2, table.sigma) for name, table in release.marginals.items()}
    for name, cost in costs.items():
        if cost > paid.get(name, 0.0):
            delta = release.info["privacy"]["delta"]
            spent, asked = accounting.compose(paid.values()), accounting.compose(costs.values())
            raise BudgetError(
                f"Table {name!r} costs rho {cost:.6g} and its ledger has paid {paid.get(name, 0.0):.6g}: nothing was written, report this.",
                spent=accounting.epsilon_of(spent, delta) if spent else 0.0, asked=accounting.epsilon_of(asked, delta),
                total=accounting.epsilon_of(spent, delta) if spent else 0.0)  # fmt: skip


def kept(records: RecordFiles, account: Account) -> State | None:
    """What the ledger of some records holds, None where none is kept yet."""
    path = account.ledger.resolve() if account.ledger is not None else _default(records)[0]
    return Ledger.open(path, key=account.key).verify() if _begun(path) else None


def inspect(path: Path, key: Path | None, releases: Iterable[Path]) -> tuple[State, dict[str, int]]:
    """A ledger verified against its head and against releases, and the line of each release; FormatError where it does not verify."""
    ledger = Ledger.open(path, key=key)
    found = {str(folder): _paid_by(folder) for folder in releases}
    state = ledger.verify((name, head) for name, (head, _) in found.items())
    for name, (head, release) in found.items():
        spent = next((s for s in state.spends if s.line == head.line), None)
        if spent is None or release.rho > spent.rho:
            raise FormatError(f"{name} costs more than line {head.line} of {path} has paid: it is not what was entered there.")
    return state, {name: head.line for name, (head, _) in found.items()}


def _paid_by(folder: Path) -> tuple[Head, Release]:
    release = Release.load(folder)
    if release.head is None:
        raise FormatError(f"{folder} names no line of a ledger: it was measured without one, leave it out.")
    return release.head, release


def _subject(records: RecordFiles) -> str:
    """Which records and which days a step reads, for a keyed fingerprint alone."""
    paths = (records.folder, records.subscribers, records.stays, records.events)
    said = [path.resolve().as_posix() if isinstance(path, Path) else str(path) if path is not None else None for path in paths]
    return json.dumps([said, records.period().as_json(), records.read_from])


def _default(records: RecordFiles) -> tuple[Path, str, bool]:
    """Beside the folder of the records; where nothing can be written there, among the user's own state. A name, and whether so."""
    single = records.subscribers.parent if isinstance(records.subscribers, Path) else Path()
    folder = records.folder if isinstance(records.folder, Path) else single
    beside = folder.resolve().parent / NAME
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    own = home / "synthmob" / "ledgers" / hashlib.sha256(str(beside).encode()).hexdigest()[:16] / NAME
    if _begun(beside) and _begun(own):
        raise InputError(f"There is a ledger at {beside} and another at {own}: say with --ledger FILE which one pays.")
    if _begun(own) or not (_begun(beside) or _writable(beside.parent)):
        return own, beside.parent.name, True
    return beside, beside.parent.name, False


def _begun(path: Path) -> bool:
    return path.exists() or path.with_suffix(".head").exists()


def _writable(folder: Path) -> bool:
    """Whether a file can be made there: not where the right to write was taken away, which the system lets its administrator do."""
    return os.access(folder, os.W_OK) and bool(folder.stat().st_mode & 0o222)


def _check_kept(path: Path, target: Path | None) -> None:
    """Refuse a place for a ledger or key from which it would be given away."""
    shipped = [folder for folder in path.parents if any((folder / mark).exists() for mark in SHIPPED)]
    if target is not None and path.is_relative_to(target.resolve()):
        shipped.append(target)
    if shipped:
        raise ConfidentialError(
            f"{path.name} would lie inside {shipped[0]}, which is made to be shipped: keep a ledger and its key somewhere else.")


def _check_writable(path: Path, *, to_read: bool) -> None:
    """Refuse a place where a ledger or key can neither be found nor made; one that is there may be `to_read` only."""
    above = next(p for p in path.parents if p.exists())
    right = os.R_OK if to_read and path.exists() else os.W_OK
    if path.is_dir() or not above.is_dir() or not os.access(path if path.exists() else above, right):
        raise InputError(f"{path.name} cannot be written in {path.parent}: name a place for the ledger where it can, with --ledger.")
