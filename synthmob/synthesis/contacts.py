"""Who is at the other end: contacts of synthetic persons by public parameters alone, nothing about a counterpart is measured.

A person has so many contacts, calls the first of them most, and has them near home more often than far away. The lists are drawn
one by one: that B is a contact of A does not make A one of B.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.errors import InputError
from synthmob.synthesis.order import persons_of_ranks
from synthmob.zones import Zoning

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
MOST_ROWS = 3_000
"""Beyond so many zones a home reaches as far as the first zone of its district does: the table stays small."""


@dataclass(frozen=True)
class Ties:
    """The public parameters: contacts of a person are log-normal, how often is Zipf's law, how far a power of the distance.

    Skewed degrees: Onnela and others 2007, doi:10.1073/pnas.0610245104. Distance: Lambiotte and others 2008,
    doi:10.1016/j.physa.2008.05.014, find the square; we depart from it by a kilometre that is added, so that neighbours differ little.
    """

    median: float = 8.0
    spread: float = 0.8
    most: int = 200
    decay: float = 2.0
    near_km: float = 1.0

    def __post_init__(self) -> None:
        if not (1 <= self.median <= self.most and 0 <= self.spread <= 3 and 0 <= self.decay <= 10 and self.near_km > 0):
            raise InputError(f"The contacts asked for cannot be drawn ({self}): give a median of at least 1 and a decay from 0 to 10.")


@dataclass(frozen=True)
class Contacts:
    """The law of contacts over a population: `reach` (rows, zones) cumulative weights, the row of each home zone, and the ranks of who
    lives where."""

    ties: Ties
    seed: int
    n_persons: int
    reach: npt.NDArray[np.float32]
    row: IntArray
    worker_first: IntArray
    other_first: IntArray

    @staticmethod
    def of(ties: Ties, seed: int, n_persons: int, pairs: FloatArray, alone: FloatArray, zoning: Zoning) -> Contacts:
        """`pairs` cumulates (home, work) flat and `alone` homes of people without work, both over zones with `outside` last."""
        total, n = float(pairs[-1] + alone[-1]), len(alone)
        ends = np.concatenate([pairs[n - 1 :: n], pairs[-1] + alone])
        first = np.clip(np.ceil(np.append(0.0, ends) / total * n_persons - 0.5), 0, n_persons).astype(np.int64)
        worker_first, other_first = first[: n + 1], first[n:]
        lives = np.diff(worker_first) + np.diff(other_first)
        everywhere = np.arange(n)
        _, start, row = np.unique(everywhere if n <= MOST_ROWS else zoning.parent_of("district"), return_index=True, return_inverse=True)
        reach = np.empty((len(start), n), dtype=np.float32)
        for k, home in enumerate(start):
            km = np.nan_to_num(zoning.distances_km(home, everywhere), nan=np.inf if home < n - 1 else 0.0)
            weight = lives * (ties.near_km + km) ** -ties.decay
            reach[k] = np.cumsum(weight / max(float(weight.sum()), 1e-300))
        return Contacts(ties, seed, n_persons, reach, row.astype(np.int64), worker_first, other_first)

    def called(self, person: IntArray, home: IntArray, u: FloatArray) -> IntArray:
        """The contact that each event is with, `u` in [0, 1) a draw for which of theirs: person ids, -1 where there is nobody else."""
        from scipy.special import ndtri

        if self.n_persons < 2:
            return np.full(len(person), -1)
        key, ties = seeds.stage_key(self.seed, "contacts"), self.ties
        z = ndtri(np.clip(seeds.uniforms(key, person), 1e-12, 1 - 1e-12))
        degree = np.clip(np.rint(ties.median * np.exp(ties.spread * z)), 1, ties.most)
        which = np.minimum(((degree + 1.0) ** u).astype(np.int64), degree.astype(np.int64))
        zone = _rows_picked(self.reach, self.row[home], seeds.uniforms(key, person, which, 1))
        workers, others = np.diff(self.worker_first)[zone], np.diff(self.other_first)[zone]
        nth = (seeds.uniforms(key, person, which, 2) * (workers + others)).astype(np.int64)
        rank = np.where(nth < workers, self.worker_first[zone] + nth, self.other_first[zone] + nth - workers)
        rank = np.minimum(rank, self.n_persons - 1)
        found = persons_of_ranks(self.seed, self.n_persons, rank)
        self_called = found == person
        found[self_called] = persons_of_ranks(self.seed, self.n_persons, (rank[self_called] + 1) % self.n_persons)
        return found


def _rows_picked(cumulative: npt.NDArray[np.float32], row: IntArray, u: FloatArray) -> IntArray:
    """For every entry the first column of its row whose cumulative weight exceeds u, rows gone through one at a time."""
    out = np.empty(len(row), dtype=np.int64)
    order = np.argsort(row, kind="stable")
    ends = np.flatnonzero(np.diff(row[order])) + 1
    for mine in np.split(order, ends):
        if len(mine):
            law = cumulative[row[mine[0]]]
            out[mine] = np.minimum(np.searchsorted(law, u[mine] * law[-1], side="right"), len(law) - 1)
    return out
