"""Rho adds up, is converted once at the total's delta, and what does not fit is refused with the three numbers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spenders import DELTA, spend

from synthmob import accounting
from synthmob.errors import BudgetError, InputError, PlanError
from synthmob.ledger import Ledger, Spend, State, Total, epsilon_at, running
from synthmob.ledger.budget import allows, outlook, remaining
from synthmob.ledger.state import Spent


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is cut here: nothing has to wait for the disk."""
    monkeypatch.setattr("os.fsync", lambda _handle: None)


def spent(*epsilons: float, total: Total | None = None, threshold_delta: float = 0.0) -> State:
    """A state in which releases of those epsilons have been paid for."""
    lines = [Spent(k, "0" * 64, "", "measure", e, DELTA, accounting.rho_from(e, DELTA), threshold_delta, {}, "")
             for k, e in enumerate(epsilons, 2)]  # fmt: skip
    return State("them", (), tuple(lines), total)


def test_two_of_three_releases_fit_under_a_total_of_one(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.jsonl", customers="them")
    ledger.spend(spend(0.6), total_epsilon=1.0, total_delta=DELTA)
    assert ledger.preview(spend(0.6)).after == pytest.approx(0.868, abs=5e-4)
    ledger.spend(spend(0.6))
    before = ledger.state()
    with pytest.raises(BudgetError, match=r"'them'.*epsilon 0\.868 is spent and 0\.6 asked for, which is 1\.08.*total of 1 ") as refused:
        ledger.spend(spend(0.6))
    assert refused.value.exit_code == 3
    assert (refused.value.spent, refused.value.asked, refused.value.total) == (pytest.approx(0.868, abs=5e-4), 0.6, 1.0)
    assert ledger.state() == before and len(before.spends) == 2


@settings(max_examples=60)
@given(st.floats(1e-3, 20.0), st.floats(1e-12, 1e-3))
def test_a_release_of_exactly_the_total_is_allowed_and_anything_more_is_not(epsilon: float, delta: float) -> None:
    total, rho = Total(epsilon, delta), accounting.rho_from(epsilon, delta)
    assert allows(total, rho, 0.0) and not allows(total, rho * (1 + 1e-9), 0.0)
    assert not allows(total, rho, delta * 1e-3)
    asked = Spend("measure", epsilon, delta, rho, {"a": rho})
    found = outlook(State("them"), asked, epsilon, delta)
    assert found.allowed and found.after == pytest.approx(epsilon) and found.before == 0
    again = State("them", (), (Spent(2, "", "", "", epsilon, delta, rho, 0.0, {}, ""),), total)
    little = accounting.rho_from(1e-3, delta)
    assert not outlook(again, Spend("measure", 1e-3, delta, little, {"a": little})).allowed


@settings(max_examples=30)
@given(st.lists(st.floats(0.01, 1.0), max_size=6), st.floats(0.01, 1.0), st.floats(0.05, 3.0))
def test_what_is_allowed_is_what_the_epsilons_say(before: list[float], asked: float, total: float) -> None:
    """The decision compares deltas; up to rounding it is the comparison of epsilons."""
    found = outlook(spent(*before, total=Total(total, DELTA)), spend(asked))
    if abs(found.after - total) > 1e-9:
        assert found.allowed == (found.after < total)
    assert found.after >= max(found.before, asked) * (1 - 1e-9)
    if found.left > 0:
        assert outlook(spent(*before, total=Total(total, DELTA)), spend(found.left)).allowed
    assert not outlook(spent(*before, total=Total(total, DELTA)), spend(found.left + 0.002)).allowed


def test_epsilons_are_told_at_the_delta_of_the_total() -> None:
    found = outlook(spent(0.6), spend(0.6), 1.0, 1e-9)
    assert found.delta == 1e-9 and found.before == found.asked == accounting.epsilon_of(accounting.rho_from(0.6, DELTA), 1e-9)
    assert found.before > 0.6 and not found.allowed
    assert outlook(spent(0.6), spend(0.6)).total is None and outlook(spent(*[1.0] * 50), spend(5.0)).allowed


def test_the_deltas_of_thresholds_are_taken_off_the_total_first() -> None:
    """By hand: half of the delta gone, the rho of (0.6, 1e-6) is that of an epsilon of 0.6 at the other half's larger log."""
    total = Total(1.0, DELTA)
    state = spent(0.6, total=total, threshold_delta=DELTA / 2)
    assert outlook(state, spend(0.3)).before == accounting.epsilon_of(accounting.rho_from(0.6, DELTA), DELTA / 2) > 0.6
    edge = accounting.rho_from(1.0, DELTA / 2) - state.rho
    assert allows(total, state.rho + edge * 0.999, DELTA / 2) and not allows(total, state.rho + edge * 1.001, DELTA / 2)
    gone = spent(0.1, total=total, threshold_delta=DELTA)
    found = outlook(gone, spend(0.01))
    assert not found.allowed and math.isinf(found.before) and remaining(gone, total) == 0.0
    assert "no more can be released" in str(found.refusal())
    asked = Spend("measure", 0.3, DELTA, accounting.rho_from(0.3, DELTA / 2), {"a": accounting.rho_from(0.3, DELTA / 2)}, DELTA / 2)
    assert outlook(spent(), asked, 0.3, DELTA).allowed and not outlook(spent(), asked, 0.2999, DELTA).allowed


def test_a_total_can_be_lowered_and_never_raised(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.jsonl")
    ledger.spend(spend(0.3))
    assert ledger.state().total is None
    ledger.spend(spend(0.3), total_epsilon=2.0)
    assert ledger.state().total == Total(2.0, DELTA)
    for more in ({"total_epsilon": 2.1}, {"total_delta": 2e-6}, {"total_epsilon": 1.0, "total_delta": 1e-5}):
        for use in (ledger.preview, ledger.spend):
            with pytest.raises(InputError, match="can be lowered but never raised") as refused:
                use(spend(0.1), **more)
            assert refused.value.exit_code == 2
    lines = len(ledger.state().entries)
    ledger.spend(spend(0.1), total_epsilon=2.0)  # said again: no line of its own
    assert len(ledger.state().entries) == lines + 1
    loose = Spend("measure", 0.1, 1e-3, accounting.rho_from(0.1, 1e-3), {"a": accounting.rho_from(0.1, 1e-3)})
    ledger.spend(loose, total_epsilon=1.5)  # the delta that stands stays
    assert ledger.state().total == Total(1.5, DELTA)


@pytest.mark.parametrize("use", ["preview", "spend"])
def test_a_total_under_what_is_spent_stands_and_refuses_everything(tmp_path: Path, use: str) -> None:
    ledger = Ledger.open(tmp_path / "ledger.jsonl")
    ledger.spend(spend(0.6))
    with pytest.raises(BudgetError, match="no more can be released"):
        getattr(ledger, use)(spend(0.01), total_epsilon=0.5)
    assert ledger.state().total == Total(0.5, DELTA) and len(ledger.state().spends) == 1
    with pytest.raises(BudgetError):
        ledger.spend(spend(0.001))
    with pytest.raises(InputError):
        ledger.spend(spend(0.01), total_epsilon=0.6)


def test_a_slip_before_anything_is_spent_leaves_nothing(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "in" / "ledger.jsonl")
    with pytest.raises(BudgetError, match=r"ask for epsilon 0\.2 or less"):
        ledger.preview(spend(1.0), total_epsilon=0.2)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BudgetError):
        ledger.spend(spend(1.0), total_epsilon=0.2)
    assert ledger.state().entries == ()
    ledger.spend(spend(1.0), total_epsilon=2.0)


def test_what_is_no_budget_is_refused() -> None:
    with pytest.raises(InputError, match="give --total-epsilon beside --total-delta"):
        outlook(State("them"), spend(), None, 1e-6)
    for epsilon, delta in ((0.0, 1e-6), (-1.0, 1e-6), (math.inf, 1e-6), (math.nan, 1e-6), (1.0, 0.0), (1.0, 1.0), (1.0, math.nan)):
        with pytest.raises(InputError, match="no budget"):
            outlook(State("them"), spend(), epsilon, delta)
    good = {"step": "measure", "epsilon": 1.0, "delta": DELTA, "rho": 1.0, "tables": {"a": 0.25, "b": 0.75}}
    assert Spend(**good).rho == 1.0
    for change in ({"rho": math.nan}, {"rho": -1.0}, {"tables": {}}, {"tables": {"a": 0.25}}, {"tables": {"a": 0.25, "b": 0.76}},
                   {"tables": {"a": 1.25, "b": -0.25}}, {"epsilon": 0.0}, {"delta": math.inf}, {"threshold_delta": -1e-9}):  # fmt: skip
        with pytest.raises(InputError):
            Spend(**{**good, **change})


def test_running_epsilons_are_those_of_the_sums() -> None:
    state = spent(0.6, 0.6, 0.6)
    found = running(state.spends, DELTA)
    assert found == pytest.approx((0.6, 0.8684, 1.0789), abs=1e-4) and found[-1] == epsilon_at(state.rho, 0.0, DELTA)
    with pytest.raises(PlanError):
        epsilon_at(math.nan, 0.0, DELTA)
