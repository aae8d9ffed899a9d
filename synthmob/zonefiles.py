"""Zonings from and to files: shapes checked, sensitive zones merged away, levels found.

Read is what holds its shapes itself (`zonereading`), or H3 cells over them; written is GeoParquet that reads back equal.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from synthmob import zonelevels, zonemerging, zonereading, zoneshapes
from synthmob.errors import ZoningError
from synthmob.zonereading import MERGED
from synthmob.zones import RESERVED, Level, Zoning

LEVEL_PREFIX = "level_"
LEVEL_NAME = re.compile(r"[a-z0-9_]{1,40}")
MAX_LEVELS = 12
MAX_CELLS = zonereading.MAX_ZONES
MAX_BOXED_CELLS, MAX_CELLS_BY_CORNERS = 20 * MAX_CELLS, 1e9
"""H3 looks at every cell of the box around a shape, and for each of them at every corner."""
LONGEST_ID, LONGEST_NAME = 200, 1_000
EARTH_KM2 = 4 * math.pi * 6371.0072**2
_AXES = (("Geodetic latitude", "Lat", "north"), ("Geodetic longitude", "Lon", "east"))
WGS84 = {
    "$schema": "https://proj.org/schemas/v0.7/projjson.schema.json", "type": "GeographicCRS", "name": "WGS 84",
    "datum": {
        "type": "GeodeticReferenceFrame", "name": "World Geodetic System 1984",
        "ellipsoid": {"name": "WGS 84", "semi_major_axis": 6378137, "inverse_flattening": 298.257223563}},
    "coordinate_system": {
        "subtype": "ellipsoidal",
        "axis": [{"name": n, "abbreviation": a, "direction": d, "unit": "degree"} for n, a, d in _AXES]},
    "id": {"authority": "EPSG", "code": 4326},
}  # fmt: skip
"""EPSG:4326 in PROJJSON, written out: what PROJ itself says of it depends on what the process did before."""
Frame = Any
"""A GeoDataFrame; geopandas is imported where it is used."""


def read_zoning(
    path: str | Path,
    *,
    id_column: str = "zone_id",
    district_column: str = "district_id",
    h3_resolution: int | None = None,
) -> Zoning:
    """A zoning from a file of shapes, or the H3 cells whose centre lies in one of its shapes.

    Zones keep the file's order (cells are sorted by id). Districts are the district column's; without one, those cells
    take the id of their shape, other H3 ids a parent, other zones a cluster of neighbours.
    """
    frame = zoneshapes.in_degrees(zonereading.load(Path(path)), Path(path).name)
    zoneshapes.check(frame, Path(path).name)
    if h3_resolution is not None:
        frame = _cells(frame, Path(path).name, id_column, district_column, h3_resolution)
        id_column, district_column = "zone_id", "district_id"
    frame = _name_columns(frame, Path(path).name, id_column, district_column)
    frame, aliases = zonemerging.merge(frame, Path(path).name)
    if MERGED in frame:
        aliases |= _merged(frame, Path(path).name)
    return _build(frame, aliases, Path(path).name)


def write_zoning(zoning: Zoning, path: str | Path, *, marks: Mapping[str, str] | None = None) -> None:
    """Write a zoning as GeoParquet: zone_id, name where known, district_id, level columns, merged_ids, geometry.

    `marks` are what the file says of itself beside its shapes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    import shapely

    columns: dict[str, Any] = {"zone_id": list(zoning.ids)}
    if zoning.names:
        columns["name"] = list(zoning.names)
    for level in zoning.levels[1:]:
        column = "district_id" if level.name == "district" else LEVEL_PREFIX + level.name
        columns[column] = [level.labels[a] for a in level.of_zone]
    merged: dict[str, list[str]] = {z: [] for z in zoning.ids}
    for old, kept in sorted(zoning.aliases.items()):
        merged[kept].append(old)
    texts = {name: pa.array(labels, pa.string()) for name, labels in columns.items()}
    lists = pa.array(list(merged.values()), pa.list_(pa.string()))
    shapes = pa.array(shapely.to_wkb(zoning.geometry, byte_order=1, output_dimension=2).tolist(), pa.binary())
    table = pa.table({**texts, MERGED: lists, "geometry": shapes})
    kinds = sorted({shape.geom_type for shape in zoning.geometry})
    box = [float(edge) for edge in shapely.total_bounds(zoning.geometry)]
    column = {"encoding": "WKB", "crs": WGS84, "geometry_types": kinds, "bbox": box}
    about = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    with pq.ParquetWriter(path, table.schema, compression="zstd", store_schema=False) as file:
        file.write_table(table)
        file.add_key_value_metadata({**(marks or {}), "geo": json.dumps(about)})


def _cells(frame: Frame, where: str, id_column: str, district_column: str, resolution: int) -> Frame:
    """The H3 cells whose centre lies in a shape (the first, where shapes overlap), with that shape's columns."""
    import geopandas
    import h3

    if not 0 <= resolution <= 15:
        raise ZoningError(
            f"H3 resolution {resolution} does not exist: give one from 0 to 15 (7 has cells of about 5 km2)."
        )
    _check_cells(frame, where, resolution, h3.average_hexagon_area(resolution, "km^2"))
    of_shape: dict[str, int] = {}
    for row, shape in enumerate(frame.geometry):
        for cell in h3.geo_to_cells(shape, resolution):
            of_shape.setdefault(cell, row)
    cells = sorted(of_shape)
    if len(cells) < 2:
        raise ZoningError(
            f"H3 resolution {resolution} leaves {len(cells)} cells inside {where}: give a finer resolution."
        )
    rows = frame.iloc[[of_shape[c] for c in cells]].reset_index(drop=True)
    columns: dict[str, Any] = {"zone_id": cells}
    parent = next((c for c in (district_column, id_column) if c in frame and frame[c].notna().any()), None)
    if parent is not None:
        columns["district_id"] = rows[parent].to_numpy()
    if "sensitive" in frame:
        columns["sensitive"] = rows["sensitive"].to_numpy()
    return geopandas.GeoDataFrame(columns, geometry=[cell_polygon(c) for c in cells], crs=4326)


def _check_cells(frame: Frame, where: str, resolution: int, cell_km2: float) -> None:
    """Refuse a resolution of too many cells, and shapes that H3 would search for too long."""
    import shapely

    area_km2 = float(frame.to_crs("+proj=cea +datum=WGS84 +units=km").area.sum())
    parts = shapely.get_parts(frame.geometry.to_numpy())
    west, south, east, north = np.radians(shapely.bounds(parts)).T
    boxed = EARTH_KM2 * (east - west) / (2 * math.pi) * (np.sin(north) - np.sin(south)) / 2 / cell_km2
    searched = float((boxed * shapely.get_num_coordinates(parts)).sum())
    if (expected := area_km2 / cell_km2) > MAX_CELLS or boxed.sum() > MAX_BOXED_CELLS or searched > MAX_CELLS_BY_CORNERS:
        found = f"{expected:.0f} zones of" if expected > MAX_CELLS else "too many cells to search for in"
        raise ZoningError(
            f"H3 resolution {resolution} would make about {found} {where}: at most "
            f"{MAX_CELLS} are supported, give a coarser resolution or simpler shapes."
        )


def cell_polygon(cell: str) -> Any:
    """The hexagon of an H3 cell, longitude first."""
    import h3
    import shapely

    return shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)])


def _text(values: Any, where: str, column: str) -> list[str | None]:
    """Ids as text: 12 and 12.0 are both '12'; nothing is None."""
    import pandas

    def one(value: Any) -> str | None:
        if value is None or value is pandas.NA or (isinstance(value, float | np.floating) and np.isnan(value)):
            return None
        if isinstance(value, float | np.floating) and math.isfinite(value) and value == int(value):
            return str(int(value))
        return str(value) if isinstance(value, str | int | float | bool | np.generic) else ""

    found: list[str | None] = []
    for row, value in enumerate(values, start=1):
        text = one(value)
        if text is not None and not (0 < len(text) <= LONGEST_ID and text.isprintable()):
            raise ZoningError(f"Row {row} of {where} has a {column} that is no short text or number: give it one.")
        found.append(text)
    return found


def _name_columns(frame: Frame, where: str, id_column: str, district_column: str) -> Frame:
    """The rows with zone_id as text, and district_id where the file has it; a column asked for must be there."""
    found = ", ".join(str(c) for c in frame.columns if c != "geometry") or "none"
    if id_column not in frame:
        raise ZoningError(f"{where} has no column {id_column!r} (it has {found}): name the column of zone ids.")
    if district_column not in frame and district_column != "district_id":
        raise ZoningError(f"{where} has no column {district_column!r} (it has {found}): name the column of districts.")
    ids = _text(frame[id_column], where, id_column)
    if None in ids:
        raise ZoningError(
            f"Row {ids.index(None) + 1} of {where} has no {id_column}: every zone needs an id, give it one."
        )
    columns = {"zone_id": ids, "district_id": frame.get(district_column)}
    return frame.drop(columns=["zone_id", "district_id"], errors="ignore").assign(**columns)


def _build(frame: Frame, aliases: dict[str, str], where: str) -> Zoning:
    """The zoning of clean rows: levels from the file's columns first, from H3 parents or clusters where it has none."""
    ids = tuple(frame["zone_id"])
    names = tuple(str(n)[:LONGEST_NAME] for n in frame["name"]) if "name" in frame else ()
    shapes = np.array(list(frame.geometry), dtype=object)
    zone, resolution = zonelevels.zone_level(ids), zonelevels.h3_resolution_of(ids)
    given = _text(frame["district_id"], where, "district_id")
    if None in given and any(d is not None for d in given):
        raise ZoningError(
            f"Zone {ids[given.index(None)]!r} of {where} has no district while others have: give every zone "
            f"a district, or none."
        )
    if None not in given:
        labels = [d for d in given if d is not None]
    elif resolution is not None:
        labels = zonelevels.h3_districts(ids, resolution)
    else:
        flat = Zoning(ids, shapes, (zone, Level("district", ("all",), np.zeros(len(ids), dtype=np.int64))))
        labels = zonelevels.clustered_districts(flat.centroids_km[:-1])
    district = zonelevels.level_of("district", labels)
    between = _between_columns(frame, where)
    if not between and resolution is not None and MERGED not in frame:
        between = zonelevels.h3_between(ids, resolution, district)
    levels = (zone, *between, district)
    zonelevels.check_nested(levels)
    zonelevels.check_labels(levels[1:])
    zoning = Zoning(ids, shapes, levels, names, aliases)
    if not (np.isfinite(zoning.centroids_km[:-1]).all() and (zoning.areas_km2 > 0).all() and np.isfinite(zoning.areas_km2).all()):
        raise ZoningError(f"The zones of {where} have no distances between them, so wide apart they lie: give those of one area.")
    return zoning


def _merged(frame: Frame, where: str) -> dict[str, str]:
    """The ids merged away in one of our own files, each with the zone that took it in."""
    found: dict[str, str] = {}
    kept = set(frame["zone_id"])
    for zone, olds in zip(frame["zone_id"], frame[MERGED], strict=True):
        for old in olds if isinstance(olds, list | tuple | np.ndarray) else [None]:
            if not isinstance(old, str) or not 0 < len(old) <= LONGEST_ID or old in kept or old in found or old in RESERVED:
                raise ZoningError(f"{where} lists a zone as merged away that is none, or that is there: write {MERGED} again.")
            found[old] = str(zone)
    return found


def _between_columns(frame: Frame, where: str) -> list[Level]:
    """The levels given as columns level_*, most areas first."""
    out: list[Level] = []
    for column in [str(c) for c in frame.columns if str(c).startswith(LEVEL_PREFIX)]:
        name = column.removeprefix(LEVEL_PREFIX)
        if not LEVEL_NAME.fullmatch(name) or name in ("zone", "district") or len(out) == MAX_LEVELS:
            raise ZoningError(
                f"{where} has a level {name[:40]!r}: at most {MAX_LEVELS} are supported, named in a-z, 0-9 and _, other than zone "
                "and district, rename it.")  # fmt: skip
        labels = _text(frame[column], where, column)
        if None in labels:
            raise ZoningError(
                f"Row {labels.index(None) + 1} of {where} has no {column}: every zone needs one, give it one."
            )
        out.append(zonelevels.level_of(name, [a for a in labels if a is not None]))
    return sorted(out, key=lambda level: -len(level.labels))
