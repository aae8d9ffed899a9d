"""A town on a grid, with people put where a known law puts them: what a model is fitted on when its answer is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from synthmob.domain import Domain
from synthmob.model.geography import Geography
from synthmob.period import Period
from synthmob.zones import Level, Zoning

SIDE = 6
ZONES, DISTRICTS = SIDE * SIDE, 4
STEP_DEG = 0.02
DAY = Period.of("2026-03-02", 1)
DOMAIN = Domain(distance_edges_km=(0.0, 1.0, 2.5, 4.0, 6.0, 9.0))
GROUPS = [(sex, age) for sex in ("female", "male") for age in ("16-24", "25-34", "65+")]


def zoning(*, strips: bool = False) -> Zoning:
    """36 squares of about 1.4 by 2.2 km in four districts, and strips of three squares between where asked."""
    row, column = np.divmod(np.arange(ZONES), SIDE)
    shapes = [shapely.box(c * STEP_DEG, 51.5 + r * STEP_DEG, (c + 1) * STEP_DEG, 51.5 + (r + 1) * STEP_DEG)
              for r, c in zip(row.tolist(), column.tolist(), strict=True)]  # fmt: skip
    ids = tuple(f"z{k:02d}" for k in range(ZONES))
    between = (Level("strip", tuple(f"s{k:02d}" for k in range(ZONES // 3)), np.arange(ZONES) // 3),) if strips else ()
    levels = (Level("zone", ids, np.arange(ZONES)), *between, Level("district", tuple("ABCD"), (row // 3) * 2 + column // 3))
    return Zoning(ids, np.array(shapes, dtype=object), levels)


def geography(town: Zoning, flow_level: str = "district") -> Geography:
    return replace(Geography.of(town, DOMAIN), flow_level=flow_level)


def commuters(n: int, seed: int, *, town: Zoning, unknown: float = 0.0) -> tuple[pa.Table, dict[str, Any]]:
    """PERSONS: homes thin out from the middle, two in three work, near by or in the centre; and the same as arrays.

    A share `unknown` of those without work have no known home.
    """
    rng = np.random.default_rng(seed)
    place = geography(town)
    size = np.append(rng.lognormal(0, 0.7, ZONES), 0.02)
    jobs = np.append(rng.lognormal(0, 1.0, ZONES), 0.05)
    home = rng.choice(ZONES + 1, n, p=size / size.sum())
    pull = jobs[None, :] * np.exp(-0.6 * place.bands)
    cumulative = np.cumsum(pull, axis=1)
    work = (cumulative[home] <= (rng.random(n) * cumulative[home, -1])[:, None]).sum(axis=1)
    district = place.parents["district"][home]
    group = (rng.random(n) * 6 * (0.6 + 0.1 * district)).astype(int).clip(0, 5)  # each district its own mix
    works = rng.random(n) < np.where(group % 3 == 2, 0.1, 0.8)
    work = np.where(works, work, -1)
    lost = ~works & (rng.random(n) < unknown)
    labels = np.array([*town.labels, "unknown"], dtype=object)
    table = pa.table({
        "person_id": np.arange(n), "sex": [GROUPS[g][0] for g in group], "age_band": [GROUPS[g][1] for g in group],
        "worker": np.where(works, "yes", "no"), "home_zone": labels[np.where(lost, -1, home)].tolist(),
        "work_zone": pa.array([labels[w] if w >= 0 else None for w in work], pa.string()),
    })  # fmt: skip
    return table, {"home": home, "work": work, "group": group, "works": works, "lost": lost}


def at_home(persons: pa.Table) -> pa.Table:
    """STAYS: everybody stays at home all day."""
    n = persons.num_rows
    return pa.table({
        "person_id": persons["person_id"], "day": np.zeros(n, np.int32), "seq": np.zeros(n, np.int32), "purpose": ["home"] * n,
        "zone_id": persons["home_zone"], "start_min": np.zeros(n, np.int32), "end_min": np.full(n, 1440, np.int32)})  # fmt: skip
