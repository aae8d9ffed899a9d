"""Events as messages: JSON of their columns, an id that tells two of them apart, and the instant at which they are due."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synthmob.export.instants import Instants, of_local
from synthmob.period import Period
from synthmob.replay.order import ROW, Place
from synthmob.schema import SYNTHETIC_EVENTS

if TYPE_CHECKING:
    import pyarrow as pa

MS = 1_000


@dataclass(frozen=True, slots=True)
class Message:
    """An event: its number in the order of its replay, from 0, its instant in seconds since 1970 (UTC), its place, and its JSON."""

    number: int
    instant_s: int
    place: Place
    body: bytes

    @property
    def id(self) -> str:
        """Milliseconds since 1970 and the number: grows from event to event, and reads as an id of a Redis stream."""
        return identity(self.instant_s, self.number)


def identity(instant_s: int, number: int) -> str:
    """The id of the event with that number at an instant.

    >>> identity(1772784000, 7)
    '1772784000000-7'
    """
    return f"{instant_s * MS}-{number}"


def messages(batches: Iterable[pa.RecordBatch], first: int, clock: Instants, period: Period) -> Iterator[Message]:
    """Messages of events in order, numbered from `first`; `clock` says at which instant each local time is."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
    names = [name for name in SYNTHETIC_EVENTS.names if name != "time"]
    number = first
    for batch in batches:
        local = batch["time"].to_numpy(zero_copy_only=False).astype("datetime64[us]")
        when = of_local(local, clock, period)
        stamps = np.datetime_as_string(when, unit="s", timezone="UTC").tolist()
        columns = [batch[name].to_pylist() for name in names]
        seconds, at = when.astype(np.int64).tolist(), local.astype(np.int64).tolist()
        for second, stamp, time_us, row, *values in zip(seconds, stamps, at, batch[ROW].to_pylist(), *columns, strict=True):
            head: dict[str, Any] = {"id": identity(second, number), "synthetic": True, "time": stamp}
            body = encode(head | dict(zip(names, values, strict=True)))
            yield Message(number, second, Place(time_us, values[0], row), body.encode("utf-8", "replace"))
            number += 1
