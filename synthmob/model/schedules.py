"""Whole days with their times: a pool of played days, weighed until together they say what every released table of times says.

Laws fitted stay by stay cannot meet all tables at once: whatever moves departures moves durations. So many days of every chain
are played with these laws, and each day is a schedule whose weight is scaled, table after table, to what the release says of
first departures, departures by purpose, durations, and both by chain (iterative scaling, Darroch and Ratcliff 1972,
doi:10.1214/aoms/1177692379; a day lies in several cells of a table, so each step is damped). A chain's weight never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.counts.timing import BEFORE, OUTING_SIZE_EDGES, SIDE, STAY_WEIGHT, STAYS_LEFT_EDGES
from synthmob.domain import MINUTES_PER_DAY
from synthmob.marginals import Marginal
from synthmob.model import clock, reconcile
from synthmob.model.chains import MAX_STAYS, NOBODY, Chains
from synthmob.model.journeys import Journeys
from synthmob.model.reconcile import LEAST, FloatArray, Noisy
from synthmob.model.rehearsal import Played, play, replay
from synthmob.model.timing import BY_CLOCK, HOURS, QUARTERS, Bins, IntArray, Laws, Timing, chain_rows, contexts, day_kinds, rows_of

POOL, LEAST_POOL, POOL_A_PERSON = 60_000, 20_000, 10
"""Played days: so many for each person of a release, in these bounds."""
LEAST_SCHEDULES = 6
"""Every chain has so many schedules, and its part of the pool beside them."""
ROUNDS = 24
REPLAYS, THIN = 4, 4
"""So often every so manieth day of the pool is played to learn the hours at which people leave."""
RETARGET_AT = (0, 8)
"""Targets lie between what the pool says and what was released; looked at more often they would follow the noise."""
ROOMS_MIN = (12, 40, 80)
"""Played days leave so much room for each stay to come, in turns: with the least alone, long days would all end at midnight."""
LONG_MIN = 90
"""Stays of LONG_MIN and more end by the clock, however long the way there took: who works leaves when work is over, and all that a day
has drawn of travel times does not add up in its evening. Shorter ones last as long as they do."""
TRAVELS = 3
"""A schedule is lived so often, with travel times of its own each time: weights must not choose days by how long their ways took, for
those are drawn anew."""
STEP = 0.5
REST_ERROR, SCALE_ERROR = 1.0, 0.02
"""How far off the pool may be in the suppressed cells of a group together, and a table in the published ones, as a part of them."""
MOST_STEP, MOST_CHANGE = 1.1, 30.0
"""The most that one cell of one step (a logarithm), and all steps together (a factor), may change the weight of a day."""


@dataclass(frozen=True)
class _Table:
    """A released table over the pool: every entry is a part of a cell (flat) that a day adds to; `group` (cells,) is the first code
    of every cell, a purpose or kind of day or chain, and `row` how many cells are next to one another."""

    day: IntArray
    cell: IntArray
    value: FloatArray
    noisy: Noisy
    group: IntArray
    row: int

    def expected(self, weights: FloatArray) -> FloatArray:
        """What a pool of these weights adds up to, shape (cells,)."""
        return np.bincount(self.cell, weights=self.value * weights[self.day], minlength=self.noisy.count.size).astype(np.float64)


def fit_schedules(chains: Chains, laws: Laws, tables: Mapping[str, Marginal], day_type: int, bins: Bins, duties: tuple[int, ...],
                  journeys: Journeys, *, single_day: bool) -> Timing:
    """Schedules of every chain, weighed by the released tables; `single_day` says that these hold no averages over days."""
    edges = np.append(bins.fine, MINUTES_PER_DAY)
    days = _played(chains, laws, tables, day_type, edges, journeys)
    schedules = _coded(days)
    n = np.bincount(days.chain, minlength=len(chains.lengths))
    start = (chains.weights / n)[days.chain]
    weights = start.copy()
    lived = replay(chains, days.chain, schedules, edges, journeys, TRAVELS)
    seen = _tables(chains, lived, len(schedules), tables, day_type, bins, duties, single_day=single_day)
    targets: list[_Target] = []
    for turn in range(ROUNDS):
        if turn in RETARGET_AT:
            targets = [_target(table, weights) for table in seen]
        for table, target in zip(seen, targets, strict=True):
            pull = target.pull(table, table.expected(weights))
            change = np.bincount(table.day, weights=pull[table.cell], minlength=len(weights)) / TRAVELS
            weights = np.clip(weights * np.exp(change), start / MOST_CHANGE, start * MOST_CHANGE)
            sums = np.bincount(days.chain, weights=weights, minlength=len(n))
            weights *= (chains.weights / np.maximum(sums, LEAST))[days.chain]
    first = np.concatenate([[0], np.cumsum(n)])
    return Timing(schedules, weights, first.astype(np.int64))


def _coded(days: Played) -> npt.NDArray[np.int16]:
    """The schedules of played days, (days, MAX_STAYS), as Timing has them."""
    by_clock = days.ends - days.starts >= LONG_MIN
    later = np.where(by_clock, BY_CLOCK + np.minimum(days.ends // 15, QUARTERS - 1), days.lasting)
    later = np.where(days.lasting >= 0, later, NOBODY)
    return np.where(np.arange(MAX_STAYS) > 0, later, days.quarter[:, None]).astype(np.int16)


def _played(chains: Chains, laws: Laws, tables: Mapping[str, Marginal], day_type: int, edges: IntArray, journeys: Journeys) -> Played:
    """A day of every chain of the pool, by the hours at which people were released to leave where the release tells these."""
    whose = pool(chains)
    law = _hours(chains, whose[::THIN], laws, tables, day_type, edges, journeys) if "departures_to" in tables else None
    return play(chains, whose, laws, edges, journeys, "schedules", ROOMS_MIN, law)


def _hours(chains: Chains, some: IntArray, laws: Laws, tables: Mapping[str, Marginal], day_type: int, edges: IntArray,
           journeys: Journeys) -> FloatArray:
    """How much likelier people leave for a purpose in a quarter of an hour than durations say, (purposes, 96), learnt from `some` days."""
    weight = (chains.weights / np.maximum(np.bincount(some, minlength=len(chains.weights)), 1))[some]
    by_purpose = Noisy.of(tables["departures_to"]).moved(lambda a: a[day_type])
    by_quarter = Noisy.of(tables["departures"]).moved(lambda a: a[day_type]) if "departures" in tables else None
    law = np.ones((len(by_purpose.count), QUARTERS))
    for _ in range(REPLAYS):
        days = play(chains, some, laws, edges, journeys, "schedules", ROOMS_MIN, law)
        later, first = _departures(chains, days, weight, len(law))
        law = clock.sharpened(law, later, first, by_purpose, by_quarter)
    return law


def _departures(chains: Chains, days: Played, weight: FloatArray, purposes: int) -> tuple[FloatArray, FloatArray]:
    """Persons who leave by purpose and quarter of an hour, (purposes, 96), after the first stay of a day and at its end."""
    going, (stay, at) = np.flatnonzero(days.quarter >= 0), np.nonzero(days.lasting >= 0)
    kinds = chains.purposes[days.chain].astype(np.int64)
    cells = (
        (stay, kinds[stay, at + 1] * QUARTERS + np.minimum(days.ends[stay, at] // 15, QUARTERS - 1)),
        (going, kinds[going, 1] * QUARTERS + days.quarter[going]))  # fmt: skip
    later, first = (np.bincount(cell, weights=weight[day], minlength=purposes * QUARTERS).astype(np.float64) for day, cell in cells)
    return later.reshape(purposes, QUARTERS), first.reshape(purposes, QUARTERS)


def pool(chains: Chains) -> IntArray:
    """The chain of every day of the pool, in order: all have some, large ones more."""
    people = float(chains.weights.sum())
    share, size = chains.weights / max(people, LEAST), np.clip(POOL_A_PERSON * people, LEAST_POOL, POOL)
    n = np.where(chains.lengths > 1, LEAST_SCHEDULES + np.rint(size * share).astype(np.int64), 1)
    return np.repeat(np.arange(len(n)), n)


@dataclass(frozen=True)
class _Target:
    """What a table should add up to: `cells` (cells,) where published, `rest` (groups,) of the suppressed cells of each group together;
    `trust` (cells,), 0 to 1, says how much of a cell the release knows."""

    cells: FloatArray
    trust: FloatArray
    rest: FloatArray

    def pull(self, table: _Table, found: FloatArray) -> FloatArray:
        """The logarithm of what each cell (cells,) should be multiplied by now."""
        floor = 1e-3 * max(float(found.mean()), LEAST)
        seen = table.noisy.published.ravel()
        hidden = np.bincount(table.group, weights=np.where(seen, 0.0, found))
        group = np.log((self.rest + floor) / (hidden + floor))
        most = np.log((table.noisy.cut + table.noisy.sigma + floor) / (found + floor))  # suppressed: hardly more than the cut
        step = np.where(seen, self.trust * np.log((self.cells + floor) / (found + floor)), np.minimum(group[table.group], most))
        return STEP * np.clip(step, -MOST_STEP, MOST_STEP)


def _target(table: _Table, weights: FloatArray) -> _Target:
    """Between what a table adds up to and what was released.

    Chains say how many such stays a group has. What its published cells and those that are believed of the suppressed ones leave of
    them is shared out: by how well the pool knows the suppressed, and by how far off tables may be as a whole, since bounding keeps
    less of busy people than it keeps of the chains.
    """
    found, noisy = table.expected(weights), table.noisy.moved(np.ravel)
    seen = noisy.published
    total = np.bincount(table.group, weights=found)
    published = np.bincount(table.group, weights=np.nan_to_num(noisy.count))
    rows = found.reshape(-1, table.row)
    believed = (rows * clock.fading(rows, noisy.moved(lambda a: a.reshape(rows.shape)))).ravel()
    hidden = np.bincount(table.group, weights=np.where(seen, 0.0, np.minimum(believed, noisy.cut)))
    of_rest, of_scale = (REST_ERROR * hidden) ** 2, (SCALE_ERROR * published) ** 2
    part = (total - published - hidden) / (of_rest + of_scale + np.bincount(table.group, weights=seen * noisy.sigma**2) + LEAST)
    scale = (1.0 + part * of_scale / np.maximum(published, LEAST))[table.group]
    mean, variance = reconcile.posterior(found, Noisy(noisy.count * scale, noisy.sigma, noisy.cut))
    trust = np.where(seen, variance / noisy.sigma**2 if noisy.sigma > 0 else 1.0, 0.0)
    return _Target(mean, np.clip(trust, 0.0, 1.0), np.maximum(hidden + part * of_rest, 0.02 * hidden))


def _tables(chains: Chains, days: Played, n: int, tables: Mapping[str, Marginal], day_type: int, bins: Bins, duties: tuple[int, ...], *,
            single_day: bool) -> list[_Table]:
    """Every released table of times over a pool of `n` schedules, which `days` live in turns."""
    cells = _cells(chains, days, bins, duties, tables["durations"].axes[1].size)
    timed, codes = chain_rows(chains, tables.get("chain_departure"))
    out = []
    for name, (day, cell, weight) in cells.items():
        if name not in tables:
            continue
        noisy = Noisy.of(tables[name]).moved(lambda a: a[day_type])
        bound = tables[name].bound_l2 if single_day else 0.0
        out.append(_table(day, cell, weight, bound, noisy, n, len(days.chain)))
    for name, shape, (day, cell) in (
        ("chain_departure", (HOURS,), _first_hours(days)),
        ("chain_episodes", tables["chain_episodes"].shape[2:] if "chain_episodes" in tables else (), _by_chain(days, bins)),
    ):
        if name not in tables or not len(codes):
            continue
        mine = timed[days.chain[day]] >= 0
        flat = timed[days.chain[day[mine]]] * int(np.prod(shape)) + cell[mine]
        noisy = rows_of(tables[name], codes, day_type, shape)
        out.append(_table(day[mine], flat, 1.0, tables[name].bound_l2 if single_day else 0.0, noisy, n, len(days.chain)))
    return out


def _cells(chains: Chains, days: Played, bins: Bins, duties: tuple[int, ...], n_purposes: int
           ) -> dict[str, tuple[IntArray, IntArray, float]]:
    """Day, flat cell and weight of every entry of the tables that are not by chain."""
    lengths, purposes = chains.lengths[days.chain], chains.purposes[days.chain].astype(np.int64)
    going = np.flatnonzero(lengths > 1)
    kind, hour = day_kinds(chains, duties)[days.chain[going]], days.ends[going, 0] // 60
    size = np.searchsorted(OUTING_SIZE_EDGES, lengths[going], side="right") - 1
    day, rank = np.nonzero((np.arange(MAX_STAYS)[None, :] > 0) & (np.arange(MAX_STAYS)[None, :] < lengths[:, None]))
    before, after = purposes[day, rank - 1], purposes[day, rank]
    of_before = np.where(before < 2, before, np.where(np.isin(before, duties), 2, len(BEFORE) - 1))
    of_after = np.where(after == 0, 0, np.where(np.isin(after, duties), 1, 2))
    stay, at = np.nonzero(days.lasting >= 0)
    context = contexts(chains, duties)[days.chain[stay], at]
    sides = len(SIDE) ** 2
    head, lasted = context // (len(STAYS_LEFT_EDGES) * sides), days.ends[stay, at] - days.starts[stay, at]
    coarse, fine = (np.searchsorted(e, lasted, side="right") - 1 for e in (bins.coarse, bins.fine))
    arrived = np.minimum(days.starts[stay, at] // 60, HOURS - 1)
    n_coarse, n_fine = len(bins.coarse), len(bins.fine)
    return {
        "first_departure": (going, kind * QUARTERS + days.quarter[going], 1.0),
        "first_departure_next": (going, (kind * n_purposes + purposes[going, 1]) * HOURS + hour, 1.0),
        "first_departure_size": (going, (kind * len(OUTING_SIZE_EDGES) + size) * HOURS + hour, 1.0),
        "departures": (day, days.ends[day, rank - 1] // 15, STAY_WEIGHT),
        "departures_to": (day, purposes[day, rank] * HOURS + days.ends[day, rank - 1] // 60, STAY_WEIGHT),
        "departures_between": (day, (of_before * len(SIDE) + of_after) * HOURS + days.ends[day, rank - 1] // 60, STAY_WEIGHT),
        "durations": (stay, purposes[stay, at] * n_fine + fine, STAY_WEIGHT),
        "durations_left": (stay, context // sides * n_coarse + coarse, STAY_WEIGHT),
        "durations_between": (stay, (head * sides + context % sides) * n_coarse + coarse, STAY_WEIGHT),
        "episodes": (stay, (head * HOURS + arrived) * n_coarse + coarse, STAY_WEIGHT),
    }


def _first_hours(days: Played) -> tuple[IntArray, IntArray]:
    """Days with a trip, and the hour of their first departure."""
    going = np.flatnonzero(days.quarter >= 0)
    return going, days.quarter[going] // 4


def _by_chain(days: Played, bins: Bins) -> tuple[IntArray, IntArray]:
    """Inner stays by rank, coarse start and coarse duration, flat."""
    stay, at = np.nonzero(days.lasting >= 0)
    start = np.searchsorted(bins.starts, days.starts[stay, at], side="right") - 1
    lasting = np.searchsorted(bins.coarse, days.ends[stay, at] - days.starts[stay, at], side="right") - 1
    return stay, ((at - 1) * len(bins.starts) + start) * len(bins.coarse) + lasting


def _table(day: IntArray, cell: IntArray, weight: float, bound_l2: float, noisy: Noisy, n: int, lived: int) -> _Table:
    """Entries with what each is worth once its day is bounded as the release bounds people; all `lived` days of one of `n` schedules
    together are worth one."""
    size = noisy.count.size
    pair, place, times = np.unique(day * size + cell, return_inverse=True, return_counts=True)
    value = np.full(len(day), weight)
    if bound_l2 > 0 and len(day):
        capped = np.minimum(times * weight, 1.0)
        norm = np.sqrt(np.bincount(pair // size, weights=capped**2))[day]
        value = (capped / times)[place] * np.minimum(1.0, bound_l2 / norm)
    groups = len(noisy.count) if noisy.count.ndim > 1 else 1
    group = np.repeat(np.arange(groups), size // groups)
    return _Table(day % n, cell, value * (n / lived), noisy.moved(np.ravel), group, noisy.count.shape[-1])
