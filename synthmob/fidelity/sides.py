"""One side of a comparison: its coded tables, how many persons it has, and on which day types they were seen.

Both sides pass through the same `counts.coded`, so that no statistic can mean two things.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import ibis
import numpy as np
import numpy.typing as npt

from synthmob.counts.coded import Coded, coded
from synthmob.domain import DAY_TYPES, Domain
from synthmob.errors import InputError
from synthmob.period import Period
from synthmob.schema import PERSONS, STAYS, check
from synthmob.zones import Zoning

FloatArray = npt.NDArray[np.float64]


class Tables(NamedTuple):
    """PERSONS, STAYS and, where there are any, EVENTS (with at_s for time) of one population: ibis tables of the backend in use,
    Arrow tables or pandas frames; `days` is how many days the events cover where that is not the whole period."""

    persons: Any
    stays: Any
    events: Any = None
    days: int = 0


@dataclass(frozen=True)
class Side:
    """A population on the backend.

    `coded.persons.person_id` runs from 0 to n_persons - 1. `seen` has shape (n_persons, day types of the period):
    whether the person has a day of that type. `names` are the backend's tables that `close` drops.

    """

    coded: Coded
    n_persons: int
    seen: npt.NDArray[np.bool_]
    names: tuple[str, ...]

    @property
    def seen_per_type(self) -> FloatArray:
        """How many persons have a day of each type, shape (day types of the period,)."""
        return self.seen.sum(axis=0).astype(np.float64)

    def close(self) -> None:
        """Drop the side's tables from the backend; the arrays stay."""
        for name in self.names:
            self.coded.backend.drop_table(name, force=True)


def open_side(backend: Any, tables: Tables, zoning: Zoning, domain: Domain, period: Period, *, name: str) -> Side:
    """Code a population under `name` on the backend; InputError where it has no person or no stay in the period."""
    persons = _on_backend(backend, tables.persons, f"{name}_given_persons")
    stays = _on_backend(backend, tables.stays, f"{name}_given_stays")
    check(persons.columns, PERSONS, f"The {name} persons table")
    check(stays.columns, STAYS, f"The {name} stays table")
    # Ids may be text or scattered numbers: the bootstrap wants the row of each person, so number them once, in id
    # order.
    index = persons.select("person_id", who=ibis.row_number().over(order_by=persons.person_id).cast("int32"))
    index = backend.create_table(f"{name}_index", index, temp=True, overwrite=True)

    def numbered(table: Any, what: str) -> Any:
        table = table.inner_join(index, "person_id").drop("person_id").rename(person_id="who")
        return backend.create_table(f"{name}_numbered_{what}", table, temp=True, overwrite=True)

    used, lived = None, tables.days if tables.days < period.days else 0
    if tables.events is not None:
        given = _on_backend(backend, tables.events, f"{name}_given_events")
        used = given.inner_join(index, "person_id").drop("person_id").rename(person_id="who")
    numbered_tables = numbered(persons, "persons"), numbered(stays, "stays")
    done = coded(backend, *numbered_tables, zoning, domain, period, name=name, events=used, days_of_events=lived)
    n_persons = int(backend.execute(done.persons.count()))
    seen = _seen(done, n_persons)
    if not seen.any():
        raise InputError(
            f"The {name} side has {n_persons} persons and no stay in the {period.days} days from "
            f"{period.first_day}: give one whose days lie in the period."
        )
    scratch = [f"{name}_{s}" for s in ("given_persons", "given_stays", "given_events", "index", "numbered_persons", "numbered_stays")]
    for table in scratch:
        backend.drop_table(table, force=True)
    return Side(done, n_persons, seen, tuple(f"{name}_{s}" for s in ("persons", "visits", "zones", "events")))


def _on_backend(backend: Any, table: Any, name: str) -> Any:
    """An ibis table as it is; anything else is put on the backend under `name`."""
    import pyarrow as pa

    if isinstance(table, ibis.Table):
        return table
    arrow = table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False)
    # A column of nulls alone (no one works, say) has no type, and DuckDB wants one: only text columns may be null.
    for place, field in enumerate(arrow.schema):
        if pa.types.is_null(field.type):
            arrow = arrow.set_column(place, field.name, arrow.column(place).cast(pa.string()))
    return backend.create_table(name, arrow, temp=True, overwrite=True)


def _seen(done: Coded, n_persons: int) -> npt.NDArray[np.bool_]:
    first = done.visits.filter(done.visits["rank"] == 0)
    pairs = done.backend.to_pyarrow(first.select("person_id", "day_type").distinct())
    seen = np.zeros((n_persons, len(done.period.day_types)), dtype=np.bool_)
    seen[pairs["person_id"].to_numpy(), pairs["day_type"].to_numpy()] = True
    return seen


def shared_day_types(sides: list[Side], period: Period) -> FloatArray:
    """The share of each day type in the period's days, over the types that every side has days of."""
    days = np.array([len(period.days_of(DAY_TYPES.index(name))) for name in period.day_types], dtype=np.float64)
    for side in sides:
        days[side.seen_per_type == 0] = 0
    if days.sum() <= 0:
        raise InputError("The two sides have no day type in common: compare days of the same types.")
    return days / days.sum()
