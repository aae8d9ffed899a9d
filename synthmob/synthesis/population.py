"""Who the synthetic people are: home, work and group of every person, each a function of (model, seed, number, person)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.model.anchors import NO, YES, Anchors
from synthmob.model.geography import Geography
from synthmob.model.reconcile import LEAST, FloatArray
from synthmob.synthesis.order import even, ranks

IntArray = npt.NDArray[np.int64]
GROUP_DIMENSION = 0
CHAIN_DIMENSION = 1
BALANCE_ROUNDS = 8


@dataclass(frozen=True)
class Homes:
    """Cumulative tables to read persons from: (home, work) pairs of workers, homes of others, groups given home area and band."""

    pairs: FloatArray
    alone: FloatArray
    groups: FloatArray
    group_area: IntArray
    bands: npt.NDArray[np.int8]
    n_zones: int

    @staticmethod
    def of(anchors: Anchors, geography: Geography) -> Homes:
        """The tables of fitted anchors; `groups` is (areas, bands + 1, groups), the last band for people without work."""
        pairs = np.cumsum(anchors.home_work.ravel())
        alone = np.cumsum(anchors.home_worker[:, NO])
        return Homes(pairs, alone, _groups(anchors, geography), anchors.group_area, geography.bands, geography.n)


@dataclass(frozen=True)
class People:
    """A block of persons: their ids, ranks, homes, works (-1 none) and classes (sex x age x worker flat)."""

    person: IntArray
    rank: IntArray
    home: IntArray
    work: IntArray
    klass: IntArray


def people(homes: Homes, seed: int, n_persons: int, first: int, last: int) -> People:
    """Persons first to last - 1 of a population of n_persons."""
    person = np.arange(first, last)
    rank = ranks(seed, n_persons, person)
    total = homes.pairs[-1] + homes.alone[-1]
    at = (rank + 0.5) / n_persons * total
    works = at < homes.pairs[-1]
    pair = np.minimum(np.searchsorted(homes.pairs, at, side="right"), len(homes.pairs) - 1)
    single = np.minimum(np.searchsorted(homes.alone, at - homes.pairs[-1], side="right"), homes.n_zones - 1)
    home = np.where(works, pair // homes.n_zones, single)
    work = np.where(works, pair % homes.n_zones, -1)
    band = np.where(works, homes.bands[home, np.maximum(work, 0)], homes.groups.shape[1] - 1)
    chance = homes.groups[homes.group_area[home], band]
    u = even(seed, rank, GROUP_DIMENSION)
    group = np.minimum((chance <= (u * chance[:, -1])[:, None]).sum(axis=1), chance.shape[1] - 1)
    return People(person, rank, home, work, group * 2 + np.where(works, YES, NO))


def _groups(anchors: Anchors, geography: Geography) -> FloatArray:
    """Cumulative P(group | home area, band): the area's groups tilted by commuting distance, their sums left as they were."""
    districts, _workers, n_groups = anchors.groups.shape
    out = np.empty((districts, geography.n_bands + 1, n_groups))
    out[:, -1] = anchors.groups[:, NO] + LEAST
    commuters = np.zeros((districts, geography.n_bands))
    of_pair = anchors.group_area[:, None] * geography.n_bands + geography.bands
    found = np.bincount(of_pair.ravel(), weights=anchors.home_work.ravel(), minlength=commuters.size)
    commuters += found.reshape(commuters.shape)
    tilt = anchors.band_groups if anchors.band_groups.shape[1] == n_groups else np.ones((geography.n_bands, n_groups))
    wanted = anchors.groups[:, YES] + LEAST
    table = wanted[:, None, :] * tilt[None] + LEAST
    for _ in range(BALANCE_ROUNDS):
        table *= (commuters / np.maximum(table.sum(axis=2), LEAST))[..., None]
        table *= (wanted / np.maximum(table.sum(axis=1), LEAST))[:, None, :]
    out[:, :-1] = np.where(table.sum(axis=2, keepdims=True) > LEAST, table, wanted[:, None, :])
    return np.cumsum(out, axis=2)
