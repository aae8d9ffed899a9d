"""Antenna sites: inside their zones and apart from one another, or from a public list that is judged."""

from __future__ import annotations

from pathlib import Path

import handmade
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from synthmob.errors import FormatError, InputError
from synthmob.synthesis import sites
from synthmob.synthesis.order import persons_of_ranks, ranks

ZONING = handmade.zoning()


def test_drawn_sites_lie_in_their_zones_and_apart() -> None:
    made = sites.drawn(ZONING, 1, 4)
    assert len(made.labels) == len(set(made.labels)) == 20 and made.first.tolist() == [0, 4, 8, 12, 16, 20, 20]
    for zone, point in zip(made.zone, made.lonlat, strict=True):
        assert ZONING.geometry[zone].contains(shapely.Point(point))
    apart = np.sqrt(((made.flat(made.lonlat[:4])[:, None] - made.flat(made.lonlat[:4])[None]) ** 2).sum(axis=2))
    assert apart[np.triu_indices(4, 1)].min() > 0.004  # of a square of 0.02 degrees
    assert (sites.drawn(ZONING, 1, 4).lonlat == made.lonlat).all() and (sites.drawn(ZONING, 2, 4).lonlat != made.lonlat).all()
    assert (made.neighbours != np.arange(20)[:, None]).all()
    assert (made.nearest(made.lonlat) == np.arange(20)).all()


def listing(folder: Path, suffix: str, rows: list[tuple[object, object, object]]) -> Path:
    frame, path = pd.DataFrame(rows, columns=["site_id", "lon", "lat"]), folder / f"sites{suffix}"
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path, index=False)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_public_list_is_put_into_zones(tmp_path: Path, suffix: str) -> None:
    rows = [("007", 0.235, 51.515), ("b", 0.01, 51.51), ("far", 9.0, 51.0), ("c", 0.011, 51.511), ("d", 0.245, 51.515)]
    made = sites.read(listing(tmp_path, suffix, rows), ZONING)
    assert made.labels == ("b", "c", "d") and made.zone.tolist() == [0, 0, 3]
    assert made.first.tolist() == [0, 2, 2, 2, 3, 3, 3]


@pytest.mark.parametrize(("rows", "error", "says"), [
    ([("far", 9.0, 51.0)], InputError, "No site of sites.csv lies in a zone"),
    ([("a", 0.01, 51.5), ("a", 0.01, 51.51)], FormatError, "give each site_id once"),
    ([("a", 0.01, 91.0)], FormatError, "off the globe"),
    ([("a", "west", 51.0)], FormatError, "no number: give degrees"),
    ([(None, 0.01, 51.0)], FormatError, "without an id of its own"),
])  # fmt: skip
def test_a_list_that_cannot_be_is_refused(
    tmp_path: Path, rows: list[tuple[object, object, object]], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        sites.read(listing(tmp_path, ".csv", rows), ZONING)


def test_files_that_are_no_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"nowhere\.csv cannot be read as a list of sites"):
        sites.read(tmp_path / "nowhere.csv", ZONING)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FormatError, match="has no column 'site_id'"):
        sites.read(tmp_path / "other.csv", ZONING)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(FormatError, match=r"broken\.parquet"):
        sites.read(tmp_path / "broken.parquet", ZONING)


def test_a_label_that_is_no_text_is_refused(tmp_path: Path) -> None:
    no_text = pa.StringArray.from_buffers(1, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xff"))
    pq.write_table(pa.table({"site_id": no_text, "lon": [0.01], "lat": [51.5]}), tmp_path / "sites.parquet")
    with pytest.raises(FormatError, match=r"sites\.parquet cannot be read as a list of sites"):
        sites.read(tmp_path / "sites.parquet", ZONING)


@pytest.mark.parametrize("a_zone", [0, 1_001, True])
def test_a_number_of_sites_that_cannot_be_is_refused(a_zone: int) -> None:
    with pytest.raises(InputError, match="give a whole number from 1 to 1000"):
        sites.drawn(ZONING, 1, a_zone)


@pytest.mark.parametrize("n", [1, 2, 10, 1_000, 70_000])
def test_ranks_can_be_turned_round(n: int) -> None:
    person = np.arange(n)
    assert (persons_of_ranks(3, n, ranks(3, n, person)) == person).all()
