"""How long stays last, given their purpose, what lies before and after, and the hour of arrival.

Four small released tables are made one by proportional fitting: durations by purpose and hour, by stays left, by the stays on
either side, and fine durations by purpose. Small tables survive the cut where one wide table would not. Chains with a table of
their own get their own distribution, and the others share what those leave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthmob.counts.timing import STAY_WEIGHT
from synthmob.marginals import Marginal
from synthmob.model import reconcile
from synthmob.model.chains import Chains
from synthmob.model.reconcile import LEAST, FloatArray, Noisy
from synthmob.model.timing import CONTEXT_WEIGHT, HOURS, LEAST_REST, ROUNDS, Bins, IntArray, contexts, rows_of, timed_chains

DURATION_TABLES = ("durations", "durations_left", "durations_between", "episodes")


@dataclass(frozen=True)
class Released:
    """The released tables of one day type: (purpose, fine), (purpose, pending, left, coarse), (purpose, pending, before, after,
    coarse) and (purpose, pending, hour, coarse)."""

    fine: Noisy
    left: Noisy
    between: Noisy
    hourly: Noisy

    @property
    def n_left(self) -> int:
        """Bins of stays left."""
        return self.left.count.shape[2]

    @property
    def n_between(self) -> int:
        """Pairs of sides."""
        return self.between.count.shape[2] * self.between.count.shape[3]

    @property
    def n_heads(self) -> int:
        """Pairs of purpose and pending."""
        return self.left.count.shape[0] * self.left.count.shape[1]

    @property
    def n_contexts(self) -> int:
        """Contexts: (purpose, pending, left, before, after)."""
        return self.n_heads * self.n_left * self.n_between


@dataclass(frozen=True)
class Arriving:
    """Stays by context and hour of arrival, (contexts, 24): of all chains, and of those without times of their own."""

    everybody: FloatArray
    others: FloatArray


@dataclass(frozen=True)
class Persons:
    """Estimated persons: `left` (heads, left, coarse), `between` (heads, sides, coarse), `hourly` (heads, hours, coarse)."""

    left: FloatArray
    between: FloatArray
    hourly: FloatArray

    def without(self, context: IntArray, persons: FloatArray, n_between: int, bins: Bins) -> Persons:
        """These persons without some of known context, (stays, starts, coarse); at least LEAST_REST of every cell is kept."""
        head_left, between = np.divmod(context, n_between)
        head, left = np.divmod(head_left, self.left.shape[1])
        lasting = persons.sum(axis=1)
        taken_left, taken_between = np.zeros(self.left.shape), np.zeros(self.between.shape)
        taken_start = np.zeros((len(self.hourly), persons.shape[1], persons.shape[2]))
        np.add.at(taken_left, (head, left), lasting)
        np.add.at(taken_between, (head, between), lasting)
        np.add.at(taken_start, head, persons)
        by_start = np.zeros(taken_start.shape)
        for hour, start in enumerate(bins.start_of_hour):
            by_start[:, start] += self.hourly[:, hour]
        share = np.maximum(1.0 - taken_start / np.maximum(by_start, LEAST), LEAST_REST)[:, bins.start_of_hour]
        return Persons(
            np.maximum(self.left - taken_left, LEAST_REST * self.left),
            np.maximum(self.between - taken_between, LEAST_REST * self.between), self.hourly * share)


def fit_durations(
    chains: Chains, released: Released, own: Marginal | None, day_type: int, bins: Bins, duties: tuple[int, ...],
    arriving: Arriving | None,
) -> tuple[FloatArray, IntArray]:
    """P(fine bin | hour of arrival) by row, shape (rows, 24, fine bins), and the row of every inner stay of every chain."""
    context = contexts(chains, duties)
    persons = estimated(released, context, chains.weights, arriving)
    general = combined(persons, arriving.everybody if arriving else None)
    row = context.copy()
    timed = timed_chains(chains, own)
    special, whose = [np.empty((0, HOURS, general.shape[2]))], [np.empty(0, dtype=np.int64)]
    rest = persons
    noisy = rows_of(own, chains.codes[timed], day_type, own.shape[2:]) if own is not None and len(timed) else None
    for rank in range(1, own.shape[2] + 1 if own is not None and len(timed) else 1):
        mine = context[timed, rank] >= 0
        here = timed[mine]
        if noisy is None or not len(here):
            continue
        cells = noisy.moved(lambda a, r=rank, m=mine: a[m, r - 1])
        found, share = own_durations(cells, chains.weights[here], general[context[here, rank]], bins)
        rest = rest.without(context[here, rank], found, released.n_between, bins)
        row[here, rank] = released.n_contexts + sum(map(len, special)) + np.arange(len(here))
        special.append(share[:, bins.start_of_hour])
        whose.append(chains.purposes[here, rank].astype(np.int64))
    others = combined(rest, arriving.others if arriving else None)
    fine = fine_share(released.fine, bins)
    purpose = np.concatenate([np.repeat(np.arange(len(fine)), released.n_contexts // len(fine)), *whose])
    coarse = np.concatenate([others, *special])
    return coarse[:, :, bins.coarse_of_fine] * fine[purpose][:, None, :], row


def estimated(released: Released, context: IntArray, weights: FloatArray, arriving: Arriving | None) -> Persons:
    """Stays by the cells of the three coarse tables: released shapes times what the chains say of every context.

    Bounding makes the released sums smaller than the stays there are: they give each context's shape, the chains its size.
    """
    inner = context >= 0
    wide = np.broadcast_to(weights[:, None], context.shape)
    stays = np.bincount(context[inner], weights=wide[inner], minlength=released.n_contexts)
    stays = stays.reshape(released.n_heads, released.n_left, released.n_between)
    left = _shape(released.left, STAY_WEIGHT * stays.sum(axis=2))
    sides = _shape(released.between, STAY_WEIGHT * stays.sum(axis=1))
    hourly = reconcile.backed_off(released.hourly)
    arrivals = hourly.sum(axis=-1).reshape(-1, HOURS) / STAY_WEIGHT
    if arriving is not None:
        arrivals = arriving.everybody.reshape(released.n_heads, -1, HOURS).sum(axis=1)
    at = reconcile.conditional(hourly, reconcile.ladder(hourly), weight=CONTEXT_WEIGHT).reshape(released.n_heads, HOURS, -1)
    return Persons(
        left.reshape(released.n_heads, released.n_left, -1) * (stays.sum(axis=2)[..., None] + 1e-3),
        sides.reshape(released.n_heads, released.n_between, -1) * (stays.sum(axis=1)[..., None] + 1e-3),
        at * (arrivals[..., None] + 1e-3))


def _shape(noisy: Noisy, totals: FloatArray) -> FloatArray:
    """P(bin | context) of a released table, leaning on coarser contexts where there are few people."""
    estimate = reconcile.backed_off(noisy, totals.reshape(noisy.count.shape[:-1]))
    return reconcile.conditional(estimate, reconcile.ladder(estimate), weight=CONTEXT_WEIGHT)


def combined(persons: Persons, begins: FloatArray | None) -> FloatArray:
    """P(coarse bin | context, hour), shape (contexts, 24, coarse bins): the three tables made one.

    `begins` (contexts, 24) says when each context's stays begin; without it all contexts of a purpose begin alike.
    """
    heads, lefts, coarse = persons.left.shape
    sides = persons.between.shape[1]
    shape = (lefts, sides, HOURS, coarse)
    i, j, h, d = np.indices(shape)
    codes = [(i * sides + j) * HOURS + h, h * coarse + d, j * coarse + d, i * coarse + d]
    out = np.empty((heads, *shape))
    for head in range(heads):
        total = persons.left[head].sum()
        targets = [t[head] * (total / max(float(t[head].sum()), LEAST)) for t in (persons.hourly, persons.between, persons.left)]
        context = persons.left[head].sum(axis=1)[:, None] * persons.between[head].sum(axis=1)[None, :] / max(float(total), LEAST)
        arrivals = persons.hourly[head].sum(axis=1)
        seed = context[..., None] * (arrivals / arrivals.sum())
        if begins is not None:
            played = begins.reshape(heads, lefts, sides, HOURS)[head]
            seed = played + CONTEXT_WEIGHT * seed / max(float(seed.sum()), LEAST)
        targets.insert(0, seed * (total / max(float(seed.sum()), LEAST)))
        lasting = targets[1] / np.maximum(targets[1].sum(axis=1, keepdims=True), LEAST)
        table = seed[..., None] * lasting[None, None]
        out[head] = reconcile.rake(table, [(c, t.ravel()) for c, t in zip(codes, targets, strict=True)], rounds=ROUNDS)
    flat = out.reshape(-1, HOURS, coarse) + LEAST
    return flat / flat.sum(axis=2, keepdims=True)


def own_durations(noisy: Noisy, weights: FloatArray, general: FloatArray, bins: Bins) -> tuple[FloatArray, FloatArray]:
    """Persons by, and P(coarse duration | coarse start) of one rank of some chains: (chains, starts, coarse durations) both.

    `general` is the context's P(coarse duration | hour), shape (chains, 24, coarse durations).
    """
    chains, starts, lasting = noisy.count.shape
    by_start = np.stack([general[:, bins.start_of_hour == s].mean(axis=1) if (bins.start_of_hour == s).any()
                         else general.mean(axis=1) for s in range(starts)], axis=1)
    group = np.repeat(np.arange(chains), starts * lasting).reshape(noisy.count.shape)
    estimate = np.maximum(np.nan_to_num(noisy.count), 0.0)
    for _ in range(3):
        arrivals = estimate.sum(axis=2)
        overall = arrivals.sum(axis=0) + 1.0
        arrivals = arrivals + CONTEXT_WEIGHT * overall / overall.sum()
        share = arrivals / arrivals.sum(axis=1, keepdims=True)
        prior = weights[:, None, None] * share[..., None] * by_start
        estimate = reconcile.settle(prior, noisy, group, weights)
    return estimate, reconcile.conditional(estimate, by_start, weight=CONTEXT_WEIGHT)


def fine_share(noisy: Noisy, bins: Bins) -> FloatArray:
    """P(fine bin | purpose, its coarse bin), shape (purposes, fine bins)."""
    estimate = reconcile.backed_off(noisy)
    estimate = estimate + 0.5 * reconcile.ladder(estimate)
    sums = np.zeros((len(estimate), len(bins.coarse)))
    for k, coarse in enumerate(bins.coarse_of_fine):
        sums[:, coarse] += estimate[:, k]
    return estimate / np.maximum(sums[:, bins.coarse_of_fine], LEAST)
