"""CSV files that grow a block at a time, all of them closed together."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc


@dataclass(frozen=True)
class CsvFiles:
    """The files of a folder that are being written: how many rows each has so far, its columns, and what writes it, by its name."""

    folder: Path
    stack: ExitStack
    rows: dict[str, int]
    columns: dict[str, list[str]]
    writers: dict[str, pc.CSVWriter]

    def add(self, made: Mapping[str, pa.Table]) -> None:
        """Write a table at the end of each file that is named; a file begins with its first, which gives it its columns."""
        for name, table in made.items():
            if name not in self.writers:
                self.writers[name] = self.stack.enter_context(pc.CSVWriter(self.folder / name, table.schema))
                self.columns[name] = table.column_names
            self.writers[name].write_table(table)
            self.rows[name] += len(table)


@contextmanager
def opened(folder: Path, names: Collection[str]) -> Generator[CsvFiles]:
    """The files of those names in a folder, to add tables to; none is there before its first table."""
    with ExitStack() as stack:
        yield CsvFiles(folder, stack, dict.fromkeys(names, 0), {}, {})
