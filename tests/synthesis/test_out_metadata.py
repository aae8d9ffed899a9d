"""metadata.json of every OUT: SDV reads it, the tables fit it, SDMetrics scores with it, and an OUT with another one is refused."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from smallrun import Run, synthmob

from synthmob import manifest, schema
from synthmob.errors import FormatError
from synthmob.synthesis import metadata
from synthmob.synthesis.outfolder import check_out

PERSONS = 500


@pytest.fixture(scope="module")
def outs(run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two small populations of the same model."""
    top = tmp_path_factory.mktemp("outs")
    for seed in (1, 2):
        assert synthmob("generate", run.model, "--persons", PERSONS, "--days", 2, "--seed", seed, "-o", top / str(seed)) == 0
    return top / "1", top / "2"


def tables(out: Path) -> dict[str, pd.DataFrame]:
    return {name: pq.read_table(out / path).to_pandas() for name, path in
            (("persons", "persons.parquet"), ("stays", "stays"), ("trips", "trips"))}  # fmt: skip


def test_sdv_loads_it_and_the_tables_fit(outs: tuple[Path, Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sdv.errors import InvalidDataError
        from sdv.metadata import Metadata

        said = Metadata.load_from_json(outs[0] / metadata.FILE)
        said.validate()
        data = tables(outs[0])
        said.validate_data(data)
        assert said.to_dict() == json.loads((outs[0] / metadata.FILE).read_text())
        assert set(said.tables) == set(data) and said.tables["stays"].primary_key == ["person_id", "day", "seq"]
        with pytest.raises(InvalidDataError):
            said.validate_data({**data, "persons": data["persons"].iloc[1:]})
        with pytest.raises(InvalidDataError):
            said.validate_data({**data, "stays": pd.concat([data["stays"], data["stays"].iloc[:1]])})


def test_sdmetrics_reports_run_on_it(outs: tuple[Path, Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sdmetrics.reports.multi_table import DiagnosticReport, QualityReport

        said = json.loads((outs[0] / metadata.FILE).read_text())
        real, made = tables(outs[0]), tables(outs[1])
        diagnostic, quality = DiagnosticReport(), QualityReport()
        diagnostic.generate(real, made, said, verbose=False)
        quality.generate(real, made, said, verbose=False)
    assert diagnostic.get_score() > 0.99
    assert 0.8 < quality.get_score() < 1
    shapes: Any = quality.get_details("Column Shapes")
    assert set(shapes["Column"]) >= {"purpose", "start_min", "home_lon", "worker", "distance_km"} and not shapes["Score"].isna().any()


def test_every_column_of_every_table_is_described(outs: tuple[Path, Path]) -> None:
    said = json.loads((outs[0] / metadata.FILE).read_text())
    for name, frame in tables(outs[0]).items():
        assert list(said["tables"][name]["columns"]) == list(frame.columns)
    links = {(link["child_table_name"], link["parent_table_name"]) for link in said["relationships"]}
    assert links == {("stays", "persons"), ("trips", "persons")}
    fewer = metadata.describe({"persons": ["person_id", "worker", "home_zone", "work_zone"]})
    assert list(fewer["tables"]["persons"]["columns"]) == ["person_id", "worker", "home_zone", "work_zone"] and not fewer["relationships"]
    assert {table.name for table in schema.SYNTHETIC} == {"persons", "stays", "trips"}


@pytest.mark.parametrize("text", ["{}", "[]", "nothing", None, '{"METADATA_SPEC_VERSION": "V2"}'])
def test_an_out_with_other_metadata_is_refused(text: str | None, outs: tuple[Path, Path], tmp_path: Path) -> None:
    other = Path(shutil.copytree(outs[0], tmp_path / "out"))
    (other / metadata.FILE).unlink()
    if text is None:
        (other / metadata.FILE).symlink_to(outs[0] / metadata.FILE)
    else:
        (other / metadata.FILE).write_text(text)
    with pytest.raises(FormatError, match=r"metadata\.json"):
        check_out(other)


def test_an_out_of_an_earlier_version_has_none(outs: tuple[Path, Path], tmp_path: Path) -> None:
    other = Path(shutil.copytree(outs[0], tmp_path / "out"))
    (other / metadata.FILE).unlink()
    check_out(other)


def test_the_manifest_says_from_which_release_the_model_was_fitted(run: Run, outs: tuple[Path, Path]) -> None:
    said = manifest.read(outs[0])
    assert said["origin"]["release"] == {"name": "release", "sha256": manifest.digest(run.release)}
    assert said["origin"] == manifest.read(run.model)["inputs"]
