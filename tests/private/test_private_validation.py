"""Broken records: each is refused in one sentence that says where, and never who, when or how many."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_operator import good, refusal, write


def put(table: str, column: str, row: int, value: Any) -> Callable[[dict[str, pd.DataFrame]], None]:
    """A change of one value."""

    def change(tables: dict[str, pd.DataFrame]) -> None:
        frame = tables[table]
        values = frame[column].tolist()
        values[row] = value
        frame[column] = pd.Series(values, dtype=object).infer_objects()

    return change


def drop(table: str, column: str) -> Callable[[dict[str, pd.DataFrame]], None]:
    def change(tables: dict[str, pd.DataFrame]) -> None:
        tables[table] = tables[table].drop(columns=column)

    return change


def again(table: str, row: int, **changes: Any) -> Callable[[dict[str, pd.DataFrame]], None]:
    """A row that stands twice, changed in some columns."""

    def change(tables: dict[str, pd.DataFrame]) -> None:
        tables[table] = pd.concat([tables[table], tables[table].iloc[[row]].assign(**changes)], ignore_index=True)

    return change


def retype(table: str, column: str, kind: str) -> Callable[[dict[str, pd.DataFrame]], None]:
    def change(tables: dict[str, pd.DataFrame]) -> None:
        tables[table][column] = tables[table][column].astype(kind)

    return change


ROWS = [
    ("unknown zone", put("stays", "zone_id", 4, "Z9"), "stays{s}, row 5: zone_id is not a zone"),
    ("overlap", put("stays", "start_min", 4, 300), "stays{s}, row 5: this stay overlaps"),
    ("seq against time", put("stays", "seq", 3, 7), "stays{s}, row 4: this stay overlaps"),
    ("end before start", put("stays", "end_min", 1, 500), "stays{s}, row 2: the stay ends before it starts"),
    ("after the day", put("stays", "end_min", 8, 1441), "stays{s}, row 9: start_min or end_min lies outside the day"),
    ("before the day", put("stays", "start_min", 0, -5), "stays{s}, row 1: start_min or end_min lies outside the day"),
    ("subscriber twice", again("subscribers", 1), "subscribers{s}, row 4: the same subscriber_id"),
    ("stay twice", again("stays", 2), "stays{s}, row 10: the same subscriber_id, day, seq"),
    (
        "unknown subscriber",
        put("stays", "subscriber_id", 6, 987654999),
        "stays{s}, row 7: its subscriber_id is not in subscribers{s}",
    ),
    ("missing purpose", drop("stays", "purpose"), "stays{s} has no column 'purpose'"),
    ("missing key", drop("stays", "subscriber_id"), "stays{s} has no column 'subscriber_id'"),
    ("missing subscriber key", drop("subscribers", "subscriber_id"), "subscribers{s} has no column 'subscriber_id'"),
    ("missing attribute", drop("subscribers", "sex"), "subscribers{s} has no column 'sex'"),
    ("long text as purpose", put("stays", "purpose", 1, "x" * 500), "stays{s}, row 2: purpose holds a long text"),
]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize(("name", "breaks", "says"), ROWS, ids=[r[0] for r in ROWS])
def test_broken_stays(tmp_path: Path, name: str, breaks: Callable[[Any], None], says: str, suffix: str) -> None:
    tables = good()
    breaks(tables)
    assert refusal(write(tmp_path, suffix=suffix, **tables)).startswith(says.format(s=suffix))


EVENTS = [
    ("unknown zone", put("events", "zone_id", 4, "Z9"), "events{s}, row 5: zone_id is not a zone"),
    (
        "unknown subscriber",
        put("events", "subscriber_id", 11, 987654999),
        "events{s}, row 12: its subscriber_id is not in",
    ),
    ("no time column", drop("events", "time"), "events{s} has no column 'time'"),
    ("no place", drop("events", "zone_id"), "events{s} has no column 'zone_id'"),
    ("time without a day", put("events", "time", 2, "8 o'clock"), "events{s}, row 3: time is empty or cannot be read"),
    ("no time", put("events", "time", 3, None), "events{s}, row 4: time is empty"),
    (
        "point off the globe",
        lambda t: t.update(events=t["events"].drop(columns="zone_id").assign(lon=[0.0] * 11 + [181.0], lat=51.4)),
        "events{s}, row 12: lon and lat are not degrees",
    ),
    (
        "half a point",
        lambda t: t.update(events=t["events"].drop(columns="zone_id").assign(lon=[0.0, None] * 6, lat=51.4)),
        "events{s}, row 2: lon and lat are not degrees",
    ),
]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize(("name", "breaks", "says"), EVENTS, ids=[r[0] for r in EVENTS])
def test_broken_events(tmp_path: Path, name: str, breaks: Callable[[Any], None], says: str, suffix: str) -> None:
    tables = good()
    if name == "time without a day":
        retype("events", "time", "str")(tables)
    breaks(tables)
    assert refusal(write(tmp_path, suffix=suffix, **tables), prefer="events").startswith(says.format(s=suffix))


TYPES = [
    (
        "mixed ids",
        retype("stays", "subscriber_id", "str"),
        "stays",
        "subscriber_id is int64 in subscribers.parquet and string in",
    ),
    (
        "ids as floats",
        retype("stays", "subscriber_id", "float"),
        "stays",
        "stays.parquet keeps subscriber_id as float64",
    ),
    (
        "numeric purpose",
        lambda t: t.update(stays=t["stays"].assign(purpose=1)),
        "stays",
        "stays.parquet keeps purpose as int64",
    ),
    ("minutes as text", retype("stays", "start_min", "str"), "stays", "stays.parquet keeps start_min as string"),
    ("minutes as floats", retype("stays", "end_min", "float"), "stays", "stays.parquet keeps end_min as float64"),
    (
        "zones as floats",
        lambda t: t.update(stays=t["stays"].assign(zone_id=1.5)),
        "stays",
        "stays.parquet keeps zone_id as float64",
    ),
    (
        "numeric sex",
        lambda t: t.update(subscribers=t["subscribers"].assign(sex=1)),
        "stays",
        "subscribers.parquet keeps sex as int64",
    ),
    (
        "time as a number",
        lambda t: t.update(events=t["events"].assign(time=7)),
        "events",
        "events.parquet keeps time as int64",
    ),
    (
        "degrees as text",
        lambda t: t.update(events=t["events"].drop(columns="zone_id").assign(lon="0", lat="51")),
        "events",
        "events.parquet keeps lon as string",
    ),
]


@pytest.mark.parametrize(("name", "breaks", "prefer", "says"), TYPES, ids=[r[0] for r in TYPES])
def test_columns_of_a_wrong_type(
    tmp_path: Path, name: str, breaks: Callable[[Any], None], prefer: str, says: str
) -> None:
    tables = good()
    breaks(tables)
    assert refusal(write(tmp_path, **tables), prefer=prefer).startswith(says)


@pytest.mark.parametrize("column", ["day", "seq", "start_min", "end_min"])
def test_a_csv_number_that_is_none(tmp_path: Path, column: str) -> None:
    tables = good()
    tables["stays"][column] = tables["stays"][column].astype(object)
    put("stays", column, 5, "noon")(tables)
    assert refusal(write(tmp_path, suffix=".csv", **tables)).startswith(
        f"stays.csv, row 6: {column} is empty or no whole number"
    )


def test_text_ids_in_a_csv_beside_integers(tmp_path: Path) -> None:
    tables = good()
    write(tmp_path, subscribers=tables["subscribers"])
    tables["stays"]["subscriber_id"] = tables["stays"].subscriber_id.astype(object)
    put("stays", "subscriber_id", 3, "anna")(tables)
    message = refusal(write(tmp_path, suffix=".csv", stays=tables["stays"]))
    assert message.startswith("stays.csv, row 4: subscriber_id is empty, or is text") and "anna" not in message


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 8), st.sampled_from(["zone_id", "end_min", "start_min"]))
def test_the_row_that_is_broken_is_the_row_that_is_named(tmp_path: Path, row: int, column: str) -> None:
    tables = good()
    put("stays", column, row, {"zone_id": "Z9", "end_min": 1500, "start_min": -1}[column])(tables)
    assert refusal(write(tmp_path, **tables)).startswith(f"stays.parquet, row {row + 1}: ")
