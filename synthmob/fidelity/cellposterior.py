"""Where the exact count of one cell lies, given what a release shows of it and how many people the synthetic population has there.

A published cell says y = t + n with n of known law. Cells just above the cut are there because noise lifted them, so y +- z sigma is
wrong for them; a posterior is not, whatever selected the cell (Dawid 1994, doi:10.1214/lnms/1215463797), as long as its prior is
right on the average. The prior is the table's own distribution of cell sizes, read off the synthetic population (empirical Bayes,
Efron 2010, doi:10.1017/CBO9780511761362): the single cell's synthetic count is not used, for it was fitted to y.

A missing cell says only that t + n was below the cut. There the synthetic count m is all there is: t is taken as Gamma with mean m,
weighted by the chance that noise left it below the cut. Its variance is counting, m, and the model's misfit, b m^2, which nothing in a
release tells for a missing cell: MISFIT is what made-up operators show (tests/benchmarks/interval_coverage.py). A model may also be
nearly right where a wide law would take the count far below the cut, so the interval covers that of the law with SURE as well.
"""

from __future__ import annotations

import numpy as np

from synthmob.fidelity.sides import FloatArray

POINTS, REACH_SIGMAS, GRID = 161, 6.0, 400
"""Points and reach of the integral over a published cell's count, and points of the table's distribution of sizes."""
QUANTILES = 200
"""Points of the integral over a missing cell's count."""
SPREAD = 0.5
"""Squared relative width of the kernel that smooths the distribution of sizes."""
MISFIT = {"anchors": 0.3, "flows": 0.35, "routines": 1.8, "usage": 1.8}
"""Squared relative error of the model in cells that a release does not show, by the word of the table."""
SURE = 0.05
BLOCK = 4096
NOBODY = 0.5
"""A lower end below half a person is nobody."""
_LEAST = 1e-9

Ends = tuple[FloatArray, FloatArray, FloatArray]
"""Mean, lower and upper end of each cell, persons, each of shape (cells,)."""


def published(count: FloatArray, sizes: FloatArray, n_empty: int, sigma: float, level: float) -> Ends:
    """Intervals of cells with the noisy `count`; `sizes` are the synthetic counts of all occupied cells of the table, `n_empty`
    how many cells nobody is in.

    >>> [round(float(end[0])) for end in published(np.array([900.0]), np.array([100.0, 800.0, 1000.0]), 10, 10.0, 0.9)]
    [900, 883, 916]
    """
    if sigma <= 0:
        return count, count, count
    grid, density = _sizes(sizes, float(count.max(initial=1.0)) + REACH_SIGMAS * sigma)
    empty = np.exp(-0.5 * (count / sigma) ** 2) * n_empty
    means, low, high = np.empty(len(count)), np.empty(len(count)), np.empty(len(count))
    for start in range(0, len(count), BLOCK):
        y = count[start : start + BLOCK]
        first = np.maximum(y - REACH_SIGMAS * sigma, 0.0)
        step = (y + REACH_SIGMAS * sigma - first) / (POINTS - 1)
        t = first[:, None] + step[:, None] * np.arange(POINTS)
        weight = np.interp(t, grid, density) * np.exp(-0.5 * ((t - y[:, None]) / sigma) ** 2) * step[:, None]
        weight[:, 0] += np.where(first > 0, 0.0, empty[start : start + BLOCK])
        means[start : start + BLOCK], low[start : start + BLOCK], high[start : start + BLOCK] = _ends(t, weight, level)
    return means, _none(low), high


def missing(expected: FloatArray, counting: FloatArray, word: str, sigma: float, cut: float, level: float) -> Ends:
    """Intervals of cells of which the release shows nothing, from the synthetic count and the variance of counting, shapes (cells,).

    >>> [round(float(end[0])) for end in missing(np.array([40.0]), np.array([40.0]), "anchors", 5.0, 60.0, 0.9)]
    [32, 10, 56]
    """
    found = [_below(expected, counting + b * expected**2, sigma, cut, level) for b in (MISFIT[word], SURE)]
    return found[0][0], np.minimum(found[0][1], found[1][1]), np.maximum(found[0][2], found[1][2])


def _below(expected: FloatArray, variance: FloatArray, sigma: float, cut: float, level: float) -> Ends:
    """Intervals under one law of the misfit."""
    from scipy.special import gammaincinv, log_ndtr

    means, low, high = np.empty(len(expected)), np.empty(len(expected)), np.empty(len(expected))
    shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
    for start in range(0, len(expected), BLOCK):
        m = np.maximum(expected[start : start + BLOCK], _LEAST)[:, None]
        v = np.maximum(variance[start : start + BLOCK], _LEAST)[:, None]
        t = gammaincinv(m**2 / v, shares) * v / m
        below = log_ndtr((cut - t) / max(sigma, _LEAST))
        weight = np.exp(below - below.max(axis=1, keepdims=True))
        means[start : start + BLOCK], low[start : start + BLOCK], high[start : start + BLOCK] = _ends(t, weight, level)
    return means, _none(low), high


def _sizes(sizes: FloatArray, most: float) -> tuple[FloatArray, FloatArray]:
    """The density of cell sizes (cells a person) over a grid that is finer where sizes are small: a sum of Gamma kernels."""
    from scipy.special import gammaln

    grid = np.linspace(0.0, np.sqrt(most + 1.0), GRID) ** 2
    known, times = np.unique(np.round(np.maximum(sizes, NOBODY), 1), return_counts=True)
    variance = known + SPREAD * known**2
    shape, rate = known**2 / variance, known / variance
    t = np.maximum(grid, NOBODY)
    density = np.zeros(GRID)
    for start in range(0, len(known), BLOCK):
        part = slice(start, start + BLOCK)
        a, r = shape[part, None], rate[part, None]
        density += times[part] @ np.exp(a * np.log(r) - gammaln(a) + (a - 1) * np.log(t) - r * t)
    return grid, density + _LEAST


def _ends(t: FloatArray, weight: FloatArray, level: float) -> Ends:
    """Mean and central interval of weighted points, rows of shape (cells, points) that rise."""
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    up_to = (np.cumsum(weight, axis=1) - weight / 2) / total
    rows = np.arange(len(t))

    def quantile(share: float) -> FloatArray:
        k = np.clip((up_to < share).sum(axis=1), 1, t.shape[1] - 1)
        before, after = up_to[rows, k - 1], up_to[rows, k]
        part = np.clip((share - before) / np.maximum(after - before, 1e-300), 0.0, 1.0)
        return t[rows, k - 1] + part * (t[rows, k] - t[rows, k - 1])

    tail = (1 - level) / 2
    return (weight * t).sum(axis=1) / total[:, 0], quantile(tail), quantile(1 - tail)


def _none(low: FloatArray) -> FloatArray:
    return np.where(low < NOBODY, 0.0, low)
