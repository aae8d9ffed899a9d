"""Which chains of purposes there are, and for whom.

Persons on every chain are settled elsewhere; here those worth keeping are chosen, and their mix by group is raked to the released lengths
and participations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.counts.routines import MOST_TRIPS
from synthmob.domain import ChainAxis
from synthmob.model.reconcile import LEAST, FloatArray

IntArray = npt.NDArray[np.int64]
MAX_STAYS = 20
KEPT_CHAINS = 4000
TAIL_CHAINS = 1500
GROUP_ROUNDS, TRIP_STEP = 25, 0.4
NOBODY = -1
HOME, WORK = 0, 1


@dataclass(frozen=True)
class Chains:
    """The chains of one day type.

    `purposes` int8 (chains, MAX_STAYS), -1 past the end; `lengths` (chains,); `weights` (chains,) persons on such a day;
    `codes` (chains,) on the chain axis, -1 for long ones; `by_class` (classes, chains) persons, class = (sex, age, worker) flat.
    """

    purposes: npt.NDArray[np.int8]
    lengths: IntArray
    weights: FloatArray
    codes: IntArray
    by_class: FloatArray


def by_length(axis: ChainAxis) -> IntArray:
    """The number of stays less one of every chain of an axis, shape (axis.size,)."""
    return np.repeat(np.arange(axis.max_stays), np.diff(axis.offsets))


def outlines(axis: ChainAxis, outline: ChainAxis, outline_of: tuple[int, ...]) -> IntArray:
    """The code of every chain's outline, shape (axis.size,).

    >>> axis, outline = ChainAxis("chain", ("home", "shop", "other"), 2), ChainAxis("outline", ("home", "errand"), 2)
    >>> [outline.label(code) for code in outlines(axis, outline, (0, 1, 1))[[0, 2, axis.code("home-shop")]]]
    ['home', 'errand', 'home-errand']
    """
    digits, found = np.asarray(outline_of), [np.zeros(1, dtype=np.int64)]
    for _ in range(axis.max_stays):
        found.append((found[-1][:, None] * len(outline.purposes) + digits).ravel())
    return np.concatenate([codes + first for codes, first in zip(found[1:], outline.offsets[:-1], strict=True)])


def select(axis: ChainAxis, persons: FloatArray, stage: str) -> tuple[IntArray, FloatArray]:
    """The chains worth keeping and their weights: the largest ones as they are, the tail by systematic sampling."""
    order = np.argsort(-persons, kind="stable")[:KEPT_CHAINS]
    kept = np.sort(order[persons[order] > 0])
    rest = persons.copy()
    rest[kept] = 0.0
    mass = float(rest.sum())
    if mass <= 0:
        return kept.astype(np.int64), persons[kept]
    cumulative = np.cumsum(rest)
    points = (np.arange(TAIL_CHAINS) + seeds.uniforms(seeds.stage_key(0, stage), 0)) * (mass / TAIL_CHAINS)
    drawn = np.minimum(np.searchsorted(cumulative, points, side="right"), axis.size - 1)
    tail, times = np.unique(drawn, return_counts=True)
    codes = np.concatenate([kept, tail]).astype(np.int64)
    return codes, np.concatenate([persons[kept], times * (mass / TAIL_CHAINS)]).astype(np.float64)


def spell(axis: ChainAxis, codes: IntArray) -> npt.NDArray[np.int8]:
    """The purposes of chain codes, shape (chains, MAX_STAYS), -1 past the end."""
    out = np.full((len(codes), MAX_STAYS), NOBODY, dtype=np.int8)
    for row, code in enumerate(codes):
        stays = axis.stays(int(code))
        out[row, : len(stays)] = stays
    return out


def by_class(purposes: npt.NDArray[np.int8], lengths: IntArray, weights: FloatArray, classes: FloatArray,
             class_lengths: FloatArray, participation: FloatArray, worker_of_class: npt.NDArray[np.bool_],
             known: npt.NDArray[np.bool_], trips: FloatArray | None = None, slack: FloatArray | float = 0.0) -> FloatArray:
    """Persons by class and chain, shape (classes, chains).

    `classes` persons by class; `class_lengths` (classes, MAX_STAYS + 1) persons by number of stays; `participation`
    (classes, purposes - 1) persons whose day includes each purpose but home. Only workers get chains with work. The weights of
    `known` chains are held; those of the others, which no cell speaks for, give way to lengths and participations, and to `trips`
    (purposes,), the first MOST_TRIPS of every day: where participations were blurred or cut these are known better, and each purpose's
    participations move along, by a factor between exp(-slack) and exp(slack).
    """
    has = np.stack([(purposes == p).any(axis=1) for p in range(1, participation.shape[1] + 1)])
    table = np.outer(classes, weights) / max(float(weights.sum()), LEAST)
    table[np.ix_(~worker_of_class, has[0])] = 0.0
    counts, released, moved = trips_of(purposes, len(has) + 1), participation, np.zeros(len(has))
    for _ in range(GROUP_ROUNDS):
        if trips is not None:
            pull = TRIP_STEP * np.clip(np.log((trips + 1.0) / (table.sum(axis=0) @ counts + 1.0)), -1.0, 1.0)
            table = table * np.exp(np.where(known, 0.0, counts @ pull))
            moved = np.clip(moved + pull[1:], -slack, slack)
            participation = np.clip(released * np.exp(moved), 0.0, classes[:, None])
        for p in range(len(has)):
            inside = table[:, has[p]].sum(axis=1)
            table[:, has[p]] *= _ratio(participation[:, p], inside)[:, None]
            outside = table[:, ~has[p]].sum(axis=1)
            table[:, ~has[p]] *= _ratio(classes - participation[:, p], outside)[:, None]
        table = _of_lengths(table, lengths, class_lengths)
        table[:, known] *= _ratio(weights[known], table[:, known].sum(axis=0))[None, :]
    table = _of_lengths(table, lengths, class_lengths)  # trips are made of these: where not all can be met, lengths are
    return table * _ratio(classes, table.sum(axis=1))[:, None]


def _of_lengths(table: FloatArray, lengths: IntArray, class_lengths: FloatArray) -> FloatArray:
    """Persons by class and chain, scaled to those by class and number of stays."""
    out = table.copy()
    for n in range(1, MAX_STAYS + 1):
        chosen = lengths == n
        if chosen.any():
            out[:, chosen] *= _ratio(class_lengths[:, n], out[:, chosen].sum(axis=1))[:, None]
    return out


def trips_of(purposes: npt.NDArray[np.int8], n_purposes: int) -> FloatArray:
    """Trips of every chain by purpose, of the first MOST_TRIPS of the day, shape (chains, n_purposes)."""
    made = purposes[:, 1 : MOST_TRIPS + 1]
    return np.stack([(made == p).sum(axis=1) for p in range(n_purposes)], axis=1).astype(np.float64)


def _ratio(target: FloatArray, found: FloatArray) -> FloatArray:
    """target / found where something was found, never below a thousandth: one noisy zero must not end a chain for good."""
    return np.maximum(np.divide(target, found, out=np.ones_like(found), where=found > LEAST), 1e-3)
