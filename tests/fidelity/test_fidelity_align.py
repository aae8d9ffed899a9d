"""Sides of different cells, texts and orders are brought onto one list of cells without losing a person."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmob.errors import InputError
from synthmob.fidelity import align
from synthmob.fidelity.align import Pulled
from synthmob.fidelity.floor import true_counts

row = st.tuples(st.integers(0, 4), st.sampled_from(["x", "y", "z", "xy"]), st.integers(1, 9))


def _pulled(rows, *, person: bool) -> Pulled:
    """Rows with the texts in the order in which they first occur, as a backend gives them."""
    texts = tuple(dict.fromkeys(text for _, text, _ in rows))
    codes = {
        "a": np.array([a for a, _, _ in rows], dtype=np.int32),
        "text": np.array([texts.index(t) for _, t, _ in rows], dtype=np.int32),
    }
    weight = np.array([float(w) for _, _, w in rows])
    who = np.arange(len(rows), dtype=np.int32) if person else None
    return Pulled(codes, {"text": texts} if texts else {}, weight, who)


def _as_dict(cells: align.Cells, counts) -> dict[tuple[int, str], float]:
    keys = zip(cells.codes["a"].tolist(), (cells.texts["text"][c] for c in cells.codes["text"]), strict=True)
    return {key: value for key, value in zip(keys, counts.tolist(), strict=True) if value}


def _sums(rows) -> dict[tuple[int, str], float]:
    out: dict[tuple[int, str], float] = {}
    for a, text, weight in rows:
        out[a, text] = out.get((a, text), 0.0) + weight
    return out


@given(st.lists(row, min_size=1, max_size=15), st.lists(row, max_size=15), st.sampled_from([0, align.MAX_MASK_CELLS]))
@settings(max_examples=60)
def test_sums_survive_whichever_way_cells_are_found(truth, other, mask_cells):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(align, "MAX_MASK_CELLS", mask_cells)
        aligned = align.align(_pulled(truth, person=True), [_pulled(other, person=False)])
    assert _as_dict(aligned.cells, true_counts(aligned)) == _sums(truth)
    assert _as_dict(aligned.cells, aligned.others[0]) == _sums(other)
    assert aligned.cells.size == len(set(_sums(truth)) | set(_sums(other)))


def test_the_truth_needs_its_persons():
    with pytest.raises(InputError, match="without their persons"):
        align.align(_pulled([(0, "x", 1)], person=False), [])
