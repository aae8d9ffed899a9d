"""A Spark cluster on this machine: a master and workers of Spark's own, each a process as on machines of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

CORES, MEMORY = "1", "1g"
START_S = 120.0


@contextmanager
def running(workers: int) -> Generator[str]:
    """The address of a master with so many workers of a core each, which live as long as the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    master = f"spark://127.0.0.1:{port}"
    with ExitStack() as stack:
        stack.enter_context(_process("master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"))
        _wait_for(port)
        for _ in range(workers):
            stack.enter_context(_process("worker.Worker", "--webui-port", "0", "--cores", CORES, "--memory", MEMORY, master))
        yield master


def java_children(name: str) -> list[int]:
    """The processes of that name among the children of our children: executors of the workers that this process has started."""
    above, named = {}, set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            pid = int(folder.name)
            above[pid] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if name.encode() in (folder / "cmdline").read_bytes():
                named.add(pid)
        except (OSError, ValueError):
            continue
    return [pid for pid in named if above.get(above.get(pid, 0)) == os.getpid()]


@contextmanager
def _process(name: str, *words: str) -> Generator[None]:
    import pyspark

    home = Path(pyspark.__file__).parent
    given = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
    command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", *words]
    process = subprocess.Popen(command, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(port: int) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
