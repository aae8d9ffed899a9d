"""SUMO: trips by car (all of them where no modes are known), an OD of zones, and a network, in a folder whose .sumocfg runs as it is.

    run.sumocfg           sumo -c run.sumocfg
    zones.net.xml         a network made from the zoning, see sumonet.py; or net.xml, the user's own
    zones.add.xml         a traffic assignment zone each zone, and the type of the cars
    trips_000.xml.gz      the trips of day 0 in order of departure, and so on
    od.xml                trips between zones by hour as tazRelation, for od2trips

Times are seconds from the first midnight of the period, so a day may have 23 or 25 hours. On a made-up network a trip goes from
street to street of its zones; on the user's own, between the points of its stays. Trips from or to outside are left out, and so are
those by other modes than car: passengers are in the cars of others.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast
from xml.sax.saxutils import quoteattr

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
import shapely

from synthmob import folders
from synthmob.errors import FormatError, InputError
from synthmob.export import network, sumonet
from synthmob.export.compressed import compressed
from synthmob.export.exporter import Exporter, Options, Written
from synthmob.export.instants import Instants, table
from synthmob.export.rows import FloatArray, commented, ends, modes, stated, weights, zone_pairs
from synthmob.export.source import Block, Progress, Source
from synthmob.export.sums import Sums

pc = cast(Any, pyarrow.compute)
CAR = "car"
"""The mode whose trips drive, and how they are called in all files."""
CONFIG, NET, ZONES, OD, OWN = "run.sumocfg", "zones.net.xml", "zones.add.xml", "od.xml", ("net.xml", "net.xml.gz")
MAX_DAYS = 366
HOUR_S = 3600
UNITS = {"depart, begin, end": "s from the first midnight", "length, shape, x, y": "m", "speed": "m/s", "count": "trips",
         "fromLonLat, toLonLat": "degrees"}  # fmt: skip
SLICE = 50_000
"""Trips that are Python's numbers and text at a time."""
HEAD_BYTES = 1 << 20
LOOKED_S = 300
"""How often SUMO looks at the speeds on all roads, to find ways by: by default every second, which is most of the time of a run."""
MATCH_M = 5_000.0
"""How far from a street of the user's network a point may lie."""
COLUMNS = ("depart", "person", "seq", "origin", "destination", "origin_lon", "origin_lat", "destination_lon", "destination_lat")


def _name(day: int) -> str:
    return f"trips_{day:03d}.xml.gz"


def _driven(block: Block) -> pa.Array[Any]:
    """Which trips of a block are cars: all of them where no modes are known."""
    mode = modes(block.trips).get("mode")
    return pa.array(np.ones(len(block.trips), bool)) if mode is None else pc.fill_null(pc.equal(mode, CAR), False).combine_chunks()


def _trips(block: Block, driven: pa.Array[Any], source: Source, clock: Instants) -> pa.Table:
    """The trips that are `driven` inside the zoning: day, second of departure, person, seq, zones and points of both ends, weight."""
    t, n = block.trips, source.zoning.n_zones
    day = t["day"].to_numpy()
    depart = (clock[day, t["depart_min"].to_numpy()] - clock[0, 0]).astype(np.int64)
    origin, destination = zone_pairs(block, source)
    inside = pa.array((origin < n) & (destination < n))
    return pa.table({
        "day": day, "depart": depart, "person": t["person_id"], "seq": t["seq"], "origin": origin, "destination": destination,
        **vars(ends(block)), "weight": weights(block, t)}).filter(pc.and_(inside, driven))  # fmt: skip


def _in_order(path: Path, first_s: int, last_s: int) -> Iterator[pa.Table]:
    """The trips of a spooled day by departure, an hour at a time."""
    file = pq.ParquetFile(path)
    for begin in range(first_s, last_s + 1, HOUR_S):
        hour = pa.concat_tables([_within(file.read_row_group(k), begin) for k in range(file.num_row_groups)])
        yield hour.sort_by([("depart", "ascending"), ("person", "ascending"), ("seq", "ascending")])


def _within(trips: pa.Table, begin: int) -> pa.Table:
    depart = trips["depart"].to_numpy()
    return trips.filter(pa.array((depart >= begin) & (depart < begin + HOUR_S)))


def _elements(trips: pa.Table, *, own: bool) -> Iterator[str]:
    """A line a trip."""
    for start in range(0, len(trips), SLICE):
        yield from _lines(trips.slice(start, SLICE), own=own)


def _lines(trips: pa.Table, *, own: bool) -> Iterator[str]:
    columns = zip(*(trips[name].to_pylist() for name in COLUMNS), trips["day"].to_pylist(), strict=True)
    for depart, person, seq, a, b, x, y, to_x, to_y, day in columns:
        way = f'fromLonLat="{x:.6f},{y:.6f}" toLonLat="{to_x:.6f},{to_y:.6f}"' if own else f'from="out_{a}" to="in_{b}"'
        yield f'<trip id="{person}_{day}_{seq}" type="car" depart="{depart}" {way} departLane="best"/>\n'


def _spool(source: Source, folder: Path, clock: Instants, progress: Progress) -> tuple[Sums, int, int | None]:
    """The trips of each day in a file of their own, unsorted; people by hour, origin and destination; trips by car that are left out,
    and trips by other modes, None where no modes are known."""
    sums, outside, others = Sums(), 0, None
    n = source.zoning.n_zones
    writers: dict[int, pq.ParquetWriter] = {}
    with ExitStack() as stack:
        for block in source.blocks(progress):
            driven = _driven(block)
            made, cars = _trips(block, driven, source, clock), int(pc.sum(driven).as_py() or 0)
            outside += cars - len(made)
            if modes(block.trips):
                others = (others or 0) + len(block.trips) - cars
            hour = made["depart"].to_numpy() // HOUR_S
            sums.add((hour * n + made["origin"].to_numpy()) * n + made["destination"].to_numpy(), made["weight"].to_numpy())
            for day in range(source.period.days):
                if day not in writers:
                    writers[day] = stack.enter_context(pq.ParquetWriter(folder / f"{day}.parquet", made.schema, compression="zstd"))
                writers[day].write_table(made.filter(pa.array(made["day"].to_numpy() == day)))
    return sums, outside, others


def write(source: Source, folder: Path, options: Options, progress: Progress) -> Written:
    """The folder of a simulation; an hour's trips are sorted in memory, everything else is streamed."""
    if source.period.days > MAX_DAYS:
        raise InputError(f"{source.folder} has {source.period.days} days: trips for SUMO are written for at most {MAX_DAYS}.")
    net, own = _own_net(options.net, folder) if options.net is not None else NET, options.net is not None
    crs = "that of the network" if own else str(source.zoning.projected.crs)
    about = commented(stated(source, crs, UNITS))
    spool = folder / "spool"
    spool.mkdir()
    clock = table(source.period)
    sums, outside, others = _spool(source, spool, clock, progress)
    seconds = (clock - clock[0, 0]).astype(np.int64)
    rows: dict[str, int] = {}
    for day in range(source.period.days):
        rows[_name(day)] = 0
        with compressed(folder / _name(day)) as file:
            file.write(f"{about}<routes>\n")
            for hour in _in_order(spool / f"{day}.parquet", int(seconds[day, 0]), int(seconds[day, -1])):
                file.writelines(_elements(hour, own=own))
                rows[_name(day)] += len(hour)
            file.write("</routes>\n")
        (spool / f"{day}.parquet").unlink()
    spool.rmdir()
    rows[OD] = _write_od(source, folder, sums, about)
    _write_zones(source, folder, about, own=own)
    if not own:
        rows[NET] = _write_net(source, folder, sums, about)
    _write_config(source, folder, net, about, own=own)
    by = "Every trip is a car: the release has no modes." if others is None else f"{others:,} trips by other modes than car are left out."
    notes = (f"{outside:,} trips from or to outside the zoning are left out.", by)
    return Written({**rows, ZONES: source.zoning.n_zones, CONFIG: 1} | ({net: 1} if own else {}), UNITS, crs, source.period.timezone, notes)


def _own_net(path: Path, folder: Path) -> str:
    """A copy of the user's network; FormatError where it is none, or has no projection to place points by."""
    name = OWN[1] if path.name.endswith(".gz") else OWN[0]
    try:
        content = folders.read_bytes(path, 4 << 30, linked=True)
    except OSError:
        raise FormatError(f"There is no readable network at {path}: give a SUMO .net.xml.") from None
    (folder / name).write_bytes(content)
    try:
        with gzip.open(folder / name) if name.endswith(".gz") else (folder / name).open("rb") as file:
            head = file.read(HEAD_BYTES).decode("utf-8", "replace")
    except (OSError, EOFError):
        raise FormatError(f"{path} cannot be unpacked: give a SUMO .net.xml.") from None
    if not re.search(r"<net\s", head):
        raise FormatError(f"{path} is no SUMO network: give the .net.xml that netconvert wrote.")
    if not re.search(r'<location\s[^>]*projParameter="[^"!]', head):
        raise FormatError(f"{path} has no projection, so points cannot be placed on it: build it with netconvert --proj.utm.")
    return name


def _busiest(sums: Sums, n: int) -> FloatArray:
    """Of each pair of zones the trips of its busiest hour, shape (zones, zones)."""
    cells, people = sums.total()
    most = np.zeros(n * n)
    np.maximum.at(most, cells % (n * n), people)
    return most.reshape(n, n)


def _write_net(source: Source, folder: Path, sums: Sums, about: str) -> int:
    roads = network.of(source.zoning)
    made = sumonet.streets(source.zoning, roads, _busiest(sums, source.zoning.n_zones))
    with (folder / NET).open("w", encoding="utf-8") as file:
        file.write(about)
        file.writelines(f"{line}\n" for line in sumonet.document(source.zoning, roads, made))
    return len(made)


def _write_zones(source: Source, folder: Path, about: str, *, own: bool) -> None:
    """The zones by their number, named in a parameter; on the user's own network SUMO's edgesInDistricts.py fills in their streets."""
    with (folder / ZONES).open("w", encoding="utf-8") as file:
        file.write(f'{about}<additional>\n<vType id="car" vClass="passenger"/>\n')
        for k, (name, shape) in enumerate(zip(source.zoning.ids, source.zoning.projected, strict=True)):
            ring = max(shapely.get_parts(shape), key=lambda part: part.area).exterior
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shapely.get_coordinates(ring)) if not own else ""
            streets = "" if own else f'<tazSource id="out_{k}" weight="1"/><tazSink id="in_{k}" weight="1"/>'
            drawn = f' shape="{points}"' if points else ""
            file.write(f'<taz id="{k}"{drawn}>{streets}<param key="zone_id" value={quoteattr(name)}/></taz>\n')
        file.write("</additional>\n")


def _write_od(source: Source, folder: Path, sums: Sums, about: str) -> int:
    n = source.zoning.n_zones
    cells, people = sums.total()
    with (folder / OD).open("w", encoding="utf-8") as file:
        file.write(f"{about}<data>\n")
        hours, starts = np.unique(cells // (n * n), return_index=True)
        for hour, start, end in zip(hours.tolist(), starts.tolist(), [*starts.tolist()[1:], len(cells)], strict=True):
            file.write(f'<interval id="hour_{hour}" begin="{hour * HOUR_S}" end="{(hour + 1) * HOUR_S}">\n')
            for cell, count in zip((cells[start:end] % (n * n)).tolist(), people[start:end].tolist(), strict=True):
                file.write(f'<tazRelation from="{cell // n}" to="{cell % n}" count="{count:g}"/>\n')
            file.write("</interval>\n")
        file.write("</data>\n")
    return len(cells)


def _write_config(source: Source, folder: Path, net: str, about: str, *, own: bool) -> None:
    trips = ",".join(_name(day) for day in range(source.period.days))
    match = f'<processing><mapmatch.distance value="{MATCH_M:g}"/></processing>\n' if own else ""
    (folder / CONFIG).write_text(
        f'{about}<configuration>\n<input><net-file value="{net}"/><additional-files value="{ZONES}"/>\n'
        f'<route-files value="{trips}"/></input>\n'
        f'<time><begin value="0"/></time>\n{match}<routing><device.rerouting.adaptation-interval value="{LOOKED_S}"/></routing>\n'
        '<mesoscopic><mesosim value="true"/></mesoscopic>\n'
        '<report><no-step-log value="true"/><duration-log.statistics value="true"/></report>\n</configuration>\n',
        encoding="utf-8")  # fmt: skip


SUMO = Exporter(
    "sumo", "trips by car, an OD by hour, and a network, ready to run", ("SUMO",),
    (CONFIG, NET, *OWN, ZONES, OD, *(_name(day) for day in range(MAX_DAYS))), write, takes=("net",))
