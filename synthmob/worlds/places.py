"""The places that belong to a person: the job found among vacancies, the school, and favourites kept for years.

Nothing here is a gravity law: people compare the few options that they happened to see and take the best for them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.worlds.geography import NOWHERE, City
from synthmob.worlds.parameters import WorldParameters
from synthmob.worlds.people import FULL, PUPIL, STUDENT, People
from synthmob.zones import FloatArray, IntArray

(
    HOME,
    WORK,
    SCHOOL,
    CHILD_SCHOOL,
    CORNER,
    SUPERMARKET,
    MALL,
    GYM,
    PUB,
    CLUB,
    FRIEND,
    FRIEND_2,
    RELATIVE,
    LUNCH,
    SURGERY,
    PARK,
    WORSHIP,
) = range(17)
N_PLACES = 17
SHOPS, LEISURE, SERVICES, OFFICES = range(4)
_MINUTES_PER_KM, _MINUTES_TO_START = 2.9, 9.0
_OUTSIDE_KM = 75.0

# A favourite: its slot, what draws people there, the typical distance in km, and the slot that it is looked for around.
_FAVOURITES = (
    (CORNER, SHOPS, 0.55, HOME),
    (SUPERMARKET, SHOPS, 1.8, HOME),
    (MALL, SHOPS, 6.5, HOME),
    (GYM, LEISURE, 1.7, HOME),
    (PUB, LEISURE, 1.2, HOME),
    (CLUB, SERVICES, 3.0, HOME),
    (LUNCH, LEISURE, 0.5, WORK),
    (SURGERY, SERVICES, 1.3, HOME),
    (PARK, SERVICES, 1.4, HOME),
    (WORSHIP, SERVICES, 2.4, HOME),
    (CHILD_SCHOOL, SERVICES, 0.8, HOME),
)


@dataclass(frozen=True)
class Places:
    """`zone` (n, 17) is -1 outside the city, `xy_km` (n, 17, 2); a person who lacks a place has its home there.

    `has_work` says who has a workplace away from home, `moving` whose work goes from site to site.
    """

    zone: npt.NDArray[np.int32]
    xy_km: FloatArray
    has_work: npt.NDArray[np.bool_]
    moving: npt.NDArray[np.bool_]


def build(parameters: WorldParameters, city: City, people: People, seed: int) -> Places:
    """Every place of every person."""
    xy = np.repeat(people.home_km[:, None, :], N_PLACES, axis=1)
    zone = np.repeat(people.home[:, None], N_PLACES, axis=1).astype(np.int64)
    key, who = seeds.stage_key(seed, "world.places"), np.arange(people.n)
    at_home = (seeds.uniforms(key, who, 0) < parameters.from_home) & (people.role == FULL)
    has_work = people.works & ~at_home
    moving = has_work & (seeds.uniforms(key, who, 1) < parameters.moving_job * 2) & np.isin(people.sector, (1, 3))
    _find_jobs(parameters, city, people, seed, np.flatnonzero(has_work), zone, xy)
    _find_schools(city, people, seed, zone, xy)
    for slot, drawn_by, far_km, around in _FAVOURITES:
        zone[:, slot], xy[:, slot] = _favourite(city, key, slot, xy[:, around], far_km, city.attraction[drawn_by])
    for slot, n_known, close_km in ((FRIEND, 9, 4.0), (FRIEND_2, 4, 6.0), (RELATIVE, 3, 12.0)):
        friend = _closest_known(people, key, slot, n_known, close_km)
        zone[:, slot], xy[:, slot] = people.home[friend], people.home_km[friend]
    far = seeds.uniforms(key, who, 2) < parameters.relative_outside
    angle = 2 * np.pi * seeds.uniforms(key, who, 3)[far]
    zone[far, RELATIVE] = NOWHERE
    xy[far, RELATIVE] = city.xy_km.mean(axis=0) + _OUTSIDE_KM * np.column_stack([np.cos(angle), np.sin(angle)])
    return Places(zone.astype(np.int32), xy, has_work, moving)


def _find_jobs(
    parameters: WorldParameters,
    city: City,
    people: People,
    seed: int,
    workers: IntArray,
    zone: IntArray,
    xy: FloatArray,
) -> None:
    """Workers of each sector apply for vacancies until all have one; a vacancy takes the luckiest of its applicants."""
    key = seeds.stage_key(seed, "world.jobs")
    for sector in range(len(city.jobs)):
        mine = workers[people.sector[workers] == sector]
        open_zone = _vacancies(
            key, sector, city.jobs[sector], int(np.ceil(len(mine) * parameters.vacancies_per_worker))
        )
        numbers = np.arange(len(open_zone))
        u = seeds.uniforms(key, numbers[:, None], 10 + sector, np.arange(3))
        place = city.points_in(open_zone, u[:, 0], u[:, 1])
        pay = 1.6 * u[:, 2] + 1.0 * city.centrality[open_zone]
        for round_ in range(200):
            if not len(mine):
                break
            taken = _apply(
                parameters, key, 100 * (sector + 1) + round_, mine, people.home_km[mine], numbers, place, pay
            )
            got, job = mine[taken >= 0], taken[taken >= 0]
            zone[got, 1], xy[got, 1] = open_zone[job], place[job]
            mine, numbers = mine[taken < 0], np.setdiff1d(numbers, job)


def _vacancies(key: np.uint64, sector: int, weights: FloatArray, n: int) -> IntArray:
    """The zone of each of n jobs: as many in every zone as its weight says, to rounding."""
    steps = np.cumsum(weights) / weights.sum()
    start = seeds.uniforms(key, sector)
    return np.minimum(np.searchsorted(steps, (np.arange(n) + start) / max(n, 1), side="right"), len(steps) - 1)


def _apply(
    parameters: WorldParameters,
    key: np.uint64,
    stage: int,
    who: IntArray,
    home: FloatArray,
    numbers: IntArray,
    place: FloatArray,
    pay: FloatArray,
) -> IntArray:
    """One round: the job that each worker gets, -1 where others were luckier, shape (workers,)."""
    seen = np.arange(parameters.vacancies_seen)
    u = seeds.uniforms(key, who[:, None], stage, seen)
    job = numbers[np.minimum((u * len(numbers)).astype(np.int64), len(numbers) - 1)]
    minutes = _MINUTES_TO_START + _MINUTES_PER_KM * np.sqrt(((home[:, None, :] - place[job]) ** 2).sum(axis=2))
    ambition = 0.4 + 1.6 * seeds.uniforms(key, who, 1)
    patience = 0.5 + 1.1 * seeds.uniforms(key, who, 2)
    luck = -np.log(-np.log(np.clip(seeds.uniforms(key, who[:, None], stage, seen + 50), 1e-12, 1 - 1e-12)))
    worth = ambition[:, None] * pay[job] - parameters.time_weight_per_min * minutes / patience[:, None] + 0.35 * luck
    wanted = job[np.arange(len(who)), np.argmax(worth, axis=1)]
    order = np.lexsort((seeds.bits(key, who, stage, 99), wanted))
    first = np.append(True, wanted[order][1:] != wanted[order][:-1])
    out = np.full(len(who), -1, dtype=np.int64)
    out[order[first]] = wanted[order[first]]
    return out


def _find_schools(city: City, people: People, seed: int, zone: IntArray, xy: FloatArray) -> None:
    """Pupils go to one of the schools around the home, students to the campus that suits them and is not too far."""
    key = seeds.stage_key(seed, "world.schools")
    pupils = np.flatnonzero(people.role == PUPIL)
    far_km = np.where(people.age[pupils] < 11, 0.7, 1.7)
    zone[pupils, SCHOOL], xy[pupils, SCHOOL] = _favourite(
        city, key, SCHOOL, people.home_km[pupils], far_km, city.attraction[SERVICES], who=pupils
    )
    students = np.flatnonzero(people.role == STUDENT)
    apart = np.sqrt(((people.home_km[students][:, None, :] - city.xy_km[city.campuses]) ** 2).sum(axis=2))
    luck = -np.log(np.clip(seeds.uniforms(key, students[:, None], 1, np.arange(len(city.campuses))), 1e-12, 1.0))
    campus = city.campuses[np.argmin(luck * np.exp(apart / 9.0), axis=1)]
    zone[students, SCHOOL], xy[students, SCHOOL] = campus, city.xy_km[campus]


def _favourite(
    city: City,
    key: np.uint64,
    slot: int,
    around: FloatArray,
    far_km: float | FloatArray,
    attraction: FloatArray,
    who: IntArray | None = None,
) -> tuple[IntArray, FloatArray]:
    """The most attractive of the six places that a person came across around a point: zones and positions."""
    people = np.arange(len(around)) if who is None else who
    u = seeds.uniforms(key, people[:, None], 10 + slot, np.arange(18))
    radius = -np.log(1 - u[:, :6]) * np.broadcast_to(far_km, len(around))[:, None]
    angle = 2 * np.pi * u[:, 6:12]
    points = around[:, None, :] + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2)
    zones = city.zone_at(points)
    pull = np.where(zones == NOWHERE, -np.inf, np.sqrt(attraction[zones]) * (0.3 + u[:, 12:]))
    pull[:, 0] = np.where(np.isneginf(pull).all(axis=1), 0.0, pull[:, 0])
    best = np.argmax(pull, axis=1)
    rows = np.arange(len(people))
    none = zones[rows, best] == NOWHERE
    points[none, best[none]] = around[none]
    return city.zone_at(points[rows, best]), points[rows, best]


def _closest_known(people: People, key: np.uint64, slot: int, n_known: int, close_km: float) -> IntArray:
    """Of the people that one happened to meet, the one who lives handiest: a person's number each."""
    who, met = np.arange(people.n), np.arange(n_known)
    known = (seeds.uniforms(key, who[:, None], 40 + slot, met) * people.n).astype(np.int64)
    apart = np.sqrt(((people.home_km[known] - people.home_km[:, None, :]) ** 2).sum(axis=2))
    luck = -np.log(np.clip(seeds.uniforms(key, who[:, None], 60 + slot, met), 1e-12, 1.0))
    return known[who, np.argmin(luck * np.exp(apart / close_km), axis=1)]
