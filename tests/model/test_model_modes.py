"""Modes fitted: a planted law is found again, times by band stay what they were, and what was cut is not zero."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import handmade_modes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmob import modelcheck, modelfile
from synthmob.cli import main
from synthmob.counts.modes import AGAIN, LEFT, MODE_WEIGHT
from synthmob.counts.routines import MOST_TRIPS
from synthmob.domain import Axis
from synthmob.errors import FormatError
from synthmob.marginals import Marginal
from synthmob.model.modes import alike, fit_modes, has_modes

BANDS, MODES, BINS = 6, 4, 7
AXES = {"distance": BANDS, "mode": MODES, "minutes": BINS}
TRIPS = 400_000.0


def axis(name: str) -> Axis:
    return Axis(name, tuple(f"{name} {k}" for k in range(AXES[name])))


def table(name: str, axes: tuple[Axis, ...], counts: Any, sigma: float = 0.0, cut: float = 0.0, seed: int = 0) -> Marginal:
    """A table as it would be released: noisy, and without what is below the cut."""
    noisy = counts + np.random.default_rng(seed).normal(0, sigma, counts.shape) if sigma else counts
    cells = np.argwhere(noisy >= cut)
    return Marginal(name, axes, cells, noisy[tuple(cells.T)], sigma=sigma, cut=cut)


def planted() -> tuple[Any, Any]:
    """Trips by band, mode and time without an interaction of all three: slow modes are slow everywhere; and shares that change by band."""
    b, m, t = np.indices((BANDS, MODES, BINS))
    quick = np.exp(-0.5 * (t - 0.8 * b) ** 2 + 0.45 * m * t)
    trips = (1.0 + (m * 2 + b) % 5)[..., :1] * np.array([3, 5, 6, 4, 2, 1])[:, None, None] * quick / quick.sum(axis=2, keepdims=True)
    return trips * TRIPS / trips.sum(), quick / quick.sum(axis=2, keepdims=True)


def released(trips: Any, sigma: float = 0.0, cut: float = 0.0, stays: float = 0.7) -> dict[str, Marginal]:
    half, eighth = trips * MODE_WEIGHT, trips / MOST_TRIPS
    again = np.array([[stays, 1 - stays], [0.9, 0.1]]) * eighth.sum() / 3
    return {
        "modes": table("modes", (axis("distance"), axis("mode")), half.sum(axis=2), sigma, cut, 1),
        "mode_share": table("mode_share", (axis("mode"),), eighth.sum(axis=(0, 2)), sigma, cut, 2),
        "mode_time": table("mode_time", (axis("mode"), axis("minutes")), half.sum(axis=0), sigma, cut, 3),
        "mode_again": table("mode_again", (Axis("left", LEFT), Axis("again", AGAIN)), again, sigma, cut, 4)}


def by_band(trips: Any) -> Any:
    times = trips.sum(axis=1)
    return times / times.sum(axis=1, keepdims=True)


def test_a_law_without_an_interaction_of_all_three_is_found_again() -> None:
    trips, quick = planted()
    found = fit_modes(released(trips), by_band(trips))
    share = trips.sum(axis=2) / trips.sum(axis=(1, 2))[:, None]
    assert found.share == pytest.approx(share, abs=2e-3)
    assert (share[..., None] * np.abs(found.travel - quick)).sum(axis=(1, 2)) == pytest.approx(np.zeros(BANDS), abs=1e-2)


@settings(max_examples=15, deadline=None)
@given(st.floats(1, 3_000), st.floats(0, 10_000), st.sets(st.sampled_from(["mode_share", "mode_time", "mode_again"])))
def test_times_by_band_are_what_they_were_whatever_was_released(sigma: float, cut: float, lost: set[str]) -> None:
    trips, _ = planted()
    tables = {name: found for name, found in released(trips, sigma, cut).items() if name not in lost}
    found = fit_modes(tables, by_band(trips))
    assert (found.share >= 0).all() and found.share.sum(axis=1) == pytest.approx(np.ones(BANDS))
    assert found.travel.sum(axis=2) == pytest.approx(np.ones((BANDS, MODES)))
    assert (found.share[..., None] * found.travel).sum(axis=1) == pytest.approx(by_band(trips), abs=1e-3)
    assert 0 <= found.habit[0] <= 1


def test_a_mode_that_was_cut_everywhere_has_the_trips_of_the_table_of_modes_alone() -> None:
    trips, _ = planted()
    trips[:, 3] *= 0.02  # under the cut in every band
    tables = released(trips, sigma=50.0, cut=1_500.0)
    assert not (tables["modes"].codes[:, 1] == 3).any()
    tables["mode_share"] = released(trips, sigma=10.0, cut=100.0)["mode_share"]
    weights = trips.sum(axis=(1, 2)) / trips.sum()
    true = trips[:, 3].sum() / trips.sum()
    assert weights @ fit_modes(tables, by_band(trips)).share[:, 3] == pytest.approx(true, rel=0.25)
    del tables["mode_share"]
    assert weights @ fit_modes(tables, by_band(trips)).share[:, 3] < 0.25 * true


def test_a_habit_is_what_makes_tours_agree_more_than_chance() -> None:
    trips, _ = planted()
    share, weights = trips.sum(axis=2) / trips.sum(axis=(1, 2))[:, None], trips.sum(axis=(1, 2)) / trips.sum()
    chance = float((weights @ share) @ (weights @ share))
    same = sum(p * q * alike(share[a], share[b]) for a, p in enumerate(weights) for b, q in enumerate(weights))
    for habit in (0.0, 0.5, 1.0):
        stays = chance + habit**2 * (same - chance)
        assert fit_modes(released(trips, stays=stays), by_band(trips)).habit[0] == pytest.approx(habit, abs=0.03)
    assert fit_modes(released(trips, stays=0.01), by_band(trips)).habit[0] == 0.0


@given(*(st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(any) for _ in range(2)))
@settings(max_examples=10, deadline=None)
def test_alike_is_how_often_the_same_tastes_choose_the_same(one: list[int], other: list[int]) -> None:
    p, q = (np.array(row) / sum(row) for row in (one, other))
    drawn = np.random.default_rng(1).exponential(size=(40_000, 4))
    with np.errstate(divide="ignore"):
        agree = (np.argmin(drawn / p, axis=1) == np.argmin(drawn / q, axis=1)).mean()
    assert alike(p, q) == pytest.approx(agree, abs=0.02)


def test_a_release_without_modes_has_no_model_of_them() -> None:
    tables = released(planted()[0])
    assert has_modes(tables) and not has_modes({}) and not has_modes({"modes": tables["modes"].project(["mode"])})
    empty = Marginal("modes", tables["modes"].axes, np.empty((0, 2), np.int64), np.empty(0), sigma=1.0, cut=5.0)
    assert not has_modes({"modes": empty})


def test_modes_by_hand_are_some_that_can_be() -> None:
    modelcheck.check(handmade_modes.model())


@pytest.mark.parametrize(("changes", "says"), [
    ({"share": np.ones((3, handmade_modes.N))}, r"modes\.share has shape"),
    ({"share": -handmade_modes.modes().share}, r"modes\.share has a value that is negative"),
    ({"travel": handmade_modes.modes().travel[:, :2]}, r"modes\.travel has shape"),
    ({"travel": np.full_like(handmade_modes.modes().travel, np.nan)}, "not a number"),
    ({"habit": np.array([1.5])}, "a chance above 1"),
    ({"habit": np.ones(2)}, r"modes\.habit has shape"),
])  # fmt: skip
def test_modes_that_cannot_be_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FormatError, match=says):
        modelcheck.check(handmade_modes.model(**changes))


def test_a_model_on_disk_keeps_its_modes_and_a_damaged_one_ends_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = handmade_modes.model()
    again = modelfile.load(modelfile.save(model, tmp_path / "model"))
    assert model.modes is not None and again.modes is not None
    for name in ("share", "travel", "habit"):
        assert np.array_equal(getattr(again.modes, name), getattr(model.modes, name))
    said = json.loads((tmp_path / "model" / "model.json").read_text())
    del said["arrays"]["modes.travel"]
    (tmp_path / "model" / "model.json").write_text(json.dumps(said))
    assert main(["generate", str(tmp_path / "model"), "--persons", "10", "--days", "1", "-o", str(tmp_path / "out")]) == 2
    assert "does not describe modes.travel as an array" in capsys.readouterr().err and not (tmp_path / "out").exists()
