"""The share that bounding keeps, as the model reckons it, against the bounding that records go through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthmob import counts, engine
from synthmob.model import bias


def kept_by_counting(life: Any, cell: Any, n_cells: int, bound: float, part: float = 1.0) -> Any:
    """Weights kept and visits made by cell, by `counts.bounded` itself."""
    backend = engine.connect()
    try:
        visits = pd.DataFrame({"person_id": life, "cell": cell, "weight": part})
        rows = visits.groupby(["person_id", "cell"], as_index=False)["weight"].sum()
        table = backend.create_table("visits", rows, temp=True)
        found = backend.execute(counts.bounded(table, bound))
    finally:
        backend.disconnect()
    return (np.bincount(found["cell"], weights=found["weight"], minlength=n_cells), np.bincount(cell, minlength=n_cells) * part)


@pytest.mark.parametrize(("bound", "part"), [(1.0, 1.0), (1.75, 1.0), (2.5, 1.0), (100.0, 1.0), (0.3, 1 / 14), (1.0, 0.5)])
def test_the_share_kept_is_that_of_the_bounding_of_records(bound: float, part: float) -> None:
    rng = np.random.default_rng(1)
    life = np.sort(rng.integers(0, 3_000, 20_000)) * 7  # some people go out often, others not at all
    cell = rng.choice(40, 20_000, p=rng.dirichlet(np.ones(40)))
    group = np.repeat(np.arange(4), 10)
    kept, raw = kept_by_counting(life, cell, 40, bound, part)
    of_group = np.bincount(group, weights=kept) / np.bincount(group, weights=raw)
    want = (kept / part + bias.PRIOR_VISITS * of_group[group]) / (raw / part + bias.PRIOR_VISITS)
    assert bias.kept_share(life, cell, 40, bound, group, part) == pytest.approx(want, rel=1e-5)
    assert (bias.kept_share(life, cell, 40, bound, group, part) <= 1).all()


def test_a_bounded_table_divided_by_it_is_the_unbounded_one() -> None:
    rng = np.random.default_rng(2)
    busy = rng.choice(400, 60_000, p=rng.dirichlet(np.full(400, 0.3)))
    cell = rng.choice(12, 60_000)
    kept, raw = kept_by_counting(busy, cell, 12, 2.0)
    share = bias.kept_share(busy, cell, 12, 2.0, np.zeros(12, dtype=np.int64))
    assert (kept < 0.2 * raw).all() and kept / share == pytest.approx(raw, rel=0.03)


def test_what_nobody_visits_leans_on_its_group() -> None:
    life, cell, group = np.arange(100), np.zeros(100, dtype=np.int64), np.array([0, 0, 1])
    assert bias.kept_share(np.zeros(100, dtype=np.int64), cell, 3, 1.0, group) == pytest.approx([0.01, 0.01, 1.0], abs=1e-3)
    assert bias.kept_share(life, cell, 3, 1.0, group) == pytest.approx(1.0)


def test_a_table_counted_without_a_bound_keeps_everything() -> None:
    life, cell = np.zeros(50, dtype=np.int64), np.zeros(50, dtype=np.int64)
    assert bias.kept_share(life, cell, 2, 0.0, np.zeros(2, dtype=np.int64)).tolist() == [1.0, 1.0]
