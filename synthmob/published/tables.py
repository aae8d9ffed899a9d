"""Tables published by others, brought into the form of a release: a census, or an operator's k-suppressed extract.

They come with a threshold instead of noise: a cell that is missing holds fewer people than it, which is not zero.
Nobody claims differential privacy for them, and neither do we. Whether the threshold holds at all is checked: no cell
under it may be there, and published margins may not give a hidden cell away by differencing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synthmob.domain import DAY_TYPES, OUTSIDE, UNKNOWN, WORKER, Axis, Domain, bin_labels
from synthmob.errors import FormatError
from synthmob.marginals import Marginal
from synthmob.published import rows
from synthmob.published.margins import ZONE_AXES, Taken, check_differencing
from synthmob.zones import Zoning

if TYPE_CHECKING:
    import pandas as pd

NO_CLAIM = "none claimed"
HOW_TO_READ = (
    "A row is a cell of a table as its publisher printed it. A cell that is missing was under the publisher's "
    "threshold, which stands here as `cut`: that is not zero. There is no noise, so `sigma` is 0, and no privacy is "
    "claimed."
)
AXES: dict[str, tuple[str, ...]] = {
    "demographics": ("sex", "age_band", "worker"),
    "home_by_group": ("home", "sex", "age_band", "worker"),
    "home": ("home", "worker"),
    "work": ("work",),
    "home_work": ("home", "work"),
    "commute_km": ("distance",),
    "commute_km_by_group": ("distance", "sex", "age_band"),
    "destinations": ("purpose", "zone"),
    "visitors": ("purpose", "zone"),
    "od_hour": ("day_type", "hour", "origin", "destination"),
    "presence": ("day_type", "hour", "zone"),
}
"""The standard tables that others publish too, and their axes; a table may lack those that are not of zones."""
_WITH_UNKNOWN = ("home",)


def privacy() -> dict[str, Any]:
    """The `privacy` entry of a release of tables published by others."""
    return {
        "claim": NO_CLAIM,
        "unit": "none",
        "sentence": "No differential privacy claimed: the counts are as their publisher printed them, without noise of "
        "ours, and only the publisher's own threshold and rounding protect anybody.",
    }


def take(
    tables: Mapping[str, pd.DataFrame | str | Path],
    *,
    zoning: Zoning,
    threshold: float,
    universe: str | Mapping[str, str],
    source: str,
    licence: str,
    domain: Domain,
    columns: Mapping[str, Mapping[str, str]],
    rounding: float,
) -> tuple[dict[str, Marginal], dict[str, Any]]:
    """Marginals without noise and the `source` entry of a release, from tables that others have published.

    `tables` maps our names (`home_work@zone`, `home_by_group@district`, `demographics`, ...) to a DataFrame, or the
    path of a CSV or Parquet file, with a row per cell: a column per axis and the people in `n` or `count`. `columns`
    says where a table's columns have other names: {"home_work@zone": {"home": "home_id"}}. Areas are zone ids, or the
    zoning's names. `universe` says who is counted, for all tables or for each: tables of one universe must add up to
    each other (within half of `rounding` per number, the base to which the publisher rounds), and only they can give
    each other's hidden cells away.
    """
    if not (math.isfinite(threshold) and threshold >= 1 and math.isfinite(rounding) and rounding >= 0):
        raise FormatError(
            f"A threshold of {threshold} with rounding {rounding} is none that a publisher has: give at least 1 and 0."
        )
    if unknown := (set(columns) | (set(universe) if isinstance(universe, Mapping) else set[str]())) - set(tables):
        raise FormatError(
            f"There is no table {min(unknown)!r} to give columns or a universe to: tables are {', '.join(tables)}."
        )
    taken = {
        name: _table(name, data, zoning, domain, threshold, columns.get(name, {})) for name, data in tables.items()
    }
    who = {name: universe if isinstance(universe, str) else universe.get(name, "") for name in tables}
    if nobody := [name for name, people in who.items() if not people.strip()]:
        raise FormatError(f"Table {nobody[0]!r} has no universe: say who is counted, such as 'commuters aged 16+'.")
    notes = check_differencing(taken, who, zoning, threshold, rounding)
    said = {
        name: {
            "universe": who[name],
            "axes": list(t.marginal.axis_names),
            "not_tabulated": t.not_tabulated,
            "hidden_cells": notes[name],
        }
        for name, t in taken.items()
    }
    absent = sorted(set(AXES) - {name.partition("@")[0] for name in tables})
    return {name: t.marginal for name, t in taken.items()}, {
        "publisher": source,
        "licence": licence,
        "threshold": threshold,
        "rounding": rounding,
        "tables": said,
        "absent": absent,
        "absent_means": "nothing was published on these: whatever is made of them is a stated default, not data",
    }


def _table(
    name: str,
    data: pd.DataFrame | str | Path,
    zoning: Zoning,
    domain: Domain,
    threshold: float,
    columns: Mapping[str, str],
) -> Taken:
    base, _, level = name.partition("@")
    if base not in AXES:
        raise FormatError(f"Table {name!r} is none that can be taken from others: known are {', '.join(AXES)}.")
    zonal = [axis for axis in AXES[base] if axis in ZONE_AXES]
    if bool(zonal) != bool(level):
        raise FormatError(
            f"Table {name!r} must {'name its level, as in ' + base + '@zone' if zonal else 'have no level after @'}."
        )
    frame = rows.rows(name, data, AXES[base], zonal, columns)
    axes = tuple(_axis(axis, level, zoning, domain) for axis in AXES[base] if axis in frame.labels)
    aliases = _area_names(zoning, level) if zonal else {}
    words = [aliases if axis.name in ZONE_AXES else {} for axis in axes]
    codes = np.column_stack(
        [rows.codes(name, axis, frame.labels[axis.name], more) for axis, more in zip(axes, words, strict=True)]
    )
    counts = rows.counts(name, frame, threshold)
    keep = counts >= threshold
    return Taken(Marginal.of(name, axes, codes[keep], counts[keep], sigma=0.0, cut=float(threshold)), level)


def _axis(name: str, level: str, zoning: Zoning, domain: Domain) -> Axis:
    """The public axis of that name, the same that `counts` gives to its tables."""
    if name in ZONE_AXES:
        labels = zoning.level_labels(level)
        return Axis(name, (*labels, UNKNOWN) if name in _WITH_UNKNOWN else labels)
    fixed = {
        "sex": domain.sex,
        "age_band": domain.age_band,
        "worker": WORKER,
        "purpose": domain.purposes,
        "day_type": DAY_TYPES,
        "hour": tuple(f"{h:02d}" for h in range(24)),
        "distance": (*bin_labels(domain.distance_edges_km), OUTSIDE),
    }
    return Axis(name, fixed[name])


def _area_names(zoning: Zoning, level: str) -> dict[str, str]:
    """Other words for the areas of a level: names that only one zone has, and ids of zones that were merged away.

    A merged zone counts what is printed of its parts.
    """
    if level != "zone":
        return {}
    once = [n for n in zoning.names if zoning.names.count(n) == 1]
    names = dict(zip(zoning.names, zoning.ids, strict=False))
    return {**{n: names[n] for n in once if n not in zoning.ids}, **zoning.aliases}
