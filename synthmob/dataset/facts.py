"""What is known of a dataset: every description of it is written from this, so that no two can differ."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthmob.dataset.licences import Licence
from synthmob.domain import Domain
from synthmob.errors import InputError
from synthmob.period import Period
from synthmob.schema import SYNTHETIC_EVENTS, Table

LONGEST_TITLE, LONGEST_NOTICE = 200, 2_000
EARLIEST = datetime.date(2000, 1, 1)


@dataclass(frozen=True)
class File:
    """A Parquet file of a table: its path inside the dataset, SHA-256, size and rows."""

    path: str
    sha256: str
    n_bytes: int
    n_rows: int


@dataclass(frozen=True)
class Shipped:
    """A table with the columns that its files have, and those files."""

    table: Table
    files: tuple[File, ...]

    @property
    def n_rows(self) -> int:
        """The rows of all files together."""
        return sum(file.n_rows for file in self.files)


@dataclass(frozen=True)
class Said:
    """What the owner of a dataset says of it: nothing of this can be found out from its files.

    `notice` is the source and licence of the public zoning, in the words that its publisher wants to see.
    """

    title: str
    licence: Licence
    publisher: str = ""
    published: datetime.date | None = None
    notice: str = ""

    def __post_init__(self) -> None:
        texts = {
            "title": (self.title, LONGEST_TITLE), "publisher": (self.publisher, LONGEST_TITLE),
            "zones notice": (self.notice, LONGEST_NOTICE)}  # fmt: skip
        for name, (text, most) in texts.items():
            if len(text) > most or not text.isprintable():
                raise InputError(f"The dataset's {name} is no line of at most {most} letters: give a shorter one, without line breaks.")
        if not self.title.strip():
            raise InputError("The dataset has no title: give one with --title.")
        if self.published is not None and self.published < EARLIEST:
            raise InputError(f"The dataset cannot have been published on {self.published}: give the day as in 2026-03-02.")

    def as_json(self) -> dict[str, Any]:
        """The same as plain text, for a manifest."""
        return {
            "title": self.title, "licence": self.licence.spdx, "publisher": self.publisher,
            "published": self.published.isoformat() if self.published else "", "zones_notice": self.notice}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """A dataset: what its owner says, its tables, the days and categories of its rows, and what it was made of.

    `privacy` is the statement of `dataset.privacy`, `release` and `out` are SHA-256 digests as in a manifest.
    """

    said: Said
    tables: tuple[Shipped, ...]
    period: Period
    domain: Domain
    privacy: Mapping[str, Any]
    assumed: tuple[str, ...]
    seed: int
    release: str
    out: str
    version: str

    def table(self, name: str) -> Shipped:
        """The table of that name; KeyError where there is none."""
        return {shipped.table.name: shipped for shipped in self.tables}[name]

    @property
    def n_persons(self) -> int:
        """How many synthetic persons there are."""
        return self.table("persons").n_rows

    @property
    def has_events(self) -> bool:
        """Whether there are events and antenna sites too."""
        return SYNTHETIC_EVENTS.name in {shipped.table.name for shipped in self.tables}

    @property
    def days(self) -> str:
        """The days in words."""
        last = self.period.date(self.period.days - 1)
        span = f"{self.period.first_day}" if self.period.days == 1 else f"{self.period.first_day} to {last}"
        return f"{span}, local time of {self.period.timezone}"

    @property
    def summary(self) -> str:
        """One sentence that says what this is."""
        days = "one day" if self.period.days == 1 else f"{self.period.days} days"
        return (
            f"{self.n_persons:,} synthetic persons over {self.table('zones').n_rows:,} zones and {days} ({self.days}): their homes, work "
            f"places, stays and trips{', and what their phones do' if self.has_events else ''}, drawn from a model. "
            "No row is about a real person.")


def day(text: str) -> datetime.date:
    """The day of a text such as 2026-03-02; InputError for any other."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"The dataset cannot have been published on {text!r}: give the day as in 2026-03-02.") from None
