"""A table of which two sums are known and many cells were cut: groups by what they do, where the sums of both come from other tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthmob.model import reconcile
from synthmob.model.reconcile import Codes, FloatArray, Noisy

ROUNDS, RAKES = 6, 4


def balanced(noisy: Noisy, margins: Sequence[tuple[Codes, FloatArray]]) -> FloatArray:
    """An estimate of a (context..., bin) table whose sums by each of `margins` (codes of the table flattened to (contexts, bins), and
    totals) are known.

    Contexts are shrunk towards coarser ones as in `backed_off`; what published cells leave of a margin goes to where the release says
    least, so a suppressed cell may hold up to the cut before a published one is scaled.
    """
    shape = noisy.count.shape
    flat = (int(np.prod(shape[:-1])), shape[-1])
    raked = reconcile.rake(np.ones(flat), margins, rounds=RAKES).reshape(shape)
    estimate, _variance = reconcile.posterior(raked, noisy)
    for _ in range(ROUNDS):
        prior = reconcile.rake(estimate.sum(axis=-1).reshape(-1, 1) * reconcile.ladder(estimate).reshape(flat), margins, rounds=RAKES)
        mean, variance = reconcile.posterior(prior.reshape(shape), noisy)
        estimate = mean.reshape(flat)
        for _again in range(RAKES):
            for codes, totals in margins:
                estimate = reconcile.adjust(estimate, variance.reshape(flat), codes, totals)
        estimate = estimate.reshape(shape)
    return estimate
