"""A world whose process changes is followed by the model with no code change: here its jobs move."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from changedworlds import CHANGES
from hasty import hasty
from smallrun import BUDGET, DAYS, FRIDAY, PERSONS, SUBSCRIBERS, Run, synthmob

from synthmob import worlds


def test_moved_jobs_are_followed(run: Run, tmp_path: Path) -> None:
    change = CHANGES["jobs"]
    world = worlds.london(SUBSCRIBERS, DAYS, seed=1, h3_resolution=6, first_day=FRIDAY, parameters=change.parameters)
    moved = Run.at(tmp_path)
    world.write(moved.records, events=False)
    assert synthmob("measure", moved.records, "--zones", moved.zones, *BUDGET, "--yes", "-o", moved.release) == 0
    with hasty():  # as that of the run
        assert synthmob("fit", moved.release, "--zones", moved.zones, "-o", moved.model) == 0
    assert synthmob("generate", moved.model, "--persons", PERSONS // 4, "--days", DAYS, "--seed", 1, "-o", moved.out) == 0
    level = world.zoning.level("district")
    district_of = {zone: level.labels[area] for zone, area in zip(world.zoning.ids, level.of_zone, strict=True)}
    truth, made = ([change.figure(pd.read_parquet(path), district_of) for path in paths] for paths in (
        (run.records / "stays.parquet", moved.records / "stays.parquet"), (run.out / "stays", moved.out / "stays")))  # fmt: skip
    shift = truth[1] - truth[0]
    assert shift > 0.03  # the world has changed
    assert 0.7 * shift < made[1] - made[0] < 1.3 * shift
