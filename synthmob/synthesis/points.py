"""Points inside zones: every zone cut into triangles, so a point is one draw and never a rejection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.zones import Zoning

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
INWARD = 1e-6
"""Points are drawn this much towards their triangle's middle, so that rounding cannot put one on a border."""


@dataclass(frozen=True)
class Triangles:
    """Triangles of all zones: `corners` (triangles, 3, 2) degrees, `first` (zones + 1,), `cumulative` area within the zone."""

    corners: FloatArray
    first: IntArray
    cumulative: FloatArray

    @staticmethod
    def of(zoning: Zoning) -> Triangles:
        """Constrained Delaunay triangles of every zone's shape, slivers left out."""
        import shapely

        corners, first, cumulative = [], [0], []
        for shape in zoning.geometry:
            parts = np.array([np.array(t.exterior.coords)[:3] for t in shapely.constrained_delaunay_triangles(shape).geoms])
            edges = parts[:, 1:] - parts[:, :1]
            area = np.abs(edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0])
            good = area > 1e-9 * area.sum()
            corners.append(parts[good])
            share = np.cumsum(area[good])
            cumulative.append(share / share[-1])
            first.append(first[-1] + int(good.sum()))
        return Triangles(np.concatenate(corners), np.array(first, dtype=np.int64), np.concatenate(cumulative))
