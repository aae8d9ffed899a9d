"""Individual trajectories out of counts of people by place and hour, without knowing anything of anybody.

After Xu, Tu, Li, Zhang, Fu, Jin 2017, 'Trajectory Recovery From Ash' (arXiv:1702.06270, doi:10.1145/3038912.3052620). From one
hour to the next the recovered people are assigned to the places of the count so that the sum of distances is least (Hungarian
method): by night to where they are, by day to where their last step would carry them once more. Days are linked to each other so
that the information gain, the entropy of places of two days together less the mean of theirs alone, is least in sum.

Two departures, which both make the attack stronger on stays of hours (the paper has cells of minutes): a place where somebody has
not yet been on that day is as far again as the whole area is wide, because people return; and a day is linked to all days
recovered before it, not to the last alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthmob.audit.whereabouts import HOURS, IntArray
from synthmob.zones import Zoning

FloatArray = npt.NDArray[np.float64]

NIGHT_UNTIL = 6


def places_km(zoning: Zoning) -> FloatArray:
    """A point for every zone, `outside` last: as far east of the area as it is wide; km, shape (zones + 1, 2)."""
    inside = zoning.centroids_km[:-1]
    west_south, east_north = inside.min(axis=0), inside.max(axis=0)
    width = max(float((east_north - west_south).max()), 1.0)
    return np.vstack([inside, [east_north[0] + width, (west_south[1] + east_north[1]) / 2]])


def recover(counts: IntArray, places: FloatArray) -> IntArray:
    """The places of recovered people, shape (people, hours), from counts of shape (hours, places), each hour of equal sum.

    `places` are points, km, shape (places, 2). The hours are those of whole days.

    >>> there_and_back = np.array([[2, 1, 0]] * 9 + [[1, 1, 1]] * 8 + [[2, 1, 0]] * 7)
    >>> [path[[0, 9, 23]].tolist() for path in recover(there_and_back, np.array([[0.0, 0], [9, 0], [1, 0]]))]
    [[0, 0, 0], [0, 2, 0], [1, 1, 1]]
    """
    days = [_one_day(counts[hour : hour + HOURS], places) for hour in range(0, len(counts), HOURS)]
    linked = days[0]
    for day in days[1:]:
        linked = np.hstack([linked, day[_followers(linked, day, len(places))]])
    return linked


def _one_day(counts: IntArray, places: FloatArray) -> IntArray:
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    every = np.arange(len(places))
    people = int(counts[0].sum())
    far = float(np.ptp(places, axis=0).max()) + 1.0
    path = np.zeros((people, len(counts)), dtype=np.int64)
    path[:, 0] = np.repeat(every, counts[0])
    new = np.full((people, len(places)), far)
    for hour in range(1, len(counts)):
        new[np.arange(people), path[:, hour - 1]] = 0.0
        expected = places[path[:, hour - 1]]
        if hour >= NIGHT_UNTIL:
            expected = 2 * expected - places[path[:, hour - 2]]
        offered = np.repeat(every, counts[hour])
        who, to = linear_sum_assignment((cdist(expected, places) + new)[:, offered])
        path[who, hour] = offered[to]
    return path


def _followers(before: IntArray, day: IntArray, n_places: int) -> IntArray:
    """For everybody recovered so far, who they are on the next day: the links of least information gain in sum."""
    from scipy.optimize import linear_sum_assignment

    shares, next_shares = _shares(before, n_places), _shares(day, n_places)
    alone, next_alone = _entropy(shares).sum(axis=1), _entropy(next_shares).sum(axis=1)
    apart = _entropy(next_shares / 2)
    all_apart = apart.sum(axis=1)
    gain = np.empty((len(before), len(day)))
    for person, share in enumerate(shares):
        at = np.flatnonzero(share)
        together = all_apart - apart[:, at].sum(axis=1) + _entropy((share[at] + next_shares[:, at]) / 2).sum(axis=1)
        gain[person] = together - (alone[person] + next_alone) / 2
    return linear_sum_assignment(gain)[1]


def _shares(paths: IntArray, n_places: int) -> FloatArray:
    counts = np.zeros((len(paths), n_places))
    np.add.at(counts, (np.arange(len(paths))[:, None], paths), 1.0)
    return counts / paths.shape[1]


def _entropy(shares: FloatArray) -> FloatArray:
    """-p log2 p, elementwise."""
    return -shares * np.log2(np.where(shares > 0, shares, 1.0))


def matched(paths: IntArray, truth: npt.NDArray[np.integer]) -> FloatArray:
    """Which part of the hours of each true trajectory its recovered one has right, one to one so that the sum is largest.

    `truth` has shape (people, hours), as many people as `paths`; the result shape (people,).

    >>> matched(np.array([[0, 0], [1, 2]]), np.array([[1, 1], [0, 2]])).tolist()
    [0.5, 0.5]
    """
    from scipy.optimize import linear_sum_assignment

    right = np.zeros((len(truth), len(paths)))
    for hour in range(truth.shape[1]):
        right += truth[:, hour][:, None] == paths[:, hour][None, :]
    who, whose = linear_sum_assignment(right, maximize=True)
    out = np.zeros(len(truth))
    out[who] = right[who, whose] / truth.shape[1]
    return out
