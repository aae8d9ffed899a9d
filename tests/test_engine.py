"""The connection is in this process, fetches nothing, and keeps to the memory, threads and folder that it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pytest

from synthmob.engine import USUAL_MEMORY_GB, connect, keep, usual_memory_gb


def setting(backend: Any, name: str) -> Any:
    return backend.raw_sql(f"SELECT current_setting('{name}')").fetchall()[0][0]


def test_it_loads_nothing_from_a_network() -> None:
    backend = connect()
    assert setting(backend, "autoinstall_known_extensions") is False
    assert setting(backend, "autoload_known_extensions") is False
    with pytest.raises(duckdb.Error):
        backend.raw_sql("SELECT * FROM read_csv('https://example.invalid/a.csv')")


def test_memory_threads_and_folder_are_as_asked(tmp_path: Path) -> None:
    where = tmp_path / "it's here"
    backend = connect(memory_limit_gb=0.5, threads=1, temp_directory=str(where))
    assert setting(backend, "threads") == 1
    assert setting(backend, "temp_directory") == str(where)
    assert setting(backend, "memory_limit") == setting(connect(memory_limit_gb=0.5), "memory_limit")
    assert setting(backend, "memory_limit") != setting(connect(memory_limit_gb=0.75), "memory_limit")


def test_what_does_not_fit_in_memory_goes_to_the_folder(tmp_path: Path) -> None:
    """A sort of 24 MB and more of keys, with 60 MB for everything."""
    ordered = "SELECT hash(range) % 1000 AS x, row_number() OVER (ORDER BY hash(range)) AS n FROM range(3_000_000)"
    sort = f"SELECT sum(x * (n % 7)) FROM ({ordered})"
    backend = connect(memory_limit_gb=0.06, threads=1, temp_directory=str(tmp_path / "spill"))
    assert backend.raw_sql(sort).fetchall()[0][0] == connect(threads=1).raw_sql(sort).fetchall()[0][0]


def test_two_connections_share_nothing() -> None:
    one, two = connect(threads=1), connect(threads=1)
    one.create_table("secret", ibis.memtable(pa.table({"x": [1, 2]})), temp=True)
    assert one.raw_sql("SELECT sum(x) FROM secret").fetchall() == [(3,)]
    with pytest.raises(duckdb.CatalogException, match="secret"):
        two.raw_sql("SELECT sum(x) FROM secret")


def test_a_table_that_is_kept_takes_the_place_of_its_name_and_of_what_it_was_made_of() -> None:
    backend = connect(threads=1)
    first = keep(backend, "it", ibis.memtable(pa.table({"x": [1, 2]})))
    second = keep(backend, "it", first.mutate(x=first.x * 10, y=first.x))
    assert backend.to_pyarrow(second.order_by("x")).to_pylist() == [{"x": 10, "y": 1}, {"x": 20, "y": 2}]
    assert backend.raw_sql("SELECT table_name FROM duckdb_tables()").fetchall() == [("it",)]


def test_memory_is_that_of_a_small_machine_where_nothing_is_asked() -> None:
    assert 0.1 < usual_memory_gb() <= USUAL_MEMORY_GB
    assert setting(connect(memory_limit_gb=usual_memory_gb()), "memory_limit") != setting(connect(), "memory_limit")


def test_no_progress_bar_writes_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    backend = connect()
    assert setting(backend, "enable_progress_bar") is False
    assert backend.to_pyarrow(ibis.memtable(pa.table({"x": [3]})))["x"].to_pylist() == [3]
    assert capfd.readouterr() == ("", "")
