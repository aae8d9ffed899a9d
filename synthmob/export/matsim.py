"""MATSim: the plans of every person on every day, a network made from the zoning, and a configuration that runs them.

    population_000.xml.gz     population_v6: the plans of day 0, and so on
    network.xml.gz            network_v2: a node a zone, see network.py
    config.xml                reads day 0

Coordinates are metres in the projection that every file names. A plan's activities are the stays inside the zoning; a person who is
outside all day has no plan that day. A leg has the mode of the trip to the activity after it, in MATSim's own words; all but cars are
teleported. Where no modes are known every leg says `car`. With weights each person has the attribute `weight`, the people it stands for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pyproj

from synthmob.domain import MINUTES_PER_DAY
from synthmob.errors import InputError
from synthmob.export import network
from synthmob.export.compressed import compressed
from synthmob.export.exporter import Exporter, Options, Written
from synthmob.export.rows import commented, modes, stated
from synthmob.export.source import Block, Progress, Source

NETWORK, CONFIG = "network.xml.gz", "config.xml"
MODE = "car"
MODES = {"vehicle passenger": "ride", "walking": "walk", "bicycle": "bike", "train": "pt", "bus": "pt", "tram": "pt"}
"""What MATSim calls our modes; it takes the others as they are."""
TELEPORTED = {"ride": ("teleportedModeFreespeedFactor", "1.0"), "pt": ("teleportedModeFreespeedFactor", "2.0"),
              "walk": ("teleportedModeSpeed", "0.833"), "bike": ("teleportedModeSpeed", "4.17")}  # fmt: skip
"""How fast: MATSim's own defaults, m/s or times the time that a car takes; others as bicycles."""
MAX_DAYS = 366
UNITS = {"x, y": "m", "end_time": "hh:mm:ss of the local clock", "length": "m", "freespeed": "m/s", "capacity": "vehicles an hour"}
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {root} SYSTEM "http://www.matsim.org/files/dtd/{dtd}.dtd">\n'
CONFIG_TEXT = """\
<config>
 <module name="global"><param name="coordinateSystem" value={crs}/></module>
 <module name="network"><param name="inputNetworkFile" value="network.xml.gz"/></module>
 <module name="plans"><param name="inputPlansFile" value="population_000.xml.gz"/></module>
 <module name="controler">
  <param name="outputDirectory" value="output"/><param name="firstIteration" value="0"/><param name="lastIteration" value="0"/>
 </module>
 <module name="qsim"><param name="startTime" value="00:00:00"/><param name="endTime" value="30:00:00"/></module>
 <module name="planCalcScore">
{activities}
{modes}
 </module>
{routes} <module name="strategy">
  <parameterset type="strategysettings">
   <param name="strategyName" value="BestScore"/><param name="weight" value="1.0"/>
  </parameterset>
 </module>
</config>
"""


def _clock(minute: int) -> str:
    """Minutes from midnight as MATSim writes times.

    >>> _clock(455)
    '07:35:00'
    """
    return f"{minute // 60:02d}:{minute % 60:02d}:00"


def _name(day: int) -> str:
    return f"population_{day:03d}.xml.gz"


def _plans(block: Block, transformer: Any, *, weighted: bool) -> Iterator[tuple[int, str]]:
    """Day and XML of every person with a stay inside the zoning on that day."""
    s = {name: block.stays[name].to_pylist() for name in ("person_id", "day", "purpose", "end_min")}
    s["leg"] = _legs(block)
    x, y = transformer.transform(block.stays["lon"].to_numpy(), block.stays["lat"].to_numpy())
    inside = np.isfinite(x) & np.isfinite(y)
    about = {
        name: block.persons[name].to_pylist() for name in ("sex", "age_band", "worker") if name in block.persons.column_names}
    whose, weights = block.whose(block.stays).tolist(), block.weights.tolist()
    row, n = 0, len(inside)
    while row < n:
        last = row
        while last < n and s["person_id"][last] == s["person_id"][row] and s["day"][last] == s["day"][row]:
            last += 1
        rows = [k for k in range(row, last) if inside[k]]
        if rows:
            attributes = "".join(
                f'<attribute name="{name}" class="java.lang.String">{escape(str(values[whose[row]]))}</attribute>'
                for name, values in about.items())
            if weighted:
                attributes += f'<attribute name="weight" class="java.lang.Double">{weights[whose[row]]!r}</attribute>'
            plan = f'<plan selected="yes">{_activities(s, x, y, rows)}</plan>'
            yield s["day"][row], f'<person id="{s["person_id"][row]}"><attributes>{attributes}</attributes>{plan}</person>\n'
        row = last


def _activities(s: dict[str, list[Any]], x: Any, y: Any, rows: list[int]) -> str:
    """Activities and the legs between them; the last one lasts for the rest of the day."""
    parts: list[str] = []
    for k in rows:
        if k != rows[0]:
            parts.append(f"<leg mode={s['leg'][k]}/>")
        end = "" if k == rows[-1] else f' end_time="{_clock(min(s["end_min"][k], MINUTES_PER_DAY))}"'
        parts.append(f'<activity type={quoteattr(s["purpose"][k])} x="{x[k]:.1f}" y="{y[k]:.1f}"{end}/>')
    return "".join(parts)


def _legs(block: Block) -> list[str]:
    """The mode, as an attribute, of the leg that leads to each stay."""
    found = modes(block.stays).get("mode")
    words = [MODE] * len(block.stays) if found is None else found.to_pylist()
    return [_attribute(word) for word in words]


def _word(mode: str | None) -> str:
    return MODES.get(mode or MODE, mode or MODE)


@cache
def _attribute(mode: str | None) -> str:
    return quoteattr(_word(mode))


def _attributes(source: Source, crs: str) -> str:
    """What a file says of itself; MATSim looks for the first of them."""
    said = {"coordinateReferenceSystem": crs, **stated(source, crs, UNITS)}
    lines = (f'<attribute name="{name}" class="java.lang.String">{escape(text)}</attribute>' for name, text in said.items())
    return f"<attributes>{''.join(lines)}</attributes>"


def _network(source: Source, folder: Path) -> int:
    roads = network.of(source.zoning)
    with compressed(folder / NETWORK) as file:
        file.write(HEAD.format(root="network", dtd="network_v2") + f"<network>\n{_attributes(source, roads.crs)}\n<nodes>\n")
        for k, (x, y) in enumerate(roads.xy_m):
            file.write(f'<node id="{k}" x="{x:.1f}" y="{y:.1f}"/>\n')
        file.write('</nodes>\n<links capperiod="01:00:00" effectivecellsize="7.5" effectivelanewidth="3.75">\n')
        speed, capacity = network.SPEED_KMH / 3.6, network.CAPACITY_PER_LANE_H * network.LANES
        for k, (a, b, length) in enumerate(zip(roads.origin, roads.destination, roads.length_m, strict=True)):
            file.write(f'<link id="{k}" from="{a}" to="{b}" length="{length:.1f}" freespeed="{speed:.3f}" capacity="{capacity:.0f}" '
                       f'permlanes="{network.LANES}" oneway="1" modes="car"/>\n')  # fmt: skip
        file.write("</links>\n</network>\n")
    return len(roads.origin)


def _teleported(known: list[str]) -> str:
    """How all modes but the car get to their ends: nothing where there are none."""
    sets = [
        f'  <parameterset type="teleportedModeParameters"><param name="mode" value={quoteattr(mode)}/>'
        f'<param name="{name}" value="{value}"/></parameterset>\n'
        for mode in known if mode != MODE
        for name, value in [TELEPORTED.get(mode, TELEPORTED["bike"])]]  # fmt: skip
    return f' <module name="planscalcroute">\n{"".join(sets)} </module>\n' if sets else ""


def write(source: Source, folder: Path, options: Options, progress: Progress) -> Written:
    """A population a day, streamed; the network and the configuration."""
    del options
    if source.period.days > MAX_DAYS:
        raise InputError(f"{source.folder} has {source.period.days} days: MATSim's plans are written for at most {MAX_DAYS}.")
    links, rows, purposes, gone = _network(source, folder), dict.fromkeys(range(source.period.days), 0), set[str](), set[str]()
    crs = str(source.zoning.projected.crs)
    transformer = pyproj.Transformer.from_crs("EPSG:4326", source.zoning.projected.crs, always_xy=True)
    with ExitStack() as stack:
        files = [stack.enter_context(compressed(folder / _name(day))) for day in rows]
        for file in files:
            file.write(HEAD.format(root="population", dtd="population_v6") + f"<population>\n{_attributes(source, crs)}\n")
        for block in source.blocks(progress):
            purposes |= set(block.stays["purpose"].unique().to_pylist())
            gone |= {_word(mode) for column in modes(block.trips).values() for mode in column.unique().to_pylist()}
            for day, text in _plans(block, transformer, weighted=source.weighted):
                files[day].write(text)
                rows[day] += 1
        for file in files:
            file.write("</population>\n")
    activities = "\n".join(
        f'  <parameterset type="activityParams"><param name="activityType" value={quoteattr(purpose)}/>'
        '<param name="typicalDuration" value="08:00:00"/></parameterset>' for purpose in sorted(purposes))
    about, known = commented(stated(source, crs, UNITS)), sorted(gone | {MODE})
    scored = "\n".join(f'  <parameterset type="modeParams"><param name="mode" value={quoteattr(mode)}/></parameterset>' for mode in known)
    text = CONFIG_TEXT.format(crs=quoteattr(crs), activities=activities, modes=scored, routes=_teleported(known))
    (folder / CONFIG).write_text(HEAD.format(root="config", dtd="config_v2") + about + text, encoding="utf-8")
    said = "All legs but those by car are teleported." if gone else "Every leg says car: the release has no modes."
    notes = (said, "Stays outside the zoning are left out of the plans.")
    return Written({**{_name(day): n for day, n in rows.items()}, NETWORK: links, CONFIG: 1}, UNITS, crs, source.period.timezone, notes)


MATSIM = Exporter(
    "matsim", "plans of every person (population_v6), a network and a configuration", ("MATSim", "matsim-tools"),
    (NETWORK, CONFIG, *(_name(day) for day in range(MAX_DAYS))), write)
