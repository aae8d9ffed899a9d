"""What a table counts is a sum over subscribers of what each adds, read from record files to the bounded total: lemma 1 as one law.

    totals(these subscribers and those) = totals(these) + totals(those), to the last step of 1/1024, in every table,

for any split of the subscribers in two. So nobody's contribution depends on who else is there: not through reading, stay
detection, home and work, codes, bounding, or the order in which a database adds.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from strategies import FRIDAY_ON, town

from synthmob.counts import STATISTICS, cells
from synthmob.plan import Plan
from synthmob.private import bounding
from synthmob.private.curator import Curator

TOWN, PERIOD, N = town(), FRIDAY_ON, 30
PLAN = Plan.standard()


def calls(seed: int) -> pd.DataFrame:
    """Events of thirty subscribers: busy and quiet ones, with flapping, nights out, long silences, and two who are never seen."""
    chance = np.random.default_rng(seed)
    rows: list[tuple[str, int, int]] = []
    for person in range(N - 2):
        usual = chance.integers(0, TOWN.n_zones, size=3)
        for day in chance.choice(PERIOD.days, size=chance.integers(1, PERIOD.days + 1), replace=False):
            for _ in range(chance.choice([1, 4, 12, 60])):
                zone = int(chance.choice(usual) if chance.random() < 0.8 else chance.integers(0, TOWN.n_zones))
                at = int(day) * 86_400 + int(chance.integers(0, 86_400)) // 60 * 60
                rows += [(f"s{person:03d}", at, zone), *([(f"s{person:03d}", at + 60, int(usual[0]))] if chance.random() < 0.3 else [])]
    return pd.DataFrame.from_records(rows, columns=["subscriber_id", "at", "zone"])


def write(folder: Path, kind: str, who: set[int]) -> Curator:
    """The records of some of the subscribers, in one of the forms in which an owner may hold them."""
    folder.mkdir()
    chance = np.random.default_rng(9)
    groups = pd.DataFrame({"subscriber_id": [f"s{k:03d}" for k in range(N)], "sex": chance.choice(["female", "male", "x"], N),
                           "age_band": chance.choice(["0-15", "25-34", "65+"], N)})  # fmt: skip
    ids = {f"s{k:03d}" for k in who}
    table = calls(4)
    table, groups = table[table.subscriber_id.isin(ids)], groups[groups.subscriber_id.isin(ids)]
    time = [str(pd.Timestamp(PERIOD.first_day) + pd.Timedelta(seconds=at)) for at in table["at"].tolist()]
    groups.to_csv(folder / "subscribers.csv", index=False)
    if kind == "events":
        points = TOWN.lonlat[table.zone]
        events = pd.DataFrame({"subscriber_id": table.subscriber_id, "time": time, "lon": points[:, 0], "lat": points[:, 1]})
        events.to_csv(folder / "events.csv", index=False)
    else:
        purposes = np.array(["home", "work", "shop", "leisure"])
        order = table.groupby(["subscriber_id", table["at"] // 86_400]).cumcount()
        length = table.groupby(["subscriber_id", table["at"] // 86_400])["at"].transform("size")
        stays = pd.DataFrame({
            "subscriber_id": table.subscriber_id, "day": table["at"] // 86_400, "seq": order, "purpose": purposes[table.zone % 4],
            "zone_id": "z" + table.zone.astype(str), "start_min": order * 1440 // length, "end_min": (order + 1) * 1440 // length})
        stays.to_csv(folder / "stays.csv", index=False)
    return Curator.of(folder, TOWN, PERIOD)


def exact(curator: Curator, statistics: set[str]) -> dict[str, Counter[int]]:
    """Bounded totals of every table before noise, in 1/1024 person."""
    out: dict[str, Counter[int]] = {}
    plan = curator.plan(PLAN)
    with curator._coded(plan, lambda step: None) as table:  # pyright: ignore[reportPrivateUsage]
        for r in plan.requests:
            if r.statistic in statistics:
                rows: Any = cells(STATISTICS[r.statistic], table, r.level)
                at, counts = bounding.totals(table.backend, rows, r.bound_l2)
                out[r.name] = Counter(dict(zip(at.tolist(), counts.tolist(), strict=True)))
    return out


def law(kind: str, these: set[int], folder: Path, statistics: set[str]) -> int:
    """How many tables obey it; fails at the first that does not."""
    those = set(range(N)) - these
    all_, mine, theirs = (
        exact(write(folder / name, kind, who), statistics) for name, who in (("all", these | those), ("mine", these), ("theirs", those)))
    for name, found in all_.items():
        added = Counter(mine[name])
        added.update(theirs[name])
        assert {k: v for k, v in found.items() if v} == {k: v for k, v in added.items() if v}, name
    return sum(bool(found) for found in all_.values())


def test_every_table_adds_up_over_subscribers_known_by_events(tmp_path: Path) -> None:
    """The longest way: points of a CSV to zones, to stays, to anchors, to codes, to bounded counts."""
    these = {int(k) for k in np.random.default_rng(2).choice(N, 13, replace=False)}
    assert law("events", these, tmp_path, set(STATISTICS)) > 40


def test_so_it_does_for_neighbours_known_by_stays(tmp_path: Path) -> None:
    """One subscriber against all others: the neighbours of differential privacy themselves."""
    few = {"demographics", "home_work", "destinations", "od_hour", "transitions", "departures", "distinct_zones"}
    assert law("stays", {17}, tmp_path, few) >= len(few)


def test_a_statistic_that_looks_at_everybody_breaks_the_law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: weights relative to how many rows there are."""
    honest = STATISTICS["transitions"]

    def relative(coded: Any, level: str) -> Any:
        table = honest.rows(coded, level)
        return table.mutate(weight=50.0 * table.weight / table.count().over())

    monkeypatch.setitem(STATISTICS, "transitions", dataclasses.replace(honest, rows=relative))
    with pytest.raises(AssertionError, match="transitions"):
        law("stays", {17}, tmp_path, {"transitions"})
