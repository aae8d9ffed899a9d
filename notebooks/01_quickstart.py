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
# # From a mobile operator's records to synthetic people
#
# A made-up operator in London, noisy tables of its records under differential privacy, a model of those tables,
# synthetic people, and a look at how faithful they are. It is what `synthmob demo` does, smaller and by the Python API.
# The words are those of `ARCHITECTURE.md`: subscribers are real (here: made up), persons are synthetic.

# %%
import tempfile
from pathlib import Path

import altair as alt
import pandas as pd

from synthmob import Plan, Release, compare, fit, generate, read_zoning, worlds, write
from synthmob.fidelity.table import as_text

SUBSCRIBERS, DAYS = 20_000, 2
folder = Path(tempfile.mkdtemp(prefix="synthmob-"))

# %% [markdown]
# ## 1. The records
#
# An agent process lives its week in H3 cells of London, and leaves stays behind. With real records this step is yours:
# a folder with `subscribers`, `stays` or `events`, and a `period.toml`; `docs/SCHEMAS.md` lists the columns. The zoning
# and the period are public.

# %%
worlds.london(SUBSCRIBERS, DAYS, seed=1, h3_resolution=6).write(folder / "records", events=False)
zoning = read_zoning(folder / "records" / "zones.geojson")
pd.read_parquet(folder / "records" / "stays.parquet").head(8)

# %% [markdown]
# ## 2. The release
#
# `Curator` is the only door to the records, and it is imported from `synthmob.private`, so the word stands in every
# line that touches one. It counts what the plan asks for, each subscriber's part bounded, adds noise to every cell, and
# cuts what is small. What it saves is all that leaves the owner's machine.

# %%
from synthmob.private.curator import Curator

plan = Plan.standard(epsilon=1.0, delta=1e-6)
Curator.of(folder / "records", zoning).measure(plan).save(folder / "release")

# %% [markdown]
# A released table is a list of cells with the noise that is in them. A cell that is missing was below the cut, which is
# not zero.

# %%
release = Release.load(folder / "release")
table = release.marginals["home_work@district"]
print(f"{len(table.values)} of {table.n_domain} cells published, noise {table.sigma:.1f}, cut {table.cut:.1f} persons")
labels = [[axis.label(code) for axis, code in zip(table.axes, row, strict=True)] for row in table.codes]
cells = pd.DataFrame(labels, columns=list(table.axis_names))
cells.assign(count=table.values.round(1)).sort_values("count", ascending=False).head(8)

# %% [markdown]
# ## 3. The model, and people
#
# From here on nothing needs the records: `synthmob/private` could be deleted. A population is generated when it is
# asked for, block by block; the same seed gives the same people.

# %%
model = fit(release, zoning)
people = generate(model, n_persons=SUBSCRIBERS, days=DAYS, seed=1)
write(people, folder / "out", workers=2)
stays = pd.read_parquet(folder / "out" / "stays")
stays[stays.person_id == 7][["day", "seq", "purpose", "zone_id", "start_min", "end_min"]]

# %% [markdown]
# ## 4. A look
#
# Where people are at half past each hour of a weekday, released (with its noise) beside synthetic.

# %%
presence = release.marginals["presence@district"].project(["hour", "zone"])
busiest = [presence.axes[1].label(k) for k in presence.project(["zone"]).values.argsort()[-4:][::-1]]
released = pd.DataFrame({
    "hour": [int(presence.axes[0].label(k)) for k in presence.codes[:, 0]],
    "district": [presence.axes[1].label(k) for k in presence.codes[:, 1]],
    "persons": presence.values, "side": "released"})
level = zoning.level("district")
district_of = dict(zip(zoning.ids, (level.labels[area] for area in level.of_zone), strict=True))
weekday = stays[stays.day == 0].assign(district=stays.zone_id.map(district_of))


def present(hour: int) -> pd.DataFrame:
    """How many synthetic persons stay in each district at half past the hour."""
    now = weekday[(weekday.start_min <= hour * 60 + 30) & (weekday.end_min > hour * 60 + 30)]
    return now.groupby("district").size().reset_index(name="persons").assign(hour=hour, side="synthetic")


synthetic = pd.concat([present(hour) for hour in range(24)])
both = pd.concat([released, synthetic])
alt.Chart(both[both.district.isin(busiest)]).mark_line().encode(
    x="hour:Q", y="persons:Q", color="side:N", facet=alt.Facet("district:N", columns=2)).properties(width=260, height=120)

# %% [markdown]
# ## 5. How faithful
#
# Outside, against the release: the noise is known, so no table is asked to be nearer than its noise. (The owner can
# compare with the truth as well; that result is confidential. `synthmob check --truth` does it.)

# %%
print(as_text(compare(release, folder / "out")))

# %% [markdown]
# With 20,000 subscribers and epsilon 1 most of the fine cells are below the cut, and the model fills them. More
# subscribers, or a larger epsilon, would show more.
#
# What is in `out` is plain Parquet: `persons`, `stays`, `trips`, and the zones as GeoParquet.

# %%
sorted(path.relative_to(folder).as_posix() for path in (folder / "out").rglob("*.*"))
