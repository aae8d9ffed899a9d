"""dp_mobility_report's noisy tables beside the same tables of our people: `uv run python tests/benchmarks/noisy_marginals.py ENV`.

ENV is made by `peer_environments/dpmr.sh`. It releases tables and generates nobody, so its own code counts all three: the records without
privacy, the truth; the records at epsilon for a user, spent on these three tables alone; and our people, of a release at epsilon that was
spent on all tables of the standard plan. It claims epsilon with delta 0, which is more than (epsilon, 1e-6). Total variation distances.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import limited
import pandas as pd

from synthmob import Plan, fit, generate, worlds, write
from synthmob.plan import STANDARD
from synthmob.private.curator import Curator
from synthmob.zones import Zoning

RUN = Path(__file__).parent / "peer_environments" / "run_dpmr.py"
LIMIT_S = 900
"""CPU seconds that it may take."""
TRIPS = (2, 5)
"""How many trips of a person dp_mobility_report looks at; its noise grows with it."""


def ends(stays: pd.DataFrame, zoning: Zoning) -> pd.DataFrame:
    """A row an end of a trip, as dp_mobility_report wants it; stays outside the zoning have none."""
    place = dict(zip(zoning.ids, zoning.lonlat, strict=True))
    stays = stays.sort_values(["person_id", "day", "seq"])
    before = stays.groupby(["person_id", "day"])[["zone_id", "end_min"]].shift()
    trips = stays.assign(origin=before.zone_id, leaves=before.end_min).dropna(subset=["origin", "zone_id"])
    parts = []
    for zone, minute in (("origin", "leaves"), ("zone_id", "start_min")):
        points = [place[z] for z in trips[zone]]
        parts.append(pd.DataFrame({
            "uid": trips.person_id, "tid": trips.seq + 100 * trips.day, "tile_id": trips[zone],
            "datetime": pd.Timestamp("2026-03-02") + pd.to_timedelta(trips.day * 1440 + trips[minute], unit="min"),
            "lat": [p[1] for p in points], "lng": [p[0] for p in points]}))  # fmt: skip
    return pd.concat(parts)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", type=Path)
    parser.add_argument("--subscribers", type=int, default=20_000)
    parser.add_argument("--epsilon", type=float, default=1.0)
    a = parser.parse_args()
    world = worlds.london(a.subscribers, 1, seed=1, h3_resolution=6)
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch)
        world.write(top / "records", events=False)
        release = Curator.of(top / "records", world.zoning).measure(Plan(a.epsilon, 1e-6, requests=STANDARD))
        out = write(generate(fit(release, world.zoning), n_persons=a.subscribers, days=1, seed=1), top / "out", workers=1)
        true = pd.read_parquet(top / "records" / "stays.parquet").rename(columns={"subscriber_id": "person_id"})
        ends(true, world.zoning).to_csv(top / "records.csv", index=False)
        ends(pd.read_parquet(out / "stays"), world.zoning).to_csv(top / "ours.csv", index=False)
        found = {}
        for trips in TRIPS:
            zones = top / "records" / "zones.geojson"
            words = [a.environment / "bin" / "python", RUN, top / "records.csv", top / "ours.csv", zones, a.epsilon, trips]
            printed, took_s = limited.run(words, LIMIT_S)
            print(f"dp_mobility_report, {trips} trips a person: {took_s:.0f} CPU s", flush=True)
            said = json.loads(printed.splitlines()[-1])
            found[f"dp_mobility_report, {trips} trips a person"] = said["dp_mobility_report"]
        found = {"synthmob": said["ours"], **found}
    print(f"{a.subscribers:,} subscribers, {world.zoning.n_zones} zones, one day, epsilon {a.epsilon:g}")
    print("| table, share misplaced | " + " | ".join(found) + " |\n|---|" + "---:|" * len(found))
    for table in said["ours"]:
        print(f"| {table} | " + " | ".join(f"{side[table]:.4f}" for side in found.values()) + " |")


if __name__ == "__main__":
    main()
