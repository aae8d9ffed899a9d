"""Standard output: a line of JSON a message, for a pipe."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from synthmob.replay.message import Message
from synthmob.replay.sink import Kind, Options, Sink, Target


@dataclass(frozen=True)
class Lines:
    """A file that takes lines."""

    file: BinaryIO

    def delivered(self, sent: int, *, resumed: bool) -> str | None:
        """Nothing is known of a pipe."""
        del sent, resumed

    def send(self, messages: Sequence[Message]) -> None:
        """Write the lines; a full pipe holds the replay up until its reader goes on."""
        self.file.write(b"".join(message.body + b"\n" for message in messages))
        self.file.flush()


@contextmanager
def opened(target: Target, options: Options) -> Generator[Sink]:
    """Standard output."""
    del target, options
    yield Lines(sys.stdout.buffer)


STDOUT = Kind("stdout", ("stdout",), "at least once", opened)
