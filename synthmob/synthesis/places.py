"""How a zone is drawn without a look at every zone: zones lie in patches of neighbours, and a patch is drawn first.

A zone is wanted in proportion to attraction x deterrence, and deterrence knows two distances: from the place that the day is tied to (home,
or work before work) and from the place before. Where those two are one place, the weight of every patch is known beforehand: a patch is
drawn by that, and a zone inside it by a look at its zones. Where they differ, a patch weighs its attraction times the most that deterrence
and reach can be in it, a zone is drawn by attraction (Walker 1977, doi:10.1145/355744.355749) and kept with the share that its own two have
of that most (von Neumann's rejection). Either way the law is the one of a look at every zone, nothing is cut off, and memory grows with
the zones times the square root of their number, not with their square.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.counts.flows import HEADINGS
from synthmob.model.chains import HOME
from synthmob.model.geography import Geography

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
LEAST_PATCH = 16
MOST_STEPS = 20
"""Distance bands are looked at in so many steps at most, or pairs of ranges of them would fill memory."""


@dataclass(frozen=True)
class Patches:
    """Zones in patches: patch c holds `zone[first[c]:first[c + 1]]`; `area` (patches,) is the area of flows of all its zones."""

    first: IntArray
    zone: IntArray
    area: IntArray

    @staticmethod
    def of(geography: Geography) -> Patches:
        """Every area that flows are told between, a district or one of few zones, is halved across its longer side until no patch has
        more zones than half the root of all."""
        most = max(LEAST_PATCH, math.isqrt(geography.n) // 2)
        parent = geography.flow_areas
        patches: list[IntArray] = []
        for area in range(int(parent.max()) + 1):
            todo = [np.flatnonzero(parent == area)]
            while todo:
                zones = todo.pop()
                if len(zones) <= most:
                    patches += [zones] if len(zones) else []
                    continue
                xy = geography.xy_km[zones]
                axis = int(np.argmax(np.ptp(xy, axis=0)))
                order = zones[np.argsort(xy[:, axis], kind="stable")]
                todo += [np.sort(order[len(order) // 2 :]), np.sort(order[: len(order) // 2])]
        first = np.cumsum([0, *map(len, patches)])
        return Patches(first.astype(np.int64), np.concatenate(patches), parent[[zones[0] for zones in patches]])


def laws(geography: Geography, attraction: FloatArray, affinity: FloatArray, deterrence: FloatArray) -> dict[str, npt.NDArray[Any]]:
    """What the kernel draws zones by, of `attraction` (purposes, zones), `affinity` (areas, areas) of flows and `deterrence` (day
    types x purposes x headings, bands, bands).

    Zones are numbered in order of patches, neighbours side by side: `patch_zone` is the zone of a number, `spot` the number of a zone,
    and `attraction`, `bands` and `area` are those of the geography so numbered. `mass` (purposes, areas of the place before,
    patches) is attraction; `code` (zones, patches) the range of bands from a zone to a patch and `most` (rows of deterrence, ranges,
    ranges) a bound of deterrence in two ranges. `zone_alias` (purposes, zones) draws a zone of a patch by `draws.aliases`, `tied`
    (rows of deterrence but for those of homes, zones, patches) a patch where both places are one by `draws.shortened`: it is most of
    what all this takes, and is looked into anywhere. `near` (rows of deterrence, bands) is deterrence there. Bands have no sign, or the
    kernel would ask each whether it counts from the end.
    """
    from synthmob.synthesis import draws, zonedraws

    patches = Patches.of(geography)
    order, spot = patches.zone, np.empty(geography.n, dtype=np.int64)
    spot[order] = np.arange(geography.n)
    ordered, bands = np.ascontiguousarray(attraction[:, order]), geography.bands[np.ix_(order, order)].astype(np.uint8)
    area = geography.flow_areas[order]
    weight = np.add.reduceat(ordered, patches.first[:-1], axis=1)
    step = _step(geography.n_bands)
    low, high = (f.reduceat(bands // step, patches.first[:-1], axis=1).astype(np.int64) for f in (np.minimum, np.maximum))
    whole, rows = np.array([0, len(patches.area)]), [k for k in range(len(deterrence)) if k // HEADINGS % len(ordered) != HOME]
    tied = np.empty((len(rows), geography.n, len(patches.area)), np.uint32)
    for at, row in enumerate(rows):
        pull = ordered[row // HEADINGS % len(ordered)]
        weights = zonedraws.tied_weights(pull, affinity, area, deterrence[row], bands, patches.first)
        tied[at] = draws.shortened(draws.aliases(weights, whole))
    return {
        "deterrence": deterrence, "affinity": affinity, "attraction": ordered, "bands": bands, "area": area, "spot": spot,
        "patch_first": patches.first, "patch_zone": order, "mass": weight[:, None, :] * affinity[None][:, :, patches.area],
        "code": (high * (high + 1) // 2 + low).astype(np.uint8), "most": _most(deterrence, step),
        "zone_alias": draws.aliases(ordered, patches.first), "tied": tied,
        "near": np.ascontiguousarray(deterrence.diagonal(axis1=1, axis2=2))}  # fmt: skip


def farthest(reach: FloatArray) -> npt.NDArray[np.float32]:
    """A bound of the share that `reach` (purposes, rows, bands) leaves of a patch's weight, by the range of bands that it is in, as in
    `code`: shape (purposes, rows, ranges). It is a little above the most in the range, so that no rounding of sums comes to more."""
    return _above(_most_in_ranges(reach, _step(reach.shape[2])))


def _most(deterrence: FloatArray, step: int) -> npt.NDArray[np.float32]:
    """A bound of deterrence (rows, bands, bands) in any two ranges of steps, a little above the most: shape (rows, ranges, ranges)."""
    there = _most_in_ranges(deterrence, step)
    return np.ascontiguousarray(_above(_most_in_ranges(there.swapaxes(1, 2), step).swapaxes(1, 2)))


def _above(values: FloatArray) -> npt.NDArray[np.float32]:
    """Numbers of half the length that are above these, but for 0, which stays what it is."""
    short = values.astype(np.float32)
    return np.where(values > 0, np.nextafter(short, np.float32(np.inf)), np.float32(0))


def _step(n_bands: int) -> int:
    """How many bands are looked at as one."""
    return -(-n_bands // MOST_STEPS)


def _most_in_ranges(values: FloatArray, step: int) -> FloatArray:
    """The most along the last axis, bands, in every range of steps."""
    coarse = np.maximum.reduceat(values, np.arange(0, values.shape[-1], step), axis=-1)
    ranges = [(low, high + 1) for high in range(coarse.shape[-1]) for low in range(high + 1)]
    return np.stack([coarse[..., low:end].max(axis=-1) for low, end in ranges], axis=-1)
