"""When things happen, counted once more in plain Python: see brute_force.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise

from brute_force import HALF, Cells, Day, Person, Stay, Sums, World, all_stays, band, chain_of, per_day

COARSE_START = (0, 420, 570, 690, 810, 930, 1050, 1200)
COARSE_DURATION = (0, 15, 30, 60, 105, 180, 300, 420, 480, 540, 600)
TIMED = 7


def _duties(w: World) -> set[int]:
    return {k for k, purpose in enumerate(w.domain.purposes) if purpose in ("work", "education")}


def _kind(day: Day, w: World) -> int:
    """A day with work, with education only, with neither."""
    found = {stay.purpose for stay in day.stays}
    return 0 if 1 in found else 1 if found & _duties(w) else 2


def _leaving(p: Person) -> Iterator[tuple[Day, int, Fraction]]:
    """Days with a trip, and when the first stay ends."""
    for day, part in per_day(p):
        if len(day.stays) > 1:
            yield day, day.stays[0].end, part


def _first_departure(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, end, part in _leaving(p):
        out[day.kind, _kind(day, w), min(end // 15, 95)] += part
    return out


def _departures(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        for stay in day.stays[:-1]:
            out[day.kind, min(stay.end // 15, 95)] += HALF * part
    return out


def _departures_to(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        for stay, following in pairwise(day.stays):
            out[day.kind, w.segment(p, following.purpose), min(stay.end // 60, 23)] += HALF * part
    return out


def _departures_between(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        for stay, following in pairwise(day.stays):
            before = stay.purpose if stay.purpose < 2 else 2 if stay.purpose in _duties(w) else 3
            out[day.kind, before, _side(following, w), min(stay.end // 60, 23)] += HALF * part
    return out


def _first_departure_next(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, end, part in _leaving(p):
        out[day.kind, _kind(day, w), w.segment(p, day.stays[1].purpose), min(end // 60, 23)] += part
    return out


def _first_departure_size(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, end, part in _leaving(p):
        out[day.kind, _kind(day, w), band(len(day.stays), (2, 3, 4, 5, 6, 8, 11)), min(end // 60, 23)] += part
    return out


def _chain_departure(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, end, part in _leaving(p):
        if (chain := chain_of(day, w, min(TIMED, w.domain.max_chain_stays))) is not None:
            out[day.kind, chain, min(end // 60, 23)] += part
    return out


def _inner(p: Person) -> Iterator[tuple[Day, int, Stay, Fraction]]:
    """Stays with an arrival and a departure: neither the first nor the last of a day."""
    for day, part in per_day(p):
        for rank in range(1, len(day.stays) - 1):
            yield day, rank, day.stays[rank], part


def _pending(day: Day, rank: int, w: World) -> int:
    return int(any(later.purpose in _duties(w) for later in day.stays[rank + 1 :]))


def _side(stay: Stay, w: World) -> int:
    return 0 if stay.purpose == 0 else 1 if stay.purpose in _duties(w) else 2


def _lasting(stay: Stay) -> int:
    return band(stay.end - stay.start, COARSE_DURATION)


def _episodes(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, rank, stay, part in _inner(p):
        hour = min(stay.start // 60, 23)
        out[day.kind, w.segment(p, stay.purpose), _pending(day, rank, w), hour, _lasting(stay)] += HALF * part
    return out


def _durations(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, _, stay, part in _inner(p):
        out[day.kind, w.segment(p, stay.purpose), band(stay.end - stay.start, w.domain.duration_edges_min)] += HALF * part
    return out


def _durations_left(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, rank, stay, part in _inner(p):
        left = band(len(day.stays) - 1 - rank, (1, 2, 3, 5, 8))
        out[day.kind, w.segment(p, stay.purpose), _pending(day, rank, w), left, _lasting(stay)] += HALF * part
    return out


def _durations_between(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, rank, stay, part in _inner(p):
        sides = _side(day.stays[rank - 1], w), _side(day.stays[rank + 1], w)
        out[day.kind, w.segment(p, stay.purpose), _pending(day, rank, w), *sides, _lasting(stay)] += HALF * part
    return out


def _chain_episodes(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, rank, stay, part in _inner(p):
        if (chain := chain_of(day, w, min(TIMED, w.domain.max_chain_stays))) is not None:
            out[day.kind, chain, rank - 1, band(stay.start, COARSE_START), _lasting(stay)] += part
    return out


def _travel_time(p: Person, w: World) -> Cells:
    """The first trip of a day in each distance band."""
    out = Sums(Fraction)
    seen: set[tuple[int, int]] = set()
    for day, rank, stay, part in all_stays(p):
        if rank:
            before = day.stays[rank - 1]
            distance = w.distance(before.zone, stay.zone)
            if (id(day), distance) not in seen:
                seen.add((id(day), distance))
                out[distance, band(stay.start - before.end, w.domain.travel_edges_min)] += part
    return out


TIME_TWINS: dict[str, Callable[[Person, World], Cells]] = {
    "departures": _departures, "departures_to": _departures_to, "departures_between": _departures_between,
    "first_departure": _first_departure,
    "first_departure_next": _first_departure_next, "first_departure_size": _first_departure_size,
    "chain_departure": _chain_departure, "episodes": _episodes, "durations": _durations, "durations_left": _durations_left,
    "durations_between": _durations_between, "chain_episodes": _chain_episodes, "travel_time": _travel_time,
}  # fmt: skip
