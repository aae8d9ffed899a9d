"""What people do with the phone, counted once more in plain Python: see brute_force.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction

from brute_force import Cells, Event, Person, Sums, World, band, one

EVENTS = (0, 1, 2, 3, 4, 5, 7, 9, 12, 15, 19, 24, 30, 38, 48, 60, 80, 110, 150)
SECONDS = (0, 1, 5, 15, 30, 60, 120, 240, 480, 960, 1920, 3840, 7680)
KILOBYTES = (0, 1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576)
DATA = 2


def _events_per_day(p: Person, w: World) -> Cells:
    out = Sums(Fraction)
    by_day = Counter(event.day for event in p.events)
    for day in range(w.period.days):
        out[*p.group[:2], band(by_day[day], EVENTS)] += Fraction(1, w.period.days)
    return out


def _events_per_person(p: Person, w: World) -> Cells:
    return one(max(k for k, edge in enumerate(EVENTS) if edge * w.period.days <= len(p.events)))


Cell = Callable[[Event, Person, World], tuple[int | None, ...]]


def _each(full: int, cell: Cell, data: bool | None = None) -> Callable[[Person, World], Cells]:
    """Every event, or all data, or all else: a `full`-th over the days to its cell, nothing where it does not say."""

    def count(p: Person, w: World) -> Cells:
        events = [e for e in p.events if data is None or data == (e.kind == DATA)]
        found = Counter(cell(e, p, w) for e in events)
        return {tuple(k for k in c if k is not None): Fraction(n, full * w.period.days) for c, n in found.items() if None not in c}

    return count


def _in(value: float | None, edges: tuple[int, ...]) -> int | None:
    return None if value is None else band(value, edges)


USAGE_TWINS: dict[str, Callable[[Person, World], Cells]] = {
    "events_per_day": _events_per_day, "events_per_person": _events_per_person,
    "event_hours": _each(4, lambda e, p, w: (e.kind, e.hour)),
    "event_directions": _each(8, lambda e, p, w: (e.kind, e.direction), data=False),
    "event_durations": _each(8, lambda e, p, w: (e.kind, _in(e.duration_s, SECONDS))),
    "event_volumes": _each(8, lambda e, p, w: (e.kind, _in(e.volume_kb, KILOBYTES))),
    "event_apps": _each(8, lambda e, p, w: (e.app, *p.group[:2]), data=True),
    "app_volumes": _each(8, lambda e, p, w: (e.app, _in(e.volume_kb, KILOBYTES)), data=True),
    "event_zones": _each(16, lambda e, p, w: (e.kind, w.area(e.zone))),
}  # fmt: skip
