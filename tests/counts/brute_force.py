"""What the twins of all statistics share: one person in codes, in plain Python, from the rows of PERSONS and STAYS.

Nothing here is shared with `synthmob.counts` but public axes: codes are looked up as labels, weights are exact fractions.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from strategies import Population, Row

from synthmob.domain import DIRECTIONS, KINDS, UNKNOWN, Domain
from synthmob.period import Period
from synthmob.zones import Zoning

NOBODY = -1
HALF = Fraction(1, 2)
Cells = Mapping[tuple[int, ...], Fraction]
Sums = defaultdict[tuple[int, ...], Fraction]


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
class Event:
    """An event in codes, on a day of the period; `zone` n_zones is outside."""

    day: int
    hour: int
    kind: int
    direction: int
    app: int
    zone: int
    duration_s: float | None
    volume_kb: float | None


@dataclass(frozen=True)
class Person:
    """A person in codes; `home` n_zones + 1 is unknown, `work` is -1 for who is no worker."""

    group: tuple[int, int, int]
    home: int
    work: int
    days: tuple[Day, ...]
    events: tuple[Event, ...] = ()


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

    def segment(self, person: Person, purpose: int) -> int:
        """The code of a purpose where education of people under 18 is apart."""
        age = self.domain.age_band[person.group[1]]
        young = "age_band" in self.domain.attributes and "-" in age and int(age.split("-")[1]) < 18
        return len(self.domain.purposes) if young and self.domain.purposes[purpose] == "education" else purpose

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
    events: dict[int, list[Event]] = {row["person_id"]: [] for row in population.persons}
    for row in population.events:
        if 0 <= row["at_s"] < period.days * 86_400:
            events[row["person_id"]].append(Event(
                row["at_s"] // 86_400, row["at_s"] % 86_400 // 3600, _code(row["kind"], KINDS), _code(row["direction"], DIRECTIONS),
                _code(row["app"], domain.apps), zone(row["zone_id"]), row["duration_s"], row["volume_kb"]))  # fmt: skip
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
            zone(row["work_zone"]) if works else NOBODY, tuple(of_person), tuple(events[row["person_id"]]))  # fmt: skip
    return found


def per_day(person: Person) -> Iterator[tuple[Day, Fraction]]:
    """Each day with its part in the average over the person's own days of that type."""
    kinds = Counter(day.kind for day in person.days)
    for day in person.days:
        yield day, Fraction(1, kinds[day.kind])


def all_stays(person: Person) -> Iterator[tuple[Day, int, Stay, Fraction]]:
    """Each stay with its place in its day and its part in the average over all of the person's days."""
    for day in person.days:
        for rank, stay in enumerate(day.stays):
            yield day, rank, stay, Fraction(1, len(person.days))


def one(*cell: int) -> Cells:
    return {cell: Fraction(1)}


def chain_of(day: Day, w: World, most: int) -> int | None:
    return w.domain.chain_axis.encode([s.purpose for s in day.stays]) if len(day.stays) <= most else None
