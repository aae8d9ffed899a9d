"""Tables by others: taken as they are, checked for what they claim, and marked as claiming no privacy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from synthmob.domain import AGE_BAND, Domain
from synthmob.errors import FormatError
from synthmob.published import AXES, bands_from_ages, tables
from synthmob.published.margins import ZONE_AXES
from synthmob.release import Release
from synthmob.zones import Level, Zoning

LONDON = Path(__file__).resolve().parents[2] / "../shared/data/london_census2011"
OGL = "Open Government Licence v3.0"
COMMUTERS = "commuters aged 16+"
RESIDENTS = "residents aged 16+"
needs_london = pytest.mark.skipif(not LONDON.is_dir(), reason="no folder ../shared/data/london_census2011")


def zoning(n: int = 4, names: tuple[str, ...] = ()) -> Zoning:
    """Zones a, b, c, d; districts north (a, b) and south (c, d)."""
    shapes = np.array([shapely.box(k / 10, 51, (k + 1) / 10, 51.1) for k in range(n)], dtype=object)
    ids = tuple("abcd"[:n])
    return Zoning(
        ids,
        shapes,
        (Level("zone", ids, np.arange(n)), Level("district", ("north", "south"), np.arange(n) * 2 // n)),
        names,
    )


def take(tables: dict[str, Any], **change: Any) -> Release:
    rest: dict[str, Any] = {"threshold": 5, "universe": "commuters", "source": "an office", "licence": "CC0"}
    return Release.from_tables(tables, **{"zoning": zoning(), **rest, **change})


def flows(**cells: int) -> pd.DataFrame:
    """flows(ab=7) is 7 people who live in a and work in b."""
    return pd.DataFrame([(k[0], k[1], n) for k, n in cells.items()], columns=["home", "work", "n"])


def test_a_table_becomes_a_marginal_without_noise(tmp_path: Path) -> None:
    release = take({"home_work@zone": flows(ba=7, ab=9)})
    table = release.marginals["home_work@zone"]
    assert table.axis_names == ("home", "work") and table.shape == (6, 5)
    assert table.codes.tolist() == [[0, 1], [1, 0]] and table.values.tolist() == [9, 7]
    assert (table.sigma, table.cut, table.confidential) == (0.0, 5.0, False)
    assert release.info["privacy"]["claim"] == "none claimed" and release.rho == 0
    source = release.info["source"]
    assert "demographics" in source["absent"] and "home_work" not in source["absent"]
    assert source["tables"]["home_work@zone"]["not_tabulated"]["home"] == ["c", "d", "outside", "unknown"]
    assert "below 5" in source["tables"]["home_work@zone"]["hidden_cells"]
    again = Release.load(release.save(tmp_path / "r"))
    assert again.info == release.info and not again.claims_privacy
    said = json.loads((tmp_path / "r/release.json").read_text())
    assert said["rho_spent"] == 0 and "No differential privacy claimed" in said["privacy"]["sentence"]
    assert said["tables"]["home_work@zone"]["probability_published_by_people"] == {"0": 0.0, "10": 1.0, "49": 1.0}


def test_files_columns_names_and_merged_zones(tmp_path: Path) -> None:
    frame = pd.DataFrame({"from": ["Alton", "x9"], "to": ["b", "Alton"], "people": [7, 8], "note": ["", "?"]})
    frame.to_csv(tmp_path / "od.csv", index=False)
    frame.to_parquet(tmp_path / "od.parquet")
    merged = Zoning(zoning().ids, zoning().geometry, zoning().levels, ("Alton", "Same", "Same", "Deal"), {"x9": "b"})
    columns = {"home_work@zone": {"home": "from", "work": "to", "n": "people"}}
    for path in (tmp_path / "od.csv", tmp_path / "od.parquet", frame):
        table = take({"home_work@zone": path}, zoning=merged, columns=columns).marginals["home_work@zone"]
        assert table.codes.tolist() == [[0, 1], [1, 0]] and table.values.tolist() == [7, 8]
    with pytest.raises(FormatError, match="'Same' in row 1"):
        take({"work@zone": pd.DataFrame({"work": ["Same"], "n": [9]})}, zoning=merged)


def test_a_table_may_lack_axes_that_are_not_of_zones() -> None:
    ages = pd.DataFrame({"home": ["north", "south"], "age_band": ["16-24", "65+"], "count": [50, 60]})
    total = pd.DataFrame({"age_band": ["16-24", "65+"], "count": [50, 60]})
    universe = {"home_by_group@district": "residents", "demographics": "subscribers"}
    release = take({"home_by_group@district": ages, "demographics": total}, universe=universe)
    assert release.marginals["home_by_group@district"].axis_names == ("home", "age_band")
    assert release.marginals["demographics"].axis_names == ("age_band",)
    with pytest.raises(FormatError, match="needs home, work and n"):
        take({"home_work@zone": flows(ab=9)[["home", "n"]]})


@pytest.mark.parametrize(
    ("tables", "change", "words"),
    [
        ({"home_work@zone": flows(ab=9, ba=4)}, {}, "4 people in row 2 under its threshold of 5"),
        ({"home_work@zone": flows(ab=9, ba=0)}, {}, "0 people in row 2"),
        ({"home_work@zone": flows(ab=9, ba=-9)}, {}, "count .*-9.* in row 2"),
        ({"home_work@zone": flows(ab=9).assign(n=["<5"])}, {}, "'<5' in row 1"),
        ({"home_work@zone": flows(ab=9, ax=9)}, {}, "work 'x' in row 2"),
        ({"home_work@zone": pd.concat([flows(ab=9), flows(ab=8)])}, {}, "second time in row 2"),
        ({"home_work@zone": flows()}, {}, "no row"),
        ({"home_work@zone": flows(ab=9).rename(columns={"n": "x"})}, {}, "needs home, work and n"),
        ({"home_work": flows(ab=9)}, {}, "must name its level, as in home_work@zone"),
        ({"home_work@ward": flows(ab=9)}, {}, "no level 'ward'"),
        ({"demographics@zone": flows(ab=9)}, {}, "no level after @"),
        ({"chains": flows(ab=9)}, {}, "none that can be taken"),
        ({"home_work@zone": "nowhere.csv"}, {}, "no file nowhere.csv"),
        ({"home_work@zone": flows(ab=9)}, {"threshold": 0}, "threshold"),
        ({"home_work@zone": flows(ab=9)}, {"universe": " "}, "universe"),
        ({"home_work@zone": flows(ab=9)}, {"universe": {"work@zone": "x"}}, "no table 'work@zone'"),
        ({"home_work@zone": flows(ab=9)}, {"columns": {"home_work@zone": {"home": "h"}}}, "no column 'h'"),
        ({"home_work@zone": flows(ab=9)}, {"columns": {"home_work@zone": {"age": "n"}}}, "no 'age'"),
    ],
)
def test_what_cannot_be_is_refused(tables: dict[str, Any], change: dict[str, Any], words: str) -> None:
    from synthmob.errors import InputError

    with pytest.raises(InputError, match=words) as refusal:
        take(tables, **change)
    assert refusal.value.exit_code == 2 and "\n" not in str(refusal.value)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"nothing")
    with pytest.raises(FormatError, match="cannot be read"):
        take({"home_work@zone": tmp_path / "x.parquet"})
    (tmp_path / "x.csv").write_bytes(b"")
    with pytest.raises(FormatError, match="cannot be read"):
        take({"home_work@zone": tmp_path / "x.csv"})


def test_a_margin_that_gives_a_hidden_cell_away_is_refused() -> None:
    od = flows(aa=20, ab=10, ba=8)
    work = pd.DataFrame({"work": ["a", "b"], "n": [28, 13]})
    with pytest.raises(FormatError, match=r"hidden cell home b, work b of table 'home_work@zone' is at (most|least) 3"):
        take({"home_work@zone": od, "work@zone": work})
    assert take({"home_work@zone": od, "work@zone": work}, universe={"home_work@zone": "A", "work@zone": "B"})


def test_margins_of_the_level_above_count_and_harmless_ones_pass() -> None:
    """Where two hidden flows share a sum of 4, either may be all of it; where they share 1, neither may."""
    od = flows(aa=20, ab=10, cc=9, cd=30)
    wide = pd.DataFrame({"home": ["north", "south", "south"], "work": ["north", "north", "south"], "n": [36, 7, 43]})
    with pytest.raises(FormatError, match=r"do not add up|differencing"):
        take({"home_work@zone": od, "home_work@district": wide.iloc[[0, 2]].assign(n=[29, 43])})
    with pytest.raises(FormatError, match="hidden cell"):
        take({"home_work@zone": od, "home_work@district": wide.assign(n=[31, 7, 43])})
    release = take({"home_work@zone": od, "home_work@district": wide.assign(n=[34, 8, 43])})
    note = release.info["source"]["tables"]["home_work@zone"]["hidden_cells"]
    assert note.startswith("bounded by linear programming") and "home_work@district" in note


def test_at_threshold_one_nothing_is_hidden_but_sums_must_still_agree() -> None:
    od, work = flows(aa=20, ab=1, ba=0), pd.DataFrame({"work": ["a", "b"], "n": [20, 1]})
    release = take({"home_work@zone": od, "work@zone": work}, threshold=1)
    assert release.marginals["home_work@zone"].values.tolist() == [20, 1]
    with pytest.raises(FormatError, match="do not add up"):
        take({"home_work@zone": od, "work@zone": work.assign(n=[20, 2])}, threshold=1)
    assert take({"home_work@zone": od, "work@zone": work.assign(n=[20, 2])}, threshold=1, rounding=1)


def test_tables_that_do_not_add_up_over_areas_are_no_margins() -> None:
    """One person visits several zones of a district: visitors of the district are fewer than those of its zones."""
    zone = pd.DataFrame({"purpose": ["shop", "shop"], "zone": ["a", "b"], "n": [20, 20]})
    district = pd.DataFrame({"purpose": ["shop"], "zone": ["north"], "n": [25]})
    assert take({"visitors@zone": zone, "visitors@district": district})


def test_axes_are_those_that_are_counted() -> None:
    counts = pytest.importorskip("synthmob.counts")
    from datetime import date

    from synthmob.period import Period

    public = counts.Public(zoning(), Domain(attributes=()), Period(date(2024, 1, 1), 7, "Europe/London"))  # nobody publishes pupils apart
    for name, names in AXES.items():
        level = "zone" if set(names) & set(ZONE_AXES) else ""
        theirs = counts.STATISTICS[name].axes(public, level)
        ours = tuple(tables._axis(axis, level, zoning(), Domain()) for axis in names)  # pyright: ignore[reportPrivateUsage]
        assert ours == tuple(theirs), name


def test_bands_are_split_by_years_of_age_and_keep_their_totals() -> None:
    census = pd.DataFrame({
        "area": ["A", "B", "C"], "Age 0 to 15": [9, 9, 9], "Age 16 to 17": [1, 2, 3], "Age 18 to 29": [10, 20, 31],
        "Age 30 to 64": [7, 70, 700], "Age 65 to 74": [1, 1, 1], "Age 75 and over": [2, 2, 2], "All": [0, 0, 0],
    })  # fmt: skip
    found = bands_from_ages(census, area="area", bands=AGE_BAND[1:], merge={"A+C": ("A", "C")})
    wide = found.pivot(index="home", columns="age_band", values="n")
    assert sorted(wide.index) == ["A+C", "B"] and "0-15" not in wide.columns
    assert wide.loc["B", "16-24"] == 2 + round(20 * 7 / 12) and wide.loc["B", "65+"] == 3
    assert wide.loc["B", "25-34"] == pytest.approx(20 * 5 / 12 + 70 * 5 / 35, abs=1)
    assert wide.sum(axis=1).to_dict() == {"A+C": 4 + 41 + 707 + 2 + 4, "B": 2 + 20 + 70 + 3}
    with pytest.raises(FormatError, match="open band"):
        bands_from_ages(census.rename(columns={"Age 75 and over": "60+"}), area="area", bands=AGE_BAND[1:])
    with pytest.raises(FormatError, match="no row 'D'"):
        bands_from_ages(census, area="area", bands=AGE_BAND, merge={"x": ("D",)})
    with pytest.raises(FormatError, match="needs a column 'borough'"):
        bands_from_ages(census, area="borough", bands=AGE_BAND)


@pytest.fixture(scope="module")
def boroughs() -> Zoning:
    content = json.loads((LONDON / "london_zones.geojson").read_text())["features"]
    ids = tuple(f["properties"]["zone_id"] for f in content)
    shapes = np.array([shapely.from_geojson(json.dumps(f["geometry"])) for f in content], dtype=object)
    levels = (Level("zone", ids, np.arange(len(ids))), Level("district", ("west", "east"), np.arange(len(ids)) % 2))
    return Zoning(ids, shapes, levels, tuple(f["properties"]["name"] for f in content))


def london(boroughs: Zoning, od: pd.DataFrame, threshold: float, **more: pd.DataFrame) -> Release:
    tables = {"home_work@zone": od, "home_by_group@zone": london_ages(boroughs), **more}
    universe = {name: RESIDENTS if name.startswith("home_by_group") else COMMUTERS for name in tables}
    source = "2011 Census WU03UK and KS102UK, Office for National Statistics"
    return Release.from_tables(
        tables, zoning=boroughs, threshold=threshold, universe=universe, source=source, licence=OGL
    )


def london_ages(boroughs: Zoning) -> pd.DataFrame:
    """Residents aged 16+ by borough; City of London stands with Westminster, as in the flows."""
    census = pd.read_csv(LONDON / "uk_age_2011_ks102.csv")
    both = "Westminster+City of London"
    ages = bands_from_ages(
        census, area="district", bands=AGE_BAND[1:-1], merge={both: ("Westminster", "City of London")}
    )
    return ages[ages["home"].isin(boroughs.names)]


@needs_london
def test_london_whole(boroughs: Zoning, tmp_path: Path) -> None:
    od = pd.read_csv(LONDON / "london_od_2011.csv")
    release = Release.load(london(boroughs, od, 1).save(tmp_path / "london"))
    table = release.marginals["home_work@zone"]
    assert len(table.values) == 1024 and table.total == 2_926_149
    flow = od[(od["home"] == "Barnet") & (od["work"] == "Barking and Dagenham")]["n"].item()
    axis = table.axes[0]
    cell = (table.codes == [axis.code(boroughs.ids[boroughs.names.index("Barnet")]), axis.code("E41000293")]).all(
        axis=1
    )
    assert table.values[cell].item() == flow
    ages = release.marginals["home_by_group@zone"]
    assert ages.axis_names == ("home", "age_band") and len(ages.values) == 32 * 6
    census = pd.read_csv(LONDON / "uk_age_2011_ks102.csv").set_index("district")
    adults = census.drop(
        columns=[c for c in census if c in {"Age 0 to 4", "Age 5 to 7", "Age 8 to 9", "Age 10 to 14", "Age 15"}]
    )
    both = adults.loc[["Westminster", "City of London"]].to_numpy().sum()
    mine = ages.codes[:, 0] == ages.axes[0].code("E41000324")
    assert ages.values[mine].sum() == both
    source = release.info["source"]
    assert source["tables"]["home_by_group@zone"]["not_tabulated"]["age_band"] == ["0-15", "other"]
    assert source["tables"]["home_work@zone"]["universe"] == COMMUTERS and source["licence"] == OGL
    assert {"demographics", "home", "work", "presence"} <= set(source["absent"])


@needs_london
def test_london_with_small_cells_removed(boroughs: Zoning) -> None:
    od = pd.read_csv(LONDON / "london_od_2011.csv")
    with pytest.raises(FormatError, match="under its threshold of 50"):
        london(boroughs, od, 50)
    kept = od[od["n"] >= 50]
    table = london(boroughs, kept, 50).marginals["home_work@zone"]
    assert len(table.values) == 974 and table.cut == 50
    assert 1 - table.total / 2_926_149 == pytest.approx(0.0006, abs=1e-4)


@needs_london
def test_london_with_its_row_totals_would_be_given_away(boroughs: Zoning) -> None:
    od = pd.read_csv(LONDON / "london_od_2011.csv")
    work = od.groupby("work", as_index=False)["n"].sum()
    with pytest.raises(FormatError, match="differencing gives it away"):
        london(boroughs, od[od["n"] >= 50], 50, **{"work@zone": work})
