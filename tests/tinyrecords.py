"""Twenty subscribers in four square zones, to break, and what the command line says when it meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import shapely

DAYS = 'first_day = 2026-03-02\ndays = 1\ntimezone = "UTC"\n'


def operator(folder: Path) -> Path:
    """Twenty subscribers of four square zones, for one day: records to break."""
    folder.mkdir(parents=True)
    people = [f"s{k}" for k in range(20)]
    pd.DataFrame({"subscriber_id": people, "sex": "female", "age_band": "25-34"}).to_csv(folder / "subscribers.csv", index=False)
    day = (("home", 0, 480), ("work", 510, 1000), ("home", 1030, 1440))
    rows = [(who, 0, seq, purpose, f"z{(k + seq) % 4}", start, end)
            for k, who in enumerate(people) for seq, (purpose, start, end) in enumerate(day)]  # fmt: skip
    columns = ["subscriber_id", "day", "seq", "purpose", "zone_id", "start_min", "end_min"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "stays.csv", index=False)
    (folder / "period.toml").write_text(DAYS)
    squares = [shapely.geometry.mapping(shapely.box(-0.1 + k / 50, 51.5, -0.08 + k / 50, 51.52)) for k in range(4)]
    shapes = [{"type": "Feature", "properties": {"zone_id": f"z{k}", "district_id": "d"}, "geometry": square}
              for k, square in enumerate(squares)]  # fmt: skip
    (folder / "zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": shapes}))
    return folder


def wrong(capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence on stderr."""
    told = capsys.readouterr().err
    assert told.startswith("synthmob: ") and told.endswith(".\n") and told.count("\n") == 1 and "Traceback" not in told, told
    return told.removeprefix("synthmob: ")
