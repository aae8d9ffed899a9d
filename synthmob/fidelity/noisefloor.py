"""What a release's own noise and cut, and the size of a synthetic population, make of a perfect match.

A parametric bootstrap: take the synthetic counts for the exact truth, add the release's noise, cut, and compare a
sample of that truth with what is left. The cut keeps the cells that noise lifted, so even the exact truth looks short
of people in them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synthmob.fidelity.align import IntArray
from synthmob.fidelity.sides import FloatArray
from synthmob.seeds import stage_key, uniforms


def common_part_error(released: FloatArray, made: FloatArray) -> float:
    """1 - CPC with totals as they are: sum |a - b| / (sum a + sum b), 0 to 1.

    >>> common_part_error(np.array([3.0, 1.0]), np.array([1.0, 1.0]))
    0.3333333333333333

    """
    total = float(released.sum() + made.sum())
    return float(np.abs(released - made).sum()) / total if total > 0 else 0.0


@dataclass(frozen=True)
class Noise:
    """Noise of a table: sigma and cut in persons, true persons per synthetic person, and the cells where nobody is."""

    sigma: float
    cut: float
    scale: float
    n_empty: int

    def variance(self, released: FloatArray, made: FloatArray) -> FloatArray:
        """Variance of (released - made) when both speak of the same truth: noise, and sampling of whole persons."""
        return self.sigma**2 + self.scale * (np.maximum(released, 0.0) + made) / 2

    def residuals(self, released: FloatArray, made: FloatArray) -> FloatArray:
        """(made - released) in standard deviations of every cell; 0 where both are 0 without noise."""
        deviation = np.sqrt(self.variance(released, made))
        return np.divide(made - released, deviation, out=np.zeros_like(made), where=deviation > 0)

    def chi2(self, released: FloatArray, made: FloatArray) -> FloatArray:
        """residual^2 / variance of every cell."""
        return self.residuals(released, made) ** 2

    def empty_cells(self) -> tuple[float, float, float]:
        """Expected number, sum and chi-square of published cells that nobody is in: noise carried them over the cut."""
        if self.sigma <= 0 or self.cut <= 0:
            return 0.0, 0.0, 0.0
        a = self.cut / self.sigma
        density, tail = math.exp(-a * a / 2) / math.sqrt(2 * math.pi), math.erfc(a / math.sqrt(2)) / 2
        mean_variance = self.sigma**2 + self.scale * self.cut / 2
        return (
            self.n_empty * tail,
            self.n_empty * self.sigma * density,
            self.n_empty * self.sigma**2 * (a * density + tail) / mean_variance,
        )


@dataclass(frozen=True)
class Expected:
    """What to expect of a perfect match: the error of a sample of the truth, of the truth, and chi-square per cell."""

    error: float
    noise_error: float
    chi2: float


def simulated(noise: Noise, cells: IntArray, truth: FloatArray, draws: int, stage: str) -> Expected:
    """Mean errors over `draws` releases of `truth` (persons in each flat cell), the same for the same stage name."""
    errors, noise_errors, chi2s = np.zeros(draws), np.zeros(draws), np.zeros(draws)
    n_lifted, sum_lifted, chi2_lifted = noise.empty_cells()
    for k in range(draws):
        released = truth + noise.sigma * _normals(f"fidelity/outside/noise/{stage}", cells, k)
        sample = np.maximum(
            truth + np.sqrt(noise.scale * truth) * _normals(f"fidelity/outside/sample/{stage}", cells, k), 0.0
        )
        kept = released >= noise.cut if noise.cut > 0 else np.ones(len(truth), dtype=np.bool_)
        shown, exact, sample = np.maximum(released[kept], 0.0), truth[kept], sample[kept]
        errors[k] = _with_lifted(shown, sample, sum_lifted)
        noise_errors[k] = _with_lifted(shown, exact, sum_lifted)
        n_shown = len(shown) + n_lifted
        chi2s[k] = (noise.chi2(shown, sample).sum() + chi2_lifted) / n_shown if n_shown > 0 else 0.0
    return Expected(float(errors.mean()), float(noise_errors.mean()), float(chi2s.mean()))


def _with_lifted(shown: FloatArray, made: FloatArray, lifted: float) -> float:
    """`common_part_error` with `lifted` released persons more, in cells where nobody is."""
    return common_part_error(np.append(shown, lifted), np.append(made, 0.0))


def _normals(stage: str, cells: IntArray, draw: int) -> FloatArray:
    from scipy.special import ndtri

    return ndtri(np.maximum(uniforms(stage_key(0, stage), cells, draw=draw), 2.0**-54))
