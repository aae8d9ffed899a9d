"""Public axes: every label has a code and every code a label, whatever the categories."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmob.domain import AGE_BAND, DAY_TYPES, MODES, PUPILS, PURPOSES, SEX, WORKER, Axis, ChainAxis, Domain, bin_labels
from synthmob.errors import PlanError

LABELS = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=12, unique=True).map(tuple)
PURPOSE = st.lists(st.text("abcdefgh", min_size=1, max_size=4), min_size=1, max_size=5, unique=True).map(tuple)


@given(LABELS)
def test_codes_and_labels_of_an_axis_are_one_to_one(labels: tuple[str, ...]) -> None:
    axis = Axis("a", labels)
    assert axis.size == len(labels)
    assert [axis.code(axis.label(code)) for code in range(axis.size)] == list(range(axis.size))
    assert axis.describe() == {"name": "a", "labels": list(labels)}
    with pytest.raises(KeyError):
        axis.code("".join(labels) + "?")


@pytest.mark.parametrize("labels", [(), ("a", "a"), ("a", "b", "a")])
def test_an_axis_without_distinct_labels_is_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(PlanError, match="Axis 'sex' needs at least one label and no label twice"):
        Axis("sex", labels)


@given(PURPOSE, st.integers(1, 4))
def test_chains_are_every_sequence_of_purposes_once_shortest_first(purposes: tuple[str, ...], most: int) -> None:
    axis = ChainAxis("chain", purposes, most)
    chains = [c for n in range(1, most + 1) for c in itertools.product(range(len(purposes)), repeat=n)]
    assert axis.size == len(chains) == axis.offsets[-1]
    assert [axis.stays(code) for code in range(axis.size)] == chains
    assert [axis.encode(chain) for chain in chains] == list(range(axis.size))
    labels = ["-".join(purposes[p] for p in chain) for chain in chains]
    assert [axis.label(code) for code in range(axis.size)] == labels
    assert [axis.code(label) for label in labels] == list(range(axis.size))


def test_a_shorter_chain_axis_has_the_same_codes() -> None:
    """Tables of times count the shorter chains on an axis of their own: one code must mean one chain on both."""
    long, short = ChainAxis("chain", PURPOSES, 5), ChainAxis("chain", PURPOSES, 3)
    assert [long.label(c) for c in range(short.size)] == [short.label(c) for c in range(short.size)]


@pytest.mark.parametrize("label", ["", "home-", "home-shopping", "home-work-home-work", "home work"])
def test_what_is_no_chain_has_no_code(label: str) -> None:
    with pytest.raises(KeyError):
        ChainAxis("chain", ("home", "work"), 3).code(label)


@pytest.mark.parametrize("stays", [[], [0] * 4])
def test_a_chain_that_is_empty_or_too_long_has_no_code(stays: list[int]) -> None:
    with pytest.raises(ValueError, match="a chain has 1 to 3 stays"):
        ChainAxis("chain", ("home", "work"), 3).encode(stays)


def test_a_chain_axis_describes_itself_by_its_purposes() -> None:
    assert ChainAxis("chain", ("home", "work"), 3).describe() == {
        "name": "chain", "chain_of": ["home", "work"], "max_stays": 3}  # fmt: skip


@given(st.lists(st.integers(1, 2000), unique=True).map(lambda inner: (0, *sorted(inner))))
def test_bins_have_a_label_each(edges: tuple[int, ...]) -> None:
    labels = bin_labels(edges)
    assert len(labels) == len(edges) == len(set(labels))
    assert labels[-1] == f"{edges[-1]}+"
    assert all(label == f"{a}-{b}" for label, (a, b) in zip(labels, itertools.pairwise(edges), strict=False))


def test_the_standard_domain_has_room_for_what_it_does_not_know() -> None:
    domain = Domain()
    assert all(labels[-1] == "other" for labels in (domain.sex, domain.age_band, domain.purposes, domain.modes))
    assert (domain.sex, domain.age_band, domain.purposes, domain.modes) == (SEX, AGE_BAND, PURPOSES, MODES)
    assert WORKER == ("yes", "no") and DAY_TYPES == ("weekday", "saturday", "sunday")
    assert domain.chain_axis == ChainAxis("chain", PURPOSES, 8)
    for edges in (domain.distance_edges_km, domain.duration_edges_min, domain.travel_edges_min):
        assert Axis("bins", bin_labels(edges)).size == len(edges)


def test_duties_are_work_and_education_where_there_is_one() -> None:
    assert Domain().duties == (1, 2)
    assert Domain(purposes=("home", "work", "shop", "education")).duties == (1, 3)
    assert Domain(purposes=("home", "work")).duties == (1,)


@pytest.mark.parametrize(("age_band", "pupils"), [
    (("0-15", "16-24", "other"), (0,)), (("0-5", "6 - 17", "18-64", "65+"), (0, 1)), (("0-18", "other"), ()), (("other",), ()),
])  # fmt: skip
def test_pupils_are_in_age_bands_that_end_below_18(age_band: tuple[str, ...], pupils: tuple[int, ...]) -> None:
    domain = Domain(age_band=age_band)
    assert domain.pupil_bands == pupils
    assert domain.segments == (*PURPOSES, *((PUPILS,) if pupils else ()))
    assert [PURPOSES[k] for k in domain.purpose_of] == [*PURPOSES, *(("education",) if pupils else ())]
    assert domain.segment_duties == (1, 2, *((6,) if pupils else ()))
    taken = Domain(age_band=age_band, purposes=("home", "work", "education", PUPILS))
    assert taken.segments == taken.purposes  # a purpose of that name is not counted twice


@pytest.mark.parametrize(("changes", "says"), [
    ({"purposes": ()}, "must begin with home and work"),
    ({"purposes": ("home",)}, "must begin with home and work"),
    ({"purposes": ("work", "home", "other")}, "must begin with home and work"),
    ({"purposes": ("home", "work", *map(str, range(61)))}, "63 purposes: at most 62 can be counted"),
    ({"distance_edges_km": ()}, "distance_edges_km must start at 0 and rise"),
    ({"distance_edges_km": (1.0, 2.0)}, "distance_edges_km must start at 0 and rise"),
    ({"duration_edges_min": (0, 5, 5)}, "duration_edges_min must start at 0 and rise"),
    ({"travel_edges_min": (0, 9, 3)}, "travel_edges_min must start at 0 and rise"),
    ({"attributes": ("sex", "income")}, "the attribute 'income': only sex and age_band can be read"),
])  # fmt: skip
def test_a_domain_that_cannot_be_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(PlanError, match=says):
        Domain(**changes)
