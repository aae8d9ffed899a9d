"""What the standard plan asks about usage: a small part of the budget, and only where the events of the records tell it."""

from __future__ import annotations

USAGE_TABLES: tuple[tuple[str, str, float, float, tuple[str, ...]], ...] = (
    ("events_per_day", "", 0.15, 1.0, ("kind",)),
    ("events_per_person", "", 0.05, 1.0, ("kind",)),
    ("event_hours", "", 0.15, 1.5, ("kind",)),
    ("event_directions", "", 0.02, 0.75, ("kind", "direction")),
    ("event_durations", "", 0.05, 1.25, ("kind", "duration_s")),
    ("event_volumes", "", 0.05, 1.25, ("kind", "volume_kb")),
    ("event_apps", "", 0.2, 1.25, ("kind", "app")),
    ("app_volumes", "", 0.1, 0.75, ("kind", "app", "volume_kb")),
    ("event_zones", "district", 0.1, 1.0, ("kind",)),
    ("event_zones", "below", 0.15, 1.0, ("kind",)),
)
"""Statistic, level, share of the budget, contribution bound in persons, and the columns of EVENTS that it is counted from."""
USAGE_COLUMNS = ("kind", "direction", "duration_s", "volume_kb", "app")
"""The columns of EVENTS that say what an event was; without `kind` usage is not measured."""
