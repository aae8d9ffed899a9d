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
# # Flows and traffic: what a researcher does with the people
#
# From here on only `OUT` is needed: `persons`, `stays` and `trips` as Parquet, zones as GeoParquet. Four questions: who travels where and
# when, who walks through a centre, whose centre it is, and what happens to the peak when some leave later.

# %%
import tempfile
from pathlib import Path

import altair as alt
import geopandas as gpd
import pandas as pd

from synthmob import Plan, fit, generate, read_zoning, worlds, write
from synthmob.private.curator import Curator

SUBSCRIBERS, DAYS = 5_000, 1
folder = Path(tempfile.mkdtemp(prefix="synthmob-"))
worlds.london(SUBSCRIBERS, DAYS, seed=1, h3_resolution=6).write(folder / "records", events=False)
zoning = read_zoning(folder / "records" / "zones.geojson")
owner = Curator.of(folder / "records", zoning)
model = fit(owner.measure(Plan.standard(epsilon=4.0, delta=1e-6)), zoning)
out = write(generate(model, n_persons=20_000, days=1, seed=1), folder / "out", workers=2)
persons, stays, trips = (pd.read_parquet(out / name) for name in ("persons.parquet", "stays", "trips"))
zones = gpd.read_parquet(out / "zones.parquet")
trips.head()

# %% [markdown]
# ## Origin and destination by hour
#
# A matrix of trips between boroughs in the morning peak. `synthmob export OUT --to omx` writes all hours for a transport model.

# %%
level = zoning.level("district")
district_of = dict(zip(zoning.ids, (level.labels[area] for area in level.of_zone), strict=True))
trips["hour"] = trips.depart_min // 60
trips["origin"], trips["destination"] = trips.origin_zone.map(district_of), trips.destination_zone.map(district_of)
peak = trips[trips.hour.between(7, 9)]
matrix = peak.groupby(["origin", "destination"]).size().unstack(fill_value=0)
busiest = peak.destination.value_counts().index[:6]
matrix.loc[busiest, busiest]

# %%
arrivals = trips[trips.destination.isin(busiest[:4]) & (trips.origin != trips.destination)]
by_hour = arrivals.groupby(["destination", "hour"]).size().reset_index(name="arrivals")
alt.Chart(by_hour).mark_line().encode(x="hour:Q", y="arrivals:Q", color="destination:N").properties(width=480, height=200)

# %% [markdown]
# ## Footfall by age and sex
#
# Who is in the busiest zone at each hour of the day.

# %%
visits = stays[stays.purpose.isin(["shop", "leisure", "other", "work"])].merge(persons, on="person_id")
centre = visits[visits.purpose != "work"].zone_id.value_counts().index[0]
here = visits[visits.zone_id == centre]
present = pd.concat([
    here[(here.start_min <= 60 * hour + 30) & (here.end_min > 60 * hour + 30)].groupby(["age_band", "sex"]).size()
    .reset_index(name="persons").assign(hour=hour) for hour in range(24)])
alt.Chart(present[present.sex.isin(["female", "male"])]).mark_area().encode(
    x="hour:Q", y="persons:Q", color="age_band:O", column="sex:N").properties(width=230, height=160)

# %% [markdown]
# ## Catchment
#
# Where those live who come to that zone for anything but work: the darker, the more.

# %%
visitors = persons[persons.person_id.isin(here[here.purpose != "work"].person_id)]
homes = visitors.home_zone.value_counts().rename("visitors")
catchment = zones[["zone_id", "geometry"]].merge(homes, left_on="zone_id", right_index=True, how="left")
catchment["visitors"] = catchment.visitors.fillna(0)
shapes = alt.Chart(catchment).mark_geoshape(stroke="white", strokeWidth=0.4).encode(
    color=alt.Color("visitors:Q", scale=alt.Scale(scheme="blues")), tooltip=["zone_id:N", "visitors:Q"])
spot = alt.Chart(catchment[catchment.zone_id == centre]).mark_geoshape(filled=False, stroke="crimson", strokeWidth=2)
(shapes + spot).project(type="identity", reflectY=True).properties(width=480, height=380)

# %% [markdown]
# ## Peak spreading
#
# A third of the workers who are under way between 7 and 9 leave an hour later: by how much does the peak fall? Everybody is a person
# with a day, so those can be asked whose day allows it: here, people who stay at work for eight hours or less.

# %%
work = stays[stays.purpose == "work"]
flexible = work[(work.end_min - work.start_min) <= 480].person_id.unique()
early = trips[trips.hour.between(7, 8) & trips.person_id.isin(flexible)]
moved = early.sample(frac=1 / 3, random_state=1).index
after = trips.assign(depart_min=trips.depart_min.where(~trips.index.isin(moved), trips.depart_min + 60))
quarter = pd.concat([
    (side.depart_min // 15 * 15 / 60).value_counts().sort_index().rename("trips").rename_axis("hour").reset_index().assign(side=name)
    for name, side in (("today", trips), ("a third later", after))])
tops = quarter[quarter.hour.between(6, 10)].groupby("side").trips.max()
print(f"highest quarter hour of the morning: {tops['today']} trips today, {tops['a third later']} with {len(moved)} leaving later")
alt.Chart(quarter[quarter.hour.between(5, 12)]).mark_line().encode(
    x="hour:Q", y="trips:Q", color="side:N").properties(width=480, height=200)

# %% [markdown]
# How far such figures may be off is what `synthmob intervals` says, table by table; notebook 02 has an example.
