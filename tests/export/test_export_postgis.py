"""postgis: shapes and instants of every row as text, the types of its SQL, and a real server that takes all of it or nothing."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import postgres_run
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from small_out import exported, rows, small

from synthmob.zonefiles import read_zoning


def table(path: Path) -> pd.DataFrame:
    """A file as pandas reads it; hexadecimal geometry can look like 1E610000010..., at which pandas 2 ends the process (pandas#63089)."""
    return pd.read_csv(path, dtype={"geom": str})


def shapes(column: pd.Series) -> np.ndarray:
    return shapely.from_wkb(column.where(column.notna(), None).to_numpy(dtype=object))


@pytest.fixture(scope="module")
def folder(exports: dict[str, Path]) -> Path:
    return exports["postgis"]


def test_points_and_lines_are_those_of_the_stays(folder: Path, out: Path) -> None:
    stays, trips = (table(folder / f"{name}.csv") for name in ("stays", "trips"))
    ours = rows(out, "stays")
    points = shapes(stays.geom)
    known = ours.lon.notna().to_numpy()
    assert (shapely.is_missing(points) == ~known).all() and (shapely.get_srid(points[known]) == 4326).all()
    np.testing.assert_array_equal(shapely.get_coordinates(points[known]), ours.loc[known, ["lon", "lat"]])
    at = dict(zip(zip(ours.person_id, ours.day, ours.seq, strict=True), points, strict=True))
    for trip, line in zip(trips.itertuples(), shapes(trips.geom), strict=True):
        ends = [at[trip.person_id, trip.day, trip.seq + step] for step in (0, 1)]
        assert (line is None) == (None in ends)
        assert line is None or line.coords[:] == [ends[0].coords[0], ends[1].coords[0]]


def test_zones_and_homes_are_there(folder: Path, out: Path) -> None:
    zones, zoning = table(folder / "zones.csv"), read_zoning(out / "zones.parquet")
    assert list(zones.zone_id) == list(zoning.ids) and shapely.equals(shapes(zones.geom), zoning.geometry).all()
    people, ours = table(folder / "persons.csv"), rows(out, "persons")
    homes = shapes(people.home)
    assert (shapely.is_missing(homes) == ours.home_lon.isna()).all()
    np.testing.assert_array_equal(shapely.get_coordinates(homes), ours[["home_lon", "home_lat"]].dropna())


def test_no_name_of_a_strangers_column_reaches_the_database(out: Path, tmp_path: Path) -> None:
    odd = small(out, tmp_path / "out", persons=20, block=20)
    people = pq.read_table(odd / "persons.parquet")
    pq.write_table(people.append_column("x text); DROP SCHEMA public CASCADE; --", pa.array([1] * 20)), odd / "persons.parquet")
    assert "DROP" not in (exported(odd, tmp_path, "postgis") / "load.sql").read_text()


def test_what_is_loaded_is_what_is_written(folder: Path) -> None:
    text = (folder / "load.sql").read_text()
    for name in ("zones", "persons", "stays", "trips"):
        columns = re.search(rf"\\copy {name} \((.*?)\) FROM '{name}.csv' WITH \(FORMAT csv, HEADER\)", text)[1].split(", ")
        assert columns == list(pd.read_csv(folder / f"{name}.csv", nrows=0).columns)
        table = re.search(rf"CREATE TABLE {name} \((.*)\);", text)[1]
        assert [part.split()[0] for part in re.split(r", (?!\d)", table)] == columns
    assert "timezone: Europe/London" in text and "synthetic: true" in text and text.count("BEGIN;") == text.count("COMMIT;") == 1


@pytest.fixture(scope="module")
def server() -> Iterator[postgres_run.Server]:
    # Not in pytest's folder: the server's user must reach it, and a socket's path is short.
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        with postgres_run.server(Path(place) / "server") as found:
            yield found


@pytest.fixture
def place(folder: Path) -> Iterator[Path]:
    """A copy of the export that the server's user can read."""
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        yield Path(shutil.copytree(folder, Path(top) / "postgis"))


@pytest.mark.slow
@pytest.mark.skipif(postgres_run.programs() is None, reason="needs PostgreSQL with PostGIS: apt-get install postgresql-15-postgis-3")
def test_a_server_takes_every_row_and_refuses_to_replace(place: Path, out: Path, server: postgres_run.Server) -> None:
    done = server.psql("-f", "load.sql", cwd=place)
    assert done.returncode == 0, done.stderr
    for name in ("persons", "stays", "trips"):
        assert server.asked(f"select count(*) from synthmob.{name}") == [[str(len(rows(out, name)))]]
    inside = "select count(*) from synthmob.stays s join synthmob.zones z on s.zone_id = z.zone_id where st_covers(z.geom, s.geom)"
    assert server.asked(inside) == [[str(int(rows(out, "stays").zone_id.notna().sum()))]]
    kinds = "select distinct st_geometrytype(geom), st_srid(geom) from synthmob.trips where geom is not null"
    assert server.asked(kinds) == [["ST_LineString", "4326"]]
    assert "Europe/London" in server.asked("select obj_description('synthmob'::regnamespace)")[0][0]
    again = server.psql("-f", "load.sql", cwd=place)
    assert again.returncode != 0 and "already exists" in again.stderr
    other = server.psql("-v", "schema=other", "-f", "load.sql", cwd=place)
    assert other.returncode == 0, other.stderr
    assert server.asked("select count(*) from other.zones") == [[str(read_zoning(out / "zones.parquet").n_zones)]]


@pytest.mark.slow
@pytest.mark.skipif(postgres_run.programs() is None, reason="needs PostgreSQL with PostGIS: apt-get install postgresql-15-postgis-3")
def test_a_file_cut_short_leaves_no_table(place: Path, server: postgres_run.Server) -> None:
    """Within a line, and between two, where every line that is left is a good one."""
    content = (place / "trips.csv").read_bytes()
    line = content.index(b"\n", len(content) // 2) + 1
    for end in (line - 3, line):
        (place / "trips.csv").write_bytes(content[:end])
        done = server.psql("-v", "schema=cut", "-f", "load.sql", cwd=place)
        assert done.returncode != 0 and server.asked("select count(*) from pg_namespace where nspname = 'cut'") == [["0"]]
    assert "trips.csv is not whole" in done.stderr
