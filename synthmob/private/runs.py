"""Runs: what is left of a subscriber's events once flapping and passing-through are taken out.

A run is a row (subscriber_id, block, rank, zone, first_min, last_min): successive events in one zone, without one
elsewhere between. `block` numbers the subscriber's stretches of observed days (days with an event, none skipped),
`rank` orders the runs, `zone` is an index of the zoning, times are whole minutes since midnight of the first day. Every
step is a function of one subscriber's own rows and of public distances.

Flapping, a phone at rest that changes cells, shows as A-B-A (or A-B-C-A) between neighbouring zones within minutes; the
weaker zone is given to the stronger, the one the subscriber is seen in more hours, as in the time-window method of Wang
and Chen 2018 (doi:10.1016/j.trc.2017.12.003). We depart from it in that the public zoning alone says what is near.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis
import numpy as np

from synthmob.zones import Zoning

FLAP_WITHIN_MIN, FLASH_WITHIN_MIN = 60, 180
"""The longest a flap may last, from A's last event to A's next: 3 hours where B is seen but for an instant."""
FLAP_NEAR_KM, FLAP_NEAR_RADII = 1.0, 1.25
"""Zones flap where centroids are within 1 km, or within 1.25 times the sum of the radii of disks of their areas."""
FLAP_PASSES = 2
"""The second pass removes the flaps within flaps, as in A-B-C-B-A."""
MIN_STAY_MIN, MIN_ROOM_MIN = 10, 15
"""Who is seen in a zone for under 10 minutes, with under 15 between the travel to and from it, passes through."""
DETOUR, SPEED_KMH, ACCESS_MIN = 1.3, 30.0, 5
MAX_TRAVEL_MIN, UNKNOWN_TRAVEL_MIN = 240, 30
"""Travel takes 5 minutes plus 1.3 times the distance at 30 km/h, at most 4 hours; 30 minutes from or to outside."""

MINUTES_PER_HOUR = 60


def geometry(zoning: Zoning) -> Any:
    """The public side of every zone: zone_id, zone, x_km, y_km, radius_km; `outside` has no place."""
    import pyarrow as pa

    xy = zoning.centroids_km
    radius = np.append(np.sqrt(zoning.areas_km2 / np.pi), np.nan)
    return ibis.memtable(
        pa.table(
            {
                "zone_id": list(zoning.labels),
                "zone": np.arange(zoning.n_zones + 1, dtype=np.int32),
                "x_km": pa.array(xy[:, 0], from_pandas=True),
                "y_km": pa.array(xy[:, 1], from_pandas=True),
                "radius_km": pa.array(radius, from_pandas=True),
            }
        )
    )


def of_events(hits: Any) -> Any:
    """The runs of events (subscriber_id, at_s, zone); a new block begins where a day without an event lies between."""
    ordered = ibis.window(group_by="subscriber_id", order_by=["at_s", "zone"])
    so_far = ibis.cumulative_window(group_by="subscriber_id", order_by=["at_s", "zone"])
    day = hits.at_s // 86_400
    skips = (day - day.lag().over(ordered) > 1).fill_null(False)
    moves = (skips | (hits.zone != hits.zone.lag().over(ordered))).fill_null(True)
    table = hits.mutate(skips=skips.cast("int64"), moves=moves.cast("int64"))
    table = table.mutate(block=table.skips.sum().over(so_far), rank=table.moves.sum().over(so_far))
    table = table.group_by("subscriber_id", "block", "rank").agg(
        zone=table.zone.min(), first_min=table.at_s.min() // 60, last_min=table.at_s.max() // 60
    )
    return table.mutate(seen_first=table.first_min, seen_last=table.last_min)


def settle(runs: Any, seen: Any, places: Any, keep: Callable[[Any], Any]) -> Any:
    """Runs without flapping; `seen` says in how many hours a subscriber is seen in each zone (subscriber_id, zone,
    hours), `keep` is that of `stays.detect`."""
    for _ in range(FLAP_PASSES):
        runs = keep(_merge(keep(_unflap(runs, seen, places))))
    return runs


def dwell(runs: Any, places: Any) -> Any:
    """Runs without the zones that are only passed through; a block keeps its first and last run."""
    ordered = ibis.window(group_by=["subscriber_id", "block"], order_by="rank")
    table = _placed(runs, places)
    before, after = _beside(table, ordered, 1), _beside(table, ordered, -1)
    room = after["first_min"] - before["last_min"] - travel_min(before, table) - travel_min(table, after)
    stays = (table.last_min - table.first_min >= MIN_STAY_MIN) | (room >= MIN_ROOM_MIN)
    table = table.mutate(stays=stays.fill_null(True))
    return _merge(table.filter(table.stays))


def travel_min(origin: Any, destination: Any) -> Any:
    """An expression: whole minutes of travel between two placed runs, at least 1."""
    km: Any = _apart_km(origin, destination)
    minutes = (ACCESS_MIN + km * (DETOUR * MINUTES_PER_HOUR / SPEED_KMH)).ceil().cast("int64")
    known: Any = ibis.ifelse(km.isnull(), UNKNOWN_TRAVEL_MIN, minutes)
    return known.clip(1, MAX_TRAVEL_MIN)


def _placed(runs: Any, places: Any) -> Any:
    return runs.left_join(places.drop("zone_id"), "zone").drop("zone_right")


def _beside(table: Any, ordered: Any, steps: int) -> dict[str, Any]:
    """The columns of the run that lies `steps` before (negative: after) in its block; null past its ends."""
    columns = ("zone", "first_min", "last_min", "x_km", "y_km", "radius_km")
    return {name: (table[name].lag(steps) if steps > 0 else table[name].lead(-steps)).over(ordered) for name in columns}


def _apart_km(a: Any, b: Any) -> Any:
    # Products and not powers, whose last bit an engine may choose.
    east, north = a["x_km"] - b["x_km"], a["y_km"] - b["y_km"]
    return (east * east + north * north).sqrt()


def _unflap(runs: Any, seen: Any, places: Any) -> Any:
    """Every run that a stronger neighbouring zone frames within minutes, given to that zone."""
    ordered = ibis.window(group_by=["subscriber_id", "block"], order_by="rank")
    table = _placed(runs, places)
    table = table.left_join(seen, ["subscriber_id", "zone"]).drop("subscriber_id_right", "zone_right")
    frames = [_framed(table, ordered, before, after) for before, after in ((1, 1), (1, 2), (2, 1))]
    zone = ibis.cases(*((flaps, frame) for flaps, frame in frames), else_=table.zone)
    return table.mutate(zone=zone).drop("x_km", "y_km", "radius_km", "hours")


def _framed(table: Any, ordered: Any, before: int, after: int) -> tuple[Any, Any]:
    """Whether a run is a flap of the zone that lies `before` runs before and `after` runs after it, and that zone."""
    frame, back = _beside(table, ordered, before), _beside(table, ordered, -after)
    hours = table.hours.lag(before).over(ordered)
    instant = table.last_min - table.first_min < MIN_STAY_MIN
    longest = ibis.ifelse(instant, FLASH_WITHIN_MIN, FLAP_WITHIN_MIN)
    near = (FLAP_NEAR_RADII * (table.radius_km + frame["radius_km"])).clip(lower=FLAP_NEAR_KM)
    stronger = (hours > table.hours) | ((hours == table.hours) & (frame["zone"] < table.zone))
    flaps = (
        (frame["zone"] == back["zone"])
        & (frame["zone"] != table.zone)
        & stronger
        & (_apart_km(table, frame) <= near)
        & (back["first_min"] - frame["last_min"] <= longest)
    )
    return flaps.fill_null(False), frame["zone"]


def _merge(runs: Any) -> Any:
    """Successive runs in one zone made one."""
    ordered = ibis.window(group_by=["subscriber_id", "block"], order_by="rank")
    so_far = ibis.cumulative_window(group_by=["subscriber_id", "block"], order_by="rank")
    moves = (runs.zone != runs.zone.lag().over(ordered)).fill_null(True)
    table = runs.mutate(moves=moves.cast("int64"))
    table = table.mutate(run=table.moves.sum().over(so_far))
    return table.group_by("subscriber_id", "block", rank=table.run).agg(
        zone=table.zone.min(),
        first_min=table.first_min.min(),
        last_min=table.last_min.max(),
        seen_first=table.seen_first.min(),
        seen_last=table.seen_last.max(),
    )
