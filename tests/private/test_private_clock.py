"""Times as operators write them: naive, with a zone, as text, across a change of clocks."""

from __future__ import annotations

import datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmob.engine import connect
from synthmob.period import Period
from synthmob.private.clock import local_seconds

WEEK = Period(datetime.date(2026, 3, 2), 7, "Europe/London")


def seconds(values: Any, period: Period) -> list[int | None]:
    import ibis

    backend = connect()
    table = ibis.memtable(pd.DataFrame({"i": range(len(values)), "time": values}))
    out = backend.to_pandas(table.select("i", s=local_seconds(table.time, period))).sort_values("i")
    return [None if pd.isna(v) else int(v) for v in out.s]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-03-02 08:30:00", 30600),
        ("2026-03-02T08:30", 30600),
        ("2026-03-02T08:30:15.75", 30615),
        (" 2026-03-02 08:30:00 ", 30600),
        ("2026-03-02T08:30:00Z", 30600),
        ("2026-03-02T08:30:00+01:00", 27000),
        ("2026-03-02 08:30:00-0530", 50400),
        ("2026-03-02 08:30+05", 12600),
        ("2026-03-01 23:59:59", -1),
        ("2026-03-02", None),
        ("02/03/2026 08:30", None),
        ("2026-13-02 08:30:00", None),
        ("08:30", None),
        ("", None),
        ("2026-03-02 25:00:00", None),
        ("2026-03-02 08:30:00 Europe/Paris", None),
        (None, None),
    ],
)
def test_text(text: str | None, wanted: int | None) -> None:
    assert seconds([text, "2026-03-02 00:00:00"], WEEK) == [wanted, 0]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_naive_timestamps_are_local(unit: str) -> None:
    values = pd.Series(pd.to_datetime(["2026-03-02 08:30:00", "2026-03-03 00:00:01"])).astype(f"datetime64[{unit}]")
    assert seconds(values, WEEK) == [30600, 86401]


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from(
        ["Europe/London", "America/New_York", "Australia/Melbourne", "Asia/Kolkata", "Australia/Lord_Howe"]
    ),
    st.lists(st.integers(0, 14 * 86400), min_size=1, max_size=20),
)
def test_instants_are_moved_to_the_clock_of_the_period(zone: str, offsets: list[int]) -> None:
    """Through a fortnight in which London's clocks change, against pandas' own conversion."""
    period = Period(datetime.date(2026, 3, 22), 14, zone)
    instants = pd.Timestamp("2026-03-22", tz=zone) + pd.to_timedelta(offsets, unit="s")
    wanted = ((instants.tz_localize(None) - pd.Timestamp("2026-03-22")) // pd.Timedelta("1s")).tolist()
    assert seconds(pd.Series(instants.tz_convert("UTC")), period) == wanted
    assert seconds([i.isoformat() for i in instants.tz_convert("Asia/Tokyo")], period) == wanted
