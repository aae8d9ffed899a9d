"""The model: everything that generation needs, fitted on a release and a public zoning, and nothing else."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.counts import Public
from synthmob.counts.declared import check_axes
from synthmob.counts.timing import COARSE_DURATION_EDGES_MIN, COARSE_START_EDGES_MIN
from synthmob.domain import DAY_TYPES, MINUTES_PER_DAY, Domain
from synthmob.errors import ZoningError
from synthmob.marginals import Marginal
from synthmob.model import anchors as anchors_law
from synthmob.model import commuting as commuting_law
from synthmob.model import defaults, habits, reach
from synthmob.model import flows as flows_law
from synthmob.model import journeys as journeys_law
from synthmob.model import modes as modes_law
from synthmob.model import routines as routines_law
from synthmob.model import usage as usage_law
from synthmob.model.anchors import Anchors
from synthmob.model.commuting import Candidates, Commuting
from synthmob.model.expectation import expectation
from synthmob.model.flows import Flows
from synthmob.model.geography import Geography
from synthmob.model.journeys import LAST_EDGE_MIN
from synthmob.model.lives import Lives, sample_lives
from synthmob.model.modes import Modes
from synthmob.model.routines import Routines
from synthmob.model.segments import told_apart
from synthmob.model.timing import Bins
from synthmob.model.usage import Usage
from synthmob.period import Period
from synthmob.plan import domain_from
from synthmob.release import Release
from synthmob.zones import Zoning

LIVES_CELLS, LEAST_LIVES, MOST_LIVES, MOST_DAYS = 200_000_000, 100_000, 500_000, 7
"""Zones times days of lives, days of lives, and days of one life that destinations are fitted on: what is fitted is no better known
than a sample of so many."""
LIVES_A_PERSON = 20
"""Lives for each person of a small release: many enough that what the sample adds to the release's own error is little."""
DEFAULT_PERIOD = Period(datetime.date(2026, 3, 2), 7, "UTC")
"""A week from a Monday, for releases that are about no days at all."""


@dataclass(frozen=True)
class MobilityModel:
    """Four words fitted: anchors, flows, routines and, where the release has it, usage; and by which modes people travel, where it tells.

    `day_type_of` maps a day type of DAY_TYPES to a row of `routines`; `zoning` is the public one it was fitted on; `assumed` says in
    words what the release was silent on; `source` is the release's own privacy statement.
    """

    anchors: Anchors
    flows: Flows
    routines: Routines
    domain: Domain
    period: Period
    zoning: Zoning
    day_type_of: tuple[int, ...]
    assumed: tuple[str, ...]
    source: dict[str, Any]
    usage: Usage | None = None
    modes: Modes | None = None
    commuting: Commuting | None = None


def fit(release: Release, zoning: Zoning) -> MobilityModel:
    """A model of a release over its public zoning.

    FormatError where the release says too little, ZoningError where its zones are not those of the zoning.
    """
    tables = release.marginals
    planned = "plan" in release.info
    domain = domain_from(release.info["plan"].get("domain"), "release.json") if planned else _published_domain(tables)
    period = Period.from_json(release.info["period"]) if "period" in release.info else DEFAULT_PERIOD
    _check_zones(tables, zoning)
    check_axes(tables, Public(zoning, domain, period), planned=planned)
    geography = Geography.of(zoning, domain)
    levels = tuple(level.name for level in zoning.levels)
    anchors = anchors_law.fit_anchors(tables, levels, geography)
    if anchors.groups.shape[2] != len(domain.sex) * len(domain.age_band):  # no table has both, for everybody
        domain = replace(domain, sex=("other",), age_band=("other",), attributes=())
    tables = told_apart(tables, domain)
    assumed = _left_out(domain, planned=planned)
    people = _people(tables, anchors, domain, assumed)
    if routines_law.has_routines(tables):
        labels = tables["chains"].axes[0]
        present = [DAY_TYPES.index(labels.label(k)) for k in range(labels.size)]
        routines = routines_law.fit_routines(tables, domain, people, [len(period.days_of(kind)) for kind in present])
    else:
        present = list(range(len(DAY_TYPES)))
        routines = defaults.commuter_days(domain, people)
        assumed.append(defaults.STATEMENT)
    day_type_of = _day_type_rows(present, assumed)
    days = np.array([len(period.days_of(kind)) for kind in present])
    week = tuple(day_type_of[period.day_type(day)] for day in range(min(period.days, MOST_DAYS)))
    lives = _lives(anchors, routines, domain, week, geography, float(people.sum()))
    flows, routines, commuting = _flows_and_times(tables, levels, geography, lives, routines, domain, days)
    usage = None
    if usage_law.has_usage(tables):
        usage = usage_law.fit_usage(tables, domain, people, period, anchors.home_worker.sum(axis=1), geography)
    modes = modes_law.fit_modes(tables, routines.travel) if modes_law.has_modes(tables) else None
    return MobilityModel(
        anchors, flows, routines, domain, period, zoning, day_type_of, tuple(assumed), dict(release.info), usage, modes, commuting)


def _lives(anchors: Anchors, routines: Routines, domain: Domain, week: tuple[int, ...], geography: Geography, people: float) -> Lives:
    """The lives that destinations are fitted on, of so many people: more of few people, so that they add little error of their own."""
    enough = np.clip(LIVES_A_PERSON * len(week) * people, LEAST_LIVES, MOST_LIVES)
    n_lives = int(max(min(LIVES_CELLS // geography.n, enough), 4000)) // len(week)
    types = habits.by_type(routines.chains, routines.persistence, domain.purpose_of)
    return sample_lives(anchors, routines.chains, types, week, geography, n_lives)


def _flows_and_times(tables: dict[str, Marginal], levels: tuple[str, ...], geography: Geography, lives: Lives, routines: Routines,
                     domain: Domain, days: npt.NDArray[np.int64]) -> tuple[Flows, Routines, Commuting | None]:
    """Where people go, and then when, for how long they are on their way depends on where, and hours of work on the work place; and how
    far they go depends on when."""
    work_anchor = (routines.work_anchor * _shares(days)[:, None]).sum(axis=0)
    exploration, timed = routines.exploration, routines_law.has_routines(tables) and all(name in tables for name in reach.TABLES)
    begun = flows_law.begin(tables, levels, geography, lives, work_anchor, len(domain.segments), exploration, len(days),
                            goes_on=int(days.sum()) if timed else 0)  # fmt: skip
    if not routines_law.has_routines(tables):
        return begun.flows, routines, None
    some, bins = lives.every(flows_law.PART), duration_bins(domain)
    found = expectation(begun.flows, geography, some, work_anchor, begun.returns.exploration, begun.returns.sharing)
    edges = np.append(np.asarray(domain.travel_edges_min), LAST_EDGE_MIN)
    journeys = journeys_law.expected(found, some, geography, routines.travel, edges)
    routines = routines_law.with_times(routines, tables, domain, bins, journeys, days == 1)
    if not timed:
        return begun.flows, routines, None
    duration_edges = np.append(bins.fine, MINUTES_PER_DAY)
    candidates = Candidates.of(lives, routines.chains, routines.timings, geography, duration_edges, domain.segment_duties)
    commuting = commuting_law.fit(tables, candidates, geography)
    minutes = journeys_law.quantiles(routines.travel, edges)
    lives = lives.timed(routines.timings, candidates.taken(commuting), minutes, duration_edges)
    flows, returns = flows_law.go_on(begun, tables, levels, geography, lives, work_anchor, exploration, int(days.sum()))
    return flows, replace(routines, exploration=returns.exploration, sharing=np.array([returns.sharing])), commuting


def _shares(days: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The share of each day type among `days` of each; even where there are none."""
    return days / days.sum() if days.sum() > 0 else np.full(len(days), 1 / len(days))


def duration_bins(domain: Domain) -> Bins:
    """The bins of durations and starts."""
    return Bins(
        np.asarray(domain.duration_edges_min, dtype=np.int64), np.asarray(COARSE_DURATION_EDGES_MIN),
        np.asarray(COARSE_START_EDGES_MIN))


def _published_domain(tables: dict[str, Marginal]) -> Domain:
    """The standard categories, without the attributes that no published table tells."""
    told = {name for table in tables.values() for name in table.axis_names}
    attributes = tuple(name for name in ("sex", "age_band") if name in told)
    silent: dict[str, Any] = {name: ("other",) for name in ("sex", "age_band") if name not in told}
    return Domain(attributes=attributes, **silent)


def _left_out(domain: Domain, *, planned: bool) -> list[str]:
    """What the released tables do not tell and the people therefore do not have."""
    lost = [name for name in ("sex", "age_band") if name not in domain.attributes]
    said = [f"No released table tells {name}: the column is left out." for name in lost]
    return said if planned else [
        *said, "Only people with a home and a work place are in the published tables: there are no others."]


def _people(tables: dict[str, Marginal], anchors: Anchors, domain: Domain, assumed: list[str]) -> np.ndarray[Any, Any]:
    """Persons by sex, age band and worker."""
    people = anchors_law.demographics(tables)
    groups = anchors.groups.sum(axis=0)
    if people is None:
        assumed.append("The release has no table of sex, age and work together: groups are those of its home tables.")
        if groups.shape[1] == len(domain.sex) * len(domain.age_band):
            return np.moveaxis(groups.reshape(2, len(domain.sex), len(domain.age_band)), 0, 2)
        people = np.zeros((len(domain.sex), len(domain.age_band), 2))
        people[-1, -1] = groups.sum(axis=1)
    return people


def _day_type_rows(present: list[int], assumed: list[str]) -> tuple[int, ...]:
    """The row of the routines for every day type; one that was not measured takes the first one that was."""
    rows = []
    for kind, label in enumerate(DAY_TYPES):
        rows.append(present.index(kind) if kind in present else 0)
        if kind not in present:
            assumed.append(f"No {label} was measured: a {label} is generated like a {DAY_TYPES[present[0]]}.")
    return tuple(rows)


def _check_zones(tables: dict[str, Marginal], zoning: Zoning) -> None:
    """Refuse a zoning whose zones or areas are not those of the release."""
    for name, table in tables.items():
        if "@" not in name:
            continue
        level = name.split("@")[1]
        labels = zoning.level_labels(level)
        for axis in table.axes:
            if axis.name in ("home", "work", "zone", "origin", "destination"):
                found = tuple(axis.label(k) for k in range(min(axis.size, len(labels))))
                if found != labels:
                    raise ZoningError(
                        f"Table {name} of the release has other {level} labels than the zoning given: use the zoning it was "
                        "measured with.")
