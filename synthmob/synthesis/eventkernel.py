"""The inner loop of events, in numba: when, where, of what kind. Each random number is keyed by (person, day, draw)."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthmob.compilation import compiled, inlined
from synthmob.searches import pick
from synthmob.synthesis.draws import uniform

HOUR_S, MINUTE_S = 3600, 60.0
TRIES = 8
"""So often a time is drawn anew where a zone is worth less than others; the last one is kept."""
DRAWS = 64
"""Random numbers set apart for one event: four a try (the last of the first for the kind), then those of what it is."""
OF_EVENT = 4 * TRIES
MOVING = -2
"""The site of an event that is under way or in a zone without a site: the nearest one is looked up afterwards."""
NOTHING = -1
CALL, SMS, DATA = 0, 1, 2


@compiled
def events_per_day(u: Any, group: Any, cumulative: Any, edges: Any) -> Any:
    """How many events each person has each day: `u` (persons, days), `cumulative` (groups, bands), `edges` one more than bands."""
    out = np.empty(u.shape, dtype=np.int64)
    for i in range(u.shape[0]):
        row = cumulative[group[i]]
        for day in range(u.shape[1]):
            k = pick(row, u[i, day])
            before = row[k - 1] if k > 0 else 0.0
            share = (u[i, day] * row[-1] - before) / max(row[k] - before, 1e-300)
            width = edges[k + 1] - edges[k]
            out[i, day] = edges[k] + min(int(share * width), width - 1)
    return out


@inlined
def _nearest(lon: Any, lat: Any, zone: Any, first: Any, site_lonlat: Any, shrink: Any) -> Any:
    """The nearest of a zone's own sites, MOVING where it has none."""
    best, found = np.inf, MOVING
    for site in range(first[zone], first[zone + 1]):
        x, y = (site_lonlat[site, 0] - lon) * shrink, site_lonlat[site, 1] - lat
        apart = x * x + y * y
        if apart < best:
            best, found = apart, site
    return found


@inlined
def _within(cumulative: Any, edges: Any, u: Any, v: Any) -> Any:
    """A whole number from a binned law, even in its logarithm within a bin; NOTHING where the law is empty."""
    if cumulative[-1] <= 0.0:
        return NOTHING
    k = pick(cumulative, u)
    if edges[k] < 1:
        return 0
    return min(int(edges[k] * (edges[k + 1] / edges[k]) ** v), edges[k + 1] - 1)


@compiled
def when(
    key: Any, person: Any, group: Any, count: Any, stay_first: Any, start: Any, zone: Any, kinds: Any, hours: Any, tilt: Any, ceiling: Any,
    out_person: Any, out_second: Any, out_kind: Any, out_stay: Any,
) -> None:  # fmt: skip
    """Times and kinds of all events of a block, in order of time within every person-day.

    `stay_first` (persons x days + 1,) is the first stay of every day; `kinds` (groups, kinds) and `hours` (kinds, 24) are cumulative;
    `out_stay` is the stay that lasts or has ended last. A time is drawn anew where its zone is worth less than others, the kind is not.
    """
    n_days = count.shape[1]
    at = 0
    for i in range(len(person)):
        for day in range(n_days):
            s0, s1 = stay_first[i * n_days + day], stay_first[i * n_days + day + 1]
            begin = at
            for e in range(count[i, day]):
                kind, second, stay = pick(kinds[group[i]], uniform(key, person[i], day, e * DRAWS + 3)), 0, s0
                for trial in range(TRIES):
                    draw = e * DRAWS + 4 * trial
                    second = pick(hours[kind], uniform(key, person[i], day, draw)) * HOUR_S
                    second += int(uniform(key, person[i], day, draw + 1) * HOUR_S)
                    stay = s0
                    while stay + 1 < s1 and start[stay + 1] * MINUTE_S <= second:
                        stay += 1
                    if uniform(key, person[i], day, draw + 2) * ceiling[kind] < tilt[kind, zone[stay]]:
                        break
                k = at
                while k > begin and out_second[k - 1] > second:
                    out_second[k], out_kind[k], out_stay[k] = out_second[k - 1], out_kind[k - 1], out_stay[k - 1]
                    k -= 1
                out_second[k], out_kind[k], out_stay[k] = second, kind, stay
                out_person[at] = i
                at += 1


@compiled
def what(
    key: Any, person: Any, group: Any, days: Any, day_of: Any, i_of: Any, second: Any, kind: Any, stay: Any,
    end: Any, start: Any, stay_day: Any, stay_person: Any, zone: Any, lonlat: Any, site_first: Any, site_lonlat: Any, shrink: Any,
    noise: Any, near: Any,
    directions: Any, durations: Any, duration_edges: Any, volumes: Any, apps: Any, app_volumes: Any, volume_edges: Any,
    out_site: Any, out_swap: Any, out_lonlat: Any, out_direction: Any, out_duration: Any, out_volume: Any, out_app: Any,
    out_contact: Any,
) -> None:  # fmt: skip
    """Place and content of the events that `when` drew: sites by stay, points of those under way, all else by kind.

    `out_contact` is a draw in [0, 1) for who is at the other end of a call or message, NaN for data.
    """
    served, cached, before, e = MOVING, -1, -1, 0
    for k in range(len(second)):
        i, day = i_of[k], day_of[k]
        e = e + 1 if i * days + day == before else 0
        before = i * days + day
        base = e * DRAWS + OF_EVENT
        s, minute = stay[k], second[k] / MINUTE_S
        out_lonlat[k, 0], out_lonlat[k, 1] = lonlat[s, 0], lonlat[s, 1]
        last = s + 1 >= len(end) or stay_person[s + 1] != stay_person[s] or stay_day[s + 1] != stay_day[s]
        if minute < end[s] or last:
            if cached != s:
                cached = s
                served = NOTHING
                if not np.isnan(lonlat[s, 0]):
                    served = _nearest(lonlat[s, 0], lonlat[s, 1], zone[s], site_first, site_lonlat, shrink)
            out_site[k] = served
        else:
            share = (minute - end[s]) / max(start[s + 1] - end[s], 1)
            outside = np.isnan(lonlat[s, 0]) or np.isnan(lonlat[s + 1, 0])
            if outside:
                share = 0.0 if share < 0.5 else 1.0
            for axis in range(2):
                out_lonlat[k, axis] = lonlat[s, axis] if share == 0.0 else (
                    lonlat[s + 1, axis] if share == 1.0 else lonlat[s, axis] + share * (lonlat[s + 1, axis] - lonlat[s, axis]))
            out_site[k] = NOTHING if np.isnan(out_lonlat[k, 0]) else MOVING
        swaps = uniform(key, person[i], day, base) < noise
        out_swap[k] = int(uniform(key, person[i], day, base + 1) * near) if swaps else NOTHING
        law = directions[kind[k]]
        out_direction[k] = pick(law, uniform(key, person[i], day, base + 2)) if law[-1] > 0.0 else NOTHING
        u, v = uniform(key, person[i], day, base + 3), uniform(key, person[i], day, base + 4)
        out_duration[k] = _within(durations[kind[k]], duration_edges, u, v)
        out_app[k] = NOTHING
        size = volumes[kind[k]]
        if kind[k] == DATA and apps[group[i], -1] > 0.0:
            app = pick(apps[group[i]], uniform(key, person[i], day, base + 5))
            out_app[k] = app
            size = app_volumes[app]
        u, v = uniform(key, person[i], day, base + 6), uniform(key, person[i], day, base + 7)
        out_volume[k] = _within(size, volume_edges, u, v)
        out_contact[k] = uniform(key, person[i], day, base + 8) if kind[k] == CALL or kind[k] == SMS else np.nan
