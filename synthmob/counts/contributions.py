"""What each of some persons adds to one table: for audits, which ask what a table would be with other people in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.domain import AnyAxis

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Contributions:
    """One row a person and cell: the person's bounded part of it in 1/1024 person. Confidential where the persons are real.

    `persons` (0 to n_persons - 1), `cells` (row-major indices over `axes`) and `fixed` are int64 of shape (rows,), sorted by
    person, then cell. `bound_l2` and `sigma` are those of the table in its release, in persons.
    """

    name: str
    axes: tuple[AnyAxis, ...]
    n_persons: int
    persons: IntArray
    cells: IntArray
    fixed: IntArray
    bound_l2: float
    sigma: float

    @property
    def n_domain(self) -> int:
        """How many cells the public domain has."""
        return int(np.prod([float(axis.size) for axis in self.axes]))

    def totals(self, chosen: npt.NDArray[np.bool_] | None = None) -> tuple[IntArray, IntArray]:
        """Occupied cells, ascending, and their counts in 1/1024 person, of the persons that are `chosen` (all by default).

        >>> two = Contributions("t", (), 2, *(np.array(a) for a in ([0, 1], [5, 5], [1024, 512])), 1.0, 20.0)
        >>> two.totals(), two.totals(np.array([True, False]))
        ((array([5]), array([1536])), (array([5]), array([1024])))
        """
        rows = slice(None) if chosen is None else chosen[self.persons]
        cells, inverse = np.unique(self.cells[rows], return_inverse=True)
        sums = np.zeros(len(cells), dtype=np.int64)
        np.add.at(sums, inverse, self.fixed[rows])
        return cells, sums

    def of(self, person: int) -> tuple[IntArray, IntArray]:
        """The cells of one person and what they add there, in 1/1024 person."""
        first, end = np.searchsorted(self.persons, [person, person + 1])
        return self.cells[first:end], self.fixed[first:end]
