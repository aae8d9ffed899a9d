"""Modes written by hand for the model of `handmade`: nobody walks far, nobody takes the train next door, and cars are quick."""

from __future__ import annotations

from typing import Any

import handmade
import numpy as np

from synthmob.model.mobility import MobilityModel
from synthmob.model.modes import Modes

N = len(handmade.DOMAIN.modes)
CAR, WALKING, TRAIN = (handmade.DOMAIN.modes.index(name) for name in ("car", "walking", "train"))


def modes(**changes: Any) -> Modes:
    """Shares that change with every band, and times that are later by a bin for every mode."""
    bands, bins = handmade.BANDS, len(handmade.DOMAIN.travel_edges_min)
    share = 1.0 + (np.arange(bands)[:, None] * 3 + np.arange(N) * 5) % 7
    share[4:, WALKING] = 0.0
    share[:3, TRAIN] = 0.0
    travel = np.full((bands, N, bins), 0.01)
    for band in range(bands):
        for mode in range(N):
            travel[band, mode, min(band + mode, bins - 1)] = 1.0
    parts: dict[str, Any] = {
        "share": share / share.sum(axis=1, keepdims=True), "travel": travel / travel.sum(axis=2, keepdims=True), "habit": np.array([0.6])}
    return Modes(**(parts | changes))


def model(**changes: Any) -> MobilityModel:
    """The model of `handmade` with these modes, some of them replaced."""
    return handmade.model(modes=modes(**changes))
