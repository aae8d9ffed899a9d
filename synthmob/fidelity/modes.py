"""How people travel, compared where both sides know it: shares of modes, alone and by distance, times by mode, and who goes on by the same.

The baseline of a feature is the product of the truth's own margins: modes and distances, modes and times, each told alone.
"""

from __future__ import annotations

from typing import Any

from synthmob.counts import STATISTICS, Coded
from synthmob.counts.modes import moded
from synthmob.fidelity.distances import TVD, WASSERSTEIN
from synthmob.fidelity.features import STEP_MIN, Feature
from synthmob.fidelity.metrics import DEPARTURE_MIN, SHARE, Metric
from synthmob.fidelity.scores import Grid, tvd_within
from synthmob.fidelity.views import by, grid

NO_MODES = "metrics of modes: left out, one side does not know how people travelled"


def _minutes(coded: Coded) -> Any:
    """How long each trip takes, by its mode."""
    table = moded(coded)
    return table.select("person_id", "day_type", "mode", minute=table.start - table.previous_end, weight=1.0 / table.n_days)


MODE_FEATURES: dict[str, Feature] = {
    "modes": Feature("modes", ("distance", "mode"), lambda coded: STATISTICS["modes"].rows(coded, "")),
    "mode_minutes": Feature("mode_minutes", ("day_type", "mode", "minute"), _minutes),
    "mode_again": Feature("mode_again", ("left", "again"), lambda coded: STATISTICS["mode_again"].rows(coded, "")),
}
MODE_METRICS: tuple[Metric, ...] = (
    Metric("mode_tvd", "Modes of trips", "routines", "share", SHARE, TVD, "modes", by("mode"), TVD.of),
    Metric("mode_by_distance_tvd", "Modes of trips within bands of distance", "routines", "share", SHARE, TVD, "modes",
           grid("mode", within=("distance",)), tvd_within),
    Metric("travel_by_mode_min", "Times that trips take, by mode", "routines", "min", DEPARTURE_MIN, WASSERSTEIN, "mode_minutes",
           grid("minute", within=("mode",)), Grid(STEP_MIN).mean),
    Metric("mode_again_tvd", "Trips by the mode of the one before, from home and elsewhere", "routines", "share", SHARE, TVD, "mode_again",
           grid("again", within=("left",)), tvd_within),
)  # fmt: skip
