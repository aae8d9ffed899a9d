"""How much more likely what is published of a group is with somebody in it than without: the score of membership attacks.

A matched filter, as in Homer et al. 2008 (doi:10.1371/journal.pgen.1000167) and Dwork et al. 2015 ("Robust traceability from trace
amounts", doi:10.1109/FOCS.2015.46), here with the covariance of people's contributions, the noise, and cells under the cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.audit.publication import Shown

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SAMPLE = 1_000
"""People of the crowd from whom the covariance is taken."""
DIAGONAL = 0.3
"""How far the covariance is shrunk towards its diagonal: people in the sample are far fewer than cells."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """What the attacker knows of people at large: others than those attacked, of the same population.

    `mean` and `variance` (columns,) are those of one person's contribution; `sample` is a CSR matrix (people, columns).
    """

    n: int
    mean: FloatArray
    variance: FloatArray
    sample: Any

    @staticmethod
    def of(people: Any) -> Crowd:
        """From a CSR matrix of people in random order; a cell that none of them is in is held to be as rare as one of them."""
        n = people.shape[0]
        mean = np.asarray(people.mean(axis=0)).ravel()
        square = np.asarray(people.multiply(people).mean(axis=0)).ravel()
        return Crowd(n, mean, np.maximum(square - mean**2, 1.0 / n), people[:SAMPLE])


@dataclass(frozen=True, eq=False)
class Few:
    """The inverse of the counts' covariance S on a few columns, as a matrix (columns, columns)."""

    columns: IntArray
    mean: FloatArray
    inverse: FloatArray

    def log_ratios(self, people: Any, excess: FloatArray) -> FloatArray:
        """d'S^-1 excess - d'S^-1 d / 2 for each of the `people` (CSR, all columns), d being what sets them off from the mean.

        `excess` (all columns) is what the counts are above a group's mean.
        """
        apart = people[:, self.columns].toarray() - self.mean
        direction = apart @ self.inverse
        return direction @ excess[self.columns] - 0.5 * (direction * apart).sum(axis=1)


@dataclass(frozen=True, eq=False)
class Many:
    """The same on many columns, S = diag + a U'U, U being the crowd's sample less its mean: inverted by Woodbury's formula."""

    columns: IntArray
    mean: FloatArray
    inverse: FloatArray
    sample: Any
    cross: FloatArray
    root: FloatArray

    @staticmethod
    def of(columns: IntArray, diagonal: FloatArray, mean: FloatArray, sample: Any, weight: float) -> Many:
        """From the diagonal (columns,), the crowd's mean and sample on the columns, and the weight `a` of U'U."""
        inverse = 1.0 / diagonal
        weighted = sample.multiply(inverse).tocsr()
        cross = weighted @ mean
        inner = (weighted @ sample.T).toarray() - cross[:, None] - cross[None, :] + (mean * inverse) @ mean
        root = np.linalg.cholesky(inner + np.eye(sample.shape[0]) / weight)
        return Many(columns, mean, inverse, sample, cross, root)

    def log_ratios(self, people: Any, excess: FloatArray) -> FloatArray:
        """As of Few."""
        from scipy.linalg import cho_solve, solve_triangular

        rows = people[:, self.columns].tocsr()
        here = self.inverse * excess[self.columns]
        inner = cho_solve((self.root, True), self.sample @ here - self.mean @ here)
        direction = here - self.inverse * (self.sample.T @ inner - self.mean * inner.sum())
        linear = rows @ direction - self.mean @ direction
        weighted = rows.multiply(self.inverse).tocsr()
        to_mean, level = weighted @ self.mean, float((self.mean * self.inverse) @ self.mean)
        apart = (weighted @ self.sample.T).toarray() - to_mean[:, None] - self.cross[None, :] + level
        own = np.asarray(rows.multiply(weighted).sum(axis=1)).ravel() - 2.0 * to_mean + level
        return linear - 0.5 * (own - (solve_triangular(self.root, apart.T, lower=True) ** 2).sum(axis=0))


def of_shown_cells(crowd: Crowd, group: int, noise: FloatArray, columns: IntArray) -> Few | Many:
    """What scores the counts of a group of so many people that are shown in the `columns`, with `noise` (all columns) added."""
    mean, sample = crowd.mean[columns], crowd.sample[:, columns].tocsr()
    diagonal = DIAGONAL * _spread(crowd, group)[columns] + noise[columns]
    n = sample.shape[0]
    weight = (1.0 - DIAGONAL) * group / n
    if len(columns) > n:
        return Many.of(columns, diagonal, mean, sample, weight)
    centred = sample.toarray() - mean
    return Few(columns, mean, np.linalg.inv(np.diag(diagonal) + weight * (centred.T @ centred)))


def of_cut_cells(crowd: Crowd, group: int, shown: Shown, people: Any) -> FloatArray:
    """The part of the log ratio that lies in cells being below the cut, to second order and cell by cell."""
    columns = np.flatnonzero(~shown.known)
    mean = crowd.mean[columns]
    slope, bend = below(shown.cut[columns], group * mean, _spread(crowd, group)[columns] + shown.noise[columns])
    rows = people[:, columns].tocsr()
    linear = rows @ slope - mean @ slope
    square = rows.multiply(rows) @ bend - 2.0 * (rows @ (mean * bend)) + (mean**2) @ bend
    return linear - 0.5 * square


def below(cut: FloatArray, mean: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How log P(X < cut) changes with the mean of a normal X: its first derivative, and minus its second.

    The first is (E[X | X < cut] - mean) / variance: a cell that was cut is known to be low, never to be zero.

    >>> [round(float(x[0]), 4) for x in below(np.array([0.0]), np.array([0.0]), np.array([1.0]))]
    [-0.7979, 0.6366]
    """
    from scipy.special import log_ndtr

    scale = np.sqrt(variance)
    at = (cut - mean) / scale
    hazard = np.exp(-0.5 * at * at - 0.5 * np.log(2.0 * np.pi) - log_ndtr(at))
    return -hazard / scale, hazard * (hazard + at) / variance


def _spread(crowd: Crowd, group: int) -> FloatArray:
    """The variance of the counts of a group about the crowd's mean, which itself is a mean of so many people."""
    return group * crowd.variance * (1.0 + group / crowd.n)
