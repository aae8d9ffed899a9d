"""An OUT on its way: it grows in a folder beside its place, so that a run that was broken off can be gone on with.

    .OUT.unfinished/begun.json     the manifest that OUT will have: what was asked, of which bytes, by which versions
    .OUT.unfinished/parts.jsonl    a line for every part that is on the disk, with the size and SHA-256 of its files
    .OUT.unfinished/rows/          OUT as far as it has come
    .OUT.unfinished/lock           held by the process that writes; it ends with that process, however that ends
    .OUT.unfinished/asides-*/      files that other processes are writing for this run; what outlives it finds the folder gone

OUT itself is put in its place in one step, when it is whole. A part counts when its line does: files are on the disk before it, and a
file that is not what its line says is written again.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from synthmob import folders, manifest
from synthmob.errors import FormatError, InputError

KIND = "unfinished synthetic population"
BEGUN, PARTS, ROWS, LOCK, ASIDES = "begun.json", "parts.jsonl", "rows", "lock", "asides-"
MAX_JOURNAL_BYTES = 1 << 28
Files = dict[str, tuple[int, str]]
"""The files of a part by their path in OUT, each with its size in bytes and its SHA-256."""


@dataclass(frozen=True)
class Work:
    """Where an OUT is written: `rows` becomes OUT; `whole` are the parts that an earlier run has left there."""

    folder: Path
    whole: Mapping[int, Files]

    @property
    def rows(self) -> Path:
        """The folder that becomes OUT."""
        return self.folder / ROWS

    def note(self, part: int, files: Files) -> None:
        """Say that a part is on the disk."""
        line = json.dumps({"part": part, "files": files}) + "\n"
        with (self.folder / PARTS).open("ab", buffering=0) as journal:
            journal.write(line.encode())
            os.fsync(journal.fileno())

    def asides(self) -> Path:
        """A new folder in which other processes may write what they then put in its place; it ends with this run."""
        return Path(tempfile.mkdtemp(prefix=ASIDES, dir=self.folder))


def beside(target: Path) -> Path:
    """Where an OUT that is to lie at `target` waits until it is whole.

    >>> beside(Path("runs/out")).name
    '.out.unfinished'
    """
    return target.with_name(f".{target.name}.unfinished")


def check_whole(folder: Path) -> None:
    """FormatError for an OUT that was begun and not finished, named by its place or by where it waits."""
    place = Path(os.path.abspath(folder))  # noqa: PTH100  (a link is not followed: the name beside it counts)
    if _waits(place) or _waits(place.parent) or (not os.path.lexists(place) and _waits(beside(place))):
        raise FormatError(
            f"{folder} is incomplete, its run was broken off or is at work: finish it by the same generate with --resume, or generate "
            "it anew.")


def _waits(folder: Path) -> bool:
    return folder.name.endswith(".unfinished") and os.path.lexists(folder / BEGUN)


@contextmanager
def begun(target: Path, content: Mapping[str, Any], kind: str, holds: Collection[str], *, resume: bool) -> Generator[Work]:
    """Where to write the OUT with the manifest `content`; at the end it is whole and takes its place.

    With `resume` an unfinished OUT is gone on with, FormatError where it was begun otherwise, and where writing fails what is whole is
    kept; without it all is begun anew, and where writing fails nothing is left. FormatError for a target that is no `kind`.
    """
    folders.check_replaceable(target, kind, manifest.FILE, holds)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = beside(target)
    with _alone(folder, target):
        work = Work(folder, _earlier(folder, target, content) if resume else {})
        try:
            _begin(work, content)
            yield work
            for path in (*(p for p in work.rows.iterdir() if p.is_file()), work.rows):  # parts are on the disk already
                folders.synchronise(path)
            folders.put(work.rows, target, folder / "old")
            folders.synchronise(target.parent)
        except BaseException:
            if not resume:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder, ignore_errors=True)


def clear(target: Path) -> None:
    """Take away what a run has left that was killed when its OUT was in its place already."""
    if beside(target).exists():
        with _alone(beside(target), target):
            shutil.rmtree(beside(target), ignore_errors=True)


def landed(aside: Path, path: Path) -> tuple[int, str]:
    """Put a file that is written to its end in its place, on the disk and by its name; its size and SHA-256."""
    found = aside.stat().st_size, manifest.digest(aside)
    folders.synchronise(aside)
    aside.replace(path)
    folders.synchronise(path.parent)
    return found


@contextmanager
def _alone(folder: Path, target: Path) -> Generator[None]:
    """The only process that writes there; InputError where there is another one."""
    while True:
        folder.mkdir(exist_ok=True)
        try:
            handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:  # whoever was there has just cleared it away
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(handle, folder / LOCK):
                yield
                return
        except BlockingIOError:
            raise InputError(f"{target} is being written by another process: wait for it, or name another folder.") from None
        finally:
            os.close(handle)


def _is_at(handle: int, path: Path) -> bool:
    """Whether an open file still has its name."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _earlier(folder: Path, target: Path, content: Mapping[str, Any]) -> dict[int, Files]:
    """The whole parts of an earlier run that was asked for the same; FormatError where it was asked for something else."""
    if not (folder / BEGUN).exists():
        return {}
    if (other := difference(folder, content)) is not None:
        name, was, now = other
        raise FormatError(
            f"{target} was begun with {name} {was} and is now asked for with {now}: ask for the same to go on with it, or leave "
            "--resume out to begin anew.")
    return {part: files for part, files in _noted(folder).items() if all(_same(folder / ROWS / p, f) for p, f in files.items())}


def difference(folder: Path, content: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """The first thing in which the manifest of an OUT on its way is not `content`: its name, how it says it, and how `content` does."""
    return _difference(folders.read_json(folder / BEGUN, KIND), manifest.plain(content))


def _noted(folder: Path) -> dict[int, Files]:
    """What the journal says; a line that is not whole says nothing."""
    found: dict[int, Files] = {}
    try:
        text = folders.read_bytes(folder / PARTS, MAX_JOURNAL_BYTES).decode("utf-8", "replace")
    except OSError:
        return found
    for line in text.splitlines():
        try:
            said = json.loads(line)
            part, files = said["part"], cast(dict[str, Any], said["files"])
            found[int(part)] = {_inside(path): (int(size), str(sha256)) for path, (size, sha256) in files.items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return found


def _inside(path: str) -> str:
    """The path of a part file, ValueError for one that leads anywhere else."""
    folder, _, name = path.partition("/")
    if folder not in ("stays", "trips", "events") or "/" in name or not name.startswith("part-"):
        raise ValueError(path)
    return path


def _same(path: Path, said: tuple[int, str]) -> bool:
    try:
        return path.lstat().st_size == said[0] and manifest.digest(path) == said[1]
    except (OSError, FormatError):
        return False


def _difference(was: Any, now: Any, name: str = "") -> tuple[str, str, str] | None:
    """The first thing that two manifests do not agree on: its name, and how either says it."""
    if isinstance(was, dict) and isinstance(now, dict):
        first, second = cast(dict[str, Any], was), cast(dict[str, Any], now)
        inside = (
            _difference(first.get(key), second.get(key), f"{name}.{key}".lstrip("."))
            for key in sorted({*first, *second}, key=lambda key: (key == "versions", key)))
        return next((found for found in inside if found is not None), None)
    return None if was == now and type(was) is type(now) else (name, _told(was), _told(now))


def _told(value: Any) -> str:
    return "none" if value is None else json.dumps(value)[:60]


def _begin(work: Work, content: Mapping[str, Any]) -> None:
    """Leave the whole parts of an earlier run alone and nothing else, and say on the disk what this one is."""
    if not work.whole:
        for path in (work.folder / PARTS, work.folder / BEGUN):
            path.unlink(missing_ok=True)
    for earlier in (work.folder / "old", *work.folder.glob(f"{ASIDES}*")):
        shutil.rmtree(earlier, ignore_errors=True)
    work.rows.mkdir(exist_ok=True)
    kept = {work.rows / path for files in work.whole.values() for path in files}
    for path in work.rows.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
    aside = work.folder / f".{BEGUN}.part"
    manifest.write(content, aside)
    landed(aside, work.folder / BEGUN)
