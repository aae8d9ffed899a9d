"""Whom a sample of lives stands for: how many stays of every purpose the people of each zone have, and where all of them work.

Few lives are of one zone, and those of them who study may be a few too many. What the law of anchors and chains says of everybody is
known without a sample, so the stays of lives are weighed to it: destinations would else make up for who happens to live where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.model.anchors import Anchors
from synthmob.model.chains import Chains
from synthmob.model.reconcile import LEAST, FloatArray

PRIOR_STAYS = 10.0
"""Stays of a zone and purpose that are as good as none: of so few, how many there are says little."""


@dataclass(frozen=True)
class Composition:
    """Stays that people have on a day, `stays` (home zones, purposes), and the share of all workers at every zone, `working` (zones,)."""

    stays: FloatArray
    working: FloatArray

    @staticmethod
    def of(anchors: Anchors, chains: Sequence[Chains], day_types: Sequence[int], purposes: int) -> Composition:
        """That of fitted anchors and `chains` of every day type, for days of these types, rows of `chains`, and so many purposes."""
        groups = anchors.groups / np.maximum(anchors.groups.sum(axis=2, keepdims=True), LEAST)
        per_class = np.mean([_stays(chains[kind], purposes) for kind in day_types], axis=0)
        by_group = per_class.reshape(groups.shape[2], 2, purposes)
        by_worker = np.einsum("awg,gwp->awp", groups, by_group)[anchors.group_area]
        working = anchors.home_work.sum(axis=0)
        return Composition(
            np.einsum("hw,hwp->hp", anchors.home_worker, by_worker), working / max(float(working.sum()), LEAST))  # fmt: skip

    def worth(self, home: npt.NDArray[np.int64], purposes: npt.NDArray[np.int8], weight: float) -> FloatArray:
        """What a stay of lives is worth, by home zone and purpose, shape (zones, purposes), given the `home` (rows,) and `purposes` (rows,
        stays) of lives of so many persons a row."""
        zones, n = self.stays.shape
        row, rank = np.nonzero(purposes >= 0)
        found = np.bincount(home[row] * n + purposes[row, rank], minlength=zones * n).reshape(zones, n)
        return (self.stays / weight + PRIOR_STAYS) / (found + PRIOR_STAYS)


def _stays(law: Chains, purposes: int) -> FloatArray:
    """Mean stays of each purpose, (classes, purposes), on days of one type."""
    rows = law.by_class / np.maximum(law.by_class.sum(axis=1, keepdims=True), LEAST)
    return rows @ np.stack([(law.purposes == p).sum(axis=1) for p in range(purposes)], axis=1).astype(np.float64)
