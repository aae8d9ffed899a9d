"""The sampling floor: how far a resample of the truth's own persons, at the synthetic size, is from the truth.

Efron 1979, doi:10.1214/aos/1176344552. Persons are drawn with replacement, never their days, because a person's days
are not independent. The draws come from `seeds`: the same seed gives the same floor.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from synthmob.errors import InputError
from synthmob.fidelity.align import Aligned, sums
from synthmob.fidelity.sides import FloatArray
from synthmob.seeds import stage_key, uniforms

BOOTSTRAPS = 20


def resamples(n_truth: int, n_synthetic: int, bootstraps: int, seed: int) -> npt.NDArray[np.int32]:
    """How often each person of the truth is drawn, shape (bootstraps, n_truth); every row sums to n_synthetic.

    >>> draws = resamples(4, 10, 2, seed=1)
    >>> draws.shape, draws.sum(axis=1).tolist()
    ((2, 4), [10, 10])

    """
    if n_truth < 1 or n_synthetic < 1 or bootstraps < 1:
        raise InputError(
            f"A floor needs persons and bootstraps: got {n_truth} true and {n_synthetic} synthetic persons and "
            f"{bootstraps} bootstraps, give at least one of each."
        )
    key = stage_key(seed, "fidelity/floor")
    draws = np.empty((bootstraps, n_truth), dtype=np.int32)
    for draw in range(bootstraps):
        # floor(u n) is within 2^-53 n of uniform: for any population here that is no person at all.
        drawn = (uniforms(key, np.arange(n_synthetic), draw=draw) * n_truth).astype(np.int64)
        draws[draw] = np.bincount(drawn, minlength=n_truth)
    return draws


def true_counts(aligned: Aligned) -> FloatArray:
    """The truth's summed weight in every cell."""
    return sums(aligned.cell, aligned.weight, aligned.cells.size)


def resampled_counts(aligned: Aligned, draws: npt.NDArray[np.int32]) -> Iterator[FloatArray]:
    """The summed weight in every cell under each resample, one at a time: large tables would not fit at once."""
    for draw in draws:
        yield sums(aligned.cell, draw[aligned.person] * aligned.weight, aligned.cells.size)
