"""What --explain tells beforehand is what releases show afterwards, within a stated factor; it opens no record and spends nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from smallrun import BUDGET, SUBSCRIBERS, Run, synthmob

from synthmob import Release
from synthmob.fidelity.expected import SHAPES, Shape, expected
from synthmob.plan import STANDARD
from synthmob.request import MODES

FACTOR = 2.5
"""Every table of ten cells and more, one of another size, period, budget and group size than the reference; in the middle 1.3."""


def test_it_is_what_a_release_shows(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("measure", run.records, "--zones", run.zones, *BUDGET, "--explain", "--expected-subscribers", SUBSCRIBERS, "--json")
    assert synthmob(*words) == 0
    told = {row["table"]: row for row in json.loads(capsys.readouterr().out)["tables"]}
    tables = Release.load(run.release).marginals
    off: dict[str, float] = {}
    for name, table in tables.items():
        if "cells_shown" not in told.get(name, {}):
            continue
        assert told[name]["sigma"] == pytest.approx(table.sigma, rel=0.3)  # usage and modes, which are not asked for here, share the budget
        if len(table.values) >= 10:
            off[name] = abs(np.log(told[name]["cells_shown"] / len(table.values)))
    assert len(off) > 25
    worst = max(off, key=lambda name: off[name])
    assert off[worst] < np.log(FACTOR), (worst, np.exp(off[worst]))
    assert np.median(list(off.values())) < np.log(1.3)


def test_it_opens_no_record_and_spends_nothing(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "period.toml").write_bytes((run.records / "period.toml").read_bytes())
    (tmp_path / "records" / "stays.parquet").write_text("no Parquet")
    before = sorted(tmp_path.rglob("*"))
    words = ("measure", tmp_path / "records", "--zones", run.zones, "--epsilon", "1", "--delta", "1e-6", "--explain")
    assert synthmob(*words, "--expected-subscribers", "5000") == 0
    assert "nothing was spent" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before
    assert synthmob(*words) == 2
    assert "--expected-subscribers" in capsys.readouterr().err
    assert synthmob(*words, "--expected-subscribers", "0") == 2
    assert synthmob(*words[:-1], "-o", tmp_path / "release", "--expected-subscribers", "9") == 2
    assert synthmob(*words[:-1]) == 2


def test_by_hand() -> None:
    """All people of a table in cells of one size: with no spread every cell is the same."""
    SHAPES["hand"] = Shape(1.0, float(np.log(0.1)), 0.0)
    try:
        found = expected("hand", 10.0, 70.0, 1_000, 1, ())
    finally:
        del SHAPES["hand"]
    assert found is not None  # ten cells of 100 people: three sigma above the cut
    assert found.cells_shown == pytest.approx(9.99, abs=0.01) and found.people_hidden == pytest.approx(0.00135, abs=1e-4)
    assert found.noise_tvd == pytest.approx(0.5 * 10 * 0.798 / 100, rel=0.01) and found.relative_error == pytest.approx(0.1)


def test_more_people_show_more_and_more_noise_shows_less() -> None:
    for name in SHAPES:
        found = [expected(name, sigma, 50 + 2 * sigma, n, 30, (5,)) for sigma, n in ((20.0, 10_000), (20.0, 100_000), (60.0, 100_000))]
        few, many, noisy = (f for f in found if f is not None)
        assert few.people_hidden >= many.people_hidden <= noisy.people_hidden
        assert few.noise_tvd >= many.noise_tvd * 0.99 or few.cells_shown < 1


def test_every_table_of_the_standard_plan_has_a_reference() -> None:
    assert {r.statistic for r in STANDARD} - set(SHAPES) == set(MODES)
