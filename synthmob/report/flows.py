"""Hourly flows and presence of an OUT folder, added up out of core by DuckDB.

Days of one type are added, not averaged: the page divides by their number, so that its figures stay whole in the file.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.engine import connect
from synthmob.errors import FormatError
from synthmob.zones import Zoning

IntArray = npt.NDArray[np.int64]

PAIRS_PER_HOUR = 200
DRAWN_BY_DEFAULT = 100
LEAST_SHARE_DRAWN = 0.40
"""Where the strongest flows between zones carry less than this of the people moving, districts are shown first."""


@dataclass(frozen=True)
class Flows:
    """The flows between the areas of one level on the days of one type.

    `pairs` has rows (hour, origin, destination, trips), the strongest first within the hour; `between` and `inside` are
    all trips between two areas and within one, shape (24,).
    """

    pairs: IntArray
    between: IntArray
    inside: IntArray

    def share(self, n_flows: int = DRAWN_BY_DEFAULT) -> float:
        """The share of trips between areas that the `n_flows` strongest pairs of each hour carry; 1 without trips."""
        hours = self.pairs[:, 0]
        first = np.searchsorted(hours, hours)
        drawn = self.pairs[np.arange(len(hours)) - first < n_flows, 3].sum()
        total = self.between.sum()
        return float(drawn / total) if total else 1.0


@dataclass(frozen=True)
class DayType:
    """One type of day: its name, the days of OUT that have it, flows by level, and what happens in each zone by hour.

    `presence` counts persons who stay at half past the hour, `departures` and `arrivals` trips in the hour; all have
    shape (24, n_zones). `outside` counts trips from or to outside the zoning, shape (24,).
    """

    name: str
    days: tuple[int, ...]
    levels: dict[str, Flows]
    presence: IntArray
    departures: IntArray
    arrivals: IntArray
    outside: IntArray


def parts(out: Path, table: str) -> str:
    """The glob of the part files of a table of OUT; FormatError where it has none."""
    if not any((out / table).glob("*.parquet")):
        raise FormatError(f"{out} has no {table}/*.parquet: give the folder that generate wrote.")
    return str(out / table / "*.parquet")


def opened(out: Path, zoning: Zoning) -> Any:
    """A DuckDB connection with the views `persons`, `stays`, `trips` of OUT and a table `zones`."""
    import pyarrow as pa

    persons = out / "persons.parquet"
    if not persons.is_file():
        raise FormatError(f"{out} has no persons.parquet: give the folder that generate wrote.")
    connection = connect(temp_directory=tempfile.gettempdir()).con
    for view, source in (("persons", str(persons)), ("stays", parts(out, "stays")), ("trips", parts(out, "trips"))):
        quoted = source.replace("'", "''")
        connection.execute(f"CREATE TEMP VIEW {view} AS SELECT * FROM read_parquet('{quoted}')")
    table: Any = pa.table(
        {
            "label": list(zoning.labels),
            "zone": np.arange(zoning.n_zones + 1, dtype=np.int32),
            "district": zoning.parent_of("district").astype(np.int32),
        }
    )
    connection.register("zones_arrow", table)
    connection.execute("CREATE TEMP TABLE zones AS SELECT * FROM zones_arrow")
    return connection


def days_found(connection: Any) -> tuple[int, ...]:
    """The days that OUT's stays have, in order."""
    return tuple(int(day) for (day,) in connection.execute("SELECT DISTINCT day FROM stays ORDER BY day").fetchall())


def aggregate(connection: Any, zoning: Zoning, day_types: dict[str, tuple[int, ...]]) -> tuple[DayType, ...]:
    """Flows and presence by hour for each type of day, given the days of each type."""
    names = list(day_types)
    values = ", ".join(f"({day}, {code})" for code, name in enumerate(names) for day in day_types[name])
    connection.execute(f"CREATE OR REPLACE TEMP TABLE calendar AS SELECT * FROM (VALUES {values}) AS t(day, type)")
    outside = zoning.n_zones
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE hops AS
        SELECT type, least(depart_min // 60, 23) AS hour, coalesce(a.zone, {outside}) AS origin,
               coalesce(b.zone, {outside}) AS destination, count(*) AS trips
        FROM trips JOIN calendar USING (day)
        LEFT JOIN zones a ON a.label = origin_zone LEFT JOIN zones b ON b.label = destination_zone
        GROUP BY ALL""")
    # A stay is at half past the hours from (start + 29) // 60 up to, and without, (end + 29) // 60.
    presence = _by_zone(
        connection,
        zoning,
        len(names),
        """
        SELECT type, hour, zone, count(*)
        FROM (SELECT type, zone, unnest(range((start_min + 29) // 60, (end_min + 29) // 60)) AS hour
              FROM stays JOIN calendar USING (day) JOIN zones ON label = zone_id)
        GROUP BY ALL""",
    )
    departures = _by_zone(
        connection, zoning, len(names), "SELECT type, hour, origin, sum(trips) FROM hops GROUP BY ALL"
    )
    arrivals = _by_zone(
        connection,
        zoning,
        len(names),
        """
        SELECT type, least(arrive_min // 60, 23), zone, count(*)
        FROM trips JOIN calendar USING (day) JOIN zones ON label = destination_zone GROUP BY ALL""",
    )
    away = _rows(
        connection,
        f"SELECT type, hour, sum(trips) FROM hops WHERE greatest(origin, destination) = {outside} GROUP BY ALL",
    )
    levels = {level: _flows(connection, zoning, level, len(names)) for level in ("zone", "district")}
    return tuple(
        DayType(
            name,
            day_types[name],
            {level: by_type[code] for level, by_type in levels.items()},
            presence[code],
            departures[code],
            arrivals[code],
            _hours(away[away[:, 0] == code, 1:]),
        )
        for code, name in enumerate(names)
    )


def shown_level(flows: tuple[DayType, ...], zoning: Zoning) -> str:
    """The level whose flows are shown first: districts where the strongest flows between zones carry too little."""
    n_districts = len(zoning.level("district").labels)
    if n_districts < 2 or n_districts == zoning.n_zones:
        return "zone"
    return "zone" if flows[0].levels["zone"].share() >= LEAST_SHARE_DRAWN else "district"


def _flows(connection: Any, zoning: Zoning, level: str, n_types: int) -> list[Flows]:
    """The strongest pairs of every hour at a level, and the totals over all pairs, by day type."""
    column, outside = (
        ("zone", zoning.n_zones) if level == "zone" else ("district", len(zoning.level("district").labels))
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE pairs AS
        SELECT type, hour, a.{column} AS origin, b.{column} AS destination, sum(trips) AS trips
        FROM hops JOIN zones a ON a.zone = origin JOIN zones b ON b.zone = destination
        WHERE a.{column} < {outside} AND b.{column} < {outside} GROUP BY ALL""")
    strongest = _rows(
        connection,
        f"""
        SELECT type, hour, origin, destination, trips FROM pairs WHERE origin <> destination
        QUALIFY row_number() OVER (PARTITION BY type, hour ORDER BY trips DESC, origin, destination) <= {PAIRS_PER_HOUR}
        ORDER BY type, hour, trips DESC, origin, destination""",
        5,
    )
    between = _rows(connection, "SELECT type, hour, sum(trips) FROM pairs WHERE origin <> destination GROUP BY ALL")
    inside = _rows(connection, "SELECT type, hour, sum(trips) FROM pairs WHERE origin = destination GROUP BY ALL")
    return [
        Flows(
            strongest[strongest[:, 0] == k, 1:],
            _hours(between[between[:, 0] == k, 1:]),
            _hours(inside[inside[:, 0] == k, 1:]),
        )
        for k in range(n_types)
    ]


def _by_zone(connection: Any, zoning: Zoning, n_types: int, query: str) -> IntArray:
    """The result (type, hour, zone, count) of a query as an array of shape (types, 24, n_zones), `outside` left out."""
    rows = _rows(connection, query, 4)
    rows = rows[rows[:, 2] < zoning.n_zones]
    out = np.zeros((n_types, 24, zoning.n_zones), dtype=np.int64)
    out[rows[:, 0], rows[:, 1], rows[:, 2]] = rows[:, 3]
    return out


def _hours(rows: IntArray) -> IntArray:
    """Rows (hour, count) as an array of shape (24,)."""
    out = np.zeros(24, dtype=np.int64)
    out[rows[:, 0]] = rows[:, 1]
    return out


def _rows(connection: Any, query: str, columns: int = 3) -> IntArray:
    """The integer rows of a query, shape (rows, columns)."""
    return np.array(connection.execute(query).fetchall(), dtype=np.int64).reshape(-1, columns)
