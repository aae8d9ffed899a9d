"""How a ledger reaches the disk: one writer at a time, every byte synchronised before anybody is told, the head last.

Beside NAME.jsonl lie NAME.head, NAME.key (unless it is kept elsewhere) and NAME.jsonl.lock. A lock ends with the process that
holds it, so a process that is killed blocks nobody; the lock file itself stays, for to delete it would be a race.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from synthmob import folders
from synthmob.errors import FormatError, InputError
from synthmob.ledger.chain import KEY_BYTES

MAX_BYTES = 1 << 30
_RESERVED = (".head", ".key", ".lock")


@dataclass(frozen=True)
class Files:
    """Where a ledger's files lie."""

    ledger: Path
    head: Path
    key: Path
    lock: Path

    @staticmethod
    def of(ledger: Path, key: Path | None) -> Files:
        """The files of the ledger at a path; links are followed, so that one ledger has one lock."""
        place = ledger.resolve()
        if place.suffix in _RESERVED:
            raise InputError(f"A ledger cannot be called {place.name}: that ending is for what lies beside it, name it NAME.jsonl.")
        beside = place.with_suffix(".key") if key is None else key.resolve()
        return Files(place, place.with_suffix(".head"), beside, place.with_name(f"{place.name}.lock"))


@contextmanager
def writing(files: Files) -> Generator[None]:
    """Alone with the ledger: every other process and thread waits."""
    files.ledger.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    yield from _held(handle, fcntl.LOCK_EX)


@contextmanager
def reading(files: Files) -> Generator[None]:
    """No writer at work, where there is a lock that this process may hold: before the first spend there is none."""
    try:
        handle = os.open(files.lock, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        yield
        return
    yield from _held(handle, fcntl.LOCK_SH)


def _held(handle: int, how: int) -> Generator[None]:
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        # Said out loud: a process that was forked meanwhile has the same handle, and closing ours alone would not end the lock.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def read(path: Path) -> bytes | None:
    """The bytes of a file, None where there is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FormatError(f"{path} is larger than {MAX_BYTES >> 20} MB: it is no ledger, name another file.")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        raise FormatError(f"{path} is a folder: a ledger is a file, name one.") from None


def append(path: Path, data: bytes) -> None:
    """Add bytes at the end of a file that may be new; on return they are on the disk."""
    _write(path, data, os.O_APPEND)
    folders.synchronise(path.parent)


def replace(path: Path, data: bytes) -> None:
    """Put bytes in a file's place, whole or not at all; on return they are on the disk."""
    aside = path.with_name(f".{path.name}.part")
    _write(aside, data, os.O_TRUNC | os.O_NOFOLLOW)
    os.replace(aside, path)  # noqa: PTH105  (as its neighbours: calls of the system, in the order that matters)
    folders.synchronise(path.parent)


def key_of(files: Files) -> bytes:
    """The key; FormatError where there is none or where it is no key."""
    secret = read(files.key)
    if secret is None:
        raise FormatError(f"There is no key at {files.key}: without it nothing of {files.ledger.name} can be verified, give its key.")
    if len(secret) != KEY_BYTES:
        raise FormatError(f"{files.key} holds {len(secret)} bytes: the key of a ledger has {KEY_BYTES}, give that one.")
    return secret


def make_key(files: Files) -> bytes:
    """The key of a new ledger: the one that is there, or fresh entropy that only its owner can read, never half of it."""
    if files.key.exists():
        return key_of(files)
    files.key.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=files.key.parent, prefix=f".{files.key.name}.", suffix=".part")  # mode 0600
    try:
        _write_all(handle, secrets.token_bytes(KEY_BYTES))
        # A link is made only where there is nothing: of two ledgers that are to share a key one makes it.
        with suppress(FileExistsError):
            os.link(aside, files.key)
    finally:
        os.unlink(aside)  # noqa: PTH108
    folders.synchronise(files.key.parent)
    return key_of(files)


def _write(path: Path, data: bytes, flags: int) -> None:
    _write_all(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, 0o644), data)


def _write_all(handle: int, data: bytes) -> None:
    try:
        left = data
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    finally:
        os.close(handle)
