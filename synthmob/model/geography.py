"""What the model needs to know of the zoning: distance bands between zones, parents, and areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.domain import Domain
from synthmob.zones import Zoning, apart_km

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Geography:
    """Public geography as arrays over zone indices, `outside` last.

    `xy_km` (zones, 2), NaN for outside; `internal_km` (zones,); `bands` int8 (zones, zones), the last band next to outside;
    `parents` by level name: (zones,) area indices; flows are told between the areas of `flow_level`; `n` counts zones with `outside`.
    """

    xy_km: FloatArray
    internal_km: FloatArray
    bands: npt.NDArray[np.int8]
    parents: dict[str, IntArray]
    edges_km: tuple[float, ...]
    flow_level: str

    @property
    def flow_areas(self) -> IntArray:
        """The area of every zone that flows are told between, shape (zones,)."""
        return self.parents[self.flow_level]

    def distances_km(self, zone: int) -> FloatArray:
        """From one zone to all, km, NaN where either is outside: shape (zones,)."""
        return apart_km(self.xy_km, self.internal_km, zone, np.arange(self.n))

    @property
    def n(self) -> int:
        """Zones, `outside` included."""
        return len(self.xy_km)

    @property
    def n_bands(self) -> int:
        """Distance bands, the one next to outside included."""
        return len(self.edges_km) + 1

    @property
    def band_km(self) -> FloatArray:
        """The middle of every distance band, km, that next to outside as far as the last one: shape (n_bands,)."""
        edges = np.asarray(self.edges_km)
        last = edges[-1] * 1.2
        return np.append((edges + np.append(edges[1:], last)) / 2, last)

    @staticmethod
    def of(zoning: Zoning, domain: Domain) -> Geography:
        """The geography of a zoning in a domain's distance bands."""
        xy, inside = zoning.centroids_km, zoning.internal_km
        n = zoning.n_zones + 1
        bands = np.empty((n, n), dtype=np.int8)
        everywhere = np.arange(n)
        for origin in range(n):
            bands[origin] = band_of(zoning.distances_km(origin, everywhere), domain.distance_edges_km)
        parents = {level.name: zoning.parent_of(level.name) for level in zoning.levels}
        return Geography(xy, inside, bands, parents, domain.distance_edges_km, zoning.flow_level)

    def level_parent(self, fine: str, coarse: str) -> IntArray:
        """The coarse area of every fine area, `outside` last: shape (fine areas,)."""
        fine_of, coarse_of = self.parents[fine], self.parents[coarse]
        out = np.zeros(int(fine_of.max()) + 1, dtype=np.int64)
        out[fine_of] = coarse_of
        return out


def band_of(km: FloatArray, edges_km: tuple[float, ...]) -> npt.NDArray[np.int8]:
    """The distance band of every distance, km; NaN is the band after the last."""
    code = np.searchsorted(np.asarray(edges_km), km, side="right") - 1
    return np.where(np.isnan(km), len(edges_km), code).astype(np.int8)
