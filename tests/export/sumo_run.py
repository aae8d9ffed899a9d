"""SUMO itself, out of a throw-away environment: what its programs make of an export."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = "eclipse-sumo==1.28.0"


@dataclass(frozen=True)
class Run:
    """Trips or vehicles that went in, and vehicles that arrived."""

    asked: int
    finished: int


@cache
def home(cwd: Path) -> Path:
    """Where the wheel keeps SUMO's programs."""
    command = ["uv", "run", "-q", "--no-project", "--python", f"{sys.version_info.major}.{sys.version_info.minor}", "--with", PACKAGE,
               "python", "-c", "import sumo; print(sumo.SUMO_HOME)"]  # fmt: skip
    return Path(subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd).stdout.strip())


def call(folder: Path, program: str, *words: object) -> str:
    """What a program of SUMO says; an exception where it fails."""
    top = home(folder)
    done = subprocess.run([top / "bin" / program, *map(str, words)], cwd=folder, capture_output=True, text=True, check=False,
                          env={**os.environ, "SUMO_HOME": str(top)})  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr}")
    return done.stdout


def counted(path: Path, element: str) -> int:
    """How many elements of a kind a file has."""
    return len(re.findall(rf'<{element} id="', path.read_text(encoding="utf-8")))


def simulated(folder: Path, top: Path, asked: int, *words: object) -> Run:
    """A run of sumo, and how many vehicles its own list of arrivals has."""
    arrivals = top / "tripinfo.xml"
    call(folder, "sumo", *words, "--tripinfo-output", arrivals, "--no-step-log")
    return Run(asked, counted(arrivals, "tripinfo"))


def as_it_is(folder: Path, top: Path, asked: int) -> Run:
    """`sumo -c run.sumocfg`."""
    return simulated(folder, top, asked, "-c", "run.sumocfg")


def by_od(folder: Path, top: Path) -> Run:
    """od.xml -> od2trips -> duarouter -> sumo --mesosim."""
    trips, routes = top / "od.trips.xml", top / "od.rou.xml"
    call(folder, "od2trips", "--taz-files", "zones.add.xml", "--tazrelation-files", "od.xml", "-o", trips, "--vtype", "car")
    call(folder, "duarouter", "-n", "zones.net.xml", "--additional-files", "zones.add.xml", "--route-files", trips, "-o", routes)
    return simulated(folder, top, counted(trips, "trip"), "--mesosim", "-n", "zones.net.xml", "-r", routes)


def by_router(folder: Path, top: Path, days: int) -> Run:
    """trips_*.xml.gz -> duarouter -> sumo --mesosim."""
    trips, routes = ",".join(f"trips_{day:03d}.xml.gz" for day in range(days)), top / "trips.rou.xml"
    call(folder, "duarouter", "-n", "zones.net.xml", "--additional-files", "zones.add.xml", "--route-files", trips, "-o", routes)
    return simulated(folder, top, counted(routes, "vehicle"), "--mesosim", "-n", "zones.net.xml", "-r", routes)


def grid(top: Path, west: float, south: float, east: float, north: float, side: int = 20) -> Path:
    """A network as a user has one: a grid of streets over a box of degrees, by netconvert."""
    nodes = [(i, j) for i in range(side) for j in range(side)]
    (top / "grid.nod.xml").write_text("<nodes>" + "".join(
        f'<node id="{i}_{j}" x="{west + (east - west) * i / (side - 1)}" y="{south + (north - south) * j / (side - 1)}"/>'
        for i, j in nodes) + "</nodes>")  # fmt: skip
    pairs = [((i, j), (i + di, j + dj)) for i, j in nodes for di, dj in ((0, 1), (1, 0), (0, -1), (-1, 0))
             if 0 <= i + di < side and 0 <= j + dj < side]  # fmt: skip
    (top / "grid.edg.xml").write_text("<edges>" + "".join(
        f'<edge id="{a}_{b}to{c}_{d}" from="{a}_{b}" to="{c}_{d}" numLanes="4" speed="13.89"/>' for (a, b), (c, d) in pairs) + "</edges>")
    call(top, "netconvert", "-n", "grid.nod.xml", "-e", "grid.edg.xml", "--proj.utm", "-o", "grid.net.xml", "--no-warnings")
    return top / "grid.net.xml"
