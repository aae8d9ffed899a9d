"""Ways: how long they take follows from where the stays around them are."""

from __future__ import annotations

import handmade
import numpy as np
import pytest

from synthmob.model import habits, journeys
from synthmob.model.chains import WORK
from synthmob.model.expectation import expectation
from synthmob.model.geography import Geography
from synthmob.model.journeys import LAST_EDGE_MIN, TIMES
from synthmob.model.lives import sample_lives

MODEL = handmade.model()
PLACE = Geography.of(MODEL.zoning, MODEL.domain)
TYPES = habits.by_type(MODEL.routines.chains, MODEL.routines.persistence, MODEL.domain.purpose_of)
EDGES = np.append(MODEL.domain.travel_edges_min, LAST_EDGE_MIN)


def test_ways_take_as_long_as_their_distances_say() -> None:
    lives = sample_lives(MODEL.anchors, MODEL.routines.chains, TYPES, (0, 1), PLACE, 20_000)
    found = expectation(MODEL.flows, PLACE, lives, np.array([0.7, 0.5, 0.1, 0.3]), MODEL.routines.exploration)
    got = journeys.expected(found, lives, PLACE, MODEL.routines.travel, EDGES)
    v = found.visits
    share = MODEL.routines.travel / MODEL.routines.travel.sum(axis=1, keepdims=True)
    mean_of_band = share @ ((EDGES[:-1] + EDGES[1:]) / 2)
    kind = got.kinds(lives.purposes)[v.row, v.rank]
    trips = v.rank > 0
    common = np.flatnonzero(np.bincount(kind[trips]) > 2_000)
    assert len(common) >= 3
    for k in common:
        bands = PLACE.bands[v.origin, v.zone][trips & (kind == k)]
        assert got.minutes[k].mean() == pytest.approx(mean_of_band[bands].mean(), rel=0.03)
    assert (np.diff(got.minutes, axis=1) >= 0).all() and got.minutes.shape[1] == TIMES
    assert np.isfinite(got.minutes).all()  # kinds that nobody has lean on those they resemble


def test_a_kind_is_what_lies_around_a_trip() -> None:
    days = np.array([[0, 3, WORK, 0, -1], [0, 4, 4, 0, -1]], dtype=np.int8)
    kinds = journeys.kinds(days, 6)
    assert len(np.unique(kinds[:, 1:4])) == 6
    other = journeys.kinds(np.array([[4, 3, WORK, 3, 0]], dtype=np.int8), 6)[0]
    assert other[1] != kinds[0, 1] and other[2] != kinds[0, 2]  # the stay before, and the one before that


def test_by_purpose_the_way_home_is_that_of_the_stay_before() -> None:
    ways = handmade.ways(np.array([[99.0], [40.0], [99.0], [5.0], [99.0], [99.0]]))
    kinds = ways.kinds(np.array([[0, 3, 1, 0]], dtype=np.int8))[0]
    assert ways.minutes[kinds[1:], 0].tolist() == [5.0, 40.0, 40.0]
