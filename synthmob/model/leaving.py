"""When people arrive and leave by a schedule, in numba: one rule for those who are made and for the days that schedules are weighed by."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthmob.compilation import compiled, inlined
from synthmob.model.timing import BY_CLOCK, LEAST_LEFT


@inlined
def start_after(clock: Any, trip: Any, latest: Any) -> Any:
    """The minute in which a stay begins, a `trip` after the one before: by `latest`, but a minute after that at least."""
    return max(min(clock + trip, latest), clock + 1)


@inlined
def end_of(entry: Any, u: Any, first: Any, start: Any, latest: Any, duration_edges: Any) -> Any:
    """The minute in which a stay ends, u (0 to 1) into its bin: `entry` is that of the schedule, a quarter hour for the `first` of a day,
    else one from BY_CLOCK on or a bin of durations."""
    if first:
        end, least = int(15 * (entry + u)), 1
    elif entry >= BY_CLOCK:
        end, least = max(int(15 * (entry - BY_CLOCK + u)), start + LEAST_LEFT), start + 1
    else:
        low = duration_edges[entry]
        end, least = start + max(int(low + (duration_edges[entry + 1] - low) * u), 1), start + 1
    return max(min(end, latest), least)


@compiled
def times(entry: Any, u: Any, first: Any, clock: Any, trip: Any, latest: Any, duration_edges: Any) -> Any:
    """Starts and ends of stays, (stays,) each, a `trip` after `clock`; where they are the `first` of a day they begin with it."""
    starts, ends = np.zeros(len(entry), dtype=np.int64), np.empty(len(entry), dtype=np.int64)
    for k in range(len(entry)):
        if not first:
            starts[k] = start_after(clock[k], trip[k], latest[k])
        ends[k] = end_of(entry[k], u[k], first, starts[k], latest[k], duration_edges)
    return starts, ends
