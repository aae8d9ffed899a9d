"""Tables of the standard plan counted by hand-written DuckDB SQL, bounded in whole numbers as `measure` bounds them.

As somebody writes it who knows these records: nothing is judged, columns are trusted to be in the right types and categories, stays are
coded and laid beside their neighbours once, events are read anew for every table (which is faster here than keeping them), and norms are
joined and not windows. What it does not do: refuse a damaged row, take other spellings, zones' aliases, clocks that change, points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from synthmob.domain import DAY_TYPES, DIRECTIONS, EVENT_DURATION_EDGES_S, KINDS, VOLUME_EDGES_KB
from synthmob.plan import Plan
from synthmob.private.curator import Curator

GROUP = "(sex * {ages} + age)"
TYPED = "({group} * 2 + worker)"
CELLS = {
    "demographics": "SELECT p, {typed} AS cell, 1.0 AS w FROM people",
    "home@zone": "SELECT p, home * 2 + worker AS cell, 1.0 AS w FROM people",
    "home@district": "SELECT p, home_area * 2 + worker AS cell, 1.0 AS w FROM people",
    "home_by_group@district": "SELECT p, home_area * {groups} + {typed} AS cell, 1.0 AS w FROM people",
    "work@zone": "SELECT p, work AS cell, 1.0 AS w FROM people WHERE worker = 0",
    "work@district": "SELECT p, work_area AS cell, 1.0 AS w FROM people WHERE worker = 0",
    "home_work@zone": "SELECT p, home * {zones} + work AS cell, 1.0 AS w FROM people WHERE worker = 0",
    "home_work@district": "SELECT p, home_area * {areas} + work_area AS cell, 1.0 AS w FROM people WHERE worker = 0",
    "destinations@zone": "SELECT p, segment * {zones} + zone AS cell, sum(1.0 / all_days) AS w FROM visits WHERE purpose > 0 GROUP BY ALL",
    "destinations@district": "SELECT p, segment * {areas} + area AS cell, sum(1.0 / all_days) AS w "
                             "FROM visits WHERE purpose > 0 GROUP BY ALL",
    "visitors@zone": "SELECT DISTINCT p, segment * {zones} + zone AS cell, 1.0 AS w FROM visits WHERE purpose > 0",
    "trip_km": "SELECT p, (day_type * {segments} + segment) * {bands} + {previous_band} AS cell, sum(1.0 / n_days) AS w FROM visits "
               "WHERE rank > 0 AND purpose > 0 GROUP BY ALL",
    "distances":
        "SELECT p, ((segment * 3 + heading) * {bands} + {anchor_band}) * {bands} + {previous_band} AS cell, sum(1.0 / all_days) AS w "
        "FROM visits WHERE rank > 0 AND purpose > 0 GROUP BY ALL",
    "od@district": "SELECT p, previous_area * {areas} + area AS cell, sum(0.5 / all_days) AS w FROM visits WHERE rank > 0 GROUP BY ALL",
    "od_hour@district": "SELECT p, ((day_type * 24 + least(left_min // 60, 23)) * {areas} + previous_area) * {areas} + area AS cell, "
                        "sum(1.0 / n_days) AS w FROM visits WHERE rank > 0 GROUP BY ALL",
    "presence@district": "SELECT p, (day_type * 24 + moment) * {areas} + area AS cell, sum(1.0 / n_days) AS w FROM {present} GROUP BY ALL",
    "presence@zone": "SELECT p, (day_type * 24 + moment) * {zones} + zone AS cell, sum(1.0 / n_days) AS w FROM {present} GROUP BY ALL",
    "chains": "SELECT p, day_type * {chains} + chain AS cell, sum(1.0 / n_days) AS w "
              "FROM visits WHERE rank = 0 AND chain >= 0 GROUP BY ALL",
    "chain_outlines": "SELECT p, day_type * {outlines} + outline AS cell, sum(1.0 / n_days) AS w "
                      "FROM visits WHERE rank = 0 AND chain >= 0 GROUP BY ALL",
    "stays_by_group": "SELECT p, (day_type * {groups} + {typed}) * 20 + least(n_stays, 20) - 1 AS cell, sum(1.0 / n_days) AS w "
                      "FROM visits JOIN people USING (p) WHERE rank = 0 GROUP BY ALL",
    "participation": "SELECT p, (day_type * {groups} + {typed}) * ({purposes} - 1) + purpose - 1 AS cell, sum(1.0 / n_days) AS w "
                     "FROM (SELECT DISTINCT p, day, day_type, n_days, purpose FROM visits WHERE purpose > 0) "
                     "JOIN people USING (p) GROUP BY ALL",
    "transitions": "SELECT p, (((day_type * {sides} + before + 1) * {purposes} + purpose) * 6 + rank * 3 // n_stays "
                   "+ CASE WHEN n_stays > {longest} THEN 3 ELSE 0 END) * {sides} + after + 1 AS cell, sum(0.5 / n_days) AS w "
                   "FROM visits GROUP BY ALL",
    "stays_per_day": "SELECT p, day_type * 20 + least(n_stays, 20) - 1 AS cell, sum(1.0 / n_days) AS w "
                     "FROM visits WHERE rank = 0 GROUP BY ALL",
    "departures": "SELECT p, day_type * 96 + least(left_min // 15, 95) AS cell, sum(0.5 / n_days) AS w "
                  "FROM visits WHERE rank > 0 GROUP BY ALL",
    "departures_to": "SELECT p, (day_type * {segments} + segment) * 24 + least(left_min // 60, 23) AS cell, sum(0.5 / n_days) AS w "
                     "FROM visits WHERE rank > 0 GROUP BY ALL",
    "event_hours": "SELECT p, kind * 24 + hour(time) AS cell, count(*) / (4.0 * {days}) AS w FROM used GROUP BY ALL",
    "event_directions": "SELECT p, kind * {directions} + direction AS cell, count(*) / (8.0 * {days}) AS w FROM used "
                        "WHERE kind != {data} GROUP BY ALL",
    "event_durations": "SELECT p, kind * {durations} + {duration_band} AS cell, count(*) / (8.0 * {days}) AS w FROM used "
                       "WHERE duration_s IS NOT NULL GROUP BY ALL",
    "event_volumes": "SELECT p, kind * {volumes} + {volume_band} AS cell, count(*) / (8.0 * {days}) AS w FROM used "
                     "WHERE volume_kb IS NOT NULL GROUP BY ALL",
    "event_apps": "SELECT p, app * {sexes} * {ages} + {group} AS cell, count(*) / (8.0 * {days}) AS w "
                  "FROM used JOIN people USING (p) WHERE kind = {data} GROUP BY ALL",
    "app_volumes": "SELECT p, app * {volumes} + {volume_band} AS cell, count(*) / (8.0 * {days}) AS w FROM used "
                   "WHERE kind = {data} AND volume_kb IS NOT NULL GROUP BY ALL",
    "event_zones@zone": "SELECT p, kind * {zones} + zone AS cell, count(*) / (16.0 * {days}) AS w FROM used "
                        "JOIN zones USING (zone_id) GROUP BY ALL",
    "event_zones@district": "SELECT p, kind * {areas} + area AS cell, count(*) / (16.0 * {days}) AS w FROM used "
                            "JOIN zones USING (zone_id) GROUP BY ALL"}  # fmt: skip
PRESENT = "(SELECT p, day_type, n_days, zone, area, unnest(range((start_min + 29) // 60, (end_min + 29) // 60)) AS moment FROM visits)"
BOUNDED = """
WITH cells AS ({cells}),
fine AS MATERIALIZED (SELECT p, cell, floor(greatest(least(w, 1.0), 0.0) * 1048576 + 1e-5)::BIGINT AS fine FROM cells),
norms AS (SELECT p, sqrt(sum(fine * fine)::DOUBLE) AS norm FROM fine GROUP BY p)
SELECT cell, sum(CASE WHEN norm <= {bound} * 1048576 * (1 + 1e-9) THEN fine // 1024
    ELSE floor(fine * ({bound} * 1024 * (1 - 1e-9)) / norm)::BIGINT END)::BIGINT AS total
FROM fine JOIN norms USING (p) GROUP BY cell ORDER BY cell"""
PEOPLE = """
CREATE TEMP TABLE people AS WITH minutes AS (
    SELECT subscriber_id, purpose, zone, sum(end_min - start_min) AS minutes FROM '{stays}' AS s
    JOIN zones ON zones.zone_id = coalesce(s.zone_id, 'outside') WHERE purpose IN ('home', 'work') GROUP BY ALL),
best AS (SELECT subscriber_id, purpose, arg_max(zone, (minutes, -zone)) AS zone FROM minutes WHERE minutes > 0 GROUP BY ALL)
SELECT s.subscriber_id AS p, {sex} AS sex, {age} AS age, coalesce(h.zone, {zones}) AS home, coalesce(hz.area, {areas}) AS home_area,
    w.zone AS work, wz.area AS work_area, CASE WHEN w.zone IS NULL THEN 1 ELSE 0 END AS worker
FROM '{people}' AS s
LEFT JOIN best AS h ON h.subscriber_id = s.subscriber_id AND h.purpose = 'home' LEFT JOIN zones AS hz ON hz.zone = h.zone
LEFT JOIN best AS w ON w.subscriber_id = s.subscriber_id AND w.purpose = 'work' LEFT JOIN zones AS wz ON wz.zone = w.zone"""
VISITS = """
CREATE TEMP TABLE visits AS WITH placed AS (
    SELECT subscriber_id AS p, day, {types}[day + 1] AS day_type, {purpose} AS purpose, zone, area, x, y, inside, start_min, end_min,
        row_number() OVER d - 1 AS rank, lag(zone) OVER d AS previous, lag(end_min) OVER d AS left_min
    FROM '{stays}' AS s JOIN zones ON zones.zone_id = coalesce(s.zone_id, 'outside')
    WINDOW d AS (PARTITION BY subscriber_id, day ORDER BY seq)),
linked AS (
    SELECT *, coalesce(lag(purpose) OVER d, -1) AS before, coalesce(lead(purpose) OVER d, -1) AS after
    FROM placed WINDOW d AS (PARTITION BY p, day ORDER BY rank)),
days AS (
    SELECT p, day, day_type, count(*) AS n_stays, sum(purpose * {base} ** ({longest} - least(rank, {longest})))::BIGINT AS digits,
        sum({outline_of}[purpose + 1] * {kinds} ** ({longest} - least(rank, {longest})))::BIGINT AS traits
    FROM placed GROUP BY ALL),
types AS (SELECT p, day_type, count(*) AS n_days FROM days GROUP BY ALL),
totals AS (SELECT p, sum(n_days)::BIGINT AS all_days FROM types GROUP BY p),
coded AS (
    SELECT p, day, n_stays, n_days, all_days, CASE WHEN n_stays > {longest} THEN -1
        ELSE digits // ({base} ** ({longest} - n_stays + 1))::BIGINT + {offsets}[least(n_stays, {longest})] END AS chain,
        CASE WHEN n_stays > {longest} THEN -1
        ELSE traits // ({kinds} ** ({longest} - n_stays + 1))::BIGINT + {outline_offsets}[least(n_stays, {longest})] END AS outline
    FROM days JOIN types USING (p, day_type) JOIN totals USING (p)),
headed AS (
    SELECT l.*, CASE WHEN after = -1 THEN 2 WHEN after = 1 AND work IS NOT NULL THEN 1 ELSE 0 END AS heading,
        CASE WHEN after = 1 AND work IS NOT NULL THEN work ELSE home END AS anchor,
        CASE WHEN purpose = {education} AND age IN {pupils} THEN {segments} - 1 ELSE purpose END AS segment
    FROM linked AS l JOIN people USING (p))
SELECT l.* EXCLUDE (x, y, inside, previous, anchor), n_stays, n_days, all_days, chain, outline, b.area AS previous_area,
    CASE WHEN l.zone = l.previous THEN l.inside ELSE sqrt((l.x - b.x) * (l.x - b.x) + (l.y - b.y) * (l.y - b.y)) END AS previous_km,
    CASE WHEN l.zone = l.anchor THEN l.inside ELSE sqrt((l.x - a.x) * (l.x - a.x) + (l.y - a.y) * (l.y - a.y)) END AS anchor_km
FROM headed AS l JOIN coded USING (p, day) LEFT JOIN zones AS b ON b.zone = l.previous LEFT JOIN zones AS a ON a.zone = l.anchor"""
USED = """
CREATE TEMP VIEW used AS SELECT subscriber_id AS p, time, coalesce(zone_id, 'outside') AS zone_id, {kind} AS kind, {direction} AS direction,
    {app} AS app, duration_s, volume_kb FROM '{events}'"""


def _code(column: str, labels: tuple[str, ...]) -> str:
    return f"coalesce(list_position({list(labels[:-1])}, {column}), {len(labels)}) - 1"


def _band(column: str, edges: tuple[float, ...]) -> str:
    return " + ".join(f"({column} >= {edge})::INT" for edge in edges[1:])


def count(folder: Path, curator: Curator, plan: Plan, memory_gb: float | None, spill: str) -> Iterator[tuple[str, Any, Any]]:
    """Name, occupied cells and bounded counts of every table of the plan that stands in CELLS."""
    connection = duckdb.connect()
    connection.execute(f"SET preserve_insertion_order=false; SET temp_directory='{spill}'")
    if memory_gb is not None:
        connection.execute(f"SET memory_limit='{memory_gb}GB'")
    zoning, domain, period = curator.zoning, plan.domain, curator.period
    xy = zoning.centroids_km
    table = pa.table({
        "zone_id": list(zoning.labels), "zone": np.arange(zoning.n_zones + 1, dtype=np.int32),
        "area": np.asarray(zoning.parent_of("district"), dtype=np.int32), "x": pa.array(xy[:, 0], from_pandas=True),
        "y": pa.array(xy[:, 1], from_pandas=True), "inside": pa.array(zoning.internal_km, from_pandas=True)})  # fmt: skip
    connection.register("given", table)
    connection.execute("CREATE TEMP TABLE zones AS SELECT * FROM given")
    axis, edges = domain.chain_axis, domain.distance_edges_km
    far: Callable[[str], str] = lambda km: f"CASE WHEN {km} IS NULL THEN {len(edges)} ELSE {_band(km, edges)} END"  # noqa: E731
    said: dict[str, Any] = {
        "stays": folder / "stays.parquet", "people": folder / "subscribers.parquet", "events": folder / "events.parquet",
        "zones": zoning.n_zones + 1, "areas": len(zoning.level_labels("district")), "days": period.days, "data": KINDS.index("data"),
        "sexes": len(domain.sex), "ages": len(domain.age_band), "groups": len(domain.sex) * len(domain.age_band) * 2,
        "segments": len(domain.segments), "education": domain.purpose_of[-1], "pupils": (*domain.pupil_bands, -1),
        "purposes": len(domain.purposes), "sides": len(domain.purposes) + 1, "base": len(domain.purposes), "longest": axis.max_stays,
        "offsets": list(axis.offsets), "chains": axis.size, "outlines": domain.outline_axis.size,
        "outline_of": list(domain.outline_of), "kinds": len(domain.outline_axis.purposes),
        "outline_offsets": list(domain.outline_axis.offsets), "bands": len(edges) + 1, "directions": len(DIRECTIONS),
        "durations": len(EVENT_DURATION_EDGES_S), "volumes": len(VOLUME_EDGES_KB), "present": PRESENT,
        "types": [period.day_types.index(DAY_TYPES[period.day_type(day)]) for day in range(period.days)],
        "previous_band": far("previous_km"), "anchor_band": far("anchor_km"), "sex": _code("sex", domain.sex),
        "age": _code("age_band", domain.age_band), "purpose": _code("purpose", domain.purposes), "kind": _code("kind", KINDS),
        "direction": _code("direction", DIRECTIONS), "app": _code("app", domain.apps),
        "duration_band": f"({_band('duration_s', EVENT_DURATION_EDGES_S)})", "volume_band": f"({_band('volume_kb', VOLUME_EDGES_KB)})"}
    said |= {"group": GROUP.format(**said)}
    said |= {"typed": TYPED.format(**said)}
    for statement in (PEOPLE, VISITS, USED):
        connection.execute(statement.format(**said))
    for request in plan.requests:
        query = BOUNDED.format(cells=CELLS[request.name].format(**said), bound=f"{request.bound_l2!r}::DOUBLE")
        rows = connection.execute(query).fetchnumpy()
        yield request.name, rows["cell"].astype(np.int64), rows["total"].astype(np.int64)
