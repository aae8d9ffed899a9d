"""Ways to look at the cells of a feature: sums over columns, areas of a coarser level, what moves, grids by group.

A view sends each cell to one reduced cell, or to none. It depends on public things alone, so one view serves the truth,
its resamples, the synthetic side and the baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from synthmob.counts.modes import LEFT
from synthmob.counts.routines import PLACE_RANKS
from synthmob.domain import Domain, bin_labels
from synthmob.fidelity.align import Cells, IntArray, sums
from synthmob.fidelity.density import area_distances_km, map_level
from synthmob.fidelity.features import STEP_KM
from synthmob.fidelity.motifs import motif_of
from synthmob.fidelity.sides import FloatArray
from synthmob.zones import Zoning

ZONE_COLUMNS = ("home", "work", "origin", "destination", "zone")


@dataclass(frozen=True)
class Scene:
    """The public things that a view depends on; `shares` weigh the period's day types in an average day."""

    zoning: Zoning
    domain: Domain
    shares: FloatArray


@dataclass(frozen=True)
class View:
    """`index` is each cell's reduced cell, -1 for none, shape (cells,); reduced counts have `shape`.

    `groups` names the first axis where the shape has two; `scale` multiplies each cell before it is summed; `km` are the
    distances between the areas of the last axis, for scores that need them.

    """

    index: IntArray
    shape: tuple[int, ...]
    groups: tuple[str, ...] = ()
    scale: FloatArray | None = None
    km: FloatArray | None = None

    def __call__(self, counts: FloatArray) -> FloatArray:
        """The reduced counts of counts per cell."""
        scaled = counts if self.scale is None else counts * self.scale
        kept = self.index >= 0
        size = int(np.prod(self.shape))
        return sums(self.index[kept], scaled[kept], size).reshape(self.shape)


Look = Callable[[Cells, Scene], View]


def areas(cells: Cells, scene: Scene, column: str, level: str) -> IntArray:
    """A column's codes; of a zone column the area of each zone at a level, `outside` and `unknown` after the areas."""
    codes = cells.codes[column]
    if column not in ZONE_COLUMNS or level == "zone":
        return codes
    parents = scene.zoning.parent_of(level)
    return np.append(parents, parents[-1] + 1)[codes]


def by(*columns: str, level: str = "zone", apart: bool = False, hourly: bool = False) -> Look:
    """Sums over all columns but these; `apart` leaves out cells whose last two columns are equal (the diagonal).

    With `hourly` the counts are those of one day of each type instead of their part in an average day.

    """

    def look(cells: Cells, scene: Scene) -> View:
        parts = [areas(cells, scene, column, level) for column in columns]
        keep = parts[-1] != parts[-2] if apart else np.ones(cells.size, dtype=np.bool_)
        rows, index = _distinct(parts, cells.size)
        scale = None
        if hourly:
            share = scene.shares[cells.codes["day_type"]]
            scale = np.divide(1.0, share, out=np.zeros_like(share), where=share > 0)
        return View(np.where(keep, index, -1), (len(rows),), scale=scale)

    return look


def grid(column: str, *, within: tuple[str, ...] = ()) -> Look:
    """A dense grid of a whole-number column, shape (groups, longest + 1), grouped by the columns `within`."""

    def look(cells: Cells, scene: Scene) -> View:
        values = cells.codes[column]
        length = int(values.max(initial=0)) + 1
        rows, group = _distinct([cells.codes[name] for name in within], cells.size)
        names = tuple(_group_name(within, row, scene.domain) for row in rows)
        return View(group * length + values, (len(rows), length), groups=names)

    return look


def distance_bands() -> Look:
    """The distance bands of the domain, from a column `km` in steps of 10 m."""

    def look(cells: Cells, scene: Scene) -> View:
        # Half a step inward: a length printed as 0.50 km belongs to the band that starts at 0.5, whatever its binary
        # fraction.
        inner = np.asarray(scene.domain.distance_edges_km[1:]) / STEP_KM - 0.5
        return View(np.searchsorted(inner, cells.codes["km"], side="right"), (len(inner) + 1,))

    return look


def hourly_maps() -> Look:
    """People by hour and area, shape (hours, areas), with the distances between these; who is outside is on no map."""

    def look(cells: Cells, scene: Scene) -> View:
        level = map_level(scene.zoning)
        km = area_distances_km(scene.zoning, level)
        area, hour = areas(cells, scene, "zone", level), cells.codes["hour"]
        return View(np.where(area < len(km), hour * len(km) + area, -1), (int(hour.max(initial=0)) + 1, len(km)), km=km)

    return look


def motifs() -> Look:
    """The motif that each day's walk draws."""

    def look(cells: Cells, scene: Scene) -> View:
        del scene
        drawn = np.array([motif_of(text) for text in cells.texts["walk"]], dtype=np.int64)
        found, index = np.unique(drawn, return_inverse=True)
        return View(index.astype(np.int64)[cells.codes["walk"]], (len(found),))

    return look


def _distinct(parts: Sequence[IntArray], cells: int) -> tuple[IntArray, IntArray]:
    """The distinct rows of some columns in order, shape (rows, columns), and the rank of every row, shape (cells,)."""
    sizes = [int(part.max(initial=0)) + 1 for part in parts]
    flat = np.zeros(cells, dtype=np.int64)
    for part, size in zip(parts, sizes, strict=True):
        flat = flat * size + part
    found, index = np.unique(flat, return_inverse=True)
    rows = np.empty((len(found), len(parts)), dtype=np.int64)
    for column in range(len(parts) - 1, -1, -1):
        found, rows[:, column] = np.divmod(found, sizes[column])
    return rows, index.astype(np.int64)


def _group_name(columns: Sequence[str], codes: IntArray, domain: Domain) -> str:
    labels = {
        "sex": domain.sex,
        "age_band": domain.age_band,
        "worker": ("worker", "no worker"),
        "purpose": domain.purposes,
        "k": PLACE_RANKS,
        "mode": domain.modes,
        "distance": (*bin_labels(domain.distance_edges_km), "outside"),
        "left": LEFT,
    }
    return " ".join(labels[column][code] for column, code in zip(columns, codes, strict=True))
