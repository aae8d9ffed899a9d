"""Motifs: equal exactly for days whose graphs are isomorphic, whatever the places are called; shares by hand."""

from __future__ import annotations

import itertools

import hand_town as town
import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.fidelity.features import FEATURES
from synthmob.fidelity.motifs import LARGER, MOST_PLACES, motif, motif_of
from synthmob.fidelity.scores import TOP_MOTIFS, top_tvd
from synthmob.fidelity.sides import Tables, open_side

walks = st.lists(st.integers(0, 3), min_size=1, max_size=8)


def graph(walk):
    names = sorted(set(walk))
    return len(names), {(names.index(a), names.index(b)) for a, b in itertools.pairwise(walk) if a != b}


def isomorphic(one, other):
    """By trying every way to lay one graph on the other."""
    (n, edges), (m, others) = graph(one), graph(other)
    return n == m and any({(p[a], p[b]) for a, b in edges} == others for p in itertools.permutations(range(n)))


@given(walks, walks)
def test_equal_for_isomorphic_days_and_for_no_others(one, other):
    assert (motif(one) == motif(other)) is isomorphic(one, other)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.permutations(range(10)))
def test_names_of_places_say_nothing(walk, names):
    assert motif(walk) == motif([names[place] for place in walk])


def test_known_graphs():
    assert motif([1]) == motif([4, 4]) != motif([1, 2])
    assert motif([1, 2, 1, 3, 1]) != motif([1, 2, 3, 1])  # out and back twice, a triangle
    assert motif(list(range(MOST_PLACES))) != LARGER
    assert motif(list(range(MOST_PLACES + 1))) == LARGER
    # All that can be walked on three places: 5 strongly connected graphs; 1 -> 2 -> 3; a pair there and back, left or entered once.
    assert len({motif(walk) for walk in itertools.product(range(3), repeat=9) if len(set(walk)) == 3}) == 8


def test_a_day_starts_at_three_and_its_zones_are_told_by_their_first_place():
    stays = pd.DataFrame([
        (0, 0, 0, "home", "a", 0, 120), (0, 0, 1, "leisure", "b", 150, 900), (0, 0, 2, "home", "a", 930, 1440),
        (1, 0, 0, "home", "a", 0, 400), (1, 0, 1, "shop", None, 420, 500), (1, 0, 2, "shop", None, 520, 600),
        (1, 0, 3, "home", "a", 620, 1440),
    ], columns=["person_id", "day", "seq", "purpose", "zone_id", "start_min", "end_min"])  # fmt: skip
    persons = town.tables(town.TRUTH[:2], copies=1).persons
    backend = connect()
    side = open_side(backend, Tables(persons, stays), town.zoning(), Domain(), town.WEEKDAY, name="side")
    found = backend.to_pyarrow(FEATURES["walks"].rows(side.coded)).to_pandas().set_index("person_id").walk
    assert found.to_dict() == {0: "1-2", 1: "0-1-1-0"}
    assert motif_of(found[0]) == motif_of("7-9")
    assert motif_of(found[1]) == motif([1, 2, 1])


def test_the_share_of_the_most_frequent():
    even = np.ones(TOP_MOTIFS + 3)
    assert top_tvd(even, even) == 0.0
    assert top_tvd(np.append(np.ones(TOP_MOTIFS), 0.0), np.append(np.zeros(TOP_MOTIFS), 1.0)) == 1.0
    # Whatever moves among the rare ones is one and the same.
    assert top_tvd(even, np.append(np.ones(TOP_MOTIFS), [3.0, 0.0, 0.0])) == 0.0
    assert top_tvd(np.array([3.0, 1.0]), np.array([1.0, 1.0])) == 0.25
