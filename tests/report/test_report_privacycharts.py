"""Numbers and small drawings of the privacy page: as many digits as are known, and marks where they belong."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from synthmob.audit.evidence import Evidence
from synthmob.report import privacynumbers as numbers
from synthmob.report.privacycharts import Scale, bound_bar, gauge, natural_scale, scale_of, spent_bar
from synthmob.report.privacycomparisons import common_title


def row(unit: str, value: float, low: float, high: float, **rest: Any) -> Evidence:
    return Evidence("row", "membership", "Row", "release", unit, value, low, high, 100, "S.", **rest)


@pytest.mark.parametrize(("e", "value", "interval"), [
    (row("auc", 0.5311, 0.512, 0.549), ".53", "[.51, .55]"),
    (row("auc", 0.5311, 0.528, 0.534), ".531", "[.528, .534]"),
    (row("auc", 0.5564, 0.52, 0.58, limit=0.5619, passed=True), ".556", "[.520, .580]"),
    (row("auc", 1.0, 1.0, 1.0), "1.00", ""),
    (row("epsilon", 0.468, 0.468, 0.468), "0.47", ""),
    (row("epsilon", 1234.0, 1234.0, 1234.0), "1,234", ""),
    (row("share", 0.123, 0.101, 0.145), "12.3 %", "[10.1, 14.5]"),
    (row("share", 0.123, 0.0, 0.3), "12 %", "[0, 30]"),
    (row("share", 0.0003, -0.0002, 0.0008), "0.03 %", "[\N{MINUS SIGN}0.02, 0.08]"),
    (row("share", -0.00001, -0.02, 0.02), "0.0 %", "[\N{MINUS SIGN}2.0, 2.0]"),
    (row("p", 0.42, 0.42, 0.42), ".42", ""),
    (row("p", 0.0042, 0.0042, 0.0042), ".004", ""),
    (row("p", 1e-9, 1e-9, 1e-9), "10⁻⁹", ""),
    (row("persons", 12.0, 3.4, 250.6), "12", "[3.4, 251]"),
    (row("furlongs", 2.5, 1.0, 4.0), "2.5", "[1, 4]")])  # fmt: skip
def test_numbers_have_the_digits_that_are_known(e: Evidence, value: str, interval: str) -> None:
    assert (numbers.value(e), numbers.interval(e)) == (value, interval)


def test_a_limit_says_which_side_is_good() -> None:
    assert numbers.limit(row("auc", 0.5, 0.5, 0.5, limit=0.562, passed=True)) == "≤ .562"
    assert numbers.limit(row("p", 0.5, 0.5, 0.5, limit=1e-6, passed=True)) == "≥ 10⁻⁶"
    assert numbers.limit(row("persons", 37.0, 37.0, 37.0, limit=9.0, passed=True)) == "≥ 9"
    assert numbers.limit(row("auc", 0.5, 0.5, 0.5)) == numbers.control(row("auc", 0.5, 0.5, 0.5)) == ""


def test_rows_held_against_a_limit_share_one_scale() -> None:
    """Nothing to find at three tenths of the way, the limit at seven, whatever the unit; what lies beyond gets an arrow."""
    for e in (row("auc", 0.51, 0.5, 0.52, control=0.5, limit=0.562, passed=True),
              row("epsilon", 0.4, 0.4, 0.4, control=0.0, limit=4.0, passed=True)):  # fmt: skip
        scale = scale_of(e)
        assert scale is not None
        ends = scale.x(scale.low), scale.x(scale.high)
        assert [(scale.x(v) - ends[0]) / (ends[1] - ends[0]) for v in (e.control, e.limit)] == pytest.approx([0.3, 0.7])
        assert "arrow" not in gauge(e, scale)
    wild = row("auc", 0.9, 0.3, 0.95, control=0.5, limit=0.562, passed=False)
    scale = scale_of(wild)
    assert scale is not None and gauge(wild, scale).count('class="arrow"') == 2 and 'class="gauge far"' in gauge(wild, scale)


def test_rows_without_a_limit_have_the_scale_of_their_unit() -> None:
    unicity = scale_of(row("share", 0.3, 0.28, 0.32))
    assert unicity is not None and unicity.low < 0 < 1 < unicity.high < 1.1
    assert scale_of(row("count", 0.0, 0.0, 0.0, control=0.0, limit=0.0, passed=True)) is None
    wide = natural_scale((row("persons", 5.0, -2.0, 9.0), row("persons", 1.0, 1.0, 40.0)))
    assert wide is not None and wide.low < -2 and wide.high > 40
    assert Scale(0.0, 1.0).x(-5) == Scale(0.0, 1.0).x(0) < Scale(0.0, 1.0).x(1) == Scale(0.0, 1.0).x(7)


def test_a_drawing_says_its_numbers_to_whoever_cannot_see_it() -> None:
    e = row("auc", 0.531, 0.512, 0.549, control=0.5, limit=0.562, passed=True)
    scale = scale_of(e)
    assert scale is not None
    said = "AUC .53, between .51 and .55 at 95 % confidence, where there is nothing to find .50, limit at most .562"
    assert f'aria-label="{said}"' in gauge(e, scale)
    assert 'aria-label="Claimed: epsilon at most 1. The canaries show at least 0.47."' in bound_bar(1.0, 0.468)
    assert 'class="bar far"' in bound_bar(1.0, 1.45) and 'class="bar good"' in bound_bar(1.0, 1.0)


def test_marks_that_are_close_keep_their_labels_apart() -> None:
    e = row("share", 0.5, 0.4, 0.6, control=0.5, limit=0.49, passed=False)
    scale = scale_of(e)
    assert scale is not None
    assert re.findall(r'text-anchor="(\w+)"', gauge(e, scale)) == ["end", "start"]


def test_a_budget_that_is_overspent_stays_in_its_bar() -> None:
    widths = [float(w) for w in re.findall(r'class="part\d" x="[\d.]+" y="0" width="([\d.]+)"', spent_bar((0.5, 0.4, 0.4), "said"))]
    assert len(widths) == 3 and sum(widths) <= 640


@pytest.mark.parametrize(("titles", "common"), [
    (("Hours from the day", "Hours from the night"), "Hours"), (("This", "That"), "This"), (("One: a", "One: b"), "One")])  # fmt: skip
def test_a_common_title_ends_at_a_word(titles: tuple[str, ...], common: str) -> None:
    assert common_title([replace(row("auc", 0.5, 0.5, 0.5), title=title) for title in titles]) == common
