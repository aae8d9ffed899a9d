"""Whether a spend is allowed: rho adds up, and is converted once at the total's delta, less the deltas of thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthmob import accounting
from synthmob.errors import BudgetError, InputError
from synthmob.ledger.chain import Keys
from synthmob.ledger.state import State, Total, epsilon_at

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Spend:
    """What a step is about to spend: `rho` in all and of every table, and the epsilon and delta at which it was asked for.

    `subject` says which records and period it is about; the ledger notes no more of it than a keyed fingerprint.
    """

    step: str
    epsilon: float
    delta: float
    rho: float
    tables: Mapping[str, float]
    threshold_delta: float = 0.0
    subject: str = ""

    def __post_init__(self) -> None:
        numbers = (self.epsilon, self.delta, self.rho, *self.tables.values())
        if not all(math.isfinite(number) and number > 0 for number in numbers) or not 0 <= self.threshold_delta < 1:
            raise InputError("A spend needs an epsilon, a delta and rhos above 0, and a threshold delta under 1: give those.")
        named = accounting.compose(self.tables.values())
        if abs(named - self.rho) > _ROUNDING * self.rho:
            raise InputError(
                f"The tables of this spend cost rho {named:.6g} and it states {self.rho:.6g}: name every table with what it costs.")

    def content(self, keys: Keys) -> dict[str, Any]:
        """What its line says beside number, kind and time."""
        return {
            "step": self.step, "epsilon": self.epsilon, "delta": self.delta, "rho": self.rho, "tables": dict(self.tables),
            "threshold_delta": self.threshold_delta, "fingerprint": keys.fingerprint(self.subject)}  # fmt: skip


@dataclass(frozen=True)
class Outlook:
    """What a spend would come to: epsilons before it, of it, and after it, at `delta`, under the total, None where none is set.

    `states` says that the total is new or lower than the one that stands.
    """

    customers: str
    before: float
    asked: float
    after: float
    delta: float
    total: Total | None
    states: bool
    allowed: bool
    left: float
    """The most that a single release at `delta` may still ask for before this spend; infinite without a total."""

    def refusal(self) -> BudgetError:
        """The error that says so with the three numbers."""
        total = self.total.epsilon if self.total else math.inf
        advice = f"ask for epsilon {self.left:g} or less" if self.left > 0 else "no more can be released about them"
        return BudgetError(
            f"The ledger of {self.customers!r} does not allow it: epsilon {self.before:.3g} is spent and {self.asked:.3g} asked for, which "
            f"is {self.after:.3g} in all of a total of {total:g} at delta {self.delta:g}, so {advice}.",
            spent=self.before, asked=self.asked, total=total)  # fmt: skip


def allows(total: Total, rho: float, threshold_delta: float) -> bool:
    """Whether a total pays for a summed rho: its delta at the total's epsilon is compared, as `rho_from` does.

    That is the comparison of epsilons, without the rounding of one more conversion: a release of the whole total is allowed.

    >>> total = Total(1.0, 1e-6)
    >>> allows(total, accounting.rho_from(1.0, 1e-6), 0.0), allows(total, accounting.rho_from(1.0, 1e-6), 1e-7)
    (True, False)
    """
    delta = total.delta - threshold_delta
    return delta > 0 and accounting.delta_of(rho, total.epsilon) <= delta


def outlook(state: State, spend: Spend, total_epsilon: float | None = None, total_delta: float | None = None) -> Outlook:
    """What a spend would come to in a state, under the total that stands or the one that is stated with it."""
    total = _total(state, spend.delta, total_epsilon, total_delta)
    delta = total.delta if total else spend.delta
    rho, threshold = accounting.compose([state.rho, spend.rho]), state.threshold_delta + spend.threshold_delta
    same = delta == spend.delta and not spend.threshold_delta
    return Outlook(
        state.customers,
        epsilon_at(state.rho, state.threshold_delta, delta),
        spend.epsilon if same else epsilon_at(spend.rho, spend.threshold_delta, delta),
        epsilon_at(rho, threshold, delta),
        delta, total, total != state.total,
        total is None or allows(total, rho, threshold),
        math.inf if total is None else remaining(state, total))  # fmt: skip


def remaining(state: State, total: Total) -> float:
    """The largest epsilon that one more release at the total's delta may ask for, rounded down to three decimals."""
    delta = total.delta - state.threshold_delta
    left = accounting.rho_from(total.epsilon, delta) - state.rho if delta > 0 else 0.0
    return math.floor(1000 * epsilon_at(left, 0.0, total.delta)) / 1000 if left > 0 else 0.0


def _total(state: State, asked_delta: float, epsilon: float | None, delta: float | None) -> Total | None:
    """The total under which a spend is judged; InputError where a larger one is stated than stands."""
    stands = state.total
    if epsilon is None and delta is None:
        return stands
    if stands is None:
        if epsilon is None:
            raise InputError("A total has an epsilon and a delta: give --total-epsilon beside --total-delta.")
        return Total(epsilon, asked_delta if delta is None else delta)
    stated = Total(stands.epsilon if epsilon is None else epsilon, stands.delta if delta is None else delta)
    if stated.epsilon > stands.epsilon or stated.delta > stands.delta:
        raise InputError(
            f"The total of {state.customers!r} is {stands} and {stated} was asked for: a total can be lowered but never raised, "
            "leave it out to use the one that stands.")
    return stated
