"""Pupils and students in a model: education is two purposes inside it, for they go to different places at different hours.

Chains are released by purpose, and groups say who has them; tables of where and when are released by segment. A chain with education
is therefore split in two, one for pupils and one for everybody else, and all laws of places and times then tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from synthmob.domain import PUPILS, Axis, Domain
from synthmob.marginals import Marginal
from synthmob.model.chains import Chains

BY_SEGMENT = (
    "destinations", "visitors", "distances", "trip_km", "trip_km_by_departure", "trip_km_by_stay", "trip_km_by_origin",
    "first_departure_next", "departures_to", "episodes", "durations", "durations_left", "durations_between")  # fmt: skip
"""The statistics that are counted by segment."""


def told_apart(tables: Mapping[str, Marginal], domain: Domain) -> dict[str, Marginal]:
    """The tables over the segments of a domain.

    A table that others published tells no pupils apart: what it says of education holds for both. Where a release does and nobody's age
    is known all the same, both are added up.
    """
    return {name: _over(table, domain) if name.partition("@")[0] in BY_SEGMENT else table for name, table in tables.items()}


def _over(table: Marginal, domain: Domain) -> Marginal:
    where = next((k for k, axis in enumerate(table.axes) if axis.name in ("purpose", "next")), None)
    if where is None or table.axes[where].size == len(domain.segments):
        return table
    codes, values, last = table.codes, table.values, table.axes[where].size - 1
    education = domain.purposes.index("education")
    if table.axes[where].label(last) == PUPILS:
        codes = codes.copy()
        codes[codes[:, where] == last, where] = education
    else:
        same = codes[:, where] == education
        more = codes[same]
        more[:, where] = len(domain.purposes)
        codes, values = np.concatenate([codes, more]), np.concatenate([values, values[same]])
    axes = [*table.axes]
    axes[where] = Axis(axes[where].name, domain.segments)
    return replace(
        Marginal.of(table.name, axes, codes, values), sigma=table.sigma, cut=table.cut, bound_l2=table.bound_l2,
        confidential=table.confidential)


def split(chains: Chains, domain: Domain) -> Chains:
    """Chains with education twice, those of pupils behind all others and with purposes that are segments; both keep their code.

    `by_class` has a row for every (sex, age band, worker) of the domain, flat.
    """
    if not domain.pupil_bands:
        return chains
    education, pupils = domain.purposes.index("education"), len(domain.purposes)
    age = np.arange(len(chains.by_class)) // 2 % len(domain.age_band)
    theirs = chains.by_class * np.isin(age, domain.pupil_bands)[:, None]
    rows = np.flatnonzero((chains.purposes == education).any(axis=1) & (theirs.sum(axis=0) > 0))
    purposes = chains.purposes[rows]
    rest = chains.by_class.copy()
    rest[:, rows] -= theirs[:, rows]
    by_class = np.concatenate([rest, theirs[:, rows]], axis=1)
    return Chains(
        np.concatenate([chains.purposes, np.where(purposes == education, np.int8(pupils), purposes)]),
        np.concatenate([chains.lengths, chains.lengths[rows]]), by_class.sum(axis=0),
        np.concatenate([chains.codes, chains.codes[rows]]), by_class)  # fmt: skip
