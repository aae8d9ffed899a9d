"""What a destination law makes of a fixed sample of lives: expected destinations, distances and flows between districts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.counts.flows import HEADINGS
from synthmob.model import reach
from synthmob.model.chains import HOME, WORK
from synthmob.model.geography import Geography
from synthmob.model.known import at_once
from synthmob.model.lives import Lives
from synthmob.model.reconcile import FloatArray

IntArray = npt.NDArray[np.int64]
MOST_REMEMBERED = 48
"""Places that a purpose has taken a life to: days of a life are few, and these are more than enough."""


@dataclass(frozen=True)
class Flows:
    """The destination law: `attraction` (purposes, zones), `deterrence` (purposes x headings, bands to the anchor ahead, bands from
    the stay before), that of purpose p on the way home in row 2 p and to work in the next, `affinity` (districts before, districts),
    `daily` (day types, purposes, bands from the stay before), what a day type changes in deterrence, and what the part of the day, the
    length of the stay and the stay before do, `departing`, `lasting` and `origins` (purposes, kinds, bands)."""

    attraction: FloatArray
    deterrence: FloatArray
    affinity: FloatArray
    daily: FloatArray
    departing: FloatArray
    lasting: FloatArray
    origins: FloatArray

    @property
    def reach(self) -> tuple[FloatArray, ...]:
        """What changes with the hour, the length of the stay and the stay before."""
        return self.departing, self.lasting, self.origins

    @property
    def by_day(self) -> FloatArray:
        """Deterrence of every day type, (day types x purposes x headings, bands to the anchor ahead, bands from the stay before)."""
        return day_rows(self.deterrence, self.daily)


def day_rows(deterrence: FloatArray, daily: FloatArray) -> FloatArray:
    """`deterrence` (purposes x headings, bands, bands) times `daily` (day types, purposes, bands): (day types x purposes x headings,
    bands, bands)."""
    rows = np.repeat(daily, HEADINGS, axis=1)[:, :, None, :] * deterrence
    return rows.reshape(-1, *deterrence.shape[1:])


@dataclass(frozen=True)
class Expectation:
    """Person-days by (purpose, zone), (day type, purpose and heading, to anchor, from previous), (district, district) and (purpose, row
    of reach, from previous).

    The `fixed_` parts are those at anchors, which no destination law can move; nobody looks for an anchor, and `reached` has none.
    """

    destinations: FloatArray
    daily_distances: FloatArray
    districts: FloatArray
    fixed_destinations: FloatArray
    fixed_daily_distances: FloatArray
    fixed_districts: FloatArray
    reached: FloatArray
    visits: Visits

    @property
    def distances(self) -> FloatArray:
        """Person-days by (purpose and heading, to anchor, from previous)."""
        return self.daily_distances.sum(axis=0)

    @property
    def fixed_distances(self) -> FloatArray:
        """Those at anchors."""
        return self.fixed_daily_distances.sum(axis=0)


@dataclass(frozen=True)
class Visits:
    """The lives as drawn, one entry a stay: whose life of some days, its row of the lives, rank in its day, purpose, heading (1 to
    work, 2 at the ends of a day), zone, anchor ahead, zone before, row of reach."""

    life: IntArray
    row: IntArray
    rank: IntArray
    purpose: IntArray
    heading: IntArray
    zone: IntArray
    anchor: IntArray
    origin: IntArray
    reach: IntArray


@dataclass(frozen=True)
class _Tally:
    """Sums being made: the same tables as an Expectation."""

    destinations: FloatArray
    distances: FloatArray
    districts: FloatArray
    reached: FloatArray

    @staticmethod
    def empty(flows: Flows, geography: Geography) -> _Tally:
        purposes, bands = len(flows.attraction), geography.n_bands
        return _Tally(
            np.zeros((purposes, geography.n)), np.zeros((len(flows.daily), purposes * HEADINGS, bands, bands)),
            np.zeros(flows.affinity.shape), np.zeros((purposes, reach.ROWS + 1, bands)))

    def settle(self, day_type: int, purpose: IntArray, heading: IntArray, zone: IntArray, anchor: IntArray, origin: IntArray, row: IntArray,
               rank: int, geography: Geography) -> None:  # fmt: skip
        """Count stays whose zone is known."""
        np.add.at(self.destinations, (purpose, zone), 1.0)
        if rank > 0:
            district = geography.parents["district"]
            kind = purpose * HEADINGS + heading
            np.add.at(self.distances[day_type], (kind, geography.bands[anchor, zone], geography.bands[origin, zone]), 1.0)
            np.add.at(self.districts, (district[origin], district[zone]), 1.0)
            np.add.at(self.reached, (purpose, row, geography.bands[origin, zone]), 1.0)


@dataclass(frozen=True)
class _Memory:
    """Where each life has been: `zones` (lives, purposes, MOST_REMEMBERED), the first `known` (lives, purposes) of them on earlier days, or
    earlier on this one for a purpose `at_once` (purposes,), and up to `fresh` today. An anchor is no place to return to by chance: it has
    its own rate."""

    zones: npt.NDArray[np.int32]
    known: IntArray
    fresh: IntArray
    at_once: npt.NDArray[np.bool_]

    @staticmethod
    def of(n_lives: int, exploration: FloatArray, days: int) -> _Memory:
        shape = (n_lives, len(exploration))
        return _Memory(
            np.zeros((*shape, MOST_REMEMBERED if days > 1 else 1), dtype=np.int32), np.zeros(shape, dtype=np.int64),
            np.zeros(shape, dtype=np.int64), at_once(np.arange(len(exploration)), exploration))

    def remember(self, life: IntArray, purpose: IntArray, zone: IntArray) -> None:
        at = self.fresh[life, purpose]
        room = at < self.zones.shape[2]
        self.zones[life[room], purpose[room], at[room]] = zone[room]
        self.fresh[life[room], purpose[room]] += 1
        now = room & self.at_once[purpose]
        self.known[life[now], purpose[now]] = self.fresh[life[now], purpose[now]]

    def sleep(self) -> None:
        """All places of a day are known from the next day on."""
        self.known[:] = self.fresh


def expectation(flows: Flows, geography: Geography, lives: Lives, work_anchor: FloatArray, exploration: FloatArray | None = None,
                sharing: float = 0.0) -> Expectation:
    """Expectations over the lives; each outing's zone is then drawn, to be the origin of the next one and a place to return to.

    `exploration` (purposes,) is the Chinese-restaurant weight of a new place; without it nobody returns. Returns follow the law that led
    there before, though not at once: they count as what it draws. So do the places new to a purpose that are known for another one, by
    the chance `sharing`.
    """
    fixed, drawn = _Tally.empty(flows, geography), _Tally.empty(flows, geography)
    wide = np.full(len(flows.attraction), np.inf) if exploration is None else exploration
    memory = _Memory.of(len(lives.home) // lives.days, wide, lives.days)
    seen: list[tuple[IntArray, ...]] = []
    for day in range(lives.days):
        today, day_type = np.arange(day, len(lives.home), lives.days), lives.day_types[day]
        law = day_rows(flows.deterrence, flows.daily[day_type : day_type + 1])
        seen += _day(flows, law, day_type, geography, lives, today, work_anchor, wide, sharing, memory, fixed, drawn)
        memory.sleep()
    visits = Visits(*(np.concatenate(column) for column in zip(*seen, strict=True)))
    return Expectation(
        drawn.destinations + fixed.destinations, drawn.distances + fixed.distances, drawn.districts + fixed.districts,
        fixed.destinations, fixed.distances, fixed.districts, drawn.reached, visits)


def _day(flows: Flows, deterrence: FloatArray, day_type: int, geography: Geography, lives: Lives, today: IntArray,
         work_anchor: FloatArray, exploration: FloatArray, sharing: float, memory: _Memory, fixed: _Tally, drawn: _Tally
         ) -> list[tuple[IntArray, ...]]:  # fmt: skip
    """One day of every life, the rows `today` with the day type's `deterrence`: tallied, remembered, and returned as the columns of
    Visits, rank by rank."""
    from synthmob.model.outings import recalled, shared, tally_outings

    here, works_done, lengths = lives.home.copy(), np.zeros(len(lives.home), dtype=np.int64), lives.lengths[today]
    clock, reaching = np.zeros(len(lives.home), dtype=np.int64), reach.joined(flows.reach)
    seen: list[tuple[IntArray, ...]] = []
    for rank in range(int(lengths.max(initial=0))):
        alive = today[lengths > rank]
        life, purpose = alive // lives.days, lives.purposes[alive, rank].astype(np.int64)
        heading = headings(lives, alive, rank)
        anchor = np.where(heading == 1, lives.work[alive], lives.home[alive])
        origin, work = here[alive], lives.work[alive]
        u = seeds.uniforms(seeds.stage_key(0, "outings"), alive, rank, np.arange(6)[:, None])
        at_work = (purpose == WORK) & (work >= 0) & (u[1] < work_anchor[_work_stays(lives, alive, rank, works_done, origin)])
        works_done[alive] += purpose == WORK
        zone = np.where(purpose == HOME, lives.home[alive], np.where(at_work, work, -1))
        row = np.full(len(alive), reach.ROWS)
        if lives.times is not None and rank > 0:
            before = lives.purposes[alive, rank - 1].astype(np.int64)
            row = lives.times.rows(alive, rank, clock[alive], before, lengths[lengths > rank] == rank + 1)
        out = np.flatnonzero(zone < 0)
        zone[out] = recalled(
            memory.zones, memory.known, life[out], purpose[out], heading[out], anchor[out], origin[out], row[out], deterrence, reaching,
            geography.bands, exploration, u[2][out], u[3][out])
        new = np.flatnonzero(zone < 0) if sharing > 0.0 else out[:0]
        zone[new] = shared(
            memory.zones, memory.known, life[new], purpose[new], heading[new], lives.home[alive[new]], work[new], anchor[new], origin[new],
            row[new], flows.attraction, deterrence, reaching, geography.bands, sharing, u[4][new], u[5][new])
        at_anchor = (purpose == HOME) | at_work
        for tally, which in ((fixed, at_anchor), (drawn, ~at_anchor & (zone >= 0))):
            tally.settle(day_type, purpose[which], heading[which], zone[which], anchor[which], origin[which], row[which], rank, geography)
        kind = purpose * HEADINGS + heading
        for q in np.unique(kind[zone < 0]):
            chosen = np.flatnonzero((zone < 0) & (kind == q))
            p = q // HEADINGS
            sums = (drawn.destinations[p], drawn.distances[day_type, q], drawn.districts, drawn.reached[p])
            appeal = flows.attraction[p] * flows.affinity[:, geography.parents["district"]]
            zone[chosen] = tally_outings(
                appeal, deterrence[q], reaching[p], geography.bands, geography.parents["district"], anchor[chosen], origin[chosen],
                row[chosen], u[0][chosen], rank > 0, *sums)
        if rank > 0 or today[0] == 0:  # the stay of the night goes on where it was, in a synthetic day, and is no new place
            memory.remember(life[out], purpose[out], zone[out])
        if lives.times is not None:
            to_come = lengths[lengths > rank] - rank - 1
            clock[alive] = lives.times.ends(alive, rank, clock[alive], geography.bands[origin, zone].astype(np.int64), to_come)
        here[alive] = zone
        seen.append((life, alive, np.full(len(alive), rank), purpose, heading, zone, anchor, origin, row))
    return seen


def headings(lives: Lives, alive: IntArray, rank: int) -> IntArray:
    """Where the day heads for after a stay: 1 for the work place if the next stay is work, 2 for nowhere at the last stay of a day, and at
    the first, where the night was spent; 0 for home otherwise."""
    last = lives.lengths[alive] == rank + 1
    following = lives.purposes[alive, np.minimum(rank + 1, lives.purposes.shape[1] - 1)]
    to_work = ~last & (following == WORK) & (lives.work[alive] >= 0)
    return np.where(last | (rank == 0), 2, to_work.astype(np.int64))


def _work_stays(lives: Lives, alive: IntArray, rank: int, works_done: IntArray, origin: IntArray) -> IntArray:
    """Which of WORK_STAYS each stay is, if it is one at work."""
    straight = (lives.purposes[alive, rank - 1] == WORK) & (rank > 0)
    return np.where(straight, np.where(origin == lives.work[alive], 2, 3), np.minimum(works_done[alive], 1))
