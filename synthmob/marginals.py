"""A count over axes, with the noise that is known to be in it.

Cells are kept sparse: a row of codes and a value each. In a released marginal a missing cell was suppressed, which means
'its noisy count was below the cut', never zero. In a complete marginal (exact or synthetic) a missing cell is zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synthmob.domain import AnyAxis
from synthmob.errors import FormatError

MAX_DENSE_CELLS = 200_000_000


@dataclass(frozen=True, eq=False)
class Marginal:
    """Counts of people over axes.

    `codes` is int64 of shape (cells, axes), rows distinct and sorted; `values` float64 of shape (cells,), in persons.
    `sigma` is the noise's standard deviation and `cut` the least noisy count that is published, both in persons, 0 for
    exact counts. `confidential` travels with every exact count of real records: it may not be saved or shown outside.
    """

    name: str
    axes: tuple[AnyAxis, ...]
    codes: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    sigma: float = 0.0
    cut: float = 0.0
    bound_l2: float = 1.0
    confidential: bool = False

    def __post_init__(self) -> None:
        if self.codes.shape != (len(self.values), len(self.axes)):
            raise FormatError(f"Table {self.name!r} has codes of shape {self.codes.shape} for {len(self.values)} values "
                              f"and {len(self.axes)} axes: it is not a marginal.")
        _refuse_strange_codes(self.name, self.codes, self.axes)
        if not np.isfinite(self.values).all() or self.sigma < 0 or self.cut < 0:
            raise FormatError(f"Table {self.name!r} holds a value that is not a finite count: ask for it again.")
        flat = self.flat
        if len(flat) and (np.diff(flat) <= 0).any():
            raise FormatError(f"Table {self.name!r} has cells twice or out of order: build it with Marginal.of.")

    @classmethod
    def of(cls, name: str, axes: Sequence[AnyAxis], codes: npt.ArrayLike, values: npt.ArrayLike, **rest: object) -> Marginal:
        """A marginal from rows in any order, equal rows added up."""
        table = np.asarray(codes, dtype=np.int64).reshape(-1, len(axes))
        _refuse_strange_codes(name, table, axes)  # before equal cells are added up: a strange code can look like another cell
        flat = ravel(table, axes)
        cells, first, inverse = np.unique(flat, return_index=True, return_inverse=True)
        sums = np.bincount(inverse, weights=np.asarray(values, dtype=np.float64), minlength=len(cells))
        return cls(name, tuple(axes), table[first], sums, **rest)  # pyright: ignore[reportArgumentType]  (checked by the constructor)

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return tuple(axis.size for axis in self.axes)

    @property
    def n_domain(self) -> int:
        """How many cells the public domain has."""
        return int(np.prod([float(s) for s in self.shape]))

    @property
    def flat(self) -> npt.NDArray[np.int64]:
        """Row-major index of every cell, shape (cells,)."""
        return ravel(self.codes, self.axes)

    @property
    def axis_names(self) -> tuple[str, ...]:
        """The names of the axes, in order."""
        return tuple(axis.name for axis in self.axes)

    @property
    def total(self) -> float:
        """The sum of the cells that are there."""
        return float(self.values.sum())

    def dense(self, missing: float = 0.0) -> npt.NDArray[np.float64]:
        """The full array, `missing` in every absent cell; FormatError where it would not fit in memory."""
        if self.n_domain > MAX_DENSE_CELLS:
            raise FormatError(f"Table {self.name!r} has {self.n_domain} cells: too many for a dense array.")
        out = np.full(self.n_domain, missing)
        out[self.flat] = self.values
        return out.reshape(self.shape)

    def project(self, names: Sequence[str]) -> Marginal:
        """Sums over all axes but `names`, in the order of `names`."""
        keep = [self.axis_names.index(n) for n in names]
        return replace(
            Marginal.of(self.name, [self.axes[k] for k in keep], self.codes[:, keep], self.values),
            sigma=self.sigma, cut=self.cut, bound_l2=self.bound_l2, confidential=self.confidential,
        )

    def normalised(self, total: float = 1.0) -> Marginal:
        """The same shape with that total; itself where it is empty."""
        scale = total / self.total if self.total > 0 else 1.0
        return replace(self, values=self.values * scale, sigma=self.sigma * scale, cut=self.cut * scale)


def _refuse_strange_codes(name: str, codes: npt.NDArray[np.int64], axes: Sequence[AnyAxis]) -> None:
    sizes = np.array([axis.size for axis in axes], dtype=np.int64)
    if len(codes) and ((codes < 0) | (codes >= sizes)).any():
        raise FormatError(f"Table {name!r} has a code outside its axes: it is damaged, ask for it again.")


def ravel(codes: npt.NDArray[np.int64], axes: Sequence[AnyAxis]) -> npt.NDArray[np.int64]:
    """Row-major index of rows of codes, shape (rows,)."""
    flat = np.zeros(len(codes), dtype=np.int64)
    for column, axis in enumerate(axes):
        flat = flat * axis.size + codes[:, column]
    return flat


def unravel(flat: npt.NDArray[np.int64], axes: Sequence[AnyAxis]) -> npt.NDArray[np.int64]:
    """Rows of codes of row-major indices, shape (rows, axes)."""
    out = np.empty((len(flat), len(axes)), dtype=np.int64)
    rest = flat
    for column in range(len(axes) - 1, -1, -1):
        rest, out[:, column] = np.divmod(rest, axes[column].size)
    return out
