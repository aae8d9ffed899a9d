"""Spark counts what DuckDB counts, to the last step of 1/1024: in a few tables of every kind, and slowly in all of the standard plan."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from record_folder import TOWN, few, write_everything

from synthmob.counts import STATISTICS
from synthmob.errors import RecordError
from synthmob.plan import Plan
from synthmob.private.curator import Curator
from synthmob.request import MODES

pytest.importorskip("pyspark", reason="no pyspark: uv run --group spark pytest -m spark")
pytestmark = [pytest.mark.spark, pytest.mark.skipif(shutil.which("java") is None, reason="no Java: apt-get install default-jre-headless")]
SPARK = "local[2]"
FEW = {"home_work@zone", "od_hour@district", "presence@zone", "chains", "event_zones@zone"}
"""People, flows, routines and usage: all other tables are counted of the same coded rows."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_everything(tmp_path_factory.mktemp("records"))


ALL = pytest.param("all", marks=pytest.mark.slow)


@pytest.mark.parametrize("which", ["few", ALL])
@pytest.mark.parametrize("read_from", ["stays", "events"])
def test_the_counts_are_those_of_duckdb(folder: Path, read_from: Literal["stays", "events"], which: str) -> None:
    ours = Curator.of(folder, TOWN, read_from=read_from)
    plan = ours.plan(Plan.standard())
    assert {r.statistic for r in plan.requests} == set(STATISTICS) - (set(MODES) if read_from == "events" else set())
    if which == "few":
        plan = replace(plan, requests=tuple(r for r in plan.requests if r.name in FEW))
        assert len(plan.requests) == len(FEW)
    theirs, found = ours.exact(plan), replace(ours, engine_name=SPARK).exact(plan)
    for name, (cells, counts) in theirs.items():
        assert len(cells), name
        np.testing.assert_array_equal(found[name][0], cells, err_msg=name)
        np.testing.assert_array_equal(found[name][1], counts, err_msg=name)


def test_records_in_hive_folders_are_read_and_a_broken_row_is_found(tmp_path: Path) -> None:
    folder = write_everything(tmp_path / "records", n=6)
    stays = pd.read_parquet(folder / "stays.parquet")
    (folder / "stays.parquet").unlink()
    stays.to_parquet(folder / "stays", partition_cols=["day"], index=False)
    part = min((folder / "stays" / "day=1").iterdir())
    part = part.rename(part.with_name("part one.parquet"))
    files, on_spark = Curator.of(folder, TOWN), Curator.of(folder, TOWN, engine_name=SPARK)
    assert files.sizes(few()) == on_spark.sizes(few())
    rows = pd.read_parquet(part, partitioning=None)
    rows.loc[2, "zone_id"] = "zz"
    rows.to_parquet(part, index=False)
    said = []
    for curator in (files, on_spark):
        with pytest.raises(RecordError) as caught:
            curator.sizes(few())
        said.append(str(caught.value))
    assert said[0] == said[1] and "part one.parquet, row 3: zone_id is not a zone" in said[0]


def test_csv_and_parts_that_differ_are_refused_in_a_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = write_everything(tmp_path / "records", n=3)
    stays = pd.read_parquet(folder / "stays.parquet")
    (folder / "stays.parquet").unlink()
    (folder / "stays").mkdir()
    stays.to_parquet(folder / "stays" / "a.parquet", index=False)
    stays.drop(columns="mode").to_parquet(folder / "stays" / "b.parquet", index=False)
    curator = Curator.of(folder, TOWN, engine_name=SPARK)
    with pytest.raises(RecordError, match="all parts with the same columns"):
        curator.sizes(few())
    shutil.rmtree(folder / "stays")
    stays.to_csv(folder / "stays.csv", index=False)
    with pytest.raises(RecordError, match="Spark reads Parquet alone"):
        curator.sizes(few())
    (folder / "stays.csv").unlink()
    (folder / "stays.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(RecordError, match="cannot be read as Parquet"):
        curator.sizes(few())
    assert capfd.readouterr() == ("", "")
