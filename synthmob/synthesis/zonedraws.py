"""How the kernel draws a zone among all of them, in numba: by the patches of `places`.

Arrays are indexed by numbers throughout, as in the kernel.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from synthmob.compilation import compiled, inlined, prefetch
from synthmob.model.chains import WORK
from synthmob.searches import pick_between
from synthmob.synthesis.draws import aliased, aliased_short, unit

DRAWS_PER_STAY, DRAW_ZONE = 8, 6
"""The streams of a day's stays are so far apart, and so far into that of a stay is the one that zones are drawn by."""
ASKED = 2
"""The patches of so many trials are asked for before they are looked into, for about every second is kept."""
TRIES = 64
"""So often a zone is proposed; after that every zone is looked at, which is the same law."""


@compiled
def tied_weights(attraction: Any, affinity: Any, area: Any, deterrence: Any, bands: Any, first: Any) -> Any:
    """Weights of patches for a purpose and a heading where the place before is the one that the day is tied to: (zones, patches)."""
    out = np.zeros((len(bands), len(first) - 1))
    for here in range(len(bands)):
        total = 0.0
        for patch in range(len(first) - 1):
            for z in range(first[patch], first[patch + 1]):
                band = bands[here, z]
                out[here, patch] += attraction[z] * affinity[area[here], area[z]] * deterrence[band, band]
            total += out[here, patch]
        if total == 0.0:
            out[here, -1] = 1.0
    return out


@inlined
def heading_of(purposes: Any, kind: Any, k: Any, rank: Any, n: Any, at_work: Any) -> Any:
    """Which of HEADINGS a stay of a chain of n has: 2 at an end of the day, 1 before work, else 0."""
    return 2 if rank == 0 or rank + 1 == n else 1 if at_work >= 0 and purposes[kind, k, rank + 1] == WORK else 0


@inlined
def ask_patch(tied: Any, tied_row: Any, here: Any, trial: Any, stream: Any) -> None:
    """Have the word brought that `around` looks into for a trial: there are so many of them that it is seldom at hand."""
    prefetch(tied, (tied_row, here, int(unit(stream, 3 * trial) * tied.shape[2])))


@inlined
def around(
    tied: Any, tied_row: Any, patch_bits: Any, attraction: Any, purpose: Any, near: Any, going: Any, reach: Any, left_for: Any,
    farthest: Any, code: Any, bands: Any, here: Any, patch_first: Any, widest: Any, weights: Any, stream: Any,
) -> Any:  # fmt: skip
    """A zone where the place before is the one that the day is tied to, in a patch proposed without `reach` and kept with the share that
    its zones have left with it; -1 where none was. That share is at most the `farthest` of the patch, by which most that are not kept
    are known without a look at their zones. The loops are as long as the `widest` patch, whichever this is: then nothing has to
    be known of it for the processor to go on."""
    end = len(bands) - 1
    for trial in range(TRIES):
        ask_patch(tied, tied_row, here, trial + ASKED, stream)
        place = unit(stream, 3 * trial) * tied.shape[2]
        patch = int(place)
        patch = aliased_short(tied[tied_row, here, patch], patch_bits, patch, place - patch)
        keep = unit(stream, 3 * trial + 1)
        if keep > farthest[purpose, left_for, code[here, patch]]:
            continue
        first, last = patch_first[patch], patch_first[patch + 1]
        without, total = 0.0, 0.0
        for k in range(widest):
            z = min(first + k, end)
            pull = attraction[purpose, z] * near[going, bands[here, z]] if first + k < last else 0.0
            without += pull
            total += pull * reach[purpose, left_for, bands[here, z]]
            weights[k] = total
        if keep * without > total:
            continue
        target, found = unit(stream, 3 * trial + 2) * total, first
        for k in range(widest):
            found += 1 if weights[k] <= target else 0
        return min(found, last - 1)
    return -1


@inlined
def proposed(
    mass: Any, purpose: Any, area: Any, most: Any, going: Any, code: Any, anchor: Any, here: Any, deterrence: Any, reach: Any,
    left_for: Any, farthest: Any, bands: Any, zone_alias: Any, patch_first: Any, weights: Any, stream: Any,
) -> Any:  # fmt: skip
    """A zone with probability proportional to attraction x deterrence x reach, by proposals; -1 where none of them was kept.

    A patch weighs its mass times the most that deterrence can be in it times the `farthest`, the most that reach can be.
    """
    total, n = 0.0, code.shape[1]
    for patch in range(n):
        bound = most[going, code[anchor, patch], code[here, patch]] * farthest[purpose, left_for, code[here, patch]]
        total += mass[purpose, area, patch] * bound
        weights[patch] = total
    for trial in range(TRIES):
        patch = pick_between(weights, unit(stream, 3 * trial) * total, 0, n - 1)
        first = patch_first[patch]
        place = unit(stream, 3 * trial + 1) * (patch_first[patch + 1] - first)
        z = int(place)
        z = first + aliased(zone_alias[purpose, first + z], z, place - z)
        bound = most[going, code[anchor, patch], code[here, patch]] * farthest[purpose, left_for, code[here, patch]]
        pull = deterrence[going, bands[anchor, z], bands[here, z]] * reach[purpose, left_for, bands[here, z]]
        if unit(stream, 3 * trial + 2) * bound < pull:
            return z
    return -1


@inlined
def anywhere(
    attraction: Any, purpose: Any, affinity: Any, area: Any, deterrence: Any, going: Any, reach: Any, left_for: Any, bands: Any,
    anchor: Any, here: Any, weights: Any, u: Any,
) -> Any:  # fmt: skip
    """What the others give, by a look at every zone; the last one where all weigh nothing."""
    total = 0.0
    for z in range(len(bands)):
        pull = attraction[purpose, z] * affinity[area[here], area[z]] * reach[purpose, left_for, bands[here, z]]
        total += pull * deterrence[going, bands[anchor, z], bands[here, z]]
        weights[z] = total
    return pick_between(weights, u * total, 0, len(bands) - 1)
