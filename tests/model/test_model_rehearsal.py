"""The rehearsal plays the days it is given: at the right hours, as often as they occur."""

from __future__ import annotations

from typing import Any

import handmade
import numpy as np
import pytest

from synthmob.model import rehearsal
from synthmob.model.timing import QUARTERS, contexts

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


def played(chosen: Any, departures: Any, durations: Any, travel: Any) -> tuple[Any, Any]:
    rows = np.where(CONTEXT >= 0, np.maximum(CONTEXT[3, 2] == CONTEXT, 0), -1)  # row 1 for the work stay of the errand day
    departure_row = np.array([0, 0, 1, 2])
    hourly = np.repeat(durations[:, None, :], 24, axis=1)
    return rehearsal.arrivals(LAW, chosen, CONTEXT, N_CONTEXTS, departures, departure_row, hourly, rows, EDGES, travel)


def test_certain_days_arrive_when_they_must() -> None:
    # Leaving at 07:07, 08:07 and 09:07; every trip 55 minutes; 60 to 75 minutes for the first row, 480 to 510 for the other.
    departures = only({0: 28, 1: 32, 2: 36}, QUARTERS)
    durations = only({0: int(np.flatnonzero(EDGES == 60)[0]), 1: int(np.flatnonzero(EDGES == 480)[0])}, len(EDGES) - 1)
    out, left = played(np.ones(4, dtype=np.bool_), departures, durations, np.array([55.0]))
    weights = LAW.weights
    want = np.zeros((N_CONTEXTS, 24))
    want[CONTEXT[2, 1], 9] += weights[2]  # 08:07 and 55 minutes
    want[CONTEXT[3, 1], 10] += weights[3]  # 09:07 and 55 minutes, then gone at 11:02 to 11:17
    rest = weights[3] * (np.arange(24) == 12)  # and 55 minutes more: 11:57 to 12:12
    found = out[CONTEXT[3, 2]]
    assert found.sum() == pytest.approx(weights[3], rel=1e-3) and set(np.flatnonzero(found)) == {11, 12}
    assert found[12] == pytest.approx(rest[12] * 12 / 15, rel=0.05)
    out = out.copy()
    out[CONTEXT[3, 2]] = 0
    assert out == pytest.approx(want, rel=1e-3)
    first, later = left
    # A day of two stays has a departure too; the work day leaves work late in the afternoon.
    assert first[[28, 32, 36]] == pytest.approx(weights[1:], rel=1e-3) and first.sum() == pytest.approx(weights[1:].sum(), rel=1e-3)
    assert later.sum() == pytest.approx(weights[2] + 2 * weights[3], rel=1e-3)
    assert later[40] + later[41] == pytest.approx(weights[2], rel=1e-3)


def test_only_chosen_chains_play() -> None:
    departures, durations = np.ones((3, QUARTERS)), np.ones((2, len(EDGES) - 1))
    everybody, _ = played(np.ones(4, dtype=np.bool_), departures, durations, np.array([10.0, 30.0]))
    some, left = played(np.array([True, True, True, False]), departures, durations, np.array([10.0, 30.0]))
    assert everybody.sum() == pytest.approx(LAW.weights[2] + 2 * LAW.weights[3], rel=1e-3)
    assert some.sum() == pytest.approx(LAW.weights[2], rel=1e-3)
    assert left.sum() == pytest.approx(LAW.weights[1] + 2 * LAW.weights[2], rel=1e-3)
    nothing, gone = played(np.array([True, False, False, False]), departures, durations, np.array([10.0]))
    assert (nothing == 0).all() and (gone == 0).all()


def test_a_late_day_still_has_room_for_all_its_stays() -> None:
    departures, durations = only({0: 95, 1: 95, 2: 95}, QUARTERS), only({0: 29, 1: 29}, len(EDGES) - 1)
    out, left = played(np.ones(4, dtype=np.bool_), departures, durations, np.array([200.0]))
    assert out[:, 22:].sum() == pytest.approx(out.sum()) and left[:, 92:].sum() == pytest.approx(left.sum())
