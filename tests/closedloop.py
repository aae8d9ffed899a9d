"""Synthetic events as the records of an operator: what was generated, ready to be measured."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb


def as_records(out: Path, records: Path) -> Path:
    """A record folder of an OUT folder with events: subscribers, events and the period, nothing else."""
    (records / "events").mkdir(parents=True)
    known = duckdb.read_parquet(str(out / "persons.parquet")).columns
    columns = ", ".join(["person_id AS subscriber_id", *(c for c in ("sex", "age_band") if c in known)])
    duckdb.sql(f"COPY (SELECT {columns} FROM '{out}/persons.parquet') TO '{records}/subscribers.parquet'")
    for part in sorted((out / "events").glob("*.parquet")):
        duckdb.sql(
            f"COPY (SELECT person_id AS subscriber_id, * EXCLUDE (person_id) FROM '{part}') TO '{records}/events/{part.name}'")
    period = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["period"]
    lines = f'first_day = {period["first_day"]}\ndays = {period["days"]}\ntimezone = "{period["timezone"]}"\n'
    (records / "period.toml").write_text(lines, encoding="utf-8")
    return records
