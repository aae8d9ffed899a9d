"""dp_mobility_report on two sets of trips, in its own environment: RECORDS.csv OURS.csv ZONES.geojson EPSILON TRIPS.

Both files have a row an end of a trip (uid, tid, datetime, lat, lng, tile_id). The report of the records without privacy is the truth;
beside it stand the report of the records at EPSILON for a user, TRIPS of whose trips are looked at, and the report without privacy of OURS.
Prints JSON: of every table the total variation distance of its shares from the truth's, {"dp_mobility_report": ..., "ours": ...}.
"""

import json
import sys
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
from dp_mobility_report import DpMobilityReport  # noqa: E402

records, ours, zones, epsilon, trips = sys.argv[1:]
TABLES = {
    "visits_per_tile": (["tile_id"], "visits"), "od_flows": (["origin", "destination"], "flow"),
    "trips_per_hour": (["hour", "time category"], "perc"),
}  # fmt: skip


def shares(file, budget, most):
    """The shares of every table's cells; the budget is split evenly."""
    tiles = gpd.read_file(zones).rename(columns={"zone_id": "tile_id"})[["tile_id", "geometry"]]
    given = pd.read_csv(file, parse_dates=["datetime"])
    report = DpMobilityReport(
        given, tiles, privacy_budget=budget, max_trips_per_user=most, analysis_selection=list(TABLES), disable_progress_bar=True,
    ).report  # fmt: skip
    out = {}
    for name, (keys, value) in TABLES.items():
        cells = report[name].data.groupby(keys)[value].sum().clip(lower=0)
        out[name] = cells / cells.sum()
    return out


def tvd(one, other):
    """Half of the sum of differences, cells that one side lacks counted as 0."""
    both = pd.concat([one, other], axis=1).fillna(0).to_numpy()
    return float(np.abs(both[:, 0] - both[:, 1]).sum() / 2)


every = 1_000
truth = shares(records, None, every)
sides = {"dp_mobility_report": shares(records, float(epsilon), int(trips)), "ours": shares(ours, None, every)}
print(json.dumps({name: {table: tvd(truth[table], side[table]) for table in TABLES} for name, side in sides.items()}))
