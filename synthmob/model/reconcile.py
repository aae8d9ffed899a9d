"""From noisy, censored counts to one consistent, non-negative table.

A released cell says y = x + noise; a missing one says only that x + noise fell below the cut. Both are combined with what a
model expects of the cell (m): x ~ Normal(m, tau), tau = m + b m^2. The misfit b is measured on cells that the *model* expects
to be well above the cut, never on cells that passed it: noise selected those (a bias that clipping at zero shares).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.marginals import Marginal

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Measure = Callable[[FloatArray, "Noisy"], float]
Codes = npt.NDArray[Any]
"""Codes of cells: whole numbers of any width, for those of all pairs of zones are as many as the pairs."""
LEAST = 1e-9
BLOCK_CELLS = 1 << 18
"""So many cells of a large table are worked on at once: what comes in between then fits in the processor's cache."""
SHARED_ERROR = 0.1
LAW_ROUNDS, LAW_MISFIT, LAW_RIDGE, MOST_LOG = 20, 0.1, 0.01, 12.0
"""How a smooth law is fitted: rounds, its own relative error squared, a pull of the coefficients to 0, and how far it may go down."""
SURPRISE = 3.0
"""Standard deviations from the model at which a count is believed instead."""
CUTS_PER_START, MOST_START = 40.0, 5.0
"""A suppressed cell of a table that has nothing but itself starts at a 40th of the cut, at most 5 persons: a small group whose
cells were all cut is then not lost, and one that is not there stays negligible."""


@dataclass(frozen=True)
class Noisy:
    """A released table as an array: `count` NaN where the cell was suppressed, and its `sigma` and `cut`, in persons."""

    count: FloatArray
    sigma: float
    cut: float

    @staticmethod
    def of(marginal: Marginal) -> Noisy:
        """The dense array of a released marginal; without noise, what is missing under a cut of 1 holds nobody."""
        nobody = marginal.sigma == 0 and marginal.cut <= 1
        return Noisy(marginal.dense(missing=0.0 if nobody else np.nan), marginal.sigma, marginal.cut)

    def moved(self, change: Callable[[FloatArray], FloatArray]) -> Noisy:
        """The same noise with a rearranged or cut-out array."""
        return Noisy(change(self.count), self.sigma, self.cut)

    @property
    def published(self) -> npt.NDArray[np.bool_]:
        """Which cells were published."""
        return ~np.isnan(self.count)

    def scale(self, found: FloatArray) -> float:
        """Persons of the release per unit of what is `found` by other means, from the cells that were published."""
        seen = self.published
        return float(np.nan_to_num(self.count)[seen].sum() / max(float(found[seen].sum()), LEAST)) if seen.any() else 1.0


def misfit(prior: FloatArray, noisy: Noisy) -> float:
    """The coefficient b of the model's relative error, from cells that the model puts above cut + sigma.

    One cell that the model got badly wrong must not decide for all, so the estimate is a mean of squares, each at most 4.
    """
    chosen = prior > max(noisy.cut + noisy.sigma, 1.0)
    if chosen.sum() < 4:
        return 1.0
    m = prior[chosen]
    y = np.where(noisy.published[chosen], np.nan_to_num(noisy.count[chosen]), noisy.cut / 2)
    excess = ((y - m) ** 2 - m - noisy.sigma**2) / m**2
    return float(np.clip(np.minimum(excess, 4.0).mean(), 1e-4, 4.0))


def posterior(prior: FloatArray, noisy: Noisy, *, b: float | None = None, crumbs: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """The mean and variance of every cell given its prior mean m, off by `crumbs` x m besides as a variance, and what was released."""
    b = misfit(np.maximum(prior, 0.0), noisy) if b is None else b
    mean, variance = np.empty(prior.shape), np.empty(prior.shape)
    for part in _blocks(prior):
        m = np.maximum(prior[part], 0.0)
        tau = (1.0 + crumbs) * m + b * m**2 + LEAST
        mean[part], variance[part] = looked_at(m, tau, noisy.moved(lambda a, part=part: a[part]), noisy.sigma**2)
    return mean, variance


def looked_at(m: FloatArray, tau: FloatArray, noisy: Noisy, error: FloatArray | float) -> tuple[FloatArray, FloatArray]:
    """The mean and variance of cells with mean `m` and variance `tau` after a look at them whose error has the variance `error`."""
    from scipy.special import log_ndtr

    gap = np.where(noisy.published, np.nan_to_num(noisy.count) - m, 0.0)
    # A count this far from the model says that the model is wrong there, not that the noise was.
    tau = np.where(gap**2 > SURPRISE**2 * (tau + error), gap**2, tau)
    total = tau + error
    seen = m + gap * tau / total
    z = (noisy.cut - m) / np.sqrt(total)
    hazard = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(z))
    unseen = m - hazard * tau / np.sqrt(total)
    most = noisy.cut + 2.0 * noisy.sigma  # what a wrong model expects of a suppressed cell must not carry it far above the cut
    mean = np.where(noisy.published, seen, np.minimum(unseen, most))
    variance = np.where(noisy.published, tau * error / total, tau * (1 - tau / total * hazard * (hazard + z)))
    return np.maximum(mean, 0.0), np.maximum(variance, 0.0) + LEAST


def extended(prior: FloatArray, noisy: Noisy, features: FloatArray) -> FloatArray:
    """A prior (cells,) times exp(features @ coefficients): the smooth law of what was released, for the cells that were not.

    `features` (cells, k), the first a constant. Fitted by scoring to the likelihood of noisy, censored counts (Tobin 1958,
    doi:10.2307/1907382): a suppressed cell says that its count is below the cut, whatever the prior puts there. Nothing is raised beyond
    what some published cell was.
    """
    from scipy.special import log_ndtr

    m, seen = np.maximum(prior, LEAST), noisy.published
    if seen.sum() < 2:  # two say how the law falls, with what the suppressed ones say of it
        return m
    count, logs = np.nan_to_num(noisy.count), np.zeros(len(m))
    for _ in range(LAW_ROUNDS):
        mean = m * np.exp(logs)
        spread = np.sqrt(noisy.sigma**2 + mean + LAW_MISFIT * mean**2)
        z = (noisy.cut - mean) / spread
        hazard = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(z))
        knows = np.where(seen, 1.0, np.clip(hazard * (hazard + z), LEAST, 1.0))  # the further below the cut, the less it says
        weight = (mean / spread) ** 2 * knows
        step = np.where(seen, count - mean, -hazard * spread) / knows / mean
        wanted = logs + np.clip(step, -1.0, 1.0)
        squares = (features * weight[:, None]).T @ features + LAW_RIDGE * np.eye(features.shape[1])
        logs = features @ np.linalg.solve(squares, features.T @ (weight * wanted))
        logs = np.clip(logs, -MOST_LOG, max(float(logs[seen].max()), 0.0))
    return m * np.exp(logs)


def adjust(mean: FloatArray, variance: FloatArray, group: Codes, totals: FloatArray) -> FloatArray:
    """Non-negative means whose sums by `group` (same shape, codes into `totals`) equal `totals`.

    The difference is spread in proportion to variance (generalised least squares), a tenth of the cell counted as error that both totals
    share in: other tables are bounded differently, and such a gap belongs to large cells. What goes below zero is set to zero.
    """
    out, spread = mean.copy(), np.empty(mean.shape)
    for part in _blocks(mean):
        spread[part] = variance[part] + (SHARED_ERROR * mean[part]) ** 2
    n = len(totals)
    gap = (totals - sums_by(group, mean, n)) / np.maximum(sums_by(group, spread, n), LEAST)
    for part in _blocks(mean):
        out[part] = np.maximum(out[part] + spread[part] * gap[group[part]], 0.0)
    sums = sums_by(group, out, n)
    empty = (sums <= 0) & (totals > 0)
    if empty.any():
        out = np.where(empty[group], spread, out)
        sums = sums_by(group, out, n)
    scale = totals / np.maximum(sums, LEAST)
    for part in _blocks(mean):
        out[part] *= scale[group[part]]
    return out


def sums_by(group: Codes, table: FloatArray, n: int) -> FloatArray:
    """The sums of a table's cells by their codes in `group` (same shape), shape (n,); cells are added in order, as in one go."""
    sums = np.zeros(n)
    for part in _blocks(table):
        np.add.at(sums, np.ravel(group[part]).astype(np.intp, copy=False), np.ravel(table[part]))
    return sums


def _blocks(table: FloatArray) -> Iterator[slice]:
    """Rows of a table, at least one, BLOCK_CELLS of its cells at once."""
    rows = max(1, BLOCK_CELLS // max(1, table.size // max(1, len(table))))
    return (slice(k, k + rows) for k in range(0, len(table), rows))


def settle(prior: FloatArray, noisy: Noisy, group: Codes, totals: FloatArray, measure: Measure = misfit, crumbs: float = 0.0) -> FloatArray:
    """Posterior cells of a table whose sums by group are known; `measure` says how far off their prior is, `crumbs` as in `posterior`."""
    sums = sums_by(group, prior, len(totals))
    scaled = prior * (totals / np.maximum(sums, LEAST))[group]
    mean, variance = posterior(scaled, noisy, b=measure(scaled, noisy), crumbs=crumbs)
    return adjust(mean, variance, group, totals)


def product_prior(noisy: Noisy, *, rounds: int = 4) -> FloatArray:
    """An estimate of a small table from itself alone: cells shrunk towards the product of the table's own margins."""
    count = noisy.count
    estimate = np.where(noisy.published, np.nan_to_num(count), min(noisy.cut / CUTS_PER_START, MOST_START))
    estimate = np.maximum(estimate, 0.0)
    for _ in range(rounds):
        prior = independent(estimate)
        estimate, _variance = posterior(prior, noisy)
    return estimate


def independent(table: FloatArray) -> FloatArray:
    """The product of a table's one-way margins, with the table's total."""
    total = table.sum()
    if total <= 0:
        return np.full(table.shape, LEAST)
    out = np.full(table.shape, total)
    for axis in range(table.ndim):
        margin = table.sum(axis=tuple(k for k in range(table.ndim) if k != axis)) / total
        out = out * margin.reshape([-1 if k == axis else 1 for k in range(table.ndim)])
    return out


def backed_off(noisy: Noisy, totals: FloatArray | None = None, *, rounds: int = 6, half_bins: float = np.inf) -> FloatArray:
    """An estimate of a (context..., bin) table: each context's bins are shrunk towards those of the context without its last axis.

    `totals`, of the shape without the bin axis, are the known sums of the contexts; without them they are estimated along. Where bins are
    in order, suppressed ones are expected to hold half as much with every `half_bins` that they lie from a published one.
    """
    shape, faded = noisy.count.shape, fading(noisy.published, half_bins)
    estimate = np.maximum(np.nan_to_num(noisy.count), 0.0)  # suppressed cells start empty: the ladder fills them
    group = np.repeat(np.arange(int(np.prod(shape[:-1]))), shape[-1]).reshape(shape)
    for _ in range(rounds):
        sums = estimate.sum(axis=-1) if totals is None else totals
        prior = sums[..., None] * ladder(estimate) * faded
        mean, variance = posterior(prior, noisy)
        estimate = mean if totals is None else adjust(mean, variance, group, totals.ravel())
    return estimate


def nearest(seen: npt.NDArray[np.bool_]) -> IntArray:
    """The index along the last axis of the published cell that is nearest to each, -1 in rows without any."""
    at, size = np.arange(seen.shape[-1]), seen.shape[-1]
    before = np.maximum.accumulate(np.where(seen, at, -size), axis=-1)
    after = np.minimum.accumulate(np.where(seen, at, 3 * size)[..., ::-1], axis=-1)[..., ::-1]
    chosen = np.where(after - at < at - before, after, before)
    return np.where((chosen < 0) | (chosen >= size), -1, chosen)


def fading(seen: npt.NDArray[np.bool_], half_bins: float) -> FloatArray:
    """What is expected of suppressed cells, as a part of what would be expected beside published ones: a half with every `half_bins`
    more from the nearest published cell of the row.

    >>> fading(np.array([True, False, False, False]), 1.0).tolist()
    [1.0, 1.0, 0.5, 0.25]
    """
    found = nearest(seen)
    far = np.where(found < 0, 1, np.abs(np.arange(seen.shape[-1]) - found))
    return 0.5 ** (np.maximum(far - 1, 0) / half_bins)


def ladder(table: FloatArray, *, weight: float = 50.0) -> FloatArray:
    """P(bin | context) from coarser contexts only: the last context axis summed out, backed by all coarser sums in turn.

    Every step counts as much as `weight` persons of its own step before it, so an empty context inherits.
    """
    bins = table.shape[-1]
    share = np.full(bins, 1.0 / bins)
    for depth in range(table.ndim - 1):
        sums = table.sum(axis=tuple(range(depth, table.ndim - 1)))
        before = share if depth == 0 else share[..., None, :]
        # An axis is added at every step but the first, which has none.
        share = (sums + weight * before) / (sums.sum(axis=-1, keepdims=True) + weight)
    return np.broadcast_to(share[..., None, :] if table.ndim > 1 else share, table.shape)


def conditional(table: FloatArray, fallback: FloatArray, *, weight: float) -> FloatArray:
    """P(last axis | the others), a context of few people leaning on `fallback` (same shape, rows sum to 1) by `weight` persons."""
    return (table + weight * fallback) / (table.sum(axis=-1, keepdims=True) + weight)


def rake(seed: FloatArray, margins: Sequence[tuple[Codes, FloatArray]], *, rounds: int) -> FloatArray:
    """Iterative proportional fitting: `seed` scaled until its sums by each margin's codes (seed's shape) meet its totals.

    The last margin is met exactly. Source: Deming and Stephan 1940, doi:10.1214/aoms/1177731829.
    """
    table = seed.copy()
    for _ in range(rounds):
        for codes, totals in margins:
            sums = sums_by(codes, table, len(totals))
            scale = np.divide(totals, sums, out=np.zeros_like(totals), where=sums > 0)
            for part in _blocks(table):
                table[part] *= scale[codes[part]]
    return table


def descend(levels: Sequence[tuple[Noisy, IntArray]], totals: FloatArray, prior: FloatArray, measure: Measure = misfit) -> FloatArray:
    """A table over areas, from coarse to fine: areas on the first axis, anything on the others.

    `levels` holds, from coarse to fine, a released table and the parent (row of the level before) of each of its rows;
    `totals` is the coarsest table, already settled; `prior` the expected size of the finest rows, shape (finest,), which coarser
    levels take as the sum of their descendants.
    """
    sizes: list[FloatArray] = [prior]
    for _noisy, parent in reversed(levels[1:]):
        sizes.append(np.bincount(parent, weights=sizes[-1], minlength=int(parent.max()) + 1).astype(np.float64))
    current = totals
    for (noisy, parent), size in zip(levels, reversed(sizes), strict=True):
        rest = current[0].size if current.ndim > 1 else 1
        above = current.reshape(len(current), rest)
        base = np.bincount(parent, weights=size, minlength=len(current))
        share = size / np.maximum(base[parent], LEAST)
        columns = np.arange(rest)
        group = parent[:, None] * rest + columns[None, :]
        flat = noisy.moved(lambda a, rest=rest: a.reshape(len(a), rest))
        settled = settle(share[:, None] * above[parent], flat, group, above.ravel(), measure)
        current = settled.reshape((len(parent), *current.shape[1:]))
    return current
