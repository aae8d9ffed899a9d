"""Events of synthetic people: as many as the model's usage says, placed on their stays and trips, served by antenna sites.

A stay is served by the nearest site of its own zone; under way, and in a zone without a site, the nearest of all serves. Now and then
a neighbour does instead. All of it is a function of (model, seed, sites, options, person, day): blocks and workers cannot change it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.counts.usage import EVENTS_EDGES
from synthmob.domain import EVENT_DURATION_EDGES_S, VOLUME_EDGES_KB
from synthmob.errors import InputError
from synthmob.model.usage import NO_USAGE, Usage
from synthmob.synthesis.contacts import Contacts, Ties
from synthmob.synthesis.days import Block, Population
from synthmob.synthesis.order import even
from synthmob.synthesis.sites import Sites, drawn

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
USAGE_DIMENSION = 4096
"""The even sequence that persons are read off for how much they use: past those of the days."""
MOST_EVENTS = EVENTS_EDGES[-1] * 3 // 2
SITES_A_ZONE = 3
NEIGHBOUR_SHARE = 0.02
STATEMENT = (
    "How many events, of what kind, when, where, for which app, how long and how large come from the release. The sites that were drawn, "
    "the neighbours that serve instead, and who is at the other end of calls and messages (how many contacts, how often each, how far "
    "away) are public parameters: nothing about a counterpart was measured."
)


@dataclass(frozen=True)
class EventOptions:
    """The public parameters of events: sites drawn in a zone where no list is given, the share served by a neighbour, contacts."""

    sites_a_zone: int = SITES_A_ZONE
    neighbour_share: float = NEIGHBOUR_SHARE
    ties: Ties = field(default_factory=Ties)

    def __post_init__(self) -> None:
        if not 0 <= self.neighbour_share <= 0.5:
            raise InputError(f"The share of events that a neighbour serves is {self.neighbour_share!r}: give a number from 0 to 0.5.")


@dataclass(frozen=True)
class EventRows:
    """Events of a block by person and time: `second` since midnight of `day`; -1 is nothing, `site` -1 outside the zoning."""

    person: IntArray
    day: IntArray
    second: IntArray
    site: IntArray
    kind: IntArray
    direction: IntArray
    counterpart: IntArray
    duration_s: IntArray
    volume_kb: IntArray
    app: IntArray


@dataclass(frozen=True)
class Network:
    """The phones of a population: its sites, and the laws of usage laid out for the kernel."""

    population: Population
    sites: Sites
    options: EventOptions

    @staticmethod
    def of(population: Population, options: EventOptions, sites: Sites | None = None) -> Network:
        """The network over a population, its sites drawn where none are given; InputError where the model has no usage."""
        if population.model.usage is None:
            raise InputError(f"{NO_USAGE} Measure events that say their kind (call, sms, data), or leave events out.")
        return Network(population, sites or drawn(population.model.zoning, population.seed, options.sites_a_zone), options)

    def describe(self) -> dict[str, Any]:
        """What the manifest says of events: the public parameters, and that they are."""
        return {"statement": STATEMENT, "sites": len(self.sites.labels), **asdict(self.options)}

    def prepare(self) -> Network:
        """Lay out everything that blocks share, so that threads find it done."""
        _ = self._laws, self._contacts, self.sites.prepare()
        return self

    @property
    def _usage(self) -> Usage:
        usage = self.population.model.usage
        if usage is None:
            raise InputError(NO_USAGE)
        return usage

    @cached_property
    def _laws(self) -> dict[str, Any]:
        usage = self._usage
        names = ("per_day", "kinds", "directions", "durations", "volumes", "apps", "app_volumes")
        cumulative = {name: np.cumsum(getattr(usage, name), axis=1) for name in names}
        per_day = cumulative["per_day"]
        per_day[per_day[:, -1] <= 0] = 1.0  # a group of nobody has no event
        return cumulative | {
            "hours": np.cumsum(usage.hours / usage.worth, axis=1),
            "tilt": usage.tilt, "ceiling": usage.tilt.max(axis=1),
            "events_edges": np.append(np.asarray(EVENTS_EDGES), MOST_EVENTS),
            "duration_edges": np.append(np.asarray(EVENT_DURATION_EDGES_S), 4 * EVENT_DURATION_EDGES_S[-1]),
            "volume_edges": np.append(np.asarray(VOLUME_EDGES_KB), 4 * VOLUME_EDGES_KB[-1])}  # fmt: skip

    @cached_property
    def _contacts(self) -> Contacts:
        made = self.population
        pairs, alone = made.home_weights()
        return Contacts.of(self.options.ties, made.seed, made.n_persons, pairs, alone, made.model.zoning)

    def counts(self, block: Block) -> IntArray:
        """How many events each person of a block has each day: a person's days are as alike as the model says."""
        from scipy.special import ndtr, ndtri

        from synthmob.synthesis import eventkernel

        made, who, steady = self.population, block.people, float(self._usage.steady[0])
        own = even(made.seed, who.rank, USAGE_DIMENSION)
        daily = seeds.uniforms(seeds.stage_key(made.seed, "usage"), who.person[:, None], np.arange(made.days)[None, :])
        z = np.sqrt(steady) * ndtri(np.clip(own, 1e-12, 1 - 1e-12))[:, None] + np.sqrt(1 - steady) * ndtri(np.clip(daily, 1e-12, 1 - 1e-12))
        u = np.minimum(ndtr(z), 1 - 1e-12)
        return eventkernel.events_per_day(u, who.klass // 2, self._laws["per_day"], self._laws["events_edges"])

    def rows(self, block: Block) -> EventRows:
        """The events of a block."""
        from synthmob.synthesis import eventkernel

        made, law, s, who, sites = self.population, self._laws, block.stays, block.people, self.sites
        key, count = seeds.stage_key(made.seed, "events"), self.counts(block)
        first = np.searchsorted((s.person - who.person[0]) * made.days + s.day, np.arange(len(who.person) * made.days + 1))
        n = int(count.sum())
        i, second, kind, stay = (np.empty(n, dtype=np.int64) for _ in range(4))
        eventkernel.when(
            key, who.person, who.klass // 2, count, first, s.start, s.zone, law["kinds"], law["hours"], law["tilt"], law["ceiling"],
            i, second, kind, stay)  # fmt: skip
        day = s.day[stay].astype(np.int64)
        site, swap, direction, duration, volume, app = (np.empty(n, dtype=np.int64) for _ in range(6))
        lonlat, contact = np.empty((n, 2)), np.empty(n)
        eventkernel.what(
            key, who.person, who.klass // 2, made.days, day, i, second, kind, stay, s.end, s.start, s.day, s.person, s.zone, s.lonlat,
            sites.first, sites.lonlat, sites.shrink, self.options.neighbour_share, sites.neighbours.shape[1], law["directions"],
            law["durations"], law["duration_edges"], law["volumes"], law["apps"], law["app_volumes"], law["volume_edges"], site, swap,
            lonlat, direction, duration, volume, app, contact)  # fmt: skip
        self._serve(site, swap, lonlat)
        called = ~np.isnan(contact)
        counterpart = np.full(n, -1, dtype=np.int64)
        counterpart[called] = self._contacts.called(who.person[i[called]], who.home[i[called]], contact[called])
        return EventRows(who.person[i], day, second, site, kind, direction, counterpart, duration, volume, app)

    def _serve(self, site: IntArray, swap: IntArray, lonlat: FloatArray) -> None:
        """Fill in the sites of who is under way, and put neighbours where they serve instead."""
        from synthmob.synthesis import eventkernel

        moving = np.flatnonzero(site == eventkernel.MOVING)
        if len(moving):
            site[moving] = self.sites.nearest(lonlat[moving])
        swapped = np.flatnonzero((swap >= 0) & (site >= 0))
        site[swapped] = self.sites.neighbours[site[swapped], swap[swapped]]
