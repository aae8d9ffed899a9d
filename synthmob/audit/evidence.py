"""What an audit found: one attack or check a row, as a number with its interval, a control, a limit and a plain sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from synthmob.errors import FormatError

FORMAT = "synthmob audit"
FORMAT_VERSION = 1
FAMILIES = ("mechanism", "canaries", "membership", "trajectories", "uniqueness", "disclosure", "differencing", "traces")
"""In the order of the page: checks of the code itself, then attacks, from the strongest attacker to the weakest."""
KINDS = ("inside", "outside")
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Evidence:
    """One number that an attack or a check came to.

    `value` lies between `low` and `high` at 95 % confidence, in `unit` ('auc', 'epsilon', 'share', 'p', 'persons', 'count').
    `control` is what the same attack comes to where there is nothing to find: chance, or the same number of people who are not
    in the records. `limit` is what `value` or its interval is held against, None where the row is for information alone;
    `passed` says how that went, None without a limit. `subject` says what was attacked: 'release', 'synthetic', 'mechanism',
    'raw counts', 'counts of 50 and more', 'event-level noise', ... `n` is how many persons, guesses or draws stand behind it.
    """

    name: str
    family: str
    title: str
    subject: str
    unit: str
    value: float
    low: float
    high: float
    n: int
    sentence: str
    control: float | None = None
    limit: float | None = None
    passed: bool | None = None
    source: str = ""

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise FormatError(f"The evidence {self.name!r} is of family {self.family!r}: known are {', '.join(FAMILIES)}.")
        numbers = [self.value, self.low, self.high, *(x for x in (self.control, self.limit) if x is not None)]
        if not all(math.isfinite(x) for x in numbers) or not self.low <= self.value <= self.high:
            raise FormatError(
                f"The evidence {self.name!r} has the value {self.value} in [{self.low}, {self.high}]: run the audit again.")
        if (self.passed is None) != (self.limit is None):
            raise FormatError(f"The evidence {self.name!r} has a limit or a verdict without the other: run the audit again.")


@dataclass(frozen=True)
class Audit:
    """All evidence of one audit. `claimed` is the release's epsilon and delta; `epsilon_lower_bound` what the canaries show
    that it is at least, at 95 % confidence. `kind` is 'inside' (attacks on real records, confidential) or 'outside' (on a
    made-up operator of the same plan and size)."""

    kind: str
    claimed: Mapping[str, float]
    epsilon_lower_bound: float
    evidence: tuple[Evidence, ...]
    about: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FormatError(f"An audit is of kind {self.kind!r}: known are {' and '.join(KINDS)}.")

    @property
    def failed(self) -> tuple[Evidence, ...]:
        """What did not pass."""
        return tuple(e for e in self.evidence if e.passed is False)

    def as_json(self) -> dict[str, Any]:
        """The audit as plain data."""
        return {
            "format": FORMAT, "format_version": FORMAT_VERSION, "kind": self.kind, "confidential": self.kind == "inside",
            "claimed": dict(self.claimed), "epsilon_lower_bound": self.epsilon_lower_bound, "passed": not self.failed,
            "about": dict(self.about), "evidence": [asdict(e) for e in self.evidence]}  # fmt: skip


def of_family(evidence: Sequence[Evidence], family: str) -> tuple[Evidence, ...]:
    """The evidence of one family, in its order."""
    return tuple(e for e in evidence if e.family == family)
