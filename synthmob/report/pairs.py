"""Released tables beside the same tables counted over the synthetic days, cell by cell.

Both come from the one definition in `counts`, with the release's own contribution bound. Only published cells are
compared: a cell that is missing in a release was suppressed, which says 'below the cut' and never zero.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob import counts
from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.marginals import Marginal
from synthmob.period import Period
from synthmob.report.flows import parts
from synthmob.zones import Zoning

FloatArray = npt.NDArray[np.float64]

PERSONS_COUNTED = 25_000
"""About how many persons the charts count: a share is then off by a pixel, and a big OUT takes no longer."""


@dataclass(frozen=True)
class Pair:
    """A released table and the synthetic counts of the cells it publishes, both in persons, shape (cells,).

    Synthetic counts are of the persons counted, so shares are what compares. `covered` is the share of the whole
    synthetic table that lies in the published cells.
    """

    marginal: Marginal
    released: FloatArray
    synthetic: FloatArray
    covered: float

    def shares(self, *names: str, where: tuple[str, str] | None = None) -> tuple[FloatArray, FloatArray]:
        """Both sides summed over all axes but `names`, as shares, dense; `where` keeps one label of an axis."""
        kept = np.ones(len(self.released), dtype=np.bool_)
        if where is not None:
            kept = self._codes(where[0]) == self._axis(where[0]).labels.index(where[1])
        shape = [self._axis(name).size for name in names]
        index = np.ravel_multi_index([self._codes(name)[kept] for name in names], shape)
        size = int(np.prod(shape))
        sums = [np.bincount(index, weights=side[kept], minlength=size) for side in (self.released, self.synthetic)]
        one, two = (side.reshape(shape) / (side.sum() or 1.0) for side in sums)
        return one, two

    def labels(self, name: str) -> tuple[str, ...]:
        """The labels of an axis."""
        return tuple(self._axis(name).labels)

    @property
    def day(self) -> tuple[str, str] | None:
        """The day type that is drawn, as `where` of `shares`: the first one of the table, None where it has none."""
        return ("day_type", self.labels("day_type")[0]) if "day_type" in self.marginal.axis_names else None

    @property
    def day_words(self) -> str:
        """The day type that is drawn, in the plural."""
        name = self.day[1] if self.day else "all days"
        return {"weekday": "weekdays", "saturday": "Saturdays", "sunday": "Sundays"}.get(name, name)

    @property
    def covered_words(self) -> str:
        """A sentence on what the published cells leave out; nothing where they leave out nothing."""
        whole = self.covered > 0.9995
        return "" if whole else f" Published cells only: {100 * self.covered:.1f} % of the synthetic table."

    def _axis(self, name: str) -> Any:
        return self.marginal.axes[self.marginal.axis_names.index(name)]

    def _codes(self, name: str) -> npt.NDArray[np.int64]:
        return self.marginal.codes[:, self.marginal.axis_names.index(name)]


def counted(
    out: Path, tables: Mapping[str, Marginal], zoning: Zoning, domain: Domain, period: Period
) -> dict[str, Pair]:
    """The pair of every table given that is one of the standard statistics and has a published cell.

    Of a big OUT, persons are taken by a hash of their id: only shares of the synthetic counts mean something.
    """
    known = {
        name: table for name, table in tables.items() if name.split("@")[0] in counts.STATISTICS and len(table.values)
    }
    if not known:
        return {}
    backend = connect(temp_directory=tempfile.gettempdir())
    persons = backend.read_parquet(str(out / "persons.parquet"), table_name="report_out_persons")
    stays = backend.read_parquet(parts(out, "stays"), table_name="report_out_stays")
    every = max(1, int(backend.execute(persons.count())) // PERSONS_COUNTED)
    if every > 1:
        persons = persons.filter(persons.person_id.hash() % every == 0)
    coded = counts.coded(backend, persons, stays, zoning, domain, period, name="report")
    found: dict[str, Pair] = {}
    for name, table in known.items():
        statistic, _, level = name.partition("@")
        bound = table.bound_l2 if table.sigma > 0 else None
        synthetic = counts.count(counts.STATISTICS[statistic], coded, level, bound_l2=bound, confidential=False)
        # Tables published by others may lack an axis; ones with other categories than the plan's cannot be compared.
        if set(table.axis_names) <= set(synthetic.axis_names):
            synthetic = synthetic.project(table.axis_names)
            if synthetic.axes == table.axes:
                found[name] = paired(table, synthetic)
    backend.disconnect()
    return found


def paired(table: Marginal, synthetic: Marginal) -> Pair:
    """A released table and a complete synthetic one over the same axes, cell by cell."""
    flat, wanted = synthetic.flat, table.flat
    place = np.minimum(np.searchsorted(flat, wanted), max(len(flat) - 1, 0))
    there = flat[place] == wanted if len(flat) else np.zeros(len(wanted), dtype=np.bool_)
    values = np.where(there, synthetic.values[place], 0.0) if len(flat) else np.zeros(len(wanted))
    covered = float(values.sum() / synthetic.total) if synthetic.total > 0 else 0.0
    return Pair(table, table.values, values, covered)
