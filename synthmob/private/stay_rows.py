"""The stays that an owner has detected elsewhere: one row a dwell, judged and brought to public labels."""

from __future__ import annotations

from typing import Any

from synthmob.domain import MINUTES_PER_DAY, Domain
from synthmob.period import Period
from synthmob.private import fields
from synthmob.private import validation as must
from synthmob.private.fields import Known
from synthmob.private.files import FILE, ROW, RecordFile
from synthmob.private.validation import Check
from synthmob.zones import Zoning

NUMBERS = {
    "day": "days since the period's first day",
    "seq": "the order within the day",
    "start_min": "minutes from local midnight",
    "end_min": "minutes from local midnight",
}


def read(file: RecordFile, known: Known, zoning: Zoning, period: Period, domain: Domain) -> Any:
    """Validated stays: subscriber_id, day, seq, purpose, zone_id, start_min, end_min and, if the file has it, mode."""
    columns = ["subscriber_id", "day", "seq", "purpose", "zone_id", "start_min", "end_min"]
    must.need(file, columns)
    texts = [name for name in ("purpose", "mode") if name in file.schema]
    _need_types(file, texts)
    columns += texts[1:]
    file = file.of(columns)
    numbered = _rows(file, file.numbered.select(*columns, FILE, ROW), known, zoning)
    numbered = numbered.filter(numbered.day.isnull() | numbered.day.between(0, period.days - 1))
    must.refuse_rows(file, numbered, [*_checks(numbered), *(fields.text_check(numbered, name) for name in texts)])
    must.refuse_overlaps(file, numbered)
    must.refuse_unknown(file, numbered, known.ids, known.name)
    table = _rows(file, file.table.select(*columns), known, zoning)
    table = table.filter(table.day.between(0, period.days - 1))
    labels = {"purpose": domain.purposes, "mode": domain.modes}
    return table.select(*columns).mutate(**{name: fields.category(table[name], labels[name]) for name in texts})


def _need_types(file: RecordFile, texts: list[str]) -> None:
    fields.need_zone_type(file)
    for name in texts:
        fields.need_text(file, name)
    for name in NUMBERS:
        must.need_type(file, name, right=file.schema[name].is_integer(), wanted="whole numbers (integers)")


def _rows(file: RecordFile, table: Any, known: Known, zoning: Zoning) -> Any:
    """Ids, numbers and zones as what they mean; null where they mean nothing."""
    numbers = {name: table[name].try_cast("int64") if file.is_text else table[name].cast("int64") for name in NUMBERS}
    ids = fields.subscriber_id(file, table, as_text=known.as_text)
    return fields.with_zone(table.mutate(subscriber_id=ids, **numbers), zoning)


def _checks(table: Any) -> list[Check]:
    """What a single stay may have wrong."""
    inside = table.start_min.between(0, MINUTES_PER_DAY) & table.end_min.between(0, MINUTES_PER_DAY)
    return [
        Check(table.subscriber_id.isnull(), fields.NO_ID),
        *(
            Check(table[name].isnull(), f"{name} is empty or no whole number: give {what}")
            for name, what in NUMBERS.items()
        ),
        Check(
            ~inside,
            f"start_min or end_min lies outside the day: give minutes from 0 to {MINUTES_PER_DAY}, and split a "
            "stay at midnight",
        ),
        Check(
            table.end_min < table.start_min, "the stay ends before it starts: exchange or mend start_min and end_min"
        ),
        fields.zone_check(table),
    ]
