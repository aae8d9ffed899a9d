"""Folders of records of made-up people, as an owner would hold them: one of the subscribers is a canary."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from strategies import FRIDAY_ON, Population, crowd, town

from synthmob.period import Period
from synthmob.plan import Plan, Request

TOWN = town()
CANARY = "canary-7f3a91"
FEW = tuple(r for r in Plan.standard().requests if r.name in (
    "demographics", "home@district", "home_work@below", "destinations@below", "presence@district", "chains", "stays_per_day", "modes",
    "distinct_zones"))  # fmt: skip


def subscriber(person_id: int) -> str:
    return CANARY if person_id == 0 else f"subscriber-{person_id * 7919:08d}"


def write(folder: Path, people: Population, *, drop: tuple[str, ...] = (), period: Period = FRIDAY_ON) -> Path:
    """A folder of records: subscribers and stays, and the period beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    persons, stays = (pd.DataFrame(rows) for rows in (people.persons, people.stays))
    for table, columns, name in (
        (persons, ["sex", "age_band"], "subscribers"),
        (stays, ["day", "seq", "purpose", "zone_id", "start_min", "end_min", "mode"], "stays"),
    ):
        table.insert(0, "subscriber_id", table.person_id.map(subscriber))
        table[["subscriber_id", *(c for c in columns if c not in drop)]].to_parquet(folder / f"{name}.parquet", index=False)
    said = f"first_day = {period.first_day}\ndays = {period.days}\ntimezone = '{period.timezone}'\n"
    (folder / "period.toml").write_text(said, encoding="utf-8")
    return folder


def people(n: int = 90, period: Period = FRIDAY_ON, seed: int = 1) -> Population:
    """Ninety subscribers with short days and long ones."""
    return crowd(n, TOWN, period, seed, (1, 3, 4, 5, 8, 30))


def few(epsilon: float = 1.0, min_group: int = 10, requests: tuple[Request, ...] = FEW) -> Plan:
    """A plan of a few tables of every kind."""
    return Plan(epsilon, 1e-6, min_group, requests)
