"""Zonings from and to files: shapes checked, sensitive zones merged away, levels found.

Read is anything geopandas reads, or H3 cells over its shapes; written is GeoParquet that reads back equal.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob import zonelevels
from synthmob.errors import ZoningError
from synthmob.zones import Level, Zoning

LEVEL_PREFIX = "level_"
PARQUET = (".parquet", ".geoparquet", ".pq")
MERGED = "merged_ids"
"""The column of our own files that lists the ids merged into a zone; where it stands, all levels are columns too."""
MAX_CELLS = 200_000
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
    frame = _to_degrees(_load(Path(path)), Path(path).name)
    _check_shapes(frame, Path(path).name)
    if h3_resolution is not None:
        frame = _cells(frame, Path(path).name, id_column, district_column, h3_resolution)
        id_column, district_column = "zone_id", "district_id"
    frame = _name_columns(frame, Path(path).name, id_column, district_column)
    frame, aliases = _merge_sensitive(frame)
    if MERGED in frame:
        aliases |= {str(old): z for z, olds in zip(frame["zone_id"], frame[MERGED], strict=True) for old in olds}
    return _build(frame, aliases, Path(path).name)


def write_zoning(zoning: Zoning, path: str | Path) -> None:
    """Write a zoning as GeoParquet: zone_id, name where known, district_id, level columns, merged_ids, geometry."""
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
        file.add_key_value_metadata({"geo": json.dumps(about)})


def _load(path: Path) -> Frame:
    import geopandas

    if not path.exists():
        raise ZoningError(f"There is no zoning at {path}: give a file of zone shapes that geopandas reads.")
    try:
        frame: Frame = geopandas.read_parquet(path) if path.suffix in PARQUET else geopandas.read_file(path)
    except (OSError, ValueError, RuntimeError) as error:
        raise ZoningError(
            f"{path.name} cannot be read as zone shapes ({str(error).splitlines()[0]}): give GeoJSON, "
            f"GeoParquet, GeoPackage or a shapefile."
        ) from error
    if not isinstance(frame, geopandas.GeoDataFrame) or not len(frame):
        raise ZoningError(f"{path.name} holds no shapes: give a file with one polygon for each zone.")
    named = frame if frame.geometry.name == "geometry" else frame.rename_geometry("geometry")
    return named.reset_index(drop=True)


def _to_degrees(frame: Frame, where: str) -> Frame:
    if frame.crs is not None and frame.crs.to_epsg() != 4326:
        frame = frame.to_crs(4326)
    west, south, east, north = frame.total_bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ZoningError(
            f"The coordinates of {where} run from ({west:g}, {south:g}) to ({east:g}, {north:g}), which are "
            f"not degrees: state the file's coordinate system or reproject it to EPSG:4326."
        )
    return frame if frame.crs is not None else frame.set_crs(4326)


def _check_shapes(frame: Frame, where: str) -> None:
    """Make every shape a valid, flat, non-empty polygon in place, or say which one cannot be."""
    import shapely

    shapes = shapely.force_2d(frame.geometry.to_numpy())
    broken = ~shapely.is_valid(shapes)
    shapes[broken] = [_polygons(s) for s in shapely.make_valid(shapes[broken])]
    wrong = shapely.is_missing(shapes) | shapely.is_empty(shapes) | ~np.isin(shapely.get_type_id(shapes), [3, 6])
    if wrong.any():
        row = int(np.argmax(wrong))
        kind = "no shape" if shapes[row] is None or shapes[row].is_empty else f"a {shapes[row].geom_type}"
        raise ZoningError(f"Row {row + 1} of {where} has {kind}: every zone needs a polygon with an area, give it one.")
    frame["geometry"] = shapes


def _polygons(shape: Any) -> Any:
    """The polygonal part of a repaired shape."""
    import shapely

    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[np.isin(shapely.get_type_id(parts), [3, 6])])


def _cells(frame: Frame, where: str, id_column: str, district_column: str, resolution: int) -> Frame:
    """The H3 cells whose centre lies in a shape (the first, where shapes overlap), with that shape's columns."""
    import geopandas
    import h3

    if not 0 <= resolution <= 15:
        raise ZoningError(
            f"H3 resolution {resolution} does not exist: give one from 0 to 15 (7 has cells of about 5 km2)."
        )
    area_km2 = float(frame.to_crs("+proj=cea +datum=WGS84 +units=km").area.sum())
    if (expected := area_km2 / h3.average_hexagon_area(resolution, "km^2")) > MAX_CELLS:
        raise ZoningError(
            f"H3 resolution {resolution} would make about {expected:.0f} zones of {where}: at most "
            f"{MAX_CELLS} are supported, give a coarser resolution."
        )
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


def cell_polygon(cell: str) -> Any:
    """The hexagon of an H3 cell, longitude first."""
    import h3
    import shapely

    return shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)])


def _text(values: Any) -> list[str | None]:
    """Ids as text: 12 and 12.0 are both '12'; nothing is None."""
    import pandas

    def one(value: Any) -> str | None:
        if pandas.isna(value):
            return None
        return str(int(value)) if isinstance(value, float | np.floating) and value == int(value) else str(value)

    return [one(value) for value in values]


def _name_columns(frame: Frame, where: str, id_column: str, district_column: str) -> Frame:
    """The rows with zone_id as text, and district_id where the file has it; a column asked for must be there."""
    found = ", ".join(str(c) for c in frame.columns if c != "geometry") or "none"
    if id_column not in frame:
        raise ZoningError(f"{where} has no column {id_column!r} (it has {found}): name the column of zone ids.")
    if district_column not in frame and district_column != "district_id":
        raise ZoningError(f"{where} has no column {district_column!r} (it has {found}): name the column of districts.")
    ids = _text(frame[id_column])
    if None in ids:
        raise ZoningError(
            f"Row {ids.index(None) + 1} of {where} has no {id_column}: every zone needs an id, give it one."
        )
    columns = {"zone_id": ids, "district_id": frame.get(district_column)}
    return frame.drop(columns=["zone_id", "district_id"], errors="ignore").assign(**columns)


def _merge_sensitive(frame: Frame) -> tuple[Frame, dict[str, str]]:
    """Give every sensitive zone to the neighbour with the longest common border, else to the nearest zone."""
    if "sensitive" not in frame:
        return frame, {}
    flagged = (
        frame["sensitive"]
        .map(lambda v: str(v).strip().lower() in {"true", "1", "1.0", "yes", "t"})
        .to_numpy(dtype=bool)
    )
    if flagged.all():
        raise ZoningError("Every zone is marked sensitive, so there is none to merge them with: mark fewer.")
    ids, shapes = list(frame["zone_id"]), frame.geometry.to_numpy().copy()
    aliases: dict[str, str] = {}
    waiting, kept = [int(i) for i in np.flatnonzero(flagged)], np.flatnonzero(~flagged)
    while waiting:
        offers = [_offer(shapes, i, kept) for i in waiting]
        best = min(range(len(waiting)), key=lambda k: (-offers[k][1], offers[k][2]))
        lost, taker = waiting.pop(best), offers[best][0]
        shapes[taker] = shapes[taker].union(shapes[lost])
        aliases[ids[lost]] = ids[taker]
    frame = frame.assign(geometry=shapes)
    return frame[~flagged].reset_index(drop=True), aliases


def _offer(shapes: npt.NDArray[Any], lost: int, kept: npt.NDArray[Any]) -> tuple[int, float, float]:
    """The zone that would take a sensitive one in, the length of their border and their distance, degrees."""
    import shapely

    apart = shapely.distance(shapes[lost], shapes[kept])
    touching = kept[apart < 1e-9]
    if len(touching):
        borders = shapely.length(
            shapely.intersection(shapely.boundary(shapes[lost]), shapely.boundary(shapes[touching]))
        )
        best = int(np.argmax(borders))
        return int(touching[best]), float(borders[best]), 0.0
    return int(kept[int(np.argmin(apart))]), -1.0, float(apart.min())


def _build(frame: Frame, aliases: dict[str, str], where: str) -> Zoning:
    """The zoning of clean rows: levels from the file's columns first, from H3 parents or clusters where it has none."""
    ids = tuple(frame["zone_id"])
    names = tuple(str(n) for n in frame["name"]) if "name" in frame else ()
    shapes = np.array(list(frame.geometry), dtype=object)
    zone, resolution = zonelevels.zone_level(ids), zonelevels.h3_resolution_of(ids)
    given = _text(frame["district_id"])
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
    return Zoning(ids, shapes, levels, names, aliases)


def _between_columns(frame: Frame, where: str) -> list[Level]:
    """The levels given as columns level_*, most areas first."""
    out: list[Level] = []
    for column in [c for c in frame.columns if str(c).startswith(LEVEL_PREFIX)]:
        labels = _text(frame[column])
        if None in labels:
            raise ZoningError(
                f"Row {labels.index(None) + 1} of {where} has no {column}: every zone needs one, give it one."
            )
        out.append(zonelevels.level_of(str(column).removeprefix(LEVEL_PREFIX), [a for a in labels if a is not None]))
    return sorted(out, key=lambda level: -len(level.labels))
