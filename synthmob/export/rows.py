"""Rows that several formats share: when, where, and how many people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from synthmob.export.instants import Instants
from synthmob.export.source import Block, IntArray, Source

FloatArray = npt.NDArray[np.float64]
UTC = pa.timestamp("s", "UTC")


@dataclass(frozen=True)
class Ends:
    """Where each trip of a block begins and ends, degrees of EPSG:4326, shape (trips,); NaN outside the zoning."""

    origin_lon: FloatArray
    origin_lat: FloatArray
    destination_lon: FloatArray
    destination_lat: FloatArray


def ends(block: Block) -> Ends:
    """The points of the stays that trips lie between: trips are in the order of the stays that they lead to."""
    arrives = np.flatnonzero(block.stays["seq"].to_numpy() > 0)
    lon, lat = (block.stays[name].to_numpy().astype(np.float64) for name in ("lon", "lat"))
    return Ends(lon[arrives - 1], lat[arrives - 1], lon[arrives], lat[arrives])


def when(clock: Instants, table: pa.Table, column: str) -> pa.Array:
    """A column of local minutes as instants, Arrow timestamps in UTC."""
    return pa.array(clock[table["day"].to_numpy(), table[column].to_numpy()]).cast(UTC)


def modes(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    """The column of modes of stays or trips, where OUT has one."""
    return {"mode": table["mode"]} if "mode" in table.column_names else {}


def weights(block: Block, table: pa.Table) -> FloatArray:
    """How many people each row of a block's table stands for."""
    return block.weights[block.whose(table)]


def zone_codes(source: Source, column: pa.ChunkedArray) -> IntArray:
    """The index of each zone of a column in the labels of the zoning; null is `outside`, the last."""
    codes = pd.Categorical(column.to_pandas(), categories=list(source.zoning.labels)).codes.astype(np.int64)
    return np.where(codes < 0, source.zoning.n_zones, codes)


def zone_pairs(block: Block, source: Source) -> tuple[IntArray, IntArray]:
    """The indices of the zones in which each trip of a block begins and ends, as `zone_codes` gives them."""
    return zone_codes(source, block.trips["origin_zone"]), zone_codes(source, block.trips["destination_zone"])


def stated(source: Source, crs: str, units: Mapping[str, str]) -> dict[str, str]:
    """What a file says of itself where its format has room for it: synthetic, units (JSON), CRS and the time zone of local hours."""
    return {"synthetic": "true", "crs": crs, "timezone": source.period.timezone, "units": json.dumps(dict(units), ensure_ascii=False)}


def commented(said: Mapping[str, str]) -> str:
    """What an XML file says of itself where its elements have no room for it, a line each.

    >>> print(commented({"crs": "EPSG:4326"}), end="")
    <!-- crs: EPSG:4326 -->
    """
    return "".join(f"<!-- {name}: {escape(text).replace('--', '- -')} -->\n" for name, text in said.items())
