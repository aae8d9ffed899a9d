"""What makes a person recognisable from day to day: preferred times, fixed weekdays, tastes, means of travel."""

from __future__ import annotations

import numpy as np

from synthmob import seeds
from synthmob.worlds.geography import City
from synthmob.worlds.parameters import WorldParameters
from synthmob.worlds.people import FEMALE, FULL, PART, PUPIL, RETIRED, SHIFTS, STUDENT, People
from synthmob.zones import FloatArray, IntArray

(
    START,
    LENGTH,
    LUNCH_OUT,
    SOCIAL,
    ACTIVE,
    SHOP_DAY,
    GYM_DAYS,
    GYM_EARLY,
    CLUB_DAY,
    HOME_DAYS,
    WORK_DAYS,
    MEANS,
    WALK_KM,
    WORSHIPS,
    SHIFT,
    FIXED_SHIFT,
    RISE,
    EXPLORES,
    ESCORT_DAYS,
    YOUTH,
) = range(20)
N_HABITS = 20
CAR, TRANSIT, BICYCLE = range(3)
NEVER = 9.0


def build(parameters: WorldParameters, city: City, people: People, seed: int) -> FloatArray:
    """The habits of everybody, shape (n, 20); sets of weekdays are bit masks, Monday is bit 0."""
    key, who = seeds.stage_key(seed, "world.habits"), np.arange(people.n)
    u = seeds.uniforms(key, who[:, None], 0, np.arange(40))
    rates, role = parameters.rates, people.role
    out = np.zeros((people.n, N_HABITS))
    bell = (u[:, 0] + u[:, 1] + u[:, 2] - 1.5) * 2.0
    late = 110.0 * ((role == PART) & (u[:, 3] < 0.4)) + 45.0 * ((people.sector == 2) & (u[:, 3] > 0.6))
    late -= 45.0 * (people.sector == 1)
    out[:, START] = rates.start_min + rates.start_spread_min * bell + late
    out[:, LENGTH] = np.where(role == PART, rates.part_day_min, rates.full_day_min) + 38.0 * (u[:, 4] + u[:, 5] - 1) * 2
    out[:, LUNCH_OUT] = rates.lunch_out * 2 * u[:, 6]
    young = np.clip((48 - people.age) / 30.0, 0.0, 1.0) * (people.age >= 16)
    out[:, SOCIAL] = (0.35 + 0.9 * u[:, 7] - 0.35 * np.log(np.maximum(1 - u[:, 8], 1e-9))) * (0.75 + 0.6 * young)
    out[:, ACTIVE] = 0.45 + 0.75 * u[:, 9] + 0.12 * (people.sex == FEMALE) - 0.25 * (people.age > 78)
    out[:, SHOP_DAY] = np.where(u[:, 10] < parameters.rates.weekly_shop, _shopping_day(u[:, 11]), NEVER)
    out[:, GYM_DAYS] = np.where(u[:, 12] < rates.gym * (0.55 + 0.7 * young), _days(u[:, 13:20], 0.33), 0)
    out[:, GYM_EARLY] = u[:, 20] < 0.3
    out[:, CLUB_DAY] = np.where(u[:, 21] < rates.club * 1.3, np.floor(u[:, 22] * 7), NEVER)
    out[:, WORK_DAYS] = _work_days(people, u[:, 23:30])
    works_home = (people.sector == 0) & (role != SHIFTS) & (u[:, 30] < parameters.home_working)
    out[:, HOME_DAYS] = np.where(works_home, _days(np.roll(u[:, 13:20], 3, axis=1), 0.42), 0)
    out[:, MEANS] = _means(people, city, u[:, 31])
    out[:, WALK_KM] = 0.7 + 0.9 * u[:, 32]
    out[:, WORSHIPS] = u[:, 33] < rates.worship * (0.6 + 0.012 * people.age)
    out[:, SHIFT] = np.floor(u[:, 34] * 3)
    out[:, FIXED_SHIFT] = u[:, 35] < 0.45
    out[:, RISE] = np.where(role == RETIRED, 555.0, 600.0) + 80.0 * (u[:, 36] + u[:, 37] - 1) + 60.0 * young
    out[:, EXPLORES] = rates.explore * 2 * u[:, 38]
    out[:, ESCORT_DAYS] = _escort_days(key, people)
    out[:, YOUTH] = np.where(role == PUPIL, 0.0, young)
    return out


def _shopping_day(u: FloatArray) -> FloatArray:
    """Half of the weekly shops are on Saturday or Sunday."""
    return np.searchsorted(np.array([0.09, 0.18, 0.28, 0.39, 0.53, 0.80]), u, side="right").astype(float)


def _days(u: FloatArray, share: float) -> IntArray:
    """A set of weekdays, each with the given chance."""
    return ((u < share) * (1 << np.arange(7))).sum(axis=1)


def _work_days(people: People, u: FloatArray) -> IntArray:
    """Offices keep Monday to Friday; shops and shifts give two other days off; part time is two to four days."""
    week = np.full(people.n, 0b0011111)
    off = np.floor(u[:, 0] * 7).astype(np.int64)
    second = (off + 1 + np.floor(u[:, 1] * 2).astype(np.int64)) % 7
    turns = 0b1111111 & ~((1 << off) | (1 << second))
    share_on_turns = np.select([people.sector == 2, people.sector == 3], [0.6, 0.15], 0.0)
    days = np.where((people.role == SHIFTS) | (u[:, 2] < share_on_turns), turns, week)
    part = (people.role == PART) & (u[:, 3] < 0.75)
    rank = np.argsort(np.argsort(np.where((days[:, None] >> np.arange(7)) & 1, u, 2.0), axis=1), axis=1)
    chosen = _days(rank.astype(np.float64), 3)
    classes = _days(u, 0.72) & 0b0011111
    return np.where(people.role == STUDENT, classes, np.where(part, days & chosen, days))


def _means(people: People, city: City, u: FloatArray) -> IntArray:
    """Cars are for the suburbs and the better off, bicycles for few; nobody under 17 drives, a parent drives them."""
    centrality = city.centrality[people.home]
    car = 0.62 - 0.75 * centrality + 0.12 * people.wealth - 0.2 * (people.age < 25) + 0.1 * people.escorts
    car = np.clip(car, 0.04, 0.9) - 0.08 * (people.role == FULL)
    return np.where(u < car, CAR, np.where(u > 0.95 - 0.04 * centrality, BICYCLE, TRANSIT)).astype(np.int64)


def _escort_days(key: np.uint64, people: People) -> IntArray:
    """Two parents share the school runs of a week, a lone parent does them all."""
    together = people.household[1:] == people.household[:-1]
    first = np.append(True, ~together | ~people.escorts[:-1])
    alone = people.escorts & first & ~np.append(together & people.escorts[1:], False)
    mine = _days(seeds.uniforms(key, people.household[:, None], 1, np.arange(7)), 0.6)
    days = np.where(alone, 0b0011111, np.where(first, mine, ~mine) & 0b0011111)
    return np.where(people.escorts, days, 0)
