"""People added up by cell, a block at a time: only cells that anybody is in are kept, so that many zones need no large matrix."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
PENDING = 1_000_000
"""Rows that wait to be added up: at least as many as this, and as many as there are cells."""


def _no_cells() -> IntArray:
    return np.empty(0, dtype=np.int64)


def _no_people() -> FloatArray:
    return np.empty(0)


@dataclass
class Sums:
    """Cells in ascending order and the people in each; grows with `add`, in memory that grows with the distinct cells.

    >>> found = Sums()
    >>> found.add(np.array([7, 2, 7]), np.array([1.0, 1.0, 0.5]))
    >>> cells, people = found.total()
    >>> cells.tolist(), people.tolist()
    ([2, 7], [1.0, 1.5])
    """

    _cells: IntArray = field(default_factory=_no_cells)
    _people: FloatArray = field(default_factory=_no_people)
    _waiting: list[tuple[IntArray, FloatArray]] = field(default_factory=list[tuple[IntArray, FloatArray]])

    def add(self, cells: IntArray, people: FloatArray) -> None:
        """The people of a block, in the cells that they are in."""
        self._waiting.append(_merged(cells, people))
        if sum(len(part) for part, _ in self._waiting) > max(PENDING, len(self._cells)):
            self._merge()

    def total(self) -> tuple[IntArray, FloatArray]:
        """All cells that occurred, ascending, and the people in each."""
        self._merge()
        return self._cells, self._people

    def _merge(self) -> None:
        parts = [(self._cells, self._people), *self._waiting]
        self._cells, self._people = _merged(*(np.concatenate(part) for part in zip(*parts, strict=True)))
        self._waiting = []


def _merged(cells: IntArray, people: FloatArray) -> tuple[IntArray, FloatArray]:
    kept, of_row = np.unique(cells, return_inverse=True)
    return kept, np.bincount(of_row, weights=people, minlength=len(kept)).astype(np.float64)
