"""Where people go when they are neither home nor at their work place.

P(zone | purpose, stay before, anchor ahead) is proportional to attraction[purpose, zone] x affinity[district before, district]
x deterrence[purpose, heading, distance to the anchor ahead, distance from the stay before]. The anchor ahead is the work place if the
next stay is work, home otherwise: an errand on the way to work lies near home or near work, and lunch is nearer than an evening out.
The factors are fitted by proportional scaling of their expectation over a fixed sample of lives: attraction to the released
destinations, deterrence to the released joint distances, affinity to the released flows between districts. No single law of distance
holds in every city: in one all depends on home, in another on the place before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from synthmob.counts.flows import HEADINGS, OD_WEIGHT
from synthmob.marginals import Marginal
from synthmob.model import bias, daytypes, destinations, reconcile
from synthmob.model.expectation import Expectation, Flows, expectation
from synthmob.model.geography import Geography
from synthmob.model.lives import Lives
from synthmob.model.reconcile import LEAST, FloatArray, Noisy

Marginals = Mapping[str, Marginal]
PASSES, PART = 16, 4
RETARGET_AT = (2, 6, 10)
"""Passes over the lives, and when targets are looked at: before the last time over one life in PART, from then on over all."""
BELIEVED_AT = {"distances": 2, "trip_km": 2, "od@district": 6}
"""The pass at which a table is first looked at: flows between districts once the distances of trips are met."""
STEP, RAKE_ROUNDS = 0.8, 30
MOST_PULL = 1e3
"""The most that one cell of a factor may stand above those that are drawn."""


def fit_flows(tables: Marginals, levels: tuple[str, ...], geography: Geography, lives: Lives, work_anchor: FloatArray,
              purposes: int, exploration: FloatArray | None = None, day_types: int = 1) -> Flows:
    """The destination law that reproduces the released destinations, distances and district flows over the lives.

    `work_anchor` (WORK_STAYS,) is the share of each kind of work stays that is at the person's own work zone; `exploration`
    (purposes,) the weight of a new place among those that a purpose has taken a life to. Lives have days of so many `day_types`, or fewer.
    """
    flows = _start(purposes, geography, day_types)
    if "destinations@district" not in tables:
        return flows
    released = destinations.shares(tables, levels, geography, _stays(lives, purposes))
    targets, believed = Targets(released, None, None, None), dict[str, FloatArray]()
    few, best, least = lives.every(PART), flows, np.inf
    for turn in range(PASSES):
        found = expectation(flows, geography, few if turn < RETARGET_AT[-1] else lives, work_anchor, exploration)
        if turn in RETARGET_AT:
            lived = few if turn < RETARGET_AT[-1] else lives
            believed |= _believed(tables, found, geography, lived, [n for n in BELIEVED_AT if BELIEVED_AT[n] == turn])
            targets = _retarget(tables, levels, believed, found, geography, lived)
        if turn > RETARGET_AT[-1] and (off := _misplaced(found, targets)) < least:
            best, least = flows, off  # scaling several factors at once may pass by what it is after
        flows = _scaled(flows, found, targets)
    return best


@dataclass(frozen=True)
class Targets:
    """What to scale to: shares of destinations by purpose, and person-days by distances, by distances of each day type, and by
    districts where released."""

    zones: FloatArray
    distances: FloatArray | None
    daily: FloatArray | None
    districts: FloatArray | None


def _believed(tables: Marginals, found: Expectation, geography: Geography, lives: Lives, names: list[str]) -> dict[str, FloatArray]:
    """What is believed of released tables of trips, in persons of the release, after seeing them and what the model expects.

    Once for each table, before the model is scaled to it: later the model would agree with it however noisy it is, and a misfit
    measured then would be none.
    """
    out: dict[str, FloatArray] = {}
    for name in names:
        if name not in tables or (name == "trip_km" and "distances" not in tables):
            continue
        expected, kept = _bounded(name, tables, found, geography, lives)
        noisy = _seen(tables[name], expected)
        prior = expected * kept * noisy.scale(expected * kept)
        if name == "trip_km":  # a row for every day type and purpose
            rows = (-1, geography.n_bands)
            prior, noisy = prior.reshape(rows), noisy.moved(lambda a, rows=rows: a.reshape(rows))
        for together in {"distances": (HEADINGS, 1), "trip_km": (1,)}.get(name, ()):
            prior = _lawful(prior, noisy, geography.band_km, together)
        out[name] = reconcile.posterior(prior, noisy)[0].reshape(expected.shape)
    return out


def _seen(table: Marginal, expected: FloatArray) -> Noisy:
    """A released table in the shape of what the model expects of it, which has headings as rows of their purpose."""
    return Noisy.of(table).moved(lambda a: a.reshape(expected.shape))


def _bounded(name: str, tables: Marginals, found: Expectation, geography: Geography, lives: Lives) -> tuple[FloatArray, FloatArray]:
    """What the model expects of a table without bounds, and the share of it that bounding keeps."""
    if name == "od@district":
        return found.districts, _kept_districts(tables, found, geography, lives.days)
    if name == "trip_km":
        daily = daytypes.by_purpose(found.daily_distances)
        daily[:, 0] = 0.0  # the ways home are not in these tables
        return daily / daytypes.days(lives, len(daily)), daytypes.kept(tables[name], found, lives, geography, daily.shape)
    expected = found.distances * (np.arange(len(found.distances)) >= HEADINGS)[:, None, None]
    return expected, _kept_distances(tables, found, geography, lives.days)


def _lawful(prior: FloatArray, noisy: Noisy, km: FloatArray, together: int) -> FloatArray:
    """A prior (rows, bands[, bands]) moved to the law of distance that the published cells of so many rows `together` show: the
    suppressed ones are far."""
    along = np.stack([km / km[-1], np.log1p(km)], axis=1)
    one = np.ones((len(km), 1))
    if prior.ndim == 3:
        one = np.ones((len(km), len(km), 1))
        along = np.concatenate([one * along[:, None], one * along[None]], axis=2)
    features = np.concatenate([one, along], axis=-1).reshape(prior[0].size, -1)
    features = np.tile(features, (together, 1))
    rows = [
        reconcile.extended(prior[p : p + together].ravel(), noisy.moved(lambda a, p=p: a[p : p + together].ravel()), features)
        for p in range(0, len(prior), together)]
    return np.stack(rows).reshape(prior.shape)


def _stays(lives: Lives, purposes: int) -> FloatArray:
    """How many stays of each purpose people have on a day, all together, shape (purposes,)."""
    return np.bincount(lives.purposes[lives.purposes >= 0], minlength=purposes).astype(np.float64) * lives.weight


def _retarget(tables: Marginals, levels: tuple[str, ...], believed: Mapping[str, FloatArray], found: Expectation, geography: Geography,
              lives: Lives) -> Targets:
    """Targets from the release and what the model expects now, with the bias of contribution bounding undone."""
    kept = _kept_destinations(tables, found, geography, lives.days)
    stays = (found.destinations * kept).sum(axis=1) * lives.weight
    zones = destinations.shares(tables, levels, geography, stays) / kept
    zones = zones / np.maximum(zones.sum(axis=1, keepdims=True), LEAST)
    unbounded: dict[str, FloatArray] = {}
    for name, persons in believed.items():
        expected, kept = _bounded(name, tables, found, geography, lives)
        unbounded[name] = persons / _seen(tables[name], expected).scale(expected * kept) / np.maximum(kept, LEAST)
    distances, daily = unbounded.get("distances"), unbounded.get("trip_km")
    if daily is not None:
        daily = daily * daytypes.days(lives, len(daily))
    if distances is not None and daily is not None:
        # The distances of trips alone are better known than those of trips and anchors together.
        ratio = daily.sum(axis=0) / np.maximum(daytypes.by_purpose(distances), LEAST)
        distances = distances * np.repeat(np.clip(ratio, 0.0, 100.0), HEADINGS, axis=0)[:, None, :]
    districts = unbounded.get("od@district")
    districts = districts if lives.days == 1 or districts is None else _arriving(districts, found.districts)
    return Targets(zones, distances, daily, districts)


def _arriving(flows: FloatArray, expected: FloatArray) -> FloatArray:
    """Flows between districts (districts, districts), with as many trips from and to each as the model expects, outside (last) apart.

    Averages over several days lose more within a busy district than can be told here, and destinations tell better how many arrive:
    the flows tell where they come from.
    """
    inside, wanted = flows[:-1, :-1], expected[:-1, :-1]
    district = np.arange(len(inside))
    margins = [
        (np.broadcast_to(district[:, None], inside.shape), wanted.sum(axis=1)),
        (np.broadcast_to(district[None, :], inside.shape), wanted.sum(axis=0))]
    raked = flows.copy()
    raked[:-1, :-1] = reconcile.rake(inside + LEAST, margins, rounds=RAKE_ROUNDS)
    return raked


def _kept_destinations(tables: Marginals, found: Expectation, geography: Geography, days: int) -> FloatArray:
    name = "destinations@zone" if "destinations@zone" in tables else "destinations@district"
    v, n = found.visits, geography.n
    outing = v.purpose > 0
    purposes = len(found.destinations)
    group = np.repeat(np.arange(purposes), n)
    kept = bias.kept_share(
        v.life[outing], v.purpose[outing] * n + v.zone[outing], purposes * n, tables[name].bound_l2, group, 1.0 / days)
    return kept.reshape(purposes, n)


def _kept_distances(tables: Marginals, found: Expectation, geography: Geography, days: int) -> FloatArray:
    v, bands, shape = found.visits, geography.n_bands, found.distances.shape
    trip = (v.rank > 0) & (v.purpose > 0)
    kind = v.purpose[trip] * HEADINGS + v.heading[trip]
    cell = (kind * bands + geography.bands[v.anchor[trip], v.zone[trip]]) * bands
    cell = cell + geography.bands[v.origin[trip], v.zone[trip]]
    group = np.repeat(np.arange(shape[0]), bands * bands)
    return bias.kept_share(v.life[trip], cell, int(np.prod(shape)), tables["distances"].bound_l2, group, 1.0 / days).reshape(shape)


def _kept_districts(tables: Marginals, found: Expectation, geography: Geography, days: int) -> FloatArray:
    v, district, areas = found.visits, geography.parents["district"], len(found.districts)
    trip = v.rank > 0
    pair = district[v.origin[trip]] * areas + district[v.zone[trip]]
    group = np.eye(areas, dtype=np.int64).ravel()
    bound = tables["od@district"].bound_l2
    return bias.kept_share(v.life[trip], pair, areas * areas, bound, group, OD_WEIGHT / days).reshape(areas, areas)


def _start(purposes: int, geography: Geography, day_types: int) -> Flows:
    """Equal attraction, and deterrence falling with both distances."""
    km = np.append(np.asarray(geography.edges_km), geography.edges_km[-1]) + 1.0
    one = 1.0 / km
    areas = int(geography.parents["district"].max()) + 1
    return Flows(
        np.ones((purposes, geography.n)), np.tile(one[:, None] * one[None, :], (purposes * HEADINGS, 1, 1)), np.ones((areas, areas)),
        np.ones((day_types, purposes, geography.n_bands)))


def _scaled(flows: Flows, found: Expectation, targets: Targets) -> Flows:
    """One step of proportional scaling of all factors, the part at anchors taken off target and expectation."""
    drawn = found.destinations - found.fixed_destinations
    target = targets.zones * found.destinations.sum(axis=1, keepdims=True) - found.fixed_destinations
    attraction = flows.attraction * _factor(target, drawn)
    attraction = _levelled(attraction, drawn)
    deterrence, affinity, daily = flows.deterrence, flows.affinity, flows.daily
    if targets.distances is not None:
        drawn = found.distances - found.fixed_distances
        pull = _factor(targets.distances - found.fixed_distances, drawn)
        pull[:, -1, -1] = 1.0  # who goes outside is as far from anywhere: attraction says how many do
        deterrence = deterrence * pull
        deterrence = _levelled(deterrence, drawn)
    if targets.daily is not None and len(daily) > 1:
        daily = daytypes.pulled(daily, targets.daily, found)
    if targets.districts is not None:
        drawn = found.districts - found.fixed_districts
        pull = _factor(targets.districts - found.fixed_districts, drawn)
        pull[:, -1] = 1.0
        affinity = np.clip(affinity * pull, 0.1, 10.0)
    return Flows(np.maximum(attraction, 1e-12), np.maximum(deterrence, 1e-12), affinity, daily)


def _misplaced(found: Expectation, targets: Targets) -> float:
    """Shares of stays and trips that are not where the targets have them, added up over the tables."""
    stays = found.destinations[1:].sum(axis=1, keepdims=True)
    off = [np.abs(found.destinations[1:] - targets.zones[1:] * stays).sum() / max(float(stays.sum()), LEAST)]
    daily = daytypes.by_purpose(found.daily_distances)[:, 1:]
    of_daily = None if targets.daily is None else targets.daily[:, 1:]
    for table, target in ((found.distances[HEADINGS:], targets.distances), (daily, of_daily), (found.districts, targets.districts)):
        if target is not None:
            wanted = target[-len(table) :] * (table.sum() / max(float(target[-len(table) :].sum()), LEAST))
            off.append(np.abs(table - wanted).sum() / max(float(table.sum()), LEAST))
    return float(sum(off))


def _levelled(factor: FloatArray, drawn: FloatArray) -> FloatArray:
    """Rows of a factor with a mean of 1 over what is drawn: a cell that lives can hardly reach grows without end, and must not make
    all others small beside it."""
    axes = tuple(range(1, factor.ndim))
    seen = np.maximum(drawn, 0.0) + LEAST
    level = (factor * seen).sum(axis=axes, keepdims=True) / seen.sum(axis=axes, keepdims=True)
    return np.clip(factor / np.maximum(level, LEAST), 0.0, MOST_PULL)


def _factor(target: FloatArray, drawn: FloatArray) -> FloatArray:
    """A damped, bounded ratio; 1 where neither side has anything."""
    floor = 1e-3 * max(float(drawn.mean()), LEAST)
    return np.clip(((np.maximum(target, 0) + floor) / (drawn + floor)) ** STEP, 0.2, 5.0)
