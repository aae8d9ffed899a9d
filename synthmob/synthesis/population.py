"""Who the synthetic people are: home, work and group of every person, each a function of (model, seed, number, person)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from synthmob.model.anchors import NO, YES, Anchors
from synthmob.model.geography import Geography
from synthmob.model.reconcile import LEAST, FloatArray
from synthmob.synthesis.order import even, ranks

IntArray = npt.NDArray[np.int64]
GROUP_DIMENSION = 0
CHAIN_DIMENSION = 1
HABIT_DIMENSION = 2048
BALANCE_ROUNDS = 8
PAIRS_A_GUIDE = 8
"""So many pairs of zones have one entry in the guide to them: searched are about as many, side by side in memory."""


@dataclass(frozen=True)
class Homes:
    """Cumulative tables to read persons from: (home, work) pairs of workers, homes of others, groups given home area and band."""

    pairs: FloatArray
    alone: FloatArray
    groups: FloatArray
    group_area: IntArray
    bands: npt.NDArray[np.int8]

    @cached_property
    def guide(self) -> npt.NDArray[np.int32]:
        """Where the search for a pair may begin: the pair at every k/n of all workers, for every k up to n, the last included."""
        n = -(-len(self.pairs) // PAIRS_A_GUIDE)
        found = np.searchsorted(self.pairs, np.arange(n + 1) / n * self.pairs[-1], side="right")
        return np.minimum(found, len(self.pairs) - 1).astype(np.int32)

    @staticmethod
    def of(anchors: Anchors, geography: Geography) -> Homes:
        """The tables of fitted anchors; `groups` is (areas, bands + 1, groups), the last band for people without work."""
        pairs = np.cumsum(anchors.home_work.ravel())
        alone = np.cumsum(anchors.home_worker[:, NO])
        return Homes(pairs, alone, _groups(anchors, geography), anchors.group_area, geography.bands)


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
    from synthmob.synthesis import kernel

    person = np.arange(first, last)
    rank = ranks(seed, n_persons, person)
    home, work, klass = (np.empty(len(person), dtype=np.int64) for _ in range(3))
    kernel.settle(
        rank, n_persons, homes.pairs, homes.guide, homes.alone, homes.bands, homes.groups, homes.group_area,
        even(seed, rank, GROUP_DIMENSION), home, work, klass)  # fmt: skip
    return People(person, rank, home, work, klass)


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
