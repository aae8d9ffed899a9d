"""The columns that several record tables share: ids, categories and zones, each as an expression of the row alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis

from synthmob.counts import codes
from synthmob.domain import OUTSIDE
from synthmob.errors import RecordError
from synthmob.private import validation as must
from synthmob.private.files import RecordFile
from synthmob.private.validation import Check
from synthmob.zones import Zoning

LONGEST_TEXT = 200
NO_ID = "subscriber_id is empty, or is text where the other file has integers: give every row its subscriber"


@dataclass(frozen=True)
class Known:
    """The subscribers that rows may belong to: their ids as a lazy table, their file's name, and the kind of id."""

    ids: Any
    name: str
    as_text: bool


def ids_as_text(people: RecordFile, rows: RecordFile) -> bool:
    """Whether ids are compared as text; a CSV says nothing of their type and follows the other file."""
    kinds: set[str] = set()
    for file in (people, rows):
        kind = file.schema["subscriber_id"]
        right = kind.is_integer() or kind.is_string() or kind.is_uuid()
        must.need_type(file, "subscriber_id", right=right, wanted="integers or text")
        if not file.is_text:
            kinds.add("text" if not kind.is_integer() else "wide" if kind.is_unsigned_integer() else "integer")
    if "text" in kinds and len(kinds) > 1:
        shown = " and ".join(f"{must.kind_of(file, 'subscriber_id')} in {file.name}" for file in (people, rows))
        raise RecordError(f"subscriber_id is {shown}: write both as integers or both as text.")
    return kinds != {"integer"}


def subscriber_id(file: RecordFile, table: Any, *, as_text: bool) -> Any:
    """An expression: the subscriber's id, int64 or text; null where it is empty or not a number among numbers."""
    column = table.subscriber_id
    if as_text:
        return column.cast("string").nullif("")
    return column.try_cast("int64") if file.is_text else column.cast("int64")


def category(column: Any, labels: Sequence[str]) -> Any:
    """An expression: the public label that a text is, whatever its case; the last label for everything else and for
    null."""
    if len(labels) == 1:
        return ibis.literal(labels[-1])
    text = column.cast("string").strip().lower()
    if all(label == label.lower() for label in labels[:-1]):  # asked once, where cases would strip and lower for each label
        # The place among the labels: DuckDB finds it once for each text of a file's dictionary, membership once for each row.
        at: Any = ibis.array(list(labels[:-1])).index(text)
        return ibis.ifelse(at >= 0, text, labels[-1])
    return ibis.cases(*((text == label.lower(), ibis.literal(label)) for label in labels[:-1]), else_=labels[-1])


def code(column: Any, labels: Sequence[str]) -> Any:
    """An expression: the place among the labels of the one that a text is, as `category` finds it."""
    return codes.category(column.cast("string").strip().lower(), [label.lower() for label in labels])


def with_zone(table: Any, zoning: Zoning) -> Any:
    """`table` with zone_id as a label of the zoning or `outside`, and zone as its place there; both null where unknown."""
    names = {zone: zone for zone in zoning.labels} | zoning.aliases
    place = {zone: at for at, zone in enumerate(zoning.labels)}
    zones = ibis.memtable({"_zone": list(names), "_kept": list(names.values()), "zone": [place[zone] for zone in names.values()]})
    said = table.mutate(_said=table.zone_id.cast("string").nullif("").fill_null(OUTSIDE))
    joined = said.left_join(zones, said["_said"] == zones["_zone"])
    return joined.mutate(zone_id=joined["_kept"]).drop("_zone", "_kept", "_said")


def zone_check(table: Any) -> Check:
    """Refuses a zone that `with_zone` did not find."""
    return Check(
        table.zone_id.isnull(),
        "zone_id is not a zone of the zoning: give the zoning that the records were made with, or leave it null for "
        "outside",
    )


def need_zone_type(file: RecordFile) -> None:
    """Refuse a zone_id column that is neither text nor integers."""
    kind = file.schema["zone_id"]
    must.need_type(file, "zone_id", right=kind.is_string() or kind.is_integer() or kind.is_null(), wanted="text")


def need_text(file: RecordFile, column: str) -> None:
    """Refuse a column of categories that is not text."""
    kind = file.schema[column]
    must.need_type(file, column, right=kind.is_string() or kind.is_null(), wanted="text, one of the public categories")


def text_check(table: Any, column: str) -> Check:
    """Refuses what is too long to be a category: a shifted or damaged column."""
    long = table[column].cast("string").length() > LONGEST_TEXT
    return Check(long, f"{column} holds a long text, not a category: write one of the public categories")
