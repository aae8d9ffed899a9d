"""A population written as an OUT folder, block by block, in bounded memory, the same bytes whatever the workers.

    OUT/persons.parquet            one row a person
    OUT/stays/part-00000.parquet   the stays of persons 0 to 131,071, and so on
    OUT/trips/part-00000.parquet   their trips
    OUT/events/part-00000.parquet  their events, and OUT/sites.parquet the antennas, where events are asked for
    OUT/zones.parquet              the public zoning, GeoParquet
    OUT/metadata.json              the tables, their columns and keys for SDV and SDMetrics
    OUT/manifest.json              what it was made of

A part file is a fixed range of persons and a row group one block of 16,384. Threads make blocks, one thread writes them in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synthmob import folders, manifest, schema
from synthmob.errors import FormatError, InputError
from synthmob.synthesis import metadata, scaling, tables
from synthmob.synthesis.days import BLOCK, Population
from synthmob.synthesis.events import Network
from synthmob.zonefiles import write_zoning

STEP = "generate"
PART = 8 * BLOCK
"""Persons of a part file: 131,072."""
HOLDS = ("persons.parquet", "stays", "trips", "events", "sites.parquet", "zones.parquet", metadata.FILE)
MAX_WORKERS = 256
DAYS_IN_FLIGHT = 64
"""Blocks are made ahead while their days together are no more than this: a block takes about 14 MB a day."""
EVENT_DAYS = 4
"""A day with events takes so many times the memory of one without."""
SEARCHED = ("person_id", "day")
"""The columns whose smallest and largest value of each row group help a reader to skip it."""

Progress = Callable[[int, int], None]
Tables = tuple[pa.Table, ...]


def write(
    people: Population,
    folder: str | Path,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    inputs: Mapping[str, Path] | None = None,
    origin: Mapping[str, Any] | None = None,
    network: Network | None = None,
) -> Path:
    """Generate a population into an OUT folder, whole or not at all, and return its path.

    `workers` threads make blocks of persons; `progress` is told the persons written and the persons in all. An earlier OUT in
    its place is replaced, another folder refused. `inputs` are files whose hashes the manifest shall name, `origin` what
    their own manifests say that those were made from; with a `network` over the same people their events are written too.
    """
    if type(workers) is not int or not 1 <= workers <= MAX_WORKERS:
        raise InputError(f"The number of workers is {workers!r}: give a whole number from 1 to {MAX_WORKERS}.")
    target = Path(folder).resolve()
    _check_ours(target)
    with folders.written_aside(target, "synthetic population", manifest.FILE, HOLDS) as work:
        write_zoning(people.model.zoning, work / "zones.parquet", marks=tables.SYNTHETIC)
        _write_rows(people, network, work, workers, progress or _quiet)
        written = schema.SYNTHETIC if network is None else (*schema.SYNTHETIC, *schema.OF_PHONES)
        metadata.write({table.name: _schema_of(people, table.name).names for table in written}, work / metadata.FILE)
        said = {} if network is None else {"events": network.describe()}
        manifest.write(describe(people, inputs or {}, origin or {}) | said, work / manifest.FILE)
    return target


def describe(people: Population, inputs: Mapping[str, Path], origin: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a population: parameters and seed, the calendar and the categories its rows are to be read by."""
    model = people.model
    parameters: dict[str, Any] = {"persons": people.n_persons, "days": people.days}
    if people.scaling is not None:
        parameters["scaled_to"] = scaling.described(people.scaling)
    return manifest.compose(
        STEP, parameters, inputs=inputs, seed=people.seed, packages=("numba", "geopandas"), origin=dict(origin), synthetic=True,
        period=replace(model.period, days=people.days).as_json(), domain=asdict(model.domain),
        assumed=list(model.assumed), privacy=model.source.get("privacy", {}))  # fmt: skip


def _check_ours(target: Path) -> None:
    """Refuse to replace a folder whose manifest is not that of a synthetic population."""
    if (target / manifest.FILE).exists() and manifest.read(target)["step"] != STEP:
        raise FormatError(f"{target} was left by {manifest.read(target)['step']!r}, not by {STEP!r}: name another folder.")


def _write_rows(people: Population, network: Network | None, work: Path, workers: int, progress: Progress) -> None:
    people.prepare()
    names = ("stays", "trips") if network is None else ("stays", "trips", "events")
    for name in names:
        (work / name).mkdir()
    if network is not None:
        sites = tables.sites_table(network.prepare())
        with _file(work / "sites.parquet", sites.schema) as file:
            file.write_table(sites)
    with _blocks(people, network, workers) as blocks, _file(work / "persons.parquet", _schema_of(people, "persons")) as persons_file:
        for part in range(-(-people.n_persons // PART)):
            with ExitStack() as open_files:
                files = [persons_file, *(
                    open_files.enter_context(_file(work / name / f"part-{part:05d}.parquet", _schema_of(people, name))) for name in names)]
                for block in range(part * PART // BLOCK, min((part + 1) * PART // BLOCK, people.n_blocks)):
                    for file, table in zip(files, next(blocks), strict=True):
                        file.write_table(table, row_group_size=max(table.num_rows, 1))
                    progress(min((block + 1) * BLOCK, people.n_persons), people.n_persons)


@contextmanager
def _blocks(people: Population, network: Network | None, workers: int) -> Generator[Iterator[Tables]]:
    """The tables of all blocks in order, made by `workers` threads, at most workers + 1 of them in memory at a time."""
    days = people.days * (1 if network is None else EVENT_DAYS)
    window = max(1, min(workers + 1, DAYS_IN_FLIGHT // days))
    waiting: deque[Future[Tables]] = deque()

    def in_order(pool: ThreadPoolExecutor) -> Iterator[Tables]:
        for index in range(people.n_blocks):
            waiting.append(pool.submit(_tables_of, people, network, index))
            if len(waiting) >= window:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    with ExitStack() as stack:
        pool = ThreadPoolExecutor(workers)
        stack.callback(pool.shutdown, cancel_futures=True)
        yield in_order(pool)


def _tables_of(people: Population, network: Network | None, index: int) -> Tables:
    block = people.block(index)
    made = tables.persons_table(people, block), tables.stays_table(people, block), tables.trips_table(people, block)
    return made if network is None else (*made, tables.events_table(network, block))


def _schema_of(people: Population, name: str) -> pa.Schema:
    if name == "persons":
        return tables.persons_schema(people)
    table = {"stays": schema.STAYS, "trips": schema.TRIPS, "events": schema.SYNTHETIC_EVENTS, "sites": schema.SITES}[name]
    return tables.arrow_schema(table, list(table.names))


def _file(path: Path, wanted: pa.Schema) -> pq.ParquetWriter:
    """A Parquet file to write: dictionaries for labels alone, numbers as deltas or split into byte streams, zstd.

    Arrow's own schema is left out of the file: it would say 'dictionary' where every reader shall find plain text.
    """
    encodings = {
        f.name: "DELTA_BINARY_PACKED" if pa.types.is_integer(f.type) or pa.types.is_timestamp(f.type) else "BYTE_STREAM_SPLIT"
        for f in wanted if not pa.types.is_dictionary(f.type)}  # fmt: skip
    by_column: dict[str, Any] = {
        "use_dictionary": [f.name for f in wanted if pa.types.is_dictionary(f.type)],
        "column_encoding": encodings,
        "write_statistics": [name for name in SEARCHED if name in wanted.names],
    }
    file = pq.ParquetWriter(
        path, wanted, version="2.6", compression="zstd", compression_level=1, store_schema=False, **by_column)
    file.add_key_value_metadata(tables.SYNTHETIC)
    return file


def _quiet(written: int, persons: int) -> None:
    del written, persons
