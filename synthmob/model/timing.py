"""When things happen: first departures and durations given chain, place in the chain and time of arrival.

Times are drawn forward through the day, so what is fitted is conditional: the end of the first stay given the chain, and each later
stay's duration given its context and the hour of arrival. Chains with released tables of their own get their own
distribution, shrunk to that of their context.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.counts.timing import OUTING_SIZE_EDGES, PENDING, SIDE, STAYS_LEFT_EDGES
from synthmob.marginals import Marginal
from synthmob.model import reconcile
from synthmob.model.chains import Chains
from synthmob.model.reconcile import LEAST, FloatArray, Noisy

IntArray = npt.NDArray[np.int64]
CONTEXT_WEIGHT = 5.0
HOURS = 24
ROUNDS = 8
QUARTERS = 96
LEAST_LEFT = 12
"""Minutes kept for every stay still to come, travel included: the least room that a day's end leaves them."""
BY_CLOCK = 2_000
"""A stay of a schedule with this or more ends by the clock, in the quarter hour that is beyond it; with less it lasts so many bins."""
LEAST_REST = 0.02
"""The least part of a cell that is left to the chains without times of their own."""
LEAST_TIMED = 10.0
"""A chain of fewer persons than this has no times of its own."""


@dataclass(frozen=True)
class Laws:
    """What the released tables say of times one stay after the other.

    `departures` (rows, 96): P(quarter of the first departure); `departure_row` (chains,). `durations` (rows, 24, duration bins):
    P(bin | hour of arrival); `duration_row` (chains, stays), -1 where a stay has no duration of its own.
    """

    departures: FloatArray
    departure_row: IntArray
    durations: FloatArray
    duration_row: IntArray


@dataclass(frozen=True)
class Timing:
    """The times of one day type: whole days to draw from.

    `schedules` int16 (schedules, MAX_STAYS): the quarter hour of the first departure, then of every stay but the last its duration bin,
    or BY_CLOCK plus the quarter hour at which it ends, NOBODY beyond; `weights`
    (schedules,); those of chain c are rows `first[c]` to `first[c + 1]` - 1, `first` (chains + 1,).
    """

    schedules: npt.NDArray[np.int16]
    weights: FloatArray
    first: IntArray


@dataclass(frozen=True)
class Bins:
    """Bin edges, min: fine durations, coarse durations, coarse starts."""

    fine: npt.NDArray[np.int64]
    coarse: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]

    @property
    def coarse_of_fine(self) -> IntArray:
        """The coarse duration bin of every fine one, by its lower edge."""
        return np.searchsorted(self.coarse, self.fine, side="right") - 1

    @property
    def start_of_hour(self) -> IntArray:
        """The coarse start bin of every hour, by its middle."""
        return np.searchsorted(self.starts, np.arange(HOURS) * 60 + 30, side="right") - 1


def contexts(chains: Chains, duties: tuple[int, ...]) -> IntArray:
    """The context of every inner stay, shape (chains, stays): (purpose, pending, stays left, before, after) flat; -1 elsewhere."""
    purposes = chains.purposes.astype(np.int64)
    duty = np.isin(purposes, duties)
    side = np.where(purposes == 0, 0, np.where(duty, 1, 2))
    out = np.full(purposes.shape, -1)
    for rank in range(1, purposes.shape[1] - 1):
        inner = rank < chains.lengths - 1
        pending = duty[:, rank + 1 :].any(axis=1).astype(np.int64)
        left = np.searchsorted(STAYS_LEFT_EDGES, np.maximum(chains.lengths - 1 - rank, 1), side="right") - 1
        code = (purposes[:, rank] * len(PENDING) + pending) * len(STAYS_LEFT_EDGES) + left
        code = (code * len(SIDE) + side[:, rank - 1]) * len(SIDE) + side[:, rank + 1]
        out[:, rank] = np.where(inner, code, -1)
    return out


def day_kinds(chains: Chains, duties: tuple[int, ...]) -> IntArray:
    """0 for a day with work, 1 with education only, 2 with neither, shape (chains,)."""
    return np.where((chains.purposes == 1).any(axis=1), 0, np.where(np.isin(chains.purposes, duties).any(axis=1), 1, 2))


@dataclass(frozen=True)
class FirstDepartures:
    """The released tables of one day type: (day kind, quarter), (day kind, next purpose, hour) and (day kind, size, hour)."""

    quarters: Noisy
    following: Noisy
    sizes: Noisy


def fit_departures(chains: Chains, released: FirstDepartures, own: Marginal | None, day_type: int, duties: tuple[int, ...]
                   ) -> tuple[FloatArray, IntArray]:
    """P(quarter) by row and the row of every chain."""
    kinds, n_next = released.following.count.shape[:2]
    n_size = released.sizes.count.shape[1]
    going = chains.lengths > 1
    size = np.searchsorted(OUTING_SIZE_EDGES, np.maximum(chains.lengths, 2), side="right") - 1
    kind = day_kinds(chains, duties)
    context = (kind * n_size + size) * n_next + chains.purposes[:, 1].clip(0)
    flat = np.bincount(context[going], weights=chains.weights[going], minlength=kinds * n_size * n_next)
    totals = flat.astype(np.float64).reshape(kinds, n_size, n_next)
    by_hour = _first_hours(released, totals)
    estimate = reconcile.backed_off(released.quarters, totals.sum(axis=(1, 2)), half_bins=QUARTERS / HOURS).reshape(kinds, HOURS, 4) + 1e-3
    inside = np.repeat(estimate / estimate.sum(axis=2, keepdims=True), n_size * n_next, axis=0)
    general = by_hour / by_hour.sum(axis=1, keepdims=True)
    row = context.copy()
    timed = timed_chains(chains, own)
    special, rest = np.empty((0, HOURS)), general
    if own is not None and len(timed):
        noisy = rows_of(own, chains.codes[timed], day_type, (HOURS,))
        group = np.repeat(np.arange(len(timed)), HOURS).reshape(-1, HOURS)
        persons = reconcile.settle(chains.weights[timed, None] * general[context[timed]], noisy, group, chains.weights[timed])
        special = reconcile.conditional(persons, general[context[timed]], weight=CONTEXT_WEIGHT)
        taken = np.zeros(by_hour.shape)
        np.add.at(taken, context[timed], persons)
        rest = reconcile.conditional(np.maximum(by_hour - taken, LEAST_REST * by_hour), general, weight=CONTEXT_WEIGHT)
        row[timed] = len(general) + np.arange(len(timed))
    hours = np.concatenate([rest, special])
    quarters = np.concatenate([inside, inside[context[timed]]])
    return (hours[..., None] * quarters).reshape(-1, QUARTERS), row


def _first_hours(released: FirstDepartures, totals: FloatArray) -> FloatArray:
    """Persons by context (day kind, size, next purpose flat) and hour of the first departure: both hourly tables made one."""
    _kinds, n_size, n_next = totals.shape
    following = reconcile.backed_off(released.following, totals.sum(axis=1), half_bins=1.0) + 1e-3
    sizes = reconcile.backed_off(released.sizes, totals.sum(axis=2), half_bins=1.0) + 1e-3
    seed = (totals + 1e-3)[..., None] * following[:, None] / following.sum(axis=2)[:, None, :, None]
    k, i, j, h = np.indices(seed.shape)
    cells = [((k * n_size + i) * n_next + j, totals.ravel() + 1e-3), ((k * n_size + i) * HOURS + h, sizes.ravel()),
             ((k * n_next + j) * HOURS + h, following.ravel())]
    return reconcile.rake(seed, cells, rounds=ROUNDS).reshape(-1, HOURS) + LEAST


def has_own_times(chains: Chains, own: Marginal | None) -> npt.NDArray[np.bool_]:
    """Which chains get times of their own, shape (chains,)."""
    out = np.zeros(len(chains.lengths), dtype=np.bool_)
    out[timed_chains(chains, own)] = True
    return out


def timed_chains(chains: Chains, own: Marginal | None) -> IntArray:
    """Which chains get times of their own: those that have a row of the table for themselves."""
    row, codes = chain_rows(chains, own)
    timed = np.flatnonzero(row >= 0)
    return timed[np.bincount(row[timed], minlength=len(codes))[row[timed]] == 1]


def chain_rows(chains: Chains, own: Marginal | None) -> tuple[IntArray, IntArray]:
    """The row of every chain (chains,) among those of a table that are looked at, -1 for none, and the codes of these (rows,).

    A row needs enough people, more than one stay, and a code on the table's chain axis; pupils and others on such a day share it.
    """
    row = np.full(len(chains.codes), -1)
    if own is None:
        return row, np.empty(0, dtype=np.int64)
    good = np.flatnonzero((chains.codes >= 0) & (chains.codes < own.axes[1].size) & (chains.lengths > 1))
    codes, found = np.unique(chains.codes[good], return_inverse=True)
    many = np.bincount(found, weights=chains.weights[good], minlength=len(codes)) >= LEAST_TIMED
    row[good] = np.where(many, np.cumsum(many) - 1, -1)[found]
    return row, codes[many]


def rows_of(table: Marginal, chain_codes: IntArray, day_type: int, shape: tuple[int, ...]) -> Noisy:
    """The cells of some chains of a (day type, chain, ...) table, shape (chains, *shape), NaN where suppressed."""
    out = np.full((len(chain_codes), int(np.prod(shape))), np.nan)
    position = {int(code): k for k, code in enumerate(chain_codes)}
    inside = np.zeros(len(table.values), dtype=np.int64)
    for column, size in enumerate(shape):
        inside = inside * size + table.codes[:, 2 + column]
    where = np.array([position.get(int(c), -1) for c in table.codes[:, 1]], dtype=np.int64)
    good = (where >= 0) & (table.codes[:, 0] == day_type)
    out[where[good], inside[good]] = table.values[good]
    return Noisy(out.reshape(-1, *shape), table.sigma, table.cut)
