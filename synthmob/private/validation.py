"""What may be wrong with the records, found by the backend and told in one sentence.

Every query returns at most the first offending row, and of that row only its position and, where a zone is unknown, the
zone's label: no id, no time and no count ever stands in a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis

from synthmob.errors import RecordError
from synthmob.private.files import FILE, ROW, RecordFile

LONGEST_LABEL = 60


@dataclass(frozen=True)
class Check:
    """A row is broken where `broken` holds; `says` completes 'file, row 17: ...'; `label` is a column that may be
    quoted."""

    broken: Any
    says: str
    label: Any = None


def need(file: RecordFile, columns: Sequence[str]) -> None:
    """Refuse a file that lacks one of the columns."""
    for column in columns:
        if column not in file.schema:
            found = ", ".join(list(file.schema)[:12])
            raise RecordError(
                f"{file.name} has no column {column!r} (it has {found}): the records need "
                f"{', '.join(columns)} there, add or rename it."
            )


def need_type(file: RecordFile, column: str, *, right: bool, wanted: str) -> None:
    """Refuse a column of a type that cannot be meant; the columns of a CSV are text and are judged row by row."""
    if not right and not file.is_text:
        raise RecordError(
            f"{file.name} keeps {column} as {file.schema[column]}: it must be {wanted}, write it as such."
        )


def refuse_rows(file: RecordFile, numbered: Any, checks: Sequence[Check]) -> None:
    """Refuse the first row, in file order, that fails a check; `numbered` has `_file` and `_row`. One scan for all
    checks."""
    code = ibis.cases(*((check.broken, i) for i, check in enumerate(checks)), else_=-1)
    label = ibis.cases(
        *((check.broken, ibis.literal("") if check.label is None else check.label) for check in checks), else_=""
    )
    table = numbered.select(FILE, ROW, code=code, label=label)
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
    """Refuse a stay that begins before the stay before it, by seq, has ended."""
    day = ibis.window(group_by=["subscriber_id", "day"], order_by="seq")
    table = numbered.select(FILE, ROW, early=numbered.start_min < numbered.end_min.lag().over(day))
    rows = file.fetch(table.filter(table.early).order_by(FILE, ROW).limit(1).select(FILE, ROW))
    if rows:
        _refuse(
            file,
            rows[0],
            "this stay overlaps the one before it (by seq) of the same subscriber and day: a person "
            "is in one place at a time, mend start_min, end_min or seq",
        )


def _refuse(file: RecordFile, row: dict[str, Any], says: str) -> None:
    label = row.get("label") or ""
    quoted = repr(label if len(label) <= LONGEST_LABEL else label[:LONGEST_LABEL] + "...")
    raise RecordError(f"{file.place(row[FILE], row[ROW])}: {says.replace('{label}', quoted)}.")
