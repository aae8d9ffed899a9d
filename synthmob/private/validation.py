"""What may be wrong with the records, found by the backend and told in one sentence.

Every query returns at most the first offending row, and of that row only its position: no id, no zone, no time, no count and no
name of a column that is not ours ever stands in a message. A column that has slipped, or a file without a header, would else put
a subscriber's id there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis

from synthmob import schema
from synthmob.errors import RecordError
from synthmob.private.files import FILE, ROW, RecordFile

OURS = {column.name for table in (schema.SUBSCRIBERS, schema.EVENTS, schema.RECORD_STAYS) for column in table.columns}
"""The columns that a message may say a file has."""


@dataclass(frozen=True)
class Check:
    """A row is broken where `broken` holds; `says` completes 'file, row 17: ...'."""

    broken: Any
    says: str


def need(file: RecordFile, columns: Sequence[str]) -> None:
    """Refuse a file that lacks one of the columns."""
    for column in columns:
        if column not in file.schema:
            found = ", ".join(name for name in file.schema if name in OURS) or "none of them"
            raise RecordError(
                f"{file.name} has no column {column!r} (it has {found}): the records need "
                f"{', '.join(columns)} there, add or rename it."
            )


def need_type(file: RecordFile, column: str, *, right: bool, wanted: str) -> None:
    """Refuse a column of a type that cannot be meant; the columns of a CSV are text and are judged row by row."""
    if not right and not file.is_text:
        raise RecordError(
            f"{file.name} keeps {column} as {kind_of(file, column)}: it must be {wanted}, write it as such."
        )


def kind_of(file: RecordFile, column: str) -> str:
    """The kind of a column in a word, without what stands inside it: the names in a structure may be anybody's."""
    kind = file.schema[column]
    return "nothing but nulls" if kind.is_unknown() or kind.is_null() else re.split(r"[<(\[]", str(kind))[0][:40]


def refuse_rows(file: RecordFile, numbered: Any, checks: Sequence[Check]) -> None:
    """Refuse the first row, in file order, that fails a check; `numbered` has `_file` and `_row`. One scan for all
    checks."""
    file.check_text()
    code = ibis.cases(*((check.broken, i) for i, check in enumerate(checks)), else_=-1)
    table = numbered.select(FILE, ROW, code=code)
    rows = file.fetch(table.filter(table.code >= 0).order_by(FILE, ROW).limit(1))
    if rows:
        _refuse(file, rows[0], checks[rows[0]["code"]].says)


def refuse_duplicates(file: RecordFile, numbered: Any, key: Sequence[str]) -> None:
    """Refuse a key that stands twice, at the position of its second row."""
    twice = numbered.group_by(list(key)).agg(rows=numbered.count())
    twice = twice.filter(twice["rows"] > 1)
    if not file.fetch(twice.limit(1).select(one=ibis.literal(1))):
        return
    within = ibis.window(group_by=list(key), order_by=[FILE, ROW])
    again = numbered.semi_join(twice, list(key)).mutate(nth=ibis.row_number().over(within))
    rows = file.fetch(again.filter(again.nth == 1).order_by(FILE, ROW).limit(1).select(FILE, ROW))
    _refuse(file, rows[0], f"the same {', '.join(key)} as in a row before it: keep one of the two")


def refuse_unknown(file: RecordFile, numbered: Any, known: Any, known_name: str) -> None:
    """Refuse a row whose subscriber_id is not among the `known` ones."""
    strange = numbered.anti_join(known, "subscriber_id")
    rows = file.fetch(strange.order_by(FILE, ROW).limit(1).select(FILE, ROW))
    if rows:
        _refuse(file, rows[0], f"its subscriber_id is not in {known_name}: add the subscriber there or drop the row")


def refuse_overlaps(file: RecordFile, numbered: Any) -> None:
    """Refuse a seq that stands twice in a day, and a stay that begins before the stay before it, by seq, has ended."""
    day = ibis.window(group_by=["subscriber_id", "day"], order_by="seq")
    table = numbered.select(
        FILE, ROW, twice=numbered.seq == numbered.seq.lag().over(day), early=numbered.start_min < numbered.end_min.lag().over(day))
    rows = file.fetch(table.filter(table.twice | table.early).limit(1).select(FILE, ROW))
    if not rows:  # one look finds whether there is anything, a second one which of the two it is, and where
        return
    refuse_duplicates(file, numbered, ["subscriber_id", "day", "seq"])
    rows = file.fetch(table.filter(table.early).order_by(FILE, ROW).limit(1).select(FILE, ROW))
    _refuse(
        file,
        rows[0],
        "this stay overlaps the one before it (by seq) of the same subscriber and day: a person "
        "is in one place at a time, mend start_min, end_min or seq",
    )


def _refuse(file: RecordFile, row: dict[str, Any], says: str) -> None:
    raise RecordError(f"{file.place(row[FILE], row[ROW])}: {says}.")
