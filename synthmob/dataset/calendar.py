"""The days of a period as a table: for those who do not want to count from its first day."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synthmob import schema
from synthmob.domain import DAY_TYPES
from synthmob.period import Period

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def write(period: Period, path: Path, marks: Mapping[str, str]) -> None:
    """Write the calendar of a period as Parquet, with what the file says of itself beside its rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    days = range(period.days)
    dates = [period.date(day) for day in days]
    columns = {
        "day": pa.array(days, pa.int32()),
        "date": pa.array(dates, pa.date32()),
        "weekday": pa.array([WEEKDAYS[date.weekday()] for date in dates], pa.string()),
        "day_type": pa.array([DAY_TYPES[period.day_type(day)] for day in days], pa.string()),
    }
    table = pa.table({name: columns[name] for name in schema.CALENDAR.names})
    with pq.ParquetWriter(path, table.schema, compression="zstd", store_schema=False) as file:
        file.write_table(table)
        file.add_key_value_metadata(dict(marks))
