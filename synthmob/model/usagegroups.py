"""How much of the phone each group has, and how much of that is data: two tables of a release laid beside each other.

A group's law of events a day is many noisy cells, and most of what they say of its mean stands in the few of its busiest days; what the
group does with apps is few cells of sums, and far clearer. Where the two differ, either the group has more events than its law says, or
more of them are data than of everybody's: each gets its part of the difference, by what is known of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthmob.counts.usage import DATA, FULL
from synthmob.model.reconcile import LEAST, FloatArray

EVENTS_SPREAD = 0.3
"""How much groups differ in events a day before anything was released, and"""
DATA_SPREAD = 0.1
"""how much in the part of them that is data: standard deviations of logarithms."""
ROUNDS, MOST_STEEP = 60, 40.0
SCORES = 200


@dataclass(frozen=True)
class Apps:
    """What was released of apps: persons (groups, apps) as reconciled, the noise of a cell and the contribution bound, in persons."""

    persons: FloatArray
    sigma: float
    bound_l2: float


def users(per_day: FloatArray, numbers: FloatArray, steady: float) -> FloatArray:
    """Events a day over many days of persons that are even in their group's law: (groups, scores).

    `per_day` (groups, bands), `numbers` (bands,) events a day of a band, `steady` the rank correlation of two days of a person.
    """
    from scipy.special import ndtr, ndtri

    z = ndtri((np.arange(SCORES) + 0.5) / SCORES)
    u = ndtr(np.sqrt(steady) * z[:, None] + np.sqrt(1 - steady) * z[None, :])
    ends = np.cumsum(per_day, axis=1) / np.maximum(per_day.sum(axis=1, keepdims=True), LEAST)
    return np.stack([numbers[np.minimum(np.searchsorted(row, u, side="right"), len(numbers) - 1)].mean(axis=1) for row in ends])


def unbounded(apps: Apps, used: FloatArray, share: float) -> FloatArray:
    """The table of apps as if nobody had been bounded; `used` (groups, scores) events a day of persons of equal number.

    Who has many events fills a cell, or is scaled down to the bound: the law of persons says how many have, and by how much.
    """
    if apps.bound_l2 <= 0:
        return apps.persons
    law = apps.persons / np.maximum(apps.persons.sum(axis=1, keepdims=True), LEAST)
    weight = used[:, :, None] * share * law[:, None, :] / FULL
    held = np.minimum(weight, 1.0)
    norm = np.sqrt((held**2).sum(axis=2, keepdims=True))
    kept = (held * np.minimum(1.0, apps.bound_l2 / np.maximum(norm, LEAST))).sum(axis=1)
    return apps.persons * np.divide(weight.sum(axis=1), kept, out=np.ones_like(kept), where=kept > 0)


def by_group(per_day: FloatArray, numbers: FloatArray, sigma: float, kinds: FloatArray, apps: Apps) -> tuple[FloatArray, FloatArray]:
    """The laws of events a day (groups, bands) with the means that apps say, and the shares of kinds (groups, kinds).

    `numbers` (bands,) events a day of a band, `sigma` the noise of a cell of `per_day` in persons, `kinds` (kinds,) events of everybody.
    """
    everybody = kinds / max(float(kinds.sum()), LEAST)
    share = float(everybody[DATA])
    events, data = per_day @ numbers, FULL * apps.persons.sum(axis=1)
    known = (events > LEAST) & (data > LEAST)
    if share <= 0 or not known.any():
        return per_day, np.broadcast_to(everybody, (len(per_day), len(kinds))).copy()
    gap = np.where(known, np.log(np.maximum(data, LEAST) / np.maximum(events, LEAST)), 0.0)
    gap = np.where(known, gap - (gap * data).sum() / data[known].sum(), 0.0)  # bounds and noise move all groups: no news of one
    loose = 1 / (1 / EVENTS_SPREAD**2 + np.maximum(events, LEAST) ** 2 / max(sigma**2 * float((numbers**2).sum()), LEAST))
    told = np.maximum(np.minimum(data, share * events), LEAST)  # what noise alone carried past the cut is no data to be sure of
    blur = (FULL * apps.sigma / told) ** 2 * max(int((apps.persons.sum(axis=0) > 0).sum()), 1)
    step = gap / (loose + DATA_SPREAD**2 + blur)
    wanted = np.where(known, events * np.exp(step * loose), events)
    laws = np.stack([with_mean(law, numbers, mean) for law, mean in zip(per_day, wanted, strict=True)])
    shares = share * np.exp(np.where(known, step * DATA_SPREAD**2, 0.0))
    shares *= share * float(wanted.sum()) / max(float((shares * wanted).sum()), LEAST)
    shares = np.minimum(shares, (1 + share) / 2)
    found = (1 - shares[:, None]) * everybody / max(1 - share, LEAST)
    found[:, DATA] = shares
    return laws, found


def with_mean(law: FloatArray, numbers: FloatArray, total: float) -> FloatArray:
    """The law nearest to `law` (bands,) whose sum of `numbers` is `total`: exponentially tilted (Csiszar 1975, doi:10.1214/aop/1176996454).

    A total that no law on its bands has gives the nearest that has one.

    >>> with_mean(np.array([1.0, 1.0]), np.array([0.0, 4.0]), 6.0).round(6).tolist()
    [0.5, 1.5]
    """
    size, scale = float(law.sum()), float(numbers.max())
    if size <= 0 or scale <= 0:
        return law
    low, high, found = -MOST_STEEP, MOST_STEEP, law
    for _ in range(ROUNDS):
        steep = (low + high) / 2
        tilted = law * np.exp(steep * (numbers - scale * (steep > 0)) / scale)
        found = tilted * (size / float(tilted.sum()))
        if float(found @ numbers) < total:
            low = steep
        else:
            high = steep
    return found
