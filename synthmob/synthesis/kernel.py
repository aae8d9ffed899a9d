"""The inner loop: days of people, stay by stay, in numba. Each random number is keyed by (person, day, draw)."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthmob.compilation import compiled, inlined, prefetch, uncounted
from synthmob.counts.flows import HEADINGS
from synthmob.model.chains import HOME, WORK
from synthmob.model.commuting import CANDIDATES, NEVER
from synthmob.model.known import at_once, recalled, shared, shares
from synthmob.model.leaving import end_of, start_after
from synthmob.model.reach import row_of
from synthmob.model.timing import LEAST_LEFT
from synthmob.searches import pick_between
from synthmob.synthesis import ahead, modes
from synthmob.synthesis.draws import aliased, bits_of, keyed, mix, unit
from synthmob.synthesis.zonedraws import DRAW_ZONE, DRAWS_PER_STAY, TRIES, anywhere, around, heading_of, proposed

DAY_END = 1440
DRAW_PATCH, DRAW_SCHEDULE = 3, 7
MEMORY = 96
AHEAD = 4
"""What the person so many ahead needs is asked for, which lies anywhere in memory."""
MAX_PURPOSES = 16
FIRST, COUNT, AT, STAYS = range(4)
"""What `owned` says of a chain's schedules: the first, how many, where they begin in `schedules`, and the stays of each."""


@inlined
def _scheduled(schedule_alias: Any, kind: Any, first: Any, count: Any, u: Any) -> Any:
    """Which of a chain's schedules, from its `first` on, is drawn."""
    place = u * count
    own = int(place)
    return aliased(schedule_alias[kind, first + own], own, place - own)


@compiled
def choose_schedules(key: Any, person: Any, commute: Any, chain: Any, day_type: Any, owned: Any, schedule_alias: Any, hours: Any, pull: Any
                     ) -> Any:  # fmt: skip
    """Where in `schedules` every person-day's own begins, shape (persons, days), one of its chain's, by `days.schedule_laws`; and how many
    stays they have together.

    Who works takes one of CANDIDATES, by the `pull` (rows, moments, hours) of their row `commute` (persons,), -1 for none, at the `hours`
    (day types, schedules, moments) of each.
    """
    out, stays = np.empty(chain.shape, dtype=np.int64), 0
    candidates, weights = np.empty(CANDIDATES, dtype=np.int64), np.empty(CANDIDATES)
    for i in range(len(person)):
        own_key, row = keyed(key, person[i]), commute[i]
        for day in range(chain.shape[1]):
            kind, k, today = day_type[day], chain[i, day], mix(own_key ^ np.uint64(day))
            first, count = owned[kind, k, FIRST], owned[kind, k, COUNT]
            own = _scheduled(schedule_alias, kind, first, count, unit(today, DRAW_SCHEDULE))
            if row >= 0 and min(hours[kind, first + own, 0], hours[kind, first + own, 1]) < NEVER:
                again, total = mix(today ^ np.uint64(DRAW_SCHEDULE)), 0.0
                for n in range(CANDIDATES):
                    candidates[n] = own if n == 0 else _scheduled(schedule_alias, kind, first, count, unit(again, n))
                    going, leaving = hours[kind, first + candidates[n], 0], hours[kind, first + candidates[n], 1]
                    total += pull[row, 0, going] * pull[row, 1, leaving]
                    weights[n] = total
                own = candidates[pick_between(weights, unit(again, 0) * total, 0, CANDIDATES - 1)]
            out[i, day] = owned[kind, k, AT] + own * owned[kind, k, STAYS]
            stays += owned[kind, k, STAYS]
    return out, stays


@inlined
def _minutes(travel: Any, band: Any, mode: Any, edges: Any, u: Any) -> Any:
    """A whole number of minutes from the binned law of a band and mode, even inside a bin, by its inverse distribution."""
    n = travel.shape[2]
    target = u * travel[band, mode, n - 1]
    k = 0
    for later in range(n - 1):
        k += 1 if travel[band, mode, later] <= target else 0
    before = travel[band, mode, k - 1] if k > 0 else 0.0
    return int(edges[k] + (target - before) / (travel[band, mode, k] - before) * (edges[k + 1] - edges[k]))


@inlined
def _work_stay(works_done: Any, straight: Any, at_work: Any) -> Any:
    """Which of WORK_STAYS a stay at work is: how many came before it, whether just before, and whether at the work place."""
    return (2 if at_work else 3) if straight else min(works_done, 1)


def room(law: dict[str, Any]) -> tuple[Any, ...]:
    """What `live` needs beside its laws: the places that a person knows and how many, now and before today, and room to work in."""
    (n_purposes, n_zones), most_known = law["attraction"].shape, len(law["attraction"]) * MEMORY + 2
    memory, known = np.empty((n_purposes, MEMORY), dtype=np.int64), np.empty((2, n_purposes), dtype=np.int64)
    weights, places = np.empty(max(n_zones, most_known)), np.empty(most_known, dtype=np.int64)
    return memory, *known, weights, places, np.empty(law["mode_share"].shape[1])


@uncounted
def live(
    key: Any, person: Any, home: Any, work: Any, chain: Any, own: Any, day_type: Any,
    purposes: Any, lengths: Any, schedules: Any, duration_edges: Any, travel: Any, travel_edges: Any, mode_share: Any, habit: Any,
    work_anchor: Any, exploration: Any, sharing: Any, deterrence: Any, reach: Any, farthest: Any, affinity: Any, attraction: Any,
    bands: Any, area: Any, spot: Any, patch_first: Any, patch_zone: Any, mass: Any, code: Any, most: Any, zone_alias: Any, tied: Any,
    near: Any, memory: Any, known: Any, fresh: Any, weights: Any, places: Any, tastes: Any,
    out_purpose: Any, out_zone: Any, out_start: Any, out_end: Any, out_day: Any, out_seq: Any, out_person: Any, out_mode: Any,
) -> None:  # fmt: skip
    """Fill the stays of a block of persons, day after day: the `out_` arrays have one entry a stay, in order.

    `chain` (persons, days) indexes `purposes`/`lengths` (day types, chains, ...), `own` what `choose_schedules` gives; distributions are
    cumulative. A day's times are those of its schedule, drawn even inside their bins, long stays ending by the clock. Zones are drawn
    by `places.laws` and have its numbers here, zone z being number `spot[z]`. `travel` is (bands, modes, bins), `mode_share` (bands,
    modes); `out_mode`, -1 at the first stay of a day, has no entry at all where there is one mode that nobody asks for.

    Arrays are indexed by numbers throughout, and none is made here but in `room`: no reference is counted, which takes longer than what
    it is there for.
    """
    n_purposes, patch_bits, widest, at = attraction.shape[0], bits_of(tied.shape[2]), 0, 0
    for patch in range(tied.shape[2]):
        widest = max(widest, patch_first[patch + 1] - patch_first[patch])
    for i in range(len(person)):
        at_home, at_work = spot[home[i]], spot[work[i]] if work[i] >= 0 else -1
        own_key = keyed(key, person[i])
        for p in range(n_purposes):
            fresh[p] = 0
        if i + AHEAD < len(person):
            ahead.ask(
                key, i + AHEAD, person, home, work, chain, own, day_type, purposes, lengths, schedules, bands, spot, code, tied,
                n_purposes)
        here, purpose = at_home, HOME
        for day in range(chain.shape[1]):
            kind, k, today = day_type[day], chain[i, day], mix(own_key ^ np.uint64(day))
            n, begin = lengths[kind, k], own[i, day]
            for p in range(n_purposes):
                known[p] = fresh[p]
            slept, asleep = here, purpose
            here, clock, works_done = at_home, 0, 0
            for rank in range(n):
                base = rank * DRAWS_PER_STAY
                purpose = purposes[kind, k, rank]
                anchored = purpose == HOME
                if purpose == HOME:
                    zone = at_home
                elif rank == 0 and day > 0 and purpose == asleep:  # the night's stay goes on where it was
                    zone, anchored = slept, True
                elif purpose == WORK and at_work >= 0 and unit(today, base) < work_anchor[kind, _work_stay(
                    works_done, rank > 0 and purposes[kind, k, rank - 1] == WORK, here == at_work)]:  # fmt: skip
                    zone, anchored = at_work, True
                else:
                    heading = heading_of(purposes, kind, k, rank, n, at_work)
                    anchor = at_work if heading == 1 else at_home
                    going, left_for = (kind * n_purposes + purpose) * HEADINGS + heading, reach.shape[1] - 1
                    if rank > 0:
                        left_for = row_of(clock, purposes[kind, k, rank - 1], schedules[kind, begin + rank], rank + 1 == n, duration_edges)
                    if unit(today, base + 1) * (known[purpose] + exploration[purpose]) < known[purpose]:
                        zone = recalled(
                            deterrence, going, reach, left_for, bands, anchor, here, memory, purpose, known[purpose], weights,
                            unit(today, base + 2))
                    else:
                        stream, zone = mix(today ^ np.uint64(base + DRAW_ZONE)), -1
                        if shares(purpose, exploration[purpose]) and unit(stream, 3 * TRIES) < sharing:
                            zone = shared(
                                attraction, deterrence, going, reach, left_for, bands, at_home, at_work, anchor, here, memory, purpose,
                                known, places, weights, unit(stream, 3 * TRIES + 1))
                        if zone < 0 and anchor == here:
                            zone = around(
                                tied, going - (kind + 1) * HEADINGS, patch_bits, attraction, purpose, near, going, reach, left_for,
                                farthest, code, bands, here, patch_first, widest, weights, stream)
                        elif zone < 0:
                            zone = proposed(
                                mass, purpose, area[here], most, going, code, anchor, here, deterrence, reach, left_for, farthest,
                                bands, zone_alias, patch_first, weights, stream)
                        if zone < 0:
                            zone = anywhere(
                                attraction, purpose, affinity, area, deterrence, going, reach, left_for, bands, anchor, here,
                                weights, unit(today, base + DRAW_PATCH))
                if purpose == WORK:
                    works_done += 1
                if not anchored and fresh[purpose] < MEMORY:  # an anchor is no place to return to by chance: it has its own rate
                    memory[purpose, fresh[purpose]] = zone
                    fresh[purpose] += 1
                    if at_once(purpose, exploration[purpose]):
                        known[purpose] = fresh[purpose]
                left = n - 1 - rank
                latest = DAY_END - 1 - LEAST_LEFT * left
                start, mode = 0, -1
                if rank > 0:
                    # It is as far there as back, and what is near home has been looked at more lately.
                    band, mode = bands[zone, here] if zone == at_home else bands[here, zone], 0
                    if len(tastes) > 1:
                        if rank == 1 or purposes[kind, k, rank - 1] == HOME:
                            modes.taste(key, person[i], today, rank, habit, tastes)
                        mode = modes.first(tastes, mode_share, band)
                    trip = max(_minutes(travel, band, mode, travel_edges, unit(today, base + 4)), 1)
                    start = start_after(clock, trip, latest)
                end = DAY_END
                if left > 0:
                    end = end_of(schedules[kind, begin + rank], unit(today, base + 5), rank == 0, start, latest, duration_edges)
                out_person[at], out_day[at], out_seq[at] = person[i], day, rank
                out_purpose[at], out_zone[at], out_start[at], out_end[at] = purpose, patch_zone[zone], start, end
                if len(out_mode) > 0:
                    out_mode[at] = mode
                here, clock, at = zone, end, at + 1


@compiled
def settle(
    rank: Any, n_persons: Any, pairs: Any, guide: Any, alone: Any, bands: Any, groups: Any, group_area: Any, u: Any,
    out_home: Any, out_work: Any, out_class: Any,
) -> None:  # fmt: skip
    """Homes, works (-1 none) and classes of ranks, read off the cumulative tables of `population.Homes`; `u` is for the group.

    One loop a table: what one of them needs is asked for by the loop before.
    """
    n, total, working, parts = len(alone), pairs[-1] + alone[-1], pairs[-1], len(guide) - 1
    last, low, high = groups.shape[2] - 1, np.empty(len(rank), dtype=np.int32), np.empty(len(rank), dtype=np.int32)
    for i in range(len(rank)):
        at = (rank[i] + 0.5) / n_persons * total
        part = int(at / working * parts) if at < working else 0  # rounded, so a step is left on either side
        low[i], high[i] = guide[max(part - 1, 0)], guide[min(part + 2, parts)]
        prefetch(pairs, (low[i],))
        prefetch(pairs, (high[i],))
    for i in range(len(rank)):
        at = (rank[i] + 0.5) / n_persons * total
        if at < working:
            pair = pick_between(pairs, at, low[i], high[i])
            out_home[i] = pair // n
            out_work[i] = pair - out_home[i] * n
            prefetch(bands, (out_home[i], out_work[i]))
        else:
            out_home[i], out_work[i] = pick_between(alone, at - working, 0, n - 1), -1
    for i in range(len(rank)):
        area, group = group_area[out_home[i]], 0
        band = bands[out_home[i], out_work[i]] if out_work[i] >= 0 else groups.shape[1] - 1
        least = u[i] * groups[area, band, last]
        for k in range(last):
            group += 1 if groups[area, band, k] <= least else 0
        out_class[i] = 2 * group + (0 if out_work[i] >= 0 else 1)


@compiled
def trips(
    person: Any, day: Any, seq: Any, purpose: Any, zone: Any, start: Any, end: Any, xy_km: Any, internal_km: Any,
    out_person: Any, out_day: Any, out_seq: Any, out_origin: Any, out_destination: Any, out_depart: Any, out_arrive: Any, out_purpose: Any,
    out_km: Any, mode: Any, out_mode: Any,
) -> None:  # fmt: skip
    """The trips between the stays of a block, in order; distances between the middles of zones, NaN next to `outside`. Modes of stays
    are those of the trips to them, `out_mode` has no entry where there are none."""
    at = 0
    for k in range(len(seq)):
        if seq[k] == 0:
            continue
        a, b = zone[k - 1], zone[k]
        out_person[at], out_day[at], out_seq[at], out_purpose[at] = person[k], day[k], seq[k] - 1, purpose[k]
        out_origin[at], out_destination[at], out_depart[at], out_arrive[at] = a, b, end[k - 1], start[k]
        if a == b:
            out_km[at] = internal_km[a]
        else:
            east, north = xy_km[a, 0] - xy_km[b, 0], xy_km[a, 1] - xy_km[b, 1]
            out_km[at] = np.sqrt(east * east + north * north)
        if len(out_mode) > 0:
            out_mode[at] = mode[k]
        at += 1


@compiled
def name_places(purpose: Any, zone: Any, purpose_of: Any) -> Any:
    """The number of the place of every stay, its zone and purpose as one; `purpose` becomes what it is called, by `purpose_of`."""
    out = np.empty(len(zone), dtype=np.int64)
    for row in range(len(zone)):
        purpose[row] = purpose_of[purpose[row]]
        out[row] = zone[row] * MAX_PURPOSES + purpose[row]
    return out


@compiled
def points(key: Any, person: Any, place: Any, zone: Any, corners: Any, first: Any, cumulative: Any, inward: Any) -> Any:
    """A point in the zone of every row, the same for the same (person, place): shape (rows, 2), an axis after the other in memory; NaN for
    `outside`."""
    out = np.empty((2, len(zone)))
    home, own_key = -1, np.uint64(0)
    for row in range(len(zone)):
        if row == 0 or person[row] != person[row - 1]:
            home, own_key = -1, keyed(key, person[row])
        if home >= 0 and place[row] == place[home]:  # most stays are at home, and every day begins there
            out[0, row], out[1, row] = out[0, home], out[1, home]
            continue
        if home < 0:
            home = row
        if zone[row] >= len(first) - 1:
            out[0, row], out[1, row] = np.nan, np.nan
            continue
        begin, end = first[zone[row]], first[zone[row] + 1]
        here = mix(own_key ^ np.uint64(place[row]))
        t = pick_between(cumulative, unit(here, 0) * cumulative[end - 1], begin, end - 1)
        a, b = unit(here, 1), unit(here, 2)
        if a + b > 1.0:
            a, b = 1.0 - a, 1.0 - b
        a, b = a + inward * (1.0 / 3.0 - a), b + inward * (1.0 / 3.0 - b)
        for axis in range(2):
            out[axis, row] = (corners[t, 0, axis] * (1.0 - a - b) + corners[t, 1, axis] * a + corners[t, 2, axis] * b)
    return out.T
