"""Folders that are written whole or not at all, and files of a stranger: what they are is looked at before they are opened.

A pipe that nobody writes into, a device without an end or a link that leads out of the folder is no file here. JSON is taken
as plain data of a bounded size, depth and range: no name twice, no number that a float cannot hold, no text that is not Unicode.
"""

from __future__ import annotations

import ctypes
import errno
import io
import json
import os
import shutil
import stat
import tempfile
import tomllib
from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from synthmob.errors import FormatError, InputError

MAX_JSON_BYTES = 24 << 20
"""Room for the axes of 150,000 zones; what it unpacks to stays under a gigabyte."""
MAX_JSON_PARTS = 500_000
"""How many lists and objects may stand in a JSON file: an empty one takes twenty times its bytes in memory."""
MAX_TOML_BYTES = 1 << 16
MAX_TOML_DOTS = 2_000
"""Python's reader takes time with the square of the dots of a name."""
MAX_DEPTH = 16
LARGEST_NUMBER = 2**63 - 1


@contextmanager
def written_aside(target: Path, kind: str, mark: str, holds: Collection[str]) -> Generator[Path]:
    """A new folder beside `target` to write in, put in its place at the end; where writing fails nothing has changed.

    FormatError for a target that `check_replaceable` refuses.
    """
    check_replaceable(target, kind, mark, holds)
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent))
    old = work.with_suffix(".old")
    try:
        yield work
        put(work, target, old)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def file_aside(target: Path) -> Generator[Path]:
    """A new file beside `target` to write in, put in its place at the end; where writing fails nothing has changed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        aside.chmod(0o644)
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def put(work: Path, target: Path, old: Path) -> None:
    """Put a folder in its place; what has been there lies at `old` or at `work` then.

    Linux exchanges two folders in one step, so that a process that is killed leaves the one or the other there; where a file system
    cannot do that there is a moment with neither.
    """
    work.chmod(0o755)
    if target.exists() and not _exchanged(work, target):
        target.rename(old)
    if work.exists() and not target.exists():
        try:
            work.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise


def _exchanged(one: Path, other: Path) -> bool:
    """Whether the system could exchange two names (renameat2, RENAME_EXCHANGE)."""
    call: Any = getattr(ctypes.CDLL(None), "renameat2", None)
    here, exchange = -100, 2
    return call is not None and call(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def synchronise(path: Path) -> None:
    """See a file, or the names in a folder, through to the disk: a new name outlives a power cut only once its folder is synchronised."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_replaceable(target: Path, kind: str, mark: str, holds: Collection[str]) -> None:
    """FormatError for a target that may not be replaced, for it is somebody's work.

    An empty folder may be, and an earlier one of the same `kind`: it has the file `mark` and holds nothing but `holds`.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise FormatError(f"{target} is a file: a {kind} is a folder, name another place.")
    found = {p.name for p in target.iterdir()}
    strangers = sorted(found - set(holds) - {mark})
    if strangers or (found and mark not in found):
        raise FormatError(
            f"{target} holds {(strangers or sorted(found))[0]!r} and is no {kind}: it is left alone, name another one."
        )


@contextmanager
def opened(path: Path, *, linked: bool = False) -> Generator[io.BufferedReader]:
    """A file open for reading; OSError for what is no regular file, without waiting for a pipe or starting a device.

    A path that a user names may be a link (`linked`); inside the folder of a stranger none is followed.
    """
    try:
        found = path.stat() if linked else path.lstat()
    except ValueError as error:  # a NUL in the name
        raise OSError(errno.EINVAL, str(error)) from None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags if linked else flags | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        yield file


def read_bytes(path: Path, most: int, *, linked: bool = False) -> bytes:
    """The bytes of a regular file; OSError where it is none, and with EFBIG where it has more than `most`."""
    with opened(path, linked=linked) as file:
        content = file.read(most + 1) if os.fstat(file.fileno()).st_size <= most else b""
        if len(content) > most or os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, "too large")
    return content


def check_holds(folder: Path, kind: str, holds: Collection[str]) -> None:
    """Refuse a folder that holds a link, or more than its kind does: it is made to be given away as a whole.

    Names that begin with a dot, which file managers leave behind, are not looked at.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (OSError, ValueError):
        raise FormatError(f"{folder} is no folder that can be read: name the folder of a {kind}.") from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.name not in holds:
            raise FormatError(f"{folder} holds {entry.name[:80]!r}, which is nothing of a {kind}: take it out, or ask for it again.")
        if entry.is_symlink():
            raise FormatError(f"{entry.name!r} in {folder} is a link: a {kind} holds its own files, ask for it again.")


def json_text(content: object) -> str:
    r"""JSON as every file of ours has it: a line a value, letters as they are; ValueError for a number that JSON has no word for.

    >>> json_text({"zone": "Rīga"})
    '{\n "zone": "Rīga"\n}\n'
    """
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def read_json(
    path: Path, kind: str, *, linked: bool = False, most: int = MAX_JSON_BYTES, parts: int = MAX_JSON_PARTS
) -> dict[str, Any]:
    """The JSON object in a file of at most `most` bytes, plain data of at most `parts` lists and objects; else FormatError."""
    try:
        text = read_bytes(path, most, linked=linked).decode("utf-8-sig" if linked else "utf-8")
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise FormatError(f"{path} is larger than {most >> 20} MB: it is not that of a {kind}.") from None
        raise FormatError(
            f"There is no readable {path.name} in {path.parent}: name the folder that holds a {kind}."
        ) from None
    except UnicodeDecodeError:
        raise FormatError(f"{path} is not JSON in UTF-8: the {kind} is damaged, ask for it again.") from None
    if text.count("[") + text.count("{") > parts:
        raise FormatError(f"{path} has more than {parts:,} lists and objects: it is not that of a {kind}.")
    try:
        content = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_distinct)
        _check_plain(content, (int, float))
        if "\\u" in text:  # half a surrogate pair, written as an escape, is text that nobody can write again
            json.dumps(content, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is not JSON that can be used ({_reason(error)}): the {kind} is damaged, ask for it again.") from None
    if not isinstance(content, dict):
        raise FormatError(f"{path} holds no JSON object: it is not that of a {kind}.")
    return cast(dict[str, Any], content)


def read_toml(path: Path, kind: str, error: type[InputError], hint: str) -> dict[str, Any]:
    """The table in a TOML file of bounded size, depth and range; `error` with the `hint` for anything else."""
    try:
        text = read_bytes(path, MAX_TOML_BYTES, linked=True).decode("utf-8")
        if text.count(".") > MAX_TOML_DOTS:
            raise ValueError(f"it has more than {MAX_TOML_DOTS:,} dots")
        table = tomllib.loads(text)
        _check_plain(table, (int,))  # an infinite float is TOML, and for the caller to judge
    except OSError as found:
        if found.errno == errno.EFBIG:
            raise error(f"{path} is larger than {MAX_TOML_BYTES >> 10} kB: that is no {kind}, {hint}.") from None
        raise error(f"There is no readable {kind} at {path}: {hint}.") from None
    except (ValueError, RecursionError) as found:
        raise error(f"{path} is not TOML that can be used ({_reason(found)}): {hint}.") from None
    return table


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, whose names must differ: readers do not agree on which of two they believe."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise ValueError(f"the name {twice[:40]!r} stands twice in one object")
    return found


def _check_plain(content: object, kinds: tuple[type, ...]) -> None:
    """ValueError for data that is nested too deeply, or has a number of one of the kinds that fits into no 64 bits."""
    level: list[Any] = [[content]]
    for _ in range(MAX_DEPTH + 1):
        inside: list[Any] = []
        for part in level:
            values = cast(Iterable[Any], part.values() if isinstance(part, dict) else part)
            inside += [value for value in values if isinstance(value, (dict, list))]
            numbers = [value for value in values if isinstance(value, kinds)]
            if numbers and (max(numbers) > LARGEST_NUMBER or min(numbers) < -LARGEST_NUMBER):
                raise ValueError("a number is too large")
        if not inside:
            return
        level = inside
    raise ValueError(f"it is nested more than {MAX_DEPTH} deep")


def _reason(error: Exception) -> str:
    """Why JSON or TOML could not be read, short; the parsers say where, and quote nothing long."""
    if isinstance(error, RecursionError):
        return f"it is nested more than {MAX_DEPTH} deep"
    if isinstance(error, UnicodeError):
        return "its text is not Unicode"
    return "a number is too large" if "digits" in str(error) else str(error)[:100]
