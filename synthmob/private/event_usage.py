"""What events say of themselves: kind, direction, app, duration and volume, judged and brought to public categories.

They are read only where a plan asks for usage; each is an expression of its own row alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis

from synthmob.domain import DIRECTIONS, KINDS, Domain
from synthmob.private import fields
from synthmob.private import validation as must
from synthmob.private.files import RecordFile
from synthmob.private.validation import Check

UNITS = {"duration_s": "seconds", "volume_kb": "kilobytes"}
LARGEST = 1e12
"""More seconds or kilobytes than any event has: a number beyond it is a damaged one."""


def need_types(file: RecordFile, columns: Sequence[str]) -> None:
    """Refuse texts that are no text and numbers that are no number."""
    for name in columns:
        if name in UNITS:
            kind = file.schema[name]
            must.need_type(file, name, right=kind.is_numeric() or kind.is_null(), wanted=f"{UNITS[name]} as numbers")
        else:
            fields.need_text(file, name)


def with_numbers(file: RecordFile, table: Any, columns: Sequence[str]) -> Any:
    """Durations and volumes as numbers, null where they are none; as written in `_duration_s` and `_volume_kb`."""
    found = [name for name in columns if name in UNITS]
    parsed = {name: table[name].nullif("").try_cast("float64") if file.is_text else table[name].cast("float64") for name in found}
    said = {f"_{name}": table[name].nullif("") if file.is_text else table[name] for name in found}
    return table.mutate(**said, **parsed)


def checks(table: Any, columns: Sequence[str]) -> list[Check]:
    """What the usage columns of an event may have wrong."""
    numbers = [
        Check(
            table[f"_{name}"].notnull() & ~table[name].between(0, LARGEST).fill_null(False),
            f"{name} is negative or no number: give {unit}, or leave it empty where it is not known",
        )
        for name, unit in UNITS.items() if name in columns
    ]  # fmt: skip
    return [*numbers, *(fields.text_check(table, name) for name in columns if name not in UNITS)]


def codes(table: Any, columns: Sequence[str], domain: Domain) -> dict[str, Any]:
    """Kinds, directions and apps as codes of the public categories."""
    return {name: fields.code(table[name], labels) for name, labels in _labels(domain).items() if name in columns}


def labelled(table: Any, domain: Domain) -> Any:
    """Events with kinds, directions and apps as the categories that their codes are."""
    found = {name: ibis.array(list(labels))[table[name].cast("int64")] for name, labels in _labels(domain).items() if name in table.columns}
    return table.mutate(**found)


def _labels(domain: Domain) -> dict[str, Sequence[str]]:
    return {"kind": KINDS, "direction": DIRECTIONS, "app": domain.apps}
