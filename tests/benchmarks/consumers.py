"""Each export taken by the program it is for, as a table: `uv run python tests/benchmarks/consumers.py OUT [NAME ...]`.

Every consumer runs in a throw-away environment of its own (`uv run --no-project --with PACKAGE`), reads the files of one export,
and says how many rows, objects or vehicles it took and how many it refused. `--dtd FOLDER` has MATSim's population_v6.dtd,
network_v2.dtd and config_v2.dtd, to validate against; they are not shipped here, for they are under the GPL.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import postgres_run
import pyarrow.parquet as pq

from synthmob.pipeline.exporting import export

OMX = """
import json, sys, numpy as np, openmatrix
with openmatrix.open_file(sys.argv[1] + "/trips.omx") as file:
    hours = sum(np.array(file[name]).sum() for name in file.list_matrices() if name.startswith("hour_"))
    said = {"matrices": len(file.list_matrices()), "trips a day": float(np.array(file["day"]).sum()), "of its hours": float(hours)}
print(json.dumps(said))
"""
TRACKINTEL = """
import json, sys, warnings
warnings.simplefilter("ignore")
import trackintel as ti
folder, common = sys.argv[1], {"index_col": "id", "crs": "EPSG:4326", "tz": "UTC"}
made = {
    "staypoints": ti.read_staypoints_csv(folder + "/staypoints.csv", geom_col="geom", **common),
    "triplegs": ti.read_triplegs_csv(folder + "/triplegs.csv", geom_col="geom", **common),
    "trips": ti.read_trips_csv(folder + "/trips.csv", geom_col="geom", **common),
    "locations": ti.read_locations_csv(folder + "/locations.csv", index_col="id", crs="EPSG:4326")}
said = {name: len(table) for name, table in made.items()}
tours = ti.preprocessing.generate_tours(made["trips"][made["trips"].user_id < 200])[1]
print(json.dumps({**said, "tours of 200 people": len(tours)}))
"""
MOVINGPANDAS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pandas as pd, geopandas as gpd, movingpandas as mpd
stays = pd.read_csv(sys.argv[1] + "/stays.csv", parse_dates=["start"]).dropna(subset=["lon"])
few = stays[stays.person_id < 500]
points = gpd.GeoDataFrame(few, geometry=gpd.points_from_xy(few.lon, few.lat), crs=4326).set_index("start")
made = mpd.TrajectoryCollection(points, "person_id")
print(json.dumps({"rows read": len(stays), "points of 500 people": len(points), "trajectories": len(made.trajectories)}))
"""
SKMOB = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pandas as pd, geopandas as gpd, skmob
from skmob.measures.individual import radius_of_gyration
folder = sys.argv[1]
days = skmob.TrajDataFrame(pd.read_parquet(folder + "/trajectories.parquet"))
tiles = gpd.read_file(folder + "/tessellation.geojson")
flows = skmob.FlowDataFrame.from_file(folder + "/flows.csv", tessellation=tiles, tile_id="tile_ID", origin="origin",
                                      destination="destination", flow="flow")
few = days[days.uid < 200]
print(json.dumps({"points": len(days), "flows": len(flows), "tiles": len(flows.tessellation), "trips": float(flows.flow.sum()),
                  "radii of 200 people": len(radius_of_gyration(few, show_progress=False))}))
"""
MATSIM = """
import json, sys
import matsim
folder = sys.argv[1]
said = {}
for day in sys.argv[3:]:
    persons = activities = 0
    for person, plan in matsim.plan_reader(folder + "/" + day, selected_plans_only=True):
        persons, activities = persons + 1, activities + sum(part.tag == "activity" for part in plan)
    said[day + " persons"], said[day + " activities"] = persons, activities
network = matsim.read_network(folder + "/network.xml.gz")
said["nodes"], said["links"] = len(network.nodes), len(network.links)
if sys.argv[2]:
    import gzip
    from lxml import etree
    for name, kind in (("network.xml.gz", "network_v2"), ("config.xml", "config_v2"), *((day, "population_v6") for day in sys.argv[3:])):
        raw = open(folder + "/" + name, "rb").read()
        tree = etree.fromstring(gzip.decompress(raw) if name.endswith("gz") else raw)
        said[name + " valid"] = etree.DTD(open(sys.argv[2] + "/" + kind + ".dtd")).validate(tree)
print(json.dumps(said))
"""
GEO = """
import json, sys, duckdb, geopandas as gpd, pyogrio
folder, said = sys.argv[1], {}
for name in ("footfall", "flows"):
    said[name + ".gpkg"] = len(gpd.read_file(folder + "/mobility.gpkg", layer=name))
    said[name + ".geojson"] = len(gpd.read_file(folder + "/" + name + ".geojson"))
    said[name + ".parquet"] = len(gpd.read_parquet(folder + "/" + name + ".parquet"))
    said[name + " in DuckDB"] = duckdb.sql("select count(*) from '" + folder + "/" + name + ".parquet'").fetchall()[0][0]
said["trips a day, DuckDB"] = duckdb.sql("select sum(trips_a_day) from '" + folder + "/flows.parquet'").fetchall()[0][0]
print(json.dumps(said))
"""


@dataclass(frozen=True)
class Consumer:
    """A program that takes the files of an export: the packages it needs, and a script that prints JSON of what it took."""

    name: str
    export: str
    packages: tuple[str, ...]
    script: str
    python: str = "3.11"
    more: Callable[[Path, argparse.Namespace], list[str]] = lambda folder, asked: []
    loose: bool = False


def _matsim(folder: Path, asked: argparse.Namespace) -> list[str]:
    return [str(asked.dtd or ""), *sorted(path.name for path in folder.glob("population_*.xml.gz"))]


# scikit-mobility 1.3.1 wants releases of others that are years old: --no-deps, and those by name.
OLD = ("scikit-mobility==1.3.1", "pandas==1.5.3", "numpy==1.26.4", "shapely==1.8.5.post1", "geopandas==0.10.2", "fiona<1.10", "h3<4",
       "igraph>=0.10", "pyproj<3.7", "python-dateutil", "pytz", "six", "folium", "scikit-learn<1.4", "scipy<1.12", "tqdm", "requests",
       "statsmodels<0.15", "powerlaw", "pooch", "geojson", "branca", "jinja2", "pyarrow<16", "joblib", "threadpoolctl", "patsy", "mpmath",
       "packaging", "platformdirs", "certifi", "idna", "urllib3", "charset-normalizer", "attrs", "click", "click-plugins", "cligj",
       "texttable", "markupsafe", "matplotlib<3.9", "cycler", "kiwisolver", "pyparsing", "pillow", "fonttools", "contourpy",
       "setuptools<70", "rtree", "xyzservices", "importlib-metadata", "zipp")  # fmt: skip
CONSUMERS = (
    Consumer("openmatrix", "omx", ("openmatrix", "numpy"), OMX),
    Consumer("geopandas and DuckDB", "gis", ("geopandas", "duckdb", "pyarrow"), GEO),
    Consumer("trackintel", "trackintel", ("trackintel",), TRACKINTEL),
    Consumer("movingpandas", "kepler", ("movingpandas",), MOVINGPANDAS),
    Consumer("matsim-tools", "matsim", ("matsim-tools", "lxml", "geopandas"), MATSIM, more=_matsim),
    Consumer("scikit-mobility", "skmob", OLD, SKMOB, loose=True),
)


def asked_of(consumer: Consumer, folder: Path, asked: argparse.Namespace) -> dict[str, object]:
    """What the consumer says it took."""
    with tempfile.TemporaryDirectory() as place:
        if consumer.loose:
            python = Path(place) / "venv" / "bin" / "python"
            subprocess.run(["uv", "venv", "-q", "--python", consumer.python, str(python.parents[1])], check=True, cwd=place)
            subprocess.run(["uv", "pip", "install", "-q", "--python", str(python), "--no-deps", *consumer.packages], check=True, cwd=place)
            command = [str(python)]
        else:
            packages = [word for package in consumer.packages for word in ("--with", package)]
            command = ["uv", "run", "-q", "--no-project", "--python", consumer.python, *packages, "python"]
        words = [*command, "-c", consumer.script, str(folder), *consumer.more(folder, asked)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=place)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode}
    return json.loads(done.stdout.strip().splitlines()[-1])


DUCKDB = """
import json, sys, duckdb
said = {name: duckdb.sql("select count(*) from '" + sys.argv[1] + "/" + name + ".parquet'").fetchall()[0][0] for name in sys.argv[2:]}
print(json.dumps(said))
"""
R = """
asked <- commandArgs(trailingOnly = TRUE)
rows <- function(name) nrow(read.csv(pipe(sprintf("duckdb -csv -c \\"FROM '%s/%s.parquet'\\"", asked[1], name))))
said <- sapply(asked[-1], rows)
cat(sprintf("{%s}\\n", paste0('"', names(said), '": ', said, collapse = ", ")))
"""


def parquet(out: Path, command: list[str]) -> str:
    """The rows of OUT's own files, by their footers, and those that a program reads."""
    names = ["persons", *(name for name in ("stays/*", "trips/*", "events/*") if (out / name[:-2]).exists())]
    ours = {name: sum(pq.read_metadata(path).num_rows for path in out.glob(f"{name}.parquet")) for name in names}
    done = subprocess.run([*command, str(out.resolve()), *names], capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        return f"it refused: {done.stderr.strip().splitlines()[-1]}"
    took = json.loads(done.stdout.splitlines()[-1])
    wrote = ", ".join(f"{name} {rows:,}" for name, rows in ours.items())
    return f"we wrote {wrote}; it took {took}, refused {sum(ours[name] - took[name] for name in names)}"


def by_r(out: Path, top: Path) -> str:
    """R without any package, by DuckDB's command, as the card of a dataset tells."""
    if shutil.which("Rscript") is None:
        return "not installed, apt-get install r-base-core"
    (top / "rows.R").write_text(R, encoding="utf-8")
    return parquet(out, ["uv", "run", "-q", "--no-project", "--with", "duckdb-cli", "Rscript", str(top / "rows.R")])


def by_duckdb(out: Path, top: Path) -> str:
    """DuckDB from its own package."""
    del top
    return parquet(out, ["uv", "run", "-q", "--no-project", "--with", "duckdb", "python", "-c", DUCKDB])


def flowkit(out: Path, top: Path) -> str:
    """The events that we wrote and those that the tables of FlowDB's layout took, in a server of Debian's packages."""
    tables = ("events.calls", "events.sms", "events.mds", "infrastructure.sites", "infrastructure.cells")
    placed = "select count(*) from events.calls e join infrastructure.cells c on e.location_id = c.id"
    return _taken(out, top, "flowkit", lambda _: dict(zip(tables, tables, strict=True)), placed, "calls with a cell")


def postgis(out: Path, top: Path) -> str:
    """The rows that we wrote and those that the tables of a server of Debian's packages have."""
    joined = "select count(*) from synthmob.stays s join synthmob.zones z using (zone_id) where st_covers(z.geom, s.geom)"
    return _taken(
        out, top, "postgis", lambda written: {name[:-4]: f"synthmob.{name[:-4]}" for name in written if name.endswith(".csv")}, joined,
        "stays that lie in their zone")


def _taken(out: Path, top: Path, name: str, tables: Callable[[Iterable[str]], dict[str, str]], joined: str, what: str) -> str:
    """The rows that we wrote and those that a server has of each table after its load.sql, and how many a query joins."""
    written = export(out, top / name, name).rows
    for path in (top, top / name):
        path.chmod(0o755)
    with postgres_run.server(top / f"{name}_server") as server:
        done = server.psql("-f", "load.sql", cwd=top / name)
        if done.returncode:
            return f"it refused: {done.stderr.strip()}"
        took = {said: server.asked(f"select count(*) from {table}")[0][0] for said, table in tables(written).items()}
        found = server.asked(joined)[0][0]
    wrote = ", ".join(f"{file} {rows:,}" for file, rows in written.items())
    return f"we wrote {wrote}; it took {took}, {what} {found}"


def main() -> None:
    """Every consumer that was asked for, one line of what it took each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", help="consumers (default all)")
    parser.add_argument("--dtd", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as top:
        for consumer in CONSUMERS:
            if asked.names and consumer.name not in asked.names:
                continue
            folder, started = Path(top) / consumer.export, time.perf_counter()
            written = export(asked.out, folder, consumer.export)
            wrote = ", ".join(f"{name} {rows:,}" for name, rows in written.rows.items())
            took = ", ".join(f"{name} {value}" for name, value in asked_of(consumer, folder, asked).items())
            print(f"{consumer.name}: we wrote {wrote}; it took {took} ({time.perf_counter() - started:.0f} s)", flush=True)
        for name, read in (("DuckDB on Parquet", by_duckdb), ("R on Parquet", by_r)):
            if not asked.names or name in asked.names:
                print(f"{name}: {read(asked.out, Path(top))}", flush=True)
        for name, served in (("PostGIS", postgis), ("FlowKit", flowkit)):
            if name == "FlowKit" and not asked.names and not (asked.out / "events").exists():
                print(f"{name}: OUT has no events")
            elif not asked.names or name in asked.names:
                print(f"{name}: {served(asked.out, Path(top)) if postgres_run.programs() else 'not installed, see postgres_run.py'}")


if __name__ == "__main__":
    sys.exit(main())
