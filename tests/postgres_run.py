"""A PostgreSQL server of Debian's packages in a folder of its own, reached by a socket there: apt-get install postgresql-15-postgis-3.

Without PostGIS postgresql-15 is enough.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def programs(*, postgis: bool = True) -> Path | None:
    """Where the server's programs are, of an installation that has PostGIS where that is asked for."""
    if postgis:
        found = sorted(Path("/usr/share/postgresql").glob("*/extension/postgis.control"))
        return Path("/usr/lib/postgresql") / found[-1].parents[1].name / "bin" if found else None
    servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return servers[-1].parent if servers else None


@dataclass(frozen=True)
class Server:
    """A running server; `psql` asks it as its owner."""

    socket: Path
    owner: tuple[str, ...]

    def psql(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """What psql says, with its exit code."""
        command = [*self.owner, "psql", "-X", "-q", "-A", "-t", "-h", str(self.socket), "-d", "postgres", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd or self.socket)

    def asked(self, query: str) -> list[list[str]]:
        """The rows of a query."""
        done = self.psql("-c", query)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return [line.split("|") for line in done.stdout.splitlines()]


@contextmanager
def server(top: Path) -> Generator[Server]:
    """A server that lives as long as the block; it refuses to run as root, who becomes the user of Debian's package."""
    where = programs(postgis=False)
    if where is None:
        raise FileNotFoundError("no PostgreSQL")
    owner: Sequence[str] = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
    top.mkdir(parents=True)
    if owner:
        shutil.chown(top, "postgres")
    data, log = top / "data", top / "log"
    run = [*owner, str(where / "pg_ctl"), "-D", str(data)]
    subprocess.run([*owner, str(where / "initdb"), "-D", str(data), "-A", "trust", "-N"], check=True, capture_output=True, cwd=top)
    subprocess.run([*run, "-w", "-l", str(log), "-o", f"-k {top} -c listen_addresses='' -c fsync=off", "start"], check=True, cwd=top,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        yield Server(top, tuple(owner))
    finally:
        subprocess.run([*run, "-m", "immediate", "stop"], check=False, capture_output=True, cwd=top)
