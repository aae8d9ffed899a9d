"""How long people are on their way to a stay, given the stays around it.

Times are fitted on days that are played without places. What those leave out would be made up for by the times of stays, so they are
given the travel times that the fitted destinations lead to: an errand before work lies nearer than an evening out, and the way home is as
long as the errand was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.counts.flows import HEADINGS
from synthmob.model import reconcile
from synthmob.model.chains import WORK
from synthmob.model.expectation import Expectation
from synthmob.model.geography import Geography
from synthmob.model.lives import Lives
from synthmob.model.reconcile import FloatArray

IntArray = npt.NDArray[np.int64]
TIMES = 100
LAST_EDGE_MIN = 240
"""The last bin of travel times ends here."""
LEAN = 30.0
"""Trips of a kind lean on those of fewer words by so many trips: of any heading, of any stay two before, of any before."""


@dataclass(frozen=True)
class Journeys:
    """Travel times by kind of trip: `minutes` (kinds, times) to draw from evenly; a kind is the stay that the trip leads to,
    the two before it and the heading after it, of so many `purposes`."""

    minutes: FloatArray
    purposes: int

    def kinds(self, purposes: npt.NDArray[np.int8]) -> IntArray:
        """The kind of the trip to every stay of days (days, stays), -1 past their ends; what it is for a first stay means nothing."""
        return kinds(purposes, self.purposes)


def kinds(purposes: npt.NDArray[np.int8], n_purposes: int) -> IntArray:
    """Codes of trips to every stay of days (days, stays), of the shape of `purposes`.

    >>> kinds(np.array([[0, 3, 1, 0]], dtype=np.int8), 6)[0].tolist() == [
    ...     np.ravel_multi_index(k, (6, 6, 7, 3)) for k in ((0, 0, 0, 0), (3, 0, 0, 1), (1, 3, 1, 0), (0, 1, 4, 2))]
    True
    """
    here = np.maximum(purposes.astype(np.int64), 0)
    earlier, before, after = (np.zeros_like(here) for _ in range(3))
    before[:, 1:], earlier[:, 2:] = here[:, :-1], here[:, :-2] + 1
    after[:, :-1] = np.where(purposes[:, 1:] < 0, 2, purposes[:, 1:] == WORK)
    after[:, -1] = 2
    return np.ravel_multi_index((here, before, earlier, after), _shape(n_purposes)).astype(np.int64)


def expected(found: Expectation, lives: Lives, geography: Geography, travel: FloatArray, edges_min: IntArray) -> Journeys:
    """The travel times of lives whose places are `found`: `travel` (distance bands, bins) sums to 1 by row, a bin reaches from one of
    `edges_min` (bins + 1,) to the next."""
    v, purposes = found.visits, len(found.destinations)
    trip = v.rank > 0
    kind = kinds(lives.purposes, purposes)[v.row[trip], v.rank[trip]]
    bands = geography.n_bands
    counted = np.bincount(kind * bands + geography.bands[v.origin[trip], v.zone[trip]], minlength=int(np.prod(_shape(purposes))) * bands)
    trips = counted.reshape(*_shape(purposes), bands).astype(np.float64)
    share = reconcile.conditional(trips, reconcile.ladder(trips, weight=LEAN), weight=LEAN)
    return Journeys(quantiles(share.reshape(-1, bands) @ travel, edges_min), purposes)


def quantiles(shares: FloatArray, edges_min: IntArray) -> FloatArray:
    """Minutes at TIMES even quantiles of binned laws (kinds, bins), even inside a bin as they are drawn."""
    quantiles = (np.arange(TIMES) + 0.5) / TIMES
    cumulative = np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)
    return np.stack([np.interp(quantiles, np.append(0.0, row), edges_min) for row in cumulative])


def _shape(purposes: int) -> tuple[int, int, int, int]:
    return purposes, purposes, purposes + 1, HEADINGS
