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
# # What a privacy budget buys
#
# Epsilon limits what anybody can learn of one subscriber from a release; it is paid for in noise. Before anything is spent,
# `synthmob measure --explain` tells what a plan would show, from public things alone. Then the same operator is measured at three budgets.
# (Several releases about the same customers add up: on real records a ledger counts them. This operator is made up.)

# %%
import tempfile
from pathlib import Path

import altair as alt
import pandas as pd

from synthmob import Plan, fit, generate, read_zoning, worlds, write
from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.fidelity.compare import Tables, compare_inside
from synthmob.fidelity.people import tables_of
from synthmob.pipeline.explaining import explain
from synthmob.pipeline.measurement import Asked
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles
from synthmob.private.curator import Curator
from synthmob.synthesis.outfolder import open_out

EPSILONS, DELTA = (0.5, 2.0, 8.0), 1e-6
SUBSCRIBERS, DAYS = 5_000, 1
folder = Path(tempfile.mkdtemp(prefix="synthmob-"))
worlds.london(SUBSCRIBERS, DAYS, seed=1, h3_resolution=6).write(folder / "records", events=False)
zoning = read_zoning(folder / "records" / "zones.geojson")
owner = Curator.of(folder / "records", zoning)

# %% [markdown]
# ## Beforehand
#
# The share of people in cells that would be cut, for three sizes of operator: with ten times the people, the same budget shows far more.

# %%
SHOWN = ("home@zone", "home_work@district", "od@district", "chains", "presence@zone", "durations")
rows = []
for subscribers in (5_000, 50_000, 500_000):
    for epsilon in EPSILONS:
        files = RecordFiles(folder / "records"), ZoningFile(folder / "records" / "zones.geojson")
        told = explain(*files, Asked(epsilon, DELTA), subscribers).expected
        said = {"epsilon": epsilon, "subscribers": f"{subscribers:,}"}
        rows += [{"table": name, **said, "hidden": told[name].people_hidden} for name in SHOWN]
beforehand = pd.DataFrame(rows)
alt.Chart(beforehand).mark_line(point=True).encode(
    x=alt.X("epsilon:Q", scale=alt.Scale(type="log", domain=[0.4, 10]), axis=alt.Axis(values=list(EPSILONS), grid=False)),
    y=alt.Y("hidden:Q", axis=alt.Axis(format="%"), title="people below the cut"),
    color=alt.Color("subscribers:N", sort=["5,000", "50,000", "500,000"]),
    facet=alt.Facet("table:N", columns=3, title="released table")).properties(width=150, height=110)

# %% [markdown]
# ## Afterwards
#
# The same records at each budget, a model of each release, and people of each model against the truth.

# %%
backend, truth, scores = connect(), None, []
for epsilon in EPSILONS:
    plan = Plan.standard(epsilon=epsilon, delta=DELTA)
    truth = truth or Tables(*owner.rows(plan)[:2])
    model = fit(owner.measure(plan), zoning)
    out = write(generate(model, n_persons=SUBSCRIBERS, days=DAYS, seed=1), folder / f"out{epsilon:g}", workers=2)
    found = compare_inside(truth, tables_of(open_out(out, backend)), zoning, Domain(), model.period, backend, bootstraps=3)
    scores += [{"metric": m.title, "word": m.word, "epsilon": epsilon, "ratio": m.ratio} for m in found.metrics]
table = pd.DataFrame(scores)
table.groupby(["word", "epsilon"]).ratio.median().unstack().round(2)

# %%
alt.Chart(table.assign(ratio=table.ratio.clip(lower=0.1))).mark_boxplot(extent="min-max").encode(
    x=alt.X("epsilon:O", axis=alt.Axis(labelAngle=0)), color=alt.Color("word:N", legend=None),
    y=alt.Y("ratio:Q", scale=alt.Scale(type="log"), title="error over floor or tolerance"),
    column=alt.Column("word:N", title="metrics from least to most, the middle half of them in the box")).properties(width=150, height=200)

# %% [markdown]
# A ratio of 1 is as good as another sample of the same people. Where even a large epsilon leaves a high ratio, it is the cut or the
# model, not the noise: the cut protects groups of fewer than 50 whatever the epsilon.
