"""What people do, counted once more in plain Python: see brute_force.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

from brute_force import HALF, Cells, Person, Sums, World, all_stays, band, chain_of, one, per_day


def _chains(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        if (chain := chain_of(day, w, w.domain.max_chain_stays)) is not None:
            out[day.kind, chain] += part
    return out


def _chain_outlines(p: Person, w: World) -> Cells:
    out, base = Sums(Fraction), len(w.domain.duties) + 2
    for day, part in per_day(p):
        if len(day.stays) <= w.domain.max_chain_stays:
            code = sum(base**k for k in range(1, len(day.stays)))
            for place, stay in enumerate(reversed(day.stays)):
                kind = 0 if stay.purpose == 0 else base - 1
                if stay.purpose in w.domain.duties:
                    kind = w.domain.duties.index(stay.purpose) + 1
                code += kind * base**place
            out[day.kind, code] += part
    return out


def _stays_by_group(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        out[day.kind, *p.group, min(len(day.stays), 20) - 1] += part
    return out


def _stays_per_day(p: Person, w: World) -> Cells:
    return {(kind, n): part for (kind, *_, n), part in _stays_by_group(p, w).items()}


def _trips_by_group(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        made = Fraction(min(len(day.stays) - 1, 8), 8)
        for code, share in enumerate((made, 1 - made)):
            if share:
                out[day.kind, *p.group, code] += part * share
    return out


def _trips(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        made = day.stays[1:9]
        for stay in made:
            out[day.kind, stay.purpose] += part / 8
        if len(made) < 8:
            out[day.kind, len(w.domain.purposes)] += part * Fraction(8 - len(made), 8)
    return out


def _participation(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        for purpose in {s.purpose for s in day.stays} - {0}:
            out[day.kind, *p.group, purpose - 1] += part
    return out


def _transitions(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        around = [0, *(s.purpose + 1 for s in day.stays), 0]
        for k, stay in enumerate(day.stays):
            third = next(t for t in range(3) if k * 3 < (t + 1) * len(day.stays))
            phase = third + (3 if len(day.stays) > w.domain.max_chain_stays else 0)
            out[day.kind, around[k], stay.purpose, phase, around[k + 2]] += HALF * part
    return out


def _modes(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, rank, stay, part in all_stays(p):
        if rank:
            out[w.distance(day.stays[rank - 1].zone, stay.zone), stay.mode] += part / 4
    return out


def _mode_share(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for (_, mode), weight in _modes(p, w).items():
        out[(mode,)] += weight / 2
    return out


def _mode_time(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, rank, stay, part in all_stays(p):
        if rank:
            out[stay.mode, band(stay.start - day.stays[rank - 1].end, w.domain.travel_edges_min)] += part / 4
    return out


def _mode_again(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, rank, stay, part in all_stays(p):
        if rank > 1:
            before = day.stays[rank - 1]
            out[0 if before.purpose == 0 else 1, 0 if before.mode == stay.mode else 1] += part / 8
    return out


def _anchored(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for day, part in per_day(p):
        worked, before = False, None
        for stay in day.stays:
            if stay.purpose == 1:
                straight = before is not None and before.purpose == 1
                nth = (2 if before.zone == p.work else 3) if straight else int(worked)
                out[day.kind, nth, 0 if stay.zone == p.work else 1] += part
                worked = True
            before = stay
    return out


def _habits(p: Person, w: World) -> Cells:
    of_type: dict[int, list[set[int]]] = {}
    for day, _ in per_day(p):
        of_type.setdefault(day.kind, []).append({s.purpose for s in day.stays if s.purpose != 0})
    pairs = [pair for days in of_type.values() for pair in pairwise(days)]
    out = Sums(Fraction)
    for first, then in pairs:
        for purpose in first:
            out[purpose - 1, 0 if purpose in then else 1] += Fraction(1, len(pairs))
    return out


def _distinct_zones(p: Person, w: World) -> Cells:
    zones = {stay.zone for _, _, stay, _ in all_stays(p)}
    return one(min(len(zones), 16) - 1) if zones else {}


def _place_share(p: Person, w: World) -> Cells:
    visits = Counter(stay.zone for _, _, stay, _ in all_stays(p))
    ranked = sorted(visits.values(), reverse=True)[:5]
    return {(k, min(n * 20 // visits.total(), 19)): Fraction(1) for k, n in enumerate(ranked)}


def _distinct_given_visits(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    for purpose in range(1, len(w.domain.purposes)):
        zones = [stay.zone for _, _, stay, _ in all_stays(p) if stay.purpose == purpose]
        if zones:
            out[purpose, min(len(zones), 16) - 1, min(len(set(zones)), 16) - 1] += 1
    return out


ROUTINE_TWINS: dict[str, Callable[[Person, World], Cells]] = {
    "chains": _chains, "chain_outlines": _chain_outlines, "stays_by_group": _stays_by_group,
    "stays_per_day": _stays_per_day, "trips": _trips, "trips_by_group": _trips_by_group,
    "participation": _participation, "transitions": _transitions, "modes": _modes,
    "mode_share": _mode_share, "mode_time": _mode_time, "mode_again": _mode_again, "anchored": _anchored, "habits": _habits,
    "distinct_zones": _distinct_zones, "place_share": _place_share, "distinct_given_visits": _distinct_given_visits,
}  # fmt: skip
