"""What a stream is: how its URL begins, what it is opened with, and how messages reach it."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from synthmob.errors import InputError
from synthmob.replay.message import Message


class Sink(Protocol):
    """An open stream."""

    def delivered(self, sent: int, *, resumed: bool) -> str | None:
        """The id of the last message that it has, where it knows; None where the cursor's `sent` is all that is known.

        DeliveryError where it holds what this replay, begun anew and not `resumed`, cannot follow on.
        """
        ...

    def send(self, messages: Sequence[Message]) -> None:
        """Deliver messages in order; it returns when all are acknowledged, DeliveryError when they will not be."""
        ...


@dataclass(frozen=True)
class Options:
    """What a user may say of some streams: the entries that one keeps, and how many its readers may be behind."""

    max_length: int | None = None
    max_lag: int | None = None


@dataclass(frozen=True)
class Target:
    """A URL taken apart; `shown` is it without name and password."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str = ""
    username: str | None = None
    password: str | None = None

    @property
    def shown(self) -> str:
        """The URL without what is secret in it."""
        if not self.host:
            return self.scheme
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{f':{self.port}' if self.port else ''}/{self.path}"

    @staticmethod
    def parse(text: str) -> Target:
        """A URL, or the name of a stream that needs none; InputError where it is neither.

        >>> Target.parse("redis://user:secret@example.org:6380/events").shown
        'redis://example.org:6380/events'
        """
        try:
            url = urllib.parse.urlsplit(text)
            port = url.port
        except ValueError:
            raise InputError("The URL of --to cannot be read: give one such as redis://localhost:6379/events.") from None
        if "#" in text:
            raise InputError("The URL of --to has a part behind a #: write %23 where it is meant, no topic to publish to has one.")
        if not url.scheme and "/" not in text:
            return Target(text, "", None, "")
        if not url.hostname:
            raise InputError("The URL of --to names no host: give one such as redis://localhost:6379/events.")
        name, secret = (None if part is None else urllib.parse.unquote(part) for part in (url.username, url.password))
        return Target(url.scheme, url.hostname, port, urllib.parse.unquote(url.path.removeprefix("/")), url.query, name, secret)


@dataclass(frozen=True)
class Kind:
    """A kind of stream: the schemes of its URLs, what it promises of a message after an interruption, and how it is opened.

    `takes` are the names of the Options that it understands.
    """

    name: str
    schemes: tuple[str, ...]
    promise: str
    opened: Callable[[Target, Options], AbstractContextManager[Sink]]
    takes: tuple[str, ...] = ()
