"""Redis: an entry of a stream a message (XADD), its id that of the message, so that none is there twice.

A batch is a transaction: all of it or nothing, in order. A stream tells its last id, so after an interruption the replay goes on
behind it, whatever the cursor says.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from synthmob.errors import DeliveryError, InputError
from synthmob.replay.message import Message
from synthmob.replay.patience import persist
from synthmob.replay.sink import Kind, Options, Sink, Target

PORT, TIMEOUT_S = 6379, 20.0
FIELD = "event"
EMPTY = "0-0"
LOOK_S = 0.02


@dataclass(frozen=True)
class RedisStream:
    """A stream of a server."""

    client: Any
    stream: str
    where: str
    options: Options

    def delivered(self, sent: int, *, resumed: bool) -> str | None:
        """The id of its last entry; DeliveryError where a replay that begins finds entries already."""
        last = self._last()
        if not resumed and last != EMPTY:
            raise DeliveryError(f"{self.where} has entries up to {last}: name a new stream, or go on with the cursor of its replay.")
        return None if last == EMPTY and not sent else last

    def send(self, messages: Sequence[Message]) -> None:
        """Add the entries, when readers are not too far behind."""
        from redis import exceptions

        failures = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ExecAbortError, exceptions.OutOfMemoryError)
        most = self.options.max_lag
        if most is not None:
            while persist(self._lag, failures, self.where) + len(messages) > most:
                time.sleep(LOOK_S)
        persist(lambda: self._add(messages), failures, self.where)

    def _add(self, messages: Sequence[Message]) -> None:
        """Add a batch unless it was added already, by an attempt whose answer was lost."""
        from redis import exceptions

        try:
            with self.client.pipeline(transaction=True) as batch:
                for message in messages:
                    batch.xadd(self.stream, {FIELD: message.body}, id=message.id, maxlen=self.options.max_length, approximate=True)
                answers = batch.execute(raise_on_error=False)
        except (exceptions.OutOfMemoryError, exceptions.ExecAbortError):
            raise  # nothing of the batch was added: wait until its readers have made room
        except exceptions.ResponseError as error:
            raise DeliveryError(f"{self.where} refused events ({str(error)[:100]}): see to the server and resume.") from None
        if any(isinstance(answer, Exception) for answer in answers) and self._last() != messages[-1].id:
            raise DeliveryError(f"{self.where} has entries of somebody else: give the replay a stream of its own.")

    def _last(self) -> str:
        """The last id that the stream ever gave, also where its entry was trimmed."""
        import redis

        try:
            return self.client.xinfo_stream(self.stream)["last-generated-id"].decode()
        except redis.ResponseError as error:
            if "no such key" in str(error).lower():
                return EMPTY
            raise DeliveryError(f"{self.where} is no stream ({str(error)[:100]}): name another.") from None

    def _lag(self) -> int:
        """How many entries the slowest group of readers has not acknowledged; 0 where there is no group."""
        if not self.client.exists(self.stream):
            return 0
        return max((int(group.get("lag") or 0) + int(group["pending"]) for group in self.client.xinfo_groups(self.stream)), default=0)


@contextmanager
def opened(target: Target, options: Options) -> Generator[Sink]:
    """The stream of a URL redis://host:port/stream; DeliveryError where there is no server."""
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        raise InputError("Replay to Redis needs redis-py: install synthmob[replay].") from None
    if not target.path or target.query:
        raise InputError(f"{target.shown} names no stream: give redis://host:port/STREAM.")
    # Its own repetitions are off: a transaction that is sent twice must be looked at before.
    client = redis.Redis(
        host=target.host, port=target.port or PORT, username=target.username, password=target.password, ssl=target.scheme == "rediss",
        socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0))
    try:
        client.ping()
        yield RedisStream(client, target.path, target.shown, options)
    except redis.RedisError as error:
        raise DeliveryError(f"{target.shown} cannot be reached ({type(error).__name__}): start it, or correct the URL.") from None
    finally:
        client.close()


REDIS = Kind("redis", ("redis", "rediss"), "exactly once", opened, ("max_length", "max_lag"))
