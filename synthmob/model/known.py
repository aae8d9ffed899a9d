"""At which of the places that a person knows a stay is, in numba: one law for lives that are fitted on and for those that are generated.

Arrays are indexed by numbers throughout, as in the kernel. `memory` (purposes, places) holds the places that each purpose has led to.
"""

from __future__ import annotations

from typing import Any

from synthmob.compilation import inlined
from synthmob.counts.reach import FIRST_ERRAND
from synthmob.searches import pick_between

HABITUAL = 0.3
"""Who goes anywhere new as seldom as this for a purpose is back at the same place on the same day: pupils after lunch."""


@inlined
def at_once(purpose: Any, exploration: Any) -> Any:
    """Whether the places of a purpose are known on the day on which they were new, and not from the next one on."""
    return (purpose >= FIRST_ERRAND) & (exploration < HABITUAL)


@inlined
def shares(purpose: Any, exploration: Any) -> Any:
    """Whether a new place of a purpose may be one that is known for another errand: of what people do in one place only, that place is
    the reason, and not what is beside it."""
    return (purpose >= FIRST_ERRAND) & (exploration >= HABITUAL)


@inlined
def recalled(
    deterrence: Any, going: Any, reach: Any, left_for: Any, bands: Any, anchor: Any, here: Any, memory: Any, purpose: Any, n: Any,
    weights: Any, u: Any,
) -> Any:  # fmt: skip
    """One of n known places. Every visit speaks for its place: those that lie handy today are the likelier."""
    total = 0.0
    for k in range(n):
        z = memory[purpose, k]
        total += deterrence[going, bands[anchor, z], bands[here, z]] * reach[purpose, left_for, bands[here, z]]
        weights[k] = total
    return memory[purpose, pick_between(weights, u * total, 0, n - 1)]


@inlined
def shared(
    attraction: Any, deterrence: Any, going: Any, reach: Any, left_for: Any, bands: Any, home: Any, work: Any, anchor: Any, here: Any,
    memory: Any, purpose: Any, known: Any, places: Any, weights: Any, u: Any,
) -> Any:  # fmt: skip
    """A place that is known for another errand, the first `known` (purposes,) of each, or the zone of home or `work` (-1 for none), in
    proportion to attraction x deterrence x reach; -1 where none weighs anything. `places` and `weights` are room for all of memory and
    two more."""
    places[0], n, total = home, 1, 0.0
    if work >= 0:
        places[1], n = work, 2
    for other in range(FIRST_ERRAND, len(known)):
        for k in range(known[other] if other != purpose else 0):
            places[n] = memory[other, k]
            n += 1
    for k in range(n):
        z = places[k]
        total += attraction[purpose, z] * deterrence[going, bands[anchor, z], bands[here, z]] * reach[purpose, left_for, bands[here, z]]
        weights[k] = total
    return places[pick_between(weights, u * total, 0, n - 1)] if total > 0.0 else -1
