"""What contribution bounding does to a table, learnt from the model's own lives and undone.

Bounding caps a cell at 1 a person and scales busy people down, so released weights under-count whatever busy people do, such as
short trips. The same bounding applied to a sample of synthetic lives says by how much, cell by cell. Where tables are averages over
several days the lives have several, too: bounds bite less there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthmob.model.reconcile import FloatArray

IntArray = npt.NDArray[np.int64]
PRIOR_VISITS = 20.0


def kept_share(life: IntArray, cell: IntArray, n_cells: int, bound_l2: float, group: IntArray, part: FloatArray | float = 1.0
               ) -> FloatArray:
    """The share of each cell that bounding keeps, shape (n_cells,), cells of few visits leaning on their `group` (n_cells,).

    `life` and `cell` are one entry a visit: whose it is, and where it counts; each adds `part` of a person, the same for all of a
    cell. A table counted without a bound has a bound of 0.
    """
    if bound_l2 <= 0:
        return np.ones(n_cells)
    of_cell = np.ones(n_cells)
    of_cell[cell] = part
    pair, times = np.unique(life * n_cells + cell, return_counts=True)
    whose, where = np.divmod(pair, n_cells)
    weight = np.minimum(times * of_cell[where], 1.0)
    norm = np.sqrt(np.bincount(whose, weights=weight**2))[whose]
    kept = np.bincount(where, weights=weight * np.minimum(1.0, bound_l2 / norm), minlength=n_cells)
    raw = np.bincount(where, weights=times * of_cell[where], minlength=n_cells)
    n_groups = int(group.max()) + 1
    of_group = (np.bincount(group, weights=kept, minlength=n_groups) + 1e-6) / (np.bincount(group, weights=raw, minlength=n_groups) + 1e-6)
    return (kept + PRIOR_VISITS * of_cell * of_group[group]) / (raw + PRIOR_VISITS * of_cell)
