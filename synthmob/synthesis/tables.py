"""Blocks as Arrow tables in the columns of schema.PERSONS, STAYS and TRIPS, labels as dictionaries."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthmob import schema
from synthmob.domain import DIRECTIONS, KINDS, WORKER
from synthmob.schema import Table
from synthmob.synthesis.days import Block, Population
from synthmob.synthesis.events import Network
from synthmob.synthesis.population import People

LABELS = pa.dictionary(pa.int32(), pa.string())
ARROW_TYPES = {
    "int64": pa.int64(), "int32": pa.int32(), "string": LABELS, "float64": pa.float64(), "float32": pa.float32(),
    "timestamp": pa.timestamp("us")}  # fmt: skip
ALWAYS_THERE = ("person_id", "day", "seq", "purpose", "start_min", "end_min", "depart_min", "arrive_min", "worker", "time", "kind")
"""Columns without a null in any table, which Parquet then need not mark in every row."""
DAY_SECONDS = 86_400
SYNTHETIC = {"synthetic": "true"}
"""The mark that every file of synthetic rows carries in its own metadata."""


def arrow_schema(table: Table, columns: list[str]) -> pa.Schema:
    """The Arrow schema of some columns of a table."""
    return pa.schema([
        pa.field(c.name, ARROW_TYPES[c.dtype], nullable=c.name not in ALWAYS_THERE) for c in table.columns if c.name in columns])


def persons_schema(population: Population) -> pa.Schema:
    """The schema of persons: attributes that the release knew nothing of are left out, and weights without a census."""
    known = (*population.model.domain.attributes, *(("weight",) if population.census is not None else ()))
    return arrow_schema(schema.PERSONS, [c for c in schema.PERSONS.names if c not in ("sex", "age_band", "weight") or c in known])


def schema_of(population: Population, table: Table) -> pa.Schema:
    """The schema of a table of days: without a mode where the model knows of none."""
    return arrow_schema(table, [name for name in table.names if name != "mode" or population.model.modes is not None])


def persons_table(population: Population, who: People) -> pa.Table:
    """The persons of a block."""
    domain, labels, home = population.model.domain, population.model.zoning.labels, population.home_points(who)
    n_ages = len(domain.age_band)
    group, worker = np.divmod(who.klass, 2)
    columns = {
        "person_id": pa.array(who.person),
        "sex": _text(group // n_ages, domain.sex),
        "age_band": _text(group % n_ages, domain.age_band),
        "worker": _text(worker, WORKER),
        "home_zone": _text(who.home, labels),
        "work_zone": _text(who.work, labels),
        "home_lon": _degrees(home[:, 0]),
        "home_lat": _degrees(home[:, 1]),
    }
    if population.scaling is not None:
        columns["weight"] = pa.array(population.scaling.of(who))
    wanted = persons_schema(population)
    return pa.table([columns[n] for n in wanted.names], schema=wanted)


def stays_table(population: Population, block: Block) -> pa.Table:
    """The stays of a block, by person, day and seq."""
    s, domain, zones = block.stays, population.model.domain, population.model.zoning.ids
    columns = [
        pa.array(s.person), pa.array(s.day), pa.array(s.seq), _text(s.purpose, domain.purposes), _text(s.zone, zones),
        pa.array(s.start), pa.array(s.end), *_modes(s.mode, population), _degrees(s.lonlat[:, 0]), _degrees(s.lonlat[:, 1])]
    return pa.table(columns, schema=schema_of(population, schema.STAYS))


def trips_table(population: Population, block: Block) -> pa.Table:
    """The trips of a block: one between any two successive stays of a day."""
    from synthmob.synthesis import kernel

    s, domain, zones, geography = block.stays, population.model.domain, population.model.zoning.ids, population.geography
    n = int(np.count_nonzero(s.seq))
    kinds = (np.int64, np.int32, np.int32, np.int32, np.int32, np.int32, np.int32, np.int8, np.float32)
    person, day, seq, origin, destination, depart, arrive, purpose, km = (np.empty(n, kind) for kind in kinds)
    mode = np.empty(n if len(s.mode) else 0, np.int8)
    kernel.trips(
        s.person, s.day, s.seq, s.purpose, s.zone, s.start, s.end, geography.xy_km, geography.internal_km,
        person, day, seq, origin, destination, depart, arrive, purpose, km, s.mode, mode)  # fmt: skip
    columns = [
        pa.array(person), pa.array(day), pa.array(seq), _text(origin, zones), _text(destination, zones), pa.array(depart),
        pa.array(arrive), _text(purpose, domain.purposes), *_modes(mode, population), _floats(km)]  # fmt: skip
    return pa.table(columns, schema=schema_of(population, schema.TRIPS))


def _modes(codes: npt.NDArray[np.int8], population: Population) -> list[pa.Array]:
    """The column of modes, where there is one."""
    return [] if population.model.modes is None else [_text(codes, population.model.domain.modes)]


def events_table(network: Network, block: Block) -> pa.Table:
    """The events of a block, by person and time."""
    e, model, sites = network.rows(block), network.population.model, network.sites
    midnight = np.datetime64(model.period.first_day, "us")
    zone = np.where(e.site >= 0, sites.zone[e.site], -1)
    columns = [
        pa.array(e.person), pa.array(midnight + (e.day * DAY_SECONDS + e.second) * np.timedelta64(1, "s")), _text(e.site, sites.labels),
        _text(zone, model.zoning.ids), _text(e.kind, KINDS), _text(e.direction, DIRECTIONS[:-1]), _number(e.counterpart, pa.int64()),
        _number(e.duration_s, pa.int32()), _number(e.volume_kb, pa.int32()), _text(e.app, model.domain.apps)]  # fmt: skip
    return pa.table(columns, schema=arrow_schema(schema.SYNTHETIC_EVENTS, list(schema.SYNTHETIC_EVENTS.names)))


def sites_table(network: Network) -> pa.Table:
    """The sites of a network, in order of their zones."""
    sites, zones = network.sites, network.population.model.zoning.ids
    columns = [_text(np.arange(len(sites.labels)), sites.labels), _text(sites.zone, zones), *map(pa.array, sites.lonlat.T)]
    return pa.table(columns, schema=arrow_schema(schema.SITES, list(schema.SITES.names)))


def _number(values: npt.NDArray[np.int64], kind: pa.DataType) -> pa.Array:
    """Whole numbers, null where they are negative."""
    return pa.array(np.maximum(values, 0), mask=values < 0).cast(kind)


def _text(codes: npt.NDArray[Any], labels: tuple[str, ...]) -> pa.Array:
    """Labels of codes; null where a code is negative or past the labels (`outside`)."""
    indices = codes.astype(np.int32, copy=False)
    known = indices.view(np.uint32) < len(labels)  # what is negative is large, looked at without its sign
    rows = pa.array(indices) if known.all() else _masked(indices, known, pa.int32())
    return pa.DictionaryArray.from_arrays(rows, _labels(labels), safe=False)  # Arrow need not look once more


@lru_cache(maxsize=16)
def _labels(labels: tuple[str, ...]) -> pa.Array:
    """Labels as Arrow has them, the same from block to block."""
    return pa.array(labels, pa.string())


def _degrees(values: npt.NDArray[np.float64]) -> pa.Array:
    """Coordinates as they were drawn, NaN as null: rounding could carry a point over the border of its zone."""
    return _floats(np.ascontiguousarray(values))


def _floats(values: npt.NDArray[Any]) -> pa.Array:
    """Numbers, NaN as null."""
    known = ~np.isnan(values)
    kind = pa.float64() if values.dtype == np.float64 else pa.float32()
    return pa.array(values) if known.all() else _masked(values, known, kind)


def _masked(values: npt.NDArray[Any], known: npt.NDArray[np.bool_], kind: pa.DataType) -> pa.Array:
    """Values of which some are null, without a copy of them."""
    bits = pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [bits, pa.py_buffer(values)])
