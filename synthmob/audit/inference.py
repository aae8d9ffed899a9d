"""Inference: what the synthetic person most like somebody tells of an attribute that the attacker does not know.

Giomi et al. 2023 (arXiv:2211.10459), section 4.4: the attacker knows all attributes of a person but one, takes the most similar
synthetic person, and guesses theirs. Half of the guesses may be right about anybody, released or not: people who live here mostly
work there. That is what statistics are for, and the rate on controls shows it; only what is above it is a leak.

We depart from it where the secret is a time: a guess is right within half an hour, not within 5 %. Where not everybody has the
secret (a work zone), people who have it are attacked, and guesses are taken from synthetic people who have it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.audit.attributes import NONE, Attributes, FloatArray
from synthmob.audit.neighbours import distances, nearest

SECRETS = {
    "age_band": "the age band", "home_zone": "the home zone", "work_zone": "the work zone",
    "other_zone": "the place most visited beside home and work", "out_min": "the time of leaving home"}
"""The attributes that are guessed, in words."""
WITHIN_MIN = 30.0


@dataclass(frozen=True, eq=False)
class Guesses:
    """Whether the guess of a secret is right, for each target who has it: by the nearest synthetic person, and by any."""

    nearest: npt.NDArray[np.bool_]
    any: npt.NDArray[np.bool_]


def guessed(targets: Attributes, synthetic: Attributes, rng: np.random.Generator) -> dict[str, Guesses]:
    """The guesses of every secret that the attributes have."""
    secrets = [name for name in SECRETS if name in targets.names]
    found = {name: np.zeros(len(targets)) for name in secrets}
    for rows, apart, jitter in distances(targets, synthetic, rng):
        whole = apart.sum(axis=0) + jitter
        for name in secrets:
            without = whole - apart[targets.names.index(name)]
            without[:, synthetic.column(name) == NONE] = np.inf
            found[name][rows] = synthetic.column(name)[nearest(without, 1)[:, 0]]
    return {name: _judged(name, targets.column(name), found[name], synthetic.column(name), rng) for name in secrets}


def _judged(name: str, truth: FloatArray, found: FloatArray, synthetic: FloatArray, rng: np.random.Generator) -> Guesses:
    has = truth != NONE
    pool = synthetic[synthetic != NONE]
    drawn = pool[rng.integers(len(pool), size=len(truth))] if len(pool) else np.full(len(truth), np.inf)
    return Guesses(_right(name, truth[has], found[has]), _right(name, truth[has], drawn[has]))


def _right(name: str, truth: FloatArray, guess: FloatArray) -> npt.NDArray[np.bool_]:
    return np.abs(truth - guess) <= (WITHIN_MIN if name.endswith("_min") else 0.0)
