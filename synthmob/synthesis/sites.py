"""Antenna sites: a public list, or points drawn apart from one another inside every zone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from synthmob import parquetfiles, seeds
from synthmob.errors import FormatError, InputError
from synthmob.parquetfiles import Bounds
from synthmob.synthesis.points import INWARD, Triangles
from synthmob.zones import Zoning

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
NEIGHBOURS = 6
CANDIDATES = 8
MOST_SITES, LONGEST_ID = 2_000_000, 200
MOST_A_ZONE = 1_000
BOUNDS = Bounds(columns=200, page_bytes=64 << 20, unpacked_bytes=1 << 30)


@dataclass(frozen=True)
class Sites:
    """Sites in order of their zones: labels, `lonlat` (sites, 2) degrees, `zone`, `first` (zones + 2,) so that site first[z] to
    first[z + 1] - 1 are those of zone z, and `neighbours` (sites, k), the nearest others."""

    labels: tuple[str, ...]
    lonlat: FloatArray
    zone: IntArray
    first: IntArray
    neighbours: IntArray

    @cached_property
    def shrink(self) -> float:
        """A degree of longitude in degrees of latitude."""
        return _shrink(self.lonlat[:, 1])

    def flat(self, lonlat: FloatArray) -> FloatArray:
        """Points on a plane on which the nearest site is the nearest."""
        return lonlat * np.array([self.shrink, 1.0])

    @cached_property
    def _tree(self) -> Any:
        return _tree_of(self.flat(self.lonlat))

    def prepare(self) -> Sites:
        """Lay out everything that blocks share, so that threads find it done."""
        _ = self._tree
        return self

    def nearest(self, lonlat: FloatArray) -> IntArray:
        """The nearest site of every point, shape (points,)."""
        return _nearest(self._tree, self.flat(lonlat), [1])[:, 0]


def drawn(zoning: Zoning, seed: int, a_zone: int) -> Sites:
    """So many sites inside every zone, each the one of eight points that is farthest from those before it (Mitchell 1991,
    doi:10.1145/122718.122736)."""
    from synthmob.synthesis import kernel

    if type(a_zone) is not int or not 1 <= a_zone <= MOST_A_ZONE:
        raise InputError(f"The number of sites in a zone is {a_zone!r}: give a whole number from 1 to {MOST_A_ZONE}.")
    t, key, n = Triangles.of(zoning), seeds.stage_key(seed, "sites"), zoning.n_zones
    chosen = np.empty((n, a_zone, 2))
    everywhere = np.arange(n)
    for k in range(a_zone):
        number = np.arange(CANDIDATES) + CANDIDATES * k
        zone = np.repeat(everywhere, CANDIDATES)
        points = kernel.points(key, zone, np.tile(number, n), zone, t.corners, t.first, t.cumulative, INWARD).reshape(n, CANDIDATES, 2)
        if k == 0:
            chosen[:, 0] = points[:, 0]
            continue
        shrink = np.array([_shrink(points[..., 1]), 1.0])
        apart = ((points[:, :, None] - chosen[:, None, :k]) * shrink) ** 2
        chosen[:, k] = points[everywhere, apart.sum(axis=3).min(axis=2).argmax(axis=1)]
    labels = [f"{zone}-{k}" for zone in zoning.ids for k in range(a_zone)]
    return _of(labels, chosen.reshape(-1, 2), np.repeat(everywhere, a_zone), n)


def read(path: Path, zoning: Zoning) -> Sites:
    """A public list of sites, CSV or Parquet with site_id, lon and lat; those outside the zoning are left out.

    FormatError where the file is not that, InputError where no site lies in a zone.
    """
    import shapely

    ids, lonlat = _read(path)
    tree = shapely.STRtree(list(zoning.geometry))
    point, zone = tree.query(shapely.points(lonlat), predicate="intersects")
    order = np.unique(point, return_index=True)[1]
    point, zone = point[order], zone[order]
    if not len(point):
        raise InputError(f"No site of {path.name} lies in a zone: give sites of the area that the zoning covers.")
    place = np.argsort(zone, kind="stable")
    return _of([ids[k] for k in point[place]], lonlat[point[place]], zone[place], zoning.n_zones)


def _of(labels: list[str], lonlat: FloatArray, zone: IntArray, n_zones: int) -> Sites:
    first = np.searchsorted(zone, np.arange(n_zones + 2))
    flat = lonlat * np.array([_shrink(lonlat[:, 1]), 1.0])
    k = min(NEIGHBOURS + 1, len(labels))
    near = _nearest(_tree_of(flat), flat, list(range(1, k + 1)))
    others = near[:, 1:] if k > 1 else near
    return Sites(tuple(labels), lonlat, zone.astype(np.int64), first.astype(np.int64), others)


def _shrink(latitudes: FloatArray) -> float:
    """A degree of longitude in degrees of latitude, amid some latitudes."""
    return float(np.cos(np.radians(latitudes.mean())))


def _tree_of(sites: FloatArray) -> Any:
    from scipy import spatial

    return cast(Any, spatial).cKDTree(sites)


def _nearest(tree: Any, points: FloatArray, ranks: list[int]) -> IntArray:
    """The sites of a tree that are nearest, second nearest and so on to every point: (points, ranks)."""
    return np.asarray(tree.query(points, k=ranks)[1], dtype=np.int64)


def _read(path: Path) -> tuple[list[str], FloatArray]:
    """Ids and points of a file, judged."""
    import pyarrow as pa
    import pyarrow.csv

    try:
        if path.name.lower().endswith((".parquet", ".pq")):
            table = parquetfiles.opened(parquetfiles.mapped(path, linked=True), path.name, BOUNDS).read()
        else:
            table = pyarrow.csv.read_csv(path, convert_options=pyarrow.csv.ConvertOptions(column_types={"site_id": pa.string()}))
        table.validate(full=True)  # a file may point past the end of its dictionary
    except (OSError, ValueError, TypeError, NotImplementedError, pa.ArrowException):
        raise FormatError(f"{path.name} cannot be read as a list of sites: write CSV or Parquet with site_id, lon and lat.") from None
    if missing := [name for name in ("site_id", "lon", "lat") if name not in table.column_names]:
        raise FormatError(f"{path.name} has no column {missing[0]!r}: a list of sites has site_id, lon and lat.")
    try:
        ids = table["site_id"].cast(pa.string()).to_pylist()
        lonlat = np.column_stack([table[name].cast(pa.float64()).to_numpy() for name in ("lon", "lat")])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise FormatError(f"{path.name} has a lon or lat that is no number: give degrees.") from None
    good = len(ids) <= MOST_SITES and all(isinstance(i, str) and 0 < len(i) <= LONGEST_ID for i in ids) and len(set(ids)) == len(ids)
    if not good or not (np.abs(lonlat) <= np.array([180.0, 90.0])).all():
        raise FormatError(f"{path.name} has a site without an id of its own or off the globe: give each site_id once, and degrees.")
    return ids, lonlat
