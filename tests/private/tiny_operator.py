"""A tiny made-up operator: square zones of a known width in a row or grid near London, and record files to break."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from synthmob.engine import connect
from synthmob.errors import RecordError
from synthmob.period import Period
from synthmob.private import records
from synthmob.private.records import Sources
from synthmob.zones import Level, Zoning

WEEK = Period(datetime.date(2026, 3, 2), 7, "Europe/London")
DAY = Period(datetime.date(2026, 3, 2), 1, "Europe/London")
KM_PER_DEGREE = 111.2
WEST, SOUTH = -0.2, 51.4


def grid(columns: int = 4, rows: int = 1, km: float = 2.0, aliases: dict[str, str] | None = None) -> Zoning:
    """Zones z0, z1, ... of `km` by `km`, counted along the rows from the south-west, all in one district."""
    high, wide = km / KM_PER_DEGREE, km / (KM_PER_DEGREE * np.cos(np.radians(SOUTH)))
    shapes = [
        shapely.box(WEST + i * wide, SOUTH + j * high, WEST + (i + 1) * wide, SOUTH + (j + 1) * high)
        for j in range(rows)
        for i in range(columns)
    ]
    ids = tuple(f"z{i}" for i in range(len(shapes)))
    levels = (Level("zone", ids, np.arange(len(ids))), Level("district", ("d",), np.zeros(len(ids), dtype=np.int64)))
    return Zoning(ids, np.array(shapes, dtype=object), levels, aliases=aliases or {})


def subscribers(ids: Sequence[object] = (1, 2, 3)) -> pd.DataFrame:
    """Subscribers with sex and age band."""
    return pd.DataFrame(
        {
            "subscriber_id": list(ids),
            "sex": ["female", "M", None][: len(ids)],
            "age_band": ["25-34", "65+", "0-15"][: len(ids)],
            "household_id": ["h"] * len(ids),
        }
    )


def stays(ids: Sequence[object] = (1, 2, 3)) -> pd.DataFrame:
    """Three stays on day 0 for each subscriber: home in z0, work in z1, home again."""
    rows = [
        (i, 0, seq, purpose, zone, start, end)
        for i in ids
        for seq, (purpose, zone, start, end) in enumerate(
            [("home", "z0", 0, 480), ("work", "z1", 510, 1020), ("home", "z0", 1050, 1440)]
        )
    ]
    return pd.DataFrame(rows, columns=["subscriber_id", "day", "seq", "purpose", "zone_id", "start_min", "end_min"])


def events(ids: Sequence[object] = (1, 2, 3)) -> pd.DataFrame:
    """Four events on day 0 for each subscriber: z0 at 07:00, z1 at 09:00 and 16:00, z0 at 21:00."""
    rows = [
        (i, pd.Timestamp("2026-03-02") + pd.Timedelta(hours=hour), zone)
        for i in ids
        for hour, zone in [(7, "z0"), (9, "z1"), (16, "z1"), (21, "z0")]
    ]
    return pd.DataFrame(rows, columns=["subscriber_id", "time", "zone_id"])


def write(folder: Path, *, suffix: str = ".parquet", **tables: pd.DataFrame) -> Path:
    """Write each table to `folder`/name.parquet or .csv."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        path = folder / f"{name}{suffix}"
        table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path, index=False)
    return folder


def frame(backend: Any, table: Any, *order: str) -> pd.DataFrame:
    """A small ibis table as a frame in a fixed order."""
    return backend.to_pandas(table).sort_values(list(order), kind="stable").reset_index(drop=True)


SECRET_IDS = (987654321, 987654322, 987654323)


def good() -> dict[str, pd.DataFrame]:
    """Records without a fault, of subscribers whose ids no message may hold."""
    return {"subscribers": subscribers(SECRET_IDS), "stays": stays(SECRET_IDS), "events": events(SECRET_IDS)}


def refusal(folder: Path, prefer: Any = "stays") -> str:
    """The message, after checking that it is one sentence that gives nobody away."""
    with pytest.raises(RecordError) as caught:
        records.read(connect(), Sources(folder), grid(), WEEK, ("sex", "age_band"), prefer=prefer)
    message = str(caught.value)
    assert caught.value.exit_code == 2
    assert "\n" not in message and message.endswith(".") and ". " not in message.replace("1. ", "")
    assert not re.search("98765432", message)
    return message
