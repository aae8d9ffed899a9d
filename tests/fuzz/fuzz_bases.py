"""Small and right: one of everything that a stranger may send, or an owner keep, for the fuzzers to spoil."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from synthmob import manifest, modelfile
from synthmob.dataset.facts import Said
from synthmob.dataset.licences import licence
from synthmob.domain import Domain
from synthmob.fidelity.result import Fidelity, Finding, TableFit
from synthmob.model import mobility
from synthmob.period import Period
from synthmob.pipeline.packing import pack
from synthmob.plan import Plan, Request
from synthmob.private.curator import Curator
from synthmob.release import Release
from synthmob.synthesis.days import generate
from synthmob.synthesis.writer import write as write_out
from synthmob.zonefiles import read_zoning, write_zoning
from synthmob.zones import Zoning

PERIOD = Period.of("2026-03-06", 2, "Europe/London")
TOLD = 'first_day = 2026-03-06\ndays = 2\ntimezone = "Europe/London"\n'
PLAN_FILE = """min_group = 20

[domain]
sex = ["female", "male", "other"]
purposes = ["home", "work", "shop", "other"]
distance_edges_km = [0, 1.5, 4, 12.5]
max_chain_stays = 4

[tables."home@district"]
share = 0.5

[tables.chains]
share = 2.0
bound_l2 = 1.5
"""
SUBSCRIBERS = 40
CANARY = "canary-7f3a91"
"""Every id of a subscriber begins so: no message may."""
COUNTED = ("demographics", "home@district", "home_work@below", "presence@district", "chains", "stays_per_day")
DOMAIN = Domain(purposes=("home", "work", "other"), max_chain_stays=3)


@dataclass(frozen=True)
class Bases:
    """Folders and files under `top`, by kind, and the zoning of all of them."""

    top: Path
    zoning: Zoning

    def __getitem__(self, kind: str) -> Path:
        return self.top / kind


def plan(names: tuple[str, ...] = COUNTED) -> Plan:
    """A plan of a few small tables, at a budget that leaves cells to see."""
    requests = tuple(r for r in Plan.standard().requests if r.name in names)
    return Plan(200.0, 1e-6, 10, requests, DOMAIN)


SHORT_PLAN = Plan(200.0, 1e-6, 10, (Request("home", "district", 1.0), Request("stays_per_day", "", 1.0, 1.0, per_day_type=True)), DOMAIN)
"""Two tables: enough to read all records to their end."""


def make(top: Path) -> Bases:
    """Write everything; takes a few seconds."""
    top.mkdir(parents=True, exist_ok=True)
    _zones(top)
    zoning = read_zoning(top / "geojson" / "zones.geojson")
    (top / "geoparquet").mkdir()
    write_zoning(zoning, top / "geoparquet" / "zones.parquet")
    for suffix in (".parquet", ".csv"):
        _records(top / f"records{suffix}", suffix)
    Curator.of(top / "records.parquet", zoning).measure(plan()).save(top / "release")
    _published(zoning).save(top / "published")
    modelfile.save(mobility.fit(_published(zoning), zoning), top / "model")
    origin = {"release": {"name": "published", "sha256": manifest.digest(top / "published")}}
    write_out(generate(modelfile.load(top / "model"), n_persons=30, days=2, seed=1), top / "out", origin=origin)
    pack(top / "out", top / "published", top / "dataset", Said("A dataset", licence("CC0-1.0")))
    for kind, name, text in (("plan", "plan.toml", PLAN_FILE), ("period", "period.toml", TOLD), ("check", "check.json", _check())):
        (top / kind).mkdir()
        (top / kind / name).write_text(text, encoding="utf-8")
    return Bases(top, zoning)


def _zones(top: Path) -> None:
    (top / "geojson").mkdir()
    boxes = [shapely.box(-0.1 + k / 50, 51.5, -0.08 + k / 50, 51.52) for k in range(6)]
    features = [{
        "type": "Feature", "geometry": shapely.geometry.mapping(box),
        "properties": {"zone_id": f"z{k}", "district_id": f"d{k // 3}", "level_block": f"b{k // 2 + k // 3}", "sensitive": k == 5}}
        for k, box in enumerate(boxes)]  # fmt: skip
    (top / "geojson" / "zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


def _records(folder: Path, suffix: str) -> None:
    """Forty subscribers, three stays on each of two days, and events that say the same."""
    folder.mkdir()
    ids = [f"{CANARY}-{k:03d}" for k in range(SUBSCRIBERS)]
    people = pd.DataFrame({"subscriber_id": ids, "sex": ["female", "male"] * 20, "age_band": ["25-34"] * 20 + ["65+"] * 20})
    day = (("home", 0, 480), ("work", 510, 1000), ("home", 1030, 1440))
    stays = pd.DataFrame(
        [(who, d, seq, purpose, f"z{(k + seq % 2) % 5}", start, end)
         for k, who in enumerate(ids) for d in (0, 1) for seq, (purpose, start, end) in enumerate(day)],
        columns=["subscriber_id", "day", "seq", "purpose", "zone_id", "start_min", "end_min"])  # fmt: skip
    events = pd.DataFrame(
        [(who, f"2026-03-0{6 + d} {hour:02d}:00:00", f"z{(k + (8 < hour < 17)) % 5}")
         for k, who in enumerate(ids[:10]) for d in (0, 1) for hour in (1, 7, 9, 12, 16, 19, 23)],
        columns=["subscriber_id", "time", "zone_id"])  # fmt: skip
    for name, table in (("subscribers", people), ("stays", stays), ("events", events)):
        path = folder / f"{name}{suffix}"
        table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path, index=False)
    (folder / "period.toml").write_text(TOLD, encoding="utf-8")


def _published(zoning: Zoning) -> Release:
    """Commuters between five zones, as a census would print them."""
    rng = np.random.default_rng(1)
    flows = pd.DataFrame({"home": np.repeat(zoning.ids, len(zoning.ids)), "work": list(zoning.ids) * len(zoning.ids)})
    flows["n"] = rng.integers(10, 900, len(flows))
    return Release.from_tables(
        {"home_work@zone": flows}, zoning=zoning, threshold=1, universe="commuters", source="nobody", licence="none")


def _check() -> str:
    metrics = tuple(
        Finding.of(name=f"metric_{k}", title=f"A metric {k}", word="anchors", unit="share", value=0.03, floor=0.02, baseline=0.5,
                   tolerance=0.01, best=0.0, direction="lower") for k in range(3))  # fmt: skip
    table = TableFit("home@district", 8, 1.2, 1.0, 0.03, 0.02, 0.01, 0.2, 1.5, 2, 0)
    return json.dumps(Fidelity("outside", False, 100, metrics, (table,), ("a note",)).as_json())
