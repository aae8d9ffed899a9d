"""Text, tables and charts of the page, without a browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_out import World, hexagons, write
from fake_release import fidelity, release
from hypothesis import given
from hypothesis import strategies as st

from synthmob.domain import Axis
from synthmob.errors import ConfidentialError
from synthmob.fidelity.result import Fidelity
from synthmob.marginals import Marginal
from synthmob.period import Period
from synthmob.plan import Plan
from synthmob.release import Release
from synthmob.report import assembly, figures, pairs, ratios, tables, words
from synthmob.report.card import write_report

NASTY = ("</script><!--", "%%APP%%", "%%SCRIPT%%", "\u2028", "<b>&amp;\"'")


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return write(tmp_path_factory.mktemp("words") / "out", hexagons(2), persons=400)


@pytest.fixture(scope="module")
def said(world) -> Release:
    return release(world)


@given(
    st.recursive(
        st.text() | st.sampled_from(NASTY) | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_an_island_reads_back_and_never_ends_its_element(data):
    text = assembly.island(data)
    assert json.loads(text) == data
    assert "<" not in text and "\u2028" not in text


def test_filling_is_one_pass():
    places = {name: name.lower() for name in re.findall(r"%%([A-Z_]+)%%", assembly.part("page.html"))}
    page = assembly.filled({**places, "DATA": "", "TITLE": "%%SCRIPT%% %%NOTES%%"}, {"zone": "%%APP%%"})
    assert "<h1>%%SCRIPT%% %%NOTES%%</h1>" in page


def test_the_script_is_small_and_closes_nothing():
    code = assembly.script()
    assert len(code) < 32_000
    assert not re.search(r"<(/script|!--|script)", code, re.IGNORECASE)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", code)


def test_pairs_cover_published_cells_only():
    axis = Axis("hour", ("a", "b", "c", "d"))
    table = Marginal("t", (axis,), np.array([[0], [2]]), np.array([30.0, 10.0]), sigma=1.0, cut=5.0)
    synthetic = Marginal("t", (axis,), np.array([[0], [1], [3]]), np.array([20.0, 15.0, 5.0]))
    pair = pairs.paired(table, synthetic)
    assert pair.synthetic.tolist() == [20.0, 0.0] and pair.covered == pytest.approx(0.5)
    released, other = pair.shares("hour")
    assert released.tolist() == [0.75, 0, 0.25, 0] and other.tolist() == [1, 0, 0, 0]
    empty = pairs.paired(table, replace(synthetic, codes=synthetic.codes[:0], values=synthetic.values[:0]))
    assert empty.covered == 0 and empty.synthetic.tolist() == [0, 0]


def test_a_world_beside_its_own_release_differs_by_noise_alone(world, said):
    wanted = {name: said.marginals[name] for name in figures.TABLES}
    found = pairs.counted(world.out, wanted, world.zoning, Plan.standard().domain, world.period)
    assert set(found) == set(figures.TABLES)
    for name, pair in found.items():
        apart = (pair.released - pair.synthetic) / said.marginals[name].sigma
        assert np.abs(apart).max() < 6, name


def test_every_figure_has_words_and_numbers(world, said):
    wanted = {name: said.marginals[name] for name in figures.TABLES}
    made = figures.figures(pairs.counted(world.out, wanted, world.zoning, Plan.standard().domain, world.period))
    assert [f.key for f in made] == ["pyramid", "departures", "lengths", "presence", "chains", "dwell"]
    for f in made:
        width = float(re.search(r'<svg[^>]* width="([\d.]+)"', f.svg)[1])
        assert 300 < width <= 360, f.key
        assert f'<title id="{f.key}-t">' in f.svg and f'<desc id="{f.key}-d">' in f.svg
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", f.svg)
        assert not re.search(r'(fill|stroke)="#', f.svg), f.key
        assert f.rows and all(len(row) == len(f.columns) for row in f.rows)


def test_tables_by_others_may_lack_an_axis(world):
    axis = Axis("age_band", Plan.standard().domain.age_band)
    by_age = Marginal("demographics", (axis,), np.arange(7)[:, None], np.full(7, 100.0), cut=50.0)
    found = pairs.counted(world.out, {"demographics": by_age}, world.zoning, Plan.standard().domain, world.period)
    (figure,) = figures.figures(found)
    assert figure.title == "Age"
    assert len(figure.rows) == 7
    assert figures.figures({}) == ()


def test_the_privacy_statement_says_what_is_claimed(said):
    text = words.privacy(said)
    assert "ε = 30" in text and "10⁻⁶" in text and "one subscriber with all their records" in text and "study" in text
    published = Release(
        {"demographics": replace(said.marginals["demographics"], sigma=0.0)},
        {
            "privacy": {"claim": "none claimed", "unit": "none"},
            "source": {"publisher": "An office", "licence": "OGL", "threshold": 50.0},
        },
    )
    text = words.privacy(published)
    assert "No differential privacy claimed" in text and "An office, threshold 50" in text
    assert "none claimed" in words.facts(words.Size(1, 1, 0), hexagons(1), published)
    assert "Noise σ" not in tables.released(published, {})


def test_metrics_are_all_there_with_their_verdict():
    found = Fidelity.from_json(fidelity())
    text = tables.metrics(found)
    assert text.count('scope="row"') == len(found.metrics)
    assert "no better than naive" in text or all(f.verdict != "no gain" for f in found.metrics)
    svg = ratios.dot_plot(found.metrics).svg
    assert svg.count("var(--good)") == sum(f.ratio <= 1.5 for f in found.metrics)


def test_released_tables_say_how_likely_small_cells_are(said):
    text = tables.released(said, {})
    assert text.count("<tr><th scope") - 1 == len(said.marginals)
    assert "49 people" in text and "day type × hour × origin × destination" in text


def test_released_tables_say_what_is_left_of_each(said):
    found = Fidelity.from_json(fidelity("outside"))
    text = tables.released(said, {fit.table: fit for fit in found.tables})
    assert "1.10<small>1.00</small><small>sex male: -2.1</small>" in text
    assert text.count('<td class="number">–</td>') == 2 * (len(said.marginals) - len(found.tables))


def test_contrast_in_both_themes():
    css = assembly.part("page.css")
    colours = {name: pair for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", css)}

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for theme in (0, 1):
        for text in ("ink", "ink-2", "good", "near", "far", "synthetic"):
            for ground in ("paper", "panel"):
                a, b = sorted((luminance(colours[text][theme]), luminance(colours[ground][theme])))
                assert (b + 0.05) / (a + 0.05) >= 4.5, (text, ground, theme)
        for purpose in ("p1", "p2", "p3", "p4", "p5"):
            a, b = sorted((luminance(colours[purpose][theme]), luminance(colours["paper"][theme])))
            assert (b + 0.05) / (a + 0.05) >= 4.5, (purpose, theme)


def test_a_confidential_page_says_so_first_and_stays_out_of_the_output(world, said, tmp_path):
    with pytest.raises(ConfidentialError, match="made to be shipped"):
        write_report(world.out, said, fidelity("inside"), world.zoning, world.out / "report.html")
    with pytest.raises(ConfidentialError):
        write_report(world.out, said, None, world.zoning, world.out / "report.html", sdmetrics={"score": 0.9})
    page = write_report(
        world.out, said, fidelity("inside"), world.zoning, tmp_path / "r.html", sdmetrics={"quality": 0.9}
    )
    body = page.read_text(encoding="utf-8").partition("<body>")[2].lstrip()
    assert body.startswith('<p class="confidential" role="note"><strong>CONFIDENTIAL</strong>')
    assert "quality 0.900" in body
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_a_failure_leaves_nothing_behind(world, said, tmp_path):
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(IsADirectoryError):
        write_report(world.out, said, None, world.zoning, target)
    assert [p.name for p in tmp_path.iterdir()] == ["taken"] and not list(target.iterdir())


def test_data_without_a_period_number_their_days(world, said, tmp_path):
    undated = Release(said.marginals, {k: v for k, v in said.info.items() if k != "period"})
    manifest = world.out / "manifest.json"
    kept = manifest.read_text()
    manifest.unlink()
    try:
        text = Path(write_report(world.out, undated, None, world.zoning, tmp_path / "r.html")).read_text(
            encoding="utf-8"
        )
    finally:
        manifest.write_text(kept)
    assert '"Day 7"' in text and "All days" in text and "Not checked" in text


def test_a_single_day_without_attributes_and_with_unknown_homes(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    saturday = Period.of("2026-03-07", 1)
    world = write(tmp_path / "out", hexagons(1), persons=300, period=saturday)
    persons = pq.read_table(world.out / "persons.parquet").drop(["sex", "age_band"])
    homes = ["unknown", "outside", *persons["home_zone"].to_pylist()[2:]]
    pq.write_table(
        persons.set_column(persons.schema.get_field_index("home_zone"), "home_zone", pa.array(homes)),
        world.out / "persons.parquet",
    )
    part = world.out / "stays" / "part-00000.parquet"
    stays = pq.read_table(part)
    pq.write_table(
        stays.set_column(4, "zone_id", pa.array([None, *stays["zone_id"].to_pylist()[1:]], pa.string())), part
    )
    said = release(world, tables=("home@zone", "chains"))
    text = write_report(world.out, said, None, world.zoning, tmp_path / "r.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', text)[1])
    assert [d["name"] for d in data["days"]] == ["Saturday"] and data["days"][0]["n"] == 1
    first = data["people"][0]
    assert first["label"] == "Person 0: works" or first["label"] == "Person 0: does not work"
    assert first["days"][0]["stays"][0][3:] == [world.zoning.n_zones, None]
    assert "over 1 day from 7 March 2026" in text and "Saturdays" in text
