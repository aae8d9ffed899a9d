"""The metrics that need several days of the same person: places over the period, returns, and one day beside the next."""

from __future__ import annotations

from synthmob.fidelity.distances import TVD, WASSERSTEIN
from synthmob.fidelity.features import STEP_KM
from synthmob.fidelity.lives import STEPS
from synthmob.fidelity.metrics import ANCHOR_KM, SHARE, Metric
from synthmob.fidelity.scores import Grid
from synthmob.fidelity.views import by, grid

LIFE_METRICS: tuple[Metric, ...] = (
    Metric("distinct_zones_tvd", "Distinct zones over the period", "routines", "share", SHARE, TVD, "life_zones", by("distinct"),
           TVD.of),
    Metric("place_shares", "Share of stays at the k-th most visited zone, k = 1 to 5", "routines", "share", SHARE, WASSERSTEIN,
           "life_places", grid("share", within=("k",)), Grid(1 / STEPS).mean),
    Metric("period_gyration_km", "Radius of gyration over the period", "routines", "km", ANCHOR_KM, WASSERSTEIN, "life_gyration",
           grid("km"), Grid(STEP_KM).overall),
    Metric("returners_tvd", "Returners and explorers (k = 2)", "routines", "share", SHARE, TVD, "life_returns", by("returner"),
           TVD.of),
    Metric("day_overlap", "Zones of a day that the next day has too", "routines", "share", SHARE, WASSERSTEIN, "life_overlaps",
           grid("share"), Grid(1 / STEPS).overall),
)  # fmt: skip
