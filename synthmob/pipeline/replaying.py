"""replay: the events of an OUT folder sent in time order, paced, from where a cursor says."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from synthmob import manifest
from synthmob.errors import DeliveryError, InputError
from synthmob.export.instants import table
from synthmob.export.source import Source
from synthmob.replay import cursor as cursors
from synthmob.replay import order
from synthmob.replay.cursor import Cursor
from synthmob.replay.message import Message, messages
from synthmob.replay.order import Window
from synthmob.replay.pace import BATCH, Pace
from synthmob.replay.sink import Options, Sink, Target
from synthmob.replay.sinks import kind_of
from synthmob.synthesis.outfolder import check_out

SAVE_S = 1.0
"""A cursor is written this often, and at the end, whatever ends it."""

Progress = Callable[[int, int], None]
"""Is told the events sent and the events in all."""


@dataclass(frozen=True)
class Replayed:
    """What a run came to: events that were acknowledged, seconds, and the most that one was behind its time, seconds."""

    sent: int
    seconds: float
    behind_s: float
    promise: str


def _quiet(sent: int, events: int) -> None:
    del sent, events


def replay(
    out: Path,
    to: str,
    *,
    speed: float | None,
    cursor: Path | None = None,
    window: Window | None = None,
    timezone: str | None = None,
    options: Options | None = None,
    progress: Progress = _quiet,
) -> Replayed:
    """Send the events to a stream, `speed` seconds of them a second, or as fast as it takes them where that is None.

    What was acknowledged is noted in the file `cursor`, and a replay that finds it there goes on behind it.
    """
    window, options = window or Window(), options or Options()
    if speed is not None and not 0 < speed < float("inf"):
        raise InputError(f"The speed is {speed!r}: give seconds of events a second, such as 60, or max.")
    if window.start is not None and window.end is not None and window.start >= window.end:
        raise InputError("The events that are asked for end before they begin: give --until a later time than --from.")
    target = Target.parse(to)
    kind = kind_of(target, options)
    source = Source.open(out, timezone=timezone)
    files = source.event_files()
    check_out(out)
    asked = _described(out, source, window, target)
    found = None if cursor is None else cursors.read(cursor, asked)
    with kind.opened(target, options) as sink, order.opened(files, window) as events:
        known = sink.delivered(found.sent if found else 0, resumed=found is not None)
        # A batch is never more than readers may be behind, or it could not be sent at all.
        state, total, pace = found or Cursor(asked), events.count(), Pace(speed, min(BATCH, options.max_lag or BATCH))
        rows = messages(events.after(state.place), state.sent, table(source.period), source.period)
        run = _Run(sink, cursor, pace, lambda sent: progress(sent, total))
        sent, seconds, behind_s = run.send(state, _behind(rows, known, target))
    return Replayed(sent, seconds, behind_s, kind.promise)


def _described(out: Path, source: Source, window: Window, target: Target) -> dict[str, str]:
    """What makes a replay the one that it is: a cursor of another cannot be gone on with."""
    asked = {"from": window.start, "until": window.end}
    return {
        "folder": manifest.digest(out / manifest.FILE), "timezone": source.period.timezone, "target": target.shown,
        **{name: "" if when is None else when.isoformat() for name, when in asked.items()}}  # fmt: skip


def _behind(rows: Iterator[Message], known: str | None, target: Target) -> Iterator[Message]:
    """The messages that a stream has not got yet, where it `known` its last; DeliveryError where that is none of these."""
    if known is None:
        return rows
    last = tuple(int(part) for part in known.split("-"))
    first = next(rows, None)
    if first is None:
        return iter(())
    if last < (first.instant_s * 1_000, first.number):
        return itertools.chain((first,), rows)
    for message in itertools.chain((first,), rows):
        if message.id == known:
            return rows
        if (message.instant_s * 1_000, message.number) > last:
            break
    raise DeliveryError(f"{target.shown} has entries up to {known}, which is none of this replay: name a new stream and cursor.")


@dataclass(frozen=True)
class _Run:
    """A replay under way."""

    sink: Sink
    cursor: Path | None
    pace: Pace
    tell: Callable[[int], None]

    def send(self, state: Cursor, rows: Iterator[Message]) -> tuple[int, float, float]:
        """Send all, and say how many went, in how many seconds, and how late the latest; the cursor is written whatever ends it."""
        begun = saved = time.monotonic()
        sent, behind_s = 0, 0.0
        self._save(state)
        try:
            for batch, late_s in self.pace.batches(rows):
                self.sink.send(batch)
                state = replace(state, sent=batch[-1].number + 1, place=batch[-1].place)
                sent, behind_s = sent + len(batch), max(behind_s, late_s)
                self.tell(state.sent)
                if time.monotonic() - saved >= SAVE_S:
                    self._save(state)
                    saved = time.monotonic()
        finally:
            self._save(state)
        return sent, time.monotonic() - begun, behind_s

    def _save(self, state: Cursor) -> None:
        if self.cursor is not None:
            cursors.write(self.cursor, state)
