"""Where people go when they are neither home nor at their work place.

P(zone | purpose, stay before, anchor ahead) is proportional to attraction[purpose, zone] x affinity[district before, district]
x deterrence[purpose, distance to the anchor ahead, distance from the stay before]. The anchor ahead is the work place if the next
stay is work, home otherwise: an errand on the way to work lies near home or near work. The factors are fitted by proportional
scaling of their expectation over a fixed sample of lives: attraction to the released destinations, deterrence to the released
joint distances, affinity to the released flows between districts. No single law of distance holds in every city: in one
all depends on home, in another on the place before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.marginals import Marginal
from synthmob.model import bias, reconcile
from synthmob.model.expectation import Expectation, Flows, expectation
from synthmob.model.geography import Geography
from synthmob.model.lives import Lives
from synthmob.model.reconcile import LEAST, FloatArray, Noisy

Marginals = Mapping[str, Marginal]
PASSES = 14
RETARGET_AT = (2, 6, 10)
STEP = 0.8


def fit_flows(tables: Marginals, levels: tuple[str, ...], geography: Geography, lives: Lives, work_anchor: FloatArray,
              purposes: int, single_days: npt.NDArray[np.bool_]) -> Flows:
    """The destination law that reproduces the released destinations, distances and district flows over the lives.

    `work_anchor` (2,) is the share of first and of later work stays of a day that are at the person's own work zone;
    `single_days` (day types,) says which day types are one day only, so that their tables hold no averages.
    """
    flows = _start(purposes, geography)
    if "destinations@district" not in tables:
        return flows
    released = _destination_targets(tables, levels, geography)
    targets = Targets(released, None, None)
    for turn in range(PASSES):
        found = expectation(flows, geography, lives, work_anchor)
        if turn in RETARGET_AT:
            targets = _retarget(tables, released, found, geography, single_days)
        flows = _scaled(flows, found, targets)
    return flows


@dataclass(frozen=True)
class Targets:
    """What to scale to: shares of destinations by purpose, and person-days by distances and by districts where released."""

    zones: FloatArray
    distances: FloatArray | None
    districts: FloatArray | None


def _retarget(tables: Marginals, released: FloatArray, found: Expectation, geography: Geography,
              single_days: npt.NDArray[np.bool_]) -> Targets:
    """Targets from the release and what the model expects now, with the bias of contribution bounding undone."""
    one_day = bool(single_days.all() and len(single_days) == 1)
    zones = released / _kept_destinations(tables, found, geography) if one_day else released
    zones = zones / np.maximum(zones.sum(axis=1, keepdims=True), LEAST)
    distances, districts = None, None
    if "distances" in tables:
        kept = _kept_distances(tables, found, geography) if one_day else np.ones(found.distances.shape)
        distances = _distance_targets(tables, found.distances, kept)
    if "od@district" in tables:
        # Trips within a district are many a day: their average is over the cap as often as a single day's are.
        kept = _kept_districts(tables, found, geography)
        districts = _corrected(found.districts, kept, Noisy.of(tables["od@district"]))
    return Targets(zones, distances, districts)


def _distance_targets(tables: Marginals, expected: FloatArray, kept: FloatArray) -> FloatArray:
    """Person-days by purpose and both distances: the joint table, raked to the better known distances of trips alone."""
    expected = expected * (np.arange(len(expected)) > 0)[:, None, None]  # the ways home are not in these tables
    target = _corrected(expected, kept, Noisy.of(tables["distances"]))
    if "trip_km" not in tables:
        return target
    sums = expected.sum(axis=1)
    share = (expected * kept).sum(axis=1) / np.maximum(sums, LEAST)
    trips = _corrected(sums, np.where(sums > 0, share, 1.0), Noisy.of(tables["trip_km"]))
    found = target.sum(axis=1)
    return target * np.clip(trips / np.maximum(found, LEAST), 0.0, 100.0)[:, None, :]


def _corrected(expected: FloatArray, kept: FloatArray, noisy: Noisy) -> FloatArray:
    """What is expected of unbounded cells after seeing noisy bounded ones; `kept` is the share that bounding keeps."""
    bounded = expected * kept
    scale = _scale(noisy, bounded)
    return reconcile.posterior(bounded * scale, noisy)[0] / scale / np.maximum(kept, LEAST)


def _kept_destinations(tables: Marginals, found: Expectation, geography: Geography) -> FloatArray:
    name = "destinations@zone" if "destinations@zone" in tables else "destinations@district"
    v, n = found.visits, geography.n
    outing = v.purpose > 0
    purposes = len(found.destinations)
    group = np.repeat(np.arange(purposes), n)
    kept = bias.kept_share(
        v.life[outing], v.purpose[outing] * n + v.zone[outing], purposes * n, tables[name].bound_l2, group)
    return kept.reshape(purposes, n)


def _kept_distances(tables: Marginals, found: Expectation, geography: Geography) -> FloatArray:
    v, bands, shape = found.visits, geography.n_bands, found.distances.shape
    trip = (v.rank > 0) & (v.purpose > 0)
    cell = (v.purpose[trip] * bands + geography.bands[v.anchor[trip], v.zone[trip]]) * bands
    cell = cell + geography.bands[v.origin[trip], v.zone[trip]]
    group = np.repeat(np.arange(shape[0]), bands * bands)
    return bias.kept_share(v.life[trip], cell, int(np.prod(shape)), tables["distances"].bound_l2, group).reshape(shape)


def _kept_districts(tables: Marginals, found: Expectation, geography: Geography) -> FloatArray:
    v, district, areas = found.visits, geography.parents["district"], len(found.districts)
    trip = v.rank > 0
    pair = district[v.origin[trip]] * areas + district[v.zone[trip]]
    group = np.eye(areas, dtype=np.int64).ravel()
    return bias.kept_share(v.life[trip], pair, areas * areas, tables["od@district"].bound_l2, group).reshape(areas, areas)


def _start(purposes: int, geography: Geography) -> Flows:
    """Equal attraction, and deterrence falling with both distances."""
    km = np.append(np.asarray(geography.edges_km), geography.edges_km[-1]) + 1.0
    one = 1.0 / km
    areas = int(geography.parents["district"].max()) + 1
    return Flows(
        np.ones((purposes, geography.n)), np.tile(one[:, None] * one[None, :], (purposes, 1, 1)), np.ones((areas, areas)))


def _destination_targets(tables: Marginals, levels: tuple[str, ...], geography: Geography) -> FloatArray:
    """Shares of every purpose's stays by zone, shape (purposes, zones), rows sum to 1."""
    top = reconcile.product_prior(Noisy.of(tables["destinations@district"])).T
    steps = []
    for fine, coarse in zip(levels[::-1][1:], levels[::-1][:-1], strict=True):
        parent = geography.level_parent(fine, coarse)
        table = tables.get(f"destinations@{fine}")
        count = Noisy.of(table).moved(np.transpose) if table else Noisy(np.full((len(parent), top.shape[1]), np.nan), 0.0, 1e15)
        steps.append((count, parent))
    size = np.ones(geography.n)
    size[-1] = 1e-3
    cells = reconcile.descend(steps, top, size).T
    if "visitors@zone" in tables:
        cells = _with_visitors(cells, tables)
    return cells / np.maximum(cells.sum(axis=1, keepdims=True), LEAST)


def _with_visitors(cells: FloatArray, tables: Marginals) -> FloatArray:
    """Where the weighted cell was cut, the distinct visitors of the same cell, scaled to stays by what both tables say."""
    visitors = Noisy.of(tables["visitors@zone"])
    weighted = Noisy.of(tables["destinations@zone"]) if "destinations@zone" in tables else None
    if weighted is None:
        return cells
    both = visitors.published & weighted.published
    ratio = np.array([
        np.nansum(np.where(b, w, 0)) / max(np.nansum(np.where(b, v, 0)), 1.0) if b.any() else 0.0
        for b, w, v in zip(both, weighted.count, visitors.count, strict=True)])
    ratio = np.where(ratio > 0, ratio, ratio[ratio > 0].mean() if (ratio > 0).any() else 1.0)
    only = visitors.published & ~weighted.published
    fallback = np.minimum(np.nan_to_num(visitors.count) * ratio[:, None], weighted.cut)
    totals = cells.sum(axis=1, keepdims=True)
    mixed = np.where(only, fallback, cells)
    return mixed * totals / np.maximum(mixed.sum(axis=1, keepdims=True), LEAST)


def _scale(noisy: Noisy, found: FloatArray) -> float:
    """Persons of the release per unit of expectation, from the cells that were published."""
    seen = noisy.published
    return float(np.nan_to_num(noisy.count)[seen].sum() / max(float(found[seen].sum()), LEAST)) if seen.any() else 1.0


def _scaled(flows: Flows, found: Expectation, targets: Targets) -> Flows:
    """One step of proportional scaling of all factors, the part at anchors taken off target and expectation."""
    drawn = found.destinations - found.fixed_destinations
    target = targets.zones * found.destinations.sum(axis=1, keepdims=True) - found.fixed_destinations
    attraction = flows.attraction * _factor(target, drawn)
    attraction = attraction / np.maximum(attraction.mean(axis=1, keepdims=True), LEAST)
    deterrence, affinity = flows.deterrence, flows.affinity
    if targets.distances is not None:
        drawn = found.distances - found.fixed_distances
        deterrence = deterrence * _factor(targets.distances - found.fixed_distances, drawn)
        deterrence = deterrence / np.maximum(deterrence.max(axis=(1, 2), keepdims=True), LEAST)
    if targets.districts is not None:
        drawn = found.districts - found.fixed_districts
        affinity = np.clip(affinity * _factor(targets.districts - found.fixed_districts, drawn), 0.1, 10.0)
    return Flows(np.maximum(attraction, 1e-12), np.maximum(deterrence, 1e-12), affinity)


def _factor(target: FloatArray, drawn: FloatArray) -> FloatArray:
    """A damped, bounded ratio; 1 where neither side has anything."""
    floor = 1e-3 * max(float(drawn.mean()), LEAST)
    return np.clip(((np.maximum(target, 0) + floor) / (drawn + floor)) ** STEP, 0.2, 5.0)
