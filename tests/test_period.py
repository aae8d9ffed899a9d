"""The period: calendar arithmetic and every refusal."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmob.domain import DAY_TYPES
from synthmob.errors import FormatError, InputError, RecordError
from synthmob.period import MAX_DAYS, Period

MONDAY = datetime.date(2026, 3, 2)


@given(st.dates(max_value=datetime.date(2900, 1, 1)), st.integers(1, 60))
def test_day_types_follow_the_calendar(first_day: datetime.date, days: int) -> None:
    period = Period(first_day, days, "Europe/London")
    names = [DAY_TYPES[period.day_type(day)] for day in range(days)]
    assert names == [{"Sat": "saturday", "Sun": "sunday"}.get(f"{period.date(d):%a}", "weekday") for d in range(days)]
    assert period.day_types == tuple(name for name in DAY_TYPES if name in names)
    assert sorted(day for code in range(3) for day in period.days_of(code)) == list(range(days))


def test_a_weekday_alone_has_one_day_type() -> None:
    assert Period(MONDAY, 1).day_types == ("weekday",)
    assert Period(MONDAY, 1).days_of(1) == ()


def test_json_round_trip() -> None:
    period = Period(MONDAY, 7, "Australia/Melbourne")
    assert Period.from_json(period.as_json()) == period


@pytest.mark.parametrize("first_day", ["2026-03-02", '"2026-03-02"'])
def test_read_takes_a_toml_date_or_text(tmp_path: Path, first_day: str) -> None:
    path = tmp_path / "period.toml"
    path.write_text(f'first_day = {first_day}   # a Monday\ndays = 7\ntimezone = "America/New_York"\n')
    assert Period.read(path) == Period(MONDAY, 7, "America/New_York")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("first_day = 2026-03-02\n", "days"),
        ("days = 7\n", "first_day"),
        ("first_day = 2026-03-02T00:00:00\ndays = 7\n", "first_day"),
        ('first_day = "2nd of March"\ndays = 7\n', "2nd of March"),
        ("first_day = 2026-03-02\ndays = 0\n", "0"),
        ("first_day = 2026-03-02\ndays = true\n", "True"),
        ("first_day = 2026-03-02\ndays = 1.5\n", "1.5"),
        (f"first_day = 2026-03-02\ndays = {MAX_DAYS + 1}\n", "whole number"),
        ("first_day = 9999-12-30\ndays = 7\n", "calendar"),
        ('first_day = 2026-03-02\ndays = 7\ntimezone = "London"\n', "London"),
        ('first_day = 2026-03-02\ndays = 7\ntimezone = "../etc/passwd"\n', "timezone"),
        ("first_day = 2026-03-02\ndays = 7\ntimezone = 0\n", "timezone"),
        ("first_day 2026-03-02", "not TOML"),
    ],
)
def test_broken_period_files_are_refused_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "period.toml"
    path.write_text(text)
    with pytest.raises(RecordError, match=words) as caught:
        Period.read(path)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_a_missing_file_names_the_flags(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="--first-day"):
        Period.read(tmp_path / "period.toml")


@pytest.mark.parametrize(
    "said",
    [{}, {"first_day": 3, "days": 1, "timezone": "UTC"}, {"first_day": "2026-03-02", "days": 0, "timezone": "UTC"}],
)
def test_a_damaged_description_is_a_format_error(said: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        Period.from_json(said)


@pytest.mark.parametrize("day", [-1, 1])
def test_a_day_outside_the_period_is_refused(day: int) -> None:
    with pytest.raises(InputError, match="outside the period"):
        Period(MONDAY, 1).day_type(day)
