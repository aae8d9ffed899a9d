"""A small coherent world for the report's tests: an OUT folder in the schema, its zoning, and a release of its counts.

Nothing here models anything: a monocentric city whose people go to work, shop and see friends, drawn from one seed.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from synthmob import manifest
from synthmob.period import Period
from synthmob.zones import Level, Zoning

PERIOD = Period(datetime.date(2026, 3, 2), 7, "Europe/London")
LONDON = Path(__file__).resolve().parents[2] / "../shared/data/london_census2011/london_zones.geojson"
_AGES = ("0-15", "16-24", "25-34", "35-44", "45-54", "55-64", "65+")
_AGE_P = (0.17, 0.12, 0.19, 0.16, 0.13, 0.11, 0.12)


@dataclass(frozen=True)
class World:
    """What a test needs: the OUT folder, the zoning it was drawn over, and the period."""

    out: Path
    zoning: Zoning
    period: Period


def hexagons(rings: int = 3, resolution: int = 7, parent: int = 5, rename: dict[int, str] | None = None) -> Zoning:
    """H3 cells around London's centre; `rename` gives single zones another id."""
    import h3

    cells = sorted(h3.grid_disk(h3.latlng_to_cell(51.51, -0.12, resolution), rings))
    shapes = [shapely.Polygon([(x, y) for y, x in h3.cell_to_boundary(c)]) for c in cells]
    parents = [h3.cell_to_parent(c, parent) for c in cells]
    ids = [(rename or {}).get(k, c) for k, c in enumerate(cells)]
    return _zoning(ids, shapes, parents, ())


def boroughs() -> Zoning:
    """London's boroughs, five of them to a district by longitude and latitude."""
    import geopandas

    table = geopandas.read_file(LONDON)
    centre = shapely.centroid(table.geometry.to_numpy())
    west, north = shapely.get_x(centre) < -0.12, shapely.get_y(centre) > 51.5
    inner = np.hypot((shapely.get_x(centre) + 0.11) * 0.62, shapely.get_y(centre) - 51.51) < 0.08
    parents = [
        "Inner" if i else f"{'North' if n else 'South'} {'West' if w else 'East'}"
        for i, n, w in zip(inner, north, west, strict=True)
    ]
    return _zoning([str(z) for z in table.zone_id], list(table.geometry), parents, tuple(str(n) for n in table.name))


def _zoning(ids: list[str], shapes: list[Any], parents: list[str], names: tuple[str, ...]) -> Zoning:
    labels = sorted(set(parents))
    levels = (
        Level("zone", tuple(ids), np.arange(len(ids))),
        Level("district", tuple(labels), np.array([labels.index(p) for p in parents])),
    )
    return Zoning(tuple(ids), np.array(shapes, dtype=object), levels, names)


def write(out: Path, zoning: Zoning, *, persons: int = 3000, seed: int = 1, period: Period = PERIOD) -> World:
    """Writes persons, stays in two parts, trips in two parts, zones and a manifest under `out`."""
    rng = np.random.default_rng(seed)
    xy = zoning.centroids_km[:-1]
    radius = np.hypot(*(xy - xy[zoning.areas_km2.argmin()] * 0.3).T)
    living = _weights(zoning.areas_km2 * np.exp(-radius / (radius.max() * 0.9)))
    jobs = _weights(np.exp(-radius / (radius.max() * 0.22)) + 0.02)
    apart = np.hypot(xy[:, None, 0] - xy[None, :, 0], xy[:, None, 1] - xy[None, :, 1])
    near = np.exp(-apart / (radius.max() * 0.25))
    home = rng.choice(zoning.n_zones, persons, p=living)
    age = rng.choice(len(_AGES), persons, p=_AGE_P)
    worker = rng.random(persons) < np.array([0, 0.45, 0.8, 0.82, 0.8, 0.6, 0.08])[age]
    work = np.array([rng.choice(zoning.n_zones, p=_weights(jobs * np.sqrt(near[h]))) for h in home])
    local = np.array([rng.choice(zoning.n_zones, 3, p=_weights(near[h])) for h in home])
    stays: list[tuple[Any, ...]] = []
    for person in range(persons):
        for day in range(period.days):
            busy = bool(worker[person]) and period.day_type(day) == 0 and rng.random() < 0.88
            chain = _day(
                rng, busy, home[person], work[person], local[person], age[person] == 0 and period.day_type(day) == 0
            )
            stays += [(person, day, seq, *row) for seq, row in enumerate(_timed(rng, chain, apart))]
    _save(out, zoning, period, home, age, worker, work, rng, stays)
    return World(out, zoning, period)


def _weights(values: Any) -> Any:
    return values / values.sum()


def _day(rng: Any, busy: bool, home: int, work: int, local: Any, school: bool) -> list[tuple[str, int, float]]:
    """A day as (purpose, zone, departure wanted in minutes)."""
    out: list[tuple[str, int, float]] = []
    clock = rng.normal(475, 45)
    if busy or school:
        end = clock + rng.normal(530 if busy else 400, 40)
        out += [("home", home, clock), ("work", work, end) if busy else ("education", local[0], end)]
        clock = end + 60 if rng.random() < 0.3 else 0
        if clock:
            out.append(
                (("shop", "leisure", "other")[rng.integers(3)], local[rng.integers(3)], clock + rng.normal(20, 10))
            )
        out.append(("home", home, 1440))
        return out
    clock += rng.exponential(110)
    for _ in range(rng.integers(0, 3)):
        out.append(("home", home, clock))
        clock += rng.gamma(4, 28) + 40
        out.append((("shop", "leisure", "other")[rng.choice(3, p=[0.45, 0.4, 0.15])], local[rng.integers(3)], clock))
        clock += rng.gamma(3, 50) + 45
    return [*out, ("home", home, 1440)]


def _timed(rng: Any, chain: list[tuple[str, int, float]], apart: Any) -> list[tuple[str, int, int, int]]:
    """Stays (purpose, zone, start, end) that do not overlap and fill the day but for travel; late ones are left out."""
    out: list[tuple[str, int, int, int]] = []
    start = 0
    for k, (purpose, zone, leave) in enumerate(chain):
        last = k == len(chain) - 1
        travel = 0 if last else int(8 + apart[zone, chain[k + 1][1]] * 2.2 + rng.exponential(4))
        end = 1440 if last else int(np.clip(leave, start + 15, 1439))
        if not last and end + travel > 1400:
            return [*out, ("home", chain[0][1], start, 1440)]
        out.append((purpose, zone, start, end))
        start = end + travel
    return out


def _save(
    out: Path,
    zoning: Zoning,
    period: Period,
    home: Any,
    age: Any,
    worker: Any,
    work: Any,
    rng: Any,
    stays: list[tuple[Any, ...]],
) -> None:
    import geopandas

    ids, n = np.array(zoning.ids), len(home)
    out.mkdir(parents=True)
    persons = pa.table(
        {
            "person_id": np.arange(n),
            "sex": np.where(rng.random(n) < 0.51, "female", "male"),
            "age_band": np.array(_AGES)[age],
            "worker": np.where(worker, "yes", "no"),
            "home_zone": ids[home],
            "work_zone": pa.array([z if w else None for z, w in zip(ids[work], worker, strict=True)], pa.string()),
        }
    )
    pq.write_table(persons, out / "persons.parquet")
    who, day, seq, purpose, zone, start, end = (np.array(c) for c in zip(*stays, strict=True))
    point = zoning.lonlat[zone]
    table = pa.table(
        {
            "person_id": who,
            "day": day.astype("int32"),
            "seq": seq.astype("int32"),
            "purpose": purpose,
            "zone_id": ids[zone],
            "start_min": start.astype("int32"),
            "end_min": end.astype("int32"),
            "lon": point[:, 0],
            "lat": point[:, 1],
        }
    )
    moved = np.flatnonzero((who[1:] == who[:-1]) & (day[1:] == day[:-1]))
    trips = pa.table(
        {
            "person_id": who[moved],
            "day": day[moved].astype("int32"),
            "seq": seq[moved].astype("int32"),
            "origin_zone": ids[zone[moved]],
            "destination_zone": ids[zone[moved + 1]],
            "depart_min": end[moved].astype("int32"),
            "arrive_min": start[moved + 1].astype("int32"),
            "purpose": purpose[moved + 1],
            "distance_km": zoning.distances_km(zone[moved], zone[moved + 1]).astype("float32"),
        }
    )
    for name, whole in (("stays", table), ("trips", trips)):
        (out / name).mkdir()
        half = len(whole) // 2
        pq.write_table(whole.slice(0, half), out / name / "part-00000.parquet")
        pq.write_table(whole.slice(half), out / name / "part-00001.parquet")
    frame = geopandas.GeoDataFrame(
        {"zone_id": ids, "district_id": np.array(zoning.levels[-1].labels)[zoning.levels[-1].of_zone]},
        geometry=list(zoning.geometry),
        crs=4326,
    )
    frame.to_parquet(out / "zones.parquet")
    manifest.write(manifest.compose("generate", {"persons": n}, seed=1, period=period.as_json()), out / manifest.FILE)
