"""What published margins give away of the cells that a threshold hides.

A suppressed cell is known to be 0 to threshold - 1. Published margins without noise can narrow that: a row total minus
its published cells is the sum of the hidden ones. Linear programming finds how far, as in the attacker's problem of
Fischetti and Salazar 2001 (doi:10.1287/mnsc.47.7.1008.9805). We ask one question only of every hidden cell, whether its
interval is the whole of 0 to threshold - 1, so one solution is a witness for every cell that it puts at an end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from synthmob.errors import FormatError

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

MAX_HIDDEN = 50_000
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Grid:
    """A published table over the cells that its publisher tabulates: one value each, NaN where it is hidden.

    `cell` puts a position into words.
    """

    name: str
    values: FloatArray
    cell: Callable[[int], str]


@dataclass(frozen=True)
class Margin:
    """Grid `coarse` sums up grid `fine`, by their positions in a list; `group` is the coarse cell of every fine one."""

    fine: int
    coarse: int
    group: IntArray


@dataclass(frozen=True)
class Program:
    """low <= rows @ x <= high over the hidden cells x, each from 0 to `top`."""

    rows: Any
    low: FloatArray
    high: FloatArray
    top: float


def refuse_differencing(grids: Sequence[Grid], margins: Sequence[Margin], top: float, rounding: float = 0.0) -> int:
    """FormatError where margins narrow a hidden cell to less than 0 to `top`; returns how many hidden cells they touch.

    `top` is the largest count that is hidden (the threshold less one, for whole persons). `rounding` is the base to
    which the publisher rounds, so that a published number is known within half of it. Tables that cannot all be true
    are refused too.
    """
    hidden = np.concatenate([np.isnan(grid.values) for grid in grids])
    starts = np.concatenate([[0], np.cumsum([len(grid.values) for grid in grids])])
    program = program_of(grids, margins, top, rounding)
    touched = np.flatnonzero(np.asarray(abs(program.rows).sum(axis=0)).ravel() > 0)
    if len(touched) > MAX_HIDDEN:
        raise FormatError(
            f"{len(touched)} hidden cells stand under margins, more than the {MAX_HIDDEN} that can be bounded: "
            "give coarser tables, or leave the margins out."
        )
    for sense in (1.0, -1.0):
        pending = np.zeros(int(hidden.sum()), dtype=bool)
        pending[touched] = True
        _witness(program, pending, sense, lambda cell: _cell_name(grids, starts, int(np.flatnonzero(hidden)[cell])))
    return len(touched)


def program_of(grids: Sequence[Grid], margins: Sequence[Margin], top: float, rounding: float = 0.0) -> Program:
    """One row per coarse cell: fine cells minus coarse cell is zero, what is published moved to the right-hand side."""
    from scipy import sparse

    hidden = np.concatenate([np.isnan(grid.values) for grid in grids])
    index = np.cumsum(hidden) - 1
    starts = np.concatenate([[0], np.cumsum([len(grid.values) for grid in grids])])
    blocks: list[Any] = []
    rights: list[FloatArray] = []
    slacks: list[FloatArray] = []
    for margin in margins:
        fine, coarse = grids[margin.fine].values, grids[margin.coarse].values
        entries = np.concatenate([np.ones(len(fine)), -np.ones(len(coarse))])
        rows = np.concatenate([margin.group, np.arange(len(coarse))])
        cells = np.concatenate(
            [starts[margin.fine] + np.arange(len(fine)), starts[margin.coarse] + np.arange(len(coarse))]
        )
        free = hidden[cells]
        shape = (len(coarse), int(hidden.sum()))
        blocks.append(sparse.csr_matrix((entries[free], (rows[free], index[cells[free]])), shape=shape))
        known = np.concatenate([fine, coarse])[~free]
        sums = np.bincount(rows[~free], weights=entries[~free] * known, minlength=len(coarse))
        rights.append(-sums.astype(np.float64))
        slacks.append(np.bincount(rows[~free], minlength=len(coarse)).astype(np.float64) * rounding / 2.0)
    right, slack = np.concatenate(rights), np.concatenate(slacks)
    return Program(sparse.vstack(blocks).tocsr(), right - slack, right + slack, top)


def _witness(program: Program, pending: npt.NDArray[np.bool_], sense: float, name: Callable[[int], str]) -> None:
    """Solve until every pending cell has been seen at its end: at `top` for sense 1, at 0 for -1."""
    end = program.top if sense > 0 else 0.0
    wish = pending.astype(np.float64)
    while True:  # once at least, so that tables that contradict each other are found
        solution = _solve(program, sense * wish)
        seen = pending & (np.abs(solution - end) < _TOLERANCE)
        pending &= ~seen
        if not pending.any():
            return
        if not seen.any() and wish.sum() > 1:  # no progress together: one cell alone
            wish = np.zeros(len(pending))
            wish[int(np.argmax(pending))] = 1.0
        elif not seen.any():
            cell = int(np.argmax(wish))
            side, found = "at most" if sense > 0 else "at least", abs(round(float(solution[cell]), 3))
            raise FormatError(
                f"Published margins show that the hidden cell {name(cell)} is {side} {found:g}, where the threshold "
                f"promises 'from 0 to {program.top:g}': differencing gives it away, leave a margin or the table out."
            )
        else:
            wish = pending.astype(np.float64)


def _solve(program: Program, objective: FloatArray) -> FloatArray:
    """The hidden cells that maximise an objective; FormatError where no values fit."""
    from scipy import optimize

    if objective.size == 0:
        if (program.low > _TOLERANCE).any() or (program.high < -_TOLERANCE).any():
            raise FormatError(_contradiction())
        return objective
    low: Any = program.low - _TOLERANCE
    high: Any = program.high + _TOLERANCE
    constraint = optimize.LinearConstraint(program.rows, low, high)
    result: Any = optimize.milp(
        -objective, constraints=[constraint], bounds=optimize.Bounds(0.0, program.top), options={"presolve": True}
    )
    if result.x is None:
        raise FormatError(_contradiction())
    return cast(FloatArray, result.x)


def _contradiction() -> str:
    return (
        "The published tables do not add up to each other, whatever the hidden cells hold: they count different people "
        "or are rounded, so give them different universes or the rounding of their publisher."
    )


def _cell_name(grids: Sequence[Grid], starts: IntArray, position: int) -> str:
    table = int(np.searchsorted(starts, position, side="right")) - 1
    return f"{grids[table].cell(position - int(starts[table]))} of table {grids[table].name!r}"
