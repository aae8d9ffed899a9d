"""Which published tables sum up which others, and what the sums give away of the cells that the threshold hides."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.errors import FormatError
from synthmob.marginals import Marginal, ravel, unravel
from synthmob.published import differencing
from synthmob.zones import Zoning

IntArray = npt.NDArray[np.int64]

ZONE_AXES = ("home", "work", "zone", "origin", "destination")
_OF_PEOPLE = ("demographics", "home_by_group", "home", "work", "home_work", "commute_km", "commute_km_by_group")
_NOT_ADDITIVE = ("visitors",)
_MAX_GRID = 4_000_000


@dataclass(frozen=True)
class System:
    """The tables of one universe that sum up each other: their names, cells, and which is a margin of which."""

    names: list[str]
    grids: list[differencing.Grid]
    margins: list[differencing.Margin]


@dataclass(frozen=True)
class Taken:
    """A table as taken: the marginal, and per axis the codes that occur and the labels that do not."""

    marginal: Marginal
    level: str

    def used(self, axis: int) -> IntArray:
        """The codes of an axis that occur."""
        return np.unique(self.marginal.codes[:, axis])

    @property
    def not_tabulated(self) -> dict[str, list[str]]:
        """Labels that no published cell has: their publisher does not count them, so they are no hidden cells."""
        out: dict[str, list[str]] = {}
        for k, axis in enumerate(self.marginal.axes):
            if missing := sorted(set(range(axis.size)) - set(self.used(k).tolist())):
                out[axis.name] = [axis.label(code) for code in missing]
        return out


def check_differencing(
    taken: Mapping[str, Taken], who: Mapping[str, str], zoning: Zoning, threshold: float, rounding: float
) -> dict[str, str]:
    """What is known of the hidden cells of each table, in words; FormatError where margins give one away."""
    notes = dict.fromkeys(
        taken, f"no published margin of the same universe: each is only known to be below {threshold:g}"
    )
    for system in systems(taken, who, zoning, threshold):
        differencing.refuse_differencing(system.grids, system.margins, max(math.ceil(threshold) - 1.0, 0.0), rounding)
        for name in system.names:
            notes[name] = (
                f"bounded by linear programming from the tables of the same universe ({', '.join(system.names)}): "
                f"none is known better than to be below {threshold:g}"
            )
    return notes


def systems(
    taken: Mapping[str, Taken], who: Mapping[str, str], zoning: Zoning, threshold: float,
    labels: Mapping[tuple[str, str], IntArray] | None = None,
) -> list[System]:  # fmt: skip
    """The tables of each universe that sum up each other; a table that none sums up, and that sums up none, is in none.

    `labels` are the codes tabulated by (axis, level), '' for an axis that is not of zones: those that some published
    cell has, unless given.
    """
    found: list[System] = []
    for people in dict.fromkeys(who.values()):
        names = [name for name in taken if who[name] == people]
        pairs = [(a, b) for a, b in itertools.permutations(names, 2) if _is_margin(taken[a], taken[b], zoning)]
        if not pairs:
            continue
        involved = list(dict.fromkeys(itertools.chain.from_iterable(pairs)))
        occurring = labels or _tabulated([taken[n] for n in involved], zoning)
        domains = {n: _cells(taken[n], occurring) for n in involved}
        grids = [_grid(taken[n].marginal, domains[n], threshold) for n in involved]
        margins = [
            differencing.Margin(
                involved.index(a), involved.index(b), _group(taken[a], taken[b], domains[a], domains[b], zoning)
            )
            for a, b in pairs
        ]
        found.append(System(involved, grids, margins))
    return found


def _coarser(fine: Taken, coarse: Taken, axis: str, zoning: Zoning) -> IntArray | None:
    """The coarse code of every fine code of an axis; None where the areas of `coarse` do not hold those of `fine`."""
    size = fine.marginal.axes[fine.marginal.axis_names.index(axis)].size
    if axis not in ZONE_AXES or fine.level == coarse.level:
        return np.arange(size)
    levels = [level.name for level in zoning.levels]
    if levels.index(fine.level) > levels.index(coarse.level):
        return None
    parents = np.zeros(len(zoning.level(fine.level).labels) + 1, dtype=np.int64)
    parents[zoning.parent_of(fine.level)] = zoning.parent_of(coarse.level)
    rest = np.arange(size - len(parents)) + parents[-1] + 1
    return np.concatenate([parents, rest])


def _is_margin(fine: Taken, coarse: Taken, zoning: Zoning) -> bool:
    """Whether a table sums up another: both count each person once, or both are levels of one table that adds up."""
    bases = [table.marginal.name.partition("@")[0] for table in (fine, coarse)]
    if not set(bases) <= set(_OF_PEOPLE) and (bases[0] != bases[1] or bases[0] in _NOT_ADDITIVE):
        return False
    names = coarse.marginal.axis_names
    if not set(names) <= set(fine.marginal.axis_names):
        return False
    return all(_coarser(fine, coarse, axis, zoning) is not None for axis in names)


def _tabulated(tables: Sequence[Taken], zoning: Zoning) -> dict[tuple[str, str], IntArray]:
    """Per (axis, level): the codes that some table of the universe has, directly or through a finer area of it."""
    out: dict[tuple[str, str], IntArray] = {}
    for table in tables:
        for axis in table.marginal.axis_names:
            key = (axis, table.level if axis in ZONE_AXES else "")
            seen = [np.empty(0, dtype=np.int64)]
            for other in tables:
                if axis in other.marginal.axis_names:
                    used = other.used(other.marginal.axis_names.index(axis))
                    up, down = _coarser(other, table, axis, zoning), _coarser(table, other, axis, zoning)
                    seen.append(up[used] if up is not None else np.flatnonzero(np.isin(down, used)))  # pyright: ignore[reportArgumentType]
            out[key] = np.unique(np.concatenate(seen))
    return out


def _cells(table: Taken, labels: Mapping[tuple[str, str], IntArray]) -> IntArray:
    """The flat indices of the tabulated cells of a table, sorted."""
    parts = [labels[axis.name, table.level if axis.name in ZONE_AXES else ""] for axis in table.marginal.axes]
    if math.prod(len(part) for part in parts) > _MAX_GRID:
        raise FormatError(
            f"Table {table.marginal.name!r} has more than {_MAX_GRID} cells under margins, too many to bound: "
            "give a coarser one, or leave the margins out."
        )
    grid = np.stack(np.meshgrid(*parts, indexing="ij"), axis=-1).reshape(-1, len(parts))
    return ravel(grid, table.marginal.axes)


def _grid(marginal: Marginal, cells: IntArray, threshold: float) -> differencing.Grid:
    """The values of the tabulated cells; a missing one is hidden, or zero where the threshold hides nothing."""
    values = np.full(len(cells), np.nan if threshold > 1 else 0.0)
    values[np.searchsorted(cells, marginal.flat)] = marginal.values

    def words(position: int) -> str:
        codes = unravel(cells[position : position + 1], marginal.axes)[0]
        return ", ".join(
            f"{axis.name} {axis.label(int(code))}" for axis, code in zip(marginal.axes, codes, strict=True)
        )

    return differencing.Grid(marginal.name, values, words)


def _group(fine: Taken, coarse: Taken, fine_cells: IntArray, coarse_cells: IntArray, zoning: Zoning) -> IntArray:
    """The position in `coarse_cells` of every fine cell."""
    codes = unravel(fine_cells, fine.marginal.axes)
    names = fine.marginal.axis_names
    columns = [_coarser(fine, coarse, axis, zoning)[codes[:, names.index(axis)]] for axis in coarse.marginal.axis_names]  # pyright: ignore[reportOptionalSubscript]
    return np.searchsorted(coarse_cells, ravel(np.column_stack(columns), coarse.marginal.axes))
