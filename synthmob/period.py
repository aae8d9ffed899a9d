"""The public period that the records cover: its first day, how many days, and the time zone of its clock.

It is stated beside the records (`period.toml`) or by the user and never derived from the rows: the first day that
occurs in the data is already a fact about somebody. Days count from 0, minutes from local midnight. A day type follows
from the calendar alone; public holidays count as the day of the week they fall on.
"""

from __future__ import annotations

import datetime
import zoneinfo
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from synthmob import folders
from synthmob.domain import DAY_TYPES
from synthmob.errors import FormatError, InputError, RecordError

MAX_DAYS = 3660
_MARGIN = datetime.timedelta(days=4)
"""Clocks are looked up some days around the period, for offsets to UTC: these days must be on the calendar too."""


@dataclass(frozen=True)
class Period:
    """Consecutive whole days from `first_day` on, local time of `timezone` (an IANA name).

    >>> week = Period(datetime.date(2026, 3, 2), 7, "Europe/London")
    >>> week.day_type(0), week.day_types, week.days_of(0)
    (0, ('weekday', 'saturday', 'sunday'), (0, 1, 2, 3, 4))
    """

    first_day: datetime.date
    days: int
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        # A datetime is a date to isinstance: refuse it by its exact type, or a time of day would travel along unseen.
        if type(self.first_day) is not datetime.date:
            raise RecordError(f"The period's first_day is {self.first_day!r}: give a calendar day such as 2026-03-02.")
        if type(self.days) is not int or not 1 <= self.days <= MAX_DAYS:
            raise RecordError(f"The period's days is {self.days!r}: give a whole number from 1 to {MAX_DAYS}.")
        try:
            _ = self.first_day - _MARGIN, self.first_day + datetime.timedelta(days=self.days) + _MARGIN
        except OverflowError:
            raise RecordError(
                f"The period's first_day {self.first_day} lies at the calendar's end: correct it."
            ) from None
        if not _is_timezone(self.timezone):
            raise RecordError(
                f"The period's timezone {self.timezone!r} is not known: give an IANA name such as Europe/London."
            )

    @classmethod
    def of(cls, first_day: str, days: int, timezone: str = "UTC") -> Period:
        """A period from the text of a calendar day, as on a command line.

        >>> Period.of("2026-03-07", 1).day_types
        ('saturday',)
        """
        return cls(_as_date(first_day), days, timezone)

    @classmethod
    def read(cls, path: str | Path) -> Period:
        """The period written in a `period.toml`: first_day, days and timezone (UTC where it is left out)."""
        where = Path(path)
        hint = "write first_day, days and timezone there, or give --first-day and --days"
        table = folders.read_toml(where, where.name, RecordError, hint)
        for name in ("first_day", "days"):
            if name not in table:
                raise RecordError(f"{where} says nothing of {name}: write first_day, days and timezone there.")
        return cls(_as_date(table["first_day"]), table["days"], table.get("timezone", "UTC"))

    @cached_property
    def _types(self) -> tuple[int, ...]:
        weekdays = ((self.first_day.weekday() + day) % 7 for day in range(self.days))
        return tuple(max(0, weekday - 4) for weekday in weekdays)

    @property
    def day_types(self) -> tuple[str, ...]:
        """The day types that occur, in the order of `domain.DAY_TYPES`."""
        return tuple(name for code, name in enumerate(DAY_TYPES) if code in self._types)

    def day_type(self, day: int) -> int:
        """The code in `domain.DAY_TYPES` of a day of the period: 0 weekday, 1 Saturday, 2 Sunday."""
        if not 0 <= day < self.days:
            raise InputError(
                f"Day {day} is outside the period, whose days are 0 to {self.days - 1}: give one of those."
            )
        return self._types[day]

    def days_of(self, type_code: int) -> tuple[int, ...]:
        """The days of one day type, in order; empty where the period has none."""
        return tuple(day for day, code in enumerate(self._types) if code == type_code)

    def date(self, day: int) -> datetime.date:
        """The calendar day of a day of the period."""
        return self.first_day + datetime.timedelta(days=day)

    def as_json(self) -> dict[str, object]:
        """What `release.json` says of the period."""
        return {"first_day": self.first_day.isoformat(), "days": self.days, "timezone": self.timezone}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Period:
        """The period that `as_json` described.

        >>> Period.from_json(Period.of("2026-03-02", 7).as_json()).days
        7
        """
        try:
            return cls.of(said["first_day"], said["days"], said["timezone"])
        except (KeyError, TypeError, RecordError):
            raise FormatError(
                f"The period reads {said!r}: it needs first_day, days and timezone, ask for the folder again."
            ) from None


def _as_date(value: object) -> datetime.date:
    """A calendar day from TOML's own date or from text; the constructor refuses everything else."""
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            raise RecordError(f"The period's first_day is {value!r}: give a calendar day such as 2026-03-02.") from None
    return value  # pyright: ignore[reportReturnType]  (checked by the constructor)


def _is_timezone(name: object) -> bool:
    if not isinstance(name, str) or not name:
        return False
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
