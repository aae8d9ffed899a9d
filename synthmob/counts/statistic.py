"""What a statistic is: axes from public things, and what each person adds to which cell.

A statistic says nothing of noise or of who runs it. `rows` gives unbounded contributions; `bounded` clips them to the plan's
contribution bound. The same two run on private records and on synthetic days; what meets the noise is bounded in whole numbers
(`private/bounding.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np

from synthmob.counts.coded import Coded
from synthmob.domain import UNKNOWN, AnyAxis, Axis, Domain
from synthmob.errors import FormatError
from synthmob.marginals import Marginal, unravel
from synthmob.period import Period
from synthmob.zones import Zoning

SHRINK = 1.0 - 1e-6
"""A vector over its bound is scaled to just inside it, so that rounding cannot carry it back over."""


@dataclass(frozen=True)
class Public:
    """The public things that axes come from."""

    zoning: Zoning
    domain: Domain
    period: Period


@dataclass(frozen=True)
class Statistic:
    """One statistic of the standard plan.

    `axes(public, level)` gives the axes; `rows(coded, level)` an ibis table of (person_id, one integer column per axis in
    order, weight); rows of one person and cell add up. `spatial` says whether it is counted at zoning levels, `single` that
    `rows` has no two rows of one person and cell as it is.
    """

    name: str
    word: str
    axes: Callable[[Public, str], tuple[AnyAxis, ...]]
    rows: Callable[[Coded, str], Any]
    spatial: bool = False
    single: bool = False


def zone_axis(public: Public, level: str, name: str = "zone", *, unknown: bool = False) -> Axis:
    """The axis of the areas of a level, `outside` last, then `unknown` where asked."""
    labels = public.zoning.level_labels(level)
    return Axis(name, (*labels, UNKNOWN) if unknown else labels)


def cells(statistic: Statistic, coded: Coded, level: str) -> Any:
    """An ibis table (person_id, cell, weight): each person's unbounded contribution to every cell of theirs, cells flat."""
    public = Public(coded.zoning, coded.domain, coded.period)
    axes = statistic.axes(public, level)
    rows = statistic.rows(coded, level)
    flat: Any = ibis.literal(0, "int64")
    for axis in axes:
        flat = flat * axis.size + rows[axis.name].cast("int64")
    rows = rows.select("person_id", cell=flat, weight=rows.weight.cast("float64"))
    return rows if statistic.single else rows.group_by(["person_id", "cell"]).agg(weight=rows.weight.sum())


def bounded(contributions: Any, bound_l2: float) -> Any:
    """The contributions with no cell above 1 and no person's L2 norm above the bound: a table of the same form."""
    capped = contributions.mutate(weight=ibis.least(contributions.weight, 1.0))
    norm = (capped.weight * capped.weight).sum().over(ibis.window(group_by="person_id")).sqrt()
    scale = ibis.ifelse(norm <= bound_l2 * (1 + 1e-9), 1.0, bound_l2 * SHRINK / norm)
    return capped.mutate(weight=capped.weight * scale).select("person_id", "cell", "weight")


def count(statistic: Statistic, coded: Coded, level: str, *, bound_l2: float | None, confidential: bool) -> Marginal:
    """The exact counts of a statistic over coded tables, contributions bounded where a bound is given."""
    public = Public(coded.zoning, coded.domain, coded.period)
    axes = statistic.axes(public, level)
    rows = cells(statistic, coded, level)
    if bound_l2 is not None:
        rows = bounded(rows, bound_l2)
    sums = rows.group_by("cell").agg(total=rows.weight.sum()).order_by("cell")
    found = coded.backend.to_pyarrow(sums)
    flat = found["cell"].to_numpy().astype(np.int64)
    size = int(np.prod([float(axis.size) for axis in axes]))
    if len(flat) and (flat[0] < 0 or flat[-1] >= size):
        raise FormatError(f"Table {statistic.name!r} counted a cell outside its axes: a stay has a code that no axis has.")
    return Marginal(
        table_name(statistic.name, level), tuple(axes), unravel(flat, axes), found["total"].to_numpy().astype(np.float64),
        bound_l2=bound_l2 or 0.0, confidential=confidential)


def table_name(name: str, level: str) -> str:
    """The name of a table: `name`, or `name@level` for spatial ones.

    >>> table_name("chains", ""), table_name("home", "district")
    ('chains', 'home@district')
    """
    return f"{name}@{level}" if level else name


def indicator(columns: Sequence[str], source: Any) -> Any:
    """Rows of weight 1 with the given columns of a table."""
    return source.select("person_id", *columns, weight=ibis.literal(1.0))
