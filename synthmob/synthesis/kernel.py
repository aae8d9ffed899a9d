"""The inner loop: days of people, stay by stay, in numba. Each random number is keyed by (person, day, draw)."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from synthmob.counts.flows import HEADINGS
from synthmob.model.timing import BY_CLOCK
from synthmob.searches import pick, pick_between, pick_zone
from synthmob.synthesis import modes
from synthmob.synthesis.draws import guided, mix, today_of, unit

DAY_END = 1440
LEAST_LEFT = 12
"""Minutes kept for every stay still to come, travel included: the least room that a day's end leaves them."""
DRAWS_PER_STAY = 8
DRAW_PATCH, DRAW_ZONE = 3, 6
TRIES = 64
"""So often a zone is proposed; after that every zone is looked at, which is the same law."""
MEMORY = 96
HOME, WORK = 0, 1
MAX_PURPOSES = 16


@nb.njit(cache=True)
def aliases(weights: Any, first: Any) -> Any:
    """Walker's tables of the zones of every patch: `weights` (purposes, zones in order of patches), `first` (patches + 1,).

    A place in the patch is kept with the share that is returned first, else the place that is returned second is taken.
    """
    share, other = np.ones(weights.shape), np.empty(weights.shape, dtype=np.int32)
    for purpose in range(weights.shape[0]):
        for patch in range(len(first) - 1):
            begin, end = first[patch], first[patch + 1]
            total = weights[purpose, begin:end].sum()
            scaled = np.ones(end - begin)
            small, large, n_small, n_large = np.empty(end - begin, np.int64), np.empty(end - begin, np.int64), 0, 0
            for k in range(end - begin):
                other[purpose, begin + k] = begin + k
                if total > 0.0:
                    scaled[k] = weights[purpose, begin + k] / total * (end - begin)
                if scaled[k] < 1.0:
                    small[n_small] = k
                    n_small += 1
                else:
                    large[n_large] = k
                    n_large += 1
            while n_small and n_large:
                n_small -= 1
                poor, rich = small[n_small], large[n_large - 1]
                share[purpose, begin + poor], other[purpose, begin + poor] = scaled[poor], begin + rich
                scaled[rich] -= 1.0 - scaled[poor]
                if scaled[rich] < 1.0:
                    n_large -= 1
                    small[n_small] = rich
                    n_small += 1
    return share, other


@nb.njit(cache=True)
def tied_weights(attraction: Any, affinity: Any, district: Any, deterrence: Any, bands: Any, first: Any, zone: Any) -> Any:
    """Cumulative weights of patches where the place before is the one that the day is tied to: (rows of deterrence, zones, patches)."""
    out = np.empty((deterrence.shape[0], len(bands), len(first) - 1), dtype=np.float32)
    for kind in range(deterrence.shape[0]):
        purpose = kind // HEADINGS % attraction.shape[0]
        for here in range(len(bands)):
            total = 0.0
            for patch in range(len(first) - 1):
                for k in range(first[patch], first[patch + 1]):
                    z, band = zone[k], bands[here, zone[k]]
                    total += attraction[purpose, z] * affinity[district[here], district[z]] * deterrence[kind, band, band]
                out[kind, here, patch] = total
    return out


@nb.njit(inline="always")
def _proposed(
    mass: Any, most: Any, code_anchor: Any, code_here: Any, deterrence: Any, from_anchor: Any, from_here: Any, share: Any, other: Any,
    first: Any, zones: Any, weights: Any, stream: Any,
) -> Any:  # fmt: skip
    """A zone with probability proportional to attraction x deterrence, by proposals; -1 where none of them was kept."""
    total, n_patches = 0.0, len(mass)
    for patch in range(n_patches):
        total += mass[patch] * most[code_anchor[patch], code_here[patch]]
        weights[patch] = total
    for trial in range(TRIES):
        patch = pick(weights[:n_patches], unit(stream, 3 * trial))
        place = unit(stream, 3 * trial + 1) * (first[patch + 1] - first[patch])
        k = first[patch] + int(place)
        if place - int(place) >= share[k]:
            k = other[k]
        kept = deterrence[from_anchor[zones[k]], from_here[zones[k]]]
        if unit(stream, 3 * trial + 2) * most[code_anchor[patch], code_here[patch]] < kept:
            return zones[k]
    return -1


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
    schedules: Any, schedule_cumulative: Any, schedule_guide: Any, schedule_first: Any, schedule_at: Any, duration_edges: Any,
    travel: Any, travel_edges: Any, mode_share: Any, habit: Any, attraction: Any, deterrence: Any, bands: Any, district: Any,
    work_anchor: Any, exploration: Any, patch_first: Any, patch_zone: Any, mass: Any, code: Any, most: Any, alias_share: Any,
    alias_other: Any, tied: Any,
    out_purpose: Any, out_zone: Any, out_start: Any, out_end: Any, out_day: Any, out_seq: Any, out_person: Any, out_mode: Any,
) -> None:
    """Fill the stays of a block of persons, day after day: the `out_` arrays have one entry a stay, in order.

    `attraction` is (purposes, districts of the stay before, zones). `chain` (persons, days) indexes `purposes`/`lengths`
    (day types, chains, ...); distributions are cumulative. A day's times are those of one schedule of its chain, drawn even
    inside their bins, long stays ending by the clock; those of chain c are `schedule_first[c]` on, and begin at `schedule_at[c]` of
    `schedules`, a bin a stay. Zones are drawn by `places.laws`. `travel` is (bands, modes, bins), `mode_share` (bands, modes); `out_mode`,
    -1 at the first stay of a day, has no entry at all where there is one mode that nobody asks for.
    """
    n_purposes = attraction.shape[0]
    memory = np.empty((MAX_PURPOSES, MEMORY), dtype=np.int64)
    known = np.zeros(MAX_PURPOSES, dtype=np.int64)
    fresh = np.zeros(MAX_PURPOSES, dtype=np.int64)
    weights, everywhere = np.empty(max(attraction.shape[2], MEMORY)), np.arange(attraction.shape[2])
    alike, tastes = np.ones(attraction.shape[2]), np.empty(mode_share.shape[1])
    at = 0
    for i in range(len(person)):
        known[:] = 0
        here, purpose = home[i], HOME
        for day in range(chain.shape[1]):
            kind, k, today = day_type[day], chain[i, day], today_of(key, person[i], day)
            n = lengths[kind, k]
            fresh[:n_purposes] = known[:n_purposes]
            slept, asleep = here, purpose
            here, clock, works_done = home[i], 0, 0
            own, own_end = schedule_first[kind, k], schedule_first[kind, k + 1]
            own += guided(schedule_cumulative[kind, own:own_end], schedule_guide[kind, own:own_end], unit(today, 7))
            own = schedule_at[kind, k] + (own - schedule_first[kind, k]) * n
            for rank in range(n):
                base = rank * DRAWS_PER_STAY
                purpose = purposes[kind, k, rank]
                at_anchor = purpose == HOME
                if purpose == HOME:
                    zone = home[i]
                elif rank == 0 and day > 0 and purpose == asleep:  # the night's stay goes on where it was
                    zone, at_anchor = slept, True
                elif purpose == WORK and work[i] >= 0 and (
                    unit(today, base) < work_anchor[kind, min(works_done, 1)]):
                    zone, at_anchor = work[i], True
                else:
                    to_work = rank + 1 < n and purposes[kind, k, rank + 1] == WORK and work[i] >= 0
                    anchor = work[i] if to_work else home[i]
                    going = (kind * n_purposes + purpose) * HEADINGS + (1 if to_work else 0)
                    pull, push = attraction[purpose, district[here]], deterrence[going]
                    zone = -1
                    if unit(today, base + 1) * (known[purpose] + exploration[purpose]) < known[purpose]:
                        # Every visit speaks for its place: those that lie handy today are the likelier.
                        places = memory[purpose, : known[purpose]]
                        zone = pick_zone(alike, push, bands[anchor], bands[here], places, weights, unit(today, base + 2))
                    elif anchor == here:
                        patch = pick(tied[going, here], unit(today, base + DRAW_PATCH))
                        inside = patch_zone[patch_first[patch] : patch_first[patch + 1]]
                        zone = pick_zone(pull, push, bands[here], bands[here], inside, weights, unit(today, base + DRAW_ZONE))
                    else:
                        zone = _proposed(
                            mass[purpose, district[here]], most[going], code[anchor], code[here], push, bands[anchor], bands[here],
                            alias_share[purpose], alias_other[purpose], patch_first, patch_zone, weights,
                            mix(today ^ np.uint64(base + DRAW_ZONE)))
                        if zone < 0:
                            zone = pick_zone(
                                pull, push, bands[anchor], bands[here], everywhere, weights, unit(today, base + DRAW_PATCH))
                if purpose == WORK:
                    works_done += 1
                if not at_anchor and fresh[purpose] < MEMORY:  # an anchor is no place to return to by chance: it has its own rate
                    memory[purpose, fresh[purpose]] = zone
                    fresh[purpose] += 1
                left = n - 1 - rank
                start, mode = 0, -1
                if rank > 0:
                    band, mode = bands[here, zone], 0
                    if len(tastes) > 1:
                        if rank == 1 or purposes[kind, k, rank - 1] == HOME:
                            modes.taste(key, person[i], today, rank, habit, tastes)
                        mode = modes.first(tastes, mode_share[band])
                    trip = max(_minutes(travel[band, mode], travel_edges, unit(today, base + 4)), 1)
                    start = max(min(clock + trip, DAY_END - 1 - LEAST_LEFT * left), clock + 1)
                if left == 0:
                    end = DAY_END
                elif rank == 0:
                    end = int(15 * (schedules[kind, own] + unit(today, base + 5)))
                    end = max(min(end, DAY_END - 1 - LEAST_LEFT * left), 1)
                elif schedules[kind, own + rank] >= BY_CLOCK:
                    end = int(15 * (schedules[kind, own + rank] - BY_CLOCK + unit(today, base + 5)))
                    end = max(min(max(end, start + LEAST_LEFT), DAY_END - 1 - LEAST_LEFT * left), start + 1)
                else:
                    first = duration_edges[schedules[kind, own + rank]]
                    wide = duration_edges[schedules[kind, own + rank] + 1] - first
                    end = start + max(int(first + wide * unit(today, base + 5)), 1)
                    end = max(min(end, DAY_END - 1 - LEAST_LEFT * left), start + 1)
                out_person[at], out_day[at], out_seq[at] = person[i], day, rank
                out_purpose[at], out_zone[at], out_start[at], out_end[at] = purpose, zone, start, end
                if len(out_mode) > 0:
                    out_mode[at] = mode
                here, clock, at = zone, end, at + 1
            known[:n_purposes] = fresh[:n_purposes]


@nb.njit(cache=True, nogil=True)
def settle(
    rank: Any, n_persons: Any, pairs: Any, row_ends: Any, alone: Any, bands: Any, groups: Any, group_area: Any, u: Any,
    out_home: Any, out_work: Any, out_class: Any,
) -> None:  # fmt: skip
    """Homes, works (-1 none) and classes of ranks, read off the cumulative tables of `population.Homes`; `u` is for the group."""
    n, total = len(alone), pairs[-1] + alone[-1]
    for i in range(len(rank)):
        at = (rank[i] + 0.5) / n_persons * total
        works = at < pairs[-1]
        if works:
            home = pick_between(row_ends, at, 0, n - 1)
            work = pick_between(pairs[home * n : (home + 1) * n], at, 0, n - 1)
            band = bands[home, work]
        else:
            home, work, band = pick_between(alone, at - pairs[-1], 0, n - 1), -1, groups.shape[1] - 1
        chance, group = groups[group_area[home], band], 0
        least = u[i] * chance[-1]
        while group < len(chance) - 1 and chance[group] <= least:
            group += 1
        out_home[i], out_work[i], out_class[i] = home, work, 2 * group + (0 if works else 1)


@nb.njit(cache=True, nogil=True)
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


@nb.njit(cache=True, nogil=True)
def points(key: Any, person: Any, place: Any, zone: Any, corners: Any, first: Any, cumulative: Any, inward: Any) -> Any:
    """A point in the zone of every row, the same for the same (person, place): shape (rows, 2); NaN for `outside`."""
    out = np.empty((len(zone), 2))
    home = -1
    for row in range(len(zone)):
        if row > 0 and person[row] != person[row - 1]:
            home = -1
        if home >= 0 and place[row] == place[home]:  # most stays are at home, and every day begins there
            out[row, 0], out[row, 1] = out[home, 0], out[home, 1]
            continue
        if home < 0:
            home = row
        if zone[row] >= len(first) - 1:
            out[row, 0], out[row, 1] = np.nan, np.nan
            continue
        begin, end = first[zone[row]], first[zone[row] + 1]
        here = today_of(key, person[row], place[row])
        t = begin + pick(cumulative[begin:end], unit(here, 0))
        a, b = unit(here, 1), unit(here, 2)
        if a + b > 1.0:
            a, b = 1.0 - a, 1.0 - b
        a, b = a + inward * (1.0 / 3.0 - a), b + inward * (1.0 / 3.0 - b)
        for axis in range(2):
            out[row, axis] = (corners[t, 0, axis] * (1.0 - a - b) + corners[t, 1, axis] * a + corners[t, 2, axis] * b)
    return out
