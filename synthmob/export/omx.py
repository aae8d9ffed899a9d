"""Open Matrix (OMX, HDF5): trips between zones, one matrix an hour of departure and one of the whole day, means of a day of the period.

OMX wants zones as whole numbers: the mapping `zone_number` counts from 1 in the order of `zones.csv`, which names them. The zone
after the last is `outside`. Read with `openmatrix.open_file(...)`, Emme, Visum, TransCAD, or R's omxr.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openmatrix
import pyarrow as pa
import pyarrow.csv as pc

from synthmob.export.exporter import Exporter, Options, Progress, Written
from synthmob.export.rows import weights, zone_codes
from synthmob.export.source import Source
from synthmob.synthesis.tables import SYNTHETIC

MATRICES, ZONES = "trips.omx", "zones.csv"
HOURS = 24


def write(source: Source, folder: Path, options: Options, progress: Progress) -> Written:
    """Twenty-four hourly matrices, `day` and `distance_km`, and the lookup of zones."""
    del options
    labels, done = source.zoning.labels, 0
    n = len(labels)
    trips = np.zeros((HOURS, n, n))
    for block in source.blocks():
        t = block.trips
        hour = np.minimum(t["depart_min"].to_numpy() // 60, HOURS - 1).astype(np.int64)
        cells = (hour * n + zone_codes(source, t["origin_zone"])) * n + zone_codes(source, t["destination_zone"])
        trips += np.bincount(cells, weights=weights(block, t), minlength=HOURS * n * n).reshape(HOURS, n, n)
        done += len(block.persons)
        progress(done, source.n_persons)
    trips /= source.period.days
    everywhere = np.arange(n)
    with openmatrix.open_file(str(folder / MATRICES), "w") as file:
        file.create_mapping("zone_number", (everywhere + 1).tolist())
        for hour in range(HOURS):
            file.create_matrix(f"hour_{hour:02d}", obj=trips[hour], attrs=SYNTHETIC)
        file.create_matrix("day", obj=trips.sum(axis=0), attrs=SYNTHETIC)
        file.create_matrix("distance_km", obj=source.zoning.distances_km(everywhere[:, None], everywhere[None, :]))
    pc.write_csv(pa.table({"zone_number": everywhere + 1, "zone_id": list(labels)}), folder / ZONES)
    units = {"hour_00 to hour_23": "trips a day that depart in that local hour", "day": "trips a day", "distance_km": "km"}
    note = "Trips of people who are outside at one end stand in the row or column of `outside`."
    rows = {MATRICES: (HOURS + 2) * n * n, ZONES: n}
    return Written(rows, units, "none: zones.csv names the zones", source.period.timezone, (note,))


OMX = Exporter(
    "omx", "hourly OD matrices in the Open Matrix format", ("openmatrix", "Emme", "Visum", "TransCAD", "omxr"), (MATRICES, ZONES),
    write)
