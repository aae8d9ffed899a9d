"""The clock: days that are played leave when people were released to leave, and nobody is made up where nobody is seen."""

from __future__ import annotations

from typing import Any

import handmade
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmob.counts.timing import STAY_WEIGHT
from synthmob.model import clock, reconcile, rehearsal
from synthmob.model.reconcile import Noisy
from synthmob.model.timing import HOURS, QUARTERS, Laws, contexts

SIGMA, CUT = 50.0, 150.0
PERSONS = 200_000.0
EDGES = np.append(np.asarray(handmade.DOMAIN.duration_edges_min), 1440)
LAW = handmade.chains(((0, 3, 0),))


def peaked() -> Any:
    """People who leave for one purpose by quarter of an hour: all day from 7 to 21, most at 15:00."""
    share = np.zeros((1, QUARTERS))
    share[0, 28:84], share[0, 60] = 1.0, 40.0
    return PERSONS * share / share.sum()


def told(people: Any) -> tuple[Noisy, Noisy]:
    """What would be released of these: by hour for the purpose, by quarter for all, small cells missing."""
    hourly, quarterly = STAY_WEIGHT * people.reshape(1, HOURS, 4).sum(axis=2), STAY_WEIGHT * people.sum(axis=0)
    return tuple(Noisy(np.where(cells >= CUT, cells, np.nan), SIGMA, CUT) for cells in (hourly, quarterly))  # type: ignore[return-value]  # two of them


def test_factors_lead_to_the_released_hours_and_quarters() -> None:
    """Played days are the law times what durations alone say, here the same all day: a few looks are enough."""
    by_purpose, by_quarter = told(peaked())
    law = np.ones((1, QUARTERS))
    for _ in range(12):
        later = PERSONS * law / law.sum()
        law = clock.sharpened(law, later, np.zeros_like(later), by_purpose, by_quarter)
    found = PERSONS * law / law.sum()
    assert 0.5 * np.abs(found - peaked()).sum() < 0.03 * PERSONS
    assert found[0, :20].sum() < 0.002 * PERSONS  # nobody was seen at night: few are left there


def test_first_departures_have_a_law_of_their_own() -> None:
    """Where they are all that was released of an hour, later ones have no part in it; where they are few, the rest is later ones'."""
    by_purpose, _ = told(peaked())
    first = np.zeros((1, QUARTERS))
    first[0, 60:64] = peaked()[0, 60:64]
    later = np.full((1, QUARTERS), (PERSONS - first.sum()) / QUARTERS)
    law = clock.sharpened(np.ones((1, QUARTERS)), later, first, by_purpose, None)
    assert law[0, 60] < 0.7 < 1.0 < law[0, 40]
    assert law[0, 60:64] == pytest.approx(law[0, 60])  # hours say nothing of quarters


def test_what_is_not_seen_fades_as_what_is_seen_beside_it_does() -> None:
    found = np.array([[400.0, 400.0, 400.0, 400.0]])
    noisy = Noisy(np.array([[400.0, 200.0, np.nan, np.nan]]), 0.0, 0.0)
    assert clock.fading(found, noisy)[0] == pytest.approx([1.0, 1.0, 0.5, 0.5], rel=0.01)
    assert (clock.fading(found, Noisy(np.full((1, 4), np.nan), 10.0, 50.0)) == 1).all()


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.floats(0.3, 8.0))
def test_distances_from_what_was_published(row: list[bool], half: float) -> None:
    seen = np.array([row])
    faded = reconcile.fading(seen, half)[0]
    for k, found in enumerate(reconcile.nearest(seen)[0]):
        apart = [abs(k - other) for other, published in enumerate(row) if published]
        assert (found < 0) == (not apart)
        assert not apart or (row[found] and abs(k - found) == min(apart))
        assert faded[k] == pytest.approx(0.5 ** (max(min(apart, default=1) - 1, 0) / half))


def test_played_days_end_their_stays_by_the_clock() -> None:
    """Stays of one to ten hours from 9:00: the clock says that most people go home at 15:00, and most do."""
    rows = np.where(contexts(LAW, handmade.DOMAIN.duties) >= 0, 0, -1)
    departures, lasting = np.zeros((1, QUARTERS)), np.zeros((1, 24, len(EDGES) - 1))
    departures[0, 34], lasting[:, :, (EDGES[:-1] >= 60) & (EDGES[:-1] < 600)] = 1.0, 1.0
    laws = Laws(departures, np.zeros(1, dtype=np.int64), lasting, rows)
    at_three = np.ones((6, QUARTERS))
    at_three[0, 60:64] = 50.0
    chain, travel = np.zeros(20_000, dtype=np.int64), handmade.ways(np.full((6, 1), 20.0))
    plain, clocked = (rehearsal.play(LAW, chain, laws, EDGES, travel, "test", (12,), law) for law in (None, at_three))
    share = [float((days.ends[:, 1] // 60 == 15).mean()) for days in (plain, clocked)]
    assert share[0] < 0.2 and share[1] > 2.5 * share[0]
    longest = clocked.ends[:, 1] - clocked.starts[:, 1]
    assert ((EDGES[clocked.lasting[:, 1]] <= longest) & (longest < EDGES[clocked.lasting[:, 1] + 1])).all()
