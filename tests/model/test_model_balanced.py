"""Balancing: known sums of a table with cells that were cut are met where the release says least."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synthmob.model import reconcile
from synthmob.model.balancing import balanced
from synthmob.model.reconcile import Noisy


def groups_of_lengths(seed: int) -> tuple[Any, Noisy, list[tuple[Any, Any]]]:
    """Groups of like habits but unlike sizes, of which the small ones fall below the cut, and the sums of both axes."""
    rng = np.random.default_rng(seed)
    people, habits = rng.integers(100, 2_000, (2, 3, 4)), rng.dirichlet(np.full(9, 1.5), 2)
    truth = people[..., None] * habits[:, None, None, :] * rng.gamma(40.0, 1 / 40.0, (2, 3, 4, 9))
    noisy = truth + rng.normal(0, 40.0, truth.shape)
    contexts, bins = np.indices((24, 9))
    margins = [(contexts, truth.sum(axis=-1).ravel()), (bins, truth.sum(axis=(0, 1, 2)))]
    return truth, Noisy(np.where(noisy >= 130.0, noisy, np.nan), 40.0, 130.0), margins


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_published_cells_leave_of_known_sums_is_where_cells_were_cut(seed: int) -> None:
    truth, noisy, margins = groups_of_lengths(seed)
    found = balanced(noisy, margins)
    for codes, totals in margins:
        assert np.bincount(codes.ravel(), weights=found.ravel()) == pytest.approx(totals, rel=0.02, abs=5)
    seen = noisy.published
    off = np.abs(found - truth)
    assert (off[seen] < 4 * 40.0).all()
    known_context = reconcile.rake(reconcile.backed_off(noisy, truth.sum(axis=-1)).reshape(24, 9), margins, rounds=20).reshape(truth.shape)
    assert off.sum() < 0.9 * np.abs(known_context - truth).sum()
    assert off[~seen].sum() < 0.8 * truth[~seen].sum()
