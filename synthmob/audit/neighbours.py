"""Synthetic people who are most like a given person: Gower's distance, summed over attributes, equals in random order.

Gower 1971 (doi:10.2307/2528823): an attribute of categories adds 1 where it differs, a number the difference over the range of the
number. Here the range is that among synthetic people, beyond which a difference counts as 1.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from synthmob.audit.attributes import Attributes, FloatArray

BLOCK = 50
"""How many people are compared with all synthetic ones at a time."""
_JITTER = 1e-9


def distances(targets: Attributes, synthetic: Attributes, rng: np.random.Generator) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
    """By blocks of targets: their rows, the distance by attribute (attributes, rows, synthetic), and what parts equals.

    The last is of shape (rows, synthetic), random and smaller than any true difference: add it to a sum of distances once.
    """
    width = np.ptp(synthetic.values, axis=0) if len(synthetic) else np.ones(len(synthetic.names))
    width = np.where(width > 0, width, 1.0)
    columns = [np.ascontiguousarray(column) for column in synthetic.values.T]
    for first in range(0, len(targets), BLOCK):
        rows = slice(first, min(first + BLOCK, len(targets)))
        block = targets.values[rows]
        apart = np.empty((len(columns), len(block), len(synthetic)))
        for k, column in enumerate(columns):
            if targets.categorical[k]:
                apart[k] = block[:, k, None] != column
            else:
                apart[k] = np.minimum(np.abs(block[:, k, None] - column) / width[k], 1.0)
        yield rows, apart, rng.random(apart.shape[1:]) * _JITTER


def nearest(apart: FloatArray, most: int) -> npt.NDArray[np.int64]:
    """The nearest synthetic people of each target, nearest first, shape (targets, most), from distances (targets, synthetic)."""
    most = min(most, apart.shape[1])
    found = np.argpartition(apart, most - 1, axis=1)[:, :most]
    order = np.argsort(np.take_along_axis(apart, found, axis=1), axis=1)
    return np.take_along_axis(found, order, axis=1).astype(np.int64)
