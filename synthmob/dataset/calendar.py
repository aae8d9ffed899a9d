"""The days of a period as a table: for those who do not want to count from its first day."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from synthmob import schema
from synthmob.domain import DAY_TYPES
from synthmob.period import Period

if TYPE_CHECKING:
    import pyarrow as pa

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def days(period: Period) -> pa.Table:
    """The calendar of a period, a row a day.

    >>> days(Period.of("2026-03-06", 2))["day_type"].to_pylist()
    ['weekday', 'saturday']
    """
    import pyarrow as pa

    numbers = range(period.days)
    dates = [period.date(day) for day in numbers]
    columns = {
        "day": pa.array(numbers, pa.int32()),
        "date": pa.array(dates, pa.date32()),
        "weekday": pa.array([WEEKDAYS[date.weekday()] for date in dates], pa.string()),
        "day_type": pa.array([DAY_TYPES[period.day_type(day)] for day in numbers], pa.string()),
    }
    return pa.table({name: columns[name] for name in schema.CALENDAR.names})


def write(period: Period, path: Path, marks: Mapping[str, str]) -> None:
    """Write the calendar of a period as Parquet, with what the file says of itself beside its rows."""
    import pyarrow.parquet as pq

    table = days(period)
    with pq.ParquetWriter(path, table.schema, compression="zstd", store_schema=False) as file:
        file.write_table(table)
        file.add_key_value_metadata(dict(marks))
