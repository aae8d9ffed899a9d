"""What generate writes: the same bytes whatever the workers, whole days, plain columns, all or nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from smallrun import DAYS, PERSONS, Run

import synthmob
from synthmob import manifest, modelfile, schema
from synthmob.errors import FormatError, InputError
from synthmob.model.mobility import MobilityModel
from synthmob.synthesis.days import BLOCK, generate
from synthmob.synthesis.tables import ALWAYS_THERE
from synthmob.synthesis.writer import BLOCKS_A_PART, write
from synthmob.zonefiles import read_zoning

PART = BLOCKS_A_PART * BLOCK
GROUPS = -(-PERSONS // BLOCK)


@pytest.fixture(scope="module")
def model(run: Run) -> MobilityModel:
    return modelfile.load(run.model)


@pytest.fixture(scope="module")
def stays(run: Run) -> pd.DataFrame:
    return pq.read_table(run.out / "stays").to_pandas()


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_workers_do_not_change_a_byte(model: MobilityModel, tmp_path: Path) -> None:
    people = generate(model, n_persons=PART + BLOCK + 5, days=1, seed=3)
    written = [bytes_of(write(people, tmp_path / str(workers), workers=workers)) for workers in (1, 2, 5)]
    assert written[0] == written[1] == written[2]
    parts = [f"{kind}/part-0000{k}.parquet" for kind in ("stays", "trips") for k in (0, 1)]
    assert sorted(written[0]) == ["manifest.json", "metadata.json", "persons.parquet", *parts, "zones.parquet"]
    other = bytes_of(write(replace(people, seed=4), tmp_path / "other", workers=2))
    assert all(other[name] != written[0][name] for name in written[0] if name not in ("zones.parquet", "metadata.json"))


def test_a_row_group_is_a_fixed_range_of_persons(run: Run, model: MobilityModel, tmp_path: Path) -> None:
    for name in ("persons.parquet", "stays/part-00000.parquet", "trips/part-00000.parquet"):
        file = pq.ParquetFile(run.out / name)
        assert file.num_row_groups == GROUPS
        for k in range(GROUPS):
            person = file.metadata.row_group(k).column(0).statistics
            assert k * BLOCK <= person.min <= person.max < min((k + 1) * BLOCK, PERSONS)
    out = write(generate(model, n_persons=PART + 1, days=1, seed=1), tmp_path / "out")
    second = pq.read_table(out / "stays/part-00001.parquet")["person_id"].to_numpy()
    assert set(second) == {PART}


def test_columns_are_plain_and_packed_as_stated(run: Run) -> None:
    for name, table in (("persons.parquet", schema.PERSONS), ("stays", schema.STAYS), ("trips", schema.TRIPS)):
        path = run.out / name if name.endswith("parquet") else run.out / name / "part-00000.parquet"
        file = pq.ParquetFile(path)
        assert file.metadata.metadata == {b"synthetic": b"true"}
        want = {"int64": pa.int64(), "int32": pa.int32(), "string": pa.string(), "float64": pa.float64(), "float32": pa.float32()}
        columns = [c for c in table.columns if c.name not in ("weight", "mode")]  # of a census, and of records with modes, alone
        assert [(f.name, f.type) for f in file.schema_arrow] == [(c.name, want[c.dtype]) for c in columns]
        group = file.metadata.row_group(0)
        for k, column in enumerate(columns):
            chunk = group.column(k)
            packing = {"s": "RLE_DICTIONARY", "i": "DELTA_BINARY_PACKED", "f": "PLAIN"}[column.dtype[0]]
            assert packing in chunk.encodings, column.name
            assert chunk.compression == ("SNAPPY" if column.dtype[0] == "f" else "UNCOMPRESSED"), column.name
            assert chunk.is_stats_set == (column.name == "person_id"), column.name
            assert file.schema_arrow.field(k).nullable == (column.name not in ALWAYS_THERE), column.name


def test_every_day_is_whole_and_every_trip_takes_time(run: Run, stays: pd.DataFrame) -> None:
    first, last = stays["seq"] == 0, ~stays.duplicated(["person_id", "day"], keep="last")
    assert (int(first.sum()), int(last.sum())) == (PERSONS * DAYS, PERSONS * DAYS)
    assert (stays.loc[first, "start_min"] == 0).all() and (stays.loc[last, "end_min"] == 1440).all()
    assert (stays["end_min"] > stays["start_min"]).all()
    gap = (stays["start_min"].shift(-1) - stays["end_min"])[~last]
    assert (gap > 0).all()
    trips = pq.read_table(run.out / "trips").to_pandas()
    assert len(trips) == len(stays) - PERSONS * DAYS
    before, after = stays[~last].reset_index(drop=True), stays[~first].reset_index(drop=True)
    from_before = {"origin_zone": "zone_id", "depart_min": "end_min", "seq": "seq"}
    same = {name: name for name in ("purpose", "person_id", "day")}
    from_after = {"destination_zone": "zone_id", "arrive_min": "start_min", **same}
    for side, columns in ((before, from_before), (after, from_after)):
        for trip, stay in columns.items():
            assert trips[trip].equals(side[stay].rename(trip)), trip


def test_points_lie_in_their_zone_and_homes_never_move(run: Run, stays: pd.DataFrame) -> None:
    zoning = read_zoning(run.out / "zones.parquet")
    some = stays.iloc[:: max(len(stays) // 20_000, 1)]
    inside = some[some["zone_id"].notna()]
    shapes = zoning.geometry[[zoning.ids.index(z) for z in inside["zone_id"]]]
    assert shapely.intersects(shapes, shapely.points(inside["lon"], inside["lat"])).all()
    assert some.loc[some["zone_id"].isna(), ["lon", "lat"]].isna().all(axis=None)
    persons = pq.read_table(run.out / "persons.parquet").to_pandas().set_index("person_id")
    assert (persons.index == np.arange(PERSONS)).all()
    home = stays[stays["purpose"] == "home"].merge(persons, left_on="person_id", right_index=True)
    assert (home["lon"].fillna(0) == home["home_lon"].fillna(0)).all()
    assert (home["zone_id"].fillna("outside") == home["home_zone"]).all()


def test_what_was_written_is_what_blocks_hold(run: Run, model: MobilityModel, stays: pd.DataFrame) -> None:
    block = generate(model, n_persons=PERSONS, days=DAYS, seed=1).block(1)
    mine = stays[stays["person_id"].between(BLOCK, 2 * BLOCK - 1)]
    for column, made in (("start_min", block.stays.start), ("person_id", block.stays.person)):
        assert (mine[column].to_numpy() == made).all()
    assert np.array_equal(mine["lon"].to_numpy(), block.stays.lonlat[:, 0], equal_nan=True)


def test_writing_that_fails_leaves_what_was_there(run: Run, model: MobilityModel, tmp_path: Path) -> None:
    def stop(written: int, persons: int) -> None:
        raise OSError(28, "No space left on device")

    people = generate(model, n_persons=50, days=1, seed=1)
    with pytest.raises(OSError, match="No space"):
        write(people, tmp_path / "out", workers=2, progress=stop)
    assert list(tmp_path.iterdir()) == []
    before = bytes_of(write(people, tmp_path / "out"))
    with pytest.raises(OSError, match="No space"):
        write(replace(people, seed=2), tmp_path / "out", progress=stop)
    assert bytes_of(tmp_path / "out") == before and [p.name for p in tmp_path.iterdir()] == ["out"]
    assert bytes_of(write(replace(people, seed=2), tmp_path / "out")) != before


def test_only_an_out_of_ours_is_replaced(run: Run, model: MobilityModel, tmp_path: Path) -> None:
    people = generate(model, n_persons=50, days=1, seed=1)
    mine = tmp_path / "mine"
    (mine / "stays").mkdir(parents=True)
    with pytest.raises(FormatError, match="left alone"):
        write(people, mine)
    manifest.write(manifest.compose("demo", {}), mine / manifest.FILE)
    with pytest.raises(FormatError, match="left by 'demo'"):
        write(people, mine)
    for folder in (run.release, run.model):
        with pytest.raises(FormatError, match="left"):
            write(people, folder)
    with pytest.raises(InputError, match="number of workers"):
        write(people, tmp_path / "out", workers=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine"]


def test_progress_and_the_public_name(model: MobilityModel, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    people = synthmob.generate(model, n_persons=BLOCK + 7, days=1, seed=1)
    written = synthmob.write(people, tmp_path / "out", workers=2)
    write(people, tmp_path / "again", progress=lambda done, of: told.append((done, of)))
    assert told == [(BLOCK, BLOCK + 7), (BLOCK + 7, BLOCK + 7)] and bytes_of(written) == bytes_of(tmp_path / "again")
    said = manifest.read(written)
    assert (said["step"], said["seed"], said["parameters"]) == ("generate", 1, {"persons": BLOCK + 7, "days": 1})
    assert said["synthetic"] is True and said["period"]["days"] == 1 and said["inputs"] == {}
