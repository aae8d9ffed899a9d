"""Where the stays of every purpose are, from the released destinations and what days say of how many such stays there are.

Purposes are not equally like the product of the table's margins: shops are where people are, universities in a few districts. Each has a
misfit of its own, by the likelihood of all its cells, for most of a small purpose may be cut; and it holds the stays that there are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synthmob.marginals import Marginal
from synthmob.model import reconcile
from synthmob.model.geography import Geography
from synthmob.model.reconcile import LEAST, FloatArray, IntArray, Noisy

Marginals = Mapping[str, Marginal]
ROUNDS = 4
MISFITS = np.geomspace(1e-3, 4.0, 25)


def shares(tables: Marginals, levels: tuple[str, ...], geography: Geography, stays: FloatArray) -> FloatArray:
    """Shares of every purpose's stays by zone, shape (purposes, zones), rows sum to 1.

    `stays` (purposes,) is how many of them the table should hold, in its own persons, 0 where nobody knows.
    """
    top = by_district(Noisy.of(tables["destinations@district"]), stays).T
    steps: list[tuple[Noisy, IntArray]] = []
    for fine, coarse in zip(levels[::-1][1:], levels[::-1][:-1], strict=True):
        parent = geography.level_parent(fine, coarse)
        table = tables.get(f"destinations@{fine}")
        count = Noisy.of(table).moved(np.transpose) if table else Noisy(np.full((len(parent), top.shape[1]), np.nan), 0.0, 1e15)
        steps.append((count, parent))
    size = np.ones(geography.n)
    size[-1] = 1e-3
    above, above_that = steps[:-1], steps[-1]
    cells = np.stack([_down(above, above_that, top[:, p : p + 1], size, p, visitors) for p in range(top.shape[1])])
    return cells / np.maximum(cells.sum(axis=1, keepdims=True), LEAST)


def by_district(noisy: Noisy, stays: FloatArray) -> FloatArray:
    """A table (purposes, districts) from itself and the sums of its rows where these are known: never less than what was published."""
    totals = np.where(stays > 0, np.maximum(stays, np.nansum(noisy.count, axis=1)), 0.0)
    estimate = reconcile.product_prior(noisy, rounds=0)
    together = np.zeros(noisy.count.shape[1], dtype=np.int64)
    for _ in range(ROUNDS):
        rows = []
        for prior, count, total in zip(reconcile.independent(estimate), noisy.count, totals, strict=True):
            own, known = noisy.moved(lambda _, count=count: count), np.array([total if total > 0 else prior.sum()])
            rows.append(reconcile.settle(prior, own, together, known, likely_misfit))
        estimate = np.stack(rows)
    return estimate


def likely_misfit(prior: FloatArray, noisy: Noisy) -> float:
    """The coefficient b of the prior's relative error under which what was published and what was not is likeliest.

    Cells below the cut count by the chance to be there (Tobin 1958, doi:10.2307/1907382), so those that noise lifted over it tell nothing
    wrong.
    """
    from scipy.special import log_ndtr

    m, seen = np.maximum(prior, LEAST), noisy.published
    gap, room = (np.nan_to_num(noisy.count) - m)[seen], (noisy.cut - m)[~seen]
    likelihood: list[float] = []
    for b in MISFITS:
        variance = m + b * m**2 + noisy.sigma**2
        published = -0.5 * (np.log(variance[seen]) + gap**2 / variance[seen])
        likelihood.append(float(published.sum()) + float(log_ndtr(room / np.sqrt(variance[~seen])).sum()))
    return float(MISFITS[int(np.argmax(likelihood))])
