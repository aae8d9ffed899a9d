"""MQTT: a message a publication with QoS 1; a batch is done when the broker has acknowledged all of it."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from synthmob.errors import DeliveryError, InputError
from synthmob.replay.message import Message
from synthmob.replay.sink import Kind, Options, Sink, Target

PORT, TLS_PORT = 1883, 8883
IN_FLIGHT = 100
PATIENCE_S, CONNECT_S = 60.0, 10.0


@dataclass(frozen=True)
class Acknowledged:
    """The numbers of the publications that the broker has acknowledged and nobody has asked for yet."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    numbers: set[int] = field(default_factory=set[int])

    def add(self, number: int) -> None:
        """Note one; called by the client's own thread."""
        with self.changed:
            self.numbers.add(number)
            self.changed.notify_all()

    def wait(self, wanted: set[int], patience_s: float) -> bool:
        """Whether all that are wanted came, with no pause longer than that between two."""
        with self.changed:
            while not wanted <= self.numbers:
                if not self.changed.wait(patience_s):
                    return False
            self.numbers.difference_update(wanted)
            return True


@dataclass(frozen=True)
class Topic:
    """A topic of a broker."""

    client: Any
    topic: str
    where: str
    acknowledged: Acknowledged

    def delivered(self, sent: int, *, resumed: bool) -> str | None:
        """A broker does not tell what it has passed on."""
        del sent, resumed

    def send(self, messages: Sequence[Message]) -> None:
        """Publish; a broker that is away is connected to again by the client, which then sends what was not acknowledged."""
        wanted = {int(self.client.publish(self.topic, message.body, qos=1).mid) for message in messages}
        if not self.acknowledged.wait(wanted, PATIENCE_S):
            raise DeliveryError(f"{self.where} acknowledged nothing for {PATIENCE_S:.0f} s: see to the broker and resume.")


@contextmanager
def opened(target: Target, options: Options) -> Generator[Sink]:
    """The topic of a URL mqtt://host:port/topic; DeliveryError where there is no broker, or where it lets nobody in."""
    del options
    try:
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion
    except ImportError:
        raise InputError("Replay to MQTT needs paho-mqtt: install synthmob[replay].") from None
    if not target.path or target.query or set("+#") & set(target.path):
        raise InputError(f"{target.shown} names no topic to publish to: give mqtt://host:port/TOPIC.")
    secure, heard, connected, answers = target.scheme == "mqtts", Acknowledged(), threading.Event(), list[Any]()
    client: Any = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_publish = lambda _client, _data, mid, _code, _properties: heard.add(int(mid))

    def on_connect(_client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        answers.append(code)
        connected.set()

    client.on_connect = on_connect
    client.max_inflight_messages_set(IN_FLIGHT)
    client.reconnect_delay_set(1, 8)
    if target.username:
        client.username_pw_set(target.username, target.password)
    if secure:
        client.tls_set()
    try:
        client.connect(target.host, target.port or (TLS_PORT if secure else PORT))
    except OSError as error:
        raise DeliveryError(f"{target.shown} cannot be reached ({type(error).__name__}): start it, or correct the URL.") from None
    client.loop_start()
    try:
        if not connected.wait(CONNECT_S) or answers[0].is_failure:
            raise DeliveryError(f"{target.shown} lets nobody in ({answers[0] if answers else 'no answer'}): give a name and password.")
        yield Topic(client, target.path, target.shown, heard)
    finally:
        client.disconnect()
        client.loop_stop()


MQTT = Kind("mqtt", ("mqtt", "mqtts"), "at least once", opened)
