"""Which files a dataset has, and where: the only names that it may hold.

DATASET/README.md              the dataset card: what it is, how it was made, what is promised, how to start
DATASET/DICTIONARY.md          every table and column
DATASET/persons.parquet        the synthetic rows, as `generate` wrote them, byte for byte
DATASET/stays/part-00000.parquet, trips/part-00000.parquet
DATASET/events/part-00000.parquet, sites.parquet   where OUT has events
DATASET/zones.parquet          the public zoning
DATASET/calendar.parquet       the days
DATASET/croissant.json         Croissant 1.1, for machine learning
DATASET/datapackage.json       Frictionless Data Package
DATASET/metadata.json          Metadata of SDV 2
DATASET/fidelity.json          the outside check, all of it
DATASET/manifest.json          what it was made of, and the SHA-256 of every file
DATASET/SHA256SUMS             the same for `sha256sum -c`
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from synthmob import manifest, schema
from synthmob.errors import FormatError
from synthmob.schema import Table
from synthmob.synthesis import metadata

KIND = "dataset"
README, DICTIONARY, CROISSANT, DATAPACKAGE, FIDELITY, SUMS = (
    "README.md", "DICTIONARY.md", "croissant.json", "datapackage.json", "fidelity.json", "SHA256SUMS")  # fmt: skip
IN_PARTS = (schema.STAYS, schema.TRIPS, schema.SYNTHETIC_EVENTS)
TABLES = (schema.PERSONS, schema.STAYS, schema.TRIPS, *schema.OF_PHONES, schema.ZONES, schema.CALENDAR)
FOLDERS = tuple(table.name for table in IN_PARTS)
OF_OUT = ("persons.parquet", "zones.parquet", metadata.FILE)
"""What is taken over from OUT beside the parts of its stays, trips and events."""
SITES = "sites.parquet"
"""What lies in an OUT that has events."""
PLAIN = (*OF_OUT, SITES, "calendar.parquet", README, DICTIONARY, CROISSANT, DATAPACKAGE, FIDELITY, manifest.FILE, SUMS)
HOLDS = (*PLAIN, *FOLDERS)
MAX_FILES = 20_000
"""Parts of ten billion persons, with room to spare."""
_PART = re.compile(r"part-[0-9]{5}\.parquet")


def is_ours(path: str) -> bool:
    """Whether a path from a listing is one that a dataset can have.

    >>> is_ours("stays/part-00000.parquet"), is_ours("README.md"), is_ours("../README.md"), is_ours("stays/part-0.parquet")
    (True, True, False, False)
    """
    folder, _, name = path.rpartition("/")
    return path in PLAIN if not folder else folder in FOLDERS and bool(_PART.fullmatch(name))


def table_of(path: str) -> Table | None:
    """The table whose rows a file holds, None for a file that describes.

    >>> table_of("stays/part-00000.parquet").name, table_of("README.md")
    ('stays', None)
    """
    name = path.partition("/")[0].removesuffix(".parquet")
    return next((table for table in TABLES if table.name == name and path.endswith(".parquet")), None)


def walk(folder: Path) -> Iterator[tuple[str, str]]:
    """Every entry of a folder by its path inside, sorted, and what it is: 'file', 'link', or 'other' for a pipe or a stranger's folder.

    No link is followed, and only the folders of parts are entered. FormatError for more than MAX_FILES entries.
    """
    left = MAX_FILES
    for name, kind in _entries(folder, left):
        left -= 1
        if kind == "folder" and name in FOLDERS:
            for inside, what in _entries(folder / name, left):
                left -= 1
                yield f"{name}/{inside}", "other" if what == "folder" else what
        else:
            yield name, "other" if kind == "folder" else kind


def _entries(folder: Path, most: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(found) >= most:
                    raise FormatError(f"{folder} holds more than {MAX_FILES:,} files: it is no {KIND} of ours, ask for it again.")
                found.append((entry.name, _kind(entry)))
    except (OSError, ValueError):
        raise FormatError(f"{folder} is no folder that can be read: name the folder of a {KIND}.") from None
    return sorted(found)


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "other"
