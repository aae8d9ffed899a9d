"""The made-up records as Arrow tables, and the files of a record folder."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from synthmob.domain import PURPOSES, SEX
from synthmob.period import Period
from synthmob.worlds import rows as r
from synthmob.worlds import usage
from synthmob.worlds.people import People
from synthmob.worlds.places import WORK, Places
from synthmob.zones import IntArray, Zoning

Table = Any
"""A pyarrow Table."""
FIRST_ID = 100_000


def ids(persons: IntArray) -> IntArray:
    """The subscriber id of a person's number."""
    return persons + FIRST_ID


def _coded(codes: IntArray, labels: tuple[str, ...], plain: bool) -> Any:
    """Labels of codes, null where negative: a dictionary to write, plain strings to work with."""
    import pyarrow

    indices = pyarrow.array(np.maximum(codes, 0).astype(np.int32), mask=codes < 0)
    array = pyarrow.DictionaryArray.from_arrays(indices, pyarrow.array(labels, pyarrow.string()))
    return array.dictionary_decode() if plain else array


def subscribers(people: People, seed: int) -> Table:
    """subscriber_id, sex, age_band."""
    import pyarrow

    return pyarrow.table(
        {
            "subscriber_id": ids(np.arange(people.n)),
            "sex": _coded(people.sex, SEX, plain=True),
            "age_band": pyarrow.array(people.age_bands(seed), pyarrow.string()),
        }
    )


def anchors(people: People, places: Places, zoning: Zoning) -> Table:
    """The truth: subscriber_id, home_zone, and work_zone of those with a workplace away from home."""
    import pyarrow

    work = np.where(places.has_work, places.zone[:, WORK], r.NOT_SAID)
    return pyarrow.table(
        {
            "subscriber_id": ids(np.arange(people.n)),
            "home_zone": _coded(people.home, zoning.ids, plain=True),
            "work_zone": _coded(work, zoning.ids, plain=True),
        }
    )


def stays(rows: IntArray, zoning: Zoning, *, plain: bool) -> Table:
    """Stays in the record format from rows of the kernel; a null zone is outside the city."""
    import pyarrow

    return pyarrow.table(
        {
            "subscriber_id": ids(rows[:, r.OUT_PERSON]),
            "day": rows[:, r.OUT_DAY].astype(np.int32),
            "seq": rows[:, r.OUT_SEQ].astype(np.int32),
            "purpose": _coded(rows[:, r.OUT_PURPOSE], PURPOSES, plain),
            "zone_id": _coded(rows[:, r.OUT_ZONE], zoning.ids, plain),
            "start_min": rows[:, r.OUT_START].astype(np.int32),
            "end_min": rows[:, r.OUT_END].astype(np.int32),
        }
    )


def events(rows: IntArray, zoning: Zoning, period: Period, *, plain: bool) -> Table:
    """Events in the record format from rows of the kernel, local time."""
    import pyarrow

    midnight = np.datetime64(datetime.datetime.combine(period.first_day, datetime.time()), "us")

    def numbers(column: int) -> Any:
        return pyarrow.array(rows[:, column].astype(np.int32), mask=rows[:, column] < 0)

    return pyarrow.table(
        {
            "subscriber_id": ids(rows[:, r.PERSON]),
            "time": pyarrow.array(midnight + (rows[:, r.TIME] * 1_000_000).astype("timedelta64[us]")),
            "zone_id": _coded(rows[:, r.ZONE], zoning.ids, plain),
            "kind": _coded(rows[:, r.KIND], usage.KINDS, plain),
            "direction": _coded(rows[:, r.DIRECTION], usage.DIRECTIONS, plain),
            "duration_s": numbers(r.DURATION),
            "volume_kb": numbers(r.VOLUME),
            "app": _coded(rows[:, r.APP], usage.APPS, plain),
        }
    )


def write_parquet(path: Path, tables: Iterator[Table]) -> None:
    """One row group a table. The Arrow schema is not stored, so that dictionaries are read as plain strings."""
    import pyarrow.parquet

    first = next(tables)
    coded = [f.name for f in first.schema if str(f.type).startswith(("dictionary", "string"))]
    options: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": coded,
        "store_schema": False,
    }
    with pyarrow.parquet.ParquetWriter(path, first.schema, **options) as writer:
        for table in itertools.chain([first], tables):
            writer.write_table(table, row_group_size=len(table) or None)


def write_zones(path: Path, zoning: Zoning) -> None:
    """GeoJSON of zone_id, district_id and shape."""
    import geopandas

    district = zoning.level("district")
    columns = {"zone_id": list(zoning.ids), "district_id": [district.labels[d] for d in district.of_zone]}
    geopandas.GeoDataFrame(columns, geometry=list(zoning.geometry), crs=4326).to_file(path, driver="GeoJSON")


def write_period(path: Path, period: Period) -> None:
    """period.toml: first_day, days, timezone."""
    lines = (
        f"first_day = {period.first_day.isoformat()}",
        f"days = {period.days}",
        f'timezone = "{period.timezone}"',
        "",
    )
    path.write_text("\n".join(lines), encoding="utf-8")
