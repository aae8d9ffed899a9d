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
# # How faithful are the synthetic people?
#
# Two checks answer this. *Inside*, on the owner's machine, people are held against the records; that result is confidential.
# *Outside*, anywhere, they are held against the release. This notebook does both on a made-up operator, whose truth is nobody's,
# and says how to read what they print.

# %%
import tempfile
from pathlib import Path

import altair as alt
import geopandas as gpd
import pandas as pd
import shapely

from synthmob import Plan, compare, fit, generate, read_zoning, worlds, write
from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.fidelity.compare import Tables, compare_inside
from synthmob.fidelity.people import intervals, tables_of
from synthmob.private.curator import Curator
from synthmob.synthesis.outfolder import open_out

SUBSCRIBERS, DAYS = 5_000, 1
folder = Path(tempfile.mkdtemp(prefix="synthmob-"))
worlds.london(SUBSCRIBERS, DAYS, seed=1, h3_resolution=6).write(folder / "records", events=False)
zoning = read_zoning(folder / "records" / "zones.geojson")
owner = Curator.of(folder / "records", zoning)
plan = Plan.standard(epsilon=2.0, delta=1e-6)
release = owner.measure(plan)
model = fit(release, zoning)
write(generate(model, n_persons=SUBSCRIBERS, days=DAYS, seed=1), folder / "out", workers=2)

# %% [markdown]
# ## Inside: value, floor, baseline, ratio
#
# An error means little by itself. Beside it stand
#
# - the *floor*: what another sample of the truth of the same size would show. Nobody can ask for less;
# - the *baseline*: people drawn from the exact one-way totals (sex, age, home, work, ...). Who is no better has learnt nothing joint;
# - the *ratio* of the error to the larger of the floor and a tolerance, the difference on which nobody acts: 1 is as good as a sample.

# %%
backend = connect()
out = open_out(folder / "out", backend)
truth = Tables(*owner.rows(plan))[:2]
found = compare_inside(Tables(*truth), tables_of(out), zoning, Domain(), model.period, backend, bootstraps=5)
table = pd.DataFrame([{"metric": m.title, "value": m.value, "floor": m.floor, "baseline": m.baseline, "ratio": m.ratio,
                       "verdict": m.verdict, "word": m.word} for m in found.metrics])
table.drop(columns="word").round(3).head(12)

# %% [markdown]
# ## Where it is weak
#
# With 5,000 subscribers most fine cells are below the cut, and what is left is noisy. The bars are the ten worst ratios; the dashed line is
# the goal of 1.5. The words say which part of the model is at work: *anchors* (where people belong), *flows* (where they go), *routines*
# (what they do, and when).

# %%
worst = table.nlargest(10, "ratio")
bars = alt.Chart(worst).mark_bar().encode(
    x=alt.X("ratio:Q", title="error over floor or tolerance"), y=alt.Y("metric:N", sort="-x", title=None, axis=alt.Axis(labelLimit=480)),
    color="word:N")
(bars + alt.Chart(pd.DataFrame({"goal": [1.5]})).mark_rule(strokeDash=[4, 3]).encode(x="goal:Q")).properties(width=420, height=240)

# %% [markdown]
# ## Outside: against the release
#
# The release's noise is known, so no table is asked to be nearer than its noise. A cell that is missing was below the cut: not zero.
# The residual table: chi-square per cell is the mean squared residual over the variance of noise and sampling, *perfect* what people would
# have who are a sample of the exact truth. The worst cell says where to look, its residual is in standard deviations.

# %%
outside = compare(release, folder / "out")
residuals = pd.DataFrame([{"table": t.table, "cells": t.cells, "chi2 per cell": t.chi2_per_cell, "perfect": t.chi2_floor,
                           "worst cell": t.worst_cell, "residual": t.worst_sd} for t in outside.tables])
residuals.sort_values("chi2 per cell", ascending=False).round(2).head(12)

# %% [markdown]
# ## On a map
#
# Where people are at half past eight in the morning, beside where the records have them: too many in blue, too few in red, in people of
# the made-up truth. On real records only the owner may look at this.

# %%
def at(stays: pd.DataFrame, minute: int) -> pd.Series:
    return stays[(stays.start_min <= minute) & (stays.end_min > minute)].zone_id.value_counts()


made, real = pd.read_parquet(folder / "out" / "stays"), truth[1].to_pandas()
zones = gpd.read_parquet(folder / "out" / "zones.parquet")[["zone_id", "geometry"]]
# The charts' library takes a ring drawn the other way for the whole world without the shape.
zones["geometry"] = shapely.orient_polygons(zones.geometry.to_numpy(), exterior_cw=True)
surplus = at(made, 510).sub(at(real, 510), fill_value=0)
off = zones.assign(surplus=zones.zone_id.map(surplus).fillna(0.0))
most = float(off.surplus.abs().max())
alt.Chart(off).mark_geoshape(stroke="white").encode(
    color=alt.Color("surplus:Q", title="people, synthetic less true", scale=alt.Scale(scheme="redblue", domain=[-most, most])),
    tooltip=["zone_id:N", "surplus:Q"]).project(type="mercator").properties(width=420, height=320)

# %% [markdown]
# ## One number: how far may it be off?
#
# `synthmob intervals` gives every count an interval for the exact bounded count of subscribers, also where the release shows nothing.
# Here: people by the boroughs where they live and work. The dot is the estimate, the line its 90 % interval.

# %%
pairs = next(each for each in intervals(release, [folder / "out"])[0] if each.table == "home_work@district")
labels = [" to ".join(axis.label(code) for axis, code in zip(pairs.released.axes, row, strict=True)) for row in pairs.codes]
flows = pd.DataFrame({"pair": labels, "persons": pairs.estimate, "low": pairs.low, "high": pairs.high,
                      "in the release": pairs.published}).nlargest(12, "persons")
names = alt.Y("pair:N", sort=list(flows.pair), title=None, axis=alt.Axis(labelLimit=320))
base = alt.Chart(flows).encode(y=names, color="in the release:N")
(base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", title="subscribers, 90 % interval"), x2="high:Q")
 + base.mark_point(filled=True, size=60).encode(x="persons:Q")).properties(width=420, height=260)
