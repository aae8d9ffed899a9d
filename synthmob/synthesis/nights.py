"""A day begins where the one before ended: whoever sleeps at a friend's, or works through midnight, wakes up or goes on there.

The chains of two days are drawn so that the second begins with the purpose that the first ended with, as often as the chains of both days
allow at all, and every day's chains stay as they were fitted: of L people who end a day with a purpose and F who begin the next one with
it, F / L go on (all, if they are fewer), and who cannot takes a day of the purposes that more people begin with than end with (the maximal
coupling of both shares, Lindvall 1992, Lectures on the Coupling Method, ch. I.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.compilation import compiled, inlined
from synthmob.model.chains import Chains
from synthmob.model.reconcile import FloatArray
from synthmob.searches import pick_between
from synthmob.synthesis import draws

GUIDES = 128
"""The search for a chain begins at one of so many places: with more of them, finding one takes longer than the search from there. A power
of two, so that finding it rounds nothing."""


def laws(chains: Sequence[Chains], people: Sequence[FloatArray], purposes: int) -> dict[str, npt.NDArray[Any]]:
    """What `choose` draws chains by, of the `people` (classes, chains) of every day type, some of every class: `chain_order` (day types,
    chains) with those together that begin alike, `chain_cumulative` (day types, classes, chains) of their people in that order with its
    guides, and the shares of people who begin a day with a purpose, `begins` (day types, classes, purposes + 1) running, and who end
    one with it, `ends` (day types, classes, purposes)."""
    most = max(len(law.lengths) for law in chains)
    order = np.zeros((len(chains), most), dtype=np.int64)
    cumulative = np.empty((len(chains), len(people[0]), most))
    begins, ends = np.zeros((*cumulative.shape[:2], purposes + 1)), np.zeros((*cumulative.shape[:2], purposes))
    for kind, (law, who) in enumerate(zip(chains, people, strict=True)):
        n = len(law.lengths)
        first, last = law.purposes[:, 0], law.purposes[np.arange(n), law.lengths - 1]
        order[kind, :n] = np.argsort(first, kind="stable")
        cumulative[kind, :, :n] = np.cumsum(who[:, order[kind, :n]], axis=1)
        cumulative[kind, :, n:] = cumulative[kind, :, n - 1 : n]
        total = cumulative[kind, :, -1]
        upto = np.searchsorted(first[order[kind, :n]], np.arange(purposes), side="right")
        running = np.concatenate([np.zeros((len(who), 1)), cumulative[kind, :, :n]], axis=1)
        begins[kind, :, 1:] = running[:, upto] / total[:, None]
        ends[kind] = np.stack([who[:, last == p].sum(axis=1) for p in range(purposes)], axis=1) / total[:, None]
    return {
        "chain_order": order, "chain_cumulative": cumulative, "chain_guide": draws.guides(cumulative, GUIDES), "begins": begins,
        "ends": ends}


@inlined
def gone_on(u: Any, last: Any, begins: Any, ends: Any) -> Any:
    """`u` moved to where the chains are that begin with `last`, or, for the share that cannot go on, with what is wanting: `begins`
    (purposes + 1,) of this day, `ends` (purposes,) of the one before."""
    begin, share = begins[last], begins[last + 1] - begins[last]
    going_on = min(1.0, share / ends[last]) if ends[last] > 0.0 else 0.0
    if u < going_on:
        return begin + share * (u / going_on)
    wanting = 0.0
    for p in range(len(ends)):
        wanting += max(begins[p + 1] - begins[p] - ends[p], 0.0)
    target, at = (u - going_on) / (1.0 - going_on) * wanting, 0.0
    for p in range(len(ends)):
        part = max(begins[p + 1] - begins[p] - ends[p], 0.0)
        if part > 0.0 and target < at + part:
            return begins[p] + (begins[p + 1] - begins[p]) * ((target - at) / part)
        at += part
    return u


@compiled
def choose(
    u: Any, klass: Any, day_type: Any, purposes: Any, lengths: Any, order: Any, cumulative: Any, guide: Any, begins: Any, ends: Any
) -> Any:
    """The chain of every person-day: `u` (persons, days), `klass` (persons,), `day_type` (days,), the others those of `laws`.

    A day is looked for by all persons in two loops, so that what they wait for from memory is asked for many at once.
    """
    out, targets = np.empty(u.shape, dtype=np.int64), np.empty(u.shape[0])
    first, low, high = np.empty(u.shape[0], np.int64), np.empty(u.shape[0], np.int64), np.empty(u.shape[0], np.int64)
    n, (_, classes, chains), weights = guide.shape[2] - 1, cumulative.shape, cumulative.ravel()
    for day in range(u.shape[1]):
        kind = day_type[day]
        for person in range(u.shape[0]):
            who, at = klass[person], u[person, day]
            if day > 0:
                before, chain = day_type[day - 1], out[person, day - 1]
                at = gone_on(at, purposes[before, chain, lengths[before, chain] - 1], begins[kind, who], ends[before, who])
            k, first[person] = min(int(at * n), n - 1), (kind * classes + who) * chains
            low[person], high[person] = first[person] + guide[kind, who, k], first[person] + guide[kind, who, k + 1]
            targets[person] = at * cumulative[kind, who, chains - 1]
        for person in range(u.shape[0]):
            out[person, day] = order[kind, pick_between(weights, targets[person], low[person], high[person]) - first[person]]
    return out
