"""What follows what in a day: the Markov chain that released transitions make, and what it expects of every chain of purposes.

It is of second order, by third of the day, long days apart. Where few people are seen in a context it leans on what follows that purpose
whatever came before: in cells that were cut as many may hide as in others that were published. Days that are too long for a chain of
their own are drawn from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.counts.routines import PHASES, TRANSITION_WEIGHT
from synthmob.domain import ChainAxis
from synthmob.model import reconcile
from synthmob.model.chains import HOME, MAX_STAYS, NOBODY
from synthmob.model.reconcile import LEAST, FloatArray, Noisy

LEAN_CUTS = 4.0
"""With as many persons as so many cuts a context leans on the coarser one before it."""
FIRST_LEAN = 1.0 / 16.0
"""What of it is left for the first stay of a day: who wakes up elsewhere does as others do there only for want of anything better."""
LONG_CHAINS, LEAST_LONG_CHAINS = 12_000, 250
"""Chains of long days that are drawn: one a person and at most so many of all lengths together, at least so many of one length."""


@dataclass(frozen=True)
class Law:
    """`first` (purposes,) the share of days that begin with each purpose; `follow` (before + 1, purpose, phase, after + 1), 'none' first,
    what comes after a stay, rows that sum to 1; days of more than `longest` stays are long ones."""

    first: FloatArray
    follow: FloatArray
    longest: int


def phase(rank: int, n_stays: int, longest: int) -> int:
    """The third of the day's stays that a stay lies in, counted on from PHASES for days of more than `longest` stays.

    >>> [phase(r, 5, 8) for r in range(5)], phase(0, 9, 8)
    ([0, 0, 1, 1, 2], 3)
    """
    return rank * PHASES // n_stays + (PHASES if n_stays > longest else 0)


def fitted(released: Noisy, longest: int) -> Law:
    """The law of released transitions (before + 1, purpose, phase, after + 1), 'none' first, from these alone."""
    return _law(_turned(reconcile.backed_off(released.moved(_turned))), released, longest)


def refitted(released: Noisy, longest: int, made: FloatArray, after: FloatArray, crumbs: float) -> Law:
    """The same where days known otherwise make as many transitions as `made`, with a misfit and `crumbs` as in `reconcile.posterior`, and
    all `after` (after + 1,), over all contexts, are known: what published cells leave of these must be in those that were cut."""
    mean, variance = reconcile.posterior(made, released, crumbs=crumbs)
    return _law(reconcile.adjust(mean, variance, np.broadcast_to(np.arange(len(after)), made.shape), after), released, longest)


def _law(seen: FloatArray, released: Noisy, longest: int) -> Law:
    return markov(seen, longest, lean=LEAN_CUTS * released.cut, published=released.published)


def markov(transitions: FloatArray, longest: int, *, lean: float = LEAST, published: npt.NDArray[np.bool_] | None = None) -> Law:
    """The law of transition counts, each context leaning by `lean` persons on the purpose whatever came before, and that on all purposes.

    Two stays at home are one: home after home has no share unless one of the `published` cells has it.
    """
    possible, lean = np.ones(transitions.shape), max(lean, LEAST)
    if published is None or not published[:, HOME, :, HOME + 1].any():
        possible[:, HOME, :, HOME + 1] = possible[HOME + 1, HOME] = 0.0
    table = _turned(transitions * possible)
    weight = np.full((1, table.shape[1], 1, 1), lean)
    weight[:, 0] *= FIRST_LEAN
    of_purpose, of_before = table.sum(axis=(1, 2)), table.sum(axis=2)
    share = reconcile.conditional(of_purpose, reconcile.ladder(of_purpose, weight=lean), weight=lean)[:, None, :]
    share = (of_before + weight[..., 0] * share) / (of_before.sum(axis=2, keepdims=True) + weight[..., 0])
    share = (table + weight * share[:, :, None, :]) / (table.sum(axis=3, keepdims=True) + weight)
    follow = _turned(share) * possible + LEAST
    first = transitions[0].sum(axis=(1, 2)) + LEAST
    return Law(first / first.sum(), follow / follow.sum(axis=3, keepdims=True), longest)


def _turned(table: FloatArray) -> FloatArray:
    """Transitions with the purpose as first axis, or back: what is summed over comes behind what is kept longest."""
    return np.moveaxis(table, 1, 0)


def expected(axis: ChainAxis, lengths: FloatArray, law: Law) -> FloatArray:
    """Persons expected on every chain of the axis, shape (axis.size,), given persons by number of stays (index 1 is one stay)."""
    base = len(law.first)
    out = []
    for n in range(1, axis.max_stays + 1):
        alive = law.first.copy()  # P(c1..cr), flat in base^r
        for rank in range(n):
            step = law.follow[:, :, phase(rank, n, law.longest)]
            moves = step[0] if rank == 0 else np.tile(step[1:].reshape(base * base, base + 1), (base ** (rank - 1), 1))
            alive = alive * moves[:, 0] if rank == n - 1 else (alive[:, None] * moves[:, 1:]).ravel()
        total = alive.sum()
        out.append(alive * (lengths[n] / total if total > 0 else 0.0))
    return np.concatenate(out)


def made(axis: ChainAxis, persons: FloatArray, lengths: FloatArray, law: Law) -> FloatArray:
    """The transitions, as they are counted, of `persons` on the chains of an axis and of the law's days too long for it, `lengths` persons
    by number of stays: shape (before + 1, purpose, phase, after + 1)."""
    out = np.zeros(law.follow.shape)
    for n in range(1, axis.max_stays + 1):
        days = persons[axis.offsets[n - 1] : axis.offsets[n]].reshape((len(law.first),) * n)
        for rank in range(n):
            around = [k for k in (rank - 1, rank, rank + 1) if 0 <= k < n]
            found = days.sum(axis=tuple(k for k in range(n) if k not in around))
            before = slice(0, 1) if rank == 0 else slice(1, None)
            after = slice(0, 1) if rank == n - 1 else slice(1, None)
            cells = out[before, :, phase(rank, n, law.longest), after]
            cells += found.reshape(cells.shape)
    for n in range(axis.max_stays + 1, MAX_STAYS + 1):
        if lengths[n] > 0:
            _add_long(out, lengths[n], n, law)
    return TRANSITION_WEIGHT * out


def _add_long(out: FloatArray, persons: float, n: int, law: Law) -> None:
    """Add the transitions of so many days of `n` stays: how each stay is come to, times how the day then ends after `n`."""
    ends = to_the_end(law, n)
    come = np.zeros(law.follow.shape[:2])
    come[0] = law.first
    scale = persons / max(float((come[0] * ends[0][0]).sum()), LEAST**4)
    for rank in range(n - 1):
        part = phase(rank, n, law.longest)
        moves = come[:, :, None] * law.follow[:, :, part, 1:]
        out[:, :, part, 1:] += scale * moves * ends[rank + 1][1:]
        come = np.concatenate([np.zeros((1, len(law.first))), moves.sum(axis=0)])
    part = phase(n - 1, n, law.longest)
    out[:, :, part, 0] += scale * come * law.follow[:, :, part, 0]


def to_the_end(law: Law, n: int) -> list[FloatArray]:
    """By rank, (before + 1, purpose): the probability that a day, now at that stay, ends after exactly `n` stays."""
    ends = [law.follow[:, :, phase(n - 1, n, law.longest), 0]]
    for rank in range(n - 2, -1, -1):
        ends.insert(0, np.einsum("bpa,pa->bp", law.follow[:, :, phase(rank, n, law.longest), 1:], ends[0][1:]))
    return ends


def long_chains(lengths: FloatArray, law: Law, stage: str) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Chains of more than the law's longest days, up to MAX_STAYS stays, each length with its persons: (chains, MAX_STAYS), (chains,)."""
    rows, weights = [np.empty((0, MAX_STAYS), dtype=np.int8)], [np.empty(0)]
    each = min(1.0, LONG_CHAINS / max(float(lengths[law.longest + 1 :].sum()), 1.0))
    for n in range(law.longest + 1, MAX_STAYS + 1):
        if lengths[n] <= 0:
            continue
        drawn = _drawn(law, n, max(LEAST_LONG_CHAINS, round(each * lengths[n])), stage)
        chains, times = np.unique(drawn, axis=0, return_counts=True)
        rows.append(chains)
        weights.append(times * (lengths[n] / len(drawn)))
    return np.concatenate(rows), np.concatenate(weights)


def _drawn(law: Law, n: int, many: int, stage: str) -> npt.NDArray[np.int8]:
    """So `many` chains of `n` stays: as long as a beginning is expected more than once it is met evenly, and then by chance."""
    draws = seeds.uniforms(seeds.stage_key(0, stage), np.arange(many)[:, None], n, np.arange(n)[None, :])
    ends, every = to_the_end(law, n), np.arange(many)
    out, before = np.full((many, MAX_STAYS), NOBODY, dtype=np.int8), np.zeros(many, dtype=np.int64)
    chance = np.broadcast_to(law.first * ends[0][0], (many, len(law.first)))
    point, share = (every + draws[0, 0]) / many, np.ones(many)
    for rank in range(n):
        upto = np.cumsum(chance, axis=1)
        upto /= upto[:, -1:]
        point = np.where(share * many > 1.0, point, draws[:, rank])
        here = np.minimum((upto <= point[:, None]).sum(axis=1), len(law.first) - 1)
        low = np.where(here > 0, upto[every, here - 1], 0.0)
        width = np.maximum(upto[every, here] - low, LEAST)
        point, share = np.clip((point - low) / width, 0.0, np.nextafter(1.0, 0.0)), share * width
        out[:, rank] = here
        if rank < n - 1:
            chance = law.follow[before, here, phase(rank, n, law.longest), 1:] * ends[rank + 1][here + 1]
            before = here + 1
    return out
