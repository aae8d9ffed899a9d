"""From events to stays: the laws that hold for any events, and days worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tiny_operator import WEEK, frame, grid

from synthmob.domain import OUTSIDE
from synthmob.engine import connect
from synthmob.period import Period
from synthmob.private import anchors, stays
from synthmob.zones import Zoning

LINE = grid(12, 2, km=2.0)
FIELD = grid(5, 5, km=3.0)


def detected(events: pd.DataFrame, zoning: Zoning = LINE, period: Period = WEEK) -> pd.DataFrame:
    """The stays of events (subscriber_id, at_s, zone_id), in order."""
    import ibis

    backend = connect(threads=1)
    return frame(backend, stays.detect(ibis.memtable(events), zoning, period), "subscriber_id", "day", "seq")


def random_events(seed: int, n: int) -> pd.DataFrame:
    """Events of `n` subscribers: three usual zones each, echoes within minutes, jumps, days left out, times that
    coincide."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, str]] = []
    for person in range(n):
        usual = rng.integers(0, FIELD.n_zones + 1, size=3)
        for day in rng.choice(7, size=rng.integers(1, 8), replace=False):
            for _ in range(rng.integers(1, 14)):
                zone = rng.choice(usual) if rng.random() < 0.8 else rng.integers(0, FIELD.n_zones + 1)
                unit = rng.choice([1, 60, 3600])
                at = int(rng.integers(0, 86400) // unit * unit)
                rows.append((person, int(day) * 86400 + at, FIELD.labels[zone]))
                if rng.random() < 0.3:
                    echo = min(at + int(rng.integers(0, 900)), 86399)
                    rows.append((person, int(day) * 86400 + echo, FIELD.labels[rng.choice(usual)]))
    return pd.DataFrame(rows, columns=["subscriber_id", "at_s", "zone_id"])


@settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.integers(0, 2**32 - 1), st.integers(1, 120), st.data())
def test_stays_cover_each_observed_day_and_are_each_subscribers_own(seed: int, n: int, data: st.DataObject) -> None:
    events = random_events(seed, n)
    found = detected(events, FIELD)
    observed = set(zip(events.subscriber_id, events.at_s // 86400, strict=True))
    assert set(zip(found.subscriber_id, found.day, strict=True)) == observed
    day = found.groupby(["subscriber_id", "day"])
    assert (day.start_min.first() == 0).all() and (day.end_min.last() == 1440).all()
    assert (found.seq == day.cumcount()).all() and (found.start_min < found.end_min).all()
    later = found.seq > 0
    assert (found.start_min > day.end_min.shift())[later].all(), "a trip takes time"
    assert (found.zone_id != day.zone_id.shift())[later].all(), "a stay that goes on is one stay"
    sighted = found.dropna(subset="seen_from_min")
    assert (sighted.start_min - 1 <= sighted.seen_from_min).all() and (sighted.seen_to_min <= sighted.end_min + 1).all()
    chosen = data.draw(st.sets(st.integers(0, n - 1), min_size=1))
    mine = found[found.subscriber_id.isin(chosen)].reset_index(drop=True)
    pd.testing.assert_frame_equal(detected(events[events.subscriber_id.isin(chosen)], FIELD), mine, check_dtype=False)


Sightings = list[tuple[int, str, str]]
CASES: dict[str, tuple[Sightings, dict[int, list[str]]]] = {
    "working day": (
        [(0, "06:30", "z0"), (0, "07:00", "z0"), (0, "09:00", "z5"), (0, "16:00", "z5"), (0, "21:00", "z0")],
        {0: ["z0", "z5", "z0"]},
    ),
    "flap to a neighbour": (
        [(0, "01:00", "z0"), (0, "20:00", "z0"), (0, "20:05", "z1"), (0, "20:10", "z0"), (0, "23:00", "z0")],
        {0: ["z0"]},
    ),
    "flapping back and forth": (
        [
            (0, "01:00", "z0"),
            (0, "20:00", "z0"),
            (0, "20:05", "z1"),
            (0, "20:07", "z0"),
            (0, "20:09", "z1"),
            (0, "20:11", "z0"),
        ],
        {0: ["z0"]},
    ),
    "one sighting next door within three hours": (
        [(0, "01:00", "z0"), (0, "20:00", "z0"), (0, "21:00", "z1"), (0, "22:30", "z0")],
        {0: ["z0"]},
    ),
    "flapping of three cells": (
        [(0, "08:00", "z0"), (0, "20:00", "z0"), (0, "20:04", "z1"), (0, "20:08", "z12"), (0, "20:12", "z0")],
        {0: ["z0"]},
    ),
    "a far visit is no flap": (
        [(0, "08:00", "z0"), (0, "12:00", "z0"), (0, "12:45", "z3"), (0, "13:30", "z0"), (0, "20:00", "z0")],
        {0: ["z0", "z3", "z0"]},
    ),
    "a long visit next door is no flap": (
        [(0, "08:00", "z0"), (0, "12:00", "z0"), (0, "12:20", "z1"), (0, "13:10", "z1"), (0, "13:30", "z0")],
        {0: ["z0", "z1", "z0"]},
    ),
    "zones on the way": (
        [
            (0, "05:00", "z0"),
            (0, "08:00", "z0"),
            (0, "08:10", "z3"),
            (0, "08:20", "z6"),
            (0, "08:32", "z10"),
            (0, "21:00", "z10"),
        ],
        {0: ["z0", "z10"]},
    ),
    "a jump too fast to be true": (
        [(0, "01:00", "z0"), (0, "12:00", "z0"), (0, "12:01", "z11"), (0, "12:02", "z0"), (0, "22:00", "z0")],
        {0: ["z0"]},
    ),
    "a night over midnight": (
        [(0, "22:00", "z0"), (1, "07:00", "z0"), (1, "10:00", "z5"), (1, "15:00", "z5"), (1, "22:00", "z0")],
        {0: ["z0"], 1: ["z0", "z5", "z0"]},
    ),
    "a day without events": (
        [(0, "08:00", "z0"), (0, "22:00", "z0"), (2, "12:00", "z5"), (2, "23:00", "z0")],
        {0: ["z0"], 1: [], 2: ["z0", "z5", "z0"]},
    ),
    "home between two days": (
        [(0, "05:00", "z0"), (0, "10:00", "z5"), (0, "15:00", "z5"), (1, "07:00", "z0"), (1, "21:00", "z0")],
        {0: ["z0", "z5", "z0"], 1: ["z0"]},
    ),
    "the last sighting is at work": (
        [(0, "05:00", "z0"), (0, "10:00", "z5"), (0, "15:00", "z5")],
        {0: ["z0", "z5", "z0"]},
    ),
    "no night zone": ([(0, "10:00", "z3"), (0, "17:00", "z3")], {0: ["z3"]}),
    "outside is a place": (
        [(0, "07:00", "z0"), (0, "12:00", OUTSIDE), (0, "16:00", OUTSIDE), (0, "22:00", "z0")],
        {0: ["z0", OUTSIDE, "z0"]},
    ),
    "two far zones in one second": (
        [(0, "07:00", "z0"), (0, "12:00", "z4"), (0, "12:00", "z9"), (0, "18:00", "z9"), (0, "22:00", "z0")],
        {0: ["z0", "z4", "z9", "z0"]},
    ),
    "events outside the period": (
        [(-1, "12:00", "z7"), (0, "07:00", "z0"), (7, "00:00", "z7")],
        {-1: [], 0: ["z0"], 7: []},
    ),
    **{
        f"midnight {last} {first}": (
            [(0, "04:00", "z0"), (0, "05:00", "z0"), (0, last, "z0"), (1, first, "z5"), (1, "23:00", "z5")],
            {},
        )
        for last, first in [
            ("23:40", "00:15"),
            ("23:58", "00:40"),
            ("23:20", "00:03"),
            ("23:59", "00:01"),
            ("23:00", "00:00"),
        ]
    },
}


def at(day: int, clock: str) -> int:
    return day * 86400 + int(clock[:2]) * 3600 + int(clock[3:]) * 60


@pytest.fixture(scope="module")
def by_hand() -> dict[str, pd.DataFrame]:
    """The stays of every case, each its own subscriber, in one detection; the rows in no order."""
    events = pd.DataFrame(
        [(name, at(day, clock), zone) for name, (sightings, _) in CASES.items() for day, clock, zone in sightings],
        columns=["subscriber_id", "at_s", "zone_id"],
    )
    found = detected(events.sample(frac=1, random_state=1))
    return {name: found[found.subscriber_id == name].reset_index(drop=True) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_days_worked_out_by_hand(by_hand: dict[str, pd.DataFrame], name: str) -> None:
    found = by_hand[name]
    for day, places in CASES[name][1].items():
        assert found[found.day == day].zone_id.tolist() == places


def test_the_free_time_of_a_trip_is_shared_by_the_hours_seen(by_hand: dict[str, pd.DataFrame]) -> None:
    """z0 to z5 is a little over 10 km, 5 + 2.6 x 10 = 32 minutes; the other 88 are shared as the roots of 3 and 2 hours
    seen."""
    found = by_hand["working day"]
    leaves = 420 + int(88 * np.sqrt(3) / (np.sqrt(3) + np.sqrt(2)))
    assert found.end_min[0] == leaves and found.start_min[1] == leaves + 32
    assert found.seen_from_min.tolist() == [390, 540, 1260] and found.seen_to_min.tolist() == [420, 960, 1260]


def test_who_is_seen_on_both_sides_of_midnight_is_seen_through_it(by_hand: dict[str, pd.DataFrame]) -> None:
    found = by_hand["a night over midnight"]
    assert found.seen_to_min[0] == 1440 and found.seen_from_min[1] == 0
    early = by_hand["the last sighting is at work"]
    assert pd.isna(early.seen_from_min[2]), "a night that is only inferred is not seen"


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("midnight")])
def test_no_trip_spans_midnight(by_hand: dict[str, pd.DataFrame], name: str) -> None:
    found = by_hand[name]
    for day in (0, 1):
        rows = found[found.day == day]
        assert rows.start_min.iloc[0] == 0 and rows.end_min.iloc[-1] == 1440
    assert found.zone_id.iloc[0] == "z0" and found.zone_id.iloc[-1] == "z5"


def world(tmp_path: Path, n: int) -> dict[str, float]:
    """Detection on a made-up operator against its truth."""
    from synthmob import worlds
    from synthmob.private import records

    made = worlds.london(n, 7, 5)
    made.write(tmp_path)
    backend = connect()
    sources = records.Sources(tmp_path)
    found = records.read(backend, sources, made.zoning, made.period, ("sex", "age_band"), prefer="events")
    rows = backend.create_table("found", stays.detect(found.events, made.zoning, made.period), temp=True)
    people, _ = anchors.detect(found.subscribers, rows, made.zoning, made.period)
    true = made.anchors.to_pandas().set_index("subscriber_id").rename(columns=lambda c: f"true_{c}")
    both = backend.to_pandas(people).set_index("person_id").join(true)
    days = made.stays.to_pandas()
    worked = days[(days.purpose == "work") & (days.day < 5)]
    worked = worked[worked.end_min - worked.start_min >= 120].groupby("subscriber_id").day.nunique()
    workers = both[both.true_work_zone.notna() & (both.true_work_zone != both.true_home_zone)]
    often = workers[worked.reindex(workers.index).fillna(0) >= 2]

    def at_home(table: pd.DataFrame, home: pd.Series) -> float:
        minutes = table.end_min - table.start_min
        return float(minutes[table.zone_id == table.subscriber_id.map(home)].sum() / minutes.sum())

    return {
        "home": float((both.home_zone == both.true_home_zone).mean()),
        "work": float((often.work_zone == often.true_work_zone).mean()),
        "false_work": float(both[both.true_work_zone.isna() & (both.age_band == "65+")].work_zone.notna().mean()),
        "at_home": at_home(backend.to_pandas(rows), both.home_zone) - at_home(days, both.true_home_zone),
    }


def test_anchors_of_a_made_up_operator(tmp_path: Path) -> None:
    score = world(tmp_path, 1200)
    assert score["home"] >= 0.98 and score["work"] >= 0.9 and score["false_work"] <= 0.06
    assert abs(score["at_home"]) <= 0.03
