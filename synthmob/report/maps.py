"""The data behind the flow map and the week: one JSON object that the page's own script reads.

Drawn as SVG by hand: measured against canvas, deck.gl, MapLibre, plotly and altair it makes the smallest page, needs
no WebGL and no request, and leaves something inside for a screen reader. An hour's step takes about 20 ms with 2,500
zones, which is as many as were tried.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.report import geometry
from synthmob.report.flows import DayType, Flows, shown_level
from synthmob.report.people import Person
from synthmob.zones import Zoning

_UNSIGNED = (("u1", 0xFF), ("u2", 0xFFFF), ("u4", 0xFFFFFFFF))
_SIGNED = (("i1", 0x7F), ("i2", 0x7FFF), ("i4", 0x7FFFFFFF))


def data(
    zoning: Zoning,
    day_types: tuple[DayType, ...],
    people: tuple[Person, ...],
    day_names: dict[int, str],
    purposes: tuple[str, ...],
) -> dict[str, Any]:
    """Everything the script draws; `day_names` names each day that OUT has."""
    shapes = geometry.of_zoning(zoning)
    parents = zoning.level("district")
    return {
        "width": shapes.width,
        "height": shapes.height,
        "kmPerUnit": round(shapes.km_per_unit, 9),
        "zone": {
            **shapes.zones.as_json(),
            "labels": list(zoning.names or zoning.ids),
            "ids": list(zoning.ids),
            "centres": numbers(shapes.zone_centres),
            "district": numbers(parents.of_zone),
            "km2": [float(f"{a:.4g}") for a in zoning.areas_km2],
        },
        "district": {
            **shapes.districts.as_json(),
            "labels": list(parents.labels),
            "centres": numbers(shapes.district_centres),
        },
        "level": shown_level(day_types, zoning),
        "days": [_day_type(day_type) for day_type in day_types],
        "purposes": list(purposes),
        "people": [_person(person, day_names, purposes) for person in people],
    }


def numbers(values: npt.NDArray[np.int64]) -> list[str]:
    """Whole numbers as [type, base64] in the smallest type that holds them, row by row.

    >>> numbers(np.array([1, 255]))[0], numbers(np.array([-1, 300]))[0]
    ('u1', 'i2')
    """
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    for name, most in _SIGNED if low < 0 else _UNSIGNED:
        if high <= most and low >= -most - 1:
            return [name, geometry.packed(values.ravel(), f"<{name}")]
    raise ValueError(f"a count of {max(high, -low)} does not fit the page")


def _day_type(day_type: DayType) -> dict[str, Any]:
    return {
        "name": day_type.name,
        "n": len(day_type.days),
        "outside": day_type.outside.tolist(),
        "presence": numbers(day_type.presence),
        "net": numbers(day_type.arrivals - day_type.departures),
        "flows": {level: _flows(flows) for level, flows in day_type.levels.items()},
    }


def _flows(flows: Flows) -> dict[str, Any]:
    return {
        "perHour": np.bincount(flows.pairs[:, 0], minlength=24).tolist(),
        "ends": numbers(flows.pairs[:, 1:3]),
        "trips": numbers(flows.pairs[:, 3]),
        "between": flows.between.tolist(),
        "inside": flows.inside.tolist(),
    }


def _person(person: Person, day_names: dict[int, str], purposes: tuple[str, ...]) -> dict[str, Any]:
    days: dict[int, list[list[float | int | None]]] = {}
    for stay in person.stays:
        purpose = purposes.index(stay.purpose) if stay.purpose in purposes else len(purposes) - 1
        days.setdefault(stay.day, []).append([stay.start, stay.end, purpose, stay.zone, stay.km])
    return {
        "label": person.label,
        "days": [{"name": day_names[day], "stays": stays} for day, stays in days.items()],
    }
