"""The AUC of attacks on chosen targets, each of whom is in some of the same releases and not in the others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthmob.audit.evidence import CONFIDENCE
from synthmob.audit.intervals import RESAMPLES, Interval

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def auc_over_targets(scores: FloatArray, inside: BoolArray, rng: np.random.Generator) -> Interval:
    """The mean over targets of each target's own AUC, releases with the target against releases without, and its interval.

    `scores` and `inside` are (releases, targets). Targets share the releases, so the bootstrap resamples both, targets and releases
    (the pigeonhole bootstrap of Owen 2007, doi:10.1214/07-AOAS122, which errs on the wide side). A target that is in all releases, or
    in none, says nothing.

    >>> scores, inside = np.array([[2.0], [1.0], [3.0], [0.0]]), np.array([[True], [True], [False], [False]])
    >>> auc_over_targets(scores, inside, np.random.default_rng(1))[0]
    0.5
    """
    n_releases, n_targets = scores.shape
    pairs = (inside[:, None, :] & ~inside[None, :, :]).astype(np.float64)
    wins = pairs * (0.5 + 0.5 * np.sign(scores[:, None, :] - scores[None, :, :]))
    weights = np.vstack([np.ones(n_releases), rng.multinomial(n_releases, np.full(n_releases, 1.0 / n_releases), RESAMPLES)])
    rows = [np.einsum("ta,tb,abk->tk", weights, weights, part, optimize=True) for part in (wins, pairs)]
    found = np.divide(rows[0], rows[1], out=np.full_like(rows[0], np.nan), where=rows[1] > 0)
    value = _mean(found[0])
    picked = rng.integers(n_targets, size=(RESAMPLES, n_targets))
    drawn = [_mean(row[some]) for row, some in zip(found[1:], picked, strict=True)]
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return value, min(value, float(low)), max(value, float(high))


def _mean(found: FloatArray) -> float:
    """The mean of what is known; chance where nothing is."""
    known = found[np.isfinite(found)]
    return float(known.mean()) if len(known) else 0.5
