"""How far a replay came: a small JSON file, written aside and renamed, so that it is whole whenever the machine stops."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from synthmob import folders
from synthmob.errors import FormatError, InputError
from synthmob.replay.order import Place

FORMAT = "synthmob replay cursor"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Cursor:
    """The replay that it is of, how many events its stream has acknowledged, and the place of the last of them."""

    replay: Mapping[str, str]
    sent: int = 0
    place: Place | None = None


def read(path: Path, replay: Mapping[str, str]) -> Cursor | None:
    """The cursor in a file, None where there is none; InputError where it is of another replay, FormatError where it is none."""
    if not path.exists() and not path.is_symlink():
        return None
    said = folders.read_json(path, "cursor of a replay")
    if said.get("format") != FORMAT or said.get("format_version") != FORMAT_VERSION:
        raise FormatError(f"{path} is no cursor of a replay: name another file.")
    if said.get("replay") != dict(replay):
        of = said.get("replay")
        other = [name for name, value in replay.items() if not isinstance(of, dict) or cast(dict[str, Any], of).get(name) != value]
        raise InputError(f"{path} is the cursor of a replay with another {other[0] if other else 'target'}: name another file.")
    sent, place = said.get("sent"), said.get("place")
    whole = type(sent) is int and sent >= 0 and (place is None) == (sent == 0)
    if not whole or (place is not None and not (isinstance(place, list) and [type(part) for part in cast(list[Any], place)] == [int] * 3)):
        raise FormatError(f"{path} says nothing of how far its replay came: remove it and begin again.")
    return Cursor(replay, cast(int, sent), None if place is None else Place(*cast(list[int], place)))


def write(path: Path, cursor: Cursor) -> None:
    """Write a cursor in the place of an earlier one."""
    place = None if cursor.place is None else [cursor.place.time_us, cursor.place.person_id, cursor.place.row]
    content = {"format": FORMAT, "format_version": FORMAT_VERSION, "replay": dict(cursor.replay), "sent": cursor.sent, "place": place}
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("w", encoding="utf-8") as file:
            file.write(folders.json_text(content))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
