"""Folders that are written whole or not at all, and their JSON read as the data of a stranger."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from synthmob.errors import FormatError

MAX_JSON_BYTES = 256 << 20


@contextmanager
def written_aside(target: Path, kind: str, mark: str, holds: Collection[str]) -> Generator[Path]:
    """A new folder beside `target` to write in, put in its place at the end; where writing fails nothing has changed.

    An empty folder is replaced, and an earlier one of the same `kind`: it has the file `mark` and holds nothing but
    `holds`. Any other is refused with FormatError, for it is somebody's work.
    """
    _check_replaceable(target, kind, mark, holds)
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent))
    old = work.with_suffix(".old")
    try:
        yield work
        work.chmod(0o755)
        if target.exists():
            target.rename(old)
        try:
            work.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def read_json(path: Path, kind: str) -> dict[str, Any]:
    """The JSON object in a file; FormatError for anything else. NaN and infinity are no JSON."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise FormatError(f"{path} is larger than {MAX_JSON_BYTES >> 20} MB: it is not that of a {kind}.")
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except OSError:
        raise FormatError(
            f"There is no readable {path.name} in {path.parent}: name the folder that holds a {kind}."
        ) from None
    except (ValueError, RecursionError):
        raise FormatError(f"{path} is not JSON: the {kind} is damaged, ask for it again.") from None
    if not isinstance(content, dict):
        raise FormatError(f"{path} holds no JSON object: it is not that of a {kind}.")
    return cast(dict[str, Any], content)


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def _check_replaceable(target: Path, kind: str, mark: str, holds: Collection[str]) -> None:
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
