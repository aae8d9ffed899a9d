"""The inner loop of fitting destinations, in numba: the chance of every zone for every outing, added up, and one zone drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthmob.compilation import compiled
from synthmob.counts.flows import HEADINGS
from synthmob.counts.reach import FIRST_ERRAND
from synthmob.model.known import recalled as one_recalled
from synthmob.model.known import shared as one_shared
from synthmob.model.known import shares
from synthmob.searches import pick, pick_between


@compiled
def tally_outings(
    appeal: Any, deterrence: Any, reach: Any, bands: Any, area: Any, anchor: Any, origin: Any, row: Any, u: Any, worth: Any,
    moving: Any, destinations: Any, distances: Any, flows: Any, reached: Any,
) -> Any:
    """The zone of each outing of one purpose, shape (outings,), drawn at quantile `u` of its law; the law itself is added to the sums for
    what the outing is `worth` (outings,).

    `appeal` (areas before, zones) is attraction times affinity, `deterrence` and `distances` are (bands to the anchor ahead, bands
    from the stay before), `reach` and `reached` (rows, bands from the stay before), an outing being of `row` (outings,), `destinations`
    (zones,), `flows` (areas, areas). Only where `moving` do distances and flows count: the first stay of a day is no
    trip. Outings are added in order, so the sums are the same to the bit on every run.
    """
    zones = appeal.shape[1]
    chance, cumulative = np.empty(zones), np.empty(zones)
    drawn = np.empty(len(anchor), dtype=np.int64)
    for i in range(len(anchor)):
        ahead, behind, before = bands[anchor[i]], bands[origin[i]], area[origin[i]]
        pull, total = reach[row[i]], 0.0
        for zone in range(zones):
            chance[zone] = appeal[before, zone] * deterrence[ahead[zone], behind[zone]] * pull[behind[zone]]
            total += chance[zone]
            cumulative[zone] = total
        drawn[i] = pick_between(cumulative, u[i] * total, 0, zones - 1)
        for zone in range(zones):
            # Not from the sums: they have no room for a zone that is next to impossible.
            share = worth[i] * chance[zone] / max(total, 1e-300)
            destinations[zone] += share
            if moving:
                distances[ahead[zone], behind[zone]] += share
                flows[before, area[zone]] += share
                reached[row[i], behind[zone]] += share
    return drawn


@compiled
def recalled(
    zones: Any, known: Any, life: Any, purpose: Any, heading: Any, anchor: Any, origin: Any, row: Any, deterrence: Any, reach: Any,
    bands: Any, exploration: Any, u: Any, which: Any,
) -> Any:  # fmt: skip
    """The known place that each stay returns to, -1 where it goes somewhere new, and which of those known it was first, both (stays,): as
    the kernel decides it.

    `zones` (lives, purposes, places) are the places, the first `known` (lives, purposes) of them; of the k known, one is returned to
    with probability k / (k + exploration[purpose]), each in proportion to the `deterrence` (purposes x headings, bands, bands) of its
    distances for that purpose and `heading`, one of HEADINGS, times the `reach` (purposes, rows, bands) of its `row` (stays,).
    """
    weights = np.empty(zones.shape[2])
    out, first = np.full(len(life), -1), np.full(len(life), -1)
    for i in range(len(life)):
        k, p = known[life[i], purpose[i]], purpose[i]
        if u[i] * (k + exploration[p]) < k:
            out[i] = one_recalled(
                deterrence, HEADINGS * p + heading[i], reach, row[i], bands, anchor[i], origin[i], zones[life[i]], p, k, weights, which[i])
            first[i] = 0
            while zones[life[i], p, first[i]] != out[i]:
                first[i] += 1
    return out, first


@compiled
def shared(
    zones: Any, known: Any, life: Any, purpose: Any, heading: Any, home: Any, work: Any, anchor: Any, origin: Any, row: Any,
    attraction: Any, deterrence: Any, reach: Any, bands: Any, exploration: Any, sharing: Any, u: Any, which: Any,
    worth: Any, laws: Any,
) -> Any:  # fmt: skip
    """For stays that go somewhere new, the place known for another errand, or around home or work, that some go to, -1 for the others,
    shape (stays,): as the kernel decides it.

    With the chance `sharing`, if a purpose `shares` by its `exploration` (purposes,), one of the places that `recalled` describes, of all
    other errands, and `home` and `work` (stays,), -1 for none, each in proportion to the `attraction` (purposes, zones) of the purpose
    times what recalls it. The chance of each is added to `laws` (purposes, zones), for what the stay is `worth` (stays,).
    """
    most = zones.shape[1] * zones.shape[2] + 2
    weights, places = np.empty(most), np.empty(most, dtype=np.int64)
    out = np.full(len(life), -1)
    for i in range(len(life)):
        p = purpose[i]
        if u[i] < sharing and shares(p, exploration[p]):
            out[i] = one_shared(
                attraction, deterrence, HEADINGS * p + heading[i], reach, row[i], bands, home[i], work[i], anchor[i], origin[i],
                zones[life[i]], p, known[life[i]], places, weights, which[i])
            if out[i] >= 0:
                n = (2 if work[i] >= 0 else 1) + known[life[i], FIRST_ERRAND:].sum() - known[life[i], p]
                for k in range(n):
                    laws[p, places[k]] += worth[i] * (weights[k] - (weights[k - 1] if k > 0 else 0.0)) / weights[n - 1]
    return out


@compiled
def pick_rows(cumulative: Any, row: Any, u: Any) -> Any:
    """The index in row `row` of `cumulative` (rows, cells) at quantile `u` of it, for each of both, shape (draws,)."""
    out = np.empty(len(row), dtype=np.int64)
    for i in range(len(row)):
        out[i] = pick(cumulative[row[i]], u[i])
    return out
