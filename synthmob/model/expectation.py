"""What a destination law makes of a fixed sample of lives: expected destinations, distances and flows between districts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.model.geography import Geography
from synthmob.model.lives import Lives
from synthmob.model.reconcile import FloatArray

IntArray = npt.NDArray[np.int64]
HOME, WORK = 0, 1


@dataclass(frozen=True)
class Flows:
    """The destination law: `attraction` (purposes, zones), `deterrence` (purposes, bands to the anchor ahead, bands from the
    stay before), `affinity` (districts before, districts)."""

    attraction: FloatArray
    deterrence: FloatArray
    affinity: FloatArray


@dataclass(frozen=True)
class Expectation:
    """Person-days by (purpose, zone), (purpose, to anchor, from previous) and (district, district).

    The `fixed_` parts are those at anchors, which no destination law can move.
    """

    destinations: FloatArray
    distances: FloatArray
    districts: FloatArray
    fixed_destinations: FloatArray
    fixed_distances: FloatArray
    fixed_districts: FloatArray
    visits: Visits


@dataclass(frozen=True)
class Visits:
    """The lives as drawn, one entry a stay: life, rank, purpose, zone, anchor ahead, zone before."""

    life: IntArray
    rank: IntArray
    purpose: IntArray
    zone: IntArray
    anchor: IntArray
    origin: IntArray


@dataclass(frozen=True)
class _Tally:
    """Sums being made: the same three tables as an Expectation."""

    destinations: FloatArray
    distances: FloatArray
    districts: FloatArray

    @staticmethod
    def empty(flows: Flows, geography: Geography) -> _Tally:
        purposes, bands = len(flows.attraction), geography.n_bands
        return _Tally(np.zeros((purposes, geography.n)), np.zeros((purposes, bands, bands)), np.zeros(flows.affinity.shape))

    def settle(self, purpose: IntArray, zone: IntArray, anchor: IntArray, origin: IntArray, rank: int, geography: Geography) -> None:
        """Count stays whose zone is known."""
        np.add.at(self.destinations, (purpose, zone), 1.0)
        if rank > 0:
            district = geography.parents["district"]
            np.add.at(self.distances, (purpose, geography.bands[anchor, zone], geography.bands[origin, zone]), 1.0)
            np.add.at(self.districts, (district[origin], district[zone]), 1.0)


def expectation(flows: Flows, geography: Geography, lives: Lives, work_anchor: FloatArray) -> Expectation:
    """Expectations over the lives; each outing's zone is then drawn, to be the origin of the next one."""
    fixed, drawn = _Tally.empty(flows, geography), _Tally.empty(flows, geography)
    here, works_done = lives.home.copy(), np.zeros(len(lives.home), dtype=np.int64)
    seen: list[tuple[IntArray, ...]] = []
    for rank in range(int(lives.lengths.max())):
        alive = np.flatnonzero(lives.lengths > rank)
        purpose = lives.purposes[alive, rank].astype(np.int64)
        anchor = anchors_ahead(lives, alive, rank)
        origin, work = here[alive], lives.work[alive]
        u = seeds.uniforms(seeds.stage_key(0, "outings"), alive, rank, np.arange(2)[:, None])
        at_work = (purpose == WORK) & (work >= 0) & (u[1] < work_anchor[np.minimum(works_done[alive], 1)])
        works_done[alive] += purpose == WORK
        zone = np.where(purpose == HOME, lives.home[alive], np.where(at_work, work, -1))
        settled = np.flatnonzero(zone >= 0)
        fixed.settle(purpose[settled], zone[settled], anchor[settled], origin[settled], rank, geography)
        for p in np.unique(purpose[zone < 0]):
            chosen = np.flatnonzero((zone < 0) & (purpose == p))
            zone[chosen] = _draw(flows, geography, int(p), anchor[chosen], origin[chosen], u[0][chosen], rank, drawn)
        here[alive] = zone
        seen.append((alive, np.full(len(alive), rank), purpose, zone, anchor, origin))
    visits = Visits(*(np.concatenate(column) for column in zip(*seen, strict=True)))
    return Expectation(
        drawn.destinations + fixed.destinations, drawn.distances + fixed.distances, drawn.districts + fixed.districts,
        fixed.destinations, fixed.distances, fixed.districts, visits)


def anchors_ahead(lives: Lives, alive: IntArray, rank: int) -> IntArray:
    """The zone that the day heads for after a stay: the work place if the next stay is work, home otherwise."""
    if rank + 1 >= lives.purposes.shape[1]:
        return lives.home[alive]
    to_work = (lives.purposes[alive, rank + 1] == WORK) & (lives.work[alive] >= 0)
    return np.where(to_work, lives.work[alive], lives.home[alive])


def _draw(flows: Flows, geography: Geography, p: int, anchor: IntArray, origin: IntArray, u: FloatArray, rank: int, tally: _Tally
          ) -> IntArray:
    """Zones of some outings of purpose p by the law, their probabilities added to the tally."""
    from synthmob.model.outings import tally_outings

    appeal = flows.attraction[p] * flows.affinity[:, geography.parents["district"]]
    return tally_outings(
        appeal, flows.deterrence[p], geography.bands, geography.parents["district"], anchor, origin, u, rank > 0,
        tally.destinations[p], tally.distances[p], tally.districts)
