"""The kernel once more, in plain Python written from its description: slow, one person at a time, to the same bit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from synthmob import seeds
from synthmob.model.timing import BY_CLOCK

DAY, ROOM = 1440, 12
PLACES_KEPT = 96
Law = dict[str, Any]


def uniform(key: int, person: int, day: int, draw: int) -> float:
    return float(seeds.uniforms(np.uint64(key), person, day, draw))


def evenly(stream: int, first: int, n: int) -> list[float]:
    """So many even numbers of a stream, from its `first` on."""
    return [float(seeds.mix(np.uint64(stream ^ k)) >> np.uint64(11)) * 2.0**-53 for k in range(first, first + n)]


def pick(cumulative: Sequence[float], u: float) -> int:
    """The first index whose running sum is above u times the whole; the last one where there is none."""
    above = (k for k, c in enumerate(cumulative) if c > u * cumulative[-1])
    return next(above, len(cumulative) - 1)


def minutes(cumulative: Sequence[float], edges: Sequence[int], u: float, most: int) -> int:
    """Minutes from a binned law of which only what lies below `most` counts."""
    bins = list(zip(edges[:-1], edges[1:], [0.0, *cumulative[:-1]], cumulative, strict=True))
    below = [c if high <= most else b + (c - b) * (most - low) / (high - low) for low, high, b, c in bins if low < most]
    if below[-1] <= cumulative[-1] * 1e-9:
        return int(u * most)
    wanted = u * below[-1]
    low, high, b, c = next(bin_ for bin_ in bins if bin_[3] > wanted)
    return min(int(low + (wanted - b) / (c - b) * (high - low)), most - 1)


def aliased(words: Sequence[int], u: float) -> int:
    """One of some entries, each with a word: the share of it that is kept, in steps of 2^-32, above the entry that has the rest."""
    place = u * len(words)
    share, other = divmod(int(words[int(place)]), 2**32)
    return int(place) if int((place - int(place)) * 2**32) < share else other


def lengthened(words: Sequence[int]) -> list[int]:
    """Words of 32 bits as words of 64: as many bits as it takes name the entry that has the rest."""
    steps = 2 ** max((len(words) - 1).bit_length(), 1)
    return [(word // steps * steps << 32) + word % steps for word in map(int, words)]


def shares(words: Sequence[int]) -> Any:
    """The chance of every entry to be drawn by such words."""
    found = np.zeros(len(words))
    for k, word in enumerate(words):
        kept, other = divmod(int(word), 2**32)
        found[k] += kept / 2**32
        found[other] += 1 - kept / 2**32
    return found / len(words)


def live(key: int, person: int, home: int, work: int, commute: int, chains: Sequence[int], day_types: Sequence[int], law: Law) -> list[Any]:
    """(person, day, seq, purpose, zone, start, end, mode) of every stay of a person, mode -1 where a day begins; between, zones have their
    numbers in `places`."""
    home, work = law["spot"][home], law["spot"][work] if work >= 0 else -1
    tour: list[float] = []
    night: tuple[int, int] = (0, home)  # what the last day ended with, and where
    visited: dict[int, list[int]] = {p: [] for p in range(len(law["attraction"]))}
    out: list[Any] = []
    for day, (kind, chain) in enumerate(zip(day_types, chains, strict=True)):
        known = {p: len(v) for p, v in visited.items()}  # what was new today is known from tomorrow on
        purposes = law["purposes"][kind][chain][: law["lengths"][kind][chain]]
        here, clock, at_work = home, 0, 0
        begin, length = law["owned"][kind][chain][2:]
        begin += length * scheduled(key, person, day, kind, chain, commute, law)
        schedule = law["schedules"][kind][begin : begin + length]
        for rank, purpose in enumerate(purposes):
            u = [uniform(key, person, day, 8 * rank + k) for k in range(8)]
            to_come = len(purposes) - 1 - rank
            n = known[purpose]
            straight = rank > 0 and purposes[rank - 1] == 1
            nth = (2 if here == work else 3) if straight else 0 if at_work == 0 else 1
            at_own = purpose == 1 and work >= 0 and u[0] < law["work_anchor"][kind][nth]
            asleep = rank == 0 and day > 0 and purpose == night[0]
            if purpose == 0 or asleep or at_own:
                zone = home if purpose == 0 else night[1] if asleep else work
            else:
                heading = 2 if rank in (0, len(purposes) - 1) else int(purposes[rank + 1] == 1 and work >= 0)
                ahead = work if heading == 1 else home
                going = 3 * (kind * len(law["attraction"]) + purpose) + heading
                stream = int(seeds.bits(np.uint64(key), person, day, 8 * rank + 6))
                left = left_for(clock, purposes[rank - 1], schedule[rank], to_come, law["duration_edges"]) if rank else -1
                pull, pull_at_most = law["reach"][purpose][left], law["farthest"][purpose][left]
                if n > 0 and u[1] * (n + law["exploration"][purpose]) < n:
                    far = [(law["bands"][ahead][z], law["bands"][here][z]) for z in visited[purpose][:n]]
                    handy = [law["deterrence"][going][a][b] * pull[b] for a, b in far]
                    zone = visited[purpose][pick(list(accumulate(handy)), u[2])]
                else:
                    shared, own = {p: v[: known[p]] for p, v in visited.items()}, [home, work] if work >= 0 else [home]
                    zone = elsewhere(purpose, going, ahead, here, own, shared, stream, pull, law)
                    if zone is None:
                        zone = somewhere(purpose, kind, going, ahead, here, u[3], stream, pull, pull_at_most, law)
            at_work += purpose == 1
            if not (purpose == 0 or asleep or at_own) and len(visited[purpose]) < PLACES_KEPT:
                visited[purpose].append(zone)
                if purpose >= 2 and law["exploration"][purpose] < 0.3:  # pupils are back at school after lunch
                    known[purpose] = len(visited[purpose])
            start, mode = 0, -1
            if rank > 0:
                band = law["bands"][here][zone]
                if rank == 1 or purposes[rank - 1] == 0:
                    tour = tastes(key, person, day, rank, law["habit"], len(law["mode_share"][band]))
                mode = min((k for k, share in enumerate(law["mode_share"][band]) if share > 0),
                           key=lambda k: tour[k] / law["mode_share"][band][k])
                trip = max(minutes(law["travel"][band][mode], law["travel_edges"], u[4], 1000), 1)
                start = max(min(clock + trip, DAY - 1 - ROOM * to_come), clock + 1)
            end = DAY if to_come == 0 else leaving(schedule, rank, start, to_come, u[5], law["duration_edges"])
            out.append((person, day, rank, purpose, law["patch_zone"][zone], start, end, mode))
            here, clock = zone, end
        night = (purpose, here)
    return out


def scheduled(key: int, person: int, day: int, kind: int, chain: int, commute: int, law: Law) -> int:
    """Which of a chain's schedules: the first of four that are drawn, or one by how well their hours suit the work place and the way."""
    first, count = law["owned"][kind][chain][:2]
    stream = int(seeds.bits(np.uint64(key), person, day, 7))
    which, *others = evenly(stream, 0, 4)
    drawn = [aliased(law["schedule_alias"][kind][first : first + count], u) for u in (uniform(key, person, day, 7), *others)]
    if commute < 0 or law["hours"][kind][first + drawn[0]] == [24, 24]:
        return drawn[0]
    pulls = [law["pull"][commute][0][going] * law["pull"][commute][1][leaving]
             for going, leaving in (law["hours"][kind][first + k] for k in drawn)]  # fmt: skip
    return drawn[pick(list(accumulate(pulls)), which)]


def tastes(key: int, person: int, day: int, rank: int, habit: float, modes: int) -> list[float]:
    """An exponential time for each mode, of the tour that begins with stay `rank` or of the person's habit."""
    stream = int(seeds.bits(np.uint64(key), person, day, (1 << 20) + rank))
    drawn = evenly(stream, 0, 1 + modes)
    if drawn[0] < habit:
        drawn[1:] = [uniform(key, person, 1 << 40, 1 + k) for k in range(modes)]
    return [-math.log1p(-u) for u in drawn[1:]]


def left_for(clock: int, before: int, entry: int, to_come: int, edges: Sequence[int]) -> int:
    """The row of reach of a stay: the part of the day when people leave for it, how long it will be until they go on, and from where."""
    part = sum(clock >= 60 * hour for hour in range(9, 22, 2))
    if to_come == 0 or entry >= BY_CLOCK:
        away = DAY - clock if to_come == 0 else 15 * (entry - BY_CLOCK) + 7 - clock
        span = 2 + sum(away >= edge for edge in (60, 90, 105, 120, 150, 180))
    else:
        span = int(edges[entry] >= 45)
    return (9 * part + span) * 3 + min(int(before), 2)


def elsewhere(purpose: int, going: int, ahead: int, here: int, own: list[int], known: Any, stream: int, pull: Any, law: Law) -> int | None:
    """One of the places known for other errands, or the zones of their `own`, of home and work; None where people look for one that they do
    not know, as they do for what they hardly go anywhere new for."""
    w = evenly(stream, 192, 2)
    if purpose < 2 or law["exploration"][purpose] < 0.3 or w[0] >= law["sharing"]:
        return None
    zones = [*own, *(z for p in range(2, len(known)) if p != purpose for z in known[p])]
    handy = []
    for z in zones:
        a, b = law["bands"][ahead][z], law["bands"][here][z]
        handy.append(law["attraction"][purpose][z] * pull[b] * law["deterrence"][going][a][b])
    return zones[pick(list(accumulate(handy)), w[1])] if sum(handy) > 0 else None


def somewhere(
    purpose: int, kind: int, going: int, ahead: int, here: int, u: float, stream: int, pull: Any, pull_at_most: Any, law: Law
) -> int:
    """A zone that attracts, not too far from here nor from where the day goes next: by patches of neighbours, see `places`."""
    first = law["patch_first"]
    patches = [list(range(a, b)) for a, b in pairwise(first)]
    for trial in range(64) if ahead == here else ():
        w = evenly(stream, 3 * trial, 3)
        inside = patches[aliased(lengthened(law["tied"][going - 3 * (kind + 1)][here]), w[0])]  # without rows for homes
        bands = [law["bands"][here][z] for z in inside]
        plain = [law["attraction"][purpose][z] * law["deterrence"][going][b][b] for z, b in zip(inside, bands, strict=True)]
        reached = [a * pull[b] for a, b in zip(plain, bands, strict=True)]
        if w[1] * list(accumulate(plain))[-1] <= list(accumulate(reached))[-1]:
            return inside[pick(list(accumulate(reached)), w[2])]
    ranges = list(zip(law["code"][ahead], law["code"][here], strict=True))
    bounds = [law["most"][going][a][b] * pull_at_most[b] for a, b in ranges]
    weights = [m * bound for m, bound in zip(law["mass"][purpose][law["area"][here]], bounds, strict=True)]
    for trial in range(64) if ahead != here else ():
        w = evenly(stream, 3 * trial, 3)
        patch = pick(list(accumulate(weights)), w[0])
        zone = first[patch] + aliased(law["zone_alias"][purpose][first[patch] : first[patch + 1]], w[1])
        near = law["deterrence"][going][law["bands"][ahead][zone]][law["bands"][here][zone]] * pull[law["bands"][here][zone]]
        if w[2] * bounds[patch] < near:
            return zone
    return pick(list(accumulate(weight(purpose, going, ahead, here, z, law, pull) for z in range(len(law["bands"])))), u)


def weight(purpose: int, going: int, ahead: int, here: int, zone: int, law: Law, pull: Any) -> float:
    """How much a zone is wanted, looked at alone."""
    near = law["deterrence"][going][law["bands"][ahead][zone]][law["bands"][here][zone]]
    affinity = law["affinity"][law["area"][here]][law["area"][zone]]
    return law["attraction"][purpose][zone] * affinity * pull[law["bands"][here][zone]] * near


def leaving(schedule: Sequence[int], rank: int, start: int, to_come: int, u: float, edges: Sequence[int]) -> int:
    """The end of a stay that is not the day's last."""
    latest = DAY - 1 - ROOM * to_come
    if rank == 0:
        return max(min(int(15 * (schedule[0] + u)), latest), 1)
    if schedule[rank] >= BY_CLOCK:
        return max(min(max(int(15 * (schedule[rank] - BY_CLOCK + u)), start + ROOM), latest), start + 1)
    low, high = edges[schedule[rank] : schedule[rank] + 2]
    return max(min(start + max(int(low + (high - low) * u), 1), latest), start + 1)


def point(key: int, person: int, place: int, zone: int, triangles: Any, inward: float) -> tuple[float, float]:
    """A point of one of the zone's triangles, a little towards its middle."""
    if zone >= len(triangles.first) - 1:
        return (float("nan"), float("nan"))
    begin, end = triangles.first[zone], triangles.first[zone + 1]
    corners = triangles.corners[begin + pick(triangles.cumulative[begin:end], uniform(key, person, place, 0))]
    a, b = uniform(key, person, place, 1), uniform(key, person, place, 2)
    if a + b > 1.0:
        a, b = 1.0 - a, 1.0 - b
    a, b = a + inward * (1.0 / 3.0 - a), b + inward * (1.0 / 3.0 - b)
    x, y = (float(corners[0, k] * (1.0 - a - b) + corners[1, k] * a + corners[2, k] * b) for k in range(2))
    return x, y
