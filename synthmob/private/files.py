"""Record files as lazy tables: Parquet or CSV, one file or a folder of parts, each row with a position.

Nothing is loaded: a table here is an expression that the backend reads when it is asked. The text of a driver's error
may quote a row, so it never travels further than this file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import ibis

from synthmob import engine
from synthmob.errors import InputError, RecordError
from synthmob.private import texts
from synthmob.private.postgres import Table

FILE, ROW = "_file", "_row"
PARQUET, CSV = (".parquet", ".pq"), (".csv", ".csv.gz")


@dataclass(frozen=True)
class RecordFile:
    """One table of the records, as it lies on disk.

    `table` is what is counted; `numbered` the same rows with the columns `_file` and `_row` (from 1, a CSV's header not
    counted), read only to say where an error is. `is_text` holds for CSV, whose columns are all text here. A table of a
    database has no rows before `of` is asked for some of its columns.
    """

    backend: Any
    path: Path
    table: Any
    numbered: Any
    is_text: bool
    fetched: Callable[[Sequence[str]], RecordFile] | None = None

    def of(self, columns: Sequence[str]) -> RecordFile:
        """The same records with at least these columns at hand: what lies elsewhere is fetched now."""
        return self if self.fetched is None else self.fetched(columns)

    @property
    def name(self) -> str:
        """What an error calls it: its file or folder name, never the path to it."""
        return self.path.name

    @property
    def schema(self) -> dict[str, Any]:
        """The type of each column, by name."""
        return dict(self.table.schema().items())

    def fetch(self, expression: Any) -> list[dict[str, Any]]:
        """The rows of a small expression over this file; RecordError where the file cannot be read to its end."""
        import duckdb

        try:
            return self.backend.to_pyarrow(expression).to_pylist()
        except (duckdb.OutOfMemoryException, duckdb.InterruptException):
            raise
        except engine.failures() as error:
            raise _unreadable(self.name, self.is_text, error) from None

    def check_text(self) -> None:
        """Read a CSV once from end to end: RecordError where a quotation mark is never closed, or a line or a packed file never ends."""
        if self.is_text:
            for part in _parts(self.path)[0]:
                texts.check_text(part)

    def place(self, file: str, row: int) -> str:
        """Where a row lies, in words.

        >>> RecordFile(None, Path("in/stays.parquet"), None, None, False).place("/data/in/stays.parquet", 17)
        'stays.parquet, row 17'
        """
        part = unquote(Path(file).name) if file.startswith("file:") else Path(file).name
        return f"{part if part == self.name else f'{self.name}/{part}'}, row {row}"


@contextmanager
def unquoted() -> Generator[None]:
    """Turns an error of the backend, whose text may quote a row, into one sentence."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise InputError(
            "The records do not fit into the memory limit, or one of them says that it is larger than it is: raise "
            "--memory-limit-gb, or write the records again."
        ) from None
    except duckdb.InterruptException:
        raise
    except duckdb.Error:
        raise RecordError("The records cannot be read to their end: write them again, a file is damaged.") from None
    except engine.failures():
        raise RecordError(
            "Spark gave up on the records: a file is damaged, or it has too little memory (--memory-limit-gb is its driver's)."
        ) from None


def open_file(backend: Any, place: Path | Table) -> RecordFile:
    """A record file or table, opened but not read; RecordError where it is missing, empty, of another kind or damaged."""
    return _table(backend, place) if isinstance(place, Table) else _file(backend, place)


def _table(backend: Any, place: Table) -> RecordFile:
    """A table of a database, of which DuckDB gets the columns that are asked for, when they are."""
    import duckdb

    if engine.on_spark(backend):
        raise RecordError("Spark reads Parquet alone and the records are in PostgreSQL: use --engine duckdb for them.")
    path = Path(place.name)
    table = ibis.memtable(place.header().empty_table())

    def fetched(columns: Sequence[str]) -> RecordFile:
        name = ibis.util.gen_name("fetched")
        rows = place.rows(columns, ROW)
        backend.con.register(f"{name}_rows", rows)
        try:
            backend.raw_sql(f'CREATE TEMP TABLE "{name}" AS SELECT * FROM "{name}_rows"')  # noqa: S608  (a name of ours)
        except (duckdb.OutOfMemoryException, duckdb.InterruptException):
            raise
        except duckdb.Error:
            raise RecordError(f"The table {place.name} cannot be read to its end: see PostgreSQL's own log for why.") from None
        finally:
            backend.con.unregister(f"{name}_rows")
        numbered = backend.table(name).mutate(**{FILE: ibis.literal(str(path))})
        return RecordFile(backend, path, numbered.drop(FILE, ROW), numbered, False)

    return RecordFile(backend, path, table, table.mutate(**{FILE: ibis.literal(str(path)), ROW: ibis.literal(0, "int64")}), False, fetched)


def _file(backend: Any, path: Path) -> RecordFile:
    parts, is_text = _parts(path)
    for part in parts:
        if not part.is_file() or part.stat().st_size == 0:
            raise RecordError(f"{path.name} is empty or holds an empty part: write at least one row, or leave it out.")
    if is_text and engine.on_spark(backend):
        raise RecordError(f"{path.name} is CSV, and Spark reads Parquet alone: write the records as Parquet, or use --engine duckdb.")
    read = _on_spark if engine.on_spark(backend) else _csv if is_text else _parquet
    try:
        table, numbered = read(backend, parts, path)
    except (*engine.failures(), OSError) as error:
        raise _unreadable(path.name, is_text, error) from None
    file = RecordFile(backend, path, table, numbered, is_text)
    if not file.fetch(table.limit(1).select(one=ibis.literal(1))):
        raise RecordError(f"{file.name} has a header but no row: write at least one row, or leave it out.")
    return file


def there(path: Path) -> bool:
    """Whether there is anything at a path; a name that no file system has names nothing."""
    try:
        return path.exists()
    except OSError:
        return False


def _parts(path: Path) -> tuple[list[Path], bool]:
    """The files of a table in a fixed order, and whether they are CSV."""
    if not there(path):
        raise RecordError(
            f"There is no {path.name} at {path}: give the path of a Parquet or CSV file, or of a folder of parts."
        )
    if not path.is_dir():
        if not path.name.lower().endswith(PARQUET + CSV):
            raise RecordError(f"{path.name} is neither Parquet nor CSV by its name: end it in .parquet or .csv.")
        return [path], path.name.lower().endswith(CSV)
    inside = sorted(p for p in path.rglob("*") if not any(q.startswith(("_", ".")) for q in p.relative_to(path).parts))
    columnar = [p for p in inside if p.name.lower().endswith(PARQUET)]
    text = [p for p in inside if p.name.lower().endswith(CSV)]
    if bool(columnar) == bool(text):
        found = "both Parquet and CSV parts" if columnar else "no part ending in .parquet or .csv"
        raise RecordError(f"The folder {path.name} has {found}: keep the parts of one table there, in one format.")
    return (columnar, False) if columnar else (text, True)


def _on_spark(backend: Any, parts: list[Path], path: Path) -> tuple[Any, Any]:
    """Parquet for Spark, which would take the columns of one part for those of all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from synthmob import sparkengine

    try:
        schemas = [pq.read_schema(part) for part in parts]
    except pa.ArrowException as error:
        raise OSError(str(error)) from None
    if any(schema.remove_metadata() != schemas[0].remove_metadata() for schema in schemas):
        raise OSError("parts differ")
    nanoseconds = [field.name for field in schemas[0] if pa.types.is_timestamp(field.type) and field.type.unit == "ns"]
    base = path if path.is_dir() else path.parent
    numbered = sparkengine.read_parquet(backend, [str(p.absolute()) for p in parts], str(base.absolute()), nanoseconds, FILE, ROW)
    return numbered.drop(FILE, ROW), numbered


def _parquet(backend: Any, parts: list[Path], path: Path) -> tuple[Any, Any]:
    del path
    paths = [_literally(p) for p in parts]
    numbered = backend.read_parquet(paths, filename=FILE, file_row_number=True)
    position = {FILE: numbered[FILE], ROW: numbered.file_row_number + 1}
    columns = [name for name in numbered.columns if name not in (FILE, "file_row_number")]
    return backend.read_parquet(paths), numbered.select(*columns, **position)


def _csv(backend: Any, parts: list[Path], path: Path) -> tuple[Any, Any]:
    """CSV as text, so that ids keep their leading zeros; row numbers need each part read in its own order."""
    del path
    headers = [texts.header(part) for part in parts]
    if any(set(names) != set(headers[0][1]) for _, names in headers):
        raise RecordError(
            f"The parts of {parts[0].parent.name} have different columns: give every part the same header."
        )
    # Dialect and columns are stated, not sniffed: a sniffer takes one ragged row as proof of another dialect.
    tables = [
        backend.read_csv(
            _literally(part),
            columns=dict.fromkeys(names, "varchar"),
            header=True,
            sep=sep,
            quote='"',
            escape='"',
            nullstr="",
            parallel=False,
        )
        for part, (sep, names) in zip(parts, headers, strict=True)
    ]
    numbered = [
        t.mutate(**{FILE: ibis.literal(str(part)), ROW: ibis.row_number() + 1})
        for t, part in zip(tables, parts, strict=True)
    ]
    return reduce(_stack, tables), reduce(_stack, numbered)


def _literally(path: Path) -> str:
    """A path whose own stars and brackets DuckDB does not take for a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _stack(above: Any, below: Any) -> Any:
    return above.union(below.select(*above.columns))


def _unreadable(name: str, is_text: bool, error: Exception) -> RecordError:
    line = re.search(r"[Ll]ine:? (\d+)", str(error)) if is_text else None
    where = f"{name}, line {line.group(1)}," if line else name
    kind = (
        "CSV (a header, then as many fields in every row)" if is_text else "Parquet (all parts with the same columns)"
    )
    return RecordError(f"{where} cannot be read as {kind}: write the file again, it is damaged or of another format.")
