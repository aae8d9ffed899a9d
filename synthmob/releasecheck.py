"""Whether what a release says of itself agrees with its tables.

A release is read by people and by programs, and believed twice: the plan that it states, the noise beside each table, the sums of
both. One that contradicts itself was changed by somebody, and is refused before anything is fitted on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from synthmob import accounting
from synthmob.accounting import FIXED_POINT
from synthmob.errors import FormatError
from synthmob.marginals import Marginal
from synthmob.period import Period
from synthmob.tablefiles import LARGEST

OBJECTS = ("privacy", "plan", "period", "source", "zoning", "ledger", "versions")
"""What a release says beside its tables, each an object of its own; `notes` is a list of texts."""
PLACES = ("home", "work", "zone", "origin", "destination")
"""The axes whose labels are areas of the zoning, `outside` and, for homes, `unknown`."""
CLOSE = 1e-6
Tables = Mapping[str, Marginal]


def check(info: Mapping[str, Any], tables: Tables, *, private: bool) -> None:
    """FormatError where the plan, the zoning or the period that a release states is not one that its tables can come from."""
    for key in OBJECTS:
        if not isinstance(info.get(key, {}), Mapping):
            raise FormatError(f"The release's {key} is no JSON object: it is damaged, ask for it again.")
    notes = info.get("notes", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in cast(list[Any], notes)):
        raise FormatError("The release's notes are no list of texts: it is damaged, ask for it again.")
    if "period" in info:
        _ = Period.from_json(dict(info["period"]))
    for name, table in tables.items():
        _check_counts(name, table, private=private)
    if "tables" in info.get("plan", {}):
        _check_plan(info["plan"], info["privacy"], tables)
    if "levels" in info.get("zoning", {}):
        _check_levels(info["zoning"]["levels"], tables)


def check_facts(where: str, said: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """FormatError where something that follows from the tables is said otherwise; numbers agree to six digits."""
    for key, value in facts.items():
        if key in said and not _agrees(said[key], value):
            raise FormatError(f"The release says of {where} that {key} is {str(said[key])[:60]!r}, and it is {value!r}: do not trust it.")


def _agrees(said: object, value: object) -> bool:
    if isinstance(value, Mapping):
        others = cast(Mapping[str, object], said) if isinstance(said, Mapping) else {}
        mine = cast(Mapping[str, object], value)
        return set(others) == set(mine) and all(_agrees(others[key], mine[key]) for key in mine)
    if isinstance(said, bool) or not isinstance(said, int | float) or not isinstance(value, int | float):
        return said == value
    return math.isclose(said, value, rel_tol=CLOSE, abs_tol=1e-9)


def _check_counts(name: str, table: Marginal, *, private: bool) -> None:
    """Refuse more people than there can be, and noisy counts that no noise on the grid gives."""
    if len(table.values) and float(table.values.max()) > LARGEST:
        raise FormatError(f"Table {name!r} has a count of more than {LARGEST:g} persons: it is damaged, ask for it again.")
    fixed = table.values * FIXED_POINT
    if private and (fixed != np.floor(fixed)).any():
        raise FormatError(f"Table {name!r} has a count that is no multiple of 1/{FIXED_POINT}: its noise is none of ours, do not trust it.")


def _check_plan(plan: Mapping[str, Any], privacy: Mapping[str, Any], tables: Tables) -> None:
    """Every table must be one of the plan's, with the noise and the cut that the plan gives it, and the budgets the same."""
    asked = cast(list[Any], plan["tables"]) if isinstance(plan["tables"], list) else [None]
    entries = {str(entry.get("name")): cast(Mapping[str, Any], entry) for entry in asked if isinstance(entry, Mapping)}
    if len(entries) != len(asked):
        raise FormatError("The plan of the release is no list of tables with distinct names: it is damaged, ask for it again.")
    check_facts("the plan", plan, {key: privacy[key] for key in ("epsilon", "delta", "rho") if key in privacy})
    group = plan.get("min_group")
    if type(group) is not int or not 1 <= group <= LARGEST:
        raise FormatError(f"The plan of the release has min_group {str(group)[:40]!r}: it needs a whole number of at least 1.")
    for name, table in tables.items():
        if name not in entries:
            raise FormatError(f"Table {name!r} is none that the release's own plan asks for: do not trust it, ask again.")
        statistic, _, level = name.partition("@")
        cut = accounting.cut_for(table.sigma, group, math.prod(axis.size for axis in table.axes))
        check_facts(
            f"table {name!r} in its plan", entries[name],
            {"statistic": statistic, "level": level, "sigma": table.sigma, "bound_l2": table.bound_l2})  # fmt: skip
        if not math.isclose(table.cut, cut, rel_tol=CLOSE, abs_tol=2 / FIXED_POINT):
            raise FormatError(f"Table {name!r} has a cut of {table.cut:g} where its plan makes it {cut:g}: do not trust it, ask again.")


def _check_levels(levels: object, tables: Tables) -> None:
    """The areas of a table are those of a level that the release's zoning has: as many of them, and one or two beside."""
    known: dict[str, int] = {}
    for level in cast(list[Any], levels) if isinstance(levels, list) else [None]:
        name, areas = (level.get(key) for key in ("name", "areas")) if isinstance(level, Mapping) else (None, None)
        if not isinstance(name, str) or type(areas) is not int or areas < 1 or name in known:
            raise FormatError("The zoning of the release is no list of levels with their areas: it is damaged, ask for it again.")
        known[name] = areas
    for name, table in tables.items():
        _, at, level = name.partition("@")
        if at and level not in known:
            raise FormatError(f"Table {name!r} is about a level that the release's zoning does not have: do not trust it, ask again.")
        for axis in table.axes if at else ():
            if axis.name in PLACES and axis.size - known[level] not in (1, 2):
                raise FormatError(
                    f"Table {name!r} has {axis.size} labels for {axis.name!r} where its level has {known[level]} areas: "
                    "do not trust it, ask again.")  # fmt: skip
