"""What a plan will show, told before anything is spent: from sigma, cut, the number of subscribers and public axes, never from a record.

How people spread over the cells of a table is private, so a reference stands in: in a table the people-weighted logarithm of a cell's
share is taken as normal, its mean and spread those of made-up cities (`docs/FIDELITY.md`), shifted by the number of areas and day types.
A cell of t people is then shown with probability P(t + n >= cut), and the noise of the shown ones adds up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from synthmob.errors import InputError
from synthmob.fidelity.sides import FloatArray

POINTS = 201
MOST_SUBSCRIBERS = 10**10


class Shape(NamedTuple):
    """Persons in the table a subscriber (and day type), mean and spread of the log share, and how many axes are areas."""

    weight: float
    mean: float
    spread: float
    areas: int = 0


SHAPES = {
    "demographics": Shape(1.00, -3.13, 0.69), "home_by_group": Shape(1.00, -2.94, 0.82, 1), "home": Shape(1.00, -0.45, 0.63, 1),
    "work": Shape(0.49, 0.49, 0.90, 1), "home_work": Shape(0.49, 1.84, 1.08, 2), "commute_km": Shape(0.49, -1.76, 0.59),
    "commute_km_by_group": Shape(0.49, -4.11, 0.89), "destinations": Shape(1.69, -1.14, 0.89, 1), "visitors": Shape(2.54, -1.01, 1.03, 1),
    "trip_km": Shape(1.65, -3.03, 0.97), "distances": Shape(1.76, -3.74, 1.46),
    "trip_km_by_departure": Shape(1.44, -4.56, 1.10), "trip_km_by_stay": Shape(1.42, -3.77, 1.25),
    "trip_km_by_origin": Shape(1.42, -3.69, 1.14), "work_hours": Shape(0.58, -2.60, 0.98, 1),
    "commute_hours": Shape(0.58, -4.76, 0.97), "departures_between": Shape(1.47, -4.01, 0.91), "od": Shape(1.26, 1.33, 1.36, 2),
    "od_hour": Shape(2.89, -0.93, 1.63, 2), "presence": Shape(22.92, -2.96, 0.61, 1), "chains": Shape(0.97, -4.17, 2.37),
    "chain_outlines": Shape(0.95, -3.06, 1.76), "trips": Shape(1.00, -1.19, 1.03), "trips_by_group": Shape(1.00, -3.78, 0.75),
    "stays_by_group": Shape(1.00, -4.93, 1.13), "participation": Shape(1.41, -4.24, 0.89), "transitions": Shape(1.98, -4.48, 1.69),
    "stays_per_day": Shape(1.00, -1.92, 0.82), "first_departure": Shape(0.83, -4.23, 1.10),
    "first_departure_next": Shape(0.83, -3.53, 1.33), "first_departure_size": Shape(0.83, -4.32, 1.11),
    "departures": Shape(1.48, -4.13, 0.58), "departures_to": Shape(1.48, -4.02, 0.81), "chain_departure": Shape(0.78, -5.74, 2.14),
    "episodes": Shape(1.06, -5.59, 1.25), "durations": Shape(1.06, -4.07, 0.88), "durations_left": Shape(1.06, -4.66, 1.24),
    "durations_between": Shape(1.06, -4.74, 1.15), "chain_episodes": Shape(1.73, -7.88, 2.20), "travel_time": Shape(1.38, -3.39, 0.79),
    "anchored": Shape(0.25, -0.52, 1.26), "habits": Shape(1.41, -2.10, 0.57),
    "distinct_zones": Shape(1.00, -1.37, 0.71), "place_share": Shape(2.35, -3.16, 0.71),
    "distinct_given_visits": Shape(2.04, -2.95, 1.27),
}  # fmt: skip
"""By statistic, means over two made-up cities of London, one with 25 districts and 50 zones, one with 32 and 342."""


@dataclass(frozen=True)
class Expected:
    """One table: the cells that will be shown, the share of its people in cells that will not be, the noise as a share of the people
    in shown cells (half the sum of absolute noise, a total variation), and the relative error of a median shown cell."""

    table: str
    cells_shown: float
    people_hidden: float
    noise_tvd: float
    relative_error: float


def expected(table: str, sigma: float, cut: float, subscribers: int, areas: int, day_types: Sequence[int]) -> Expected | None:
    """What to expect of a table; None for a statistic that has no reference. `day_types` are the days of each of its day types,
    empty for a table without that axis."""
    if not 1 <= subscribers <= MOST_SUBSCRIBERS:
        raise InputError(f"{subscribers} subscribers were expected: give a whole number from 1 to {MOST_SUBSCRIBERS:.0e}.")
    shape = SHAPES.get(table.partition("@")[0])
    if shape is None:
        return None
    kinds = max(len(day_types), 1)
    z = np.linspace(-5.0, 5.0, POINTS)
    mass = np.exp(-0.5 * z**2)
    mass /= mass.sum()
    share = np.exp(np.minimum(shape.mean + shape.spread * z - shape.areas * math.log(max(areas, 1)), 0.0))
    people = subscribers * shape.weight * share  # in a cell of one day type
    total = subscribers * shape.weight * kinds
    shown = _at_least((cut - people) / sigma)
    cells = float((mass * shown / people).sum() * total)
    inside = float((mass * shown).sum())
    noise = 0.5 * cells * sigma * math.sqrt(2 / math.pi) / max(inside * total, 1e-9)
    middle = _median(people, mass * shown / people) if cells > 0.5 else math.inf
    relative = sigma / middle if math.isfinite(middle) else 1.0
    return Expected(table, cells, 1.0 - inside, min(noise, 1.0), min(relative, 1.0))


def _at_least(z: FloatArray) -> FloatArray:
    from scipy.special import ndtr

    return np.asarray(ndtr(-z), dtype=np.float64)


def _median(values: FloatArray, weights: FloatArray) -> float:
    up_to = np.cumsum(weights)
    return float(values[min(int(np.searchsorted(up_to, up_to[-1] / 2)), len(values) - 1)])
