"""Usage from events: read beside stays, judged row by row, counted where the records tell it and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from record_folder import TOWN, few, people, subscriber
from record_folder import write as write_stays
from strategies import FRIDAY_ON
from tiny_operator import WEEK, events, frame, grid, stays, subscribers, write

from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.errors import RecordError
from synthmob.plan import Plan, Request
from synthmob.private import event_usage, records
from synthmob.private.curator import Curator
from synthmob.private.records import Sources
from synthmob.usageplan import USAGE_COLUMNS


def used(**changes: Any) -> pd.DataFrame:
    """Twelve events that say what they are, some of it in other words than ours."""
    told: dict[str, Any] = {
        "kind": ["call", "SMS ", "data", "ussd"] * 3, "direction": ["out", "in", None, "x"] * 3,
        "duration_s": [61.0, None, 5.0, None] * 3, "volume_kb": [None, None, 900.5, None] * 3,
        "app": [None, None, "Maps", "poetry"] * 3}  # fmt: skip
    return events().assign(**(told | changes))


BACKEND = connect(threads=1)


def read(folder: Path, usage: tuple[str, ...] = USAGE_COLUMNS) -> records.Records:
    return records.read(BACKEND, Sources(folder), grid(), WEEK, ("sex", "age_band"), usage=usage)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize("beside", [True, False], ids=["beside stays", "alone"])
def test_usage_is_brought_to_public_categories(tmp_path: Path, suffix: str, beside: bool) -> None:
    tables = {"subscribers": subscribers(), "events": used()} | ({"stays": stays()} if beside else {})
    found = read(write(tmp_path, suffix=suffix, **tables))
    assert (found.stays is not None) is beside and (found.events is None) is beside
    table = frame(BACKEND, event_usage.labelled(found.usage, Domain()), "subscriber_id", "at_s")
    first = table.iloc[:4]
    assert first["kind"].tolist() == ["call", "sms", "data", "other"]
    assert first["direction"].tolist() == ["out", "in", "none", "none"]
    assert first["app"].tolist() == ["other", "other", "maps", "other"]
    assert first["duration_s"].fillna(-1).tolist() == [61, -1, 5, -1] and first["volume_kb"].fillna(-1).tolist() == [-1, -1, 900.5, -1]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize(("column", "value", "says"), [
    ("duration_s", -1.0, "duration_s is negative or no number: give seconds"),
    ("volume_kb", 1e13, "volume_kb is negative or no number: give kilobytes"),
    ("app", "x" * 201, "app holds a long text"),
])  # fmt: skip
def test_a_wrong_value_is_refused_where_it_stands(tmp_path: Path, suffix: str, column: str, value: Any, says: str) -> None:
    rows = used()
    rows[column] = rows[column].astype(object)
    rows.loc[2, column] = value
    write(tmp_path, suffix=suffix, subscribers=subscribers(), stays=stays(), events=rows)
    with pytest.raises(RecordError, match=f"events{suffix}, row 3: {says}"):
        read(tmp_path)
    assert read(tmp_path, ()).usage is None  # a column that nobody asked for is not read


def test_a_text_among_the_numbers_of_a_csv_is_refused(tmp_path: Path) -> None:
    write(tmp_path, suffix=".csv", subscribers=subscribers(), events=used(duration_s=["long"] + [None] * 11))
    with pytest.raises(RecordError, match="row 1: duration_s is negative or no number"):
        read(tmp_path)


def test_a_column_of_another_type_is_refused(tmp_path: Path) -> None:
    write(tmp_path, subscribers=subscribers(), events=used(kind=[1] * 12))
    with pytest.raises(RecordError, match="keeps kind as int64: it must be text"):
        read(tmp_path)


def test_usage_without_events_is_refused(tmp_path: Path) -> None:
    write(tmp_path, subscribers=subscribers(), stays=stays())
    with pytest.raises(RecordError, match="asks for usage and there are no events"):
        read(tmp_path)


def test_stays_and_events_give_both_and_stays_are_as_they_were(tmp_path: Path) -> None:
    """What is measured of stays does not depend on the events beside them; where these do not say their kind there is no usage."""
    plain = Curator.of(write_stays(tmp_path / "plain", people(12)), TOWN)
    rows = [{"subscriber_id": subscriber(k), "time": pd.Timestamp("2026-03-06") + pd.Timedelta(minutes=30 * n + k),
             "zone_id": "z1", "kind": "data", "app": "web"} for k in range(12) for n in range(1, 13)]  # fmt: skip
    both = write_stays(tmp_path / "both", people(12))
    pd.DataFrame(rows).to_parquet(both / "events.parquet", index=False)
    curator = Curator.of(both, TOWN)
    plan = curator.plan(Plan.standard())
    assert {r.statistic for r in plan.requests if r.needs_columns} == {
        "events_per_day", "events_per_person", "event_hours", "event_apps", "event_zones"}  # fmt: skip
    asked = few(requests=(Request("home", "zone", 1.0), Request("event_hours", "", 1.0, 1.5, needs_columns=("kind",))))
    found = curator.truth(asked)
    assert found["home@zone"].values.tolist() == plain.truth(few(requests=(Request("home", "zone", 1.0),)))["home@zone"].values.tolist()
    assert found["event_hours"].total == pytest.approx(12 * 12 / (4 * FRIDAY_ON.days))
    noisy = curator.measure(few(epsilon=1e5, min_group=1, requests=asked.requests)).marginals["event_hours"]
    assert noisy.values == pytest.approx([1.5] * 5, abs=0.1)  # the first and the last hour are under the cut
    sample = curator.sample(asked)
    assert sample.contributions["event_hours"].fixed.sum() == pytest.approx(1024 * found["event_hours"].total, rel=0.02)
    pd.DataFrame(rows).drop(columns="kind").to_parquet(both / "events.parquet", index=False)
    assert curator.plan(Plan.standard()) == plain.plan(Plan.standard())
