"""What people do with the phone: how many events a day, of what kind, when, where, how long, how large, for which app.

Every law is one released table, reconciled by itself; a row of a law that holds nothing is something the records did not tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synthmob.counts.usage import DATA, EVENTS_EDGES, FULL, FULL_HOUR
from synthmob.domain import DAY_TYPES, DIRECTIONS, EVENT_DURATION_EDGES_S, KINDS, VOLUME_EDGES_KB, Domain
from synthmob.marginals import Marginal
from synthmob.model import reconcile
from synthmob.model.geography import Geography
from synthmob.model.reconcile import LEAST, FloatArray, Noisy
from synthmob.model.usagegroups import Apps, by_group, unbounded, users
from synthmob.period import Period

Marginals = Mapping[str, Marginal]
NEEDED = ("events_per_day", "event_hours")
OF_KINDS = ("event_hours", "event_directions", "event_durations", "event_volumes")
NO_USAGE = "The release has no table of usage: no events can be generated from it."
STEADY = 0.5
"""How alike a person's days are where the release does not tell: rank correlation."""
CORRELATIONS, SCORES = np.linspace(0.0, 0.95, 20), 200
CONTEXT_WEIGHT = 20.0
MOST_TILT = 4.0
"""A zone is worth at most so many times, or as little as that part of, what the time spent there says."""
HOURS = 24
WAVES = np.stack([np.ones(HOURS)] + [wave(np.arange(HOURS) * 2 * np.pi * k / HOURS) for k in (1, 2) for wave in (np.cos, np.sin)], axis=1)
WAVES_NEED = 8
"""Hours of a kind that have to be published for a smooth day to be fitted to them."""
SURE = 8.0
"""A kind is there where its cells of one table add up to so many standard deviations: noise alone carries a cell or two past the cut."""
FAIR = 0.2
"""A table tells something of a kind where it holds so large a part of the kind's events."""
TAIL = 4
"""The last published bins that say how a law falls beyond them."""


@dataclass(frozen=True)
class Usage:
    """`per_day` (sex x age groups, bands of events) persons, `steady` (1,) rank correlation of two days of a person.

    `hours` (kinds, 24), `tilt` (kinds, zones) what a minute in a zone is worth and `worth` (kinds, 24) what it is on average in an
    hour, `directions` (kinds, 3), `durations` (kinds, bands),
    `volumes` (kinds, bands), `apps` (groups, apps), `app_volumes` (apps, bands): weights; rows without any are not told. `kinds`
    (groups, kinds) is what a group's events are of: `hours` says that of everybody.
    """

    per_day: FloatArray
    steady: FloatArray
    kinds: FloatArray
    hours: FloatArray
    tilt: FloatArray
    worth: FloatArray
    directions: FloatArray
    durations: FloatArray
    volumes: FloatArray
    apps: FloatArray
    app_volumes: FloatArray


def has_usage(tables: Marginals) -> bool:
    """Whether a release says enough of usage to fit it: how many events, and when."""
    return all(name in tables and len(tables[name].values) for name in NEEDED)


def fit_usage(tables: Marginals, domain: Domain, people: FloatArray, period: Period, homes: FloatArray, geography: Geography) -> Usage:
    """The usage of a release; `people` persons by (sex, age band, worker), `homes` persons by home zone, `outside` last."""
    per_day = _per_day(tables["events_per_day"], people.sum(axis=2))
    kinds = _kinds(tables)
    hours = _daily(Noisy.of(tables["event_hours"])) * kinds[:, None]
    groups = per_day.shape[0] * per_day.shape[1]
    shape = per_day.shape[:2]
    per_day = per_day.reshape(groups, -1)
    steady = _steady(tables, per_day, period.days)
    per_day, by_kind, apps = _groups(tables, domain, shape, per_day, steady, hours.sum(axis=1))
    volumes = _sized(tables, "event_volumes", (len(KINDS), len(VOLUME_EDGES_KB)), hours)
    return Usage(
        per_day, np.array([steady]), by_kind, hours, *_tilt(tables, hours, homes, geography, period),
        _told(tables, "event_directions", (len(KINDS), len(DIRECTIONS))) * kinds[:, None],
        _sized(tables, "event_durations", (len(KINDS), len(EVENT_DURATION_EDGES_S)), hours), volumes,
        apps, _app_volumes(tables, domain, volumes[DATA]))  # fmt: skip


def _kinds(tables: Marginals) -> npt.NDArray[np.bool_]:
    """The kinds that the records have: those of which some table is sure, all that were published where none is."""
    sure, seen = np.zeros(len(KINDS), dtype=bool), np.zeros(len(KINDS), dtype=bool)
    for name in OF_KINDS:
        if name in tables and len(tables[name].values):
            total, sigma = _rows(tables[name])
            seen, sure = seen | (total > 0), sure | (total > SURE * sigma)
    return sure if sure.any() else seen


def _rows(table: Marginal) -> tuple[FloatArray, float]:
    """What was published of every row of a table of two axes, and the noise of a cell."""
    noisy = Noisy.of(table)
    return np.where(noisy.published, np.maximum(np.nan_to_num(noisy.count), 0.0), 0.0).sum(axis=1), noisy.sigma


def _told(tables: Marginals, name: str, shape: tuple[int, ...]) -> FloatArray:
    """A small table from itself alone, rows of which nothing was published left empty."""
    if name not in tables:
        return np.zeros(shape)
    noisy = Noisy.of(tables[name])
    seen = noisy.published & (np.nan_to_num(noisy.count) > 0)
    return np.where(seen.any(axis=-1, keepdims=True), reconcile.product_prior(noisy), 0.0)


def _daily(noisy: Noisy) -> FloatArray:
    """Events by kind and hour, each kind's day a smooth one of two waves where the cut left enough of it.

    As the product of kinds and hours a night of few calls would be one of many data sessions, and as full as the cut lets it be.
    """
    seen = noisy.published & (np.nan_to_num(noisy.count) > 0)
    prior = reconcile.independent(reconcile.product_prior(noisy))
    for row in np.flatnonzero(seen.sum(axis=1) >= WAVES_NEED):
        prior[row] = reconcile.extended(prior[row], noisy.moved(lambda a, row=row: a[row]), WAVES)
    return np.where(seen.any(axis=1, keepdims=True), reconcile.posterior(prior, noisy)[0], 0.0)


def _sized(tables: Marginals, name: str, shape: tuple[int, ...], hours: FloatArray) -> FloatArray:
    """How long or how large events of each kind are; empty for kinds of which the table holds next to nothing.

    Messages have no volume: without this one cell of pure noise that passed the cut would give one to all of them.
    """
    if name not in tables or not len(tables[name].values):
        return np.zeros(shape)
    expected = hours.sum(axis=1) * (FULL_HOUR / FULL)
    told = (_rows(tables[name])[0] >= FAIR * expected) & (expected > 0)
    return _falling(_told(tables, name, shape), Noisy.of(tables[name]).published) * told[:, None]


def _falling(law: FloatArray, published: npt.NDArray[np.bool_]) -> FloatArray:
    """Laws (rows, bins) that beyond their last published bin fall as they do up to it, ever faster, where they would be higher.

    All that a cut says of a bin is that it lies below: spread evenly over bins that each hold four times as much, a few events
    would be most of the traffic.
    """
    law = law.copy()
    for row, seen in zip(law, published, strict=True):
        last = int(np.flatnonzero(seen)[-1]) if seen.any() else 0
        known = np.arange(max(last - TAIL + 1, 0), last + 1)
        if len(known) < TAIL or not seen[known].all() or (row[known] <= 0).any():
            continue
        bend, slope, _level = np.polyfit(known - last, np.log(row[known]), 2)
        beyond = np.arange(1, len(row) - last)
        row[last + 1 :] = np.minimum(row[last + 1 :], row[last] * np.exp(min(slope, 0.0) * beyond + min(bend, 0.0) * beyond**2))
    return law


def _per_day(table: Marginal, groups: FloatArray) -> FloatArray:
    """Persons by group and events of a day, the groups' sizes known: (sex, age band, bands)."""
    noisy = Noisy.of(table)
    if noisy.count.shape[:2] != groups.shape:  # people have no sex and age: all of them are one group
        noisy, groups = Noisy.of(table.project(["events"])).moved(lambda a: a[None, None]), groups.sum().reshape(1, 1)
    return reconcile.backed_off(noisy, np.maximum(groups, LEAST))


def _steady(tables: Marginals, per_day: FloatArray, days: int) -> float:
    """How alike a person's days are: from the variance of persons' means beside that of days.

    Within a group the variance of a mean of n days is that of a day, divided by n, and the covariance of two days times 1 - 1/n; the
    covariance is that of two numbers of the same law whose normal scores have the correlation sought.
    """
    if "events_per_person" not in tables or days < 2 or not len(tables["events_per_person"].values):
        return STEADY
    values = middles(EVENTS_EDGES)
    law = np.maximum(np.nan_to_num(Noisy.of(tables["events_per_person"]).count), 0.0)
    sizes = per_day.sum(axis=1)
    means = (per_day * values).sum(axis=1) / np.maximum(sizes, LEAST)
    within = float((sizes * [_variance(row, values) for row in per_day]).sum() / max(float(sizes.sum()), LEAST))
    if within <= 0:
        return STEADY
    covariance = (_variance(law, values) - _variance(sizes, means) - within / days) / (1 - 1 / days)
    pooled = per_day.sum(axis=0)
    found = [_covariance(pooled, values, r) / _variance(pooled, values) for r in CORRELATIONS]
    return float(np.interp(covariance / within, found, CORRELATIONS))


def _covariance(law: FloatArray, values: FloatArray, correlation: float) -> float:
    """The covariance of two numbers of one law whose normal scores are correlated."""
    from scipy.special import ndtr, ndtri

    u = (np.arange(SCORES) + 0.5) / SCORES
    ends = np.cumsum(law) / law.sum()

    def number(z: FloatArray) -> FloatArray:
        return values[np.minimum(np.searchsorted(ends, ndtr(z), side="right"), len(values) - 1)]

    one, other = ndtri(u)[:, None], ndtri(u)[None, :]
    first = number(one)
    return float((first * number(correlation * one + np.sqrt(1 - correlation**2) * other)).mean() - first.mean() ** 2)


def middles(edges: tuple[int, ...]) -> FloatArray:
    """The mean whole number of every band of events, the last one taken to be half as wide again as it begins."""
    ends = np.append(np.asarray(edges[1:], dtype=np.float64), 1.5 * edges[-1])
    return (np.asarray(edges) + ends - 1) / 2


def _variance(weights: FloatArray, values: FloatArray) -> float:
    total = max(float(weights.sum()), LEAST)
    mean = float((weights * values).sum()) / total
    return float((weights * (values - mean) ** 2).sum()) / total


def _groups(
    tables: Marginals, domain: Domain, shape: tuple[int, ...], per_day: FloatArray, steady: float, kinds: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Events a day, kinds and apps by group, groups of few apps leaning on the wider ones; no app where none was released."""
    groups, values = len(per_day), middles(EVENTS_EDGES)
    share = kinds / max(float(kinds.sum()), LEAST)
    if "event_apps" not in tables or not len(tables["event_apps"].values):
        return per_day, np.broadcast_to(share, (groups, len(kinds))).copy(), np.zeros((groups, len(domain.apps)))
    noisy = Noisy.of(tables["event_apps"])
    if noisy.count.shape[1:] != shape:
        noisy = Noisy.of(tables["event_apps"].project(["app"])).moved(lambda a: a[:, None, None])
    found = reconcile.backed_off(noisy.moved(lambda a: np.moveaxis(a, 0, 2)))
    told = Apps(found.reshape(groups, -1), noisy.sigma, tables["event_apps"].bound_l2 or 0.0)
    told = replace(told, persons=unbounded(told, users(per_day, values, steady), float(share[DATA])))
    found = told.persons.reshape(found.shape)
    law = reconcile.conditional(found, reconcile.ladder(found), weight=CONTEXT_WEIGHT)
    return *by_group(per_day, values, tables["events_per_day"].sigma, kinds, told), law.reshape(groups, -1)


def _app_volumes(tables: Marginals, domain: Domain, all_data: FloatArray) -> FloatArray:
    """Bands of volume by app; apps of few lean on all data, none is told where volumes are not."""
    if "app_volumes" in tables and len(tables["app_volumes"].values):
        noisy = Noisy.of(tables["app_volumes"])
        found = _falling(reconcile.backed_off(noisy), noisy.published)
        return reconcile.conditional(found, reconcile.ladder(found), weight=CONTEXT_WEIGHT)
    return np.broadcast_to(all_data, (len(domain.apps), len(all_data))).copy()


def _tilt(tables: Marginals, hours: FloatArray, homes: FloatArray, geography: Geography, period: Period) -> tuple[FloatArray, FloatArray]:
    """What a minute in a zone is worth for each kind, and in each hour on average: events released there over those that presence and
    hours make expect."""
    tilt, worth = np.ones((len(KINDS), geography.n)), np.ones((len(KINDS), HOURS))
    for level in ("district", "zone"):
        parent = geography.parents[level]
        events, present = f"event_zones@{level}", f"presence@{level}"
        if events not in tables or present not in tables or not len(tables[events].values):
            continue
        living = np.bincount(parent, weights=homes, minlength=int(parent.max()) + 1).astype(np.float64)
        time = _presence(tables[present], living, period)
        before = _spread(tilt, homes, parent, time.shape[1])
        prior = (hours / np.maximum(hours.sum(axis=1, keepdims=True), LEAST)) @ time * before
        noisy = Noisy.of(tables[events])
        told = noisy.published.any(axis=1, keepdims=True) & (hours.sum(axis=1, keepdims=True) > 0)
        seen = np.where(noisy.published, np.nan_to_num(noisy.count), 0.0).sum(axis=1, keepdims=True)
        expected = np.where(noisy.published, prior, 0.0).sum(axis=1, keepdims=True)
        prior = prior * seen / np.maximum(expected, LEAST)
        found, _variance_of = reconcile.posterior(prior, noisy)
        change = np.where(told & (prior > LEAST), found / np.maximum(prior, LEAST), 1.0)
        tilt = np.clip(tilt * change[:, parent], 1 / MOST_TILT, MOST_TILT)
        worth = _spread(tilt, homes, parent, time.shape[1]) @ (time / np.maximum(time.sum(axis=1, keepdims=True), LEAST)).T
    return tilt, worth


def _spread(tilt: FloatArray, homes: FloatArray, parent: np.ndarray[tuple[int], np.dtype[np.int64]], n: int) -> FloatArray:
    """The tilt of areas: that of their zones, weighted by who lives there."""
    weight = homes + LEAST
    sums = np.stack([np.bincount(parent, weights=row * weight, minlength=n) for row in tilt])
    return sums / np.bincount(parent, weights=weight, minlength=n)


def _presence(table: Marginal, homes: FloatArray, period: Period) -> FloatArray:
    """Persons present by hour and area on an average day, areas without a published cell by who lives there: (24, areas)."""
    noisy = Noisy.of(table)
    days = np.array([len(period.days_of(DAY_TYPES.index(name))) for name in period.day_types], dtype=np.float64)
    share = (homes + LEAST) / (homes + LEAST).sum()
    out = np.zeros(noisy.count.shape[1:])
    for k, weight in enumerate(days / max(days.sum(), 1.0)):
        part = noisy.moved(lambda a, k=k: a[k])
        total = float(homes.sum())
        out += weight * reconcile.posterior(np.broadcast_to(share * total, part.count.shape), part)[0]
    return out

