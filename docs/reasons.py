"""Why one subscriber can add no more to a table than its bound: the part of the proof that is specific to each statistic.

`most` is the largest square of the norm, for one day type, of what one person can add before any scaling; None where it
grows with how busy a person is. tests/private/test_bounding_tables.py finds people who reach it, and nobody who is over it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from synthmob.counts import Public
from synthmob.counts.routines import PLACE_RANKS
from synthmob.counts.timing import rank_axis

MOMENTS = 24


@dataclass(frozen=True)
class Reason:
    """What one subscriber adds to a table, in words, and the most that it can be."""

    words: str
    most: Callable[[Public], int] | None

    def natural(self, public: Public, day_types: int) -> float | None:
        """The largest norm before scaling over that many day types, in persons; None where there is none."""
        return None if self.most is None else math.sqrt(self.most(public) * day_types)

    def never_scaled(self, public: Public, bound_l2: float, day_types: int) -> bool:
        """Whether nobody can be over the bound, so that it costs no fidelity."""
        natural = self.natural(public, day_types)
        return natural is not None and natural <= bound_l2 * (1 + 1e-9)

    def derived(self, public: Public, bound_l2: float, day_types: int) -> str:
        """The derivation of the bound in one line."""
        across = f" x sqrt({day_types}) day types" if day_types > 1 else ""
        if self.most is None:
            return f"scaled down to {bound_l2 / math.sqrt(day_types):g}{across}"
        most = self.most(public)
        if self.never_scaled(public, bound_l2, day_types):
            spare = "" if math.isclose(most * day_types, bound_l2**2, rel_tol=1e-9) else ", never scaled"
            return f"sqrt({most}){across}{spare}" if most > 1 else f"1{across}{spare}"
        return f"sqrt({most}), scaled down to {bound_l2 / math.sqrt(day_types):g}{across}"


def _one(public: Public) -> int:
    del public
    return 1


def _outside_home(public: Public) -> int:
    return len(public.domain.purposes) - 1


ONE_CELL = Reason("1 in one cell", _one)
OF_WORKERS = Reason("1 in one cell, nothing for who does not work", _one)
ONE_A_DAY = Reason("every day adds 1/days of its type to one cell: the weights of a day type sum to at most 1", _one)
EIGHTHS = Reason(
    "every day adds its trips as a part of 8 and what is missing to 8, together 1/days of its type, to two cells: the weights of a "
    "day type sum to at most 1", _one)
EIGHTH_A_TRIP = Reason(
    "every day adds an eighth of 1/days of its type for each of its first 8 trips, by purpose, and what is missing to 8 to one more cell: "
    "the weights of a day type sum to at most 1", _one)
EACH_TRIP = "every trip adds 1/days to one cell, as many as a life has"
HALF_A_TRIP = "every trip adds half of 1/days to one cell, as many as a life has"
QUARTER_A_TRIP = "every trip adds a quarter of 1/days to one cell, as many as a life has"
INNER_STAYS = "every stay between two trips adds half of 1/days of its type to one cell, as many as a day has"

LEAVING_AND_RETURN = Reason(
    "every day adds 1/days to one cell for leaving for work and to one for leaving it: the weights of both sum to at most 1 each",
    lambda public: 2)

EACH_EVENT = "every event adds {} of 1/days to one cell, as many as a life has"

REASONS: dict[str, Reason] = {
    "demographics": ONE_CELL,
    "home_by_group": ONE_CELL,
    "home": ONE_CELL,
    "work": OF_WORKERS,
    "home_work": OF_WORKERS,
    "commute_km": OF_WORKERS,
    "commute_km_by_group": OF_WORKERS,
    "destinations": Reason("every stay away from home adds 1/days to one cell, as many as a life has", None),
    "visitors": Reason("1 for every pair of purpose and area that was ever visited", None),
    "trip_km": Reason(EACH_TRIP, None),
    "distances": Reason(EACH_TRIP, None),
    "trip_km_by_departure": Reason(EACH_TRIP, None),
    "trip_km_by_stay": Reason(EACH_TRIP, None),
    "trip_km_by_origin": Reason(EACH_TRIP, None),
    "work_hours": LEAVING_AND_RETURN,
    "commute_hours": LEAVING_AND_RETURN,
    "od": Reason(HALF_A_TRIP, None),
    "od_hour": Reason("every trip adds 1/days of its type to one cell, as many as a day has", None),
    "presence": Reason(
        "at each of 24 moments in at most one area at a time: the weights of a moment and day type sum to at most 1",
        lambda public: MOMENTS),
    "chains": ONE_A_DAY,
    "chain_outlines": ONE_A_DAY,
    "trips": EIGHTH_A_TRIP,
    "trips_by_group": EIGHTHS,
    "stays_by_group": ONE_A_DAY,
    "participation": Reason("every day adds 1/days of its type for each purpose of it other than home", _outside_home),
    "transitions": Reason("every stay adds half of 1/days of its type to one cell, as many as a day has", None),
    "stays_per_day": ONE_A_DAY,
    "first_departure": ONE_A_DAY,
    "first_departure_next": ONE_A_DAY,
    "first_departure_size": ONE_A_DAY,
    "departures": Reason("every trip adds half of 1/days of its type to one quarter of an hour", None),
    "departures_to": Reason("every trip adds half of 1/days of its type to one purpose and hour, as many as a day has", None),
    "departures_between": Reason(
        "every trip adds half of 1/days of its type to one pair of what is left and what for, and hour, as many as a day has", None),
    "chain_departure": ONE_A_DAY,
    "episodes": Reason(INNER_STAYS, None),
    "durations": Reason(INNER_STAYS, None),
    "durations_left": Reason(INNER_STAYS, None),
    "durations_between": Reason(INNER_STAYS, None),
    "chain_episodes": Reason(
        "a day adds 1/days of its type at each place inside its chain: the weights of a place and day type sum to at most 1",
        lambda public: rank_axis().size),
    "travel_time": Reason(
        "a day adds 1/days for the first trip of each distance band: the weights of a band sum to at most 1",
        lambda public: len(public.domain.distance_edges_km) + 1),
    "modes": Reason(QUARTER_A_TRIP, None),
    "mode_share": Reason("every trip adds an eighth of 1/days to the cell of its mode, as many as a life has", None),
    "mode_time": Reason(QUARTER_A_TRIP, None),
    "mode_again": Reason("every trip after another adds an eighth of 1/days to one cell, as many as a life has", None),
    "anchored": Reason("every stay at work adds 1/days of its type to the cell of its kind and place, as many as a life has", None),
    "habits": Reason("every day but the last of its type adds 1/pairs to one cell for each purpose other than home", _outside_home),
    "distinct_zones": ONE_CELL,
    "place_share": Reason("1 in one cell for each of the five places visited most", lambda public: len(PLACE_RANKS)),
    "distinct_given_visits": Reason("1 in one cell for each purpose other than home", _outside_home),
    "events_per_day": Reason("every day of the period adds 1/days to one cell: the weights sum to 1", _one),
    "events_per_person": ONE_CELL,
    "event_hours": Reason(EACH_EVENT.format("a quarter"), None),
    "event_directions": Reason(EACH_EVENT.format("an eighth"), None),
    "event_durations": Reason(EACH_EVENT.format("an eighth"), None),
    "event_volumes": Reason(EACH_EVENT.format("an eighth"), None),
    "event_apps": Reason(EACH_EVENT.format("an eighth"), None),
    "app_volumes": Reason(EACH_EVENT.format("an eighth"), None),
    "event_zones": Reason(EACH_EVENT.format("a sixteenth"), None),
}
