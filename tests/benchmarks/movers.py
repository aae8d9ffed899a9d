"""scikit-mobility's DITRAS and DensityEPR on our records, in their own environment (`peer_environments/skmob.sh`).

They move agents between zones and know nothing of sex, age, work or purpose. Each agent gets the exact home zone of one subscriber, a
zone's relevance is its exact number of stays, and DITRAS's diaries are learnt from the records: nothing of this is private. Their clock
has hours: a stay begins at a minute of its hour that is drawn evenly, and a trip takes one minute, for the models have no travel.
"""

from __future__ import annotations

import json
from pathlib import Path

import limited
import numpy as np
import pandas as pd

from synthmob.fidelity.sides import Tables
from synthmob.zones import Zoning

RUN = Path(__file__).parent / "peer_environments" / "run_skmob.py"
LEARNERS = 5_000
START = pd.Timestamp("2026-03-02")


def prepare(folder: Path, zoning: Zoning, homes: pd.Series, stays: pd.DataFrame) -> None:
    """Write what `run_skmob.py` reads: public shapes, stays with `person_id`, `day`, `start_min` and `zone_id`, and where agents start."""
    import geopandas as gpd

    folder.mkdir(parents=True, exist_ok=True)
    seen = stays.zone_id.value_counts().reindex(list(zoning.ids)).fillna(0).to_numpy()
    shapes = gpd.GeoDataFrame({"zone_id": zoning.ids, "relevance": seen}, geometry=list(zoning.geometry), crs=4326)
    shapes.to_file(folder / "zones.geojson", driver="GeoJSON")
    row = {zone: k for k, zone in enumerate(zoning.ids)}
    homes.map(row).dropna().astype(int).rename("zone").to_csv(folder / "homes.csv", index=False)
    times = START + pd.to_timedelta(stays.day * 1440 + stays.start_min, unit="min")
    days = pd.DataFrame({"uid": stays.person_id, "datetime": times, "zone_id": stays.zone_id.fillna("outside")})
    days.to_csv(folder / "days.csv", index=False)


def run(environment: Path, folder: Path, model: str, agents: int, days: int, limit_s: int, learners: int = LEARNERS) -> dict[str, float]:
    """CPU seconds of fitting the diaries and of generating; the agents' stays are left in FOLDER."""
    words = [environment / "bin" / "python", "-W", "ignore", RUN, model, folder, agents, days, learners]
    limited.run(words, limit_s)
    return json.loads((folder / "seconds.json").read_text())


def people(folder: Path, zoning: Zoning) -> Tables:
    """PERSONS and STAYS of one day of the agents, all of one sex, age and purpose."""
    made = pd.read_csv(folder / "made.csv", parse_dates=["datetime"]).sort_values(["uid", "datetime"], kind="stable")
    made = made[made.datetime < START + pd.Timedelta(days=1)]
    minute = (made.datetime - START).dt.total_seconds().to_numpy() // 60
    jitter = np.random.default_rng(1).integers(0, 60, len(made))
    first = ~made.uid.duplicated().to_numpy()
    # DITRAS's hours are whole; DensityEPR's times have minutes of their own.
    begins = np.where(first, 0, np.where(minute % 60 == 0, minute + jitter, minute)).astype(int)
    stays = pd.DataFrame({"person_id": made.uid.to_numpy(), "day": 0, "zone": made.zone.to_numpy(), "start_min": np.minimum(begins, 1438)})
    stays = stays.sort_values(["person_id", "start_min"], kind="stable")
    same = (stays.zone == stays.zone.shift()) & (stays.person_id == stays.person_id.shift())
    stays = stays[~same & ~stays.duplicated(["person_id", "start_min"], keep="last")]
    follows = stays.person_id.shift(-1) == stays.person_id
    stays["end_min"] = np.where(follows, stays.start_min.shift(-1) - 1, 1440)
    stays = stays[stays.end_min > stays.start_min]
    stays["seq"] = stays.groupby("person_id").cumcount()
    stays["purpose"], stays["zone_id"] = "other", [zoning.ids[k] for k in stays.zone]
    homes = stays[stays.seq == 0].set_index("person_id").zone_id
    persons = pd.DataFrame({"person_id": homes.index, "sex": "other", "age_band": "other", "worker": "no", "home_zone": homes.to_numpy(),
                            "work_zone": None})  # fmt: skip
    return Tables(persons, stays.drop(columns="zone"))
