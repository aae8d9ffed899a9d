"""Commuters over pairs of zones from distance alone: what pairs are expected to hold before any is looked at.

A release tells how many commute within each distance band. Inside a band fewer go far than near, as they do from band to band: a
deterrence that is level within bands sends people too far, 1.7 % on the made-up London. So its logarithm is linear between bands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthmob.model import reconcile
from synthmob.model.geography import Geography
from synthmob.model.reconcile import LEAST, Codes, FloatArray

Margin = tuple[Codes, FloatArray]
ROUNDS, ROUGH_ROUNDS, LOOKS = 30, 10, 2
START_PER_BAND = 0.1
"""How much the logarithm falls from band to band before bands are looked at."""


def commuters(homes: FloatArray, works: FloatArray, by_band: FloatArray | None, ends: Sequence[Margin], geography: Geography) -> FloatArray:
    """Workers by home and work zone, shape (zones, zones), of `homes` and `works` (zones,) persons, raked to `ends`.

    `by_band` (bands,) are as many workers by distance band, None where nobody says. Source: Wilson 1971, doi:10.1068/a030001. We depart
    from it in the deterrence, which is of no form: it is what the bands say, with a straight line between them.

    >>> xy = np.array([[0.0, 0.0], [1.1, 0.0], [1.9, 0.0], [0.0, 1.1], [0.0, 1.9]])
    >>> km = np.hypot(*np.moveaxis(xy[:, None] - xy, 2, 0)) + 0.3 * np.eye(5)
    >>> geography = Geography(xy, np.full(5, 0.3), np.digitize(km, [1.0, 2.0]).astype(np.int8), {}, (0.0, 1.0, 2.0), "district")
    >>> zone, even = np.arange(5), np.full(5, 10.0)
    >>> ends = [(np.broadcast_to(zone, (5, 5)), even), (np.broadcast_to(zone[:, None], (5, 5)), even)]
    >>> commuters(even, even, np.array([36.0, 10.0, 4.0, 0.0]), ends, geography)[0].round(1)
    array([5.7, 1.4, 0.8, 1.4, 0.8])
    """
    n, workers = geography.n, max(float(homes.sum()), LEAST)
    start = np.exp(-START_PER_BAND * np.arange(geography.n_bands))
    table = np.outer(homes, works / workers)
    for home in range(n):
        table[home] *= start[geography.bands[home]]
    if by_band is None:
        return reconcile.rake(table, ends, rounds=ROUNDS)
    margins = [(geography.bands, by_band), *ends]
    for _ in range(LOOKS):
        table = reconcile.rake(table, margins, rounds=ROUGH_ROUNDS)
        table = _between_bands(table, homes, works / workers, geography)
    return reconcile.rake(table, margins, rounds=ROUNDS)


def _between_bands(table: FloatArray, homes: FloatArray, works: FloatArray, geography: Geography) -> FloatArray:
    """Homes x works with the deterrence that a raked `table` has in its bands, its logarithm linear between their mean distances."""
    n_bands = geography.n_bands
    found, even, way_km = np.zeros(n_bands), np.zeros(n_bands), np.zeros(n_bands)
    for home in range(geography.n):
        bands, km = geography.bands[home], np.nan_to_num(geography.distances_km(home))
        found += np.bincount(bands, weights=table[home], minlength=n_bands)
        even += np.bincount(bands, weights=homes[home] * works, minlength=n_bands)
        way_km += np.bincount(bands, weights=table[home] * km, minlength=n_bands)
    known = (found > LEAST) & (even > 0)
    level = np.log(np.divide(found, even, out=np.ones(n_bands), where=known))
    inside = np.flatnonzero(known[:-1])
    if not len(inside):
        return table
    middle_km = way_km[inside] / found[inside]
    made = np.empty_like(table)
    for home in range(geography.n):
        bands, km = geography.bands[home], np.nan_to_num(geography.distances_km(home))
        line = np.interp(km, middle_km, level[inside])
        apart = (bands == n_bands - 1) | ~known[bands]  # outside lies at no distance, and of an empty band nothing is known
        made[home] = homes[home] * works * np.exp(np.where(apart, level[bands], line))
    return made
