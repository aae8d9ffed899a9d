"""The made-up operator: valid rows, a plausible city, people one can recognise, the same bytes every time."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmob import seeds, worlds
from synthmob.domain import AGE_BAND, PURPOSES, SEX
from synthmob.errors import InputError, RecordError
from synthmob.period import Period
from synthmob.worlds import geography, usage
from synthmob.zonefiles import read_zoning

N = 2_000
GOLDEN = "da207ed96ca282a9043524a5cd1d20cd2c025ff43637c71ac2551bec4c643a86"


@pytest.fixture(scope="module")
def world() -> worlds.World:
    return worlds.london(n_subscribers=N, days=7, seed=1)


@pytest.fixture(scope="module")
def stays(world: worlds.World) -> pd.DataFrame:
    return world.stays.to_pandas()


@pytest.fixture(scope="module")
def events(world: worlds.World) -> pd.DataFrame:
    return world.events.to_pandas()


def check_stays(stays: pd.DataFrame, zone_ids: tuple[str, ...], n: int, days: int) -> None:
    """Every subscriber's every day runs from 0 to 1440; stays last, trips take time, codes are public."""
    assert (stays.groupby(["subscriber_id", "day"]).ngroups, set(stays["day"])) == (n * days, set(range(days)))
    first, last = stays["seq"] == 0, ~stays.duplicated(["subscriber_id", "day"], keep="last")
    assert (stays.loc[first, "start_min"] == 0).all() and (stays.loc[last, "end_min"] == 1440).all()
    assert (stays["end_min"] > stays["start_min"]).all()
    gap = stays["start_min"].shift(-1) - stays["end_min"]
    assert (gap[~last] >= 1).all()
    following = stays["seq"].shift(-1) - stays["seq"]
    assert (following[~last] == 1).all() and not stays.duplicated(["subscriber_id", "day", "seq"]).any()
    assert set(stays["purpose"]) <= set(PURPOSES)
    assert set(stays["zone_id"].dropna()) <= set(zone_ids)
    assert stays[["subscriber_id", "day", "seq"]].apply(tuple, axis=1).is_monotonic_increasing


def test_every_row_of_the_stays_is_valid(world: worlds.World, stays: pd.DataFrame) -> None:
    check_stays(stays, world.zoning.ids, N, 7)
    assert stays["zone_id"].isna().mean() < 0.02


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**40), n=st.integers(1, 120), days=st.integers(1, 9), shift=st.integers(0, 6))
def test_any_seed_size_and_first_day_gives_valid_stays(seed: int, n: int, days: int, shift: int) -> None:
    first = worlds.world.FIRST_DAY + datetime.timedelta(days=shift)
    made = worlds.london(n_subscribers=n, days=days, seed=seed, first_day=first)
    check_stays(made.stays.to_pandas(), made.zoning.ids, n, days)
    assert made.subscribers.num_rows == n


def test_every_row_of_the_events_is_valid(world: worlds.World, events: pd.DataFrame) -> None:
    start = pd.Timestamp(world.period.first_day)
    assert events["time"].between(start, start + pd.Timedelta(days=7), inclusive="left").all()
    assert set(events["subscriber_id"]) <= set(world.subscribers["subscriber_id"].to_pylist())
    assert set(events["zone_id"].dropna()) <= set(world.zoning.ids)
    assert set(events["kind"]) == set(usage.KINDS)
    data, call, message = (events["kind"] == kind for kind in ("data", "call", "sms"))
    assert set(events.loc[data, "app"]) == set(usage.APPS) and events.loc[~data, "app"].isna().all()
    assert events.loc[data, "direction"].isna().all() and set(events.loc[~data, "direction"]) == set(usage.DIRECTIONS)
    assert (events.loc[data, "volume_kb"] >= 1).all() and events.loc[~data, "volume_kb"].isna().all()
    assert (events.loc[call, "duration_s"] >= 0).all() and events.loc[message, "duration_s"].isna().all()
    assert events[["subscriber_id", "time"]].apply(tuple, axis=1).is_monotonic_increasing


def test_subscribers_have_public_categories(world: worlds.World) -> None:
    who = world.subscribers.to_pandas()
    assert who["subscriber_id"].is_unique and set(who["sex"]) <= set(SEX) and set(who["age_band"]) <= set(AGE_BAND)
    assert who["sex"].value_counts(normalize=True)[["female", "male"]].between(0.45, 0.54).all()
    assert who["age_band"].value_counts(normalize=True)[["0-15", "16-24", "25-34", "65+"]].between(0.05, 0.3).all()


def test_the_city_is_plausible(world: worlds.World, stays: pd.DataFrame) -> None:
    per_day = stays.groupby(["subscriber_id", "day"])["purpose"]
    assert 2.5 < per_day.size().mean() - 1 < 4
    chains = per_day.agg("-".join).value_counts(normalize=True)
    assert chains.iloc[0] < 0.4 and len(chains) > 500
    assert 0.05 < chains[chains * N * 7 < 5].sum() < 0.5
    truth = world.anchors.to_pandas()
    working = truth["work_zone"].notna()
    assert 0.45 < working.mean() < 0.60
    at_work = stays.loc[stays["purpose"] == "work", "subscriber_id"].nunique() / N
    assert 0.45 < at_work < 0.60
    index = {z: k for k, z in enumerate(world.zoning.ids)}
    km = world.zoning.distances_km(
        truth.loc[working, "home_zone"].map(index), truth.loc[working, "work_zone"].map(index)
    )
    assert 4 < np.median(km) < 10
    minutes = stays["end_min"] - stays["start_min"]
    assert 0.6 < minutes[stays["purpose"] == "home"].sum() / (N * 7 * 1440) < 0.85


def test_nights_are_at_home_and_weekends_differ(world: worlds.World, stays: pd.DataFrame) -> None:
    home = world.anchors.to_pandas().set_index("subscriber_id")["home_zone"]
    night = stays[(stays["start_min"] <= 180) & (stays["end_min"] > 180)]
    assert (night["zone_id"] == night["subscriber_id"].map(home)).mean() > 0.93
    noon = stays[(stays["start_min"] <= 720) & (stays["end_min"] > 720)]
    working = (noon["purpose"] == "work").groupby(noon["day"]).mean()
    assert working[:5].min() > 4 * working[5:].max()
    leaving = stays[(stays["seq"] == 0) & (stays["end_min"] < 1440)].groupby("day")["end_min"].median()
    assert leaving[:5].max() + 60 < leaving[5:].min()
    assert (stays["purpose"] == "education")[stays["day"] >= 5].sum() == 0


def test_home_stays_are_at_home_and_work_is_mostly_at_work(world: worlds.World, stays: pd.DataFrame) -> None:
    truth = world.anchors.to_pandas().set_index("subscriber_id")
    at_home = stays[stays["purpose"] == "home"]
    assert (at_home["zone_id"] == at_home["subscriber_id"].map(truth["home_zone"])).all()
    at_work = stays[stays["purpose"] == "work"]
    assert (at_work["zone_id"] == at_work["subscriber_id"].map(truth["work_zone"])).mean() > 0.85


def test_a_person_is_recognisable_from_day_to_day(stays: pd.DataFrame) -> None:
    work = stays[stays["purpose"] == "work"].groupby(["subscriber_id", "day"])["start_min"].min()
    person = work.groupby("subscriber_id")
    often = person.size() >= 3
    assert person.std()[often].median() * 4 < person.mean()[often].std()
    free = stays[stays["purpose"].isin(["shop", "leisure", "other"])].groupby(["subscriber_id", "zone_id"]).size()
    visits = free.groupby("subscriber_id").agg(["max", "sum"])
    many = visits[visits["sum"] >= 8]
    assert 0.25 < (many["max"] / many["sum"]).mean() < 0.75


def test_sex_and_age_make_a_difference(world: worlds.World, stays: pd.DataFrame) -> None:
    both = stays.merge(world.subscribers.to_pandas(), on="subscriber_id")
    share = both.groupby("age_band")["purpose"].value_counts(normalize=True).unstack(fill_value=0.0)
    assert share.loc["0-15", "education"] > 0.1 and share.loc["35-44", "education"] < 0.02
    assert share.loc["35-44", "work"] > 4 * share.loc["65+", "work"] and share.loc["0-15", "work"] == 0
    assert share.loc["65+", "shop"] > share.loc["25-34", "shop"] + 0.02
    minutes = (both["end_min"] - both["start_min"]).where(both["purpose"] == "work", 0).groupby(both["sex"]).sum()
    people = world.subscribers.to_pandas()["sex"].value_counts()
    assert minutes["male"] / people["male"] > 1.04 * minutes["female"] / people["female"]


def test_phones_are_used_at_plausible_rates(events: pd.DataFrame) -> None:
    assert 10 < len(events) / (N * 7) < 25
    hour = events["time"].dt.hour.value_counts(normalize=True)
    assert 0.01 < hour[3] < 0.02 and hour[18] > 3 * hour[3]
    per_person = events.groupby("subscriber_id").size() / 7
    assert per_person.quantile(0.95) > 3 * per_person.quantile(0.1)


def test_the_network_sees_the_zone_of_the_stay_but_for_flapping(
    world: worlds.World, stays: pd.DataFrame, events: pd.DataFrame
) -> None:
    day = (events["time"] - pd.Timestamp(world.period.first_day)).dt.total_seconds() / 60
    seen = events.assign(minute=day).sort_values("minute")
    spells = stays.assign(minute=stays["day"] * 1440.0 + stays["start_min"]).sort_values("minute")
    both = pd.merge_asof(seen, spells, on="minute", by="subscriber_id", suffixes=("", "_stay"))
    inside = both["minute"] < both["day"] * 1440 + both["end_min"]
    assert 0.9 < inside.mean() < 0.98
    same = both["zone_id"].fillna("outside") == both["zone_id_stay"].fillna("outside")
    wrong = both[inside & ~same]
    assert 0.03 < len(wrong) / inside.sum() < 0.05
    index = {z: k for k, z in enumerate(world.zoning.ids)}
    apart = world.zoning.distances_km(wrong["zone_id"].map(index), wrong["zone_id_stay"].map(index))
    assert apart.max() < 4
    favoured = wrong.groupby(["subscriber_id", "zone_id_stay"])["zone_id"].agg(
        ["size", lambda z: z.value_counts().iloc[0]]
    )
    often = favoured[favoured["size"] >= 5]
    assert (often.iloc[:, 1] / often["size"]).mean() > 0.6


def test_the_home_shows_in_the_events(world: worlds.World, events: pd.DataFrame) -> None:
    night = events[events["time"].dt.hour < 6].dropna(subset=["zone_id"])
    found = night.groupby("subscriber_id")["zone_id"].agg(lambda z: z.value_counts().index[0])
    truth = world.anchors.to_pandas().set_index("subscriber_id")["home_zone"]
    assert len(found) > 0.9 * N
    assert (found == truth[found.index]).mean() > 0.9


def digest(world: worlds.World) -> str:
    out = hashlib.sha256()
    for table in (world.subscribers, world.anchors, world.stays, world.events):
        out.update(table.to_pandas().to_csv(index=False).encode())
    return out.hexdigest()


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    one, again, other = (worlds.london(n_subscribers=300, days=3, seed=s) for s in (1, 1, 2))
    assert digest(one) == digest(again) != digest(other)
    assert digest(one) == GOLDEN


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = worlds.london(n_subscribers=300, days=2, seed=5)
    monkeypatch.setattr(worlds.world, "BLOCK", 64)
    parts = worlds.london(n_subscribers=300, days=2, seed=5)
    assert len(parts.blocks) == 5 and digest(whole) == digest(parts)


def test_a_world_is_written_in_the_record_format(tmp_path: Path) -> None:
    made = worlds.london(n_subscribers=200, days=2, seed=3)
    made.write(tmp_path / "a")
    made.write(tmp_path / "b", stays=False, events=True)
    made.write(tmp_path / "c", stays=True, events=False)
    names = {x: sorted(p.relative_to(tmp_path / x).as_posix() for p in (tmp_path / x).rglob("*.*")) for x in "abc"}
    common = ["period.toml", "subscribers.parquet", "truth/anchors.parquet", "zones.geojson"]
    assert names["a"] == sorted([*common, "events.parquet", "stays.parquet"])
    assert names["b"] == sorted([*common, "events.parquet", "truth/stays.parquet"])
    assert names["c"] == sorted([*common, "stays.parquet"])
    for name, table in (("subscribers", made.subscribers), ("stays", made.stays), ("events", made.events)):
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a" / f"{name}.parquet"), table.to_pandas())
    assert Period.read(tmp_path / "a/period.toml") == made.period
    read = read_zoning(tmp_path / "a/zones.geojson")
    assert read.ids == made.zoning.ids
    assert [(v.name, v.labels, v.of_zone.tolist()) for v in read.levels] == [
        (v.name, v.labels, v.of_zone.tolist()) for v in made.zoning.levels
    ]


@pytest.mark.parametrize(("resolution", "zones"), [(6, 40), (8, 2_000)])
def test_other_resolutions(resolution: int, zones: int) -> None:
    made = worlds.london(n_subscribers=100, days=1, seed=1, h3_resolution=resolution)
    assert made.zoning.n_zones > zones
    check_stays(made.stays.to_pandas(), made.zoning.ids, 100, 1)


def test_impossible_worlds_are_refused() -> None:
    with pytest.raises(InputError, match="ask for at least 1"):
        worlds.london(n_subscribers=0)
    with pytest.raises(InputError, match="resolution 6, 7 or 8"):
        worlds.london(n_subscribers=10, h3_resolution=9)
    with pytest.raises(RecordError, match="days"):
        worlds.london(n_subscribers=10, days=0)


def test_parameters_are_obeyed() -> None:
    usual = worlds.WorldParameters()
    quiet = dataclasses.replace(
        usual, flapping=0.0, phone_off=1.0, rates=usual.rates._replace(sick=1.0, still_sick=1.0, away=0.0)
    )
    made = worlds.london(n_subscribers=200, days=2, seed=1, parameters=quiet)
    assert made.stays.num_rows == 400 and set(made.stays["purpose"].to_pylist()) == {"home"}
    assert made.events.num_rows == 0


def test_the_kernels_draw_the_same_numbers_as_seeds(world: worlds.World) -> None:
    from synthmob.worlds import compiled, week

    key, draws = seeds.stage_key(7, "test"), np.zeros(2, dtype=np.uint64)
    compiled.begin(draws, key, 12345, 3)
    assert [compiled.uniform(draws) for _ in range(9)] == seeds.uniforms(key, 12345, 3, np.arange(9)).tolist()
    bell = np.array([compiled.normal(draws) for _ in range(20_000)])
    assert abs(bell.mean()) < 0.03 and abs(bell.std() - 1) < 0.03
    city = world.city
    points = city.corner_km + 70 * seeds.uniforms(key, np.arange(500)[:, None], 0, np.arange(2)) - 5
    zones = [week.zone_at(city.raster, city.corner_km, x, y) for x, y in points]
    assert zones == city.zone_at(points).tolist() and geography.NOWHERE in zones
    assert city.zone_at(city.xy_km).tolist() == list(range(city.zoning.n_zones))


def test_importing_worlds_is_cheap() -> None:
    heavy = ("numba", "geopandas", "pandas", "scipy", "pyarrow")
    code = f"import sys, synthmob.worlds; print([m for m in {heavy} if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
