"""DITRAS or DensityEPR of scikit-mobility, run in its own environment: MODEL FOLDER AGENTS DAYS LEARNERS.

FOLDER holds zones.geojson (zone_id, relevance), days.csv (uid, datetime, zone_id: a row a stay) and homes.csv (the zone in which each
agent starts, a row an agent); made.csv (uid, datetime, zone: its row in zones.geojson) and seconds.json (CPU) are left there.
DITRAS's diaries are learnt from the first LEARNERS people. MODEL is ditras, epr, or either with `-itself`: then the package makes its
sparse matrix of trip probabilities by itself, its default; otherwise that is made whole before the clock starts, which is faster.
"""

import json
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from skmob import TrajDataFrame
from skmob.models.epr import DensityEPR, Ditras, populate_od_matrix
from skmob.models.gravity import Gravity
from skmob.models.markov_diary_generator import MarkovDiaryGenerator
from skmob.utils import utils

model, folder, agents, days, learners = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
zones = gpd.read_file(folder / "zones.geojson")
seconds = {}
model, _, itself = model.partition("-")
points = zones.geometry.apply(utils.get_geom_centroid, args=[True]).values
gravity = Gravity(gravity_type="singly constrained")
trips = None
if not itself:
    trips = np.array([populate_od_matrix(k, points, zones.relevance.values, gravity) for k in range(len(zones))])

start = pd.Timestamp("2026-03-02")
if model == "ditras":
    known = pd.read_csv(folder / "days.csv", parse_dates=["datetime"])
    known = TrajDataFrame(known.assign(lat=0.0, lng=0.0), user_id="uid", datetime="datetime", latitude="lat", longitude="lng")
    diary = MarkovDiaryGenerator()
    clock = time.process_time()
    diary.fit(known, learners, lid="zone_id")
    seconds["fit"] = time.process_time() - clock
    mover = Ditras(diary)
else:
    mover = DensityEPR()
homes = pd.read_csv(folder / "homes.csv").zone.tolist()[:agents]
clock = time.process_time()
made = mover.generate(
    start, start + pd.Timedelta(days=days), zones, n_agents=agents, starting_locations=homes[::-1], od_matrix=trips,
    relevance_column="relevance", random_state=1)  # fmt: skip
seconds["generate"] = time.process_time() - clock
row = {tuple(np.round(point, 9)): k for k, point in enumerate(points)}
zone = [row[tuple(np.round(point, 9))] for point in zip(made.lat, made.lng, strict=True)]
pd.DataFrame({"uid": made.uid.to_numpy(), "datetime": made.datetime.to_numpy(), "zone": zone}).to_csv(folder / "made.csv", index=False)
(folder / "seconds.json").write_text(json.dumps(seconds))
