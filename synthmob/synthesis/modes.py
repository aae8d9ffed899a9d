"""Which mode a trip is made by, in numba: the same tastes on all trips of a tour, so that who leaves by car comes back by car.

A taste is an exponential time for each mode, divided by the mode's share at the trip's distance; the mode that is first is chosen. Over
people every trip then has just the shares of its distance, whatever the trips before it (a random utility model whose unknown part
stays with the tour: McFadden 1974, Conditional logit analysis of qualitative choice behavior), and two trips of one tour differ only as
far as the shares of their distances do. A tour begins where a trip leaves home. With the model's `habit` it has the tastes that its
person has on all days, else its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from synthmob.compilation import inlined
from synthmob.synthesis.draws import keyed, mix, unit

TOUR_DRAWS = 1 << 20
"""Far from the draws of stays."""
EVERY_DAY = 1 << 40
"""The day of what a person keeps on all days."""


@inlined
def taste(key: Any, person: Any, today: Any, rank: Any, habit: Any, tastes: Any) -> None:
    """Draw the tastes of the tour that begins with stay `rank`, one time a mode."""
    stream = mix(today ^ np.uint64(TOUR_DRAWS + rank))
    if unit(stream, 0) < habit:
        stream = mix(keyed(key, person) ^ np.uint64(EVERY_DAY))
    for mode in range(len(tastes)):
        tastes[mode] = -np.log1p(-unit(stream, 1 + mode))


@inlined
def first(tastes: Any, share: Any, band: Any) -> Any:
    """The mode whose taste over its `share` (bands, modes) of a band is least; one without a share is never chosen."""
    chosen, least = 0, np.inf
    for mode in range(len(tastes)):
        if share[band, mode] > 0.0 and tastes[mode] / share[band, mode] < least:
            chosen, least = mode, tastes[mode] / share[band, mode]
    return chosen
