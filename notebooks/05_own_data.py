# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # With your own records
#
# What `synthmob measure` reads: a folder with `subscribers.parquet`, `stays.parquet` (or `events.parquet`), a `period.toml`, and a public
# zoning. This notebook builds such a folder from plain tables, so that you can put yours in their place. Columns: `docs/SCHEMAS.md`.

# %%
import tempfile
from pathlib import Path

import altair as alt
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from synthmob import Plan, fit, generate, read_zoning, write
from synthmob.private.curator import Curator

folder = Path(tempfile.mkdtemp(prefix="synthmob-"))
records = folder / "records"
records.mkdir()

# %% [markdown]
# ## The zoning and the period, which are public
#
# Any file of shapes with a column of ids; `district_id` groups zones. Here 12 squares in 4 districts. The period says which days the
# records cover; it is told, never derived from the rows.

# %%
squares = [(f"z{k}", f"d{k // 3}", shapely.box(5 + 0.03 * (k % 4), 52 + 0.02 * (k // 4), 5.03 + 0.03 * (k % 4), 52.02 + 0.02 * (k // 4)))
           for k in range(12)]
zones = gpd.GeoDataFrame(squares, columns=["zone_id", "district_id", "geometry"], crs=4326)
zones.to_file(records / "zones.geojson", driver="GeoJSON")
(records / "period.toml").write_text('first_day = 2026-03-02\ndays = 1\ntimezone = "Europe/Amsterdam"\n')
zones.drop(columns="geometry").head()

# %% [markdown]
# ## The records
#
# 6,000 made-up subscribers who work, shop or stay at home. A day runs from minute 0 to 1440, stay after stay.

# %%
rng, n = np.random.default_rng(1), 6_000
subscribers = pd.DataFrame({"subscriber_id": np.arange(n), "sex": rng.choice(["female", "male"], n),
                            "age_band": rng.choice(["16-24", "25-34", "35-44", "45-54", "55-64", "65+"], n)})
home, work = rng.integers(0, 12, n), rng.choice(12, n, p=np.arange(12, 0, -1) / 78)
works = (subscribers.age_band != "65+") & (rng.random(n) < 0.7)


def day(k: int) -> list[tuple[int, int, int, str, str, int, int]]:
    """The stays of one subscriber."""
    if works[k]:
        leave, back = int(rng.normal(480, 30)), int(rng.normal(1020, 40))
        parts = [("home", home[k], 0, leave), ("work", work[k], leave + 25, back), ("home", home[k], back + 25, 1440)]
    else:
        leave = int(rng.normal(660, 60))
        parts = [("home", home[k], 0, leave), ("shop", (home[k] + 1) % 12, leave + 15, leave + 75), ("home", home[k], leave + 90, 1440)]
    return [(k, 0, seq, purpose, f"z{zone}", start, end) for seq, (purpose, zone, start, end) in enumerate(parts)]


columns = ["subscriber_id", "day", "seq", "purpose", "zone_id", "start_min", "end_min"]
stays = pd.DataFrame([row for k in range(n) for row in day(k)], columns=columns)
subscribers.to_parquet(records / "subscribers.parquet")
stays.to_parquet(records / "stays.parquet")
stays.head(6)

# %% [markdown]
# ## Release, model, people
#
# On the command line: `synthmob measure records --zones records/zones.geojson --epsilon 1 --delta 1e-6 -o release`, then `fit` and
# `generate`. `--explain --expected-subscribers 6000` tells beforehand what the budget buys. A file with an unknown zone, or a day that
# overlaps itself, is refused with one sentence that says where.

# %%
zoning = read_zoning(records / "zones.geojson")
release = Curator.of(records, zoning).measure(Plan.standard(epsilon=1.0, delta=1e-6))
model = fit(release, zoning)
out = write(generate(model, n_persons=n, days=1, seed=1), folder / "out", workers=2)
made = pd.read_parquet(out / "stays")
made[["person_id", "purpose", "zone_id", "start_min", "end_min"]].head(6)

# %% [markdown]
# ## A first look
#
# On real records only the owner may take it. With 6,000 subscribers and a budget of 1, noise of some twenty people stands on every cell and
# cells of fewer than about a hundred are not shown: these shares are several hundredths off, and work begins up to half an hour late.
# `synthmob check --truth` says so metric by metric; more subscribers or a larger budget mend it.

# %%
pd.DataFrame({
    "records": [*stays.purpose.value_counts(normalize=True)[["home", "work", "shop"]], stays[stays.purpose == "work"].start_min.mean()],
    "people": [*made.purpose.value_counts(normalize=True)[["home", "work", "shop"]], made[made.purpose == "work"].start_min.mean()]},
    index=["home", "work", "shop", "work begins, min"]).round(3)

# %% [markdown]
# Where work is, on the map: the records left, the people right. The work places were drawn the rarer the higher the number of the zone.

# %%
# The charts' library takes a ring drawn the other way for the whole world without the shape.
shapes = zones.assign(geometry=shapely.orient_polygons(zones.geometry.to_numpy(), exterior_cw=True))
sides = []
for name, days in (("records", stays), ("people", made)):
    works_in = days[days.purpose == "work"].zone_id.value_counts(normalize=True)
    share = shapes.assign(share=shapes.zone_id.map(works_in).fillna(0.0))
    sides.append(alt.Chart(share, title=name).mark_geoshape(stroke="white").encode(
        color=alt.Color("share:Q", title="share of work stays", scale=alt.Scale(scheme="blues", domainMin=0)),
        tooltip=["zone_id:N", "share:Q"]).project(type="mercator").properties(width=240, height=130))
alt.hconcat(*sides)
