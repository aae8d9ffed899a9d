"""How many persons have a day of every chain of purposes: what the Markov chain of transitions expects, corrected by what was released.

Outlines of chains, in which all errands are alike, more often survive the cut, so they come first and the chains themselves after. Both,
and the sums of trips, say something of transitions that were cut: what days one round makes is what transitions are expected to be in
the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthmob.counts.routines import MOST_TRIPS, PHASES, TRANSITION_WEIGHT
from synthmob.domain import Domain
from synthmob.model import chains, reconcile, transitions
from synthmob.model.reconcile import LEAST, FloatArray, Noisy
from synthmob.model.transitions import Law

ROUNDS = 5
CRUMBS = 1.0 / 3.0
"""Small cells are off by as much as a third of the cut besides: the misfit is measured on large ones, and rare days are less like what
the Markov chain makes of them than frequent days are."""


@dataclass(frozen=True)
class Released:
    """What was released of the days of one type: `transitions` (before + 1, purpose, phase, after + 1), and, where they were, `outlines` by
    outline, `chains` by chain, and `trips` (purposes + 1,), what is missing to the whole last."""

    transitions: Noisy
    outlines: Noisy | None
    chains: Noisy
    trips: Noisy | None


def settled(domain: Domain, lengths: FloatArray, released: Released) -> tuple[FloatArray, Law]:
    """Persons on every chain of the domain's axis, shape (axis.size,), and the law of all days, given persons by number of stays (index 1
    is one stay)."""
    axis, seen = domain.chain_axis, released.transitions
    law = transitions.fitted(seen, axis.max_stays)
    persons = _corrected(domain, transitions.expected(axis, lengths, law), lengths, released)
    for _ in range(ROUNDS):
        made = transitions.made(axis, persons, lengths, law)
        law = transitions.refitted(seen, axis.max_stays, made, _after(made, lengths, released.trips), CRUMBS * seen.cut)
        persons = _corrected(domain, transitions.expected(axis, lengths, law), lengths, released)
    return persons, law


def _corrected(domain: Domain, prior: FloatArray, lengths: FloatArray, released: Released) -> FloatArray:
    """Persons expected on every chain after a look at the outlines and at the chains; both sum to the lengths of days."""
    axis, outline, outlines = domain.chain_axis, domain.outline_axis, released.outlines
    group, sums = chains.by_length(axis), lengths[1 : axis.max_stays + 1]
    if outlines is not None:
        group = chains.outlines(axis, outline, domain.outline_of)
        expected = reconcile.sums_by(group, prior, outline.size)
        sums = reconcile.settle(expected, outlines, chains.by_length(outline), sums, crumbs=CRUMBS * outlines.cut)
    return reconcile.settle(prior, released.chains, group, sums, crumbs=CRUMBS * released.chains.cut)


def _after(made: FloatArray, lengths: FloatArray, trips: Noisy | None) -> FloatArray:
    """What follows stays, over all contexts, (after + 1,): the end of every day, and trips by purpose, as many as are `made` or, where
    they were released, as their sums say. Trips of long days that are not in these stay as they are made."""
    people, found = float(lengths.sum()), made.sum(axis=(0, 1, 2))[1:] / TRANSITION_WEIGHT
    if trips is not None:
        long = made[:, :, PHASES:, 1:].sum(axis=(0, 1, 2)) + LEAST
        late = long / long.sum() * float(lengths @ np.maximum(np.arange(len(lengths)) - 1.0 - MOST_TRIPS, 0.0))
        found = late + by_purpose(np.maximum(found - late, 0.0), trips, people)
    return TRANSITION_WEIGHT * np.append(people, found)


def by_purpose(expected: FloatArray, noisy: Noisy, people: float) -> FloatArray:
    """Trips by purpose (purposes,) after seeing their released sums, in parts of a person and what is missing to the whole last; as
    many altogether as `expected`."""
    scale = MOST_TRIPS * people / max(float(np.nansum(noisy.count)), LEAST)
    found = reconcile.posterior(expected, Noisy(noisy.count[:-1] * scale, noisy.sigma * scale, noisy.cut * scale))[0]
    return found * (expected.sum() / max(float(found.sum()), LEAST))
