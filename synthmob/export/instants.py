"""Days and minutes of the local clock as instants, on the days too when the clock is put forward or back."""

from __future__ import annotations

import datetime
import zoneinfo

import numpy as np
import numpy.typing as npt

from synthmob.domain import MINUTES_PER_DAY
from synthmob.errors import FormatError
from synthmob.period import Period

Instants = npt.NDArray[np.datetime64]
DAY_S = 86_400


def table(period: Period) -> Instants:
    """The instant (UTC, datetime64[s]) of every minute of the local clock, shape (days, 1441): minute 1440 is the next midnight.

    The minutes that the clock skips in spring are all the instant at which it does; of an hour that it repeats in autumn the first
    is meant. So instants never run backwards, and a stay may be an hour shorter or longer than its minutes say.

    >>> spring = Period.of("2026-03-29", 1, "Europe/London")
    >>> [str(table(spring)[0, m])[11:16] for m in (0, 59, 60, 90, 120, 150)]
    ['00:00', '00:59', '01:00', '01:00', '01:00', '01:30']
    """
    zone = zoneinfo.ZoneInfo(period.timezone)
    out = np.empty((period.days, MINUTES_PER_DAY + 1), dtype="datetime64[s]")
    for day in range(period.days):
        midnight = datetime.datetime.combine(period.date(day), datetime.time())
        local = (midnight + datetime.timedelta(minutes=minute) for minute in range(MINUTES_PER_DAY + 1))
        utc = [when.replace(tzinfo=zone).astimezone(datetime.UTC).replace(tzinfo=None) for when in local]
        out[day] = np.minimum.accumulate(np.array(utc, dtype="datetime64[s]")[::-1])[::-1]
    return out


def of_local(local: Instants, clock: Instants, period: Period) -> Instants:
    """The instants (UTC, datetime64[s]) of local times to the second, by the table of a period; FormatError outside it.

    A second of an hour that the clock skips is the instant at which it does, as its minute is.

    >>> spring = Period.of("2026-03-29", 1, "Europe/London")
    >>> times = np.array(["2026-03-29T00:59:59", "2026-03-29T01:30:07", "2026-03-29T02:00:01"], dtype="datetime64[s]")
    >>> [str(when)[11:] for when in of_local(times, table(spring), spring)]
    ['00:59:59', '01:00:00', '01:00:01']
    """
    seconds = (local.astype("datetime64[s]") - np.datetime64(period.first_day, "s")).astype(np.int64)
    if len(seconds) and (seconds.min() < 0 or seconds.max() >= period.days * DAY_S):
        raise FormatError("OUT has an event outside the days of its period: generate it again.")
    day, second = np.divmod(seconds, DAY_S)
    minute, rest = np.divmod(second, 60)
    start = clock[day, minute]
    return start + np.where(clock[day, minute + 1] > start, rest, 0).astype("timedelta64[s]")
