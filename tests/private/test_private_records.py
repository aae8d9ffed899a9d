"""Reading the records: files, formats, ids, categories, zones, days and times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tiny_operator import DAY, WEEK, events, frame, grid, stays, subscribers, write

from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.private import records
from synthmob.private.records import Sources
from synthmob.zonefiles import read_zoning

DATA = Path(__file__).resolve().parents[2] / "../shared/data"


def read(folder: Path, **rest: Any) -> tuple[Any, records.Records]:
    backend = connect()
    rest = {"zoning": grid(), "period": WEEK, "attributes": ("sex", "age_band")} | rest
    zoning, period, attributes = rest.pop("zoning"), rest.pop("period"), rest.pop("attributes")
    return backend, records.read(backend, Sources(folder), zoning, period, attributes, **rest)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize("ids", [(1, 2, 3), ("007", "7", "a")])
def test_stays_are_read_alike_from_parquet_and_csv(tmp_path: Path, suffix: str, ids: tuple[object, ...]) -> None:
    write(tmp_path, suffix=suffix, subscribers=subscribers(ids), stays=stays(ids))
    backend, found = read(tmp_path)
    people = frame(backend, found.subscribers, "subscriber_id")
    assert people.subscriber_id.astype(str).tolist() == [str(i) for i in ids]
    assert people.sex.tolist() == ["female", "other", "other"] and people.age_band.tolist() == ["25-34", "65+", "0-15"]
    assert people.columns.tolist() == ["subscriber_id", "sex", "age_band"]
    table = frame(backend, found.stays, "subscriber_id", "seq")
    wanted = stays(ids)
    assert table.zone_id.tolist() == wanted.zone_id.tolist() and table.start_min.tolist() == wanted.start_min.tolist()
    assert found.events is None and not found.has_mode


def test_a_csv_follows_the_integer_ids_of_the_other_file(tmp_path: Path) -> None:
    write(tmp_path, suffix=".csv", subscribers=subscribers())
    write(tmp_path, stays=stays())
    backend, found = read(tmp_path)
    assert frame(backend, found.subscribers, "subscriber_id").subscriber_id.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("sep", "end", "encoding"), [(";", "\r\n", "utf-8"), ("\t", "\n", "utf-8-sig"), ("|", "\r\n", "utf-8-sig")]
)
def test_csv_dialects(tmp_path: Path, sep: str, end: str, encoding: str) -> None:
    people = subscribers(("a, b", 'c "d"', "é"))
    people.to_csv(tmp_path / "subscribers.csv", sep=sep, index=False, lineterminator=end, encoding=encoding)
    stays(people.subscriber_id).to_csv(
        tmp_path / "stays.csv.gz", sep=sep, index=False, lineterminator=end, encoding=encoding
    )
    backend, found = read(tmp_path)
    assert set(frame(backend, found.stays, "seq").subscriber_id) == set(people.subscriber_id)


def test_unsigned_64_bit_ids_are_kept(tmp_path: Path) -> None:
    ids = [2**63 + 5, 2**63 + 6, 7]
    people, rows = subscribers(ids).astype({"subscriber_id": "uint64"}), stays(ids).astype({"subscriber_id": "uint64"})
    backend, found = read(write(tmp_path, subscribers=people, stays=rows))
    assert set(frame(backend, found.stays, "seq").subscriber_id) == {str(i) for i in ids}


def test_only_named_attributes_are_read(tmp_path: Path) -> None:
    write(tmp_path, subscribers=subscribers().drop(columns="sex"), stays=stays())
    backend, found = read(tmp_path, attributes=("age_band",))
    assert found.subscribers.columns == ("subscriber_id", "age_band")
    assert records.attributes_in(backend, Sources(tmp_path), ("sex", "age_band")) == ("age_band",)


def test_categories_outside_the_public_ones_are_other(tmp_path: Path) -> None:
    rows = stays().assign(purpose=["Home ", "gym", None] * 3, mode=["CAR", "rocket", None] * 3)
    backend, found = read(write(tmp_path, subscribers=subscribers(), stays=rows))
    table = frame(backend, found.stays, "subscriber_id", "seq")
    assert table.purpose.tolist()[:3] == ["home", "other", "other"]
    assert table["mode"].tolist()[:3] == ["car", "other", "other"] and found.has_mode


def test_a_plan_may_bring_its_own_categories(tmp_path: Path) -> None:
    domain = Domain(purposes=("home", "work", "Gym", "rest"))
    rows = stays().assign(purpose=["home", "gym", "shop"] * 3)
    backend, found = read(write(tmp_path, subscribers=subscribers(), stays=rows), domain=domain)
    assert frame(backend, found.stays, "subscriber_id", "seq").purpose.tolist()[:3] == ["home", "Gym", "rest"]


def test_null_zones_are_outside_and_merged_zones_follow_their_alias(tmp_path: Path) -> None:
    rows = stays().assign(zone_id=["clinic", None, "outside"] * 3)
    zoning = grid(aliases={"clinic": "z2"})
    backend, found = read(write(tmp_path, subscribers=subscribers(), stays=rows), zoning=zoning)
    assert frame(backend, found.stays, "subscriber_id", "seq").zone_id.tolist()[:3] == ["z2", "outside", "outside"]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_rows_outside_the_period_are_dropped_before_they_are_judged(tmp_path: Path, suffix: str) -> None:
    strange = stays().assign(day=[-1, 0, 7] * 3, zone_id=["nowhere", "z1", "nowhere"] * 3)
    backend, found = read(write(tmp_path / "s", suffix=suffix, subscribers=subscribers(), stays=strange))
    assert frame(backend, found.stays, "subscriber_id").day.tolist() == [0, 0, 0]
    late = events()
    late.loc[0, ["time", "zone_id"]] = [pd.Timestamp("2026-03-09"), "nowhere"]
    backend, found = read(write(tmp_path / "e", suffix=suffix, subscribers=subscribers(), events=late))
    assert len(frame(backend, found.events, "at_s")) == 11


def test_a_folder_of_parts_is_one_table_and_errors_name_the_part(tmp_path: Path) -> None:
    write(tmp_path, subscribers=subscribers())
    for k, part in enumerate([stays([1]), stays([2, 3])]):
        write(tmp_path / "stays", **{f"part-{k}": part})
    backend, found = read(tmp_path)
    assert len(frame(backend, found.stays, "seq")) == 9
    write(tmp_path / "stays", **{"part-1": stays([2, 3]).assign(zone_id=["z0"] * 4 + ["zz"] * 2)})
    with pytest.raises(records.RecordError, match=r"^stays/part-1\.parquet, row 5: zone_id is not a zone"):
        read(tmp_path)


def test_hive_folders_give_the_column_that_they_are_named_after(tmp_path: Path) -> None:
    """As Spark and others write a partitioned data set: the day stands in the path and in no file."""
    rows = pd.concat([stays().assign(day=day) for day in range(3)])
    write(tmp_path, subscribers=subscribers())
    rows.to_parquet(tmp_path / "stays", partition_cols=["day"], index=False)
    (tmp_path / "stays" / "_SUCCESS").touch()
    backend, found = read(tmp_path)
    table = frame(backend, found.stays, "subscriber_id", "day", "seq")
    assert table.day.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2] * 3
    part = next((tmp_path / "stays" / "day=2").iterdir())
    broken = pd.read_parquet(part, partitioning=None)
    broken.loc[4, "zone_id"] = "zz"
    broken.to_parquet(part, index=False)
    with pytest.raises(records.RecordError, match=rf"^stays/{part.name}, row 5: zone_id is not a zone"):
        read(tmp_path)


def test_events_lie_in_hive_folders_by_month_and_day(tmp_path: Path) -> None:
    rows = events().assign(month="2026-03", part=[0, 1] * 6)
    write(tmp_path, subscribers=subscribers())
    rows.to_parquet(tmp_path / "events", partition_cols=["month", "part"], index=False)
    backend, found = read(tmp_path)
    assert len(frame(backend, found.events, "at_s")) == 12


def test_a_folder_of_csv_parts_numbers_the_rows_of_each_part(tmp_path: Path) -> None:
    write(tmp_path, suffix=".csv", subscribers=subscribers())
    for k, part in enumerate([stays([1]), stays([2, 3]).assign(end_min=["480", "x"] * 3)]):
        write(tmp_path / "stays", suffix=".csv", **{f"part-{k}": part})
    with pytest.raises(records.RecordError, match=r"^stays/part-1\.csv, row 2: end_min"):
        read(tmp_path)


def test_stays_are_preferred_to_events_unless_asked(tmp_path: Path) -> None:
    write(tmp_path, subscribers=subscribers(), stays=stays(), events=events())
    assert read(tmp_path)[1].events is None
    backend, found = read(tmp_path, prefer="events")
    assert found.stays is None and len(frame(backend, found.events, "at_s")) == 12


def test_paths_win_over_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "a", subscribers=subscribers(), stays=stays().assign(zone_id="nowhere"))
    write(tmp_path / "b", mine=stays())
    backend = connect()
    found = records.read(backend, Sources(tmp_path / "a", stays=tmp_path / "b" / "mine.parquet"), grid(), WEEK, ())
    assert len(frame(backend, found.stays, "seq")) == 9


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_points_are_placed_by_the_public_polygons(tmp_path: Path, suffix: str) -> None:
    zoning = grid()
    rows = events().drop(columns="zone_id")
    inside = zoning.lonlat[[0, 1, 2, 3] * 2]
    rows["lon"] = [*inside[:, 0], 10.0, None, -0.2001, inside[0, 0]]
    rows["lat"] = [*inside[:, 1], 51.4, None, 51.41, 60.0]
    backend, found = read(write(tmp_path, suffix=suffix, subscribers=subscribers(), events=rows), zoning=zoning)
    table = frame(backend, found.events, "subscriber_id", "at_s")
    assert table.zone_id.tolist() == ["z0", "z1", "z2", "z3"] * 2 + ["outside"] * 4


@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")
@pytest.mark.parametrize(("name", "has_mode"), [("atlanta_activitysim", False), ("melbourne_vista2009", True)])
def test_the_shared_records_pass(name: str, has_mode: bool) -> None:
    from synthmob.period import Period

    folder = DATA / name
    backend = connect()
    sources, zoning = Sources(folder), read_zoning(folder / "zones.geojson")
    attributes = records.attributes_in(backend, sources, ("sex", "age_band"))
    found = records.read(backend, sources, zoning, Period.read(folder / "period.toml"), attributes)
    rows = backend.to_pyarrow(
        found.stays.agg(n=found.stays.count(), bad=found.stays.zone_id.isnull().sum())
    ).to_pylist()[0]
    assert rows["n"] == len(pd.read_parquet(folder / "stays.parquet", columns=["day"])) and rows["bad"] == 0
    assert found.has_mode == has_mode and ("sex" in attributes) == (name == "atlanta_activitysim")


def test_one_day_reads_one_day(tmp_path: Path) -> None:
    backend, found = read(write(tmp_path, subscribers=subscribers(), stays=stays()), period=DAY)
    assert len(frame(backend, found.stays, "seq")) == 9
