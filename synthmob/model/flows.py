"""Where people go when they are neither home nor at their work place.

P(zone | purpose, stay before, anchor ahead) is proportional to attraction[purpose, zone] x affinity[area before, area]
x deterrence[purpose, heading, distance to the anchor ahead, distance from the stay before]. The anchor ahead is the work place if the
next stay is work, home otherwise: an errand on the way to work lies near home or near work, and lunch is nearer than an evening out.
The factors are fitted by proportional scaling of their expectation over a fixed sample of lives: attraction to the released
destinations, deterrence to the released joint distances, affinity to the released flows between areas, which are districts, or zones
where these are few. No single law of distance holds in every city: in one all depends on home, in another on the place before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from synthmob.counts.flows import HEADINGS
from synthmob.marginals import Marginal
from synthmob.model import daytypes, destinations, reach
from synthmob.model.expectation import Expectation, Flows, expectation
from synthmob.model.geography import Geography
from synthmob.model.lives import Lives
from synthmob.model.reconcile import LEAST, FloatArray
from synthmob.model.returns import FIRST_SHARING, Returns, Wanted, moved
from synthmob.model.targets import Targets, look_at, retarget

Marginals = Mapping[str, Marginal]
PASSES, PART = 16, 4
UNTIMED, TIMED, TIMED_RETARGET_AT = 12, 7, (0, 3)
"""Passes before lives have times, where those are to come, and after."""
RETARGET_AT = (2, 6, 10)
"""Passes over the lives, and when targets are looked at: before the last time over one life in PART, from then on over all."""
BELIEVED_AT = {"distances": 2, "trip_km": 2, "od": 6}
"""The pass at which a table is first looked at: flows between areas once the distances of trips are met."""
RETURNS_FROM = 3
"""The pass from which on returns are moved as well: before, lives are anywhere."""
STEP = 0.8
MOST_PULL = 1e3
"""The most that one cell of a factor may stand above those that are drawn."""


@dataclass(frozen=True)
class Begun:
    """A destination law over lives without times, what is believed of the tables that it was scaled to, persons of the release, and how
    often lives go somewhere new."""

    flows: Flows
    believed: Mapping[str, FloatArray]
    returns: Returns


def fit_flows(tables: Marginals, levels: tuple[str, ...], geography: Geography, lives: Lives, work_anchor: FloatArray,
              purposes: int, exploration: FloatArray | None = None, day_types: int = 1) -> Flows:
    """The destination law that reproduces the released destinations, distances and flows over the lives.

    `work_anchor` (WORK_STAYS,) is the share of each kind of work stays that is at the person's own work zone; `exploration`
    (purposes,) the weight of a new place among those that a purpose has taken a life to. Lives have days of so many `day_types`, or fewer.
    """
    return begin(tables, levels, geography, lives, work_anchor, purposes, exploration, day_types).flows


def begin(tables: Marginals, levels: tuple[str, ...], geography: Geography, lives: Lives, work_anchor: FloatArray, purposes: int,
          exploration: FloatArray | None = None, day_types: int = 1, *, goes_on: int = 0) -> Begun:
    """What `fit_flows` fits; less closely, over part of the lives, where it `goes_on` with times, the release being about so many days:
    then returns are fitted along."""
    flows, believed = _start(purposes, geography, day_types), dict[str, FloatArray]()
    returns = Returns(np.full(purposes, np.inf) if exploration is None else exploration, 0.0)
    if "destinations@district" not in tables:
        return Begun(flows, believed, returns)
    released = destinations.shares(tables, levels, geography, _stays(lives, purposes))
    targets, few = Targets(released), lives.every(PART)
    wanted = Wanted.of(tables, few, returns.exploration, goes_on) if goes_on else None
    returns = returns if wanted is None else replace(returns, sharing=FIRST_SHARING)
    best, least = flows, np.inf
    for turn in range(UNTIMED if goes_on else PASSES):
        lived = few if turn < RETARGET_AT[-1] or goes_on else lives
        found = expectation(flows, geography, lived, work_anchor, returns.exploration, returns.sharing)
        if turn in RETARGET_AT:
            believed |= look_at(tables, found, geography, lived, _looked_at(turn, geography))
            targets = retarget(tables, levels, believed, found, geography, lived)
        if turn > RETARGET_AT[-1] and (off := _misplaced(found, targets)) < least:
            best, least = flows, off  # scaling several factors at once may pass by what it is after
        flows = _scaled(flows, found, targets)
        if wanted is not None and turn >= RETURNS_FROM:
            returns = moved(returns, wanted, found.visits, geography.n, lived)
    return Begun(best, believed, returns)


def go_on(begun: Begun, tables: Marginals, levels: tuple[str, ...], geography: Geography, lives: Lives, work_anchor: FloatArray,
          exploration: FloatArray, days: int = 1) -> tuple[Flows, Returns]:  # fmt: skip
    """The same law over lives with times, and with them how far people go at which part of the day and for how long a stay; and how
    often they go somewhere new, the release being about so many `days`."""
    flows, believed, returns, wanted = begun.flows, dict(begun.believed), begun.returns, Wanted.of(tables, lives, exploration, days)
    if "destinations@district" not in tables:
        return flows, returns
    best, least, targets = (flows, returns), np.inf, Targets(flows.attraction)
    for turn in range(TIMED):
        found = expectation(flows, geography, lives, work_anchor, returns.exploration, returns.sharing)
        if turn in TIMED_RETARGET_AT:
            believed = look_at(tables, found, geography, lives, reach.TABLES) | believed
            targets = retarget(tables, levels, believed, found, geography, lives)
        if turn > TIMED_RETARGET_AT[-1] and (off := _misplaced(found, targets)) < least:
            best, least = (flows, returns), off
        flows = _scaled(flows, found, targets)
        if wanted is not None:
            returns = moved(returns, wanted, found.visits, geography.n, lives)
    return best


def _looked_at(turn: int, geography: Geography) -> list[str]:
    """The tables that are first looked at in this pass."""
    of_areas = {f"od@{level}": BELIEVED_AT["od"] for level in (geography.flow_level, "district")}
    return [name for name, first in (BELIEVED_AT | of_areas).items() if first == turn]


def _stays(lives: Lives, purposes: int) -> FloatArray:
    """How many stays of each purpose people have on a day, all together, shape (purposes,)."""
    return np.bincount(lives.purposes[lives.purposes >= 0], minlength=purposes).astype(np.float64) * lives.weight


def _start(purposes: int, geography: Geography, day_types: int) -> Flows:
    """Equal attraction, and deterrence falling with both distances."""
    km = np.append(np.asarray(geography.edges_km), geography.edges_km[-1]) + 1.0
    one = 1.0 / km
    areas = int(geography.flow_areas.max()) + 1
    return Flows(
        np.ones((purposes, geography.n)), np.tile(one[:, None] * one[None, :], (purposes * HEADINGS, 1, 1)), np.ones((areas, areas)),
        np.ones((day_types, purposes, geography.n_bands)), *(np.ones((purposes, kinds, geography.n_bands)) for kinds in reach.KINDS))


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
        pull[:, -1, -1] = _headings_outside((targets.distances - found.fixed_distances)[:, -1, -1], drawn[:, -1, -1])
        deterrence = deterrence * pull
        deterrence = _levelled(deterrence, drawn)
    if targets.daily is not None and len(daily) > 1:
        daily = daytypes.pulled(daily, targets.daily, found)
    if targets.flows is not None:
        drawn = found.flows - found.fixed_flows
        pull = _factor(targets.flows - found.fixed_flows, drawn)
        pull[:, -1] = 1.0
        affinity = np.clip(affinity * pull, 0.1, 10.0)
    wanted, reached = targets.reach or (None,) * len(reach.KINDS), reach.apart(found.reached, found.usual_min)
    factors = [
        factor if target is None else reach.pulled(factor, target, drawn)
        for factor, target, drawn in zip(flows.reach, wanted, reached, strict=True)]
    return Flows(np.maximum(attraction, 1e-12), np.maximum(deterrence, 1e-12), affinity, daily, *factors)


def _misplaced(found: Expectation, targets: Targets) -> float:
    """Shares of stays and trips that are not where the targets have them, added up over the tables."""
    stays = found.destinations[1:].sum(axis=1, keepdims=True)
    off = [np.abs(found.destinations[1:] - targets.zones[1:] * stays).sum() / max(float(stays.sum()), LEAST)]
    daily = daytypes.by_purpose(found.daily_distances)[:, 1:]
    of_daily = None if targets.daily is None else targets.daily[:, 1:]
    for table, target in ((found.distances[HEADINGS:], targets.distances), (daily, of_daily), (found.flows, targets.flows)):
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


def _headings_outside(target: FloatArray, drawn: FloatArray) -> FloatArray:
    """What pulls the ways outside, (purposes x headings,): attraction says how many of a purpose there are, as anywhere is as far from
    there, and this how often the day heads for home, for work or for nowhere then."""
    wanted, found = (np.maximum(table, 0.0).reshape(-1, HEADINGS) for table in (target, drawn))
    floor = 1e-3 * max(float(found.mean()), LEAST)
    in_common = (wanted.sum(axis=1, keepdims=True) + floor) / (found.sum(axis=1, keepdims=True) + floor)
    return np.clip((((wanted + floor) / (found + floor)) / in_common) ** STEP, 0.2, 5.0).ravel()


def _factor(target: FloatArray, drawn: FloatArray) -> FloatArray:
    """A damped, bounded ratio; 1 where neither side has anything."""
    floor = 1e-3 * max(float(drawn.mean()), LEAST)
    return np.clip(((np.maximum(target, 0) + floor) / (drawn + floor)) ** STEP, 0.2, 5.0)
