"""What a verified ledger says: whose it is, its total, and what has been spent from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from synthmob import accounting
from synthmob.errors import FormatError, InputError
from synthmob.ledger.chain import START, Chain, Entry, Head, is_name

FORMAT = "synthmob ledger"
FORMAT_VERSION = 1
KINDS = ("opened", "total", "spend", "repaired")


@dataclass(frozen=True)
class Total:
    """The most that all releases together may spend."""

    epsilon: float
    delta: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.epsilon) and self.epsilon > 0 and 0 < self.delta < 1):
            raise InputError(
                f"A total of epsilon {self.epsilon:g} at delta {self.delta:g} is no budget: give an epsilon above 0 and a delta "
                "between 0 and 1.")

    def __str__(self) -> str:
        return f"epsilon {self.epsilon:g} at delta {self.delta:g}"


@dataclass(frozen=True)
class Spent:
    """One spend: its line, when (UTC), for which step, at what it was asked for, and the rho of every table."""

    line: int
    mac: str
    time: str
    step: str
    epsilon: float
    delta: float
    rho: float
    threshold_delta: float
    tables: Mapping[str, float]
    fingerprint: str


@dataclass(frozen=True)
class State:
    """A ledger as it stands. `unfinished` bytes follow its last line; `behind`: its head has not heard of that line yet."""

    customers: str
    entries: tuple[Entry, ...] = ()
    spends: tuple[Spent, ...] = ()
    total: Total | None = None
    unfinished: int = 0
    behind: bool = False

    @property
    def rho(self) -> float:
        """What has been spent in all."""
        return accounting.compose(spent.rho for spent in self.spends)

    @property
    def threshold_delta(self) -> float:
        """The deltas of published thresholds, which a total's delta pays for beside rho."""
        return math.fsum(spent.threshold_delta for spent in self.spends)

    @property
    def head(self) -> Head:
        """The last line."""
        return Head(self.customers, len(self.entries), self.entries[-1].mac if self.entries else START)

    @property
    def delta(self) -> float | None:
        """The delta at which it is summed up: the total's, else that of the last spend, None before the first."""
        return self.total.delta if self.total else self.spends[-1].delta if self.spends else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of a verified ledger should know."""
        said = [f"line {e.line}: an unfinished line was removed" for e in self.entries if e.content.get("kind") == "repaired"]
        if self.behind:
            said.append("the last spend was broken off before the head was written: it counts, the next spend mends the head")
        if self.unfinished:
            said.append("an unfinished line follows the last: nobody was told that it is allowed, the next spend removes it and says so")
        return tuple(said)

    def as_json(self) -> dict[str, Any]:
        """All of it as plain numbers, text and lists; an epsilon is None where it is infinite."""
        delta = self.delta
        sums = dict(zip((s.line for s in self.spends), running(self.spends, delta), strict=True)) if delta else {}
        spent = {"rho": self.rho, "epsilon": _finite(max(sums.values(), default=0.0)), "delta": delta}
        lines = [{**e.content, "mac": e.mac, **({"epsilon_so_far": _finite(sums[e.line])} if e.line in sums else {})}
                 for e in self.entries]  # fmt: skip
        return {
            "customers": self.customers, "total": asdict(self.total) if self.total else None, "spent": spent, "lines": lines,
            "head": self.head.as_json(), "notes": list(self.notes)}  # fmt: skip


def epsilon_at(rho: float, threshold_delta: float, delta: float) -> float:
    """The epsilon of a summed rho at a delta of which thresholds have taken their part; infinite where they took all of it.

    >>> round(epsilon_at(2 * accounting.rho_from(0.6, 1e-6), 0.0, 1e-6), 3), epsilon_at(0.0, 0.0, 1e-6)
    (0.868, 0.0)
    """
    if rho <= 0:
        return 0.0
    return accounting.epsilon_of(rho, delta - threshold_delta) if delta > threshold_delta else math.inf


def running(spends: tuple[Spent, ...], delta: float) -> tuple[float, ...]:
    """The epsilon of all spends up to each, at one delta."""
    found: list[float] = []
    for k in range(len(spends)):
        done = spends[: k + 1]
        found.append(epsilon_at(accounting.compose(s.rho for s in done), math.fsum(s.threshold_delta for s in done), delta))
    return tuple(found)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def state_of(chain: Chain, where: str, *, behind: bool) -> State:
    """The state that verified lines add up to; FormatError for lines of another version."""
    first = chain.entries[0].content
    if first.get("format") != FORMAT or first.get("format_version") != FORMAT_VERSION or not is_name(first.get("customers")):
        raise FormatError(
            f"{where} has format {first.get('format')!r} version {first.get('format_version')!r}: this synthmob keeps {FORMAT!r} "
            f"version {FORMAT_VERSION}, use the one that wrote it.")
    spends: list[Spent] = []
    total: Total | None = None
    for entry in chain.entries:
        kind = entry.content.get("kind")
        if kind not in KINDS:
            raise FormatError(f"Line {entry.line} of {where} is of a kind {kind!r} that is not known here: a newer synthmob wrote it.")
        if kind == "total":
            total = Total(_number(entry, "epsilon", where), _number(entry, "delta", where))
        elif kind == "spend":
            spends.append(_spent(entry, where))
    return State(str(first["customers"]), chain.entries, tuple(spends), total, len(chain.torn), behind)


def _spent(entry: Entry, where: str) -> Spent:
    epsilon, delta, rho, threshold = (_number(entry, key, where) for key in ("epsilon", "delta", "rho", "threshold_delta"))
    tables = entry.content.get("tables")
    if not isinstance(tables, dict) or rho <= 0 or threshold < 0:
        raise FormatError(f"Line {entry.line} of {where} is no spend of tables: a newer synthmob wrote it.")
    time, step, fingerprint = (str(entry.content.get(key)) for key in ("time", "step", "fingerprint"))
    return Spent(entry.line, entry.mac, time, step, epsilon, delta, rho, threshold, cast(dict[str, float], tables), fingerprint)


def _number(entry: Entry, key: str, where: str) -> float:
    value: Any = entry.content.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise FormatError(f"Line {entry.line} of {where} has {key} {value!r}, not a number: a newer synthmob wrote it.")
    return float(value)
