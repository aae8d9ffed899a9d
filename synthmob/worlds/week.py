"""How a week comes out of its agendas: where a place is, how long the way takes, what gives when time is short.

The clock runs on through midnight, so night shifts and late evenings come out as they are; stays are cut at midnight
only when they are written. One day before the period is lived and thrown away.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from synthmob.worlds import agenda as a
from synthmob.worlds import habits as h
from synthmob.worlds import places as at
from synthmob.worlds.compiled import Draws, begin, compiled, exponential, uniform
from synthmob.worlds.geography import NOWHERE, RASTER_KM
from synthmob.worlds.parameters import Rates
from synthmob.worlds.rows import OUT_DAY, OUT_END, OUT_PERSON, OUT_PURPOSE, OUT_SEQ, OUT_START, OUT_ZONE
from synthmob.zones import FloatArray, IntArray

DAY = 1440
ROWS_PER_DAY = 56
SINCE, READY, PURPOSE = range(3)
_FAR_KM = (1.1, 1.0, 1.3, 3.5, 4.5)
_DRAWN_BY = (at.SERVICES, at.OFFICES, at.SERVICES, at.SHOPS, at.LEISURE, at.SERVICES)


@compiled
def minutes_between(
    rates: Rates, habit: FloatArray, x: float, y: float, to_x: float, to_y: float, clock: float
) -> float:
    """Minutes of a trip, at least 1: on foot when near, else by one's usual means, slower at peak times."""
    km = rates.detour * math.sqrt((x - to_x) ** 2 + (y - to_y) ** 2)
    if km < habit[h.WALK_KM]:
        return max(1.0, 12.6 * km)
    hour = (clock % DAY) / 60.0
    peak = 7.3 < hour < 9.4 or 16.4 < hour < 18.7
    if habit[h.MEANS] == h.CAR:
        speed = rates.car_kmh * (0.58 + 0.55 * (1.0 - math.exp(-km / 9.0))) * (0.76 if peak else 1.0)
        return 3.0 + 60.0 * km / speed
    if habit[h.MEANS] == h.BICYCLE and km < 20.0:
        return 2.0 + 60.0 * km / 14.5
    speed = rates.transit_kmh * (0.52 + 0.75 * (1.0 - math.exp(-km / 10.0)))
    if km > 35.0:
        return 35.0 + 60.0 * km / 70.0
    return (8.0 if peak else 10.5) + 60.0 * km / speed


@compiled
def zone_at(raster: npt.NDArray[np.int32], corner: FloatArray, x: float, y: float) -> int:
    """The zone of a point, -1 outside: `City.zone_at` of one point."""
    i, j = math.floor((x - corner[0]) / RASTER_KM), math.floor((y - corner[1]) / RASTER_KM)
    if i < 0 or j < 0 or i >= raster.shape[0] or j >= raster.shape[1]:
        return NOWHERE
    return int(raster[i, j])


@compiled
def find(
    place: int,
    purpose: int,
    now: FloatArray,
    home: FloatArray,
    work: FloatArray,
    land: tuple[npt.NDArray[np.int32], FloatArray, FloatArray],
    draws: Draws,
    found: FloatArray,
) -> None:
    """Write x, y and zone of a new place into `found`: the best of four around here, home, the way, or town."""
    if place == a.OUT_OF_TOWN:
        angle, far = 2 * math.pi * uniform(draws), 45.0 + 40.0 * uniform(draws)
        found[0], found[1], found[2] = far * math.cos(angle), far * math.sin(angle), NOWHERE
        return
    raster, corner, attraction = land
    x, y = now[0], now[1]
    share = 0.3 + 0.6 * uniform(draws) if place == a.ON_THE_WAY else 0.0
    if place == a.AROUND_HOME or now[2] == NOWHERE:
        x, y = home[0], home[1]
    elif place == a.ANOTHER_SITE:
        x, y = work[0], work[1]
    elif place == a.IN_TOWN:
        share = 0.5 * uniform(draws)
        x, y = x * (1 - share), y * (1 - share)
    else:
        x, y = x + share * (home[0] - x), y + share * (home[1] - y)
    far, best = _FAR_KM[place - a.HERE], -1.0
    found[0], found[1], found[2] = x, y, zone_at(raster, corner, x, y)
    for _ in range(4):
        angle, radius = 2 * math.pi * uniform(draws), far * exponential(draws)
        to_x, to_y = x + radius * math.cos(angle), y + radius * math.sin(angle)
        zone, taste = zone_at(raster, corner, to_x, to_y), 0.2 + uniform(draws)
        if zone != NOWHERE and math.sqrt(attraction[_DRAWN_BY[purpose], zone]) * taste > best:
            best = math.sqrt(attraction[_DRAWN_BY[purpose], zone]) * taste
            found[0], found[1], found[2] = to_x, to_y, zone


@compiled
def write(out: IntArray, rows: IntArray, person: int, days: int, purpose: int, zone: int, start: int, end: int) -> None:
    """Write a stay, cut at midnight, leaving out what lies before or after the period.

    `rows` holds the stays written for each day and, last, those written to `out` in all.
    """
    for day in range(max(start, 0) // DAY, min((max(end, 1) - 1) // DAY + 1, days)):
        first, last = max(start, day * DAY), min(end, (day + 1) * DAY)
        if last > first:
            n = rows[days]
            out[n, OUT_PERSON], out[n, OUT_DAY], out[n, OUT_SEQ] = person, day, rows[day]
            out[n, OUT_PURPOSE], out[n, OUT_ZONE] = purpose, zone
            out[n, OUT_START], out[n, OUT_END] = first - day * DAY, last - day * DAY
            rows[day] += 1
            rows[days] += 1


@compiled
def leave_at(ready: float, minutes: int, draws: Draws) -> int:
    """When a trip starts: nobody is under way at midnight, those who would be wait for it to pass."""
    depart = int(ready)
    if depart // DAY != (depart + minutes) // DAY or depart % DAY == 0:
        depart = (depart if depart % DAY == 0 else (depart // DAY + 1) * DAY) + 1 + int(9 * uniform(draws))
    return depart


@compiled
def copy(source: FloatArray, target: FloatArray) -> None:
    """Copy x, y and zone: a plain loop compiles faster than numpy's slices."""
    for k in range(3):
        target[k] = source[k]


@compiled
def go(
    out: IntArray,
    rows: IntArray,
    person: int,
    days: int,
    now: FloatArray,
    state: FloatArray,
    target: FloatArray,
    purpose: float,
    ready: float,
    trip: float,
    draws: Draws,
) -> None:
    """End the stay that lasts, travel, begin the next one; `state` is since when, ready when, purpose of a stay."""
    minutes = max(1, math.ceil(trip * (0.94 + 0.08 * exponential(draws))))
    depart = leave_at(max(ready, state[SINCE] + 1), minutes, draws)
    write(out, rows, person, days, int(state[PURPOSE]), int(now[2]), int(state[SINCE]), depart)
    copy(target, now)
    state[SINCE], state[READY], state[PURPOSE] = depart + minutes, depart + minutes, purpose


@compiled
def latest_end(
    agenda: FloatArray, row: int, own: FloatArray, rates: Rates, habit: FloatArray, target: FloatArray
) -> float:
    """When one must leave a place for the next obligation, minutes."""
    for later in range(row + 1, int(agenda[a.ROWS, 0])):
        if agenda[later, a.FIRM] > 0 and agenda[later, a.PLACE] < a.HERE:
            there, when = own[int(agenda[later, a.PLACE])], agenda[later, a.BEGIN]
            return when - minutes_between(rates, habit, target[0], target[1], there[0], there[1], when)
    return 1e9


@compiled
def live(
    out: IntArray,
    rows: IntArray,
    person: int,
    days: int,
    agenda: FloatArray,
    rates: Rates,
    habit: FloatArray,
    own: FloatArray,
    land: tuple[npt.NDArray[np.int32], FloatArray, FloatArray],
    now: FloatArray,
    state: FloatArray,
    target: FloatArray,
    draws: Draws,
) -> None:
    """Do what the agenda says as far as time allows, go home in between when that pays, and at the end."""
    home = own[at.HOME]
    for k in range(int(agenda[a.ROWS, 0])):
        when, length, place = agenda[k, a.BEGIN], agenda[k, a.MINUTES], int(agenda[k, a.PLACE])
        firm = agenda[k, a.FIRM] > 0
        if place < a.HERE:
            copy(own[place], target)
        else:
            find(place, int(agenda[k, a.PURPOSE]), now, home, own[at.WORK], land, draws, target)
        back = minutes_between(rates, habit, now[0], now[1], home[0], home[1], state[READY])
        forth = minutes_between(rates, habit, home[0], home[1], target[0], target[1], when)
        trip = minutes_between(rates, habit, now[0], now[1], target[0], target[1], when)
        leave = max(state[READY], when - trip)
        arrive = leave + trip
        until = min(when + length if firm else arrive + length, latest_end(agenda, k, own, rates, habit, target))
        if (not firm and arrive > when + 55) or until - arrive < max(4.0, 0.3 * length):
            continue
        if state[PURPOSE] != a.HOME and when - state[READY] > back + forth + 35:
            go(out, rows, person, days, now, state, home, 0.0, state[READY], back, draws)
            leave, trip = max(state[READY] + 8, when - forth), forth
        go(out, rows, person, days, now, state, target, agenda[k, a.PURPOSE], leave, trip, draws)
        state[READY] = max(until, state[SINCE] + 3)
    if state[PURPOSE] != a.HOME:
        back = minutes_between(rates, habit, now[0], now[1], home[0], home[1], state[READY])
        go(out, rows, person, days, now, state, home, 0.0, state[READY], back, draws)
        state[READY] = state[SINCE] + (330 if state[SINCE] % DAY < 600 else 6)


@compiled
def weeks(
    out: IntArray,
    key: np.uint64,
    first: int,
    days: int,
    weekday: int,
    rates: Rates,
    habits: FloatArray,
    own: FloatArray,
    about: IntArray,
    land: tuple[npt.NDArray[np.int32], FloatArray, FloatArray],
) -> int:
    """The stays of persons first, first + 1, ... written to `out`; returns how many, or -1 where `out` is too short.

    `habits`, `own` (x, y, zone of the 17 places) and `about` (role, age, has work, moving) hold these persons only;
    `weekday` is that of day 0, Monday 0; `land` is the city's raster, its corner and what attracts.
    """
    draws, agenda = np.zeros(2, dtype=np.uint64), np.zeros((a.ROWS + 1, 5))
    now, target, state, rows = np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(days + 1, dtype=np.int64)
    for i in range(len(about)):
        if rows[days] + (days + 1) * ROWS_PER_DAY > len(out):
            return -1
        copy(own[i, at.HOME], now)
        state[SINCE], state[READY], state[PURPOSE] = -DAY, -DAY, a.HOME
        for day in range(days):
            rows[day] = 0
        sick = False
        for day in range(-1, days):
            begin(draws, key, first + i, day + 1)
            sick = uniform(draws) < (rates.still_sick if sick else rates.sick)
            leave, away = uniform(draws) < rates.leave, uniform(draws) < rates.away
            today = (weekday + day + 7) % 7
            agenda[a.ROWS, 0] = 0.0
            if away and today >= 4:
                a.add(
                    agenda,
                    DAY * day + 560.0 + 240 * uniform(draws),
                    1500 + 700 * uniform(draws),
                    a.LEISURE,
                    at.RELATIVE,
                    False,
                )
            elif not sick:
                a.plan(agenda, rates, habits[i], about[i], leave, first + i, day, today, draws)
            live(out, rows, first + i, days, agenda, rates, habits[i], own[i], land, now, state, target, draws)
        write(out, rows, first + i, days, int(state[PURPOSE]), int(now[2]), int(state[SINCE]), days * DAY)
    return rows[days]
