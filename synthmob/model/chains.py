"""Which purposes follow one another in a day, and for whom.

A second-order Markov chain over purposes gives every chain an expectation; the released chains correct it, with the misfit of
the Markov chain measured where it expects many people. Long days, which have no cell, are drawn from the Markov chain. The mix of
chains by group is raked to the released lengths and participations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.counts.routines import MOST_TRIPS, PHASES
from synthmob.domain import ChainAxis
from synthmob.model.reconcile import LEAST, FloatArray

IntArray = npt.NDArray[np.int64]
MAX_STAYS = 20
KEPT_CHAINS = 4000
TAIL_CHAINS = 1500
LONG_CHAINS_PER_LENGTH = 250
GROUP_ROUNDS, TRIP_STEP = 25, 0.4
NOBODY = -1
HOME = 0


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


def without_home_after_home(transitions: FloatArray, published: npt.NDArray[np.bool_]) -> FloatArray:
    """Transitions (before + 1, purpose, phase, after + 1), 'none' first, without home after home, unless a `published` cell has it: two
    stays at home are one. So much of a day is spent there that what shrinks to all purposes would make it up."""
    if published[:, HOME, :, HOME + 1].any():
        return transitions
    out = transitions.copy()
    out[:, HOME, :, HOME + 1] = out[HOME + 1, HOME] = 0.0
    return out


def markov(transitions: FloatArray) -> tuple[FloatArray, FloatArray]:
    """First purpose (purposes,) and next purpose (before + 1, purpose, phase, after + 1), 'none' first, from transition counts."""
    first = transitions[0].sum(axis=(1, 2)) + LEAST
    follow = transitions + LEAST
    return first / first.sum(), follow / follow.sum(axis=3, keepdims=True)


def expected(axis: ChainAxis, lengths: FloatArray, first: FloatArray, follow: FloatArray) -> FloatArray:
    """Persons expected on every chain of the axis, shape (axis.size,), given persons by number of stays (index 1 is one stay)."""
    base = len(first)
    out = []
    for n in range(1, axis.max_stays + 1):
        alive = first.copy()  # P(c1..cr), flat in base^r
        for rank in range(n):
            step = follow[:, :, phase(rank, n, axis.max_stays)]
            moves = step[0] if rank == 0 else np.tile(step[1:].reshape(base * base, base + 1), (base ** (rank - 1), 1))
            alive = alive * moves[:, 0] if rank == n - 1 else (alive[:, None] * moves[:, 1:]).ravel()
        total = alive.sum()
        out.append(alive * (lengths[n] / total if total > 0 else 0.0))
    return np.concatenate(out)


def phase(rank: int, n_stays: int, longest: int) -> int:
    """The third of the day's stays that a stay lies in, counted on from PHASES for days of more than `longest` stays.

    >>> [phase(r, 5, 8) for r in range(5)], phase(0, 9, 8)
    ([0, 0, 1, 1, 2], 3)
    """
    return rank * PHASES // n_stays + (PHASES if n_stays > longest else 0)


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


def long_chains(lengths: FloatArray, shortest: int, first: FloatArray, follow: FloatArray, stage: str
                ) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Markov chains of `shortest` to MAX_STAYS stays, each length with its persons: (chains, MAX_STAYS), (chains,)."""
    base = len(first)
    rows, weights = [], []
    for n in range(shortest, MAX_STAYS + 1):
        if lengths[n] <= 0:
            continue
        # ends[rank][before, purpose]: probability that the day, now at that rank, ends after exactly n stays.
        ends = [follow[:, :, phase(n - 1, n, shortest - 1), 0]]
        for rank in range(n - 2, -1, -1):
            ends.insert(0, np.einsum("bpa,pa->bp", follow[:, :, phase(rank, n, shortest - 1), 1:], ends[0][1:]))
        draws = seeds.uniforms(seeds.stage_key(0, stage), np.arange(LONG_CHAINS_PER_LENGTH)[:, None], n, np.arange(n)[None, :])
        for row in draws:
            chain, before = np.full(MAX_STAYS, NOBODY, dtype=np.int8), 0
            chance = first * ends[0][0]
            for rank in range(n):
                here = int(min(np.searchsorted(np.cumsum(chance), row[rank] * chance.sum(), side="right"), base - 1))
                chain[rank] = here
                if rank < n - 1:
                    chance = follow[before, here, phase(rank, n, shortest - 1), 1:] * ends[rank + 1][here + 1]
                    before = here + 1
            rows.append(chain)
            weights.append(lengths[n] / LONG_CHAINS_PER_LENGTH)
    if not rows:
        return np.empty((0, MAX_STAYS), dtype=np.int8), np.empty(0)
    return np.array(rows, dtype=np.int8), np.array(weights)


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
        for n in range(1, MAX_STAYS + 1):
            chosen = lengths == n
            if chosen.any():
                table[:, chosen] *= _ratio(class_lengths[:, n], table[:, chosen].sum(axis=1))[:, None]
        table[:, known] *= _ratio(weights[known], table[:, known].sum(axis=0))[None, :]
    return table * _ratio(classes, table.sum(axis=1))[:, None]


def trips_of(purposes: npt.NDArray[np.int8], n_purposes: int) -> FloatArray:
    """Trips of every chain by purpose, of the first MOST_TRIPS of the day, shape (chains, n_purposes)."""
    made = purposes[:, 1 : MOST_TRIPS + 1]
    return np.stack([(made == p).sum(axis=1) for p in range(n_purposes)], axis=1).astype(np.float64)


def _ratio(target: FloatArray, found: FloatArray) -> FloatArray:
    """target / found where something was found, never below a thousandth: one noisy zero must not end a chain for good."""
    return np.maximum(np.divide(target, found, out=np.ones_like(found), where=found > LEAST), 1e-3)
