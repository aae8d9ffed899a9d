"""Evidence says what it is, and refuses to be what it cannot; intervals cover what they should."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmob.audit import intervals
from synthmob.audit.evidence import Audit, Evidence, of_family
from synthmob.errors import FormatError

ROW: dict[str, Any] = {
    "name": "a", "family": "membership", "title": "A", "subject": "release", "unit": "auc", "value": 0.5, "low": 0.4, "high": 0.6, "n": 10,
    "sentence": "So it is."}


def test_an_audit_fails_where_a_row_fails() -> None:
    rows = (Evidence(**ROW), Evidence(**{**ROW, "name": "b", "family": "traces", "limit": 0.0, "passed": False}))
    found = Audit("inside", {"epsilon": 1.0, "delta": 1e-6}, 0.4, rows, {"period": "a week"})
    assert found.failed == rows[1:] and of_family(rows, "traces") == rows[1:]
    said = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert said["passed"] is False and said["confidential"] is True and said["epsilon_lower_bound"] == 0.4
    assert [row["name"] for row in said["evidence"]] == ["a", "b"]
    outside = dataclasses.replace(found, kind="outside", evidence=rows[:1]).as_json()
    assert outside["passed"] is True and outside["confidential"] is False


@pytest.mark.parametrize("change", [
    {"family": "guesses"}, {"value": float("nan")}, {"low": 0.55}, {"high": 0.45}, {"limit": 1.0}, {"passed": True},
    {"control": float("inf")}])  # fmt: skip
def test_evidence_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match=r"^The evidence 'a' "):
        Evidence(**{**ROW, **change})


def test_an_audit_is_inside_or_outside() -> None:
    with pytest.raises(FormatError, match="inside and outside"):
        Audit("beside", {}, 0.0, (), {})


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_exact_interval_holds_its_share(hits: int, more: int) -> None:
    value, low, high = intervals.share(hits, hits + more)
    assert 0 <= low <= value <= high <= 1


def test_the_exact_interval_by_hand() -> None:
    """No success in n tries: the upper end solves (1 - p)^n = .025."""
    _, low, high = intervals.share(0, 20)
    assert low == 0.0 and high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert intervals.share(0, 0) == (0.0, 0.0, 1.0)


def test_the_area_by_hand() -> None:
    scores, members = np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False])
    assert intervals.auc(scores, members) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert intervals.auc(scores, ~members) == pytest.approx(1 - 3.5 / 4)
    assert intervals.auc(scores, np.ones(4, dtype=np.bool_)) == 0.5


def test_the_interval_of_an_area_covers_it_and_is_no_wider_than_need_be() -> None:
    """Normal scores one standard deviation apart have an AUC of Phi(1 / sqrt 2) = .7602."""
    rng, covered, widths = np.random.default_rng(1), 0, []
    for _ in range(60):
        trials = []
        for _ in range(4):
            members = np.arange(60) < 30
            trials.append((rng.standard_normal(60) + members, members))
        value, low, high = intervals.auc_over_trials(trials, rng)
        assert low <= value <= high
        covered += low <= 0.7602 <= high
        widths.append(high - low)
    assert covered >= 50 and np.mean(widths) < 0.25


def test_noise_alone_has_an_area_of_a_half() -> None:
    rng = np.random.default_rng(2)
    trials = [(rng.standard_normal(400), rng.random(400) < 0.5) for _ in range(5)]
    _, low, high = intervals.auc_over_trials(trials, rng)
    assert low <= 0.5 <= high and high - low < 0.12


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_a_difference_is_its_own_opposite(a: int, b: int, c: int, d: int) -> None:
    value, low, high = intervals.difference(a, a + b, c, c + d)
    back = intervals.difference(c, c + d, a, a + b)
    assert low <= value + 1e-12 and value <= high + 1e-12
    assert back == pytest.approx((-value, -high, -low), abs=1e-12)


def test_nothing_tried_says_nothing() -> None:
    assert intervals.difference(0, 0, 0, 0) == (0.0, -1.0, 1.0)
