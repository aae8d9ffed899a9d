"""Where people belong and where they go, counted once more in plain Python: see brute_force.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from brute_force import NOBODY, Cells, Person, Stay, Sums, World, all_stays, one, per_day


def _demographics(p: Person, w: World) -> Cells:
    return one(*p.group)


def _home_by_group(p: Person, w: World) -> Cells:
    return one(w.area(p.home), *p.group)


def _home(p: Person, w: World) -> Cells:
    return one(w.area(p.home), p.group[2])


def _work(p: Person, w: World) -> Cells:
    return one(w.area(p.work)) if p.work != NOBODY else {}


def _home_work(p: Person, w: World) -> Cells:
    return one(w.area(p.home), w.area(p.work)) if p.work != NOBODY else {}


def _commute_km(p: Person, w: World) -> Cells:
    return one(w.distance(p.home, p.work)) if p.work != NOBODY else {}


def _commute_km_by_group(p: Person, w: World) -> Cells:
    return one(w.distance(p.home, p.work), *p.group[:2]) if p.work != NOBODY else {}


def _destinations(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for _, _, stay, part in all_stays(p):
        if stay.purpose != 0:
            out[w.segment(p, stay.purpose), w.area(stay.zone)] += part
    return out


def _visitors(p: Person, w: World) -> Cells:
    return {(w.segment(p, s.purpose), w.area(s.zone)): Fraction(1) for _, _, s, _ in all_stays(p) if s.purpose != 0}


def _distances(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, rank, stay, part in all_stays(p):
        if rank and stay.purpose != 0:
            following = day.stays[rank + 1].purpose if rank + 1 < len(day.stays) else None
            anchor = p.work if following == 1 and p.work != NOBODY else p.home
            heading = 2 if following is None else int(following == 1 and p.work != NOBODY)
            out[w.segment(p, stay.purpose), heading, w.distance(stay.zone, anchor), w.distance(day.stays[rank - 1].zone, stay.zone)] += part
    return out


def _trip_km(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        for a, b in zip(day.stays, day.stays[1:], strict=False):
            if b.purpose != 0:
                out[day.kind, w.segment(p, b.purpose), w.distance(a.zone, b.zone)] += part
    return out


def _errands(p: Person, w: World, kind: Callable[[Stay, Stay], int]) -> Cells:
    """Trips to neither home nor work by purpose, by what `kind` says of the stay before and the stay, and by distance."""
    out = Sums(Fraction)
    for day, rank, stay, part in all_stays(p):
        if rank and stay.purpose not in (0, 1):
            before = day.stays[rank - 1]
            out[w.segment(p, stay.purpose), kind(before, stay), w.distance(before.zone, stay.zone)] += part
    return out


def _trip_km_by_departure(p: Person, w: World) -> Cells:
    return _errands(p, w, lambda before, stay: sum(before.end >= 60 * hour for hour in range(9, 22, 2)))


def _trip_km_by_stay(p: Person, w: World) -> Cells:
    def lasting(before: Stay, stay: Stay) -> int:
        lasts = stay.end - stay.start
        return 0 if lasts < 45 else 1 if lasts < 90 else 2 if stay.end - before.end < 180 else 3

    return _errands(p, w, lasting)


def _trip_km_by_origin(p: Person, w: World) -> Cells:
    return _errands(p, w, lambda before, stay: min(before.purpose, 2))


def _at_work(p: Person, w: World) -> Iterator[tuple[int, int, Fraction]]:
    """The moment (0 leaving for work, 1 leaving it) and hour of every first way to one's own work place and every last one from there."""
    duties = {k for k, purpose in enumerate(w.domain.purposes) if purpose in ("work", "education")}
    for day, rank, stay, part in all_stays(p):
        if stay.purpose != 1 or stay.zone != p.work or p.work == NOBODY:
            continue
        if rank and all(before.purpose != 1 for before in day.stays[:rank]):
            yield 0, min(day.stays[rank - 1].end // 60, 23), part
        if rank + 1 < len(day.stays) and not any(later.purpose in duties for later in day.stays[rank + 1 :]):
            yield 1, min(stay.end // 60, 23), part


def _work_hours(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for moment, hour, part in _at_work(p, w):
        out[w.area(p.work), moment, hour] += part
    return out


def _commute_hours(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for moment, hour, part in _at_work(p, w):
        out[w.distance(p.home, p.work), moment, hour] += part
    return out


def _od(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, rank, stay, part in all_stays(p):
        if rank:
            out[w.area(day.stays[rank - 1].zone), w.area(stay.zone)] += part / 2
    return out


def _od_hour(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        for a, b in zip(day.stays, day.stays[1:], strict=False):
            out[day.kind, min(a.end // 60, 23), w.area(a.zone), w.area(b.zone)] += part
    return out


def _presence(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        for stay in day.stays:
            for hour in range(24):
                if stay.start <= 60 * hour + 30 < stay.end:
                    out[day.kind, hour, w.area(stay.zone)] += part
    return out


PLACE_TWINS: dict[str, Callable[[Person, World], Cells]] = {
    "demographics": _demographics, "home_by_group": _home_by_group, "home": _home, "work": _work, "home_work": _home_work,
    "commute_km": _commute_km, "commute_km_by_group": _commute_km_by_group, "destinations": _destinations,
    "visitors": _visitors, "distances": _distances, "trip_km": _trip_km,
    "trip_km_by_departure": _trip_km_by_departure, "trip_km_by_stay": _trip_km_by_stay,
    "trip_km_by_origin": _trip_km_by_origin, "work_hours": _work_hours, "commute_hours": _commute_hours, "od": _od, "od_hour": _od_hour,
    "presence": _presence,
}  # fmt: skip
