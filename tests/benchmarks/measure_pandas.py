"""A few tables of the standard plan counted by a pandas program, bounded as `measure` bounds them: everything in memory, nothing judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from synthmob.domain import DAY_TYPES, KINDS
from synthmob.plan import Plan
from synthmob.private.curator import Curator

TABLES = ("stays_per_day", "destinations@district", "od@district", "event_hours", "event_apps")


def count(folder: Path, curator: Curator, plan: Plan) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, occupied cells and bounded counts of the tables of the plan, which are those of TABLES."""
    domain, period, zoning = plan.domain, curator.period, curator.zoning
    areas, bounds = len(zoning.level_labels("district")), {r.name: r.bound_l2 for r in plan.requests}
    area = pd.Series(zoning.parent_of("district"), index=list(zoning.labels))
    types = np.array([period.day_types.index(DAY_TYPES[period.day_type(day)]) for day in range(period.days)])
    stays = pd.read_parquet(folder / "stays.parquet", columns=["subscriber_id", "day", "seq", "purpose", "zone_id"])
    stays = stays.sort_values(["subscriber_id", "day", "seq"], kind="stable", ignore_index=True)
    p, day = stays["subscriber_id"].to_numpy(), stays["day"].to_numpy()
    kind, purpose = types[day], _codes(stays["purpose"], domain.purposes)
    place = stays["zone_id"].fillna("outside").map(area).to_numpy()
    first = np.append(True, (p[1:] != p[:-1]) | (day[1:] != day[:-1]))
    days = pd.DataFrame({"p": p[first], "kind": kind[first], "n": np.diff(np.append(np.flatnonzero(first), len(p)))})
    of_type = days.groupby(["p", "kind"])["n"].transform("size").to_numpy()
    all_days = pd.Series(1, index=days["p"]).groupby(level=0).size().reindex(p).to_numpy()
    yield "stays_per_day", *_bounded(days["p"], kind[first] * 20 + np.minimum(days["n"], 20) - 1, 1.0 / of_type, bounds["stays_per_day"])
    people = pd.read_parquet(folder / "subscribers.parquet").set_index("subscriber_id")
    age = _codes(people["age_band"], domain.age_band)
    learns = np.isin(pd.Series(age, people.index).reindex(p).to_numpy(), domain.pupil_bands) & (purpose == domain.purpose_of[-1])
    segment = np.where(learns, len(domain.segments) - 1, purpose)
    out, trip = purpose > 0, np.flatnonzero(~first)
    name = "destinations@district"
    yield name, *_bounded(p[out], segment[out].astype(np.int64) * areas + place[out], 1.0 / all_days[out], bounds[name])
    yield "od@district", *_bounded(p[trip], place[trip - 1] * areas + place[trip], 0.5 / all_days[trip], bounds["od@district"])
    group = pd.Series(_codes(people["sex"], domain.sex).astype(np.int64) * len(domain.age_band) + age, people.index)
    used = pd.read_parquet(folder / "events.parquet", columns=["subscriber_id", "time", "kind", "app"])
    p, kind = used["subscriber_id"].to_numpy(), _codes(used["kind"], KINDS).astype(np.int64)
    yield "event_hours", *_bounded(p, kind * 24 + used["time"].dt.hour.to_numpy(), 0.25 / period.days, bounds["event_hours"])
    data = kind == KINDS.index("data")
    cell = _codes(used["app"], domain.apps)[data].astype(np.int64) * (len(domain.sex) * len(domain.age_band))
    yield "event_apps", *_bounded(p[data], cell + group.reindex(p[data]).to_numpy(), 0.125 / period.days, bounds["event_apps"])


def _codes(column: pd.Series, labels: tuple[str, ...]) -> np.ndarray:
    found = pd.Categorical(column, categories=labels).codes
    return np.where(found < 0, len(labels) - 1, found)


def _bounded(person: object, cell: object, weight: object, bound: float) -> tuple[np.ndarray, np.ndarray]:
    rows = pd.DataFrame({"p": person, "cell": cell, "w": weight}).groupby(["p", "cell"], sort=False)["w"].sum().reset_index()
    fine = np.floor(rows["w"].clip(0.0, 1.0) * 1048576 + 1e-5).astype(np.int64)
    norm = np.sqrt((fine * fine).groupby(rows["p"]).transform("sum").astype(np.float64))
    scaled = np.floor(fine * (bound * 1024 * (1 - 1e-9)) / norm).astype(np.int64)
    total = pd.Series(np.where(norm <= bound * 1048576 * (1 + 1e-9), fine // 1024, scaled)).groupby(rows["cell"]).sum()
    return total.index.to_numpy(np.int64), total.to_numpy(np.int64)
