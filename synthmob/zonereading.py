"""Shapes and their columns from a file, by what its bytes are and not by what it is called.

GDAL opens some sixty formats by their content, and several of them are an instruction rather than data: fetch this address, read
that other file, run this pipeline, whatever the file's name. A zoning comes from others, so only files that hold their shapes
themselves are read: GeoJSON (RFC 7946, by ourselves: GDAL follows links in it), GeoParquet, GeoPackage, FlatGeobuf, shapefiles.
"""

from __future__ import annotations

import json
import re
import sqlite3
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from synthmob import folders, parquetfiles
from synthmob.errors import FormatError, ZoningError

PARQUET = (".parquet", ".geoparquet", ".pq")
MAX_ZONES = 200_000
MAX_BYTES = 256 << 20
MAX_GEOJSON_BYTES, MAX_GEOJSON_PARTS = 128 << 20, 3_000_000
MAX_COLUMNS, MAX_CELLS = 1_000, 20_000_000
MERGED = "merged_ids"
"""The column of our own files that lists the ids merged into a zone; where it stands, all levels are columns too."""
WANTED = "give GeoJSON, GeoParquet, GeoPackage, FlatGeobuf or a shapefile"
SYSTEM = re.compile(r"(?:urn:ogc:def:crs:)?(?:EPSG:[\d.]*:?\d{4,6}|OGC:(?:1\.3)?:?CRS84)")
"""The names of coordinate systems that GeoJSON of before 2016 may state."""
_BOUNDS = parquetfiles.Bounds(MAX_COLUMNS, page_bytes=256 << 20, unpacked_bytes=512 << 20)
_OF_A_SHAPEFILE = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".qix", ".sbn", ".sbx", ".xml", ".txt", ".md", ".pdf", "/")
_FAILURES = (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, MemoryError, sqlite3.Error)
"""What libraries of others raise on a file that is damaged on purpose."""
Frame = Any
"""A GeoDataFrame; geopandas is imported where it is used."""


def load(path: Path, *, linked: bool = True) -> Frame:
    """The shapes of a file with all columns, in the file's order and coordinates; ZoningError where there are none.

    `linked` allows the path itself to be a link, as a user may give; the folder of a stranger has none.
    """
    import pyarrow as pa
    import shapely

    try:
        with folders.opened(path, linked=linked) as file:
            head, size = file.read(4096), file.seek(0, 2)
    except OSError:
        raise ZoningError(f"There is no zoning at {path}: {WANTED}.") from None
    read = _reader(path, head)
    if read is None or size > MAX_BYTES:
        why = f"it is larger than {MAX_BYTES >> 20} MB" if read else "it is of another kind"
        raise ZoningError(f"{path.name} cannot be read as zone shapes ({why}): {WANTED}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what others say of a file goes into one sentence of ours, or nowhere
            frame = read(path)
    except (*_FAILURES, FormatError, pa.ArrowException, shapely.errors.ShapelyError) as error:
        broken = isinstance(error, LookupError | TypeError | AttributeError | ArithmeticError | MemoryError)
        why = "it is damaged" if broken else (str(error).splitlines() or ["it is damaged"])[0][:160]
        raise ZoningError(f"{path.name} cannot be read as zone shapes ({why}): {WANTED}.") from None
    return _checked(frame, path.name)


def _reader(path: Path, head: bytes) -> Callable[[Path], Frame] | None:
    """How a file is read whose first bytes these are; None where it is of no kind that holds its shapes itself."""
    suffix = path.suffix.lower()
    if suffix in PARQUET or head.startswith(parquetfiles.MAGIC):
        return _parquet
    if head.startswith(b"SQLite format 3\0") and suffix == ".gpkg":
        return _geopackage
    if head.startswith(b"PK\3\4") and suffix == ".zip":
        return _zipped
    if (head.startswith(b"\0\0\x27\x0a") and suffix == ".shp") or (head.startswith(b"fgb") and suffix == ".fgb"):
        return _by_gdal
    return _geojson if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" else None


def _checked(frame: Frame, where: str) -> Frame:
    import geopandas

    if not isinstance(frame, geopandas.GeoDataFrame) or not len(frame):
        raise ZoningError(f"{where} holds no shapes: give a file with one polygon for each zone.")
    if len(frame) > MAX_ZONES or len(frame.columns) > MAX_COLUMNS or not frame.columns.is_unique:
        raise ZoningError(
            f"{where} has {len(frame)} shapes in {len(frame.columns)} columns: at most {MAX_ZONES} and {MAX_COLUMNS} are supported, "
            "of distinct names, give a coarser zoning.")  # fmt: skip
    named = frame if frame.geometry.name == "geometry" else frame.rename_geometry("geometry")
    return named.reset_index(drop=True)


def _parquet(path: Path) -> Frame:
    """GeoParquet with shapes in WKB (version 1.1). Text stays in dictionaries until its length is known: what a file says once and
    repeats on every row may unpack to more than there is memory."""
    import geopandas
    import shapely

    content = parquetfiles.mapped(path, linked=True)
    schema = parquetfiles.opened(content, path.name, _BOUNDS).schema
    leaves = [schema.column(k) for k in range(len(schema))]
    file = parquetfiles.opened(content, path.name, _BOUNDS, labels=[c.path for c in leaves if c.physical_type == "BYTE_ARRAY"])
    if file.metadata.num_rows > MAX_ZONES:
        raise ValueError(f"it has more than {MAX_ZONES} rows")
    if b"geo" not in (file.metadata.metadata or {}):
        raise ValueError("it is Parquet without shapes")
    about = json.loads(file.metadata.metadata[b"geo"])
    primary = about["primary_column"]
    said = about["columns"][primary]
    if said["encoding"] != "WKB":
        raise ValueError("its shapes are not encoded as WKB")
    table = file.read(columns=[c.path for c in leaves if "." not in c.path or c.path.startswith(f"{MERGED}.")])
    table.validate(full=True)  # a file may point past the end of its dictionary
    columns = {name: _plain(table.column(name)) for name in table.column_names}
    shapes = shapely.from_wkb(columns.pop(primary))
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=said.get("crs", "OGC:CRS84"))


def _plain(column: Any) -> Any:
    """A column as objects, its text out of the dictionary; ValueError where that would be long."""
    import pyarrow as pa

    found: list[Any] = []
    for chunk in column.chunks:
        inside = chunk.flatten() if pa.types.is_list(chunk.type) else chunk
        if pa.types.is_dictionary(inside.type):
            lengths = np.array([len(text or "") for text in inside.dictionary.to_pylist()], dtype=np.int64)
            if len(inside) and lengths[inside.indices.drop_null().to_numpy()].sum() > MAX_BYTES:
                raise ValueError(f"a column unpacks to more than {MAX_BYTES >> 20} MB")
        found += chunk.to_pylist()
    return np.fromiter(found, dtype=object, count=len(found))


def _by_gdal(path: Path) -> Frame:
    import geopandas
    import pyogrio

    said = pyogrio.read_info(path)
    if not 0 <= said["features"] <= MAX_ZONES or len(said["fields"]) > MAX_COLUMNS:
        raise ValueError(f"it has {said['features']} shapes in {len(said['fields'])} columns")
    return geopandas.read_file(path)


def _geopackage(path: Path) -> Frame:
    """A GeoPackage of tables: a view would run whatever query its author liked."""
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        views = database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'view'").fetchone()[0]
    finally:
        database.close()
    if views:
        raise ZoningError(f"{path.name} holds views, which are queries and no shapes: copy them into tables first.")
    return _by_gdal(path)


def _zipped(path: Path) -> Frame:
    """A shapefile in a zip: of bounded size, and nothing beside it."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    strange = [m.filename for m in members if not m.filename.lower().endswith(_OF_A_SHAPEFILE)]
    if strange or sum(m.file_size for m in members) > MAX_BYTES or len(members) > MAX_COLUMNS:
        raise ZoningError(f"{path.name} is no zip of one shapefile of at most {MAX_BYTES >> 20} MB: unpack it and {WANTED}.")
    return _by_gdal(path)


def _geojson(path: Path) -> Frame:
    import geopandas
    import pandas
    import shapely.geometry

    said = folders.read_json(path, "zoning", linked=True, most=MAX_GEOJSON_BYTES, parts=MAX_GEOJSON_PARTS)
    features = said.get("features")
    if said.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise ValueError("it is no GeoJSON FeatureCollection")
    found = [cast(Mapping[str, Any], feature) for feature in cast(list[Any], features) if isinstance(feature, Mapping)]
    if len(found) < len(cast(list[Any], features)) or len(found) > MAX_ZONES:
        raise ValueError(f"it has a feature that is none, or more than {MAX_ZONES}")
    shapes: Any = [None if f.get("geometry") is None else shapely.geometry.shape(f["geometry"]) for f in found]
    rows = [({"id": f["id"]} if "id" in f else {}) | dict(f.get("properties") or {}) for f in found]
    names: dict[str, None] = {}
    for row in rows:
        names |= dict.fromkeys(row)
        if len(names) > MAX_COLUMNS or len(names) * len(rows) > MAX_CELLS:
            raise ValueError("its features have more properties than a table of zones")
    columns: Any = list(names)
    table = pandas.DataFrame(rows, columns=columns, dtype=object)
    system = _system(said.get("crs"))
    return geopandas.GeoDataFrame(table.drop(columns="geometry", errors="ignore"), geometry=shapes, crs=system)


def _system(said: Any) -> str:
    """The coordinate system that a GeoJSON file states, degrees where it states none."""
    if said is None:
        return "EPSG:4326"
    name = said["properties"]["name"] if said["type"] == "name" else None
    if not isinstance(name, str) or not SYSTEM.fullmatch(name):
        raise ValueError("its coordinate system is not named as in EPSG:4326")
    return "EPSG:4326" if name.endswith("CRS84") else "EPSG:" + name.rpartition(":")[2]
