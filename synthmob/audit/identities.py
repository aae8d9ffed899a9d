"""What noisy tables say together: sums that tables have in common, and the precision of the best estimate of any group.

Every released cell is its true count plus independent noise of a known sigma. Tables share margins: home zones add up to home
districts, and those to the districts of home x sex x age. Where two tables have the same sums over their common axes, the attacker
knows an identity between their cells; conditioning the noisy cells on all identities gives the best linear unbiased estimate of
every cell (the generalised least squares of Hay, Rastogi, Miklau, Suciu 2010, doi:10.14778/1920841.1920970), whose variances are
those of S - S C' (C S C')^-1 C S, with S the noise variances and C the identities. They do not depend on the counts.

The attacker is granted more than there is: all cells, also those that the cut holds back, and every identity that in truth holds to
half a percent, known or not.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.domain import AnyAxis
from synthmob.marginals import unravel
from synthmob.published.margins import ZONE_AXES
from synthmob.zones import Zoning

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

MOST_CELLS, MOST_SUMS = 20_000, 1_500
"""Larger tables have no identities here, nor do pairs of tables with more common sums: an attacker gains little from them."""
_WITHIN, _PERSON = 5e-3, 0.5
_CHUNK = 1_000


@dataclass(frozen=True, eq=False)
class NoisyTable:
    """A released table: its name ('home@zone' has the level zone), axes, noise, true counts and which cells were published.

    `counts` float64 and `published` bool of shape (cells,), row-major over the whole domain.
    """

    name: str
    axes: tuple[AnyAxis, ...]
    sigma: float
    counts: FloatArray
    published: npt.NDArray[np.bool_]

    @property
    def level(self) -> str:
        """The level of its zones."""
        return self.name.partition("@")[2]


@dataclass(frozen=True, eq=False)
class Shared:
    """Sums that two tables have in common: for every cell of either, the sum that it belongs to, shape (cells,) each."""

    first: int
    second: int
    of_first: IntArray
    of_second: IntArray
    sums: FloatArray


@dataclass(frozen=True, eq=False)
class Identities:
    """Noisy tables and the sums that they share."""

    tables: Sequence[NoisyTable]
    shared: Sequence[Shared]

    @cached_property
    def starts(self) -> IntArray:
        """Where each table's cells begin when all cells stand in one row."""
        return np.concatenate([[0], np.cumsum([len(table.counts) for table in self.tables])])

    @cached_property
    def variances(self) -> FloatArray:
        """The noise variance of every cell, shape (cells of all tables,)."""
        return np.concatenate([np.full(len(table.counts), table.sigma**2) for table in self.tables])

    @cached_property
    def _matrix(self) -> Any:
        """One row per identity: the cells of the one table minus the cells of the other."""
        from scipy import sparse

        n_cells = int(self.starts[-1])
        blocks: list[Any] = [sparse.csr_matrix((0, n_cells))]
        for pair in self.shared:
            rows = np.concatenate([pair.of_first, pair.of_second])
            cells = np.concatenate([
                self.starts[table] + np.arange(len(of)) for table, of in ((pair.first, pair.of_first), (pair.second, pair.of_second))])
            signs = np.concatenate([np.ones(len(pair.of_first)), -np.ones(len(pair.of_second))])
            blocks.append(sparse.csr_matrix((signs, (rows, cells)), shape=(len(pair.sums), n_cells)))
        return sparse.vstack(blocks).tocsr()

    @cached_property
    def _factor(self) -> Any:
        """The Cholesky factor of C S C', a trifle added because some identities follow from others."""
        from scipy import linalg, sparse

        inner = (self._matrix @ sparse.diags(self.variances) @ self._matrix.T).toarray()
        inner[np.diag_indices_from(inner)] += 1e-10 * max(float(inner.diagonal().max()), 1e-30)
        return linalg.cho_factor(inner, overwrite_a=True)

    def summed(self, table: int, of: IntArray, kept: npt.NDArray[np.bool_] | None = None) -> Any:
        """Groups of cells of one table, `of` the group of each and those not `kept` in none: sparse, (groups, cells of all tables)."""
        from scipy import sparse

        cells = np.arange(len(of)) if kept is None else np.flatnonzero(kept)
        shape = (int(of.max()) + 1, int(self.starts[-1]))
        return sparse.csr_matrix((np.ones(len(cells)), (of[cells], self.starts[table] + cells)), shape=shape)

    def alike(self, table: int) -> IntArray:
        """For every cell of a table, a number that cells share which stand in the same identities: they are known equally well."""
        of = [pair.of_first for pair in self.shared if pair.first == table]
        of += [pair.of_second for pair in self.shared if pair.second == table]
        if not of:
            return np.zeros(len(self.tables[table].counts), dtype=np.int64)
        return np.unique(np.column_stack(of), axis=0, return_inverse=True)[1].ravel().astype(np.int64)

    def sigmas(self, groups: Any) -> FloatArray:
        """The standard deviation of the best estimate of sums of cells; `groups` is sparse of shape (groups, cells of all tables)."""
        from scipy import linalg, sparse

        out = np.empty(groups.shape[0])
        for first in range(0, len(out), _CHUNK):
            chunk = groups[first : first + _CHUNK]
            weighted = chunk @ sparse.diags(self.variances)
            alone = np.asarray(weighted.multiply(chunk).sum(axis=1)).ravel()
            if self._matrix.shape[0]:
                against = (weighted @ self._matrix.T).toarray().T
                alone = alone - (against * linalg.cho_solve(self._factor, against)).sum(axis=0)
            out[first : first + _CHUNK] = np.sqrt(np.maximum(alone, 0.0))
        return out


def identities(tables: Mapping[str, NoisyTable], zoning: Zoning) -> Identities:
    """The identities between tables: for each two, their sums over all common axes, where these agree in truth."""
    small = [table for table in tables.values() if len(table.counts) <= MOST_CELLS]
    found = [
        pair for (i, a), (j, b) in itertools.combinations(enumerate(small), 2)
        if (pair := _shared(i, a, j, b, zoning)) is not None]  # fmt: skip
    return Identities(small, found)


def _shared(i: int, a: NoisyTable, j: int, b: NoisyTable, zoning: Zoning) -> Shared | None:
    """What two tables have in common, None where that is nothing or where their sums differ."""
    of_a, of_b = np.zeros(len(a.counts), dtype=np.int64), np.zeros(len(b.counts), dtype=np.int64)
    codes_a, codes_b = (unravel(np.arange(len(t.counts)), t.axes) for t in (a, b))
    size = 1
    for k, axis in enumerate(a.axes):
        common = _common(axis, a.level, [(other, m) for m, other in enumerate(b.axes) if other.name == axis.name], b.level, zoning)
        if common is not None:
            to_a, to_b, m, n = common
            of_a, of_b, size = of_a * n + to_a[codes_a[:, k]], of_b * n + to_b[codes_b[:, m]], size * n
    if size > MOST_SUMS:
        return None
    sums, others = (np.bincount(of, weights=t.counts, minlength=size).astype(np.float64) for of, t in ((of_a, a), (of_b, b)))
    if sums.sum() == 0 or not np.allclose(sums, others, rtol=_WITHIN, atol=_PERSON):
        return None
    return Shared(i, j, of_a, of_b, sums)


def _common(
    axis: AnyAxis, level: str, others: list[tuple[AnyAxis, int]], other_level: str, zoning: Zoning
) -> tuple[IntArray, IntArray, int, int] | None:
    """The common codes of an axis's own codes and of another table's, which axis of it that is, and how many there are."""
    if not others:
        return None
    other, position = others[0]
    own = np.arange(axis.size)
    if axis.name not in ZONE_AXES or level == other_level:
        return (own, own, position, axis.size) if axis == other else None
    names = [one.name for one in zoning.levels]
    coarse = names[max(names.index(level), names.index(other_level))]
    parents, sizes = zoning.parent_of(coarse), len(zoning.level(coarse).labels) + 1
    to_own, to_other = (_upwards(one.size, zoning.parent_of(at), parents, sizes) for one, at in ((axis, level), (other, other_level)))
    return to_own, to_other, position, max(int(to_own.max()), int(to_other.max())) + 1


def _upwards(size: int, areas: IntArray, parents: IntArray, n_parents: int) -> IntArray:
    """The coarse code of every code of an axis of areas: outside after the areas, unknown after outside, where it has it."""
    out = n_parents + np.arange(size) - (int(areas.max()) + 1)
    out[areas] = parents
    return out
