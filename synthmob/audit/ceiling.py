"""The most that any membership attack can come to against discrete Gaussian noise of a known rho."""

from __future__ import annotations

import math
from statistics import NormalDist


def within_one_release(rho: float) -> float:
    """The highest AUC, on average, at ranking the members of one release above the people who are not in it.

    Take a member and a stranger. Whoever knows everything else must tell the release with the one from the release with the other:
    vectors apart by D = |v - w| / sigma over all tables, of which the better guess is right with probability Phi(D / 2). Contributions
    are not negative, so D^2 <= |v|^2 / sigma^2 + |w|^2 / sigma^2, and each of these, summed over tables, is at most 2 rho. So
    Phi(sqrt(rho)), whatever the group and whatever the attacker knows. (The noise is on a grid of 1/1024 person, thousands of steps
    wide: the normal law to many digits. The Gaussian trade-off is Dong, Roth, Su 2022, doi:10.1111/rssb.12454.)

    >>> round(within_one_release(0.02436), 3)
    0.562
    """
    return NormalDist().cdf(math.sqrt(rho))


def across_releases(rho: float) -> float:
    """The highest AUC at telling, of one person, releases about groups with them from releases about as large groups without.

    The two groups differ by one person for another, D <= 2 sqrt(rho) as above; but now the two releases have noise of their own, and
    the chance that the score of one exceeds that of the other is Phi(D / sqrt(2)).

    >>> round(across_releases(0.02436), 3)
    0.587
    """
    return NormalDist().cdf(math.sqrt(2.0 * rho))
