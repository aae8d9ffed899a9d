"""Ways to spoil a folder: pipes, devices, sockets, links and strange names where files should be, files too many or too few."""

from __future__ import annotations

import os
import random
import shutil
import socket
from collections.abc import Callable
from pathlib import Path


def spoil_folder(rng: random.Random, folder: Path) -> None:
    """One or two files or folders replaced by something else."""
    for _ in range(rng.choice((1, 1, 2))):
        found = sorted(p for p in folder.rglob("*") if not p.is_symlink())
        if found:
            rng.choice(_CHANGES)(rng, rng.choice(found))


def _gone(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _pipe(rng: random.Random, path: Path) -> None:
    _gone(path)
    os.mkfifo(path)


def _socket(rng: random.Random, path: Path) -> None:
    _gone(path)
    with socket.socket(socket.AF_UNIX) as server:
        before = Path.cwd()
        os.chdir(path.parent)  # the name of a socket is short
        try:
            server.bind(path.name[:80])
        finally:
            os.chdir(before)


def _device(rng: random.Random, path: Path) -> None:
    _gone(path)
    path.symlink_to(rng.choice(("/dev/zero", "/dev/null", "/dev/random", "/dev/stdin")))


def _dangling(rng: random.Random, path: Path) -> None:
    _gone(path)
    path.symlink_to("nowhere")


def _loop(rng: random.Random, path: Path) -> None:
    _gone(path)
    path.symlink_to(rng.choice((path, path.parent)))


def _linked(rng: random.Random, path: Path) -> None:
    """The right content, but somewhere else."""
    aside = path.parent.parent / f"aside-{rng.randrange(10**9)}-{path.name}"
    shutil.move(path, aside)
    path.symlink_to(aside)


def _empty(rng: random.Random, path: Path) -> None:
    was_folder = path.is_dir()
    _gone(path)
    path.touch() if was_folder or rng.random() < 0.6 else path.mkdir()


def _missing(rng: random.Random, path: Path) -> None:
    _gone(path)


def _more(rng: random.Random, path: Path) -> None:
    strange = ("a\nb", "x" * 200, ".hidden", "*.parquet", "[a].parquet")
    name = rng.choice((f"{path.name}.bak", "notes.txt", "part-00009.parquet", "stays.csv", *strange))
    other = path.parent / name
    if other.exists() or other.is_symlink():
        return
    if path.is_file():
        shutil.copy(path, other)
    else:
        other.mkdir()


def _sparse(rng: random.Random, path: Path) -> None:
    """As large as a disk, and nothing in it."""
    if path.is_file():
        os.truncate(path, rng.choice((1 << 20, 1 << 33, 1 << 41)))


def _exchanged(rng: random.Random, path: Path) -> None:
    others = sorted(p for p in path.parent.iterdir() if p != path and p.is_file())
    if others and path.is_file():
        other = rng.choice(others)
        content = other.read_bytes()
        shutil.copy(path, other)
        path.write_bytes(content)


_CHANGES: tuple[Callable[[random.Random, Path], None], ...] = (
    _pipe, _socket, _device, _dangling, _loop, _linked, _empty, _missing, _more, _sparse, _exchanged)  # fmt: skip
