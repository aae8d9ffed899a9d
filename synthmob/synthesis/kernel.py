"""The inner loop: days of people, stay by stay, in numba. Each random number is keyed by (person, day, draw)."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

DAY_END = 1440
LEAST_LEFT = 12
"""Minutes kept for every stay still to come, travel included: the least room that a day's end leaves them."""
DRAWS_PER_STAY = 8
MEMORY = 96
HOME, WORK = 0, 1
MAX_PURPOSES = 16

GAMMA, MIX_1, MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S30, S27, S31, S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
TO_UNIT = 2.0**-53


@nb.njit(inline="always")
def _mix(z: Any) -> Any:
    z = z + GAMMA
    z = (z ^ (z >> S30)) * MIX_1
    z = (z ^ (z >> S27)) * MIX_2
    return z ^ (z >> S31)


@nb.njit(inline="always")
def uniform(key: Any, person: Any, day: Any, draw: Any) -> Any:
    """The same number as seeds.uniforms gives, a scalar."""
    state = _mix(np.uint64(key) ^ np.uint64(person))
    state = _mix(state ^ np.uint64(day))
    return float(_mix(state ^ np.uint64(draw)) >> S11) * TO_UNIT


@nb.njit(inline="always")
def pick(cumulative: Any, u: Any) -> Any:
    """The first index whose cumulative weight exceeds u times the total."""
    target, low, high = u * cumulative[-1], 0, len(cumulative) - 1
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] > target:
            high = middle
        else:
            low = middle + 1
    return low


@nb.njit(cache=True, nogil=True)
def choose_chains(u: Any, klass: Any, day_type: Any, cumulative: Any) -> Any:
    """The chain of every person-day: `u` (persons, days), `day_type` (days,), `cumulative` (day types, classes, chains)."""
    out = np.empty(u.shape, dtype=np.int64)
    for person in range(u.shape[0]):
        for day in range(u.shape[1]):
            out[person, day] = pick(cumulative[day_type[day], klass[person]], u[person, day])
    return out


@nb.njit(inline="always")
def _zone(attraction: Any, deterrence: Any, from_anchor: Any, from_here: Any, weights: Any, u: Any) -> Any:
    """A zone with probability proportional to attraction x deterrence, `outside` last."""
    total = 0.0
    for zone in range(len(attraction)):
        total += attraction[zone] * deterrence[from_anchor[zone], from_here[zone]]
        weights[zone] = total
    return pick(weights, u)


@nb.njit(inline="always")
def _minutes(cumulative: Any, edges: Any, u: Any) -> Any:
    """A whole number of minutes from a binned law, even inside a bin, by its inverse distribution."""
    k = pick(cumulative, u)
    before = cumulative[k - 1] if k > 0 else 0.0
    share = (u * cumulative[-1] - before) / (cumulative[k] - before)
    return int(edges[k] + share * (edges[k + 1] - edges[k]))


@nb.njit(cache=True, nogil=True)
def live(
    key: Any, person: Any, home: Any, work: Any, chain: Any, day_type: Any, purposes: Any, lengths: Any,
    schedules: Any, schedule_cumulative: Any, schedule_first: Any, duration_edges: Any,
    travel: Any, travel_edges: Any, attraction: Any, deterrence: Any, bands: Any, district: Any, work_anchor: Any,
    exploration: Any,
    out_purpose: Any, out_zone: Any, out_start: Any, out_end: Any, out_day: Any, out_seq: Any, out_person: Any,
) -> None:
    """Fill the stays of a block of persons, day after day: the `out_` arrays have one entry a stay, in order.

    `attraction` is (purposes, districts of the stay before, zones). `chain` (persons, days) indexes `purposes`/`lengths`
    (day types, chains, ...); distributions are cumulative. A day's times are those of one schedule of its chain, drawn even
    inside their bins; the rows of chain c are `schedule_first[c]` on.
    """
    n_purposes = attraction.shape[0]
    memory = np.empty((MAX_PURPOSES, MEMORY), dtype=np.int64)
    known = np.zeros(MAX_PURPOSES, dtype=np.int64)
    fresh = np.zeros(MAX_PURPOSES, dtype=np.int64)
    weights = np.empty(attraction.shape[2])
    at = 0
    for i in range(len(person)):
        known[:] = 0
        for day in range(chain.shape[1]):
            kind, k = day_type[day], chain[i, day]
            n = lengths[kind, k]
            fresh[:n_purposes] = known[:n_purposes]
            here, clock, works_done = home[i], 0, 0
            own = schedule_first[kind, k]
            own += pick(schedule_cumulative[kind, own : schedule_first[kind, k + 1]], uniform(key, person[i], day, 7))
            for rank in range(n):
                base = rank * DRAWS_PER_STAY
                purpose = purposes[kind, k, rank]
                at_anchor = purpose == HOME
                if purpose == HOME:
                    zone = home[i]
                elif purpose == WORK and work[i] >= 0 and (
                    uniform(key, person[i], day, base) < work_anchor[kind, min(works_done, 1)]):
                    zone, at_anchor = work[i], True
                elif known[purpose] > 0 and uniform(key, person[i], day, base + 1) * (
                    known[purpose] + exploration[purpose]) < known[purpose]:
                    zone = memory[purpose, int(uniform(key, person[i], day, base + 2) * known[purpose])]
                else:
                    to_work = rank + 1 < n and purposes[kind, k, rank + 1] == WORK and work[i] >= 0
                    anchor = work[i] if to_work else home[i]
                    zone = _zone(attraction[purpose, district[here]], deterrence[purpose], bands[anchor], bands[here], weights,
                                 uniform(key, person[i], day, base + 3))
                if purpose == WORK:
                    works_done += 1
                if not at_anchor and fresh[purpose] < MEMORY:  # an anchor is no place to return to by chance: it has its own rate
                    memory[purpose, fresh[purpose]] = zone
                    fresh[purpose] += 1
                left = n - 1 - rank
                start = 0
                if rank > 0:
                    row = travel[bands[here, zone]]
                    trip = max(_minutes(row, travel_edges, uniform(key, person[i], day, base + 4)), 1)
                    start = max(min(clock + trip, DAY_END - 1 - LEAST_LEFT * left), clock + 1)
                if left == 0:
                    end = DAY_END
                elif rank == 0:
                    end = int(15 * (schedules[kind, own, 0] + uniform(key, person[i], day, base + 5)))
                    end = max(min(end, DAY_END - 1 - LEAST_LEFT * left), 1)
                else:
                    first = duration_edges[schedules[kind, own, rank]]
                    wide = duration_edges[schedules[kind, own, rank] + 1] - first
                    end = start + max(int(first + wide * uniform(key, person[i], day, base + 5)), 1)
                    end = max(min(end, DAY_END - 1 - LEAST_LEFT * left), start + 1)
                out_person[at], out_day[at], out_seq[at] = person[i], day, rank
                out_purpose[at], out_zone[at], out_start[at], out_end[at] = purpose, zone, start, end
                here, clock, at = zone, end, at + 1
            known[:n_purposes] = fresh[:n_purposes]


@nb.njit(cache=True, nogil=True)
def points(key: Any, person: Any, place: Any, zone: Any, corners: Any, first: Any, cumulative: Any, inward: Any) -> Any:
    """A point in the zone of every row, the same for the same (person, place): shape (rows, 2); NaN for `outside`."""
    out = np.empty((len(zone), 2))
    for row in range(len(zone)):
        if zone[row] >= len(first) - 1:
            out[row, 0], out[row, 1] = np.nan, np.nan
            continue
        begin, end = first[zone[row]], first[zone[row] + 1]
        t = begin + pick(cumulative[begin:end], uniform(key, person[row], place[row], 0))
        a, b = uniform(key, person[row], place[row], 1), uniform(key, person[row], place[row], 2)
        if a + b > 1.0:
            a, b = 1.0 - a, 1.0 - b
        a, b = a + inward * (1.0 / 3.0 - a), b + inward * (1.0 / 3.0 - b)
        for axis in range(2):
            out[row, axis] = (corners[t, 0, axis] * (1.0 - a - b) + corners[t, 1, axis] * a + corners[t, 2, axis] * b)
    return out
