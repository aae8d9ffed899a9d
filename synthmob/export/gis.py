"""GIS: who is where at which hour, and who goes where, as layers over the public zoning.

    mobility.gpkg             layers `footfall` (a polygon a zone) and `flows` (a line a pair of zones), for QGIS and ArcGIS
    footfall.parquet          GeoParquet 1.1, as are flows.parquet
    footfall.geojson          the same for the web, as are flows.geojson

Footfall is the mean number of people in a zone at half past each hour of a day, and by sex and age band over the whole day; flows are
trips a day between zones, as straight lines between points inside them. Coordinates are degrees of EPSG:4326.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from synthmob.domain import MINUTES_PER_DAY
from synthmob.export import layers
from synthmob.export.exporter import Exporter, Options, Written
from synthmob.export.rows import FloatArray, stated, weights, zone_codes, zone_pairs
from synthmob.export.source import Block, IntArray, Progress, Source
from synthmob.export.sums import Sums

PACKAGE = "mobility.gpkg"
LAYERS = ("footfall", "flows")
HOURS = 24
CRS = "EPSG:4326"
UNITS = {
    "hour_00 to hour_23": "people at half past that local hour, mean of a day", "sex_*, age_band_*": "people, mean over a day",
    "trips_a_day": "trips a day", "distance_km": "km"}


def footfall(block: Block, source: Source) -> dict[str, FloatArray]:
    """People in each zone, shape (zones + 1,), at half past every hour, and their minutes by attribute; summed over days."""
    s, n = block.stays, len(source.zoning.labels)
    zone, people = zone_codes(source, s["zone_id"]), weights(block, s)
    start, end = s["start_min"].to_numpy(), s["end_min"].to_numpy()
    found: dict[str, FloatArray] = {}
    for hour in range(HOURS):
        there = (start <= hour * 60 + 30) & (end > hour * 60 + 30)
        found[f"hour_{hour:02d}"] = _sums(zone[there], people[there], n)
    minutes = people * (end - start)
    who = block.whose(s)
    for name in ("sex", "age_band"):
        if name in block.persons.column_names:
            groups = np.array(block.persons[name].to_pylist())[who]
            for label in np.unique(groups):
                found[f"{name}_{label}"] = _sums(zone[groups == label], minutes[groups == label], n)
    return found


def flows(block: Block, source: Source) -> tuple[IntArray, FloatArray]:
    """The pair of zones of each trip as one number, outside last, and its people."""
    origin, destination = zone_pairs(block, source)
    return origin * len(source.zoning.labels) + destination, weights(block, block.trips)


def _sums(cells: IntArray, people: FloatArray, n: int) -> FloatArray:
    return np.bincount(cells, weights=people, minlength=n).astype(np.float64)


def write(source: Source, folder: Path, options: Options, progress: Progress) -> Written:
    """Both layers in three forms."""
    del options
    n = len(source.zoning.labels)
    here: dict[str, FloatArray] = {}
    between = Sums()
    for block in source.blocks(progress):
        for name, values in footfall(block, source).items():
            here[name] = here.get(name, np.zeros(n)) + values
        between.add(*flows(block, source))
    made = {"footfall": _polygons(source, here), "flows": _lines(source, between)}
    for name, layer in made.items():
        for file in (PACKAGE, f"{name}.parquet", f"{name}.geojson"):
            layers.write(layer, folder / file, name, stated(source, CRS, UNITS))
    rows = {f"{name}{end}": len(layer) for name, layer in made.items() for end in (".parquet", ".geojson")}
    note = "People and trips outside the zoning have no shape and are left out."
    return Written({PACKAGE: sum(len(layer) for layer in made.values()), **rows}, UNITS, CRS, source.period.timezone, (note,))


def _polygons(source: Source, here: dict[str, FloatArray]) -> gpd.GeoDataFrame:
    zoning, days = source.zoning, source.period.days
    columns = {name: here[name][:-1] / (days if name.startswith("hour_") else days * MINUTES_PER_DAY) for name in sorted(here)}
    district = zoning.level("district")
    about = {"zone_id": list(zoning.ids), "district_id": [district.labels[k] for k in district.of_zone]}
    return gpd.GeoDataFrame(pd.DataFrame({**about, **columns}), geometry=list(zoning.geometry), crs=CRS)


def _lines(source: Source, between: Sums) -> gpd.GeoDataFrame:
    """A line a pair of different zones with trips; trips inside a zone are no line."""
    zoning = source.zoning
    cells, trips = between.total()
    origin, destination = np.divmod(cells, len(zoning.labels))
    drawn = (origin != destination) & (origin < zoning.n_zones) & (destination < zoning.n_zones)
    origin, destination, trips = origin[drawn], destination[drawn], trips[drawn]
    points = zoning.lonlat
    lines: Any = shapely.linestrings(np.stack([points[origin], points[destination]], axis=1))
    ids = np.array(zoning.ids)
    table = pd.DataFrame({
        "origin_zone": ids[origin], "destination_zone": ids[destination],
        "trips_a_day": trips / source.period.days,
        "distance_km": zoning.distances_km(origin, destination)})  # fmt: skip
    return gpd.GeoDataFrame(table, geometry=list(lines), crs=CRS)


GIS = Exporter(
    "gis", "footfall by hour, sex and age, and flows, as layers of a map", ("QGIS", "ArcGIS", "geopandas", "DuckDB", "sf"),
    (PACKAGE, *(f"{name}{end}" for name in LAYERS for end in (".parquet", ".geojson"))), write)
