"""Local minutes as instants, on the days too when a clock is put forward or back; people added up; roads between zones."""

from __future__ import annotations

import datetime
import json
import zoneinfo
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from small_out import exported, rows, small

from synthmob import folders
from synthmob.export import network
from synthmob.export.instants import table
from synthmob.export.sums import PENDING, Sums
from synthmob.manifest import FILE
from synthmob.period import Period
from synthmob.zones import Level, Zoning

SPRING, AUTUMN = "2026-03-29", "2026-10-25"  # in London: 23 and 25 hours
ZONES = ("Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC")


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), ("2026-06-01", 24)])
def test_a_day_is_as_long_as_its_clock_says(day: str, hours: int) -> None:
    instants = table(Period.of(day, 1, "Europe/London"))[0]
    assert (instants[-1] - instants[0]) == np.timedelta64(hours, "h")


def test_spring_skips_an_hour_and_autumn_takes_the_first_of_two() -> None:
    spring, autumn = (table(Period.of(day, 1, "Europe/London"))[0] for day in (SPRING, AUTUMN))
    assert (spring[60:121] == np.datetime64("2026-03-29T01:00:00")).all()
    assert spring[121] == np.datetime64("2026-03-29T01:01:00")
    assert autumn[90] == np.datetime64("2026-10-25T00:30:00") and autumn[120] == np.datetime64("2026-10-25T02:00:00")


@given(st.dates(datetime.date(1990, 1, 1), datetime.date(2037, 12, 1)), st.sampled_from(ZONES), st.integers(1, 3))
def test_instants_never_run_backwards_and_read_back_as_the_clock(first: datetime.date, name: str, days: int) -> None:
    found = table(Period(first, days, name))
    assert (np.diff(found.ravel()) >= np.timedelta64(0)).all()
    zone = zoneinfo.ZoneInfo(name)
    for day, minute in ((0, 0), (days - 1, 145), (days - 1, 1439)):
        local = datetime.datetime.combine(first, datetime.time()) + datetime.timedelta(days=day, minutes=minute)
        utc = found[day, minute].item().replace(tzinfo=datetime.UTC)
        shown = utc.astimezone(zone).replace(tzinfo=None)
        assert shown == local or shown - local <= datetime.timedelta(days=1, minutes=1)  # skipped: the minute when the clock goes on
        assert shown >= local


def moved(out: Path, target: Path, first_day: str) -> Path:
    """A few people of OUT on other days of the calendar."""
    small(out, target, persons=60, block=60)
    said = folders.read_json(target / FILE, "manifest")
    (target / FILE).write_text(json.dumps({**said, "period": {**said["period"], "first_day": first_day}}))
    path = target / "events" / "part-00000.parquet"
    events = pq.read_table(path)
    later = pd.Timestamp(first_day) - pd.Timestamp(said["period"]["first_day"])
    pq.write_table(events.set_column(1, "time", [events["time"].to_pandas() + later]), path)
    return target


@pytest.mark.parametrize(("first", "hours"), [(SPRING, 23), (AUTUMN, 25)])
def test_files_hold_days_of_23_and_25_hours(out: Path, tmp_path: Path, first: str, hours: int) -> None:
    folder = exported(moved(out, tmp_path / "out", first), tmp_path, "kepler")
    stays = pd.read_csv(folder / "stays.csv", parse_dates=["start", "end"])
    ours = rows(tmp_path / "out", "stays")
    day = stays[(ours.day == 0).to_numpy()]
    assert day.end.max() - day.start.min() == pd.Timedelta(hours=hours) and (stays.end >= stays.start).all()
    late = (ours.start_min > 180).to_numpy()
    shown = stays.start[late].dt.tz_convert("Europe/London")
    assert (shown.dt.hour * 60 + shown.dt.minute == ours.start_min[late]).all()


@pytest.mark.parametrize("first", [SPRING, AUTUMN])
def test_events_of_days_of_23_and_25_hours_read_back_as_the_clock(out: Path, tmp_path: Path, first: str) -> None:
    folder = exported(moved(out, tmp_path / "out", first), tmp_path, "flowkit")
    ours = rows(tmp_path / "out", "events").query("kind == 'data'")
    shown = pd.to_datetime(pd.read_csv(folder / "mds.csv")["datetime"])
    late = (ours["time"] > pd.Timestamp(first) + pd.Timedelta(hours=3)).to_numpy()
    local = shown.dt.tz_convert("Europe/London").dt.tz_localize(None)
    assert late.any() and (local[late].to_numpy() == ours["time"][late].to_numpy()).all()
    assert shown[np.argsort(ours["time"], kind="stable")].is_monotonic_increasing


def test_another_time_zone_moves_every_instant(out: Path, tmp_path: Path) -> None:
    for name, hour in (("UTC", 0), ("Asia/Tokyo", 9)):
        folder = exported(out, tmp_path / name.replace("/", "-"), "kepler", timezone=name)
        start = pd.to_datetime(pd.read_csv(folder / "stays.csv").start)
        assert start.min() == pd.Timestamp("2026-03-06", tz="UTC") - pd.Timedelta(hours=hour)
        assert f'"timezone": "{name}"' in (folder / "export.json").read_text()


# ---------------------------------------------------------------- sums


@given(st.lists(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=30), max_size=6))
def test_sums_are_those_of_a_dictionary(blocks: list[list[tuple[int, int]]]) -> None:
    sums, wanted = Sums(), dict[int, float]()
    for block in blocks:
        sums.add(np.array([cell for cell, _ in block], dtype=np.int64), np.array([float(people) for _, people in block]))
        for cell, people in block:
            wanted[cell] = wanted.get(cell, 0.0) + people
    cells, people = sums.total()
    assert dict(zip(cells.tolist(), people.tolist(), strict=True)) == wanted and (np.diff(cells) > 0).all()


def test_what_waits_is_added_up_before_it_is_much() -> None:
    sums, cells = Sums(), np.arange(PENDING // 4)
    for _ in range(40):
        sums.add(cells, np.ones(len(cells)))
        assert sum(len(part) for part, _ in sums._waiting) <= PENDING
    assert (sums.total()[1] == 40).all()


# ---------------------------------------------------------------- roads


def squares(*west: float) -> Zoning:
    """Squares of a hundredth of a degree side by side or apart."""
    shapes = np.array([shapely.box(x, 51.5, x + 0.01, 51.51) for x in west])
    ids = tuple(f"z{k}" for k in range(len(west)))
    levels = (Level("zone", ids, np.arange(len(ids))), Level("district", ("d",), np.zeros(len(ids), dtype=np.int64)))
    return Zoning(ids, shapes, levels)


def test_neighbours_have_a_road_each_way() -> None:
    roads = network.of(squares(0.0, 0.01, 0.02))
    assert sorted(zip(roads.origin.tolist(), roads.destination.tolist(), strict=True)) == [(0, 1), (1, 0), (1, 2), (2, 1)]
    apart = 0.01 * 111_320 * np.cos(np.radians(51.505))
    np.testing.assert_allclose(roads.length_m, apart * network.DETOUR, rtol=5e-3)


def test_islands_are_joined_by_the_shortest_road() -> None:
    roads = network.of(squares(0.0, 0.01, 0.05, 0.06))
    assert {(0, 1), (1, 2), (2, 3)} == {(a, b) for a, b in zip(roads.origin.tolist(), roads.destination.tolist(), strict=True) if a < b}


@pytest.mark.parametrize("straight", [False, True])
def test_many_islands_are_joined_as_few_are(straight: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a triangulation, the same roads as by every pair; nodes in a row are no triangle."""
    rng = np.random.default_rng(1)
    xy = rng.uniform(0, 50_000, (300, 2)) * ([1, 0] if straight else [1, 1])
    first = rng.integers(0, 299, 80)
    by_pairs = network._joined(xy, first, first + 1)
    monkeypatch.setattr(network, "ALL_PAIRS", 0)
    by_triangles = network._joined(xy, first, first + 1)
    roads = [{tuple(sorted(road)) for road in zip(*found, strict=True)} for found in (by_pairs, by_triangles)]
    assert roads[0] == roads[1] and len(roads[0]) > 200
