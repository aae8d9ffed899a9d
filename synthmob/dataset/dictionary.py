"""The data dictionary: every table and column as Markdown, from `schema` and `domain` alone. docs/SCHEMAS.md is written with it too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from synthmob.dataset.facts import Facts
from synthmob.domain import DAY_TYPES, DIRECTIONS, KINDS, WORKER, Domain
from synthmob.schema import Column, Table

TIMES = (
    "Times are whole minutes from local midnight; `day` counts from the first day of the public period; a null zone is everywhere "
    "outside the zoning.")


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]], right: int = 0) -> str:
    """A Markdown table; the columns from number `right` on are numbers, where it is not 0.

    >>> print(markdown(["a", "b"], [["x", 1]], right=1), end="")
    | a | b |
    | --- | ---: |
    | x | 1 |
    """
    line = ["---:" if right and k >= right else "---" for k in range(len(header))]
    lines = [header, line, *rows]
    return "".join("| " + " | ".join(_cell(cell) for cell in row) + " |\n" for row in lines)


def columns_table(columns: Iterable[Column]) -> str:
    """The columns of one table."""
    rows = [
        [f"`{c.name}`", c.dtype.replace("|", " or "), c.unit, c.meaning + (" (may be absent)" if c.optional else "")]
        for c in columns]
    return markdown(["column", "type", "unit", "meaning"], rows)


def table_section(table: Table, depth: int) -> str:
    """One table under its heading: what a row is, its columns, its key and where its columns lead."""
    parts = [f"{'#' * depth} {table.name.upper()}\n\nOne row: {table.row}.\n\n{columns_table(table.columns)}"]
    if table.key:
        parts.append(f"\nKey: {', '.join(f'`{name}`' for name in table.key)}.")
    elif table.links:
        parts.append("\nNo key: two rows may be alike.")
    parts.extend(f" `{link.column}` leads to `{link.key}` of {link.table}." for link in table.links)
    if table.key or table.links:
        parts.append("\n")
    return "".join(parts)


def categories_table(domain: Domain, *, modes: bool) -> str:
    """The categories of every axis that has some; `modes` only where some row has one."""
    values = (
        ("sex", domain.sex), ("age_band", domain.age_band), ("worker", WORKER), ("purpose", domain.purposes),
        *((("mode", domain.modes),) if modes else ()), ("kind", KINDS), ("direction", DIRECTIONS), ("app", domain.apps),
        ("day type", DAY_TYPES))  # fmt: skip
    return markdown(["axis", "categories"], [[name, ", ".join(of)] for name, of in values])


def dictionary(facts: Facts) -> str:
    """The whole of DICTIONARY.md: the tables of a dataset with the columns that they have."""
    parts = [f"# Data dictionary\n\nOf \"{facts.said.title}\". Files are Parquet. {TIMES}\n"]
    parts.extend(f"\n{table_section(shipped.table, 2)}" for shipped in facts.tables)
    moded = any("mode" in shipped.table.names for shipped in facts.tables)
    parts.append(f"\n## Categories\n\n{categories_table(facts.domain, modes=moded)}")
    return "".join(parts)


def _cell(cell: object) -> str:
    """The text of a cell; a bar in it would begin another."""
    return str(cell).replace("|", "\\|")
