"""What an exporter reads: an OUT folder, a block of persons at a time, so that memory does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from synthmob import manifest, schema
from synthmob.errors import FormatError
from synthmob.period import Period
from synthmob.schema import Table
from synthmob.synthesis.outfolder import read_zones
from synthmob.synthesis.unfinished import check_whole
from synthmob.zones import Zoning

Progress = Callable[[int, int], None]
"""Is told the persons written and the persons in all."""
IntArray = npt.NDArray[np.int64]
EVENT_ROWS = 1 << 17
WEIGHT = "weight"
"""The column of PERSONS that says how many people of the population a person stands for."""


@dataclass(frozen=True)
class Block:
    """A range of persons with all their stays and trips: Arrow tables in the columns of schema.PERSONS, STAYS and TRIPS, text plain,
    sorted by person, day and seq. `weights` (persons,) are people a person; ones where they are not asked for."""

    persons: pa.Table
    stays: pa.Table
    trips: pa.Table
    weights: np.ndarray[tuple[int], np.dtype[np.float64]]

    def whose(self, table: pa.Table) -> IntArray:
        """Which row of `persons` each row of `stays` or `trips` is of, shape (rows,)."""
        first = int(self.persons["person_id"][0].as_py())
        return table["person_id"].to_numpy().astype(np.int64) - first


@dataclass(frozen=True)
class Source:
    """An OUT folder opened for export. `weighted` says that flows are given in people, not in subscribers."""

    folder: Path
    zoning: Zoning
    period: Period
    n_persons: int
    weighted: bool = False

    @classmethod
    def open(cls, folder: Path, *, timezone: str | None = None, weighted: bool = False) -> Source:
        """The folder that generate wrote; FormatError where it is another, or where weights are asked for and absent."""
        check_whole(folder)
        if not folder.is_dir():
            raise FormatError(f"There is no folder {folder}: give the folder that generate wrote.")
        said = manifest.read(folder)
        if said["step"] != "generate" or not isinstance(said.get("period"), dict):
            raise FormatError(f"{folder} was left by {said['step']!r}: export what generate wrote.")
        period = Period.from_json(said["period"])
        if timezone is not None:
            period = Period(period.first_day, period.days, timezone)
        persons = _file(folder / "persons.parquet", schema.PERSONS)
        if persons.metadata.num_rows == 0:
            raise FormatError(f"{folder} has no persons: generate some.")
        if weighted and WEIGHT not in persons.schema_arrow.names:
            raise FormatError(f"The persons of {folder} have no column {WEIGHT!r}: export them without --weighted.")
        return cls(folder, read_zones(folder), period, persons.metadata.num_rows, weighted)

    def blocks(self, progress: Progress) -> Iterator[Block]:
        """All persons in order, as many at a time as the folder keeps together; `progress` is told of each block that was taken in."""
        persons, done = _file(self.folder / "persons.parquet", schema.PERSONS), 0
        stays, trips = (_groups(self.folder / name, table) for name, table in (("stays", schema.STAYS), ("trips", schema.TRIPS)))
        for k in range(persons.metadata.num_row_groups):
            people = persons.read_row_group(k)
            parts = [next(groups, None) for groups in (stays, trips)]
            if parts[0] is None or parts[1] is None:
                raise FormatError(f"{self.folder} has persons without their stays and trips: generate it again.")
            _check_block(self.folder, people, parts[0], parts[1])
            yield Block(people, parts[0], parts[1], self._weights(people))
            done += len(people)
            progress(done, self.n_persons)

    def weights(self) -> Iterator[pa.Table]:
        """How many people each person stands for, person_id and weight, in order."""
        persons = _file(self.folder / "persons.parquet", schema.PERSONS)
        for k in range(persons.metadata.num_row_groups):
            people = persons.read_row_group(k)
            yield pa.table({"person_id": people["person_id"], WEIGHT: self._weights(people)})

    def events(self, progress: Progress) -> Iterator[pa.Table]:
        """All events in the order of persons, EVENT_ROWS or fewer at a time; FormatError where there are none to be read."""
        files = [_file(path, schema.SYNTHETIC_EVENTS) for path in self.event_files()]
        for file in files:
            for k in range(file.metadata.num_row_groups):  # asked for all at once, a file keeps what it has read
                for batch in file.iter_batches(batch_size=EVENT_ROWS, row_groups=[k]):
                    if len(batch):
                        yield pa.Table.from_batches([batch])
                        progress(min(int(batch["person_id"][-1].as_py()) + 1, self.n_persons), self.n_persons)
        progress(self.n_persons, self.n_persons)

    def event_files(self) -> list[Path]:
        """The part files of the events, in order; FormatError where OUT was generated without."""
        found = sorted((self.folder / "events").glob("part-*.parquet"))
        if not found:
            raise FormatError(f"{self.folder} has no events: generate it with --events.")
        return found

    def sites(self) -> pa.Table:
        """The antenna sites that serve the events, in the columns of schema.SITES; FormatError where they cannot be used."""
        found = _file(self.folder / "sites.parquet", schema.SITES).read(columns=list(schema.SITES.names))
        lon, lat = (np.abs(found[name].to_numpy().astype(np.float64)) for name in ("lon", "lat"))
        if found["site_id"].null_count or not ((lon <= 180) & (lat <= 90)).all():
            raise FormatError(f"{self.folder} has a site without a name or a place: generate it again.")
        return found

    def _weights(self, people: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        if not self.weighted:
            return np.ones(len(people))
        weights = people[WEIGHT].to_numpy().astype(np.float64)
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise FormatError(f"The persons of {self.folder} have a weight that is no number of people: generate them again.")
        return weights


def _groups(folder: Path, table: Table) -> Iterator[pa.Table]:
    """The row groups of a folder of part files, in order."""
    for path in sorted(folder.glob("part-*.parquet")):
        file = _file(path, table)
        for k in range(file.metadata.num_row_groups):
            yield file.read_row_group(k)


def _file(path: Path, table: Table) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException):
        raise FormatError(f"{path} cannot be read as Parquet: generate the folder again.") from None
    schema.check(file.schema_arrow.names, table, str(path))
    return file


def _check_block(folder: Path, persons: pa.Table, stays: pa.Table, trips: pa.Table) -> None:
    """FormatError where persons are not in order, rows are of other persons than the block's, or a stay follows without a trip."""
    known = persons["person_id"].to_numpy()
    if not len(known) or not np.array_equal(known, np.arange(known[0], known[0] + len(known))):
        raise FormatError(f"{folder} has persons that are not numbered in order: export what generate wrote.")
    for table in (stays, trips):
        who = table["person_id"].to_numpy()
        if len(who) and (who[0] < known[0] or who[-1] > known[-1] or (np.diff(who) < 0).any()):
            raise FormatError(f"{folder} keeps rows of a person away from that person: export what generate wrote.")
    if len(trips) != np.count_nonzero(stays["seq"].to_numpy()):
        raise FormatError(f"{folder} has stays that no trip leads to: export what generate wrote.")
