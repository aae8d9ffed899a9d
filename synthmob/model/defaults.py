"""Days for releases that say nothing of days, such as a census table of home and work: stated, public, and plain."""

from __future__ import annotations

import numpy as np

from synthmob.counts.routines import WORK_STAYS
from synthmob.domain import DAY_TYPES, Domain
from synthmob.model.chains import MAX_STAYS, NOBODY, Chains
from synthmob.model.reconcile import FloatArray
from synthmob.model.routines import Routines
from synthmob.model.timing import QUARTERS, Timing

LEAVE_MEAN_MIN, LEAVE_SPREAD_MIN = 470.0, 50.0
WORK_MEAN_MIN, WORK_SPREAD_MIN = 510.0, 50.0
LEAST_PAIR = 1e-6
SPEED_KM_PER_H = 18.0
OVERHEAD_MIN = 8.0
STATEMENT = (
    "The release has no table of days: on weekdays workers go to work once, leaving home at about 07:50 (standard deviation "
    f"{LEAVE_SPREAD_MIN:g} min) for about 8 h 30 min, at {SPEED_KM_PER_H:g} km/h plus {OVERHEAD_MIN:g} min; all else is spent at home."
)


def commuter_days(domain: Domain, people: FloatArray) -> Routines:
    """Weekdays home-work-home for workers, all other days at home; times are normal and stated in STATEMENT."""
    return Routines(
        tuple(_chains(people, works=kind == 0) for kind in range(len(DAY_TYPES))),
        tuple(_timing(domain) for _ in DAY_TYPES),
        _travel(domain),
        np.ones((len(DAY_TYPES), len(WORK_STAYS))),
        np.full(len(domain.segments), 2.0),
        np.zeros(1),
        np.zeros(len(domain.purposes)),
    )


def _chains(people: FloatArray, *, works: bool) -> Chains:
    """Two chains: at home, and home-work-home."""
    purposes = np.full((2, MAX_STAYS), NOBODY, dtype=np.int8)
    purposes[0, 0] = 0
    purposes[1, :3] = (0, 1, 0)
    classes = people.ravel()
    worker = np.broadcast_to(np.arange(people.shape[2]) == 0, people.shape).ravel() & works
    by_class = np.stack([np.where(worker, 0.0, classes), np.where(worker, classes, 0.0)], axis=1)
    return Chains(purposes, np.array([1, 3]), by_class.sum(axis=0), np.array([-1, -1]), by_class)


def _timing(domain: Domain) -> Timing:
    """Normal first departures and normal durations, whatever the hour: all pairs of both, and a day at home."""
    quarter = _normal(np.linspace(0.0, 15.0 * QUARTERS, QUARTERS + 1), LEAVE_MEAN_MIN, LEAVE_SPREAD_MIN)
    edges = np.append(np.asarray(domain.duration_edges_min, dtype=np.float64), 1440.0)
    pairs = quarter[:, None] * _normal(edges, WORK_MEAN_MIN, WORK_SPREAD_MIN)[None, :]
    leaves, lasts = np.nonzero(pairs > LEAST_PAIR)
    schedules = np.full((1 + len(leaves), MAX_STAYS), NOBODY, dtype=np.int16)
    schedules[1:, 0], schedules[1:, 1] = leaves, lasts
    return Timing(schedules, np.concatenate([[1.0], pairs[leaves, lasts]]), np.array([0, 1, len(schedules)]))


def _travel(domain: Domain) -> FloatArray:
    """One travel time bin for every distance band: the middle of the band at the stated speed."""
    edges = np.asarray(domain.distance_edges_km)
    middle = np.append((edges[:-1] + edges[1:]) / 2, [edges[-1] * 1.2, edges[-1] * 1.2])
    minutes = OVERHEAD_MIN + middle / SPEED_KM_PER_H * 60.0
    travel_edges = np.append(np.asarray(domain.travel_edges_min, dtype=np.float64), 240.0)
    return np.stack([_normal(travel_edges, m, 0.25 * m) for m in minutes])


def _normal(edges: FloatArray, mean: float, spread: float) -> FloatArray:
    """A normal law cut to bins, sums to 1."""
    from scipy.special import ndtr

    share = np.diff(ndtr((edges - mean) / spread))
    return share / share.sum()
