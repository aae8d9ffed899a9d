"""A model written by hand, of whole numbers: nothing in it is fitted, so what is generated from it is known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from synthmob.counts.reach import DEPARTURES, FIRST_ERRAND, LASTINGS, ORIGINS
from synthmob.domain import Domain
from synthmob.model.anchors import Anchors
from synthmob.model.chains import MAX_STAYS, Chains
from synthmob.model.commuting import Commuting
from synthmob.model.expectation import Flows
from synthmob.model.journeys import Journeys, _shape
from synthmob.model.mobility import MobilityModel
from synthmob.model.rehearsal import play
from synthmob.model.routines import Routines
from synthmob.model.timing import QUARTERS, Laws, Timing
from synthmob.period import Period
from synthmob.zones import Level, Zoning

HOME, WORK, EDUCATION, SHOP, LEISURE, OTHER, SCHOOL = range(7)
DOMAIN = Domain()
IDS = ("plain", "bent", "holed", "split", "thin")
OUTSIDE = len(IDS)
BANDS = len(DOMAIN.distance_edges_km) + 1
CLASSES = len(DOMAIN.sex) * len(DOMAIN.age_band) * 2
WEEKDAYS = ((HOME,), (HOME, WORK, HOME), (HOME, WORK, SHOP, WORK, HOME), (HOME, LEISURE, HOME, SHOP, OTHER))
WEEKENDS = ((HOME,), (HOME, SHOP, HOME, LEISURE, HOME), (LEISURE, HOME), (HOME, WORK, HOME))
PERIOD = Period.of("2026-03-05", 3, "Europe/London")
"""Thursday, Friday, Saturday."""


def zoning() -> Zoning:
    """A square, a bent zone, one with a hole, one in two parts, and one that is thin: two districts, far east of one another."""
    bent = shapely.Polygon([(0.03, 51.5), (0.05, 51.5), (0.05, 51.502), (0.032, 51.502), (0.032, 51.52), (0.03, 51.52)])
    holed = shapely.box(0.2, 51.5, 0.22, 51.52).difference(shapely.box(0.201, 51.501, 0.219, 51.519))
    split = shapely.MultiPolygon([shapely.box(0.23, 51.5, 0.231, 51.52), shapely.box(0.24, 51.51, 0.25, 51.52)])
    thin = shapely.Polygon([(0.3, 51.5), (0.34, 51.54), (0.34001, 51.54), (0.30001, 51.5)])
    shapes = np.array([shapely.box(0.0, 51.5, 0.02, 51.52), bent, holed, split, thin], dtype=object)
    levels = (Level("zone", IDS, np.arange(5)), Level("district", ("west", "east"), np.array([0, 0, 1, 1, 1])))
    return Zoning(IDS, shapes, levels)


def anchors() -> Anchors:
    """1,000 persons: 600 workers, a few of them at home or at work outside; women in the west, men in the east."""
    home_work = np.zeros((6, 6))
    home_work[0] = (40, 60, 80, 0, 10, 10)
    home_work[2] = (0, 30, 100, 70, 0, 0)
    home_work[4] = (50, 0, 50, 30, 50, 0)
    home_work[5] = (5, 15, 0, 0, 0, 0)
    alone = np.array([100.0, 150.0, 0.0, 100.0, 40.0, 10.0])
    groups = np.zeros((3, 2, CLASSES // 2))
    groups[0, :, 2:6], groups[1, :, 10:14], groups[2, :, 20] = 50, 40, 30
    groups[0, 1, 0] = 100  # girls under 16, none of whom work
    return Anchors(
        home_worker=np.stack([home_work.sum(axis=1), alone], axis=1), groups=groups, group_area=np.array([0, 0, 1, 1, 1, 2]),
        home_work=home_work, band_groups=np.ones((BANDS, 1)))  # fmt: skip


def chains(kinds: tuple[tuple[int, ...], ...]) -> Chains:
    """Chains of these purposes; those with work for workers alone, the k-th chain with weight k + 1."""
    purposes = np.full((len(kinds), MAX_STAYS), -1, dtype=np.int8)
    for k, stays in enumerate(kinds):
        purposes[k, : len(stays)] = stays
    by_class = np.tile(np.arange(1.0, len(kinds) + 1), (CLASSES, 1))
    by_class[1::2, [WORK in stays for stays in kinds]] = 0.0
    return Chains(purposes, np.array([len(s) for s in kinds]), by_class.sum(axis=0), np.arange(len(kinds)), by_class)


def laws(law: Chains) -> Laws:
    """Every chain leaves in its own quarters of an hour; stays last as their rank says, longer when they begin early."""
    n = len(law.lengths)
    departures = np.zeros((n, QUARTERS))
    for k in range(n):
        departures[k, 24 + 4 * k : 34 + 4 * k] = np.arange(1, 11)
    n_bins = len(DOMAIN.duration_edges_min)
    durations = np.ones((3, 24, n_bins))
    durations[0, :, :5], durations[1, :, 5:15], durations[2, :12, 20:28] = 7, 9, 30
    rank = np.arange(MAX_STAYS)[None, :]
    inner = (rank > 0) & (rank < law.lengths[:, None] - 1)
    return Laws(departures, np.arange(n), durations, np.where(inner, rank % 3, -1))


def ways(minutes: Any) -> Journeys:
    """The same travel times (purposes, times) for all trips to a purpose, the way home as long as that of the stay before."""
    here, before, _earlier, _heading = np.indices(_shape(len(minutes)))
    return Journeys(minutes[np.where(here == 0, before, here).ravel()], len(minutes))


def timing(law: Chains, times: Laws | None = None, n: int = 4_000) -> Timing:
    """`n` days of every chain as these laws have them, with trips of 10 to 30 minutes."""
    edges = np.append(np.asarray(DOMAIN.duration_edges_min), 1440)
    chain = np.repeat(np.arange(len(law.lengths)), n)
    days = play(law, chain, times or laws(law), edges, ways(np.tile(np.arange(10.0, 31.0), (7, 1))), "handmade")
    schedules = np.where(np.arange(MAX_STAYS) > 0, days.lasting, days.quarter[:, None]).astype(np.int16)
    return Timing(schedules, np.ones(len(chain)), np.arange(0, len(chain) + 1, n))


def errands(factor: Any) -> Any:
    """A factor (kinds, bands) for all segments but homes and work, which lie where they lie."""
    return np.stack([np.ones_like(factor) if p < FIRST_ERRAND else factor for p in range(7)])


def commuting() -> Commuting:
    """Work in the east begins and ends late, and who lives far from it leaves early and comes home early."""
    late = np.linspace(0.5, 1.5, 24)
    areas = np.stack([np.ones(24), late**2, late])[:, None].repeat(2, axis=1)
    return Commuting(areas, 1.0 + np.linspace(0.0, 1.0, BANDS)[:, None, None] * np.stack([late[::-1], late[::-1] ** 3]))


def district_of(places: Zoning) -> Any:
    """The district of every area that flows are told between."""
    district, area = places.parent_of("district"), places.parent_of(places.flow_level)
    return district[np.unique(area, return_index=True)[1]]


def model(**changes: Any) -> MobilityModel:
    """The model of this file, or one with some of its parts replaced."""
    kinds = tuple(chains(k) for k in (WEEKDAYS, WEEKENDS))
    travel = np.ones((BANDS, len(DOMAIN.travel_edges_min)))
    for band in range(BANDS):
        travel[band, min(band, 14) : min(band, 14) + 3] = 20
    km, district = np.arange(BANDS), district_of(zoning())
    flows = Flows(
        attraction=1.0 + np.arange(7)[:, None] * np.array([1, 3, 2, 5, 4, 0.25])[None, :],
        deterrence=np.tile(1.0 / (1 + km[:, None] + 2 * km[None, :]), (21, 1, 1)), affinity=(1 + np.eye(3))[np.ix_(district, district)],
        daily=1.0 + np.concatenate([np.arange(12).reshape(2, 6), [[12], [13]]], axis=1)[..., None] * np.linspace(0.0, 0.1, BANDS),
        departing=errands(1.0 + np.arange(DEPARTURES)[:, None] * np.linspace(0.0, 0.2, BANDS)),
        lasting=errands(1.0 + np.arange(LASTINGS)[:, None] * np.linspace(0.3, 0.0, BANDS)),
        origins=errands(1.0 + np.arange(ORIGINS)[:, None] * np.linspace(0.0, 0.4, BANDS)))
    routines = Routines(
        chains=kinds, timings=tuple(timing(k) for k in kinds), travel=travel,
        work_anchor=np.array([[0.75, 0.5, 0.25, 0.6], [1.0, 0.0, 0.0, 1.0]]), exploration=np.array([2.0, 1.0, 1.0, 0.5, 3.0, 2.0, 0.2]),
        sharing=np.array([0.25]), persistence=np.array([0.0, 0.25, 0.0, 0.0, 0.5, 0.0]))  # fmt: skip
    parts: dict[str, Any] = {
        "anchors": anchors(), "flows": flows, "routines": routines, "domain": DOMAIN, "period": PERIOD, "zoning": zoning(),
        "day_type_of": (0, 1, 1), "assumed": (), "source": {}}  # fmt: skip
    return MobilityModel(**(parts | changes))
