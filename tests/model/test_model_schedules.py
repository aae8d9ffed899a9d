"""Schedules: every chain keeps its people, released tables move the days they are about, and a bounded day counts as in a release."""

from __future__ import annotations

from typing import Any

import handmade
import numpy as np
import pytest

from synthmob.counts import STATISTICS, Public
from synthmob.marginals import Marginal, unravel
from synthmob.model import schedules
from synthmob.model.chains import MAX_STAYS
from synthmob.model.mobility import duration_bins
from synthmob.model.reconcile import Noisy
from synthmob.model.timing import Timing
from synthmob.period import Period

LAW = handmade.chains(((0,), (0, 1, 0), (0, 3, 1, 0)))
TRAVEL = handmade.ways(np.tile(np.array([15.0]), (6, 1)))
DUTIES = handmade.DOMAIN.duties
BINS = duration_bins(handmade.DOMAIN)


def released(counts: dict[str, Any], *, cut: float = 1.0, bound_l2: float = 0.0) -> dict[str, Marginal]:
    """Exact tables of a Thursday; `counts` (cells,) by name, those under the cut suppressed; nothing is known of durations."""
    public = Public(handmade.zoning(), handmade.DOMAIN, Period.of("2026-03-05", 1))
    axes = tuple(STATISTICS["durations"].axes(public, ""))
    out = {"durations": Marginal("durations", axes, unravel(np.empty(0, dtype=np.int64), axes), np.empty(0), sigma=5.0, cut=1e9)}
    for name in counts:
        axes = tuple(STATISTICS[name].axes(public, ""))
        cells = np.ravel(counts[name])
        shown = np.flatnonzero(cells >= cut)
        out[name] = Marginal(name, axes, unravel(shown, axes), cells[shown], cut=cut, bound_l2=bound_l2)
    return out


def fitted(tables: dict[str, Marginal]) -> Timing:
    return schedules.fit_schedules(LAW, handmade.laws(LAW), tables, 0, BINS, DUTIES, TRAVEL, single_day=True)


def quarters(found: Timing) -> Any:
    """Persons by the quarter of their first departure."""
    goes = found.schedules[:, 0] >= 0
    return np.bincount(found.schedules[goes, 0], weights=found.weights[goes], minlength=96)


def test_every_chain_has_schedules_that_fit_it_and_all_its_people() -> None:
    found = fitted(released({}))
    chain = np.repeat(np.arange(3), np.diff(found.first))
    assert np.bincount(chain, weights=found.weights) == pytest.approx(LAW.weights)
    timed = np.arange(MAX_STAYS)[None, :] < LAW.lengths[chain][:, None] - 1
    assert ((found.schedules >= 0) == timed).all() and np.diff(found.first)[0] == 1


def test_released_departures_move_whole_days() -> None:
    """Everybody leaves in the second half of their own quarters, says the release; it says nothing of the rest of the day."""
    before = quarters(fitted(released({})))
    late = np.where(np.arange(96) % 2 == 1, 2.0, 0.0) * before
    late *= before.sum() / late.sum()
    kinds = np.zeros((3, 96))
    kinds[0] = late  # both chains with a trip are days with work
    found = quarters(fitted(released({"first_departure": kinds})))
    assert 0.5 * np.abs(found - late).sum() < 0.03 * late.sum() < 0.5 * np.abs(before - late).sum()


def test_what_the_published_cells_leave_is_in_the_suppressed_ones() -> None:
    before = quarters(fitted(released({})))
    peak = int(before.argmax())
    kinds = np.zeros((3, 96))
    kinds[0, peak] = 0.75 * before.sum()
    found = quarters(fitted(released({"first_departure": kinds}, cut=before.sum() / 2)))
    assert found[peak] == pytest.approx(0.75 * before.sum(), rel=0.05) and found.sum() == pytest.approx(before.sum())


def test_a_day_counts_as_the_release_bounds_it() -> None:
    """Three stays of one half in a cell are cut to 1; with one half in another the norm is 1.118, scaled down to a bound of 1."""
    day, cell = np.array([0, 0, 0, 0, 1]), np.array([2, 2, 2, 5, 5])
    noisy = Noisy(np.zeros((2, 3)), 0.0, 1.0)
    norm = np.hypot(1.0, 0.5)
    table = schedules._table(day, cell, 0.5, 1.0, noisy, 2, 2)
    assert table.value == pytest.approx([*[1 / 3 / norm] * 3, 0.5 / norm, 0.5])
    assert table.expected(np.array([10.0, 4.0])) == pytest.approx([0, 0, 10 / norm, 0, 0, 5 / norm + 2])
    assert schedules._table(day, cell, 0.5, 0.0, noisy, 2, 2).value == pytest.approx([0.5] * 5)
    assert table.group.tolist() == [0, 0, 0, 1, 1, 1]
