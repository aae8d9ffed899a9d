"""A small city whose records are planted lives too, and tables of contributions written by hand."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import shapely

from synthmob.accounting import FIXED_POINT, sigma_for
from synthmob.audit.planted import plant
from synthmob.counts import Contributions
from synthmob.domain import Axis, Domain
from synthmob.period import Period
from synthmob.zonelevels import level_of, zone_level
from synthmob.zones import Zoning

MONDAY = Period(datetime.date(2026, 3, 2), 1, "Europe/London")
SIDE = 6


def city() -> Zoning:
    """36 squares of some 2 km, four to a district."""
    cells = [(i, j) for j in range(SIDE) for i in range(SIDE)]
    shapes = [shapely.box(-0.2 + 0.03 * i, 51.4 + 0.02 * j, -0.17 + 0.03 * i, 51.42 + 0.02 * j) for i, j in cells]
    ids = [f"z{k}" for k in range(len(cells))]
    district = level_of("district", [f"d{i // 2}{j // 2}" for i, j in cells])
    return Zoning(tuple(ids), np.array(shapes, dtype=object), (zone_level(ids), district))


CITY = city()


def records(folder: Path, n: int, period: Period = MONDAY, *, without: tuple[str, ...] = (), seed: int = 1) -> Path:
    """Records of `n` subscribers; `without` are files and columns of the stays to leave out."""
    plant(n, CITY, period, Domain(), np.random.default_rng(seed)).write(folder, everyone=True)
    for name in without:
        if (folder / f"{name}.parquet").exists():
            (folder / f"{name}.parquet").unlink()
        else:
            stays = pq.read_table(folder / "stays.parquet")
            pq.write_table(stays.drop_columns([name]), folder / "stays.parquet")
    said = f"first_day = {period.first_day}\ndays = {period.days}\ntimezone = '{period.timezone}'\n"
    (folder / "period.toml").write_text(said, encoding="utf-8")
    return folder


def table(weights: np.ndarray, bound_l2: float, rho: float, name: str = "table") -> Contributions:
    """Contributions of weights (persons, cells), in persons, to a table that may cost `rho`."""
    persons, cells = np.nonzero(weights)
    fixed = np.rint(weights[persons, cells] * FIXED_POINT).astype(np.int64)
    axes = (Axis("cell", tuple(f"c{k}" for k in range(weights.shape[1]))),)
    return Contributions(name, axes, len(weights), persons, cells, fixed, bound_l2, sigma_for(bound_l2, rho))
