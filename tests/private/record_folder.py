"""Folders of records of made-up people, as an owner would hold them: one of the subscribers is a canary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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


def write_everything(folder: Path, n: int = 60, period: Period = FRIDAY_ON) -> Path:
    """Subscribers, stays and events with all that events can say: fractions of seconds, blanks, other words, nothing at all."""
    write(folder, people(n), period=period)
    chance = np.random.default_rng(5)
    zones = np.array([f"z{k}" for k in range(TOWN.n_zones)])
    rows = []
    for person in range(n):
        usual = chance.integers(0, TOWN.n_zones, 3)
        at = np.sort(chance.integers(0, period.days * 86_400, int(chance.choice([1, 8, 40, 160])))) + chance.choice([0.0, 0.4, 0.6])
        zone = np.where(chance.random(len(at)) < 0.8, chance.choice(usual, len(at)), chance.integers(0, TOWN.n_zones, len(at)))
        rows.append(pd.DataFrame({
            "subscriber_id": subscriber(person), "time": pd.Timestamp(period.first_day) + pd.to_timedelta(at, unit="s"),
            "zone_id": np.where(chance.random(len(at)) < 0.03, None, zones[zone]),
            "kind": chance.choice(["call", "SMS ", "data", "data", "\tdata\v\f", "ussd"], len(at)),
            "direction": chance.choice(np.array(["out", "in", None], dtype=object), len(at)),
            "duration_s": np.where(chance.random(len(at)) < 0.4, np.nan, chance.exponential(200, len(at)).round(1)),
            "volume_kb": np.where(chance.random(len(at)) < 0.4, np.nan, chance.exponential(900, len(at)).round(2)),
            "app": chance.choice(np.array(["maps", "Web", "poetry", "video", None], dtype=object), len(at))}))  # fmt: skip
    pd.concat(rows).to_parquet(folder / "events.parquet", index=False)
    return folder
