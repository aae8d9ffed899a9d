"""Open Matrix (OMX 0.2, HDF5): trips between zones, one matrix an hour of departure and one of the whole day, means of a day.

    trips.omx    /data/hour_00 to hour_23, /data/day, /data/distance_km, /lookup/zone_number
    zones.csv    zone_number, zone_id: OMX wants zones as whole numbers

Written with h5py in the layout of https://github.com/osPlanning/omx/wiki/Specification; openmatrix would do it with PyTables, which
is four times as large and stamps the time on every matrix. Read with `openmatrix.open_file(...)`, Emme, Visum, TransCAD, R's omxr.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from synthmob.errors import InputError
from synthmob.export.exporter import Exporter, Options, Written
from synthmob.export.rows import FloatArray, stated, weights, zone_pairs
from synthmob.export.source import Block, IntArray, Progress, Source
from synthmob.export.sums import Sums

MATRICES, ZONES = "trips.omx", "zones.csv"
HOURS = 24
CRS = "none: zones.csv names the zones"
UNITS = {"hour_00 to hour_23": "trips a day that depart in that local hour", "day": "trips a day", "distance_km": "km"}
ABSENT = "Open Matrix files need h5py, which is not installed: pip install 'synthmob[omx]' from a checkout brings it."


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        raise InputError(ABSENT) from None
    return h5py


def cells(block: Block, source: Source) -> IntArray:
    """Hour, origin and destination of every trip of a block as one number."""
    n = len(source.zoning.labels)
    hour = np.minimum(block.trips["depart_min"].to_numpy() // 60, HOURS - 1).astype(np.int64)
    origin, destination = zone_pairs(block, source)
    return (hour * n + origin) * n + destination


def write(source: Source, folder: Path, options: Options, progress: Progress) -> Written:
    """Twenty-four hourly matrices, `day` and `distance_km`, and the lookup of zones."""
    del options
    h5py, sums = _h5py(), Sums()
    for block in source.blocks(progress):
        sums.add(cells(block, source), weights(block, block.trips))
    labels = source.zoning.labels
    n = len(labels)
    numbers = np.arange(n)
    image = io.BytesIO()  # HDF5 ends the process when a disk is full: it writes into memory, and the bytes go to the disk as any others
    with h5py.File(image, "w", libver=("earliest", "v110")) as file:
        file.attrs["OMX_VERSION"] = np.bytes_(b"0.2")
        file.attrs["SHAPE"] = np.array([n, n], dtype=np.int32)
        for name, value in stated(source, CRS, UNITS).items():
            file.attrs[name] = np.bytes_(value.encode())
        file.create_group("lookup").create_dataset("zone_number", data=(numbers + 1).astype(np.uint32))
        _write_matrices(file.create_group("data"), sums, n, source)
    (folder / MATRICES).write_bytes(image.getbuffer())
    pc.write_csv(pa.table({"zone_number": numbers + 1, "zone_id": list(labels)}), folder / ZONES)
    note = "Trips of people who are outside at one end stand in the row or column of `outside`, the last."
    return Written({MATRICES: (HOURS + 2) * n * n, ZONES: n}, UNITS, CRS, source.period.timezone, (note,))


def _write_matrices(group: Any, sums: Sums, n: int, source: Source) -> None:
    """One matrix at a time, so that no more than three are in memory."""
    found, people = sums.total()
    starts = np.searchsorted(found, np.arange(HOURS + 1) * n * n)
    day = np.zeros(n * n)
    for hour in range(HOURS):
        here = slice(starts[hour], starts[hour + 1])
        trips = np.zeros(n * n)
        trips[found[here] - hour * n * n] = people[here] / source.period.days
        day += trips
        _write(group, f"hour_{hour:02d}", trips.reshape(n, n), UNITS["hour_00 to hour_23"])
    _write(group, "day", day.reshape(n, n), UNITS["day"])
    distances = group.create_dataset("distance_km", (n, n), dtype=np.float64, **_layout(n))
    numbers = np.arange(n)
    for row in range(n):
        distances[row] = source.zoning.distances_km(row, numbers)
    distances.attrs["units"] = np.bytes_(b"km")


def _write(group: Any, name: str, matrix: FloatArray, units: str) -> None:
    made = group.create_dataset(name, data=matrix, **_layout(len(matrix)))
    made.attrs["synthetic"], made.attrs["units"] = np.bytes_(b"true"), np.bytes_(units.encode())


def _layout(n: int) -> dict[str, Any]:
    """Chunks and zlib, as the specification wants: PyTables finds only chunked matrices."""
    return {"chunks": (min(n, max(1, 32_768 // n)), n), "compression": "gzip", "compression_opts": 1, "track_times": False}


OMX = Exporter(
    "omx", "hourly OD matrices in the Open Matrix format", ("openmatrix", "Emme", "Visum", "TransCAD", "omxr"), (MATRICES, ZONES),
    write)
