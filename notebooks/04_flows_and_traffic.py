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
import shapely

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
# The charts' library takes a ring drawn the other way for the whole world without the shape.
zones["geometry"] = shapely.orient_polygons(zones.geometry.to_numpy(), exterior_cw=True)
trips.head()

# %% [markdown]
# ## Origin and destination by hour
#
# Trips between the eight boroughs that most trips go to, at three hours of the day: in the morning they point to the centre, in the
# evening away from it. The diagonal is trips inside a borough. `synthmob export OUT --to omx` writes all hours for a transport model.

# %%
level = zoning.level("district")
district_of = dict(zip(zoning.ids, (level.labels[area] for area in level.of_zone), strict=True))
trips["hour"] = trips.depart_min // 60
trips["origin"], trips["destination"] = trips.origin_zone.map(district_of), trips.destination_zone.map(district_of)
busiest = list(trips.destination.value_counts().index[:8])
between = trips[trips.origin.isin(busiest) & trips.destination.isin(busiest)]
matrix = between.groupby(["hour", "origin", "destination"]).size().reset_index(name="trips")
alt.Chart(matrix[matrix.hour.isin([8, 13, 18])]).mark_rect().encode(
    x=alt.X("destination:N", sort=busiest, title="to"), y=alt.Y("origin:N", sort=busiest, title="from"),
    color=alt.Color("trips:Q", scale=alt.Scale(type="sqrt", scheme="blues")),
    column=alt.Column("hour:O", title="hour in which the trips leave")).properties(width=170, height=170)

# %% [markdown]
# The same on a map: the forty strongest flows between boroughs that leave from 7 to 9, the wider the more trips. A red dot is where a flow
# ends; boroughs are joined from the zones.

# %%
boroughs = zones.assign(borough=zones.zone_id.map(district_of)).dissolve("borough")[["geometry"]].reset_index()
boroughs["geometry"] = shapely.orient_polygons(boroughs.geometry.to_numpy(), exterior_cw=True)
middle = boroughs.set_index("borough").geometry.to_crs(27700).centroid.to_crs(4326)
crossing = trips[trips.hour.between(7, 8) & (trips.origin != trips.destination)]
flows = crossing.groupby(["origin", "destination"]).size().nlargest(40).reset_index(name="trips")
for end, column in (("origin", "1"), ("destination", "2")):
    flows["x" + column], flows["y" + column] = flows[end].map(middle.x), flows[end].map(middle.y)
ground = alt.Chart(boroughs).mark_geoshape(fill="#f4f4f2", stroke="#b8b8b4").encode(tooltip="borough:N")
lines = alt.Chart(flows).mark_rule(opacity=0.55, color="steelblue").encode(
    longitude="x1:Q", latitude="y1:Q", longitude2="x2:Q", latitude2="y2:Q",
    strokeWidth=alt.StrokeWidth("trips:Q", scale=alt.Scale(range=[0.5, 9]), title="trips, 7 to 9"))
ends = alt.Chart(flows).mark_circle(color="crimson", size=18, opacity=1).encode(longitude="x2:Q", latitude="y2:Q")
(ground + lines + ends).project(type="mercator").properties(width=480, height=380)

# %% [markdown]
# How many come into the four busiest boroughs from others, hour by hour.

# %%
arrivals = trips[trips.destination.isin(busiest[:4]) & (trips.origin != trips.destination)]
by_hour = arrivals.groupby(["destination", "hour"]).size().reset_index(name="arrivals")
HOURS = alt.X("hour:Q", title="hour of the day", scale=alt.Scale(domain=[0, 24]), axis=alt.Axis(values=list(range(0, 25, 3))))
alt.Chart(by_hour).mark_line(point=True).encode(
    x=HOURS, y=alt.Y("arrivals:Q", title="trips from other boroughs"), color=alt.Color("destination:N", title="into")
).properties(width=480, height=200)

# %% [markdown]
# ## Footfall by age and sex
#
# Who is in the busiest zone, without those who live or stay at home there, at half past each hour of the day.

# %%
visits = stays[stays.purpose.isin(["shop", "leisure", "other", "work"])].merge(persons, on="person_id")
centre = visits[visits.purpose != "work"].zone_id.value_counts().index[0]
here = visits[visits.zone_id == centre]
present = pd.concat([
    here[(here.start_min <= 60 * hour + 30) & (here.end_min > 60 * hour + 30)].groupby(["age_band", "sex"]).size()
    .reset_index(name="persons").assign(hour=hour) for hour in range(24)])
alt.Chart(present[present.sex.isin(["female", "male"])]).mark_bar(size=8).encode(
    x=HOURS, y=alt.Y("persons:Q", title="persons present"), color=alt.Color("age_band:O", title="age", scale=alt.Scale(scheme="viridis")),
    column=alt.Column("sex:N", title=f"in {centre}, {district_of[centre]}")).properties(width=230, height=160)

# %% [markdown]
# ## Catchment
#
# Where those live who come to that zone, outlined in red, for anything but work: the darker, the more.

# %%
visitors = persons[persons.person_id.isin(here[here.purpose != "work"].person_id)]
homes = visitors.home_zone.value_counts().rename("visitors")
catchment = zones[["zone_id", "geometry"]].merge(homes, left_on="zone_id", right_index=True, how="left")
catchment["visitors"] = catchment.visitors.fillna(0)
shapes = alt.Chart(catchment).mark_geoshape(stroke="white", strokeWidth=0.4).encode(
    color=alt.Color("visitors:Q", title="visitors who live here", scale=alt.Scale(scheme="blues", type="sqrt")),
    tooltip=["zone_id:N", "visitors:Q"])
spot = alt.Chart(catchment[catchment.zone_id == centre]).mark_geoshape(filled=False, stroke="crimson", strokeWidth=2)
(shapes + spot).project(type="mercator").properties(width=480, height=380)

# %% [markdown]
# ## Peak spreading
#
# Half of those who leave between 8 and 9, and whose day at work is of eight hours or less, leave an hour later: by how much does the
# peak fall? Everybody is a person with a day, so those can be asked whose day allows it.

# %%
work = stays[stays.purpose == "work"]
flexible = work[(work.end_min - work.start_min) <= 480].person_id.unique()
early = trips[(trips.hour == 8) & trips.person_id.isin(flexible)]
moved = early.sample(frac=1 / 2, random_state=1).index
after = trips.assign(depart_min=trips.depart_min.where(~trips.index.isin(moved), trips.depart_min + 60))
quarter = pd.concat([
    (side.depart_min // 15 * 15 / 60).value_counts().sort_index().rename("trips").rename_axis("hour").reset_index().assign(side=name)
    for name, side in (("today", trips), ("half of the flexible later", after))])
tops = quarter[quarter.hour.between(6, 10)].groupby("side").trips.max()
late = tops["half of the flexible later"]
print(f"highest quarter hour of the morning: {tops['today']} trips today, {late} with {len(moved)} leaving later")
alt.Chart(quarter[quarter.hour.between(5, 12)]).mark_line(interpolate="step-after").encode(
    x=alt.X("hour:Q", title="hour of the day"), y=alt.Y("trips:Q", title="departures in a quarter of an hour"),
    color=alt.Color("side:N", title=None)).properties(width=480, height=200)

# %% [markdown]
# How far such figures may be off is what `synthmob intervals` says, table by table; notebook 02 has an example.
