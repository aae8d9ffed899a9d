"""Where synthetic people belong: homes by group, work zones by home.

Homes come down the zoning from the district table of groups; home x work starts from gravity with the released distance
bands and is raked to row, column, district and between-level totals, then moved towards the published zone cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.errors import FormatError
from synthmob.marginals import Marginal
from synthmob.model import gravity, reconcile
from synthmob.model.geography import Geography
from synthmob.model.reconcile import LEAST, Codes, FloatArray, Noisy

Marginals = Mapping[str, Marginal]
IntArray = npt.NDArray[np.int64]
YES, NO = 0, 1
GROUP_WEIGHT = 100.0
"""Commuters by whom a group's distances lean on those of everybody."""


@dataclass(frozen=True)
class Anchors:
    """Persons expected by home, group and work.

    `home_worker` (zones, 2): persons by home zone and worker; `groups` (areas, 2, sexes x ages): by home area, worker and group;
    `group_area` (zones,): the row of `groups` of every zone; `home_work` (zones, zones): workers; `band_groups` (bands, sexes x
    ages): how much more often than independence a group is found at a commuting distance.
    """

    home_worker: FloatArray
    groups: FloatArray
    group_area: IntArray
    home_work: FloatArray
    band_groups: FloatArray


def fit_anchors(tables: Marginals, levels: tuple[str, ...], geography: Geography) -> Anchors:
    """The anchors that the released tables speak for; `levels` run from zone to district. FormatError where none does."""
    level = "district" if "home_by_group@district" in tables or "home_by_group@zone" not in tables else "zone"
    groups = _groups(tables, geography) if level == "district" else _published_groups(tables, geography)
    home_worker = _homes(tables, levels, geography, groups)
    if level == "zone":  # residents of all ages and none: each zone's mix, as many as the flows say
        groups = groups * (home_worker / np.maximum(groups.sum(axis=2), LEAST))[..., None]
    workers = float(home_worker[:, YES].sum())
    work = _works(tables, levels, geography, workers)
    home_work = _home_work(tables, levels, geography, home_worker[:, YES], work)
    bands = _band_groups(tables, geography)
    if bands.shape[1] != groups.shape[2]:
        bands = np.ones((geography.n_bands, 1))
    return Anchors(home_worker, groups, geography.parents[level], home_work, bands)


def demographics(tables: Marginals) -> FloatArray | None:
    """Persons by sex, age band and worker, or None where the release has no such table."""
    table = tables.get("demographics")
    if table is not None and table.axis_names == ("sex", "age_band", "worker"):
        return reconcile.product_prior(Noisy.of(table))
    if "stays_by_group" in tables and "home_by_group@district" not in tables:  # everybody has a number of stays
        return reconcile.product_prior(Noisy.of(tables["stays_by_group"]).moved(lambda a: a[0])).sum(axis=-1)
    return None


def _groups(tables: Marginals, geography: Geography) -> FloatArray:
    """Persons by home district (unknown left out), worker, and sex x age."""
    districts = int(geography.parents["district"].max()) + 1
    people = demographics(tables)
    if "home_by_group@district" not in tables:
        return _groups_without_table(tables, districts, people)
    noisy = Noisy.of(tables["home_by_group@district"])
    if people is None:
        people = reconcile.product_prior(noisy).sum(axis=0)
    homes = _district_homes(tables, noisy, people)
    estimate = homes[:, None, None, :] * (people / np.maximum(people.sum(axis=(0, 1)), LEAST))[None]
    codes = np.broadcast_to(np.arange(people.size).reshape(people.shape), estimate.shape)
    rows = np.broadcast_to((np.arange(len(homes))[:, None] * 2 + np.arange(2))[:, None, None, :], estimate.shape)
    estimate = reconcile.settle(estimate, noisy, codes, people.ravel())
    estimate = reconcile.rake(estimate + LEAST, [(rows, homes.ravel()), (codes, people.ravel())], rounds=10)
    known = estimate[:districts]
    # Those without a known home mostly do not work: each group is spread like its own, not like everybody.
    known = known * (estimate.sum(axis=0) / np.maximum(known.sum(axis=0), LEAST))
    return np.moveaxis(known, 3, 1).reshape(districts, 2, -1)


def _district_homes(tables: Marginals, by_group: Noisy, people: FloatArray) -> FloatArray:
    """Persons by home district (unknown last) and worker, workers summing to those of `people`."""
    by_worker = people.sum(axis=(0, 1))
    if "home@district" not in tables:
        seen = np.nan_to_num(by_group.count).sum(axis=(1, 2)) + 1.0
        return seen * (by_worker / seen.sum(axis=0))
    prior = np.tile(by_worker / len(by_group.count), (len(by_group.count), 1))
    workers = np.broadcast_to(np.arange(2), prior.shape)
    homes = reconcile.settle(prior, Noisy.of(tables["home@district"]), workers, by_worker)
    if people[..., 0].size > 1:
        return homes
    # Without attributes the table by group counts the same cells once more: a second look at them.
    return reconcile.settle(homes, by_group.moved(lambda a: a[:, 0, 0]), workers, by_worker)


def _groups_without_table(tables: Marginals, districts: int, people: FloatArray | None) -> FloatArray:
    """Groups spread alike over all districts: nothing was released of both."""
    homes = _homes_without_groups(tables, districts, people)
    if people is None:
        people = np.ones((1, 1, 2))
    share = np.moveaxis(people / np.maximum(people.sum(axis=(0, 1)), LEAST), 2, 0).reshape(2, -1)
    return homes[:, :, None] * share[None]


def _homes_without_groups(tables: Marginals, districts: int, people: FloatArray | None) -> FloatArray:
    """Persons by home district and worker: of the table of homes, or else evenly spread, all of them workers if nobody says."""
    if "home@district" in tables:
        estimate = reconcile.product_prior(Noisy.of(tables["home@district"]))
        by_worker = estimate.sum(axis=0) if people is None else people.sum(axis=(0, 1))
        known = estimate[:districts]
        return known * (by_worker / np.maximum(known.sum(axis=0), LEAST))
    flows = [table.total for name, table in tables.items() if name.startswith("home_work@")]
    if not flows or max(flows) <= 0:
        raise FormatError("The release has no table of homes by group, of homes or of home and work: nothing says where people live.")
    by_worker = np.array([max(flows), 0.0]) if people is None else people.sum(axis=(0, 1))
    return np.broadcast_to(by_worker / districts, (districts, 2))


def _published_groups(tables: Marginals, geography: Geography) -> FloatArray:
    """Residents by zone, worker and group from a published table that may lack axes: everybody in it counts as a worker, since
    such a release is about commuters."""
    table = tables["home_by_group@zone"]
    kept = [name for name in ("home", "sex", "age_band") if name in table.axis_names]
    estimate = reconcile.product_prior(Noisy.of(table.project(kept)))[: geography.n]
    flat = estimate.reshape(len(estimate), -1)
    return np.stack([flat + LEAST, np.zeros(flat.shape)], axis=1)


def _homes(tables: Marginals, levels: tuple[str, ...], geography: Geography, groups: FloatArray) -> FloatArray:
    """Persons by home zone and worker."""
    if "home@zone" not in tables and "home_work@zone" in tables:
        rows = reconcile.product_prior(_known_homes(tables["home_work@zone"], geography.n))[: geography.n].sum(axis=1)
        share = groups.sum(axis=(0, 2)) / groups.sum()
        return rows[:, None] / max(float(share[YES]), LEAST) * share[None, :]
    steps = []
    for fine, coarse in _downward(levels):
        areas = len(geography.level_parent(fine, coarse))
        table = tables.get(f"home@{fine}")
        noisy = Noisy.of(table).moved(lambda a, areas=areas: a[:areas]) if table else _silent((areas, 2))
        steps.append((noisy, geography.level_parent(fine, coarse)))
    return reconcile.descend(steps, groups.sum(axis=2), _areas(geography))


def _works(tables: Marginals, levels: tuple[str, ...], geography: Geography, workers: float) -> FloatArray:
    """Workers by work zone."""
    if "work@district" not in tables and "home_work@zone" in tables:
        return _works_of_pairs(tables["home_work@zone"], geography.n, workers)
    top = _district_works(tables, geography, workers)
    steps = []
    for fine, coarse in _downward(levels):
        parent = geography.level_parent(fine, coarse)
        table = tables.get(f"work@{fine}")
        steps.append((Noisy.of(table) if table else _silent((len(parent),)), parent))
    return reconcile.descend(steps, top, _areas(geography))


def _district_works(tables: Marginals, geography: Geography, workers: float) -> FloatArray:
    """Workers by work district: of the table of works, or else of the commuters' table, or else by numbers of zones."""
    start = np.bincount(geography.parents["district"], weights=_areas(geography))
    start = start * (workers / start.sum())
    if "work@district" in tables:
        noisy = Noisy.of(tables["work@district"])
        start = np.full(noisy.count.shape, workers / noisy.count.size)
        return reconcile.settle(start, noisy, np.zeros(start.shape, dtype=np.int64), np.array([workers]))
    if "home_work@district" in tables:
        return _works_of_pairs(tables["home_work@district"], len(start), workers)
    return start


def _works_of_pairs(table: Marginal, areas: int, workers: float) -> FloatArray:
    """Workers by work area: the columns of a home x work table."""
    columns = reconcile.product_prior(_known_homes(table, areas)).sum(axis=0)
    return columns * (workers / max(float(columns.sum()), LEAST))


def _home_work(
    tables: Marginals, levels: tuple[str, ...], geography: Geography, homes: FloatArray, works: FloatArray
) -> FloatArray:
    """Workers by home and work zone.

    A table of all pairs of zones is as large as anything here gets: codes are int8 or int32, and nothing is kept longer than needed.
    """
    n, workers = geography.n, float(homes.sum())
    zone = np.arange(n, dtype=np.int32)
    ends: list[tuple[Codes, FloatArray]] = [(np.broadcast_to(zone, (n, n)), works), (np.broadcast_to(zone[:, None], (n, n)), homes)]
    by_band = _by_band(tables, workers)
    margins: list[tuple[Codes, FloatArray]] = [] if by_band is None else [(geography.bands, by_band)]
    table = gravity.commuters(homes, works, by_band, ends, geography)
    for level in reversed(levels):
        if f"home_work@{level}" not in tables:
            continue
        parent = geography.parents[level].astype(np.int32)
        areas = int(parent.max()) + 1
        pairs = parent[:, None] * areas + parent
        found = _pairs_of_areas(tables[f"home_work@{level}"], areas, pairs, table, workers)
        if areas < n:
            margins.append((pairs, found))
        else:  # pairs of zones are noisier than any of their sums: they are what is raked, and not what it is raked to
            table = found.reshape(n, n) + LEAST
        table = reconcile.rake(table, [*margins, *ends], rounds=gravity.ROUNDS)
    return table


def _by_band(tables: Marginals, workers: float) -> FloatArray | None:
    """Workers by distance band, None where nobody says."""
    if "commute_km" not in tables:
        return None
    seen = reconcile.product_prior(Noisy.of(tables["commute_km"]))
    return seen * workers / max(float(seen.sum()), LEAST)


def _pairs_of_areas(released: Marginal, areas: int, pairs: Codes, table: FloatArray, workers: float) -> FloatArray:
    """Workers by pair of areas, shape (areas * areas,): what was released of them, and what the table over pairs of zones expects."""
    prior = reconcile.sums_by(pairs, table, areas * areas).reshape(areas, areas)
    estimate, variance = reconcile.posterior(prior, _known_homes(released, areas))
    everybody = np.broadcast_to(np.int8(0), estimate.shape)
    return reconcile.adjust(estimate, variance, everybody, np.array([workers])).ravel()


def _band_groups(tables: Marginals, geography: Geography) -> FloatArray:
    """How a commuting distance changes the mix of groups: ratio to independence, shape (bands, groups)."""
    if "commute_km_by_group" not in tables:
        return np.ones((geography.n_bands, 1))
    estimate = reconcile.product_prior(Noisy.of(tables["commute_km_by_group"]))
    flat = estimate.reshape(geography.n_bands, -1)
    even = reconcile.independent(flat) + LEAST
    # A group of few commuters has no distances of its own: it leans on independence by so many persons.
    lean = GROUP_WEIGHT / (flat.sum(axis=0) + GROUP_WEIGHT)
    return (1.0 - lean) * flat / even + lean


def _known_homes(table: Marginal, areas: int) -> Noisy:
    """A home x work table without the row of unknown homes."""
    return Noisy.of(table).moved(lambda a: a[:areas])


def _downward(levels: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs (finer, coarser), from the coarsest down."""
    coarse_first = levels[::-1]
    return list(zip(coarse_first[1:], coarse_first[:-1], strict=True))


def _silent(shape: tuple[int, ...]) -> Noisy:
    """A table that was not released: nothing is known of any cell."""
    return Noisy(np.full(shape, np.nan), 0.0, 1e15)


def _areas(geography: Geography) -> FloatArray:
    """Equal expected size for every zone but outside, which is small: zones are drawn to hold comparable numbers."""
    size = np.ones(geography.n)
    size[-1] = 1e-3
    return size
