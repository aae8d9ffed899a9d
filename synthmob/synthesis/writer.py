"""A population written as an OUT folder, block by block, in bounded memory, the same bytes whatever the workers.

    OUT/persons.parquet            one row a person
    OUT/stays/part-00000.parquet   the stays of persons 0 to 131,071, and so on
    OUT/trips/part-00000.parquet   their trips
    OUT/events/part-00000.parquet  their events, and OUT/sites.parquet the antennas, where events are asked for
    OUT/zones.parquet              the public zoning, GeoParquet
    OUT/metadata.json              the tables, their columns and keys for SDV and SDMetrics
    OUT/manifest.json              what it was made of

A part file is a fixed range of persons, eight blocks, and a row group one block. A part is made and written by one thread, from its
persons to the disk, so that parts can be made anywhere and in any order; only persons.parquet is written in order.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synthmob import manifest, schema
from synthmob.errors import FormatError, InputError
from synthmob.synthesis import allocation, metadata, scaling, tables, unfinished
from synthmob.synthesis.days import Population
from synthmob.synthesis.events import Network
from synthmob.synthesis.unfinished import Files, Work
from synthmob.zonefiles import write_zoning

STEP = "generate"
KIND = "synthetic population"
BLOCKS_A_PART = 8
"""Blocks of a part file: of up to eight days, it holds 131,072 persons."""
HOLDS = ("persons.parquet", "stays", "trips", "events", "sites.parquet", "zones.parquet", metadata.FILE)
MAX_WORKERS = 256
ROWS_AT_ONCE = 1 << 16
"""Rows that Arrow encodes at once: its own thousand are too few to be quick."""
SEARCHED = "person_id"
"""The column whose smallest and largest value of each row group help a reader to skip it: every row group has people of all days."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Part:
    """A part that is on the disk: its files, and the rows of persons.parquet that go with it, a table a block."""

    files: Files
    persons: tuple[pa.Table, ...]


Elsewhere = Callable[[Work, Sequence[int]], AbstractContextManager[Callable[[int], Files]]]
"""What has parts made by other processes: while it is open, it gives the files of a part when they are on the disk and noted."""


def write(
    people: Population,
    folder: str | Path,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    inputs: Mapping[str, Path] | None = None,
    origin: Mapping[str, Any] | None = None,
    network: Network | None = None,
    resume: bool = False,
    elsewhere: Elsewhere | None = None,
) -> Path:
    """Generate a population into an OUT folder, whole or not at all, and return its path.

    `workers` threads make parts of the population; `progress` is told by them, one at a time, the persons written and the persons in
    all. An earlier OUT in its place is replaced, another folder refused. `inputs` are files whose hashes the manifest shall name,
    `origin` what their own manifests say that those were made from; with a `network` over the same people their events are written too.
    With `resume` the parts that a run for the same has left are taken over, and those of this one are left if it is broken off; the
    model must be among the `inputs` then, for a run is known by its manifest. What makes parts `elsewhere` changes no byte of them.
    """
    if type(workers) is not int or not 1 <= workers <= MAX_WORKERS:
        raise InputError(f"The number of workers is {workers!r}: give a whole number from 1 to {MAX_WORKERS}.")
    if resume and "model" not in (inputs or {}):
        raise InputError("A run that is to go on must say of which model it is: name the model's folder among the inputs.")
    target = Path(folder).resolve()
    _check_ours(target)
    allocation.keep_freed()
    content = describe(people.prepare(), network, inputs or {}, origin or {})
    told = _Told(progress or _quiet, people.n_persons)
    if resume and _is_there(people, network, target, content):
        told.more(people.n_persons)
        unfinished.clear(target)
        return target
    with unfinished.begun(target, content, KIND, HOLDS, resume=resume) as work:
        _write_rows(people, network, work, workers, told, elsewhere)
        write_rest(people, network, work.rows)
        manifest.write(content, work.rows / manifest.FILE)
    return target


def describe(people: Population, network: Network | None, inputs: Mapping[str, Path], origin: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a population: parameters and seed, the calendar and the categories its rows are to be read by."""
    model = people.model
    parameters: dict[str, Any] = {"persons": people.n_persons, "days": people.days}
    if people.scaling is not None:
        parameters["scaled_to"] = scaling.described(people.scaling)
    content = manifest.compose(
        STEP, parameters, inputs=inputs, seed=people.seed, packages=("numba", "geopandas"), origin=dict(origin), synthetic=True,
        period=replace(model.period, days=people.days).as_json(), domain=asdict(model.domain),
        assumed=list(model.assumed), privacy=model.source.get("privacy", {}))  # fmt: skip
    return content if network is None else content | {"events": network.prepare().describe()}


def _check_ours(target: Path) -> None:
    """Refuse to replace a folder whose manifest is not that of a synthetic population."""
    if (target / manifest.FILE).exists() and manifest.read(target)["step"] != STEP:
        raise FormatError(f"{target} was left by {manifest.read(target)['step']!r}, not by {STEP!r}: name another folder.")


def _is_there(people: Population, network: Network | None, target: Path, content: Mapping[str, Any]) -> bool:
    """Whether a whole OUT of just this is there already."""
    parts = [path for part in range(n_parts(people)) for path in paths_of(network, part)]
    wanted = ("persons.parquet", "zones.parquet", metadata.FILE, *parts, *(() if network is None else ("sites.parquet",)))
    return all((target / path).is_file() for path in (manifest.FILE, *wanted)) and manifest.read(target) == manifest.plain(content)


class _Told:
    """Adds up how many persons threads have written, and tells it one at a time; `stop` is what ends them early."""

    def __init__(self, progress: Progress, n_persons: int) -> None:
        self._progress, self._n_persons, self._written, self._lock = progress, n_persons, 0, threading.Lock()
        self.stop = threading.Event()

    def more(self, persons: int) -> None:
        """So many more are written."""
        with self._lock:
            self._written += persons
            self._progress(self._written, self._n_persons)


def n_parts(people: Population) -> int:
    """How many part files a table of these people has."""
    return -(-people.n_blocks // BLOCKS_A_PART)


def paths_of(network: Network | None, part: int) -> tuple[str, ...]:
    """The files of a part, by their paths in OUT."""
    names = ("stays", "trips") if network is None else ("stays", "trips", "events")
    return tuple(f"{name}/part-{part:05d}.parquet" for name in names)


def write_part(
    people: Population, network: Network | None, rows: Path, part: int, wrote: Callable[[int], bool] | None = None,
    aside: Path | None = None,
) -> Part:  # fmt: skip
    """Make a part of the people and see its files through to the disk, in folders that are there.

    `wrote` is told the persons of every block and says whether to go on. Files grow beside their place, or in the folder `aside` where
    another process may be making the same part.
    """
    paths = paths_of(network, part)
    asides = [rows / f"{path}.part" if aside is None else aside / path.replace("/", "-") for path in paths]
    persons: list[pa.Table] = []
    with ExitStack() as open_files:
        schemas = [_schema_of(people, path.split("/")[0]) for path in paths]
        files = [open_files.enter_context(_file(at, columns)) for at, columns in zip(asides, schemas, strict=True)]
        for index in _blocks_of(people, part):
            mine, *others = _tables_of(people, network, index)
            persons.append(mine)
            for file, table in zip(files, others, strict=True):
                file.write_table(table, row_group_size=max(table.num_rows, 1))
            if wrote is not None and not wrote(mine.num_rows):
                raise InterruptedError("told to stop")
    return Part({path: unfinished.landed(at, rows / path) for path, at in zip(paths, asides, strict=True)}, tuple(persons))


def persons_of(people: Population, part: int) -> tuple[pa.Table, ...]:
    """The rows of persons.parquet of a part, a table a block, without their days."""
    return tuple(tables.persons_table(people, people.who(index)) for index in _blocks_of(people, part))


def write_rest(people: Population, network: Network | None, rows: Path) -> None:
    """Write what OUT holds beside its rows: the zoning, the description of its tables, and the sites of a network."""
    write_zoning(people.model.zoning, rows / "zones.parquet", marks=tables.SYNTHETIC)
    written = schema.SYNTHETIC if network is None else (*schema.SYNTHETIC, *schema.OF_PHONES)
    metadata.write({table.name: _schema_of(people, table.name).names for table in written}, rows / metadata.FILE)
    if network is not None:
        sites = tables.sites_table(network)
        with _file(rows / "sites.parquet", sites.schema) as file:
            file.write_table(sites)


def _write_rows(
    people: Population, network: Network | None, work: Work, workers: int, told: _Told, elsewhere: Elsewhere | None
) -> None:
    for path in paths_of(network, 0):
        (work.rows / path).parent.mkdir(exist_ok=True)
    with ExitStack() as stack:
        file = stack.enter_context(_file(work.rows / "persons.parquet", _schema_of(people, "persons")))
        for made in stack.enter_context(_parts(people, network, work, workers, told, elsewhere)):
            for table in made.persons:
                file.write_table(table, row_group_size=table.num_rows)


@contextmanager
def _parts(
    people: Population, network: Network | None, work: Work, workers: int, told: _Told, elsewhere: Elsewhere | None
) -> Generator[Iterator[Part]]:
    """All parts in order, each made or waited for by one of `workers` threads, at most one more of them ahead than there are threads."""
    waiting: deque[Future[Part]] = deque()
    fetch: Callable[[int], Files] = work.whole.__getitem__

    def wrote(persons: int) -> bool:
        told.more(persons)
        return not told.stop.is_set()

    def made(part: int) -> Part:
        if part not in work.whole and elsewhere is None:
            found = write_part(people, network, work.rows, part, wrote)
            work.note(part, found.files)
            return found
        files, persons = work.whole[part] if part in work.whole else fetch(part), persons_of(people, part)
        told.more(sum(table.num_rows for table in persons))
        return Part(files, persons)

    def in_order(pool: ThreadPoolExecutor) -> Iterator[Part]:
        for part in range(n_parts(people)):
            waiting.append(pool.submit(made, part))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    with ExitStack() as stack:
        pool = ThreadPoolExecutor(workers)
        stack.callback(pool.shutdown, cancel_futures=True)
        stack.callback(told.stop.set)
        if elsewhere is not None:
            fetch = stack.enter_context(elsewhere(work, [part for part in range(n_parts(people)) if part not in work.whole]))
        yield in_order(pool)


def _blocks_of(people: Population, part: int) -> range:
    return range(part * BLOCKS_A_PART, min((part + 1) * BLOCKS_A_PART, people.n_blocks))


def _tables_of(people: Population, network: Network | None, index: int) -> tuple[pa.Table, ...]:
    block = people.block(index)
    made = tables.persons_table(people, block.people), tables.stays_table(people, block), tables.trips_table(people, block)
    return made if network is None else (*made, tables.events_table(network, block))


def _schema_of(people: Population, name: str) -> pa.Schema:
    if name == "persons":
        return tables.persons_schema(people)
    table = {"stays": schema.STAYS, "trips": schema.TRIPS, "events": schema.SYNTHETIC_EVENTS, "sites": schema.SITES}[name]
    return tables.schema_of(people, table)


def _file(path: Path, wanted: pa.Schema) -> pq.ParquetWriter:
    """A Parquet file to write: labels as dictionaries and whole numbers as deltas, both packed in bits already and not compressed on top;
    other numbers as they are under Snappy, which finds the places that people come back to.

    Arrow's own schema is left out of the file: it would say 'dictionary' where every reader shall find plain text.
    """
    labels = [f.name for f in wanted if pa.types.is_dictionary(f.type)]
    floats = [f.name for f in wanted if pa.types.is_floating(f.type)]
    by_column: dict[str, Any] = {
        "use_dictionary": labels,
        "column_encoding": {name: "PLAIN" if name in floats else "DELTA_BINARY_PACKED" for name in wanted.names if name not in labels},
        "compression": {name: "SNAPPY" if name in floats else "NONE" for name in wanted.names},
        "write_statistics": [SEARCHED] if SEARCHED in wanted.names else False,
    }
    file = pq.ParquetWriter(
        path, wanted, version="2.6", data_page_version="2.0", store_schema=False, write_batch_size=ROWS_AT_ONCE, **by_column)
    file.add_key_value_metadata(tables.SYNTHETIC)
    return file


def _quiet(written: int, persons: int) -> None:
    del written, persons
