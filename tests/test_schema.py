"""Every column is declared once, and a table without one it needs is refused by name."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from strategies import PERSON_SCHEMA, STAY_SCHEMA

from synthmob import schema
from synthmob.errors import FormatError
from synthmob.schema import (
    CALENDAR,
    EVENTS,
    PERSONS,
    RECORD_STAYS,
    SITES,
    STAYS,
    SUBSCRIBERS,
    SYNTHETIC_EVENTS,
    TRIPS,
    ZONES,
    Table,
    check,
)

TABLES = (SUBSCRIBERS, EVENTS, RECORD_STAYS, PERSONS, STAYS, TRIPS, SYNTHETIC_EVENTS, SITES, ZONES, CALENDAR)


def test_no_table_is_left_out_here() -> None:
    assert {id(v) for v in vars(schema).values() if isinstance(v, Table)} == {id(t) for t in TABLES}


@pytest.mark.parametrize("table", TABLES, ids=lambda t: f"{t.name}, {t.row}")
def test_columns_say_what_they_are(table: Table) -> None:
    assert len(set(table.names)) == len(table.names) and table.row
    assert set(table.required) <= set(table.names) and table.required
    for column in table.columns:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", column.name) and column.meaning
        for kind in column.dtype.split("|"):
            assert kind in ("timestamp", "list", "wkb") or pa.type_for_alias(kind) is not None
        if column.name.endswith("_min"):
            assert column.unit == "min" and column.dtype == "int32"
        if column.name.endswith("_km"):
            assert column.unit == "km"


@pytest.mark.parametrize("table", TABLES, ids=lambda t: f"{t.name}, {t.row}")
def test_every_column_that_is_needed_is_missed(table: Table) -> None:
    check(table.names, table, "here")
    check([*table.required, "something else"], table, "here")
    for column in table.required:
        found = [c for c in table.names if c != column]
        with pytest.raises(FormatError) as caught:
            check(found, table, "out/part-00000.parquet")
        message = str(caught.value)
        assert message.startswith(f"out/part-00000.parquet has no column {column!r} (it has {', '.join(found)[:20]}")
        assert message.endswith(f"a {table.name} table needs {', '.join(table.required)}.")


def test_an_empty_or_a_wide_table_is_refused_in_a_sentence_of_its_own_size() -> None:
    with pytest.raises(FormatError, match=r"no column 'person_id' \(it has none\)"):
        check([], STAYS, "stays")
    with pytest.raises(FormatError) as caught:
        check((f"column_{k}" for k in range(1000)), STAYS, "stays")
    assert len(str(caught.value)) < 400


def test_private_and_synthetic_rows_share_their_columns() -> None:
    """The counts know one table: what the stays of records call subscriber_id, synthetic ones call person_id."""
    shared = {c.name: c for c in STAYS.columns if c.name != "person_id"}
    private = {c.name: c for c in RECORD_STAYS.columns if c.name != "subscriber_id"}
    assert shared.items() <= private.items()
    assert set(PERSON_SCHEMA.names) <= set(PERSONS.names)
    assert set(STAY_SCHEMA.names) - {"mode"} <= set(STAYS.names)
