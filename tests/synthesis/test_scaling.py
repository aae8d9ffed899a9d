"""Weights make synthetic people the residents of a census, area by area, and what a census cannot say is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smallrun import Run, synthmob

from synthmob import manifest, modelfile
from synthmob.domain import Domain
from synthmob.errors import FormatError
from synthmob.model.mobility import MobilityModel
from synthmob.synthesis import scaling
from synthmob.synthesis.days import BLOCK, generate
from synthmob.synthesis.scaling import Census, scale
from synthmob.synthesis.writer import write

DOMAIN = Domain()
N_AGES = len(DOMAIN.age_band)
Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def model(run: Run) -> MobilityModel:
    return modelfile.load(run.model)


@pytest.fixture(scope="module")
def census(model: MobilityModel) -> pd.DataFrame:
    """Residents of every district, fewer men and the more people the older they are."""
    return pd.DataFrame([
        {"district": district, "sex": sex, "age_band": band, "n": 100 + 10 * d + (7 if sex == "female" else 0) + 3 * a}
        for d, district in enumerate(model.zoning.level_labels("district")[:-1]) for sex in ("female", "male")
        for a, band in enumerate(DOMAIN.age_band[:-1])])  # fmt: skip


def test_weighted_people_are_the_residents(model: MobilityModel, census: pd.DataFrame, tmp_path: Path) -> None:
    people = replace(generate(model, n_persons=2 * BLOCK + 77, seed=5), census=scaling.read(census, model.zoning, model.domain))
    out = write(people, tmp_path / "out", workers=2)
    persons = pq.read_table(out / "persons.parquet").to_pandas()
    of_zone = np.array(model.zoning.level_labels("district"))[model.zoning.parent_of("district")]
    district = dict(zip(model.zoning.ids, of_zone, strict=False))
    persons["district"] = persons.home_zone.map(district)
    inside = persons.dropna(subset="district")
    areas = inside.groupby("district").weight.sum()
    assert areas.to_dict() == pytest.approx(census.groupby("district").n.sum().to_dict(), rel=1e-9)
    told = inside[(inside.sex != DOMAIN.sex[-1]) & (inside.age_band != DOMAIN.age_band[-1])]
    cells = told.groupby(["district", "sex", "age_band"]).weight.sum()
    wanted = census.set_index(["district", "sex", "age_band"]).n
    ratio = (cells / wanted.reindex(cells.index)).groupby("district")
    assert (ratio.max() - ratio.min()).max() < 1e-9, "within an area all cells are scaled alike"
    said = manifest.read(out)["parameters"]["scaled_to"]
    assert said["people"] == census.n.sum() and said["level"] == "district"


def test_weights_change_nothing_else(model: MobilityModel, census: pd.DataFrame, tmp_path: Path) -> None:
    plain = generate(model, n_persons=3_000, seed=5)
    with_weights = replace(plain, census=scaling.read(census, model.zoning, model.domain))
    one, other = write(plain, tmp_path / "one"), write(with_weights, tmp_path / "other")
    for name in ("stays", "trips"):
        assert (one / name / "part-00000.parquet").read_bytes() == (other / name / "part-00000.parquet").read_bytes()
    persons = pq.read_table(other / "persons.parquet")
    assert persons.drop(["weight"]).equals(pq.read_table(one / "persons.parquet"))


def test_the_command_gives_weights(run: Run, census: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "census.csv"
    census.groupby("district", as_index=False).n.sum().to_csv(file, index=False)
    assert synthmob("generate", run.model, "--persons", 2_000, "--scale-to", file, "-o", tmp_path / "out") == 0
    assert f"the {census.n.sum():,} residents of" in capsys.readouterr().out
    weight = pq.read_table(tmp_path / "out" / "persons.parquet")["weight"].to_numpy()
    assert (weight > 0).all() and np.isfinite(weight).all()
    assert "census" in manifest.read(tmp_path / "out")["inputs"]


@given(st.data())
def test_every_area_adds_up_to_its_residents(data: st.DataObject) -> None:
    cells = data.draw(st.integers(1, 4))
    cell_of = np.array(data.draw(st.lists(st.integers(-1, cells - 1), min_size=2, max_size=6)))
    numbers = st.lists(st.integers(0, 50), min_size=3 * len(cell_of), max_size=3 * len(cell_of))
    persons = np.array(data.draw(numbers)).reshape(3, -1)
    residents = np.array(data.draw(st.lists(st.integers(1, 900), min_size=2 * cells, max_size=2 * cells)), dtype=np.float64)
    table = np.vstack([residents.reshape(2, -1), np.zeros(cells)])
    made = scale(Census("district", ("A", "B", "outside"), table, np.array([0, 1, 2]), cell_of), persons)
    assert (made.weight >= 0).all() and np.isfinite(made.weight).all()
    for area in (0, 1):
        if persons[area].sum():
            assert (made.weight[area] * persons[area]).sum() == pytest.approx(table[area].sum())


def test_who_is_told_apart_by_no_census_weighs_as_the_others_do() -> None:
    made = scale(Census("district", ("A", "outside"), np.array([[60.0, 30.0], [0, 0]]), np.array([0, 1]), np.array([0, 1, -1])),
                 np.array([[10, 10, 10], [0, 0, 4]]))  # fmt: skip
    assert made.weight.tolist() == [[4.0, 2.0, 3.0], [3.0, 3.0, 3.0]] and made.shared_out == 0


def test_residents_like_no_person_are_shared_out_and_counted() -> None:
    made = scale(Census("district", ("A", "outside"), np.array([[60.0, 40.0], [0, 0]]), np.array([0, 1]), np.array([0, 1])),
                 np.array([[10, 0], [0, 0]]))  # fmt: skip
    assert made.weight[0, 0] == 10.0 and made.shared_out == 40.0


def test_other_age_bands_are_split_by_the_year(model: MobilityModel) -> None:
    labels = model.zoning.level_labels("district")[:-1]
    bands = (("Age 0 to 15", 160), ("16 to 34", 190), ("35 and over", 0))
    rows = [{"district": d, "age_band": band, "n": n} for d in labels for band, n in bands]
    with pytest.raises(FormatError, match="open band"):
        scaling.read(pd.DataFrame(rows), model.zoning, model.domain)
    found = scaling.read(pd.DataFrame([r for r in rows if r["n"]]), model.zoning, model.domain)
    by_band = found.residents[0].reshape(-1, N_AGES)[0]
    assert by_band[:3].tolist() == [160.0, 90.0, 100.0] and by_band[3:].sum() == 0


@pytest.mark.parametrize(("change", "said"), [
    (lambda c: c.replace({"district": {c.district.iloc[0]: "Atlantis"}}), "has the area 'Atlantis', none of the zoning's"),
    (lambda c: c.assign(n=-1), "has the count"),
    (lambda c: pd.concat([c, c]), "a second time"),
    (lambda c: c.replace({"age_band": {"0-15": "young"}}), "has the age band 'young'"),
    (lambda c: c.replace({"sex": {"female": "f"}}), "has sex 'f'"),
    (lambda c: c.drop(columns="district"), "has no column of areas"),
    (lambda c: c[c.district != c.district.iloc[0]], "has no people in"),
])  # fmt: skip
def test_a_census_that_cannot_be_used_is_refused(model: MobilityModel, census: pd.DataFrame, change: Change, said: str) -> None:
    people = generate(model, n_persons=4_000, seed=5)
    with pytest.raises(FormatError, match=said):
        replace(people, census=scaling.read(change(census), model.zoning, model.domain)).prepare()
