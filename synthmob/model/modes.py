"""How people travel: modes by distance, the times that each takes, and how often a tour is by the means that its person has a habit of.

Three tables say it together (modes by distance, modes by time, times by distance), each large enough to survive its cut where the three
axes at once would not: the law is the one without an interaction of all three that meets them (Deming and Stephan 1940,
doi:10.1214/aoms/1177731829). What was cut is not zero: a mode fades with the distance from where it was last seen, and its whole is
known from the table of modes alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from synthmob.counts.modes import MODE_WEIGHT
from synthmob.counts.routines import MOST_TRIPS
from synthmob.marginals import Marginal
from synthmob.model import reconcile
from synthmob.model.reconcile import LEAST, FloatArray, Noisy

HALF_BINS = 1.0
"""A suppressed cell is expected to hold half as much with every band, or bin of time, that it lies from a published one."""
NEIGHBOURS = 2.0
"""Persons that a band leans on the shares of its neighbours by."""
RAKES = 200
LEAST_TOTAL = 1e-6
"""The least part of all trips that a band has, so that a band without any still has a law."""


@dataclass(frozen=True)
class Modes:
    """`share` (distance bands, modes): P(mode | band), rows sum to 1. `travel` (distance bands, modes, travel bins):
    P(time | band, mode), rows sum to 1; over modes they are the model's times by band. `habit` (1,): how likely a tour is
    gone with its person's own tastes instead of new ones, see `synthesis.modes`."""

    share: FloatArray
    travel: FloatArray
    habit: FloatArray


def has_modes(tables: Mapping[str, Marginal]) -> bool:
    """Whether a release says by which modes people travel how far."""
    return "modes" in tables and tables["modes"].axis_names == ("distance", "mode") and len(tables["modes"].values) > 0


def fit_modes(tables: Mapping[str, Marginal], travel: FloatArray) -> Modes:
    """The modes of a release; `travel` (distance bands, travel bins) are P(time | band) of all modes together."""
    trips = _by_distance(tables)
    totals = np.maximum(trips.sum(axis=1), LEAST_TOTAL * max(float(trips.sum()), LEAST))
    share = _smooth(trips)
    joint = totals[:, None] * share
    taking = _by_time(tables, joint.sum(axis=0), totals @ travel)
    return Modes(share, _times(joint, taking, travel), np.array([_habit(tables, share, totals / totals.sum())]))


def _by_distance(tables: Mapping[str, Marginal]) -> FloatArray:
    """Persons, MODE_WEIGHT a trip, by distance band and mode, shape (bands, modes)."""
    noisy = Noisy.of(tables["modes"]).moved(np.transpose)
    alone = reconcile.backed_off(noisy, half_bins=HALF_BINS)
    if "mode_share" not in tables:
        return alone.T
    whole = _alone(Noisy.of(tables["mode_share"])) * (MODE_WEIGHT * MOST_TRIPS)
    seen = noisy.published.any(axis=1) & (whole > 0)
    if not seen.any():
        return alone.T
    # Caps take more of trips by distance than of trips alone: what both tell of the modes that are seen is the measure.
    totals = whole * (alone[seen].sum() / whole[seen].sum())
    return reconcile.backed_off(noisy, totals, half_bins=HALF_BINS).T


def _alone(noisy: Noisy) -> FloatArray:
    """Persons of each cell of a table with nothing to lean on: a suppressed one is as likely of any order of magnitude up to the cut."""
    below = (noisy.cut - 1.0) / np.log(noisy.cut) if noisy.cut > 1.0 else 0.0
    return np.where(noisy.published, np.maximum(np.nan_to_num(noisy.count), 0.0), below)


def _smooth(trips: FloatArray) -> FloatArray:
    """P(mode | band), bands of few trips leaning on their neighbours."""
    apart = np.abs(np.arange(len(trips))[:, None] - np.arange(len(trips)))
    near = 0.5**apart @ trips + LEAST * (trips.sum(axis=0) + LEAST)
    return reconcile.conditional(trips, near / near.sum(axis=1, keepdims=True), weight=NEIGHBOURS)


def _by_time(tables: Mapping[str, Marginal], modes: FloatArray, times: FloatArray) -> FloatArray:
    """Persons, MODE_WEIGHT a trip, by mode and travel bin, with these sums over either; as if independent where nothing was released."""
    seed = modes[:, None] * times / times.sum()
    if "mode_time" in tables and tables["mode_time"].axis_names == ("mode", "minutes"):
        seed = reconcile.backed_off(Noisy.of(tables["mode_time"]), modes, half_bins=HALF_BINS) + LEAST * (seed + LEAST)
    m, t = np.indices(seed.shape)
    return reconcile.rake(seed, [(t, times), (m, modes)], rounds=RAKES)


def _times(joint: FloatArray, taking: FloatArray, travel: FloatArray) -> FloatArray:
    """P(time | band, mode) that agrees with trips by band and mode, by mode and time, and with times by band."""
    bands, modes = joint.shape
    bins = travel.shape[1]
    b, m, t = np.indices((bands, modes, bins))
    seed = (joint[..., None] + LEAST) * (travel[:, None, :] + LEAST)
    by_time = joint.sum(axis=1, keepdims=True) * travel
    own = [(b * modes + m, joint.ravel()), (b * bins + t, by_time.ravel())]
    cells = reconcile.rake(seed, [(m * bins + t, taking.ravel()), *own], rounds=RAKES)
    cells = reconcile.rake(cells, own, rounds=RAKES)  # noise may leave no table with all three: those of a band are met whatever it does
    return reconcile.conditional(cells, np.broadcast_to(travel[:, None, :], cells.shape), weight=LEAST)


def alike(one: FloatArray, other: FloatArray) -> float:
    """How likely the same tastes choose the same of two rows of shares: a mode wins both races where its time is the least in both.

    Tastes are exponential times over shares, so the chance that a mode is first in both is 1 over the sum of its rivals' larger odds.

    >>> alike(np.array([0.5, 0.5]), np.array([0.5, 0.5])), round(alike(np.array([0.75, 0.25]), np.array([0.5, 0.5])), 4)
    (1.0, 0.75)
    """
    both = (one > 0) & (other > 0)
    rivals = [np.maximum(one / one[k], other / other[k]).sum() for k in np.flatnonzero(both)]
    return float((1.0 / np.array(rivals)).sum()) if rivals else 0.0


def _habit(tables: Mapping[str, Marginal], share: FloatArray, bands: FloatArray) -> float:
    """How likely a tour follows its person's habit, from how often who leaves home goes by what they came with.

    Two tours agree by habit if both follow it, otherwise by chance; the bands of both are taken to be independent.
    """
    if "mode_again" not in tables or tables["mode_again"].axis_names != ("left", "again"):
        return 0.0
    again = np.maximum(np.nan_to_num(Noisy.of(tables["mode_again"]).count[0]), 0.0)
    if again.sum() <= 0:
        return 0.0
    overall = bands @ share
    chance = float(overall @ overall)
    by_habit = sum(
        float(p * q) * alike(share[a], share[b]) for a, p in enumerate(bands) for b, q in enumerate(bands) if p * q > LEAST_TOTAL)
    excess = (again[0] / again.sum() - chance) / max(by_habit - chance, LEAST)
    return float(np.sqrt(np.clip(excess, 0.0, 1.0)))
