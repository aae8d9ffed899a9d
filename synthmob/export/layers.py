"""Layers of shapes as GeoPackage, GeoParquet 1.1 or GeoJSON, each with what it says of itself, the same bytes every time."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pyarrow.parquet as pq
import pyogrio

STAMP = "OGR_CURRENT_DATE"
"""What GDAL takes for the time that a GeoPackage was changed at: the clock would make every file another."""
EPOCH = "1970-01-01T00:00:00.000Z"


def write(layer: gpd.GeoDataFrame, path: Path, name: str, said: Mapping[str, str]) -> None:
    """Write a layer in the format of the path's ending; `said` goes into the file. OSError where the system refuses."""
    if path.suffix == ".parquet":
        _write_parquet(layer, path, said)
        return
    earlier = pyogrio.get_gdal_config_option(STAMP)
    pyogrio.set_gdal_config_options({STAMP: EPOCH})
    try:
        if path.suffix == ".gpkg":
            layer.to_file(path, layer=name, driver="GPKG", layer_metadata=dict(said))
        else:
            about = "; ".join(f"{word}: {text}" for word, text in said.items())
            layer.to_file(path, driver="GeoJSON", layer_options={"DESCRIPTION": about})
    except RuntimeError as error:  # what GDAL's errors are in Python
        raise OSError(errno.EIO, str(error), str(path)) from None
    finally:
        pyogrio.set_gdal_config_options({STAMP: earlier})


def _write_parquet(layer: gpd.GeoDataFrame, path: Path, said: Mapping[str, str]) -> None:
    layer.to_parquet(path, schema_version="1.1.0", compression="zstd")
    table = pq.read_table(path)
    known = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    pq.write_table(table.replace_schema_metadata({**known, **said}), path, compression="zstd")
