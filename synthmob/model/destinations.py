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
VISITORS_SPREAD = 0.1
"""How much visitors a stay differ from zone to zone: some shops have the same customers every day."""


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
    coarser = np.bincount(geography.parents[levels[1]], weights=size).astype(np.float64)
    visitors, cells = _visitors(tables), list[FloatArray]()
    for p in range(top.shape[1]):
        mine = [(count.moved(lambda a, p=p: a[:, p : p + 1]), parent) for count, parent in steps]
        above = top[:, p]
        if len(mine) > 1:
            above = reconcile.descend(mine[:-1], above[:, None], coarser, likely_misfit)[:, 0]
        look = None if visitors is None else (visitors[0].moved(lambda a, p=p: a[p]), float(visitors[1][p]))
        cells.append(_zones(above, mine[-1][0].moved(np.ravel), mine[-1][1], size / coarser[mine[-1][1]], look))
    found = np.stack(cells)
    return found / np.maximum(found.sum(axis=1, keepdims=True), LEAST)


def _zones(above: FloatArray, noisy: Noisy, parent: IntArray, share: FloatArray, visitors: tuple[Noisy, float] | None) -> FloatArray:
    """Stays of one purpose by zone, those of the areas `above` shared out: by what was released of them, and once more by the distinct
    `visitors`, of whom there are so many a stay in all zones, give or take. A week has more of them than a day has stays."""
    prior = share * above[parent]
    mean, variance = reconcile.posterior(prior, noisy, b=likely_misfit(prior, noisy))
    if visitors is not None:
        again, per_stay = visitors
        expected = mean * per_stay
        error = again.sigma**2 + (VISITORS_SPREAD * expected) ** 2
        found, left = reconcile.looked_at(expected, variance * per_stay**2, again, error)
        mean, variance = found / per_stay, left / per_stay**2
    return reconcile.adjust(mean, variance, parent, above)


def _visitors(tables: Marginals) -> tuple[Noisy, FloatArray] | None:
    """The released visitors by purpose and zone, and how many there are a stay, (purposes,), by the cells that both tables show."""
    if "visitors@zone" not in tables or "destinations@zone" not in tables:
        return None
    visitors, stays = Noisy.of(tables["visitors@zone"]), Noisy.of(tables["destinations@zone"])
    both = visitors.published & stays.published
    sums = [np.where(both, np.nan_to_num(noisy.count), 0.0).sum(axis=1) for noisy in (visitors, stays)]
    if sums[1].sum() <= 0:
        return None
    return visitors, np.where(sums[1] > 0, sums[0] / np.maximum(sums[1], 1.0), sums[0].sum() / sums[1].sum())


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
