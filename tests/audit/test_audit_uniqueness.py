"""Unicity by hand, at its ends, and whether points of people find copies of them."""

from __future__ import annotations

import re

import numpy as np
import pytest
from disclosure_people import by_chance, independent, operator, quiet, released, trial
from hypothesis import given
from hypothesis import strategies as st

from synthmob.audit import uniqueness
from synthmob.audit.evidence import Evidence
from synthmob.audit.subject import Subject, Trial
from synthmob.audit.uniqueness import POINTS, Points, drawn, fits


def attacked(subject: Subject, found: Trial) -> dict[str, Evidence]:
    return {row.name: row for row in uniqueness.attack(subject, found, np.random.default_rng(3), quiet)}


@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 2**20))
def test_points_are_of_the_trace_and_at_distinct_hours(people: int, hours: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    traces = rng.integers(-1, 3, size=(people, hours)).astype(np.int32)
    n = int(rng.integers(1, hours + 1))
    enough = np.flatnonzero((traces >= 0).sum(axis=1) >= n)
    points = drawn(traces, np.arange(people), n, rng)
    assert points.hours.shape == (len(enough), n)
    for who, at, zones in zip(enough, points.hours, points.zones, strict=True):
        assert len(set(at.tolist())) == n and (zones >= 0).all() and (traces[who, at] == zones).all()
    counts = fits(points, traces)
    assert (counts >= 1).all()
    assert (fits(points.first(1), traces) >= counts).all()


def test_every_hour_is_drawn_alike() -> None:
    points = drawn(np.zeros((4_000, 4), dtype=np.int32), np.arange(4_000), 2, np.random.default_rng(1))
    assert np.abs(np.bincount(points.hours.ravel(), minlength=4) - 2_000).max() < 160  # five sigmas of a share of a half
    assert np.abs(np.bincount(points.hours[:, 0], minlength=4) - 1_000).max() < 140


def test_fits_by_hand() -> None:
    crowd = np.array([[1, 2, 3], [1, 2, 4], [1, 5, 3], [-1, 2, 3]], dtype=np.int32)
    points = Points(np.array([[0, 1], [1, 2], [0, 2]]), np.array([[1, 2], [2, 3], [1, 9]], dtype=np.int32))
    assert fits(points, crowd).tolist() == [2, 2, 0]
    assert fits(points.first(1), crowd).tolist() == [3, 3, 3]


@pytest.mark.parametrize(("own", "share"), [(True, 1.0), (False, 0.0)])
def test_unicity_at_its_ends(own: bool, share: float) -> None:
    traces = np.repeat(np.arange(50)[:, None] if own else np.zeros((50, 1)), 24, axis=1).astype(np.int32)
    points = drawn(traces, np.arange(50), 2, np.random.default_rng(1))
    assert (fits(points, traces) == 1).mean() == share


def test_copied_people_are_found() -> None:
    members, _ = released()
    rows = attacked(operator(), trial(members))
    for n in (*POINTS, "all"):
        row = rows[f"matched_{n}"]
        of_others = re.search(r"for ([\d.]+)% of people who are not in it", row.sentence)
        assert of_others and row.value == pytest.approx(1.0 - float(of_others[1]) / 100, abs=6e-4) and row.control == 0.0
        assert row.passed is False and row.low > row.limit > 0
    assert rows["matched_all"].value > 0.7


def test_copies_are_as_unique_as_the_people() -> None:
    """The same crowd twice, with other points of the same traces."""
    members, _ = released()
    rows = attacked(operator(), trial(members))
    for n in POINTS:
        real, made = rows[f"unicity_real_{n}"], rows[f"unicity_synthetic_{n}"]
        assert made.control == real.value and abs(made.value - real.value) < 0.14
    assert rows["unicity_real_2"].value < rows["unicity_real_3"].value < rows["unicity_real_4"].value


def test_other_people_are_not_found_by_members_points() -> None:
    """Synthetic people who are other real people: members and controls fit them alike."""
    rows = attacked(*independent())
    for n in (*POINTS, "all"):
        row = rows[f"matched_{n}"]
        assert row.passed and by_chance(row)
