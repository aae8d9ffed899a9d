"""A town small enough to work out by hand: zones a, b (district X) and c, d (district Y) in a row, 2.78 km apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely

from synthmob.fidelity.distances import wasserstein_1d
from synthmob.fidelity.sides import Tables
from synthmob.period import Period
from synthmob.zones import Level, Zoning

WEEKDAY = Period.of("2026-03-02", 1)
COPIES = 50
SIDE_DEG = 0.025

Stay = tuple[str, str | None, int, int]
Person = tuple[str, str, str, str | None, Sequence[Stay]]
"""sex, age band, home, work or None, and the stays of one day: purpose, zone, start, end."""


def zoning() -> Zoning:
    """Four square zones on the equator."""
    boxes = [shapely.box(k * SIDE_DEG, 0, (k + 1) * SIDE_DEG, SIDE_DEG) for k in range(4)]
    levels = (Level("zone", tuple("abcd"), np.arange(4)), Level("district", ("X", "Y"), np.array([0, 0, 1, 1])))
    return Zoning(tuple("abcd"), np.array(boxes, dtype=object), levels)


def tables(people: Sequence[Person], *, copies: int = COPIES, day: int = 0) -> Tables:
    """PERSONS and STAYS with every person `copies` times, so that a group is big enough to be judged."""
    everyone = [person for person in people for _ in range(copies)]
    persons = pd.DataFrame(
        [
            {
                "person_id": k,
                "sex": sex,
                "age_band": age,
                "worker": "yes" if work else "no",
                "home_zone": home,
                "work_zone": work,
            }
            for k, (sex, age, home, work, _) in enumerate(everyone)
        ]
    )
    stays = pd.DataFrame(
        [
            {
                "person_id": k,
                "day": day,
                "seq": seq,
                "purpose": purpose,
                "zone_id": zone,
                "start_min": start,
                "end_min": end,
            }
            for k, (*_, stays) in enumerate(everyone)
            for seq, (purpose, zone, start, end) in enumerate(stays)
        ]
    )
    return Tables(persons, stays)


def mean_distance_to_move_km(truth: Sequence[Person], made: Sequence[Person]) -> float:
    """What it takes to turn one map into the other at half past each hour, mean over the day: the zones lie on a line."""
    km = zoning().centroids_km[:4, 0]

    def where(people: Sequence[Person], minute: int) -> list[float]:
        return [km["abcd".index(str(zone))] for *_, stays in people for _, zone, start, end in stays if start <= minute < end]

    return float(np.mean([wasserstein_1d(where(truth, m), where(made, m)) for m in range(30, 1440, 60)]))


def day_at(home: str, purpose: str, zone: str, leave: int, start: int, end: int, back: int) -> list[Stay]:
    """Home, one stay elsewhere, home again."""
    return [("home", home, 0, leave), (purpose, zone, start, end), ("home", home, back, 1440)]


TRUTH: list[Person] = [
    ("female", "25-34", "a", "b", day_at("a", "work", "b", 480, 500, 1000, 1020)),
    ("male", "35-44", "a", "c", day_at("a", "work", "c", 480, 510, 990, 1020)),
    ("female", "65+", "b", None, day_at("b", "shop", "c", 600, 620, 700, 720)),
    ("male", "65+", "c", None, day_at("c", "shop", "c", 300, 310, 400, 410)),
]
MADE: list[Person] = [
    ("female", "25-34", "a", "b", day_at("a", "work", "b", 480, 500, 1000, 1020)),
    ("male", "35-44", "a", "b", day_at("a", "work", "b", 480, 510, 990, 1020)),
    ("female", "65+", "b", None, [("home", "b", 0, 600), ("shop", "d", 620, 1440)]),
    ("female", "55-64", "b", "b", day_at("b", "shop", "b", 300, 310, 400, 410)),
]
ONE_SORT: list[Person] = [("female", "25-34", "a", "d", [("home", "a", 0, 480), ("work", "d", 500, 1440)])]
OTHER_SORT: list[Person] = [
    ("male", "65+", "c", None, [("home", "c", 0, 480), ("shop", "b", 500, 1000), ("shop", "a", 1020, 1440)])
]
"""Two populations with nothing in common, and as many people present at every half hour."""
