"""HTTP: a batch of messages a POST, a line of JSON each; it is done when the answer is 2xx."""

from __future__ import annotations

import http.client
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

from synthmob.errors import DeliveryError, InputError
from synthmob.replay.message import Message
from synthmob.replay.patience import persist
from synthmob.replay.sink import Kind, Options, Sink, Target

TIMEOUT_S = 30.0
AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which the same request may succeed."""
FAILURES = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Posted:
    """An address that takes lines of JSON."""

    connection: http.client.HTTPConnection
    path: str
    where: str

    def delivered(self, sent: int, *, resumed: bool) -> str | None:
        """Nothing is known of what a server did with a request."""
        del sent, resumed

    def send(self, messages: Sequence[Message]) -> None:
        """Post a batch, again after a while where the server is away or busy."""
        body = b"".join(message.body + b"\n" for message in messages)
        named = {"Content-Type": "application/x-ndjson", "Idempotency-Key": f"{messages[0].id}/{messages[-1].id}"}
        persist(lambda: self._post(body, named), FAILURES, self.where)

    def _post(self, body: bytes, headers: dict[str, str]) -> None:
        try:
            self.connection.request("POST", self.path, body, headers)
            answer = self.connection.getresponse()
            answer.read()
        except FAILURES:
            self.connection.close()  # the next request opens it anew
            raise
        if answer.status in AGAIN:
            raise http.client.HTTPException(f"busy: {answer.status}")
        if not 200 <= answer.status < 300:
            raise DeliveryError(f"{self.where} answered {answer.status} to a POST of events: correct the URL, or the server.")


@contextmanager
def opened(target: Target, options: Options) -> Generator[Sink]:
    """The address of a URL; DeliveryError where nobody listens there."""
    del options
    if target.username is not None:
        raise InputError(f"{target.shown} has a name and password: put whoever checks those between, HTTP sends none.")
    make = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
    connection = make(target.host, target.port, timeout=TIMEOUT_S)
    try:
        connection.connect()
    except OSError as error:
        raise DeliveryError(f"{target.shown} cannot be reached ({type(error).__name__}): start it, or correct the URL.") from None
    path = f"/{quote(target.path)}" + (f"?{target.query}" if target.query else "")
    try:
        yield Posted(connection, path, target.shown)
    finally:
        connection.close()


HTTP = Kind("http", ("http", "https"), "at least once", opened)
