"""The least and the most that hidden cells of published tables can be: what an attacker learns by differencing.

The attacker's problem of Fischetti and Salazar 2001 (doi:10.1287/mnsc.47.7.1008.9805). First the bounds of all cells are passed along
the margins until they stand, which needs no program. Then, for the cells asked for, a linear program for each end that no solution
has been seen at; any solution is a witness for every cell. Cells are whole people, so the ends of a linear program are rounded
inwards; it may still allow more than whole tables would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.errors import FormatError
from synthmob.published.differencing import FloatArray, Grid, Margin, Program, program_of

IntArray = npt.NDArray[np.int64]

_ROUNDS = 100
_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Ranges:
    """What is known of each of some hidden cells, shape (cells,): it is from `low` to `high`, where 0 to `top` is promised."""

    low: FloatArray
    high: FloatArray
    top: float

    @property
    def narrowed(self) -> npt.NDArray[np.bool_]:
        """Which cells are known better than the threshold promises."""
        return self.high - self.low < self.top

    @property
    def exact(self) -> npt.NDArray[np.bool_]:
        """Which cells are known to the person."""
        return self.high == self.low


def hidden_ranges(grids: Sequence[Grid], margins: Sequence[Margin], top: float, rounding: float = 0.0, most: int = 200) -> Ranges:
    """The range of every hidden cell, in the order of the grids, or of `most` of them evenly spread; `top` is the largest hidden count.

    `rounding` is the base to which the publisher rounds. FormatError where no values fit.

    >>> row = [Grid("cells", np.array([np.nan, np.nan, 7.0]), str), Grid("sum", np.array([8.0]), str)]
    >>> found = hidden_ranges(row, [Margin(0, 1, np.zeros(3, dtype=np.int64))], 4.0)
    >>> found.low.tolist(), found.high.tolist()
    ([0.0, 0.0], [1.0, 1.0])
    """
    program = program_of(grids, margins, top, rounding)
    low, high = _passed_along(program)
    part = _parts(program)
    n = len(low)
    asked = np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(np.int64)
    for number in np.unique(part[asked]):
        cells = np.flatnonzero(part == number)
        _settle(_piece(program, cells, low[cells], high[cells]), np.isin(cells, asked), cells, low, high)
    return Ranges(low[asked], high[asked], top)


@dataclass(frozen=True)
class _Piece:
    """The program of cells that have nothing to do with the others."""

    rows: Any
    low: FloatArray
    high: FloatArray
    least: FloatArray
    most: FloatArray


def _passed_along(program: Program) -> tuple[FloatArray, FloatArray]:
    """The ends of every cell after passing bounds along the rows until nothing changes."""
    n_rows, n_cells = program.rows.shape
    low, high = np.zeros(n_cells), np.full(n_cells, program.top)
    entries = program.rows.tocoo()
    row, cell, plus = entries.row, entries.col, entries.data > 0
    for _ in range(_ROUNDS):
        down, up = np.where(plus, low[cell], -high[cell]), np.where(plus, high[cell], -low[cell])
        sums_down, sums_up = (np.bincount(row, weights=side, minlength=n_rows) for side in (down, up))
        at_most = program.high[row] - (sums_down[row] - down)  # of the cell times its sign
        at_least = program.low[row] - (sums_up[row] - up)
        new_low, new_high = low.copy(), high.copy()
        np.maximum.at(new_low, cell, np.ceil(np.where(plus, at_least, -at_most) - _TOLERANCE))
        np.minimum.at(new_high, cell, np.floor(np.where(plus, at_most, -at_least) + _TOLERANCE))
        if (new_low > new_high).any():
            raise FormatError(_contradiction())
        if (new_low == low).all() and (new_high == high).all():
            break
        low, high = new_low, new_high
    return low, high


def _parts(program: Program) -> IntArray:
    """For every cell, the number of the set of cells that rows tie to each other."""
    from scipy import sparse
    from scipy.sparse import csgraph

    n_rows, n_cells = program.rows.shape
    if not n_rows or not n_cells:
        return np.arange(n_cells)
    ties = sparse.bmat([[None, program.rows.T], [program.rows, None]])
    return csgraph.connected_components(ties, directed=False)[1][:n_cells].astype(np.int64)


def _piece(program: Program, cells: IntArray, low: FloatArray, high: FloatArray) -> _Piece:
    columns = program.rows[:, cells]
    rows = np.flatnonzero(np.diff(columns.indptr))
    return _Piece(columns[rows], program.low[rows], program.high[rows], low, high)


def _settle(piece: _Piece, asked: npt.NDArray[np.bool_], cells: IntArray, low: FloatArray, high: FloatArray) -> None:
    """Find both ends of the cells asked for, in place."""
    seen: list[FloatArray] = [piece.most, piece.least]  # the least and the most that each cell has in some solution
    together = asked.astype(np.float64)
    for wish in (together, -together):  # such a solution puts many cells at an end
        _witness(piece, wish, seen)
    for position in np.flatnonzero(asked):
        wish, cell = np.zeros(len(cells)), cells[position]
        for sense, ends, end, inwards in ((1.0, high, 1, np.floor), (-1.0, low, 0, np.ceil)):
            if abs(seen[end][position] - ends[cell]) > _TOLERANCE:
                wish[position] = sense
                ends[cell] = inwards(_witness(piece, wish, seen)[position] + sense * _TOLERANCE)


def _witness(piece: _Piece, wish: FloatArray, seen: list[FloatArray]) -> FloatArray:
    """A solution that has the most of what is wished for, noted; FormatError where there is none at all."""
    from scipy import optimize

    low: Any = piece.low - _TOLERANCE
    high: Any = piece.high + _TOLERANCE
    bounds: Any = (piece.least, piece.most)
    result: Any = optimize.milp(-wish, constraints=[optimize.LinearConstraint(piece.rows, low, high)], bounds=optimize.Bounds(*bounds))
    if result.x is None:
        raise FormatError(_contradiction())
    seen[0], seen[1] = np.minimum(seen[0], result.x), np.maximum(seen[1], result.x)
    return result.x


def _contradiction() -> str:
    return "The published tables do not add up to each other, whatever the hidden cells hold: check universes and rounding."
