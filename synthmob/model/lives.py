"""A fixed sample of synthetic lives to fit destinations on: home, work, class and chain, no times and no destinations yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.model.anchors import YES, Anchors
from synthmob.model.chains import Chains
from synthmob.model.geography import Geography
from synthmob.model.reconcile import FloatArray

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lives:
    """One row a person-day, every row worth `weight` persons: home, work (-1 for none), purposes (rows, stays), lengths."""

    home: IntArray
    work: IntArray
    purposes: npt.NDArray[np.int8]
    lengths: IntArray
    weight: float


def sample_lives(anchors: Anchors, chains: Sequence[Chains], day_share: FloatArray, geography: Geography, n: int) -> Lives:
    """`n` lives drawn from the fitted anchors and chains; `day_share` is the share of each day type among all days."""
    from synthmob.model.outings import pick_rows

    ticks = np.arange(n)
    draw = [seeds.uniforms(seeds.stage_key(0, "lives"), ticks, 0, k) for k in range(4)]
    homes = anchors.home_worker.T.ravel()  # workers first, so the order of sampling separates them
    cell = _pick(np.cumsum(homes), (ticks + draw[0]) / n)
    worker, home = np.divmod(cell, geography.n)
    work = np.full(n, -1)
    at_work = worker == YES
    cumulative = np.cumsum(anchors.home_work, axis=1)
    work[at_work] = pick_rows(cumulative, home[at_work], draw[1][at_work])
    groups = np.cumsum(anchors.groups, axis=2)
    group = pick_rows(groups.reshape(-1, groups.shape[2]), anchors.group_area[home] * 2 + worker, draw[2])
    kind = _pick(np.cumsum(day_share), seeds.uniforms(seeds.stage_key(0, "lives"), ticks, 1, 0))
    purposes = np.empty((n, chains[0].purposes.shape[1]), dtype=np.int8)
    lengths = np.empty(n, dtype=np.int64)
    for day_type, law in enumerate(chains):
        cumulative = np.cumsum(law.by_class, axis=1)
        mine = kind == day_type
        chosen = pick_rows(cumulative, group[mine] * 2 + worker[mine], draw[3][mine])
        purposes[mine], lengths[mine] = law.purposes[chosen], law.lengths[chosen]
    return Lives(home, work, purposes, lengths, float(homes.sum()) / n)


def _pick(cumulative: FloatArray, u: FloatArray) -> IntArray:
    """Indices of a cumulative sum at quantiles u."""
    return np.minimum(np.searchsorted(cumulative, u * cumulative[-1], side="right"), len(cumulative) - 1)
