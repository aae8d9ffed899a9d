"""Linkability: whether synthetic people tell which two records, of different attributes, are of the same person.

Giomi et al. 2023 (arXiv:2211.10459), section 4.3: an attacker has two sets of attributes of the same people and not which belongs
to which. For each half of a person the most similar synthetic people are found; the halves are linked where one synthetic person is
among the nearest of both. The halves here are what a register has of people, and what their days are like.

We depart from it in equals: of synthetic people who are equally near, which is common where attributes are few and coarse, those
that count as the nearest are drawn at random instead of by their position in the table.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthmob.audit.attributes import BELONGING, Attributes
from synthmob.audit.neighbours import distances, nearest

NEIGHBOURS = (1, 10)
"""How many nearest synthetic people of each half are looked at."""


def linked(targets: Attributes, synthetic: Attributes, rng: np.random.Generator) -> dict[int, npt.NDArray[np.bool_]]:
    """Whether the halves of each target are linked, shape (targets,), by the number of neighbours that are looked at."""
    register = np.array([name in BELONGING for name in targets.names])
    found = {k: np.zeros(len(targets), dtype=np.bool_) for k in NEIGHBOURS}
    for rows, apart, jitter in distances(targets, synthetic, rng):
        ours = nearest(apart[register].sum(axis=0) + jitter, max(NEIGHBOURS))
        theirs = nearest(apart[~register].sum(axis=0) + jitter[:, ::-1], max(NEIGHBOURS))
        for k in NEIGHBOURS:
            found[k][rows] = (ours[:, :k, None] == theirs[:, None, :k]).any(axis=(1, 2))
    return found


def linked_by_chance(n_targets: int, n_synthetic: int, rng: np.random.Generator) -> dict[int, npt.NDArray[np.bool_]]:
    """The same for an attacker who draws the neighbours of both halves at random.

    >>> linked_by_chance(2, 1, np.random.default_rng(1))[1].tolist()
    [True, True]
    """
    found = {k: np.zeros(n_targets, dtype=np.bool_) for k in NEIGHBOURS}
    for k in NEIGHBOURS:
        for target in range(n_targets):
            ours, theirs = (rng.choice(n_synthetic, size=min(k, n_synthetic), replace=False) for _ in range(2))
            found[k][target] = bool(np.intersect1d(ours, theirs).size)
    return found
