"""What a destination law makes of a fixed sample of lives: expected destinations, distances and flows between areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.counts.flows import HEADINGS
from synthmob.model import reach
from synthmob.model.chains import HOME, WORK
from synthmob.model.geography import Geography
from synthmob.model.lives import Lives
from synthmob.model.reconcile import FloatArray
from synthmob.model.tallies import Memory, Stays, Tally
from synthmob.model.variates import Variates

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Flows:
    """The destination law: `attraction` (purposes, zones), `deterrence` (purposes x headings, bands to the anchor ahead, bands from
    the stay before), that of purpose p on the way home in row 2 p and to work in the next, `affinity` (areas before, areas),
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
    """Person-days by (purpose, zone), (day type, purpose and heading, to anchor, from previous), (area, area) and (purpose, row
    of reach, from previous); and what ways of each distance took, `usual_min` (bands,).

    The `fixed_` parts are those at anchors, which no destination law can move; nobody looks for an anchor, and `reached` has none.
    """

    destinations: FloatArray
    daily_distances: FloatArray
    flows: FloatArray
    fixed_destinations: FloatArray
    fixed_daily_distances: FloatArray
    fixed_flows: FloatArray
    reached: FloatArray
    visits: Visits
    usual_min: FloatArray

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
class _Law:
    """How people choose on one day: `flows`, the `deterrence` of its day type, `reaching` (purposes, rows, bands), which share of work
    stays is at the work place, `work_anchor`, and `exploration` (purposes,) and `sharing`, as in Returns."""

    flows: Flows
    geography: Geography
    day_type: int
    deterrence: FloatArray
    reaching: FloatArray
    work_anchor: FloatArray
    exploration: FloatArray
    sharing: float


@dataclass(frozen=True)
class _Sums:
    """What is added up of lives, at anchors, `fixed`, and elsewhere, `drawn`; how chance is taken out of it; and where lives have been."""

    fixed: Tally
    drawn: Tally
    variates: Variates
    memory: Memory


def expectation(flows: Flows, geography: Geography, lives: Lives, work_anchor: FloatArray, exploration: FloatArray | None = None,
                sharing: float = 0.0) -> Expectation:
    """Expectations over the lives; each outing's zone is then drawn, to be the origin of the next one and a place to return to.

    `exploration` (purposes,) is the Chinese-restaurant weight of a new place; without it nobody returns. Returns follow the law that led
    there before, though not at once. Places new to a purpose may be known for another one, by the chance `sharing`.
    """
    wide = np.full(len(flows.attraction), np.inf) if exploration is None else exploration
    fixed, drawn = (Tally.empty(len(wide), geography, len(flows.daily)) for _ in range(2))
    sums = _Sums(
        fixed, drawn, Variates.empty(len(wide), lives.days, geography.n), Memory.of(len(lives.home) // lives.days, wide, lives.days))
    seen: list[tuple[IntArray, ...]] = []
    usual_min = np.zeros(geography.n_bands) if lives.times is None else lives.times.usual_min
    reaching = reach.joined(flows.reach, usual_min)
    for day, kind in enumerate(lives.day_types[: lives.days]):
        deterrence = day_rows(flows.deterrence, flows.daily[kind : kind + 1])
        law = _Law(flows, geography, kind, deterrence, reaching, work_anchor, wide, sharing)
        seen += _day(law, lives, day, sums)
        sums.memory.sleep()
    drawn.destinations[:] = np.maximum(drawn.destinations + sums.variates.correction(), 0.0)
    if lives.composition is not None:  # where all people work, and not only those who happen to be among the lives
        fixed.destinations[WORK] = fixed.destinations[WORK].sum() * lives.composition.working
    visits = Visits(*(np.concatenate(column) for column in zip(*seen, strict=True)))
    return Expectation(
        drawn.destinations + fixed.destinations, drawn.distances + fixed.distances, drawn.flows + fixed.flows,
        fixed.destinations, fixed.distances, fixed.flows, drawn.reached, visits, usual_min)


def _day(law: _Law, lives: Lives, day: int, sums: _Sums) -> list[tuple[IntArray, ...]]:
    """The `day`th day of every life: tallied, remembered, and returned as the columns of Visits, rank by rank."""
    today = np.arange(day, len(lives.home), lives.days)
    here, works_done, lengths = lives.home.copy(), np.zeros(len(lives.home), dtype=np.int64), lives.lengths[today]
    clock = np.zeros(len(lives.home), dtype=np.int64)
    seen: list[tuple[IntArray, ...]] = []
    for rank in range(int(lengths.max(initial=0))):
        alive, to_come = today[lengths > rank], lengths[lengths > rank] - rank - 1
        stays = _stays(lives, alive, rank, here[alive], clock[alive], to_come == 0)
        u = seeds.uniforms(seeds.stage_key(0, "outings"), alive, rank, np.arange(6)[:, None])
        works = _work_stays(lives, alive, rank, works_done, stays.origin)
        at_work = (stays.purpose == WORK) & (stays.work >= 0) & (u[1] < law.work_anchor[works])
        works_done[alive] += stays.purpose == WORK
        zone = np.where(stays.purpose == HOME, stays.home, np.where(at_work, stays.work, -1))
        sums.fixed.settle(law.day_type, stays.some(zone >= 0), zone[zone >= 0], rank)
        out = np.flatnonzero(zone < 0)
        # The stay of the night goes on where it was, in a synthetic day, and is no new place.
        birth = day if rank > 0 or day == 0 else lives.days
        zone[out] = _outings(law, stays.some(out), u[:, out], rank, birth, sums)
        if birth < lives.days:
            sums.memory.remember(stays.life[out], stays.purpose[out], zone[out], birth)
        if lives.times is not None:
            band = law.geography.bands[stays.origin, zone].astype(np.int64)
            clock[alive] = lives.times.ends(alive, rank, clock[alive], band, to_come)
        here[alive] = zone
        seen.append((stays.life, alive, np.full(len(alive), rank), stays.purpose, stays.heading, zone, stays.anchor, stays.origin,
                     stays.reach))  # fmt: skip
    return seen


def _outings(law: _Law, stays: Stays, u: FloatArray, rank: int, birth: int, sums: _Sums) -> IntArray:
    """Where people are who are at no anchor, (stays,), by quantiles `u` (6, stays): at a place that they know for the purpose, or for
    another one, or anywhere. New places are of that `birth`."""
    from synthmob.model.outings import recalled, shared, tally_outings

    bands, area = law.geography.bands, law.geography.flow_areas
    memory, variates = sums.memory, sums.variates
    zone, first = recalled(
        memory.zones, memory.known, stays.life, stays.purpose, stays.heading, stays.anchor, stays.origin, stays.reach, law.deterrence,
        law.reaching, bands, law.exploration, u[2], u[3])
    again = zone >= 0
    variates.back(
        stays.purpose[again], memory.births[stays.life[again], stays.purpose[again], first[again]].astype(np.int64), stays.worth[again])
    new = np.flatnonzero(~again)
    some = stays.some(new)
    zone[new] = shared(
        memory.zones, memory.known, some.life, some.purpose, some.heading, some.home, some.work, some.anchor, some.origin, some.reach,
        law.flows.attraction, law.deterrence, law.reaching, bands, law.exploration, law.sharing, u[4][new], u[5][new], some.worth,
        variates.laws[:, birth])
    sums.drawn.settle(law.day_type, stays.some(zone >= 0), zone[zone >= 0], rank)
    kind = np.where(zone < 0, stays.purpose * HEADINGS + stays.heading, -1)
    for q in np.unique(kind[kind >= 0]):
        chosen, p = np.flatnonzero(kind == q), q // HEADINGS
        tallies = (variates.laws[p, birth], sums.drawn.distances[law.day_type, q], sums.drawn.flows, sums.drawn.reached[p])
        appeal = law.flows.attraction[p] * law.flows.affinity[:, area]
        zone[chosen] = tally_outings(
            appeal, law.deterrence[q], law.reaching[p], bands, area, stays.anchor[chosen], stays.origin[chosen], stays.reach[chosen],
            u[0][chosen], stays.worth[chosen], rank > 0, *tallies)
        np.add.at(sums.drawn.destinations[p], zone[chosen], stays.worth[chosen])
    variates.draw(some.purpose, birth, zone[new], some.worth)
    return zone


def _stays(lives: Lives, alive: IntArray, rank: int, here: IntArray, clock: IntArray, last: npt.NDArray[np.bool_]) -> Stays:
    """Stay `rank` of the days `alive`, of people who are `here` at the `clock`, the `last` of their day or not, all (days,)."""
    purpose, heading = lives.purposes[alive, rank].astype(np.int64), headings(lives, alive, rank)
    before = lives.purposes[alive, max(rank - 1, 0)].astype(np.int64)
    row, worth = np.full(len(alive), reach.ROWS), np.ones(len(alive))
    if lives.times is not None and rank > 0:
        row = lives.times.rows(alive, rank, clock, before, last)
    if lives.worth is not None:  # a stay at home is worth what the one before it is
        worth = lives.worth[lives.home[alive], np.where(purpose == HOME, before, purpose)]
    anchor = np.where(heading == 1, lives.work[alive], lives.home[alive])
    return Stays(alive // lives.days, purpose, heading, lives.home[alive], lives.work[alive], anchor, here, row, worth)


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
