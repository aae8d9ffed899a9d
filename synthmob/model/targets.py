"""What a destination law is scaled to: what is believed of the released tables, with the bias of contribution bounding undone.

A table is believed once, when the law is first looked at with it; targets are made of it again while the law moves, for what bounding
keeps depends on where people go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthmob.counts.flows import HEADINGS, OD_WEIGHT
from synthmob.marginals import Marginal
from synthmob.model import bias, daytypes, destinations, reach, reconcile
from synthmob.model.expectation import Expectation
from synthmob.model.geography import Geography
from synthmob.model.lives import Lives
from synthmob.model.reconcile import LEAST, FloatArray, IntArray, Noisy

Marginals = Mapping[str, Marginal]
RAKE_ROUNDS = 30
MARGIN_MISFIT = 0.02
"""How far off a model is that meets destinations, in the trips from and to an area."""


@dataclass(frozen=True)
class Targets:
    """What to scale to: shares of destinations by purpose, and person-days by distances, by distances of each day type, by areas,
    and by distances of each kind of `reach`, in the order of its tables, where released."""

    zones: FloatArray
    distances: FloatArray | None = None
    daily: FloatArray | None = None
    flows: FloatArray | None = None
    reach: tuple[FloatArray | None, ...] = ()


def look_at(tables: Marginals, found: Expectation, geography: Geography, lives: Lives, names: Sequence[str]
              ) -> dict[str, FloatArray]:  # fmt: skip
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
        if name in reach.TABLES:
            out[name] = reach.believed(expected * kept, noisy)
            continue
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
    if name.startswith("od@"):
        level = name.partition("@")[2]
        return between(found.flows, geography, level), _kept_flows(tables[name], found, geography.parents[level], lives.days)
    if name == "trip_km":
        daily = daytypes.by_purpose(found.daily_distances)
        daily[:, 0] = 0.0  # the ways home are not in these tables
        return daily / daytypes.days(lives, len(daily)), daytypes.kept(tables[name], found, lives, geography, daily.shape)
    if name in reach.TABLES:
        v, expected = found.visits, reach.apart(found.reached, found.usual_min)[reach.TABLES.index(name)]
        band = geography.bands[v.origin, v.zone].astype(np.int64)
        return expected, reach.kept(tables[name], name, v, band, found.usual_min, expected.shape, lives.days)
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


def retarget(tables: Marginals, levels: tuple[str, ...], persons: Mapping[str, FloatArray], found: Expectation, geography: Geography,
              lives: Lives) -> Targets:
    """Targets from the release and what the model expects now, with the bias of contribution bounding undone."""
    kept = _kept_destinations(tables, found, geography, lives.days)
    stays = (found.destinations * kept).sum(axis=1) * lives.weight
    zones = destinations.shares(tables, levels, geography, stays) / kept
    zones = zones / np.maximum(zones.sum(axis=1, keepdims=True), LEAST)
    unbounded, error = dict[str, FloatArray](), dict[str, float]()
    for name, count in persons.items():
        expected, kept = _bounded(name, tables, found, geography, lives)
        noisy = _seen(tables[name], expected)
        scale = noisy.scale(expected * kept)
        unbounded[name] = count / scale / np.maximum(kept, LEAST)
        error[name] = np.inf if lives.days > 1 else noisy.sigma * np.sqrt(len(count)) / scale
    distances, daily = unbounded.get("distances"), unbounded.get("trip_km")
    if daily is not None:
        daily = daily * daytypes.days(lives, len(daily))
    if distances is not None and daily is not None:
        # The distances of trips alone are better known than those of trips and anchors together.
        ratio = daily.sum(axis=0) / np.maximum(daytypes.by_purpose(distances), LEAST)
        distances = distances * np.repeat(np.clip(ratio, 0.0, 100.0), HEADINGS, axis=0)[:, None, :]
    flows = _flows(unbounded, error, found.flows, geography)
    return Targets(zones, distances, daily, flows, tuple(unbounded.get(name) for name in reach.TABLES))


def between(flows: FloatArray, geography: Geography, level: str) -> FloatArray:
    """Flows between areas (areas, areas) added up to those between areas of a coarser level."""
    parent = geography.level_parent(geography.flow_level, level)
    into = np.eye(int(parent.max()) + 1)[parent]
    return into.T @ flows @ into


def _flows(tables: Mapping[str, FloatArray], error: Mapping[str, float], expected: FloatArray, geography: Geography) -> FloatArray | None:
    """Flows between areas, (areas, areas), released ones or those `expected`, in sum what was released between districts; `error` is that
    of the trips from or to an area by each table."""
    own = f"od@{geography.flow_level}"
    fine, coarse = tables.get(own), tables.get("od@district")
    if coarse is None or geography.flow_level == "district":
        return None if fine is None else _arriving(fine, expected, error[own])
    parent, summed = geography.level_parent(geography.flow_level, "district"), between(expected, geography, "district")
    coarse = _arriving(coarse, summed, error["od@district"])
    return _arriving(expected if fine is None else fine, expected, error.get(own, np.inf), parent, coarse)


def _arriving(flows: FloatArray, expected: FloatArray, error: float, parent: IntArray | None = None, coarse: FloatArray | None = None
              ) -> FloatArray:  # fmt: skip
    """Flows between areas (areas, areas), with as many trips from and to each as the model expects, outside (last) apart, as far as the
    `error` of the flows is more than its own; and in sum the `coarse` ones between the areas that are the `parent` (areas,) of each.

    Averages over several days lose more within a busy area than can be told here, and where noise is much, destinations tell better how
    many arrive: the flows tell where they come from.
    """
    inside, area = flows[:-1, :-1], np.arange(len(flows) - 1)
    margins = [
        (np.broadcast_to(np.expand_dims(area, 1 - axis), inside.shape), _trips(inside.sum(axis=1 - axis), wanted, error))
        for axis, wanted in enumerate((expected[:-1, :-1].sum(axis=1), expected[:-1, :-1].sum(axis=0)))]
    if parent is not None and coarse is not None:
        margins.append((parent[:-1, None] * len(coarse) + parent[:-1], coarse.ravel()))
    raked = flows.copy()
    raked[:-1, :-1] = reconcile.rake(inside + LEAST, margins, rounds=RAKE_ROUNDS)
    return raked


def _trips(told: FloatArray, expected: FloatArray, error: float) -> FloatArray:
    """Trips from, or to, each area, by flows that tell them with an `error` and by a model that is off by MARGIN_MISFIT of them."""
    if np.isinf(error):
        return expected
    misfit = (MARGIN_MISFIT * expected) ** 2 + LEAST
    return (told * misfit + expected * error**2) / (misfit + error**2)


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


def _kept_flows(table: Marginal, found: Expectation, area: IntArray, days: int) -> FloatArray:
    v, areas = found.visits, int(area.max()) + 1
    trip = v.rank > 0
    pair = area[v.origin[trip]] * areas + area[v.zone[trip]]
    group = np.eye(areas, dtype=np.int64).ravel()
    return bias.kept_share(v.life[trip], pair, areas * areas, table.bound_l2, group, OD_WEIGHT / days).reshape(areas, areas)
