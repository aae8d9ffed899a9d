"""What phones do, compared where both sides have events: the statistics of usage, and the shares of their cells.

The baseline of a feature is the product of the truth's own margins: who uses as much, when and for what, were each told alone.
"""

from __future__ import annotations

import numpy as np

from synthmob.counts import STATISTICS, Coded
from synthmob.fidelity.align import Pulled
from synthmob.fidelity.distances import TVD
from synthmob.fidelity.features import Feature
from synthmob.fidelity.metrics import SHARE, Metric
from synthmob.fidelity.views import by

NO_EVENTS = "metrics of usage: left out, one side has no events"
COLUMNS = {
    "events_per_day": ("sex", "age_band", "events"), "event_hours": ("kind", "hour"), "event_directions": ("kind", "direction"),
    "event_durations": ("kind", "duration"), "event_volumes": ("kind", "volume"), "event_apps": ("app", "sex", "age_band"),
    "app_volumes": ("app", "volume"), "event_zones": ("kind", "zone"),
}  # fmt: skip
"""The statistics that are compared, with their axes."""


def _feature(name: str) -> Feature:
    level = "zone" if STATISTICS[name].spatial else ""

    def rows(coded: Coded) -> object:
        return STATISTICS[name].rows(coded, level)

    return Feature(name, COLUMNS[name], rows)


USAGE_FEATURES: dict[str, Feature] = {name: _feature(name) for name in COLUMNS}


def _metric(name: str, title: str, feature: str, *columns: str, level: str = "zone", needs: tuple[str, ...] = ()) -> Metric:
    return Metric(name, title, "usage", "share", SHARE, TVD, feature, by(*columns, level=level), TVD.of, needs)


_GROUP = ("sex", "age_band")
USAGE_METRICS: tuple[Metric, ...] = (
    _metric("events_per_day_tvd", "Events per day", "events_per_day", "events"),
    _metric("events_per_day_group_tvd", "Events per day x sex x age band", "events_per_day", *_GROUP, "events", needs=_GROUP),
    _metric("event_kinds_tvd", "Kinds of events", "event_hours", "kind"),
    _metric("event_hours_tvd", "Events by kind and hour", "event_hours", "kind", "hour"),
    _metric("event_directions_tvd", "Directions of calls and messages", "event_directions", "kind", "direction"),
    _metric("event_durations_tvd", "Durations of events by kind", "event_durations", "kind", "duration"),
    _metric("event_volumes_tvd", "Volumes of events by kind", "event_volumes", "kind", "volume"),
    _metric("event_apps_tvd", "Apps", "event_apps", "app"),
    _metric("event_apps_group_tvd", "Apps x sex x age band", "event_apps", "app", *_GROUP, needs=_GROUP),
    _metric("app_volumes_tvd", "Volumes by app", "app_volumes", "app", "volume"),
    _metric("event_zones_tvd_zone", "Events by kind and zone", "event_zones", "kind", "zone"),
    _metric("event_zones_tvd_district", "Events by kind and district", "event_zones", "kind", "zone", level="district"),
)


def product_of_margins(truth: Pulled, n_truth: int, n_persons: int) -> Pulled:
    """The feature's cells as if its columns had nothing to do with one another, for so many persons."""
    names = list(truth.codes)
    sizes = [int(codes.max(initial=0)) + 1 for codes in truth.codes.values()]
    total = max(float(truth.weight.sum()), 1e-300)
    grid = np.full(sizes, total * n_persons / n_truth)
    for axis, name in enumerate(names):
        margin = np.bincount(truth.codes[name], weights=truth.weight, minlength=sizes[axis]) / total
        grid = grid * margin.reshape([-1 if k == axis else 1 for k in range(len(sizes))])
    kept = np.nonzero(grid)
    return Pulled({name: kept[k].astype(np.int32) for k, name in enumerate(names)}, truth.texts, grid[kept], None)
