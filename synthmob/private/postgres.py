"""Tables of records in PostgreSQL, read once from end to end: the server selects columns, and everything else is done here.

All tables of a step come from one read-only transaction, so that they show one moment however long the reading takes. Rows are
streamed in batches of Arrow (ADBC, which uses COPY in binary), a few megabytes at a time. Passwords are libpq's affair.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synthmob.databases import Address
from synthmob.errors import InputError, RecordError

if TYPE_CHECKING:
    import pyarrow as pa

AS_THEY_ARE = {"int2", "int4", "int8", "float4", "float8", "bool", "timestamp", "timestamptz", "date"}
MEASURED = ("lon", "lat", "duration_s", "volume_kb")
"""Columns of numbers that need not be whole: where they are kept as numeric they are read as floats."""
ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
IN_ORDER = "SET LOCAL synchronize_seqscans = off"
"""Rows come as they lie in the table, so that row 17 of a message is row 17 the next time."""
_COLUMNS = """
SELECT a.attname::text, CASE WHEN t.typtype = 'd' THEN b.typname ELSE t.typname END::text FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype
WHERE a.attrelid = to_regclass({table}) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
_OPEN: ContextVar[dict[str, Any] | None] = ContextVar("open connections", default=None)


@contextmanager
def connections() -> Generator[None]:
    """Connections are made where a table is first asked for, one a database, and end with the block."""
    made: dict[str, Any] = {}
    token = _OPEN.set(made)
    try:
        yield
    finally:
        _OPEN.reset(token)
        for connection in made.values():
            connection.close()


@dataclass(frozen=True)
class Table:
    """A table of a database, its name with or without a schema."""

    address: Address
    name: str

    @staticmethod
    def at(address: Address, usual: str) -> Table:
        """The table that an address names, else the one of the `usual` name in its schema."""
        name = address.table or usual
        return Table(address, name if address.schema is None or "." in name else f"{address.schema}.{name}")

    def exists(self) -> bool:
        """Whether the database has it."""
        return bool(self._asked(f"SELECT to_regclass({_text(self._quoted)}) IS NOT NULL AS there")["there"][0])

    def header(self) -> pa.Schema:
        """Its columns as Arrow has them; RecordError where there is no such table or it has no row."""
        if not self.exists():
            raise RecordError(f"There is no table {self.name} in {self.address}: name it by ?table=SCHEMA.NAME or by ?schema=NAME.")
        if not len(self._asked(f"SELECT 1 AS one FROM {self._quoted} LIMIT 1")):  # noqa: S608  (quoted, as all that is pasted below)
            raise RecordError(f"The table {self.name} has no row: fill it, or leave it out.")
        return self._asked(f"SELECT {', '.join(self._columns().values())} FROM {self._quoted} LIMIT 0").schema  # noqa: S608

    def rows(self, columns: Sequence[str], row: str) -> pa.RecordBatchReader:
        """All rows of some columns in batches, each row with its place in the table (from 1) as column `row`."""
        import pyarrow as pa

        wanted = self._columns()
        cursor = self._cursor()
        with self._failing():
            cursor.execute(f"SELECT {', '.join(wanted[name] for name in columns)} FROM {self._quoted}")  # noqa: S608
            reader = cursor.fetch_record_batch()

        def numbered() -> Iterator[pa.RecordBatch]:
            done = 0
            with cursor:
                for batch in reader:
                    place = pa.array(range(done + 1, done + 1 + len(batch)), pa.int64())
                    yield pa.RecordBatch.from_arrays([*batch.columns, place], schema=schema)
                    done += len(batch)

        schema = reader.schema.append(pa.field(row, pa.int64()))
        return pa.RecordBatchReader.from_batches(schema, numbered())

    @property
    def _quoted(self) -> str:
        return ".".join('"' + part.replace('"', '""') + '"' for part in self.name.split(".", 1))

    def _columns(self) -> dict[str, str]:
        """What is selected for every column: numbers and instants as they are, everything else as text."""
        found = self._asked(_COLUMNS.format(table=_text(self._quoted)))
        kinds = dict(zip(found.column(0).to_pylist(), found.column(1).to_pylist(), strict=True))
        return {name: _selected(name, kind) for name, kind in kinds.items()}

    def _asked(self, query: str) -> pa.Table:
        with self._failing(), self._cursor() as cursor:
            cursor.execute(query)
            return cursor.fetch_arrow_table()

    def _cursor(self) -> Any:
        made = _OPEN.get()
        if made is None:
            raise RuntimeError("a table is read outside of postgres.connections()")
        if self.address.uri not in made:
            made[self.address.uri] = _connected(self.address)
        return made[self.address.uri].cursor()

    @contextmanager
    def _failing(self) -> Generator[None]:
        """Turns PostgreSQL's complaint, whose text may quote a row, into one sentence."""
        from adbc_driver_manager import Error

        try:
            yield
        except Error as error:
            if error.sqlstate == "42501":
                raise RecordError(f"The table {self.name} may not be read by this user: GRANT SELECT on it.") from None
            raise RecordError(f"The table {self.name} cannot be read to its end: see PostgreSQL's own log for why.") from None


def _selected(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if kind in AS_THEY_ARE:
        return column
    if kind == "numeric":
        # 7 and 7.00 are one subscriber.
        return f"{column}::float8 AS {column}" if name in MEASURED else f"trim_scale({column})::text AS {column}"
    return f"{column}::text AS {column}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _connected(address: Address) -> Any:
    try:
        from adbc_driver_manager import Error
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise InputError("The records are in PostgreSQL and its driver is not installed: install synthmob[postgres].") from None
    try:
        connection = dbapi.connect(address.uri)
        with connection.cursor() as cursor:
            cursor.execute(ONE_MOMENT)
            cursor.execute(IN_ORDER)
    except Error as error:
        raise InputError(_refused(address, str(error))) from None
    return connection


def _refused(address: Address, said: str) -> str:
    if re.search(r"database .* does not exist", said):
        return f"There is no database {address}: mend the address."
    if re.search(r"password|authentication|role .* does not exist|no pg_hba", said):
        return f"The database {address} does not let this user in: mend the user, and give the password by PGPASSWORD or in ~/.pgpass."
    return f"The database {address} cannot be reached: see that its server runs there and that the address is right."
