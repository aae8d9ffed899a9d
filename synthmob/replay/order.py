"""The events of an OUT folder in one order over all parts: by local time, then person, then row of the file; in bounded memory.

A part keeps a person's rows together, so no two events share all three. DuckDB sorts, on disk where there are many.
"""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthmob.engine import connect
from synthmob.schema import SYNTHETIC_EVENTS
from synthmob.synthesis.outfolder import literally

if TYPE_CHECKING:
    import pyarrow as pa

MEMORY_LIMIT_GB = 1.0
THREADS = 2
ROWS = 8_192
ROW = "row"
EPOCH = datetime.datetime(1970, 1, 1)
MICROSECOND = datetime.timedelta(microseconds=1)


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """Where an event stands in the order: local time in microseconds since 1970, person, row in its part file."""

    time_us: int
    person_id: int
    row: int


@dataclass(frozen=True)
class Window:
    """The events that are asked for: from a local time on, and before another; None where that side is open."""

    start: datetime.datetime | None = None
    end: datetime.datetime | None = None


@dataclass(frozen=True)
class Order:
    """The events in a window, sorted by a DuckDB that may spill."""

    backend: Any
    files: str
    window: Window

    def count(self) -> int:
        """How many events the window has."""
        found = self.backend.sql(f"SELECT count(*) FROM read_parquet([{self.files}]) WHERE {self._asked()}").fetchall()  # noqa: S608
        return int(found[0][0])

    def after(self, place: Place | None) -> Iterator[pa.RecordBatch]:
        """The events behind a place, all where it is None: the columns of schema.SYNTHETIC_EVENTS, and `row`."""
        names = ", ".join(SYNTHETIC_EVENTS.names)
        behind = "" if place is None else f" AND {_behind(place)}"
        query = (
            f"SELECT {names}, file_row_number AS {ROW} FROM read_parquet([{self.files}], file_row_number = true) "  # noqa: S608
            f"WHERE {self._asked()}{behind} ORDER BY time, person_id, file_row_number")
        yield from self.backend.sql(query).to_arrow_reader(ROWS)

    def _asked(self) -> str:
        sides = ((">=", self.window.start), ("<", self.window.end))
        return " AND ".join(f"time {sign} make_timestamp({_us(when)})" for sign, when in sides if when is not None) or "true"


def _us(when: datetime.datetime) -> int:
    """A local time in microseconds since 1970.

    >>> _us(datetime.datetime(1970, 1, 1, 0, 1))
    60000000
    """
    return (when - EPOCH) // MICROSECOND


def _behind(place: Place) -> str:
    time, person, row = f"make_timestamp({place.time_us:d})", f"{place.person_id:d}", f"{place.row:d}"
    same = f"time = {time} AND (person_id > {person} OR (person_id = {person} AND file_row_number > {row}))"
    return f"(time > {time} OR ({same}))"


@contextmanager
def opened(files: Sequence[Path], window: Window) -> Generator[Order]:
    """The order of the events in some part files; what it spills is removed at the end."""
    listed = ", ".join("'" + literally(path).replace("'", "''") + "'" for path in files)
    with tempfile.TemporaryDirectory() as spill:
        backend = connect(memory_limit_gb=MEMORY_LIMIT_GB, threads=THREADS, temp_directory=spill)
        try:
            yield Order(backend.con, listed, window)
        finally:
            backend.disconnect()
