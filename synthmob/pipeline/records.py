"""Which records a step reads, as a user names them; the door to them is opened when a step asks for its curator."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from synthmob.databases import Address
from synthmob.engine import DUCKDB, check
from synthmob.errors import InputError, RecordError
from synthmob.period import Period
from synthmob.zones import Zoning

if TYPE_CHECKING:
    from synthmob.private.curator import Curator

PERIOD_FILE = "period.toml"


@dataclass(frozen=True)
class RecordFiles:
    """A folder of records or a database, or paths and tables that win over it, and what counts them.

    The period is that of `period.toml` unless first_day and days are given.
    """

    folder: Path | Address | None = None
    subscribers: Path | Address | None = None
    stays: Path | Address | None = None
    events: Path | Address | None = None
    first_day: str | None = None
    days: int | None = None
    timezone: str | None = None
    read_from: Literal["stays", "events"] = "stays"
    memory_limit_gb: float | None = None
    engine: str = DUCKDB

    def period(self) -> Period:
        """The public period, stated by the user or beside the records, never derived from them."""
        if self.first_day is not None and self.days is not None:
            return Period.of(self.first_day, self.days, self.timezone or "UTC")
        if self.first_day is not None or self.days is not None or self.timezone is not None:
            raise RecordError("A period needs its first day and its number of days: give --first-day and --days, or neither.")
        if not isinstance(self.folder, Path):
            raise RecordError(f"Nothing says which days the records cover: give --first-day and --days, or a {PERIOD_FILE}.")
        return Period.read(self.folder / PERIOD_FILE)

    def curator(self, zoning: Zoning) -> Curator:
        """The curator of these records: the only door to them."""
        from synthmob.private.curator import Curator, Sources

        if self.folder is None and self.subscribers is None:
            raise RecordError("No records are named: give the folder that holds them, or --subscribers with --stays or --events.")
        if isinstance(self.folder, Path) and not self.folder.is_dir():
            raise RecordError(f"There is no folder {self.folder}: give the folder that holds subscribers and stays or events.")
        if self.memory_limit_gb is not None and not self.memory_limit_gb > 0:
            raise InputError(f"A memory limit of {self.memory_limit_gb:g} GB cannot be kept: give a number above 0.")
        check(self.engine)
        sources = Sources(self.folder, self.subscribers, self.stays, self.events)
        return Curator(sources, zoning, self.period(), self.read_from, self.memory_limit_gb, self.engine)


@contextmanager
def enough_memory() -> Generator[None]:
    """Turns the backend's complaint about its memory limit into one sentence."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise InputError("The records do not fit into the memory limit: raise --memory-limit-gb.") from None
