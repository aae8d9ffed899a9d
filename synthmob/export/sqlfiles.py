"""What files for PostgreSQL share: shapes as it reads them, text as a literal, and the line of psql that fills a table from a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import shapely

CRS = "EPSG:4326"
SRID = 4326


def ewkb(shapes: Any, known: Any = None) -> pa.Array[Any]:
    """Shapes in degrees as EWKB in hexadecimal, null where they are not known."""
    return pa.array(shapely.to_wkb(shapely.set_srid(shapes, SRID), hex=True, include_srid=True), mask=None if known is None else ~known)


def quoted(text: str) -> str:
    """Text as a literal of SQL.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def copied(table: str, columns: Sequence[str], file: str) -> str:
    r"""psql's line that fills a table from a CSV file beside it.

    >>> copied("zones", ["zone_id", "geom"], "zones.csv")
    "\\copy zones (zone_id, geom) FROM 'zones.csv' WITH (FORMAT csv, HEADER)\n"
    """
    return f"\\copy {table} ({', '.join(columns)}) FROM '{file}' WITH (FORMAT csv, HEADER)\n"


def whole(rows: str, n: int, file: str) -> str:
    """What ends the transaction where a file was cut short between two of its lines, which nothing else would notice.

    >>> whole("SELECT FROM zones", 3, "zones.csv").splitlines()[1]
    "IF (SELECT count(*) FROM (SELECT FROM zones) AS r) < 3 THEN RAISE EXCEPTION 'zones.csv is not whole: 3 rows were written'; END IF;"
    """
    said = quoted(f"{file} is not whole: {n} rows were written")
    fewer = f"(SELECT count(*) FROM ({rows}) AS r) < {n}"  # noqa: S608  (written to a file: our own names, and a number)
    return f"DO $$ BEGIN\nIF {fewer} THEN RAISE EXCEPTION {said}; END IF;\nEND $$;\n"
