"""The rehearsal plays the days it is given: at the right hours, as often as they occur."""

from __future__ import annotations

from typing import Any

import handmade
import numpy as np
import pytest

from synthmob.model import rehearsal
from synthmob.model.timing import BY_CLOCK, QUARTERS, Laws, contexts

EDGES = np.append(np.asarray(handmade.DOMAIN.duration_edges_min), 1440)
KINDS = ((0,), (0, 1), (0, 1, 0), (0, 3, 1, 0))
LAW = handmade.chains(KINDS)
CONTEXT = contexts(LAW, handmade.DOMAIN.duties)
N_CONTEXTS = int(CONTEXT.max()) + 1


def only(bin_of_row: dict[int, int], n: int) -> Any:
    """Laws that are certain, one bin a row."""
    out = np.zeros((len(bin_of_row), n))
    for row, bin_ in bin_of_row.items():
        out[row, bin_] = 1.0
    return out


def played(chosen: Any, departures: Any, durations: Any, travel: Any) -> Any:
    rows = np.where(CONTEXT >= 0, np.maximum(CONTEXT[3, 2] == CONTEXT, 0), -1)  # row 1 for the work stay of the errand day
    departure_row = np.array([0, 0, 1, 2])
    hourly = np.repeat(durations[:, None, :], 24, axis=1)
    laws = Laws(departures, departure_row, hourly, rows)
    return rehearsal.arrivals(LAW, chosen, CONTEXT, N_CONTEXTS, laws, EDGES, handmade.ways(np.tile(travel, (6, 1))))


def test_certain_days_arrive_when_they_must() -> None:
    # Leaving in the first quarter after 07:00, 08:00 and 09:00; every trip an hour; 60 to 75 minutes for the first row, 480 to 510
    # for the other.
    departures = only({0: 28, 1: 32, 2: 36}, QUARTERS)
    durations = only({0: int(np.flatnonzero(EDGES == 60)[0]), 1: int(np.flatnonzero(EDGES == 480)[0])}, len(EDGES) - 1)
    out = played(np.ones(4, dtype=np.bool_), departures, durations, np.array([60.0]))
    want = np.zeros((N_CONTEXTS, 24))
    want[CONTEXT[2, 1], 9] += LAW.weights[2]  # 09:00 to 09:14
    want[CONTEXT[3, 1], 10] += LAW.weights[3]  # 10:00 to 10:14, then gone from 11:00 to 11:28
    want[CONTEXT[3, 2], 12] += LAW.weights[3]
    assert out == pytest.approx(want, rel=1e-3)


def test_only_chosen_chains_play() -> None:
    departures, durations = np.ones((3, QUARTERS)), np.ones((2, len(EDGES) - 1))
    everybody = played(np.ones(4, dtype=np.bool_), departures, durations, np.array([10.0, 30.0]))
    some = played(np.array([True, True, True, False]), departures, durations, np.array([10.0, 30.0]))
    assert everybody.sum() == pytest.approx(LAW.weights[2] + 2 * LAW.weights[3], rel=1e-3)
    assert some.sum() == pytest.approx(LAW.weights[2], rel=1e-3)
    assert (played(np.array([True, False, False, False]), departures, durations, np.array([10.0])) == 0).all()


def test_a_late_day_still_has_room_for_all_its_stays() -> None:
    departures, durations = only({0: 95, 1: 95, 2: 95}, QUARTERS), only({0: 29, 1: 29}, len(EDGES) - 1)
    out = played(np.ones(4, dtype=np.bool_), departures, durations, np.array([200.0]))
    assert out[:, 22:].sum() == pytest.approx(out.sum())


def days_of(rooms_min: tuple[int, ...]) -> rehearsal.Played:
    """Days of four stays whose stays last as they like."""
    rows = np.where(CONTEXT >= 0, 0, -1)
    laws = Laws(only({0: 40}, QUARTERS), np.zeros(4, dtype=np.int64), np.ones((1, 24, len(EDGES) - 1)), rows)
    return rehearsal.play(LAW, np.full(3_000, 3), laws, EDGES, handmade.ways(np.full((6, 1), 10.0)), "test", rooms_min)


def test_played_days_are_days() -> None:
    days = days_of((12,))
    assert (days.quarter == 40).all() and (days.lasting[:, 1:3] >= 0).all() and (days.lasting[:, 3:] == -1).all()
    assert (days.starts[:, 1] - days.ends[:, 0] == 10).all() and (days.ends[:, 1:3] > days.starts[:, 1:3]).all()
    lasted = (days.ends - days.starts)[:, 1]
    uncut = days.ends[:, 1] < 1440 - 24
    assert (lasted[uncut] >= EDGES[days.lasting[uncut, 1]]).all() and (lasted < EDGES[days.lasting[:, 1] + 1]).all()


def test_room_for_what_is_to_come_is_left_in_turns() -> None:
    days = days_of((12, 300))
    hasty = days.starts[1::2, 1] + EDGES[days.lasting[1::2, 1]]
    assert hasty.max() <= 1440 - 600 < (days.starts[::2, 1] + EDGES[days.lasting[::2, 1]]).max()


def test_a_trip_takes_as_long_as_those_to_its_purpose_and_the_way_home_as_the_way_there() -> None:
    law = handmade.chains(((0, 3, 1, 0),))
    rows = np.where(contexts(law, handmade.DOMAIN.duties) >= 0, 0, -1)
    an_hour = only({0: int(np.flatnonzero(EDGES == 60)[0])}, len(EDGES) - 1)
    laws = Laws(only({0: 32}, QUARTERS), np.array([0]), np.repeat(an_hour, 24, axis=0)[None], rows)
    travel = np.array([[99.0], [40.0], [99.0], [5.0], [99.0], [99.0]])
    days = rehearsal.play(law, np.zeros(50, dtype=np.int64), laws, EDGES, handmade.ways(travel), "test")
    gone = days.starts[:, 1:3] - days.ends[:, :2]
    assert (gone == [5, 40]).all()


def test_a_schedule_lived_again_is_the_same_day_with_other_ways() -> None:
    """Durations begin when the way ends, what ends by the clock does not care, and every copy of a day stands a pool's length on."""
    law = handmade.chains(((0, 3, 1, 0), (0,)))
    schedules = np.full((2, 20), -1, dtype=np.int16)
    half_hour = int(np.flatnonzero(EDGES == 30)[0])
    schedules[0, :3] = (32, half_hour, BY_CLOCK + 68)  # leaves after 8:00, shops for half an hour and more, is at work until 17:00
    ways = handmade.ways(np.stack([np.linspace(5, 60, 100)] * 6))
    days = rehearsal.replay(law, np.array([0, 1]), schedules, EDGES, ways, 200)
    gone, still = np.arange(0, 400, 2), np.arange(1, 400, 2)
    assert (days.chain[gone] == 0).all() and (days.chain[still] == 1).all() and (days.lasting[still] == -1).all()
    assert (days.quarter[gone] == 32).all() and (days.quarter[still] == -1).all()
    first_way, lasted = (days.starts[gone, 1] - days.ends[gone, 0]), (days.ends - days.starts)[gone, 1]
    assert len(np.unique(first_way)) > 20 and first_way.min() >= 5 and first_way.max() <= 60
    assert (lasted >= EDGES[half_hour]).all() and (lasted < EDGES[half_hour + 1]).all()
    assert (days.ends[gone, 2] // 15 == 68).all() and len(np.unique(days.starts[gone, 2])) > 40
