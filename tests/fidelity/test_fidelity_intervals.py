"""Intervals hold about nine in ten of the exact counts, in published cells and in missing ones; half as wide ones would not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from smallrun import Run, synthmob

from synthmob import Release, manifest
from synthmob.accounting import cut_for
from synthmob.fidelity.cellposterior import MISFIT, Ends, missing, published
from synthmob.pipeline.intervals import Wanted, intervals

CELLS, EMPTY = 6_000, 20_000


def city(sigma: float, size: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Exact counts of a table, most of its domain empty, with noise, and the cut."""
    rng = np.random.default_rng(3)
    truth = np.append(np.floor(np.exp(rng.normal(np.log(size), 1.3, CELLS))), np.zeros(EMPTY))
    return truth, truth + rng.normal(0, sigma, len(truth)), cut_for(sigma, 50, len(truth))


def share_held(truth: np.ndarray, ends: Ends, width: float = 1.0) -> float:
    middle, half = (ends[1] + ends[2]) / 2, (ends[2] - ends[1]) / 2 * width
    return float(((truth >= middle - half - 1e-9) & (truth <= middle + half + 1e-9)).mean())


@pytest.mark.parametrize(("sigma", "size"), [(20.0, 60.0), (40.0, 30.0), (5.0, 200.0)])
def test_published_cells(sigma: float, size: float) -> None:
    truth, noisy, cut = city(sigma, size)
    shown = noisy >= cut
    # The population has another sample of the sizes: it need not know which cell is which.
    sizes = np.floor(np.exp(np.random.default_rng(4).normal(np.log(size), 1.3, CELLS)))
    ends = published(noisy[shown], sizes, EMPTY, sigma, 0.9)
    near = noisy[shown] < cut + sigma  # where noise has lifted many: y +- 1.64 sigma holds fewer there
    for where in (np.ones(int(shown.sum()), dtype=bool), near):
        part: Ends = (ends[0][where], ends[1][where], ends[2][where])
        assert 0.85 <= share_held(truth[shown][where], part) <= 0.95
        assert share_held(truth[shown][where], part, 0.5) < 0.85
    plain = (noisy[shown][near], noisy[shown][near] - 1.645 * sigma, noisy[shown][near] + 1.645 * sigma)
    assert share_held(truth[shown][near], plain) < 0.9 or sigma == 5.0
    assert np.mean(ends[2] - ends[1]) < 1.3 * 2 * 1.645 * sigma


@pytest.mark.parametrize("word", ["anchors", "flows", "routines"])
def test_missing_cells(word: str) -> None:
    """Exact counts that are as far from the model's as its law says."""
    rng, sigma, cut = np.random.default_rng(5), 20.0, 90.0
    expected = np.exp(rng.uniform(np.log(10), np.log(60), 6_000))
    truth = rng.gamma(1 / (1 / expected + MISFIT[word]), expected * (1 / expected + MISFIT[word]))
    hidden = truth + rng.normal(0, sigma, len(truth)) < cut
    ends = missing(expected[hidden], expected[hidden], word, sigma, cut, 0.9)
    assert 0.88 <= share_held(truth[hidden], ends) <= 0.96
    assert share_held(truth[hidden], ends, 0.5) < 0.8
    assert ends[2].max() < cut + 4 * sigma


def test_a_cell_that_the_model_puts_far_above_the_cut_is_held_down() -> None:
    _, low, high = missing(np.array([500.0]), np.array([500.0]), "flows", 20.0, 90.0, 0.9)
    assert low[0] < 90 < high[0] < 300


def test_without_noise_the_count_is_the_count() -> None:
    y = np.array([60.0, 900.0])
    assert all(np.array_equal(end, y) for end in published(y, y, 5, 0.0, 0.9))


def test_a_higher_level_is_wider() -> None:
    found = [published(np.array([120.0]), np.array([50.0, 120.0, 300.0]), 9, 20.0, level) for level in (0.5, 0.9, 0.99)]
    widths = [float((high - low)[0]) for _, low, high in found]
    assert widths[0] < widths[1] < widths[2]


def test_the_command(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "found.csv"
    words = ("intervals", run.release, run.out, "--table", "home@district", "-o", target)
    assert synthmob(*words) == 0
    assert "bounded count of subscribers" in " ".join(capsys.readouterr().out.split())
    found, table = pd.read_csv(target), Release.load(run.release).marginals["home@district"]
    assert list(found.columns) == ["home", "worker", "estimate", "low", "high", "published"]
    assert found.published.sum() == len(table.values) and (found.low <= found.high).all()
    shown = found[found.published]
    assert ((shown.high - shown.low) / (2 * 1.645 * table.sigma)).median() == pytest.approx(1, rel=0.2)
    said = manifest.beside(target).read_text()
    assert '"rho_spent": 0.0' in said and '"persons": null' in said
    again = tmp_path / "again.csv"
    assert synthmob(*words[:-1], again) == 0 and again.read_bytes() == target.read_bytes()
    home = found.home[0]
    assert synthmob(*words[:-2], "--where", f"home={home}", "-o", target) == 0
    assert set(pd.read_csv(target).home) == {home}


@pytest.mark.parametrize(("words", "sentence"), [
    (("--table", "nowhere"), "no table 'nowhere'"),
    (("--table", "home@district", "--where", "hour=8"), "no axis 'hour'"),
    (("--table", "home@district", "--where", "home=Atlantis"), "no 'Atlantis'"),
    (("--where", "home=a"), "give --table too"),
    (("--where", "home"), "write AXIS=LABEL"),
    (("--level", "1"), "no confidence"),
    (("--seeds", "0"), "give 1 to"),
    (("-o", "found.xlsx"), ".csv or .parquet"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused_in_one_sentence(
    run: Run, words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert synthmob("intervals", run.release, run.out, *words) == 2
    assert sentence in capsys.readouterr().err


def test_a_model_makes_its_own_people(run: Run) -> None:
    found, _ = intervals(run.release, [run.model], Wanted("demographics"), seeds=2, persons=2_000)
    assert found[0].published.any() and (found[0].high >= found[0].low).all()
    assert synthmob("intervals", run.release, run.model, run.model) == 2
    assert synthmob("intervals", run.release, run.model, "--table", "demographics", "--persons", 0) == 2, "none is not the usual number"
