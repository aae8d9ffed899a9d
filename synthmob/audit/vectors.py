"""People as vectors over the cells of all tables: what an attacker who knows somebody's record holds against a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synthmob.accounting import FIXED_POINT
from synthmob.counts import STATISTICS, Contributions, bounded, cells, coded
from synthmob.marginals import Marginal

if TYPE_CHECKING:
    import pyarrow as pa

    from synthmob.audit.subject import Subject

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def of_lives(contributions: Mapping[str, Contributions]) -> dict[str, Contributions]:
    """The tables that people without events can be compared by: all but those of usage."""
    return {name: table for name, table in contributions.items() if STATISTICS[name.partition("@")[0]].word != "usage"}


@dataclass(frozen=True, eq=False)
class Vectors:
    """One row a person, one column a cell: their bounded part of it, in persons. Confidential where the people are real.

    `people` is a SciPy CSR matrix of float64, (people, columns). The columns of table `tables[k]` run from `first[k]` to
    `first[k + 1]`, in the order of `cells`, row-major indices of the table's public domain; `sigma` is each column's noise, in persons.
    """

    people: Any
    tables: tuple[str, ...]
    first: IntArray
    cells: IntArray
    sigma: FloatArray

    @staticmethod
    def of(contributions: Mapping[str, Contributions], *, whole_domain: bool = False) -> Vectors:
        """All tables side by side; columns are the cells that hold anybody, or with `whole_domain` every cell there is.

        >>> one = Contributions("t", (), 2, *(np.array(a) for a in ([0, 1], [5, 7], [1024, 512])), 1.0, 20.0)
        >>> Vectors.of({"t": one}).people.toarray().tolist()
        [[1.0, 0.0], [0.0, 0.5]]
        """
        from scipy import sparse

        blocks: list[Any] = []
        found: list[IntArray] = []
        for table in contributions.values():
            if whole_domain:
                columns, place = np.arange(table.n_domain, dtype=np.int64), table.cells
            else:
                columns, place = np.unique(table.cells, return_inverse=True)
            shape = (table.n_persons, len(columns))
            blocks.append(sparse.csr_matrix((table.fixed / FIXED_POINT, (table.persons, place)), shape=shape))
            found.append(columns)
        sigma = [np.full(len(c), t.sigma) for c, t in zip(found, contributions.values(), strict=True)]
        first = np.cumsum([0, *(len(c) for c in found)], dtype=np.int64)
        return Vectors(sparse.hstack(blocks).tocsr(), tuple(contributions), first, np.concatenate(found), np.concatenate(sigma))

    def totals(self, counts: FloatArray) -> dict[str, tuple[IntArray, IntArray]]:
        """Counts of all columns, in persons, as a mechanism takes them: occupied cells and 1/1024 person by table."""
        fixed = np.rint(counts * FIXED_POINT).astype(np.int64)
        out: dict[str, tuple[IntArray, IntArray]] = {}
        for k, name in enumerate(self.tables):
            here = slice(int(self.first[k]), int(self.first[k + 1]))
            held = fixed[here] > 0
            out[name] = self.cells[here][held], fixed[here][held]
        return out

    def published(self, marginals: Mapping[str, Marginal]) -> tuple[FloatArray, BoolArray, FloatArray]:
        """Of every column: the released count (0 where there is none), whether there is one, and the table's cut, in persons."""
        values, cuts = np.zeros(len(self.cells)), np.zeros(len(self.cells))
        shown = np.zeros(len(self.cells), dtype=np.bool_)
        for k, name in enumerate(self.tables):
            here = slice(int(self.first[k]), int(self.first[k + 1]))
            place, known = _places(marginals[name].flat, self.cells[here])
            values[here][place[known]] = marginals[name].values[known]
            shown[here][place[known]] = True
            cuts[here] = marginals[name].cut
        return values, shown, cuts

    def of_others(self, subject: Subject, persons: pa.Table, stays: pa.Table) -> Any:
        """Other people (Arrow tables of PERSONS and STAYS) over the same columns and one more, a CSR matrix (people, columns + 1).

        They are counted by the plan of the subject, bounds included, and not rounded. The last column is the length of what they
        add to cells outside the columns, so that Euclidean distances to the subject's people are right.
        """
        import ibis
        from scipy import sparse

        from synthmob import engine

        ids = np.sort(persons["person_id"].to_numpy())
        backend = engine.connect()
        try:
            table = coded(
                backend, ibis.memtable(persons), ibis.memtable(stays), subject.zoning, subject.plan.domain, subject.period, name="others")
            rows, columns, weights = [], [], []
            for request in subject.plan.requests:
                if request.name not in self.tables:
                    continue
                found = backend.to_pyarrow(bounded(cells(STATISTICS[request.statistic], table, request.level), request.bound_l2))
                k = self.tables.index(request.name)
                place, known = _places(found["cell"].to_numpy(), self.cells[self.first[k] : self.first[k + 1]])
                rows.append(np.searchsorted(ids, found["person_id"].to_numpy()))
                columns.append(np.where(known, self.first[k] + place, len(self.cells)))
                weights.append(found["weight"].to_numpy())
        finally:
            backend.disconnect()
        row, column, weight = (np.concatenate(parts) for parts in (rows, columns, weights))
        inside = column < len(self.cells)
        elsewhere = np.sqrt(np.bincount(row[~inside], weights=weight[~inside] ** 2, minlength=len(ids)))
        matrix = sparse.csr_matrix((weight[inside], (row[inside], column[inside])), shape=(len(ids), len(self.cells)))
        return sparse.hstack([matrix, sparse.csr_matrix(elsewhere[:, None])]).tocsr()


def _places(wanted: IntArray, among: IntArray) -> tuple[IntArray, BoolArray]:
    """Where each cell stands in a sorted list of cells, and whether it does."""
    if not len(among):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=np.bool_)
    place = np.minimum(np.searchsorted(among, wanted), len(among) - 1)
    return place, among[place] == wanted
