"""From a time column to seconds of the period: local wall-clock time, whichever way the owner wrote it."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Iterator
from typing import Any

import ibis

from synthmob.period import Period

ISO_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?\s?(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)?$"
MINUTE_ENDS = 16
"""Characters up to and with the minute: 2026-03-02 08:30."""
EPOCH = datetime.datetime(1970, 1, 1)


def local_seconds(time: Any, period: Period) -> Any:
    """An expression: whole seconds since local midnight of the period's first day, int64; null where there is no time.

    A timestamp without a zone is local time as it stands. One with a zone, or text with an offset, is moved to the
    period's time zone by its public table of offsets; where clocks go back, two hours share their seconds.
    Text must be ISO 8601 with a time of day.
    """
    kind = time.type()
    first = int((datetime.datetime.combine(period.first_day, datetime.time()) - EPOCH).total_seconds())
    if kind.is_timestamp():
        # Cut to whole seconds first: DuckDB would round a fraction to the nearest, and Spark cuts it off.
        seconds = time.truncate("s").epoch_seconds().cast("int64")
        return (seconds if kind.timezone is None else _to_local(seconds, period)) - first
    text = time.strip()
    wall = text.substr(0, 10).concat(" ", text.substr(11, 5), ":", _seconds(text)).try_cast("timestamp")
    wall = wall.epoch_seconds().cast("int64")
    offset = text.re_extract(r"(Z|[+-]\d\d(:?\d\d)?)$", 1)
    hours = offset.substr(1, 2).try_cast("int64")
    minutes: Any = ibis.coalesce(offset.replace(":", "").substr(3, 2).try_cast("int64"), 0)
    sign = ibis.ifelse(offset.startswith("-"), -1, 1)
    ahead = ibis.ifelse(offset == "Z", 0, sign * (hours * 3600 + minutes * 60))
    # A day of the month looks like an offset too, -02: an offset is only what follows a time of day.
    has_offset = (offset != "") & (text.length() > MINUTE_ENDS)
    seconds: Any = ibis.ifelse(has_offset, _to_local(wall - ahead, period), wall)
    read: Any = ibis.ifelse(text.re_search(ISO_TIME), seconds, ibis.null("int64"))
    return read - first


def _seconds(text: Any) -> Any:
    """The two digits of the seconds, 00 where the text stops at minutes."""
    return ibis.ifelse(text.substr(MINUTE_ENDS, 1) == ":", text.substr(MINUTE_ENDS + 1, 2), "00")


def _to_local(utc_seconds: Any, period: Period) -> Any:
    """Local wall-clock seconds since 1970 of an instant, by the offsets in force around the period."""
    changes = list(_offsets(period))
    offset: Any = ibis.literal(changes[0][1], "int64")
    if len(changes) > 1:
        later = [(utc_seconds >= since, ahead) for since, ahead in reversed(changes[1:])]
        offset = ibis.cases(*later, else_=changes[0][1]).cast("int64")
    return utc_seconds + offset


def _offsets(period: Period) -> Iterator[tuple[int, int]]:
    """(instant, offset) in seconds: the offset at the start, then at every change, found by half-hours."""
    zone = zoneinfo.ZoneInfo(period.timezone)
    start = datetime.datetime.combine(period.first_day, datetime.time(), datetime.UTC) - datetime.timedelta(days=2)
    second, last = int(start.timestamp()), None
    for instant in range(second, second + (period.days + 4) * 86400, 1800):
        moved = datetime.datetime.fromtimestamp(instant, zone).utcoffset()
        ahead = int(moved.total_seconds()) if moved is not None else 0
        if ahead != last:
            yield instant, ahead
            last = ahead
