"""The made-up city's land: zones inside the borough shapes, what stands in each, and which zone a point lies in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.errors import FormatError
from synthmob.worlds.parameters import Centre, WorldParameters
from synthmob.zonefiles import read_zoning
from synthmob.zones import FloatArray, IntArray, Zoning

SECTORS = ("office", "industry", "service", "public")
RASTER_KM = 0.25
NOWHERE = -1
"""The zone of a point outside the city."""
NEIGHBOURS = 6


@dataclass(frozen=True)
class City:
    """Land of n zones. Weights need no unit; positions are km in the zoning's projection.

    `jobs` has shape (4, n), one row a sector; `attraction` (4, n): shops, leisure, services, offices. `raster` holds
    the zone of every cell of `RASTER_KM` from `corner_km` on, `NOWHERE` outside. `neighbours` (n, 6) ends with -1.
    """

    zoning: Zoning
    xy_km: FloatArray
    radius_km: FloatArray
    homes: FloatArray
    centrality: FloatArray
    wealth: FloatArray
    jobs: FloatArray
    attraction: FloatArray
    campuses: IntArray
    raster: npt.NDArray[np.int32]
    corner_km: FloatArray
    neighbours: npt.NDArray[np.int32]

    def zone_at(self, xy_km: FloatArray) -> IntArray:
        """The zone of each point, shape (..., 2) -> (...), `NOWHERE` outside the city."""
        at = np.floor((xy_km - self.corner_km) / RASTER_KM).astype(np.int64)
        shape = np.array(self.raster.shape)
        inside = ((at >= 0) & (at < shape)).all(axis=-1)
        at = np.clip(at, 0, shape - 1)
        return np.where(inside, self.raster[at[..., 0], at[..., 1]], NOWHERE).astype(np.int64)

    def points_in(self, zones: IntArray, u: FloatArray, v: FloatArray) -> FloatArray:
        """A point near the middle of each zone, shape (..., 2), from two uniform numbers."""
        r, angle = 0.9 * self.radius_km[zones] * np.sqrt(u), 2 * np.pi * v
        return self.xy_km[zones] + np.stack([r * np.cos(angle), r * np.sin(angle)], axis=-1)


def geodata_path(name: str) -> Path:
    """The path of a file of `geodata/`, in an installed package or in a checkout."""
    here = Path(__file__).resolve()
    for folder in (here.parents[1] / "_geodata", here.parents[2] / "geodata"):
        if (folder / name).exists():
            return folder / name
    raise FormatError(f"There is no {name} in synthmob's geodata: install synthmob again.")


def build(parameters: WorldParameters, seed: int, h3_resolution: int) -> City:
    """London's H3 cells, each in its borough as district, with land use that falls off from the centres."""
    zoning = read_zoning(geodata_path("london_boroughs.geojson"), h3_resolution=h3_resolution)
    xy = zoning.centroids_km[:-1]
    radius = np.sqrt(zoning.areas_km2 / np.pi)
    noise = _noise(seed, len(xy), parameters.zone_noise)
    centres = _centre_positions(zoning, parameters.centres)
    apart = np.sqrt(((xy[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2))
    reach = np.array([c.reach_km for c in parameters.centres])
    near = np.exp(-apart / reach)
    centrality = np.exp(-apart[:, 0] / 7.0)
    homes = parameters.background_homes + near @ np.array([c.homes for c in parameters.centres])
    homes *= noise[0] * (1 - 0.8 * np.exp(-((apart[:, 1] / 2.0) ** 2)))
    shops = 0.10 * homes + near**1.6 @ np.array([c.shops for c in parameters.centres])
    offices = 0.15 + near**2.2 @ np.array([c.offices for c in parameters.centres])
    wealth = np.log(noise[6]) + 0.5 * np.tanh((-xy[:, 0] - 0.4 * xy[:, 1]) / 12.0) + 0.5 * centrality
    attraction = np.stack([shops * noise[3], (shops + 0.5 * noise[7]) * noise[4], 0.6 * homes + 0.4 * shops, offices])
    raster, corner = _rasterise(xy, radius)
    jobs = _jobs(homes, shops, offices, centrality, noise)
    campuses, neighbours = _campuses(seed, offices), _neighbours(xy, radius)
    return City(zoning, xy, radius, homes, centrality, wealth, jobs, attraction, campuses, raster, corner, neighbours)


def _noise(seed: int, n_zones: int, spread: float) -> FloatArray:
    """Eight independent lognormal factors of mean about 1 a zone, shape (8, n_zones)."""
    from scipy.special import ndtri

    u = seeds.uniforms(seeds.stage_key(seed, "world.land"), np.arange(n_zones), draw=np.arange(8)[:, None])
    return np.exp(spread * np.asarray(ndtri(np.clip(u, 1e-9, 1 - 1e-9))) - spread**2 / 2)


def _centre_positions(zoning: Zoning, centres: tuple[Centre, ...]) -> FloatArray:
    import geopandas

    points = geopandas.GeoSeries.from_xy([c.lon for c in centres], [c.lat for c in centres], crs=4326)
    there = points.to_crs(zoning.projected.crs)
    return np.column_stack([there.x.to_numpy(), there.y.to_numpy()]) / 1000.0


def _jobs(
    homes: FloatArray, shops: FloatArray, offices: FloatArray, centrality: FloatArray, noise: FloatArray
) -> FloatArray:
    """Offices in the centres, industry in a seventh of the outer zones, services by the shops, public jobs anywhere."""
    estates = np.where((noise[1] > np.quantile(noise[1], 0.86)) & (centrality < 0.4), 8.0 * noise[2], 0.25)
    public = 0.5 * homes + 0.35 * offices
    public[noise[5] > np.quantile(noise[5], 0.93)] += 14.0
    return np.stack([offices, estates, shops * noise[3] + 0.2 * offices, public])


def _campuses(seed: int, offices: FloatArray) -> IntArray:
    """The zones of twelve universities: the likeliest by offices and luck."""
    u = seeds.uniforms(seeds.stage_key(seed, "world.campuses"), np.arange(len(offices)))
    return np.argsort(np.log(np.maximum(u, 1e-12)) / np.sqrt(offices))[::-1][:12].copy()


def _rasterise(xy: FloatArray, radius: FloatArray) -> tuple[npt.NDArray[np.int32], FloatArray]:
    """The nearest zone of every raster cell: of hexagonal cells that is the zone it lies in."""
    from scipy.spatial import KDTree

    corner = xy.min(axis=0) - 3.0
    steps = np.ceil((xy.max(axis=0) + 3.0 - corner) / RASTER_KM).astype(int)
    grid = np.stack(np.meshgrid(*[(np.arange(s) + 0.5) * RASTER_KM for s in steps], indexing="ij"), axis=-1) + corner
    apart, zone = KDTree(xy).query(grid.reshape(-1, 2))
    zone = np.where(apart <= 1.1 * radius[zone], zone, NOWHERE)
    return zone.reshape(steps).astype(np.int32), corner


def _neighbours(xy: FloatArray, radius: FloatArray) -> npt.NDArray[np.int32]:
    """Up to six adjacent zones each, nearest first."""
    from scipy.spatial import KDTree

    found: Any = KDTree(xy).query(xy, k=min(NEIGHBOURS + 1, len(xy)))
    apart, zone = found
    out = np.full((len(xy), NEIGHBOURS), NOWHERE, dtype=np.int32)
    near = np.where(apart[:, 1:] < 2.5 * radius[:, None], zone[:, 1:], NOWHERE)
    out[:, : near.shape[1]] = near
    return out
