"""EVENTS with every category, zone and time as an integer code: the table that all statistics of usage are defined over.

Private events and synthetic ones pass through this one door, as PERSONS and STAYS do through `coded`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis

from synthmob.counts.codes import category
from synthmob.domain import DIRECTIONS, KINDS, Domain
from synthmob.period import Period

DAY_SECONDS = 86_400
TEXTS = ("kind", "direction", "app")
NUMBERS = ("duration_s", "volume_kb")


def coded_events(events: Any, people: Any, zones: Any, n_zones: int, domain: Domain, period: Period) -> Any:
    """EVENTS of known persons inside the period: person_id, day, hour, kind, direction, app, zone, duration_s, volume_kb.

    `events` has person_id, at_s (whole seconds since local midnight of the first day), zone_id and, as far as they are known, the
    columns of usage; a category that is missing or unknown is the last one, a number that is missing is null. What has been coded
    before is taken as it is: zones as `zone`, categories that are whole numbers.
    """
    labels = {"kind": KINDS, "direction": DIRECTIONS, "app": domain.apps}
    table = events.filter(events.at_s.between(0, period.days * DAY_SECONDS - 1))
    if "zone" not in table.columns:
        table = table.left_join(zones.select("zone_label", "zone"), table.zone_id == zones.zone_label)
    found = table.columns
    texts = {name: _code(table[name], labels[name]) if name in found else ibis.literal(len(labels[name]) - 1, "int16") for name in TEXTS}
    numbers = {name: table[name].cast("float64") if name in found else ibis.null("float64") for name in NUMBERS}
    table = table.select(
        "person_id", day=(table.at_s // DAY_SECONDS).cast("int32"), hour=(table.at_s % DAY_SECONDS // 3600).cast("int16"),
        zone=ibis.coalesce(table.zone, n_zones).cast("int32"), **texts, **numbers)
    return table.semi_join(people, "person_id")


def _code(column: Any, labels: Sequence[str]) -> Any:
    return column.cast("int16") if column.type().is_integer() else category(column, labels)


def since_midnight(events: Any, period: Period) -> Any:
    """EVENTS whose `time` is a timestamp in local time, with at_s: seconds since local midnight of the period's first day."""
    first = ibis.timestamp(f"{period.first_day.isoformat()} 00:00:00")
    return events.mutate(at_s=(events.time.cast("timestamp").epoch_seconds() - first.epoch_seconds()).cast("int64")).drop("time")
