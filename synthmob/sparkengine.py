"""Spark as an engine: pyspark 4, which needs a Java, on this machine (local[*]) or on a cluster (spark://HOST:PORT).

It runs the expressions that DuckDB runs and gives the same exact counts; what its SQL would understand otherwise is settled here.
It needs the package pyspark, which is not among our dependencies, and its memory, cores and places are those of its own configuration
(`SPARK_CONF_DIR`) where nothing below says otherwise.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sys
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import ibis

from synthmob.errors import InputError

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # An executor's complaint may quote a row: it stays in the exception, which becomes a sentence of ours.
    "spark.log.level": "OFF",
    "spark.sql.session.timeZone": "UTC",
    # What cannot be represented is an error, never another number.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # pandas writes instants in nanoseconds, which Spark has no type for: it reads them as whole numbers.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
}
QUIET_JAVA = "-Dlog4j2.level=OFF -Dlog4j2.StatusLogger.level=OFF"
ANSWER_S = 5.0
LEAST_PARTITIONS = 2
WITHOUT = {"measure": "use --engine duckdb", "generate": "leave --engine out"}


BLANKS = (9, 10, 11, 12, 13, 32)
"""Codes of what is stripped from a text: tab, line feed, vertical tab, form feed, carriage return, space."""


def connect(master: str, *, memory_limit_gb: float | None, temp_directory: str | None) -> Any:
    """An ibis backend on a Spark session of its own; InputError where Spark or its Java is not there, or no cluster answers."""
    settings = _partitions(master) if master.startswith("local") else {}
    if memory_limit_gb is not None:
        settings["spark.driver.memory"] = f"{max(int(memory_limit_gb * 1024), 1)}m"
    if temp_directory is not None:
        settings |= {"spark.local.dir": temp_directory, "spark.sql.warehouse.dir": temp_directory}
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    backend = ibis.pyspark.connect(session(master, "measure", settings))
    backend.compiler = _compiler()
    return backend


def session(master: str, verb: str, settings: Mapping[str, str]) -> Any:
    """A Spark session for a verb; InputError where Spark or its Java is not there, or no cluster answers."""
    try:
        from pyspark.sql import SparkSession  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise InputError(f"The engine is Spark and pyspark is not installed: install pyspark 4, or {WITHOUT[verb]}.") from None
    if shutil.which("java") is None:
        raise InputError(f"The engine is Spark and no java is found: install a Java runtime of 17 or later, or {WITHOUT[verb]}.")
    if not _answers(master):
        raise InputError(f"No Spark master answers at {master}: see that it runs and can be reached from here, or {WITHOUT[verb]}.")
    if master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName(f"synthmob {verb}")
    for name, value in {**SETTINGS, "spark.driver.extraJavaOptions": QUIET_JAVA, **settings}.items():
        builder = builder.config(name, value)
    try:
        with _silence():
            return builder.getOrCreate()
    except failures():
        raise InputError(f"Spark cannot be started at {master}: see that its master runs there and that its Java is 17 or later.") from None


def _partitions(master: str) -> dict[str, str]:
    """As many partitions as cores on one machine: two hundred, Spark's default, are two hundred small files a step.

    >>> _partitions("local[3]")
    {'spark.sql.shuffle.partitions': '3'}
    """
    said = master.removeprefix("local").strip("[]")
    return {"spark.sql.shuffle.partitions": str(max(int(said) if said.isdigit() else os.cpu_count() or 1, LEAST_PARTITIONS))}


def _answers(master: str) -> bool:
    """Whether somebody listens where a master should: Spark itself would try for a minute."""
    if not master.startswith("spark://"):
        return True
    for place in master.removeprefix("spark://").split(","):
        host, _, port = place.rpartition(":")
        with suppress(OSError, ValueError, OverflowError), socket.create_connection((host.strip("[]"), int(port)), ANSWER_S):
            return True
    return False


def keep(backend: Any, name: str, table: Any) -> Any:
    """A table kept in memory and on the disks of the executors, and computed again by Spark where one of them is lost.

    What is built on it sees rows of nowhere: Spark would otherwise write the whole history of a table out wherever it is named, also
    where it is cached, and a dozen steps that each name the one before three times are half a million of the first.
    """
    from pyspark.sql import DataFrame, SparkSession  # pyright: ignore[reportMissingImports]

    session = SparkSession.getActiveSession()
    given = table if isinstance(table, ibis.Expr) else ibis.memtable(table)
    view = backend.create_view(name, given, overwrite=True)
    if isinstance(given.op(), ibis.expr.operations.InMemoryTable):
        return view  # it has no history, and Spark sees that it is small enough to be sent to everybody
    frame = session.table(name).persist()
    frame.count()
    rows, java = frame._jdf.queryExecution().toRdd(), session._jsparkSession  # noqa: SLF001  (its Python has no word for it)
    DataFrame(java.internalCreateDataFrame(rows, frame._jdf.schema(), False), session).createOrReplaceTempView(name)  # noqa: SLF001
    return backend.table(name)


def read_parquet(backend: Any, paths: Sequence[str], base: str, nanoseconds: Collection[str], file: str, row: str) -> Any:
    """A table of Parquet files under the folder `base`, with their hive partitions, and the path and row (from 1) that each row is of.

    `nanoseconds` are the columns of instants in nanoseconds: they become microseconds, which is what Spark has.
    """
    from pyspark.sql import SparkSession, functions  # pyright: ignore[reportMissingImports]

    session = SparkSession.getActiveSession()
    table = session.read.option("basePath", base).parquet(*paths)
    columns = [
        functions.timestamp_micros((functions.col(f"`{name}`") / 1000).cast("bigint")).cast("timestamp_ntz").alias(name)
        if name in nanoseconds else functions.col(f"`{name}`") for name in table.columns]  # fmt: skip
    position = functions.col("_metadata.file_path").alias(file), (functions.col("_metadata.row_index") + 1).alias(row)
    view = ibis.util.gen_name("records")
    table.select(*columns, *position).createOrReplaceTempView(view)
    return backend.table(view)


def failures() -> tuple[type[Exception], ...]:
    """What pyspark raises where Spark fails; their text may quote a row."""
    from py4j.protocol import Py4JError  # pyright: ignore[reportMissingImports]
    from pyspark.errors import PySparkException  # pyright: ignore[reportMissingImports]

    return PySparkException, Py4JError


@contextmanager
def _silence() -> Generator[None]:
    """Nothing of what is started meanwhile reaches the terminal: a Java greets, and may later quote a row."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


@cache
def _compiler() -> Any:
    """Ibis' compiler for Spark, put right where its SQL would mean something else to Spark than it means to DuckDB."""
    from ibis.backends.sql.compilers.pyspark import PySparkCompiler

    def literal(self: Any, op: Any, *, value: Any, dtype: Any) -> Any:
        """A float is a double: Spark takes 1.0 for a decimal, and a third of it for 0.33333333333."""
        found = PySparkCompiler.visit_NonNullLiteral(self, op, value=value, dtype=dtype)
        return self.cast(found, dtype) if dtype.is_floating() else found

    def strip(self: Any, _op: Any, *, arg: Any) -> Any:
        """Blanks by their codes: Spark reads the escapes of a form feed and of a vertical tab as the letters f and v."""
        return self.f.anon.btrim(arg, self.f.concat(*(self.f.anon.char(code) for code in BLANKS)))

    def element(self: Any, _op: Any, *, arg: Any, index: Any) -> Any:
        """The index of an array is an INT to Spark."""
        return self.f.anon.get(arg, self.cast(index, ibis.dtype("int32")))

    ours = {"visit_NonNullLiteral": literal, "visit_Strip": strip, "visit_ArrayIndex": element, "__slots__": ()}
    return type("Compiler", (PySparkCompiler,), ours)()
