"""An OUT folder opened as the data of a stranger: tables on a backend, the public zoning, the calendar of its days.

Nothing is loaded: a table here is an expression. Columns and their types are looked at, never trusted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthmob import manifest, schema
from synthmob.domain import Domain
from synthmob.errors import FormatError, PlanError, ZoningError
from synthmob.period import Period
from synthmob.plan import domain_from
from synthmob.schema import Table
from synthmob.zonefiles import read_zoning
from synthmob.zones import Zoning


@dataclass(frozen=True)
class Out:
    """Synthetic rows on a backend: `persons` and `stays` as ibis tables; period and domain where the manifest states them."""

    persons: Any
    stays: Any
    zoning: Zoning
    period: Period | None
    domain: Domain | None


def open_out(folder: str | Path, backend: Any) -> Out:
    """The tables of an OUT folder; FormatError where it is not what generate writes."""
    where = Path(folder)
    if not where.is_dir():
        raise FormatError(f"There is no folder {where}: give the folder that generate wrote.")
    persons = _opened(backend, [where / "persons.parquet"], schema.PERSONS)
    stays = _opened(backend, sorted((where / "stays").glob("*.parquet")), schema.STAYS)
    said = manifest.read(where) if (where / manifest.FILE).exists() else {}
    return Out(persons, stays, read_zones(where), _period(said), _domain(said))


def read_zones(folder: str | Path) -> Zoning:
    """The zoning of an OUT folder."""
    try:
        return read_zoning(Path(folder) / "zones.parquet")
    except ZoningError as error:
        raise FormatError(f"The zones of {Path(folder).name} cannot be used: {error}") from None


def _opened(backend: Any, paths: list[Path], table: Table) -> Any:
    """The rows of Parquet files with the columns of `table`, every column of the kind that is declared."""
    import duckdb

    if not paths or not all(path.is_file() for path in paths):
        raise FormatError(f"There are no {table.name} where OUT has them: give the folder that generate wrote.")
    try:
        found = backend.read_parquet([_literally(path) for path in paths])
    except (duckdb.Error, OSError):
        raise FormatError(f"The {table.name} in {paths[0].parent.name} cannot be read as Parquet: generate them again.") from None
    schema.check(found.columns, table, f"The {table.name} table")
    kinds: Mapping[str, Any] = dict(found.schema().items())
    for column in table.columns:
        kind = kinds.get(column.name)
        if kind is not None and not _fits(kind, column.dtype):
            raise FormatError(f"The {table.name} keep {column.name} as {kind} where {column.dtype} is needed: generate them.")
    return found.select(*[name for name in table.names if name in kinds])


def _fits(kind: Any, wanted: str) -> bool:
    if wanted.startswith("int"):
        return bool(kind.is_integer())
    return bool(kind.is_string() if wanted == "string" else kind.is_numeric())


def _literally(path: Path) -> str:
    """A path whose own stars and brackets DuckDB does not take for a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _period(said: Mapping[str, Any]) -> Period | None:
    period = said.get("period")
    return Period.from_json(period) if isinstance(period, dict) else None  # pyright: ignore[reportUnknownArgumentType]


def _domain(said: Mapping[str, Any]) -> Domain | None:
    domain = said.get("domain")
    try:
        return domain_from(domain, manifest.FILE) if isinstance(domain, dict) else None  # pyright: ignore[reportUnknownArgumentType]
    except PlanError as error:
        raise FormatError(f"OUT's manifest has a domain that cannot be used: {error}") from None
