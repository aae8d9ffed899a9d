"""One ibis connection, to DuckDB in this process unless another engine is asked for, and tables kept on it."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

import ibis

from synthmob.errors import InputError

DUCKDB = "duckdb"
USUAL_MEMORY_GB, MOST_OF_MEMORY = 3.0, 0.8
"""The memory that records get where no limit is given: with what else a process holds it stays under 4 GB."""
_SPARK = re.compile(r"local(\[(\*|[1-9]\d*)\])?|spark://\S+")


def is_spark(name: str) -> bool:
    """Whether `name` is where a Spark runs: local, local[N], local[*] or spark://HOST:PORT.

    >>> is_spark("local[2]"), is_spark("duckdb")
    (True, False)
    """
    return _SPARK.fullmatch(name) is not None


def check(name: str) -> None:
    """InputError where `name` is no engine.

    >>> check("duckdb"), check("local[2]"), check("spark://head:7077")
    (None, None, None)
    """
    if name != DUCKDB and not is_spark(name):
        raise InputError(f"There is no engine {name!r}: give {DUCKDB}, local[*] (Spark on this machine) or spark://HOST:PORT (a cluster).")


def usual_memory_gb() -> float:
    """3 GB, or four fifths of the machine's memory where that is less."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return USUAL_MEMORY_GB
    return min(USUAL_MEMORY_GB, MOST_OF_MEMORY * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9)


def connect(
    *, memory_limit_gb: float | None = None, threads: int | None = None, temp_directory: str | None = None, name: str = DUCKDB
) -> Any:
    """An ibis backend that may read and spill: an in-memory DuckDB that fetches nothing from a network, or Spark.

    Of Spark the memory limit is that of its driver, and its threads are those that `name` says.
    """
    check(name)
    if name != DUCKDB:
        from synthmob import sparkengine

        return sparkengine.connect(name, memory_limit_gb=memory_limit_gb, temp_directory=temp_directory)
    backend = ibis.duckdb.connect()
    settings = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "preserve_insertion_order": "false",
        "enable_progress_bar": "false",
    }
    if memory_limit_gb is not None:
        settings["memory_limit"] = f"'{memory_limit_gb}GB'"
    if threads is not None:
        settings["threads"] = str(threads)
    if temp_directory is not None:
        settings["temp_directory"] = "'" + temp_directory.replace("'", "''") + "'"
    for setting, value in settings.items():
        # In Jupyter without widgets DuckDB refuses to set the progress bar at all, even to off where it is off.
        if setting == "enable_progress_bar" and not backend.raw_sql(f"SELECT current_setting('{setting}')").fetchall()[0][0]:
            continue
        backend.raw_sql(f"SET {setting}={value}")
    return backend


def on_spark(backend: Any) -> bool:
    """Whether a backend is Spark."""
    return backend.name == "pyspark"


def failures() -> tuple[type[Exception], ...]:
    """What the engines that are in use raise where they fail; such an error's text may quote a row."""
    import duckdb

    found: tuple[type[Exception], ...] = (duckdb.Error,)
    if "pyspark" in sys.modules:
        from synthmob import sparkengine

        found += sparkengine.failures()
    return found


def keep(backend: Any, name: str, table: Any) -> Any:
    """An ibis or Arrow table computed once and kept on the backend under a name until it is disconnected; replaces one of that name."""
    if not on_spark(backend):
        # Not by ibis's overwrite, which copies a temporary table into a second one: as much memory again, and half as much time.
        fresh = ibis.util.gen_name("kept")
        backend.create_table(fresh, table, temp=True)
        backend.raw_sql(f'DROP TABLE IF EXISTS temp.main."{name}"')
        backend.raw_sql(f'ALTER TABLE temp.main."{fresh}" RENAME TO "{name}"')
        return backend.table(name, database=("temp", "main"))
    from synthmob import sparkengine

    return sparkengine.keep(backend, name, table)


def step(backend: Any, table: Any) -> Any:
    """`keep` under a name that nothing else has."""
    return keep(backend, ibis.util.gen_name("step"), table)
