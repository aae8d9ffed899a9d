"""Every statistic counted once more, in plain Python, from what its documentation says: one person's cells and weights.

Nothing here is shared with `synthmob.counts` but public axes: codes are looked up as labels, weights are exact fractions.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from strategies import Population, Row

from synthmob.domain import UNKNOWN, Domain
from synthmob.period import Period
from synthmob.zones import Zoning

NOBODY = -1
HALF = Fraction(1, 2)
Cells = Counter[tuple[int, ...]]


@dataclass(frozen=True)
class Stay:
    """A stay in codes; `zone` n_zones is outside."""

    purpose: int
    zone: int
    start: int
    end: int
    mode: int


@dataclass(frozen=True)
class Day:
    """A day's stays in order, and which of the period's day types it is."""

    kind: int
    stays: tuple[Stay, ...]


@dataclass(frozen=True)
class Person:
    """A person in codes; `home` n_zones + 1 is unknown, `work` is -1 for who is no worker."""

    group: tuple[int, int, int]
    home: int
    work: int
    days: tuple[Day, ...]


@dataclass(frozen=True)
class World:
    """The public things, and the level to count at."""

    zoning: Zoning
    domain: Domain
    period: Period
    level: str = ""

    def area(self, zone: int) -> int:
        """The area of a zone at the level, `outside` after the last and `unknown` after that."""
        areas = self.zoning.level(self.level)
        beyond = zone - self.zoning.n_zones
        return int(areas.of_zone[zone]) if beyond < 0 else len(areas.labels) + beyond

    def distance(self, a: int, b: int) -> int:
        """The band of the distance between two zones; the last one where either is outside or unknown."""
        edges = self.domain.distance_edges_km
        if max(a, b) >= self.zoning.n_zones:
            return len(edges)
        if a == b:
            km = float(self.zoning.internal_km[a])
        else:
            km = math.dist(self.zoning.centroids_km[a], self.zoning.centroids_km[b])
        return band(km, edges)


def band(value: float, edges: Sequence[float]) -> int:
    """The last bin that begins at or below a value."""
    return max(k for k, edge in enumerate(edges) if edge <= value or k == 0)


def _code(label: Any, labels: Sequence[str]) -> int:
    return labels.index(label) if label in labels else len(labels) - 1


def people(population: Population, world: World) -> dict[int, Person]:
    """Persons in codes with their days inside the period, in order."""
    zoning, domain, period = world.zoning, world.domain, world.period
    zones = list(zoning.ids)

    def zone(label: str | None) -> int:
        return zones.index(label) if label in zones else zoning.n_zones

    days: dict[int, dict[int, list[Row]]] = {row["person_id"]: {} for row in population.persons}
    for row in population.stays:
        if 0 <= row["day"] < period.days:
            days[row["person_id"]].setdefault(row["day"], []).append(row)
    found: dict[int, Person] = {}
    for row in population.persons:
        of_person = [Day(
            period.day_types.index(("weekday", "saturday", "sunday")[period.day_type(day)]),
            tuple(Stay(
                _code(s["purpose"], domain.purposes), zone(s["zone_id"]), s["start_min"], s["end_min"],
                _code(s.get("mode"), domain.modes)) for s in sorted(stays, key=lambda s: s["seq"])))
            for day, stays in sorted(days[row["person_id"]].items())]  # fmt: skip
        works = row["worker"] == "yes"
        found[row["person_id"]] = Person(
            (_code(row.get("sex"), domain.sex), _code(row.get("age_band"), domain.age_band), 0 if works else 1),
            zoning.n_zones + 1 if row["home_zone"] == UNKNOWN else zone(row["home_zone"]),
            zone(row["work_zone"]) if works else NOBODY, tuple(of_person))  # fmt: skip
    return found


def _per_day(person: Person) -> Iterator[tuple[Day, Fraction]]:
    """Each day with its part in the average over the person's own days of that type."""
    kinds = Counter(day.kind for day in person.days)
    for day in person.days:
        yield day, Fraction(1, kinds[day.kind])


def _all_stays(person: Person) -> Iterator[tuple[Day, int, Stay, Fraction]]:
    """Each stay with its place in its day and its part in the average over all of the person's days."""
    for day in person.days:
        for rank, stay in enumerate(day.stays):
            yield day, rank, stay, Fraction(1, len(person.days))


def _one(*cell: int) -> Cells:
    return Counter({cell: 1})


def _demographics(p: Person, w: World) -> Cells:
    return _one(*p.group)


def _home_by_group(p: Person, w: World) -> Cells:
    return _one(w.area(p.home), *p.group)


def _home(p: Person, w: World) -> Cells:
    return _one(w.area(p.home), p.group[2])


def _work(p: Person, w: World) -> Cells:
    return _one(w.area(p.work)) if p.work != NOBODY else Counter()


def _home_work(p: Person, w: World) -> Cells:
    return _one(w.area(p.home), w.area(p.work)) if p.work != NOBODY else Counter()


def _commute_km(p: Person, w: World) -> Cells:
    return _one(w.distance(p.home, p.work)) if p.work != NOBODY else Counter()


def _commute_km_by_group(p: Person, w: World) -> Cells:
    return _one(w.distance(p.home, p.work), *p.group[:2]) if p.work != NOBODY else Counter()


def _destinations(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for _, _, stay, part in _all_stays(p):
        if stay.purpose != 0:
            out[stay.purpose, w.area(stay.zone)] += part
    return out


def _visitors(p: Person, w: World) -> Cells:
    return Counter({(s.purpose, w.area(s.zone)): 1 for _, _, s, _ in _all_stays(p) if s.purpose != 0})


def _distances(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for day, rank, stay, part in _all_stays(p):
        if rank and stay.purpose != 0:
            following = day.stays[rank + 1].purpose if rank + 1 < len(day.stays) else None
            anchor = p.work if following == 1 and p.work != NOBODY else p.home
            out[stay.purpose, w.distance(stay.zone, anchor), w.distance(day.stays[rank - 1].zone, stay.zone)] += part
    return out


def _trip_km(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for (purpose, _, distance), part in _distances(p, w).items():
        out[purpose, distance] += part
    return out


def _od(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for day, rank, stay, part in _all_stays(p):
        if rank:
            out[w.area(day.stays[rank - 1].zone), w.area(stay.zone)] += part
    return out


def _od_hour(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for day, part in _per_day(p):
        for a, b in zip(day.stays, day.stays[1:], strict=False):
            out[day.kind, min(a.end // 60, 23), w.area(a.zone), w.area(b.zone)] += part
    return out


def _presence(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for day, part in _per_day(p):
        for stay in day.stays:
            for hour in range(24):
                if stay.start <= 60 * hour + 30 < stay.end:
                    out[day.kind, hour, w.area(stay.zone)] += part
    return out


def _chain(day: Day, w: World, most: int) -> int | None:
    return w.domain.chain_axis.encode([s.purpose for s in day.stays]) if len(day.stays) <= most else None


def _chains(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for day, part in _per_day(p):
        if (chain := _chain(day, w, w.domain.max_chain_stays)) is not None:
            out[day.kind, chain] += part
    return out


def _chain_people(p: Person, w: World) -> Cells:
    return Counter({(chain,): 1 for _, chain in _chains(p, w)})


def _stays_by_group(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for day, part in _per_day(p):
        out[day.kind, *p.group, min(len(day.stays), 20) - 1] += part
    return out


def _stays_per_day(p: Person, w: World) -> Cells:
    return Counter({(kind, n): part for (kind, *_, n), part in _stays_by_group(p, w).items()})


def _participation(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for day, part in _per_day(p):
        for purpose in {s.purpose for s in day.stays} - {0}:
            out[day.kind, *p.group, purpose - 1] += part
    return out


def _transitions(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for day, part in _per_day(p):
        around = [0, *(s.purpose + 1 for s in day.stays), 0]
        for k, stay in enumerate(day.stays):
            third = next(t for t in range(3) if k * 3 < (t + 1) * len(day.stays))
            phase = third + (3 if len(day.stays) > w.domain.max_chain_stays else 0)
            out[day.kind, around[k], stay.purpose, phase, around[k + 2]] += HALF * part
    return out


def _modes(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for day, rank, stay, part in _all_stays(p):
        if rank:
            out[w.distance(day.stays[rank - 1].zone, stay.zone), stay.mode] += part
    return out


def _anchored(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for day, part in _per_day(p):
        for nth, stay in enumerate(s for s in day.stays if s.purpose == 1):
            out[day.kind, min(nth, 1), 0 if stay.zone == p.work else 1] += part
    return out


def _distinct_zones(p: Person, w: World) -> Cells:
    zones = {stay.zone for _, _, stay, _ in _all_stays(p)}
    return _one(min(len(zones), 16) - 1) if zones else Counter()


def _place_share(p: Person, w: World) -> Cells:
    visits = Counter(stay.zone for _, _, stay, _ in _all_stays(p))
    ranked = sorted(visits.values(), reverse=True)[:5]
    return Counter({(k, min(n * 20 // visits.total(), 19)): 1 for k, n in enumerate(ranked)})


def _distinct_given_visits(p: Person, w: World) -> Cells:
    out: Cells = Counter()
    for purpose in range(1, len(w.domain.purposes)):
        zones = [stay.zone for _, _, stay, _ in _all_stays(p) if stay.purpose == purpose]
        if zones:
            out[purpose, min(len(zones), 16) - 1, min(len(set(zones)), 16) - 1] += 1
    return out


ROUTINE_TWINS: dict[str, Callable[[Person, World], Cells]] = {
    "demographics": _demographics, "home_by_group": _home_by_group, "home": _home, "work": _work, "home_work": _home_work,
    "commute_km": _commute_km, "commute_km_by_group": _commute_km_by_group, "destinations": _destinations,
    "visitors": _visitors, "distances": _distances, "trip_km": _trip_km, "od": _od, "od_hour": _od_hour, "presence": _presence, "chains": _chains, "chain_people": _chain_people,
    "stays_by_group": _stays_by_group, "stays_per_day": _stays_per_day, "participation": _participation,
    "transitions": _transitions, "modes": _modes, "anchored": _anchored, "distinct_zones": _distinct_zones,
    "place_share": _place_share, "distinct_given_visits": _distinct_given_visits,
}  # fmt: skip
