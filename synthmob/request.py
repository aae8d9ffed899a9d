"""One table of a plan, and those of the standard plan: what each may cost, and how far one subscriber can move it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from synthmob.usageplan import USAGE_TABLES


@dataclass(frozen=True)
class Request:
    """One table that the plan asks for.

    `share` is its part of the budget relative to the other tables; `bound_l2` the most that one subscriber can move the
    whole table, as an L2 norm in persons, by one day of one day type; `per_day_type` multiplies its square by the day types of the
    period. Averages over days are spread over more cells and move less: `bound_many_l2`, where it is given, is the same for very many
    days. A table of usage `needs_columns` of the events: without them it is not asked for.
    """

    statistic: str
    level: str
    share: float
    bound_l2: float = 1.0
    per_day_type: bool = False
    needs_days: int = 1
    needs_columns: tuple[str, ...] = ()
    bound_many_l2: float | None = None

    def bound(self, days: int, day_types: int) -> float:
        """The contribution bound of a period of `days` of `day_types`: what is alike in all days of a type stays in their average, and
        the square of what is not falls with their number.

        >>> one = Request("od", "district", 0.6, 2.0, bound_many_l2=1.0)
        >>> [round(one.bound(days, 1), 3) for days in (1, 2, 3, 1000)]
        [2.0, 1.581, 1.414, 1.001]
        """
        averaged = days / day_types if self.per_day_type else float(days)
        many = self.bound_l2 if self.bound_many_l2 is None else self.bound_many_l2
        square = many**2 + (self.bound_l2**2 - many**2) / averaged
        return math.sqrt(square * (day_types if self.per_day_type else 1))

    @property
    def name(self) -> str:
        """The table's name in a release."""
        return f"{self.statistic}@{self.level}" if self.level else self.statistic


MODES = ("modes", "mode_share", "mode_time", "mode_again")
"""Statistics of how people travel, for records that tell it."""
STANDARD = (
    Request("demographics", "", 0.2),
    Request("home_by_group", "district", 0.8),
    Request("home", "district", 0.3),
    Request("home", "below", 1.0),
    Request("work", "district", 0.3),
    Request("work", "below", 0.85),
    Request("home_work", "district", 1.6),
    Request("home_work", "below", 1.1),
    Request("commute_km", "", 0.2),
    Request("commute_km_by_group", "", 0.3),
    Request("destinations", "district", 0.4, 2.0, bound_many_l2=1.0),
    Request("destinations", "below", 1.3, 2.0, bound_many_l2=1.0),
    Request("visitors", "zone", 0.3, 2.5, needs_days=2),
    Request("trip_km", "", 0.3, 2.2, per_day_type=True, bound_many_l2=1.0),
    Request("distances", "", 0.3, 2.3, bound_many_l2=0.8),
    Request("trip_km_by_departure", "", 0.2, 1.8, bound_many_l2=0.75),
    Request("trip_km_by_stay", "", 0.2, 1.8, bound_many_l2=0.75),
    Request("trip_km_by_origin", "", 0.2, 1.8, bound_many_l2=0.75),
    Request("work_hours", "district", 0.2, math.sqrt(2), bound_many_l2=0.8),
    Request("commute_hours", "", 0.15, math.sqrt(2), bound_many_l2=0.8),
    Request("od", "district", 0.8, 1.5, bound_many_l2=0.95),
    Request("od", "finest", 0.8, 1.5, bound_many_l2=0.95),
    Request("od_hour", "district", 0.4, 3.0, per_day_type=True, bound_many_l2=1.5),
    Request("presence", "district", 0.2, math.sqrt(24), per_day_type=True),
    Request("presence", "zone", 0.2, math.sqrt(24), per_day_type=True),
    Request("chains", "", 1.3, 1.0, per_day_type=True),
    Request("chain_outlines", "", 0.8, 1.0, per_day_type=True),
    Request("trips", "", 0.3, 1.0, per_day_type=True),
    Request("trips_by_group", "", 0.3, 1.0, per_day_type=True),
    Request("stays_by_group", "", 0.2, 1.0, per_day_type=True),
    Request("participation", "", 0.4, 1.75, per_day_type=True, bound_many_l2=1.3),
    Request("transitions", "", 0.5, 1.75, per_day_type=True, bound_many_l2=1.0),
    Request("stays_per_day", "", 0.2, 1.0, per_day_type=True),
    Request("first_departure", "", 0.2, 1.0, per_day_type=True),
    Request("first_departure_next", "", 0.25, 1.0, per_day_type=True),
    Request("first_departure_size", "", 0.25, 1.0, per_day_type=True),
    Request("departures", "", 0.2, 1.3, per_day_type=True, bound_many_l2=1.0),
    Request("departures_to", "", 0.4, 1.3, per_day_type=True, bound_many_l2=1.1),
    Request("departures_between", "", 0.25, 1.3, per_day_type=True, bound_many_l2=1.1),
    Request("chain_departure", "", 0.3, 1.0, per_day_type=True),
    Request("episodes", "", 0.5, 1.3, per_day_type=True, bound_many_l2=0.9),
    Request("durations", "", 0.2, 1.3, per_day_type=True, bound_many_l2=1.0),
    Request("durations_left", "", 0.3, 1.3, per_day_type=True, bound_many_l2=0.9),
    Request("durations_between", "", 0.25, 1.3, per_day_type=True, bound_many_l2=1.0),
    Request("chain_episodes", "", 0.4, math.sqrt(5), per_day_type=True, bound_many_l2=1.3),
    Request("travel_time", "", 0.2, 2.2, bound_many_l2=0.9),
    Request("modes", "", 0.1, 1.0, bound_many_l2=0.6),
    Request("mode_share", "", 0.2),
    Request("mode_time", "", 0.1, 1.0, bound_many_l2=0.6),
    Request("mode_again", "", 0.05),
    Request("anchored", "", 0.1, 1.75, per_day_type=True, bound_many_l2=0.9),
    Request("habits", "", 0.15, 1.25, needs_days=2),
    Request("distinct_zones", "", 0.1, needs_days=2),
    Request("place_share", "", 0.1, math.sqrt(5), needs_days=2),
    Request("distinct_given_visits", "", 0.3, math.sqrt(5), needs_days=2),
)

USAGE = tuple(Request(name, level, share, bound_l2, needs_columns=columns) for name, level, share, bound_l2, columns in USAGE_TABLES)
"""Usage, a small part of the budget: asked for where the events of the records say of what kind they are."""
