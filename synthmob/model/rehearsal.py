"""A rehearsal of the fitted times: when the inner stays of each context begin, by playing a sample of days without places.

Durations are fitted given the hour of arrival, but the release does not say when each context's stays begin. Playing the days
with the times fitted so far does, and the fit is repeated with it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.domain import MINUTES_PER_DAY
from synthmob.model.chains import Chains
from synthmob.model.reconcile import FloatArray

IntArray = npt.NDArray[np.int64]
PLAYED_DAYS = 40_000
HOURS = 24
QUARTERS = 96
LEAST_LEFT = 12


def arrivals(chains: Chains, chosen: npt.NDArray[np.bool_], context: IntArray, n_contexts: int, departures: FloatArray,
             departure_row: IntArray, durations: FloatArray, duration_row: IntArray, duration_edges: IntArray, travel_min: FloatArray
             ) -> tuple[FloatArray, FloatArray]:
    """Stays by context and hour of arrival, shape (n_contexts, 24), of the chains `chosen`; and their first and later
    departures by quarter, shape (2, 96).

    `travel_min` are travel times to draw from evenly.
    """
    weights = np.where(chosen & (chains.lengths > 1), chains.weights, 0.0)
    out, left_at = np.zeros((n_contexts, HOURS)), np.zeros((2, QUARTERS))
    if weights.sum() <= 0:
        return out, left_at
    key, ticks = seeds.stage_key(0, "rehearsal"), np.arange(PLAYED_DAYS)
    cumulative = np.cumsum(weights)
    at = (ticks + 0.5) / PLAYED_DAYS * cumulative[-1]
    chain = np.minimum(np.searchsorted(cumulative, at, side="right"), len(weights) - 1)
    lengths = chains.lengths[chain]
    quarter = _pick(departures[departure_row[chain]], seeds.uniforms(key, ticks, 0, 0))
    clock = np.minimum(15 * quarter + 7, MINUTES_PER_DAY - 1 - LEAST_LEFT * (lengths - 1))
    worth = cumulative[-1] / PLAYED_DAYS
    left_at[0] = np.bincount(clock // 15, minlength=QUARTERS)
    for rank in range(1, int(lengths.max()) - 1):
        going = np.flatnonzero(lengths - 1 > rank)
        left = MINUTES_PER_DAY - LEAST_LEFT * (lengths[going] - 1 - rank)
        trip = travel_min[(seeds.uniforms(key, going, rank, 1) * len(travel_min)).astype(np.int64)]
        start = np.minimum(clock[going] + trip, left - 1)
        hour = np.minimum(start // 60, HOURS - 1).astype(np.int64)
        np.add.at(out, (context[chain[going], rank], hour), worth)
        law = durations[duration_row[chain[going], rank], hour]
        fits = duration_edges[None, :-1] < np.maximum(left - start, 1)[:, None]
        bin_ = _pick(law * fits + 1e-12 * fits, seeds.uniforms(key, going, rank, 2))
        inside = seeds.uniforms(key, going, rank, 3)
        lasting = duration_edges[bin_] + inside * (duration_edges[bin_ + 1] - duration_edges[bin_])
        clock[going] = np.minimum(start + np.maximum(lasting, 1), left).astype(np.int64)
        left_at[1] += np.bincount(np.minimum(clock[going] // 15, QUARTERS - 1), minlength=QUARTERS)
    return out, left_at * worth


def _pick(weights: FloatArray, u: FloatArray) -> IntArray:
    cumulative = np.cumsum(weights, axis=1)
    return np.minimum((cumulative <= (u * cumulative[:, -1])[:, None]).sum(axis=1), weights.shape[1] - 1)
