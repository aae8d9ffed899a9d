"""When messages go: at a multiple of real time, in batches that a stream takes whole before the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from synthmob.replay.message import Message

BATCH = 500
"""Messages that may be on their way at a time."""


@dataclass(frozen=True)
class Pace:
    """`speed` seconds of events a second, None for as fast as the stream takes them; `now` and `sleep` in seconds."""

    speed: float | None
    most: int = BATCH
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def batches(self, messages: Iterable[Message]) -> Iterator[tuple[list[Message], float]]:
        """Messages that are due, `most` or fewer at a time, and how many seconds behind its time the first of them is.

        Who takes a batch decides when the next is made: a slow stream is sent late, nothing is skipped, and it catches up when it can.
        Time runs from the first message on, for it comes only when all are sorted.
        """
        batch: list[Message] = []
        begun, first, late = 0.0, None, 0.0
        for message in messages:
            if first is None:
                begun, first = self.now(), message.instant_s
            due = begun if self.speed is None else begun + (message.instant_s - first) / self.speed
            if batch and (len(batch) >= self.most or due > self.now()):
                yield batch, late
                batch = []
            if not batch:
                while (wait := due - self.now()) > 0:
                    self.sleep(wait)
                late = 0.0 if self.speed is None else self.now() - due
            batch.append(message)
        if batch:
            yield batch, late
