"""Usage written by hand for the model of `handmade`: every law another one, so that none can be taken for its neighbour."""

from __future__ import annotations

from typing import Any

import handmade
import numpy as np

from synthmob.counts.usage import EVENTS_EDGES
from synthmob.domain import DIRECTIONS, EVENT_DURATION_EDGES_S, KINDS, VOLUME_EDGES_KB
from synthmob.model.mobility import MobilityModel
from synthmob.model.usage import Usage

GROUPS = handmade.CLASSES // 2
APPS = len(handmade.DOMAIN.apps)
ZONES = len(handmade.IDS) + 1


def usage(**changes: Any) -> Usage:
    """Calls by day, messages in the evening, data at all hours; the second sex uses the phone more, every age its own app most."""
    per_day = np.zeros((GROUPS, len(EVENTS_EDGES)))
    per_day[:, [0, 3, 7, 10]] = (1, 3, 4, 2)
    per_day[8:16, 12] = 5
    hours = np.zeros((len(KINDS), 24))
    hours[0, 8:20], hours[1, 18:23], hours[2] = 3, 2, 5 + np.arange(24) / 4
    durations = np.zeros((len(KINDS), len(EVENT_DURATION_EDGES_S)))
    durations[0, [0, 4, 6]], durations[2, 1:4] = (1, 5, 2), (3, 2, 1)
    volumes = np.zeros((len(KINDS), len(VOLUME_EDGES_KB)))
    directions = np.zeros((len(KINDS), len(DIRECTIONS)))
    directions[0], directions[1] = (2, 3, 0), (3, 1, 0)
    apps = np.ones((GROUPS, APPS))
    apps[np.arange(GROUPS), np.arange(GROUPS) % APPS] = 20
    sizes = np.zeros((APPS, len(VOLUME_EDGES_KB)))
    sizes[np.arange(APPS), np.arange(APPS) % len(VOLUME_EDGES_KB)] = 1
    kinds = np.tile(hours.sum(axis=1), (GROUPS, 1))
    parts = {"per_day": per_day, "steady": np.array([0.6]), "kinds": kinds, "hours": hours, "tilt": np.ones((len(KINDS), ZONES)),
             "worth": np.ones((len(KINDS), 24)), "directions": directions, "durations": durations,
             "volumes": volumes, "apps": apps, "app_volumes": sizes}  # fmt: skip
    return Usage(**(parts | changes))


def model(**changes: Any) -> MobilityModel:
    """The model of `handmade` with phones."""
    return handmade.model(usage=usage(**changes))
