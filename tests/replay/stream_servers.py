"""Redis and Mosquitto of Debian's packages, each on a port of its own: apt-get install redis-server mosquitto."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

BROKER = "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\npersistence false\n"


def program(name: str) -> str | None:
    """Where a server's program is, if it is there."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(command: list[str], port: int) -> Generator[None]:
    """A program that listens to a port for as long as the block lasts."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(400):
            with socket.socket() as found:
                if found.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.025)
        yield
    finally:
        server.kill()
        server.wait()


@contextmanager
def redis_server(port: int | None = None, *more: str) -> Generator[int]:
    """A Redis that keeps nothing on disk, and its port."""
    where = port or free_port()
    command = [program("redis-server") or "", "--port", str(where), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1", *more]
    with running(command, where):
        yield where


@contextmanager
def mosquitto(folder: Path, port: int | None = None) -> Generator[int]:
    """A Mosquitto that throws nothing away for slow subscribers, and its port."""
    where = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mosquitto.conf").write_text(BROKER.format(port=where))
    with running([program("mosquitto") or "", "-c", str(folder / "mosquitto.conf")], where):
        yield where


class Subscriber:
    """Keeps the payloads of a topic in the order in which they came."""

    def __init__(self, port: int, topic: str) -> None:
        import threading

        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        self.payloads: list[bytes] = []
        there = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="reader", clean_session=False)
        self.client.on_message = lambda _client, _data, message: self.payloads.append(message.payload)
        self.client.on_subscribe = lambda *_: there.set()
        self.client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        if not there.wait(10):
            raise TimeoutError("no subscription")

    def wait(self, many: int, seconds: float = 30.0) -> list[bytes]:
        """The payloads, when there are so many or time is over."""
        for _ in range(int(seconds / 0.05)):
            if len(self.payloads) >= many:
                break
            time.sleep(0.05)
        return list(self.payloads)

    def close(self) -> None:
        """End the subscription's thread."""
        self.client.disconnect()
        self.client.loop_stop()
