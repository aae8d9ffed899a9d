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
# # What to do with synthetic people: flows on a map, an hour of traffic, a pipeline for call detail records
#
# For who works with an `out` folder: transport researchers, data engineers. Each part stands on its own and starts from
# files on disk. Nothing here needs records. The words are those of `ARCHITECTURE.md`: persons are synthetic.

# %%
import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import altair as alt
import duckdb
import geopandas
import pandas as pd
import shapely

from synthmob import Plan, fit, generate, read_zoning, worlds, write
from synthmob.pipeline.exporting import export
from synthmob.private.curator import Curator
from synthmob.synthesis.events import EventOptions, Network

PERSONS, DAYS = 4_000, 2
folder = Path(tempfile.mkdtemp(prefix="synthmob-"))
out = folder / "out"

# %% [markdown]
# ## 0. People to work with
#
# Somebody gives you `out`, or a dataset of `synthmob pack`. Here a made-up operator of 4,000 subscribers stands in for
# them: so few that epsilon is 10, for at 1 little of its tables would pass the cut. The first day is a Friday. On the command line
# this is `synthmob measure`, `fit` and `generate --events`.

# %%
worlds.london(PERSONS, DAYS, seed=1, h3_resolution=6).write(folder / "records")
zoning = read_zoning(folder / "records" / "zones.geojson")
model = fit(Curator.of(folder / "records", zoning).measure(Plan.standard(epsilon=10.0, delta=1e-6)), zoning)
people = generate(model, n_persons=PERSONS, days=DAYS, seed=1)
write(people, out, workers=2, network=Network.of(people, EventOptions()))
sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))

# %% [markdown]
# ## 1. Flows on a map
#
# `synthmob export out --to gis` writes layers that every GIS reads. Zones are shaded by the people in them at
# half past twelve, the mean of both days; lines are the largest flows between different zones.

# %%
export(out, folder / "gis", "gis")
footfall = geopandas.read_parquet(folder / "gis" / "footfall.parquet")
flows = geopandas.read_parquet(folder / "gis" / "flows.parquet")
flows.drop(columns="geometry").head(3)

# %%
# Vega draws on a sphere, on which a ring the other way round is all the world but the zone.
footfall["geometry"] = shapely.orient_polygons(footfall.geometry.to_numpy(), exterior_cw=True)
between = flows[flows.origin_zone != flows.destination_zone].nlargest(60, "trips_a_day")
ends = between.geometry.get_coordinates().groupby(level=0)
lines = between.drop(columns="geometry").assign(**ends.first().add_suffix("0"), **ends.last().add_suffix("1"))
shaded = alt.Chart(footfall[["zone_id", "hour_12", "geometry"]]).mark_geoshape(stroke="white", strokeWidth=0.5).encode(
    alt.Color("hour_12:Q", scale=alt.Scale(scheme="blues"), title="people at 12:30"))
drawn = alt.Chart(pd.DataFrame(lines)).mark_rule(color="#c2410c", opacity=0.6).encode(
    longitude="x0:Q", latitude="y0:Q", longitude2="x1:Q", latitude2="y1:Q",
    strokeWidth=alt.StrokeWidth("trips_a_day:Q", scale=alt.Scale(range=[0.5, 5]), title="trips a day"))
(shaded + drawn).project("mercator").properties(width=520, height=400, title="The 60 largest flows between zones")

# %% [markdown]
# ## 2. An hour of traffic
#
# `synthmob export out --to sumo` writes a folder that SUMO runs as it is. Its network is made up (a junction a zone, roads
# between neighbours), so it shows how many travel and how far, not which street they take; give a network of your own with
# `--net`. The export also has the OD as tazRelations. SUMO is a program of its own (`pip install eclipse-sumo`, which brings
# `sumo`); where it is absent this part only says so.

# %%
export(out, folder / "sumo", "sumo")
sumo = shutil.which("sumo")
if sumo is None:
    print("SUMO is not installed here: `pip install eclipse-sumo`, and run this cell again.")
    traffic = None
else:
    summary = folder / "summary.xml"
    command = [sumo, "-c", "run.sumocfg", "--begin", "25200", "--end", "32400", "--summary-output", str(summary), "--no-step-log"]
    done = subprocess.run(command, cwd=folder / "sumo", capture_output=True, text=True, check=True)
    steps = [step.attrib for step in ElementTree.parse(summary).iter("step")]
    traffic = pd.DataFrame(steps)[["time", "running", "ended", "meanSpeed"]].astype(float)
    traffic = traffic[traffic.time.between(28_800, 32_400)].assign(minute=lambda t: (t.time - 28_800) / 60)
    print(f"8 to 9 on Friday: {traffic.ended.iloc[-1] - traffic.ended.iloc[0]:,.0f} vehicles arrived")

# %%
None if traffic is None else alt.Chart(traffic.iloc[::60]).mark_line().encode(
    alt.X("minute:Q", title="minutes after 8"), alt.Y("running:Q", title="vehicles on the road")).properties(width=520, height=160)

# %% [markdown]
# ## 3. A pipeline for call detail records
#
# `out/events` is what an operator's mediation would deliver: one row a call, message or data session, at an antenna site. What a
# pipeline makes of it can be compared with what is known here and never known of real people: where they live.
#
# First, calls by site and hour.

# %%
events, sites = f"'{out}/events/*.parquet'", f"'{out}/sites.parquet'"
calls = duckdb.sql(f"SELECT site_id, hour(time) AS hour, count(*) AS calls FROM {events} WHERE kind = 'call' GROUP BY ALL").df()
busiest = calls.groupby("site_id").calls.sum().nlargest(8).index
alt.Chart(calls[calls.site_id.isin(busiest)]).mark_rect().encode(
    alt.X("hour:O"), alt.Y("site_id:N", title="antenna site", sort=list(busiest)), alt.Color("calls:Q", scale=alt.Scale(scheme="blues"))
).properties(width=520, height=180, title="Calls at the eight busiest sites, both days")

# %% [markdown]
# Then homes: the zone in which a person's phone was used most often at night, 20:00 to 7:00, a rule that many studies use. How often is
# it right, and how does that depend on how much somebody uses their phone?

# %%
homes = duckdb.sql(f"""
    WITH nights AS (SELECT person_id, zone_id, count(*) AS n FROM {events} WHERE hour(time) >= 20 OR hour(time) < 7 GROUP BY ALL),
    found AS (SELECT person_id, arg_max(zone_id, n) AS zone_id, sum(n) AS at_night FROM nights GROUP BY ALL)
    SELECT at_night, (zone_id IS NOT DISTINCT FROM home_zone)::INT AS hit FROM found JOIN '{out}/persons.parquet' USING (person_id)""").df()
bands = pd.cut(homes.at_night, [0, 1, 2, 4, 8, 16, 10_000], labels=["1", "2", "3-4", "5-8", "9-16", "17+"])
print(f"homes found of {len(homes):,} of {PERSONS:,} persons, right for {homes.hit.mean():.1%}")
shares = homes.groupby(bands, observed=True).hit.agg(["mean", "size"]).reset_index(names="events")
alt.Chart(shares).mark_bar().encode(
    alt.X("events:N", title="events at night, two days", sort=None), alt.Y("mean:Q", title="homes right", axis=alt.Axis(format="%")),
    tooltip=["size:Q"]).properties(width=360, height=160)

# %% [markdown]
# So a rule can be judged, and one's own put in its place, before it meets real records. The same events go to a live pipeline with
# `synthmob replay out --to redis://...` (`docs/REPLAY.md`), and to a FlowKit with `synthmob export out --to flowkit`
# (`docs/EXPORTS.md`).
#
# What it does not show: who calls whom. Counterparts are drawn by public parameters; nothing of them was measured.
