"""One ibis connection: DuckDB in this process."""

from __future__ import annotations

from typing import Any

import ibis


def connect(*, memory_limit_gb: float | None = None, threads: int | None = None, temp_directory: str | None = None) -> Any:
    """An ibis backend on an in-memory DuckDB that may read and spill but fetches nothing from a network."""
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
    for name, value in settings.items():
        # In Jupyter without widgets DuckDB refuses to set the progress bar at all, even to off where it is off.
        if name == "enable_progress_bar" and not backend.raw_sql(f"SELECT current_setting('{name}')").fetchall()[0][0]:
            continue
        backend.raw_sql(f"SET {name}={value}")
    return backend
