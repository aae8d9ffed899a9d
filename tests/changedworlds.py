"""Made-up operators whose process differs in one thing, and the figure in which that shows: for a test and a benchmark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from synthmob.worlds import WorldParameters

Figure = Callable[[Any, Any], float]
"""Of STAYS (pandas) and the district of every zone."""


def work_in(district: str) -> Figure:
    """The share of work stays in a district."""

    def figure(stays: Any, district_of: Any) -> float:
        return float((stays[stays.purpose == "work"].zone_id.map(district_of) == district).mean())

    return figure


def mean_work_start(stays: Any, _district_of: Any) -> float:
    return float(stays[stays.purpose == "work"].start_min.mean())


def mean_travel_min(stays: Any, _district_of: Any) -> float:
    ordered = stays.sort_values([stays.columns[0], "day", "seq"])
    before = ordered.groupby([stays.columns[0], "day"]).end_min.shift()
    return float((ordered.start_min - before).dropna().mean())


def education_share(stays: Any, _district_of: Any) -> float:
    return float((stays.purpose == "education").mean())


@dataclass(frozen=True)
class Change:
    """What is changed, and the figure that tells."""

    title: str
    parameters: WorldParameters
    figure: Figure


STANDARD = WorldParameters()


def _moved_offices(source: str, target: str) -> WorldParameters:
    moved = sum(c.offices for c in STANDARD.centres if c.name == source)
    offices = {source: 0.0, target: moved + next(c.offices for c in STANDARD.centres if c.name == target)}
    return replace(STANDARD, centres=tuple(c._replace(offices=offices.get(c.name, c.offices)) for c in STANDARD.centres))


CHANGES = {
    "jobs": Change("the offices of the West End moved to Heathrow: share of work stays in Hillingdon",
                   _moved_offices("Charing Cross", "Heathrow"), work_in("Hillingdon")),
    "shifts": Change("work begins at 14:00: mean start of work stays, min",
                     replace(STANDARD, rates=STANDARD.rates._replace(start_min=840.0)), mean_work_start),
    "detours": Change("bridges closed, every way twice as long: mean travel time, min",
                      replace(STANDARD, rates=STANDARD.rates._replace(detour=2.54)), mean_travel_min),
    "families": Change("families only: share of stays in education", replace(STANDARD, household_shares=(0, 0, 0, 0, 1.0, 0, 0, 0, 0)),
                       education_share),
}  # fmt: skip
