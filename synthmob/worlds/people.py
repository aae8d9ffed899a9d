"""The made-up operator's customers: households, their members, and what each of them does on a working day.

Children under eight have no phone: they are not subscribers, but somebody brings them to school.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.domain import AGE_BAND
from synthmob.worlds.geography import City
from synthmob.worlds.parameters import WorldParameters
from synthmob.zones import FloatArray, IntArray

ROLES = ("pupil", "student", "full time", "part time", "shifts", "retired", "no job")
PUPIL, STUDENT, FULL, PART, SHIFTS, RETIRED, NO_JOB = range(7)
WORKING = (FULL, PART, SHIFTS)
FEMALE, MALE, OTHER_SEX = range(3)
LEAST_AGE_WITH_PHONE = 8
AGE_STARTS = (0, 16, 25, 35, 45, 55, 65)

# Household types: the ages that the adults are drawn from, how many adults, and how many children at most.
_ADULT_AGES = ((19, 39), (40, 64), (65, 92), (20, 38), (28, 52), (26, 50), (48, 66), (63, 90), (19, 34))
_ADULTS = (1, 1, 1, 2, 2, 1, 2, 2, 3)
_CHILDREN = (0, 0, 0, 0, 3, 2, 1, 0, 0)
_SHARED_FLAT, _OLDER_COUPLE = 8, 6
_FAMILY = (4, 5)
_YOUNG_TASTE = np.array([0.9, 0.4, 0.0, 0.8, -0.3, 0.0, -0.2, -0.3, 1.2])
_MEMBERS = 6

# Shares of pupil, student, full time, part time, shifts, retired, no job by the age that each row starts at.
_ROLE_AGES = (0, 16, 18, 25, 35, 50, 65, 72)
_ROLE_SHARES = np.array(
    [
        [1.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00],
        [0.90, 0.00, 0.02, 0.03, 0.01, 0.00, 0.04],
        [0.00, 0.38, 0.33, 0.11, 0.08, 0.00, 0.10],
        [0.00, 0.05, 0.66, 0.09, 0.11, 0.00, 0.09],
        [0.00, 0.01, 0.65, 0.11, 0.11, 0.00, 0.12],
        [0.00, 0.00, 0.56, 0.13, 0.10, 0.05, 0.16],
        [0.00, 0.00, 0.12, 0.12, 0.03, 0.68, 0.05],
        [0.00, 0.00, 0.01, 0.04, 0.00, 0.95, 0.00],
    ]
)


@dataclass(frozen=True)
class People:
    """n subscribers, arrays of shape (n,), household after household.

    `age` is in years, -1 where the operator has none; `sector` is -1 for those without a job; `escorts` says that a
    small child of the household goes to school; `wealth` is the log of the household's income against the mean.
    """

    household: IntArray
    sex: IntArray
    age: IntArray
    role: IntArray
    sector: IntArray
    escorts: npt.NDArray[np.bool_]
    wealth: FloatArray
    home: IntArray
    home_km: FloatArray

    @property
    def n(self) -> int:
        """How many subscribers there are."""
        return len(self.sex)

    @property
    def works(self) -> npt.NDArray[np.bool_]:
        """Who has a job."""
        return np.isin(self.role, WORKING)

    def age_bands(self, seed: int) -> list[str]:
        """The public age band of everybody as the operator knows it: a few ages are missing."""
        bands = np.searchsorted(AGE_STARTS, self.age, side="right") - 1
        lost = seeds.uniforms(seeds.stage_key(seed, "world.missing"), np.arange(self.n)) < 0.006
        return [AGE_BAND[b] for b in np.where(lost, len(AGE_BAND) - 1, bands)]


def build(parameters: WorldParameters, city: City, seed: int, n_subscribers: int) -> People:
    """Households drawn one after the other until their members with a phone are enough; the last one may be cut."""
    key = seeds.stage_key(seed, "world.households")
    houses = np.arange(n_subscribers)
    shares = np.cumsum(parameters.household_shares) / sum(parameters.household_shares)
    kind = np.minimum(np.searchsorted(shares, seeds.uniforms(key, houses), side="right"), len(shares) - 1)
    ages, child = _ages(key, houses, kind)
    small = (ages >= 4) & (ages <= 10)
    member_house, member_slot = np.nonzero(ages >= LEAST_AGE_WITH_PHONE)
    member_house, member_slot = member_house[:n_subscribers], member_slot[:n_subscribers]
    age = ages[member_house, member_slot]
    sex = _sexes(key, member_house, member_slot, kind)
    is_child = child[member_house, member_slot]
    parent = ~is_child & np.isin(kind[member_house], _FAMILY)
    role = _roles(key, np.arange(len(age)), age, sex, parent)
    wealth = _wealth(key, houses, kind)
    home, home_km = _homes(city, seed, kind, wealth)
    return People(
        household=member_house,
        sex=sex,
        age=age,
        role=role,
        sector=_sectors(parameters, key, role, sex),
        escorts=np.asarray(small.any(axis=1))[member_house] & parent,
        wealth=wealth[member_house],
        home=home[member_house],
        home_km=home_km[member_house],
    )


def _ages(key: np.uint64, houses: IntArray, kind: IntArray) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Ages of up to six members of each household, -1 for an empty place, and which of them are children."""
    slots = np.arange(_MEMBERS)
    u = seeds.uniforms(key, houses[:, None], 1, slots)
    low, high = np.array(_ADULT_AGES)[kind].T
    first = low + np.floor(u[:, 0] * (high - low + 1)).astype(np.int64)
    adults = np.array(_ADULTS)[kind] + ((kind == _SHARED_FLAT) & (seeds.uniforms(key, houses, 2) < 0.35))
    age = np.clip(first[:, None] + np.round((u - 0.5) * 9).astype(np.int64), low[:, None], high[:, None] + 3)
    age[:, 0] = first
    n_children = np.floor(seeds.uniforms(key, houses, 3) ** 1.3 * (np.array(_CHILDREN)[kind] + 0.999)).astype(np.int64)
    n_children = np.where(np.isin(kind, _FAMILY), np.maximum(n_children, 1), n_children)
    child = (slots >= adults[:, None]) & (slots < (adults + n_children)[:, None])
    oldest = np.where(kind == _OLDER_COUPLE, 27, np.clip(first - 21, 2, 19))
    youngest = np.where(kind == _OLDER_COUPLE, 17, 0)
    of_child = youngest[:, None] + np.floor(u * (oldest - youngest + 1)[:, None]).astype(np.int64)
    age = np.where(child, of_child, age)
    return np.where(slots < (adults + n_children)[:, None], age, -1), child


def _sexes(key: np.uint64, house: IntArray, slot: IntArray, kind: IntArray) -> IntArray:
    """Second adults of couples are mostly of the other sex; a few people are recorded as other."""
    u = seeds.uniforms(key, house, 4, slot)
    first = (seeds.uniforms(key, house, 4, 0) < 0.5).astype(np.int64)
    free = (u < 0.49).astype(np.int64)
    partner = (slot == 1) & (np.array(_ADULTS)[kind[house]] == 2)
    opposite = seeds.uniforms(key, house, 5, slot) < 0.95
    sex = np.where(slot == 0, first, np.where(partner & opposite, 1 - first, free))
    return np.where(seeds.uniforms(key, house, 6, slot) < 0.004, OTHER_SEX, sex)


def _roles(key: np.uint64, person: IntArray, age: IntArray, sex: IntArray, parent: npt.NDArray[np.bool_]) -> IntArray:
    """What people do, by age; mothers and, less often, other women work part time in place of full time."""
    shares = np.cumsum(_ROLE_SHARES, axis=1)[np.searchsorted(_ROLE_AGES, age, side="right") - 1]
    role = (seeds.uniforms(key, person, 7)[:, None] >= shares[:, :-1]).sum(axis=1)
    less = np.where(parent, 0.42, 0.17) * (sex == FEMALE) + 0.03 * (sex != FEMALE)
    role = np.where((role == FULL) & (seeds.uniforms(key, person, 8) < less), PART, role)
    home_maker = parent & (sex == FEMALE) & (role == FULL) & (seeds.uniforms(key, person, 9) < 0.12)
    return np.where(home_maker, NO_JOB, role).astype(np.int64)


def _sectors(parameters: WorldParameters, key: np.uint64, role: IntArray, sex: IntArray) -> IntArray:
    """Where people work: shifts are in industry, services and public jobs, seldom in an office."""
    tables = np.array([parameters.sector_shares_women, parameters.sector_shares_men, parameters.sector_shares_men])
    shares = tables[sex] * np.where((role == SHIFTS)[:, None], [0.1, 1.4, 1.2, 1.2], 1.0)
    steps = np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)
    sector = (seeds.uniforms(key, np.arange(len(role)), 10)[:, None] >= steps[:, :-1]).sum(axis=1)
    return np.where(np.isin(role, WORKING), sector, -1)


def _wealth(key: np.uint64, houses: IntArray, kind: IntArray) -> FloatArray:
    """Log income from three uniform numbers (nearly normal), less for the young and the old."""
    spread = seeds.uniforms(key, houses[:, None], 11, np.arange(3)).sum(axis=1) - 1.5
    return 0.9 * spread + np.array([-0.3, 0.2, -0.3, 0.2, 0.3, -0.3, 0.2, 0.0, -0.1])[kind]


def _homes(
    city: City, seed: int, kind: IntArray, wealth: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Each household sees some dwellings and takes the one that suits its purse and its age best."""
    key, houses, seen = seeds.stage_key(seed, "world.homes"), np.arange(len(kind)), np.arange(6)
    steps = np.cumsum(city.homes) / city.homes.sum()
    zones = np.searchsorted(steps, seeds.uniforms(key, houses[:, None], 0, seen), side="right")
    zones = np.minimum(zones, len(steps) - 1)
    luck = -np.log(-np.log(np.clip(seeds.uniforms(key, houses[:, None], 1, seen), 1e-12, 1 - 1e-12)))
    suits = 2.2 * _YOUNG_TASTE[kind][:, None] * city.centrality[zones] - 1.1 * np.abs(
        city.wealth[zones] - wealth[:, None]
    )
    home = zones[houses, np.argmax(suits + luck, axis=1)]
    u = seeds.uniforms(key, houses[:, None], 2, np.arange(2))
    return home.astype(np.int64), city.points_in(home, u[:, 0], u[:, 1])
