"""Whether a dataset whose hashes are right also says what its rows are: marks, columns and keys, in every description of them.

A hash tells that a file was not touched since it was listed, not that whoever listed it packed it: these checks are for the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from synthmob import folders, manifest, parquetfiles, schema
from synthmob.dataset import calendar, croissant, datapackage
from synthmob.dataset.layout import CROISSANT, DATAPACKAGE, FIDELITY, KIND, TABLES, table_of
from synthmob.errors import FormatError
from synthmob.fidelity.result import Fidelity
from synthmob.period import Period
from synthmob.schema import Column, Table
from synthmob.synthesis import metadata
from synthmob.synthesis.outfolder import BOUNDS
from synthmob.synthesis.tables import SYNTHETIC

LEVEL_PREFIX = "level_"
Found = TypeVar("Found")


def opened(folder: Path, path: str) -> Any:
    """A Parquet file of a folder, its sizes in proportion; FormatError for another, or for one without the mark of synthetic data."""
    try:
        file = parquetfiles.opened(parquetfiles.mapped(folder / path), path, BOUNDS)
    except OSError:
        raise FormatError(f"There is no readable {path} in {folder}: ask for the {KIND} again.") from None
    marks = {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in (file.schema_arrow.metadata or {}).items()}
    if any(marks.get(key) != value for key, value in SYNTHETIC.items()):
        raise FormatError(f"{path} does not say that it is synthetic: generate it again with this synthmob.")
    return file


def table_with(names: list[str], table: Table) -> Table:
    """The declaration of a table with the columns that a file has, in its order, areas of the zoning's own levels among them."""
    known = {column.name: column for column in table.columns}
    if table.name == schema.ZONES.name:
        known |= {name: _level(name) for name in names if name.startswith(LEVEL_PREFIX)}
    return Table(table.name, table.row, tuple(known[name] for name in names if name in known), table.key, table.links)


def check(folder: Path, files: Mapping[str, Mapping[str, Any]], period: Period) -> None:
    """FormatError where marks, columns, days or descriptions of a dataset contradict each other."""
    paths = [path for path in files if table_of(path) is not None]
    names = {path: list(opened(folder, path).schema_arrow.names) for path in paths}
    by_table: dict[str, list[str]] = {}
    for path in paths:
        table = cast(Table, table_of(path))
        schema.check(names[path], table, path)
        if by_table.setdefault(table.name, names[path]) != names[path]:
            raise FormatError(f"{path} has other columns than the other {table.name}: ask for the {KIND} again.")
    phones = [table for table in schema.OF_PHONES if table.name in by_table]
    wanted = [table for table in TABLES if phones or table not in schema.OF_PHONES]
    if missing := [table.name for table in wanted if table.name not in by_table]:
        raise FormatError(f"The {KIND} has no {missing[0]}: ask for it again.")
    _check_calendar(folder, period)
    metadata.check(folder / metadata.FILE, {table.name: by_table[table.name] for table in (*schema.SYNTHETIC, *phones)})
    _check_croissant(folder, files, by_table)
    _same(DATAPACKAGE, _read(folder, DATAPACKAGE, datapackage.columns), names)
    fidelity = Fidelity.from_json(folders.read_json(folder / FIDELITY, KIND))
    if fidelity.confidential:
        raise FormatError(f"{FIDELITY} holds scores against private records: tell who sent it, it should not have left its owner.")


def _check_calendar(folder: Path, period: Period) -> None:
    """The calendar has the days of the period that the manifest states, as many of them and no other."""
    path = f"{schema.CALENDAR.name}.parquet"
    found, wanted = opened(folder, path), calendar.days(period)
    alike = found.metadata.num_rows == wanted.num_rows and found.schema_arrow.remove_metadata() == wanted.schema
    if not alike or not _rows(found, path).equals(wanted):
        raise FormatError(f"{path} has other days than {manifest.FILE} states: ask for the {KIND} again.")


def _rows(file: Any, path: str) -> Any:
    """The rows of a small Parquet file; FormatError where they cannot be unpacked, or say of themselves what is not so."""
    import pyarrow as pa

    try:
        rows = file.read()
        rows.validate(full=True)
    except (pa.ArrowException, OSError, ValueError):
        raise FormatError(f"{path} cannot be read to its end: it is damaged, ask for it again.") from None
    return rows


def _check_croissant(folder: Path, files: Mapping[str, Mapping[str, Any]], by_table: Mapping[str, list[str]]) -> None:
    hashes = _read(folder, CROISSANT, croissant.files)
    _same(CROISSANT, hashes, {path: said["sha256"] for path, said in files.items() if table_of(path) is not None})
    there = {
        table.name: [column.name for column in croissant.shown(table_with(by_table[table.name], table).columns)]
        for table in TABLES if table.name in by_table}
    _same(CROISSANT, _read(folder, CROISSANT, croissant.columns), there)


def _read(folder: Path, name: str, part: Callable[[dict[str, Any]], Found]) -> Found:
    """A part of a description; FormatError where it has no such part."""
    try:
        return part(folders.read_json(folder / name, KIND))
    except (KeyError, TypeError, AttributeError, IndexError):
        raise FormatError(f"{name} does not describe tables as ours do: ask for the {KIND} again.") from None


def _same(name: str, told: Mapping[str, object], there: Mapping[str, object]) -> None:
    odd = sorted(str(key) for key in {*told, *there} if told.get(key) != there.get(key))
    if odd:
        raise FormatError(f"{name} says of {odd[0][:80]!r} what is not so: ask for the {KIND} again.")


def _level(name: str) -> Column:
    return Column(name, "string", "", f"the area of level {name.removeprefix(LEVEL_PREFIX)} that it lies in", optional=True)
