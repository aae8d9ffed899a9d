"""What an export is: a format with a name, what it is for, the files it makes, and how a block of people becomes rows of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synthmob.export.source import Progress, Source


@dataclass(frozen=True)
class Options:
    """What a user may say to some formats: `net` is a SUMO network of their own."""

    net: Path | None = None


@dataclass(frozen=True)
class Written:
    """Rows by file or table, and what a reader must know: `units`, `crs`, `timezone` and anything else in words."""

    rows: Mapping[str, int]
    units: Mapping[str, str]
    crs: str
    timezone: str
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Exporter:
    """A format: `readers` are the programs that take its files, `holds` the names of all files it may write.

    `takes` are the names of the Options that it understands. `write(source, folder, options, progress)` fills an empty folder, a
    block of persons at a time.
    """

    name: str
    about: str
    readers: tuple[str, ...]
    holds: tuple[str, ...]
    write: Callable[[Source, Path, Options, Progress], Written]
    takes: tuple[str, ...] = ()
