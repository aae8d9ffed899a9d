"""Every statistic of two people whose days were counted by hand, cell by cell and label by label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from strategies import FRIDAY_ON, Population, town

from synthmob.counts import STATISTICS, Coded, coded, count
from synthmob.domain import Domain
from synthmob.engine import connect

# Anna works in z3 (district d1) and lives in z0 (district d0), 9.6 km away; Friday and Monday are her two weekdays.
# Ben, whose home is unknown, spends his one day in a shop in z1 (district d0).
ANNA = {"person_id": 1, "sex": "female", "age_band": "25-34", "worker": "yes", "home_zone": "z0", "work_zone": "z3"}
BEN = {"person_id": 2, "sex": "male", "age_band": "65+", "worker": "no", "home_zone": "unknown", "work_zone": None}
DAYS = [
    (1, 0, 0, "home", "z0", 0, 480, None), (1, 0, 1, "work", "z3", 510, 1020, "car"),
    (1, 0, 2, "shop", "z3", 1030, 1050, "walking"), (1, 0, 3, "home", "z0", 1080, 1440, "car"),
    (1, 1, 0, "home", "z0", 0, 600, None), (1, 1, 1, "leisure", None, 660, 900, "train"),
    (1, 1, 2, "home", "z0", 960, 1440, "train"),
    (1, 3, 0, "home", "z0", 0, 1440, None),
    (2, 0, 0, "shop", "z1", 0, 1440, None),
]  # fmt: skip
COLUMNS = ("person_id", "day", "seq", "purpose", "zone_id", "start_min", "end_min", "mode")
EVENTS = [
    (1, 8 * 3600 + 1200, "z3", "call", "out", None, 60.0, None), (1, 12 * 3600 + 600, "z3", "data", None, "maps", 30.0, 100.0),
    (1, 12 * 3600 + 2400, "z3", "data", None, "maps", None, 20.0), (1, 3 * 86_400 + 21 * 3600, "z0", "sms", "in", None, None, None),
]  # fmt: skip
EVENT_COLUMNS = ("person_id", "at_s", "zone_id", "kind", "direction", "app", "duration_s", "volume_kb")
WORKDAY, SATURDAY = "home-work-shop-home", "home-leisure-home"
OUTLINED = "home-work-errand-home"

BY_HAND: dict[tuple[str, str], dict[tuple[str, ...], float]] = {
    ("demographics", ""): {("female", "25-34", "yes"): 1, ("male", "65+", "no"): 1},
    ("home_by_group", "district"): {("d0", "female", "25-34", "yes"): 1, ("unknown", "male", "65+", "no"): 1},
    ("home", "zone"): {("z0", "yes"): 1, ("unknown", "no"): 1},
    ("work", "block"): {("b10",): 1},
    ("home_work", "zone"): {("z0", "z3"): 1},
    ("commute_km", ""): {("9-12",): 1},
    ("commute_km_by_group", ""): {("9-12", "female", "25-34"): 1},
    ("destinations", "zone"): {
        ("work", "z3"): 1 / 3, ("shop", "z3"): 1 / 3, ("leisure", "outside"): 1 / 3, ("shop", "z1"): 1},
    ("visitors", "block"): {
        ("work", "b10"): 1, ("shop", "b10"): 1, ("leisure", "outside"): 1, ("shop", "b00"): 1},
    ("distances", ""): {
        ("work", "home", "9-12", "9-12"): 1 / 3, ("shop", "home", "9-12", "1-2"): 1 / 3,
        ("leisure", "home", "outside", "outside"): 1 / 3},
    ("trip_km", ""): {
        ("weekday", "work", "9-12"): 0.5, ("weekday", "shop", "1-2"): 0.5, ("saturday", "leisure", "outside"): 1},
    ("trip_km_by_departure", ""): {
        ("shop", "17:00 to 19:00", "1-2"): 1 / 3, ("leisure", "09:00 to 11:00", "outside"): 1 / 3},
    ("trip_km_by_origin", ""): {("shop", "work", "1-2"): 1 / 3, ("leisure", "home", "outside"): 1 / 3},
    ("trip_km_by_stay", ""): {("shop", "stay under 45 min", "1-2"): 1 / 3, ("leisure", "longer", "outside"): 1 / 3},
    ("work_hours", "block"): {("b10", "leaving for work", "08"): 1 / 3, ("b10", "leaving work", "17"): 1 / 3},
    ("commute_hours", ""): {("9-12", "leaving for work", "08"): 1 / 3, ("9-12", "leaving work", "17"): 1 / 3},
    ("od", "district"): {
        ("d0", "d1"): 1 / 6, ("d1", "d1"): 1 / 6, ("d1", "d0"): 1 / 6, ("d0", "outside"): 1 / 6, ("outside", "d0"): 1 / 6},
    ("od_hour", "district"): {
        ("weekday", "08", "d0", "d1"): 0.5, ("weekday", "17", "d1", "d1"): 0.5, ("weekday", "17", "d1", "d0"): 0.5,
        ("saturday", "10", "d0", "outside"): 1, ("saturday", "15", "outside", "d0"): 1},
    ("chains", ""): {
        ("weekday", WORKDAY): 0.5, ("weekday", "home"): 0.5, ("saturday", SATURDAY): 1, ("weekday", "shop"): 1},
    ("chain_outlines", ""): {
        ("weekday", OUTLINED): 0.5, ("weekday", "home"): 0.5, ("saturday", "home-errand-home"): 1, ("weekday", "errand"): 1},
    ("stays_by_group", ""): {
        ("weekday", "female", "25-34", "yes", "4"): 0.5, ("weekday", "female", "25-34", "yes", "1"): 0.5,
        ("saturday", "female", "25-34", "yes", "3"): 1, ("weekday", "male", "65+", "no", "1"): 1},
    ("trips", ""): {
        ("weekday", "work"): 1 / 16, ("weekday", "shop"): 1 / 16, ("weekday", "home"): 1 / 16, ("weekday", "none"): 13 / 16 + 1,
        ("saturday", "leisure"): 1 / 8, ("saturday", "home"): 1 / 8, ("saturday", "none"): 6 / 8},
    ("trips_by_group", ""): {
        ("weekday", "female", "25-34", "yes", "trips"): 3 / 16, ("weekday", "female", "25-34", "yes", "none"): 13 / 16,
        ("saturday", "female", "25-34", "yes", "trips"): 2 / 8, ("saturday", "female", "25-34", "yes", "none"): 6 / 8,
        ("weekday", "male", "65+", "no", "none"): 1},
    ("participation", ""): {
        ("weekday", "female", "25-34", "yes", "work"): 0.5, ("weekday", "female", "25-34", "yes", "shop"): 0.5,
        ("saturday", "female", "25-34", "yes", "leisure"): 1, ("weekday", "male", "65+", "no", "shop"): 1},
    ("transitions", ""): {
        ("weekday", "none", "home", "first third", "work"): 0.25, ("weekday", "home", "work", "first third", "shop"): 0.25,
        ("weekday", "work", "shop", "second third", "home"): 0.25, ("weekday", "shop", "home", "last third", "none"): 0.25,
        ("weekday", "none", "home", "first third", "none"): 0.25, ("weekday", "none", "shop", "first third", "none"): 0.5,
        ("saturday", "none", "home", "first third", "leisure"): 0.5,
        ("saturday", "home", "leisure", "second third", "home"): 0.5,
        ("saturday", "leisure", "home", "last third", "none"): 0.5},
    ("stays_per_day", ""): {("weekday", "4"): 0.5, ("weekday", "1"): 1.5, ("saturday", "3"): 1},
    ("modes", ""): {("9-12", "car"): 1 / 6, ("1-2", "walking"): 1 / 12, ("outside", "train"): 1 / 6},
    ("mode_share", ""): {("car",): 1 / 12, ("walking",): 1 / 24, ("train",): 1 / 12},
    ("mode_time", ""): {("car", "26-31"): 1 / 6, ("walking", "9-11"): 1 / 12, ("train", "51-61"): 1 / 6},
    ("mode_again", ""): {("elsewhere", "other"): 1 / 12, ("elsewhere", "same"): 1 / 24},
    ("anchored", ""): {("weekday", "first", "anchor"): 0.5},
    ("habits", ""): {("work", "not"): 1, ("shop", "not"): 1},
    ("distinct_zones", ""): {("3",): 1, ("1",): 1},
    ("place_share", ""): {("1", "0.60"): 1, ("2", "0.25"): 1, ("3", "0.10"): 1, ("1", "0.95"): 1},
    ("distinct_given_visits", ""): {("work", "1", "1"): 1, ("shop", "1", "1"): 2, ("leisure", "1", "1"): 1},
    ("first_departure", ""): {("weekday", "work", "08:00"): 0.5, ("saturday", "neither", "10:00"): 1},
    ("departures", ""): {
        ("weekday", "08:00"): 0.25, ("weekday", "17:00"): 0.25, ("weekday", "17:30"): 0.25,
        ("saturday", "10:00"): 0.5, ("saturday", "15:00"): 0.5},
    ("departures_to", ""): {
        ("weekday", "work", "08"): 0.25, ("weekday", "shop", "17"): 0.25, ("weekday", "home", "17"): 0.25,
        ("saturday", "leisure", "10"): 0.5, ("saturday", "home", "15"): 0.5},
    ("departures_between", ""): {
        ("weekday", "home", "duty", "08"): 0.25, ("weekday", "work", "elsewhere", "17"): 0.25, ("weekday", "elsewhere", "home", "17"): 0.25,
        ("saturday", "home", "elsewhere", "10"): 0.5, ("saturday", "elsewhere", "home", "15"): 0.5},
    ("first_departure_next", ""): {("weekday", "work", "work", "08"): 0.5, ("saturday", "neither", "leisure", "10"): 1},
    ("first_departure_size", ""): {("weekday", "work", "4-5", "08"): 0.5, ("saturday", "neither", "3-4", "10"): 1},
    ("chain_departure", ""): {("weekday", WORKDAY, "08"): 0.5, ("saturday", SATURDAY, "10"): 1},
    ("episodes", ""): {
        ("weekday", "work", "no", "08", "480-540"): 0.25, ("weekday", "shop", "no", "17", "15-30"): 0.25,
        ("saturday", "leisure", "no", "11", "180-300"): 0.5},
    ("durations", ""): {
        ("weekday", "work", "510-540"): 0.25, ("weekday", "shop", "20-30"): 0.25, ("saturday", "leisure", "240-300"): 0.5},
    ("durations_left", ""): {
        ("weekday", "work", "no", "2-3", "480-540"): 0.25, ("weekday", "shop", "no", "1-2", "15-30"): 0.25,
        ("saturday", "leisure", "no", "1-2", "180-300"): 0.5},
    ("durations_between", ""): {
        ("weekday", "work", "no", "home", "elsewhere", "480-540"): 0.25,
        ("weekday", "shop", "no", "duty", "home", "15-30"): 0.25,
        ("saturday", "leisure", "no", "home", "home", "180-300"): 0.5},
    ("chain_episodes", ""): {
        ("weekday", WORKDAY, "1", "420-570", "480-540"): 0.5, ("weekday", WORKDAY, "2", "930-1050", "15-30"): 0.5,
        ("saturday", SATURDAY, "1", "570-690", "180-300"): 1},
    ("travel_time", ""): {("9-12", "26-31"): 1 / 3, ("1-2", "9-11"): 1 / 3, ("outside", "51-61"): 1 / 3},
    # Anna's phone is used three times on Friday and once on Monday, Ben has his switched off: four days of the period each
    ("events_per_day", ""): {
        ("female", "25-34", "0-1"): 0.5, ("female", "25-34", "1-2"): 0.25, ("female", "25-34", "3-4"): 0.25, ("male", "65+", "0-1"): 1},
    ("events_per_person", ""): {("1-2",): 1, ("0-1",): 1},
    ("event_hours", ""): {("call", "08"): 1 / 16, ("data", "12"): 2 / 16, ("sms", "21"): 1 / 16},
    ("event_directions", ""): {("call", "out"): 1 / 32, ("sms", "in"): 1 / 32},
    ("event_durations", ""): {("call", "60-120"): 1 / 32, ("data", "30-60"): 1 / 32},
    ("event_volumes", ""): {("data", "64-256"): 1 / 32, ("data", "16-64"): 1 / 32},
    ("event_apps", ""): {("maps", "female", "25-34"): 2 / 32},
    ("app_volumes", ""): {("maps", "64-256"): 1 / 32, ("maps", "16-64"): 1 / 32},
    ("event_zones", "district"): {("call", "d1"): 1 / 64, ("data", "d1"): 2 / 64, ("sms", "d0"): 1 / 64},
}  # fmt: skip
AT_HALF_PAST: Mapping[str, dict[tuple[str, str], float]] = {
    # at 08:30 Anna has just arrived at work; Ben and, on Monday, Anna are in d0
    "08": {("weekday", "d1"): 0.5, ("weekday", "d0"): 1.5, ("saturday", "d0"): 1},
    "12": {("weekday", "d1"): 0.5, ("weekday", "d0"): 1.5, ("saturday", "outside"): 1},
    # at 10:30 on Saturday she is on her way, and at 17:30 on Friday she has just left the shop
    "10": {("weekday", "d1"): 0.5, ("weekday", "d0"): 1.5},
    "17": {("weekday", "d0"): 1.5, ("saturday", "d0"): 1},
}


@pytest.fixture(scope="module")
def two() -> Coded:
    people = Population((ANNA, BEN), tuple(dict(zip(COLUMNS, row, strict=True)) for row in DAYS),
                        tuple(dict(zip(EVENT_COLUMNS, row, strict=True)) for row in EVENTS))  # fmt: skip
    persons, stays = people.tables()
    return coded(connect(threads=1), persons, stays, town(), Domain(), FRIDAY_ON, name="town", events=people.events_table())


def by_label(table: Coded, name: str, level: str) -> dict[tuple[str, ...], float]:
    found = count(STATISTICS[name], table, level, bound_l2=None, confidential=True)
    return {
        tuple(axis.label(int(code)) for axis, code in zip(found.axes, codes, strict=True)): float(value)
        for codes, value in zip(found.codes, found.values, strict=True)}  # fmt: skip


def test_every_statistic_was_counted_by_hand() -> None:
    assert {name for name, _ in BY_HAND} | {"presence"} == set(STATISTICS)


@pytest.mark.parametrize(("name", "level"), BY_HAND, ids=[f"{n}@{lv}" if lv else n for n, lv in BY_HAND])
def test_two_people_counted_by_hand(two: Coded, name: str, level: str) -> None:
    assert by_label(two, name, level) == pytest.approx(BY_HAND[name, level])


def test_presence_at_half_past(two: Coded) -> None:
    found = by_label(two, "presence", "district")
    for hour, wanted in AT_HALF_PAST.items():
        there: Any = {(day, area): n for (day, at, area), n in found.items() if at == hour}
        assert there == pytest.approx(wanted), hour
