"""Blocks of synthetic persons and their stays, ready for a table: the model's laws laid out for the kernel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob import seeds
from synthmob.counts.commuting import MOMENTS
from synthmob.errors import InputError
from synthmob.model import commuting, habits, journeys, reach
from synthmob.model.geography import Geography
from synthmob.model.journeys import LAST_EDGE_MIN
from synthmob.model.mobility import MobilityModel
from synthmob.model.modes import Modes
from synthmob.model.reconcile import LEAST
from synthmob.model.timing import Timing
from synthmob.synthesis import places
from synthmob.synthesis.order import even
from synthmob.synthesis.points import INWARD, Triangles
from synthmob.synthesis.population import CHAIN_DIMENSION, HABIT_DIMENSION, Homes, People, people
from synthmob.synthesis.scaling import Census, Scaling, scale

BLOCK = 16_384
BLOCK_DAYS = 8
"""A block of more days than these holds fewer persons, so that memory does not grow with the days."""
MAX_DAYS = 366
MAX_PERSONS = 10**9
LAST_DURATION_EDGE = 1440
LIVED_BY = (
    "purposes", "lengths", "schedules", "duration_edges", "travel", "travel_edges", "mode_share", "habit", "work_anchor", "exploration",
    "sharing", "deterrence", "reach", "farthest", "affinity", "attraction", "bands", "area", "spot", "patch_first", "patch_zone",
    "mass", "code", "most", "zone_alias", "tied", "near")  # fmt: skip
"""The laws that `kernel.live` takes, in its order."""


@dataclass(frozen=True)
class Stays:
    """Stays of a block, one entry each, ordered by person, day, seq; `lonlat` (stays, 2) degrees, NaN for outside; `mode` of the trip
    to each, -1 for the first of a day, and no entry at all where the model knows of no modes."""

    person: npt.NDArray[np.int64]
    day: npt.NDArray[np.int32]
    seq: npt.NDArray[np.int32]
    purpose: npt.NDArray[np.int8]
    zone: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]
    mode: npt.NDArray[np.int8]
    lonlat: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """A range of persons with their stays."""

    people: People
    stays: Stays


@dataclass(frozen=True)
class Population:
    """Synthetic people, generated block by block when asked for: a model, a seed, how many people and days.

    A block holds 16,384 persons, or fewer for more than eight days; the same block of the same population is the same to the byte,
    whoever asks, in whatever order.
    """

    model: MobilityModel
    n_persons: int
    days: int
    seed: int
    census: Census | None = None
    """The residents whom the persons stand for, where they are to be more than themselves."""

    def __post_init__(self) -> None:
        for name, most in (("n_persons", MAX_PERSONS), ("days", MAX_DAYS)):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                asked = f"The number of {name.removeprefix('n_')} asked for is {value!r}"
                raise InputError(f"{asked}: give a whole number from 1 to {most}.")
        if type(self.seed) is not int or self.seed < 0:
            raise InputError(f"The seed is {self.seed!r}: give a whole number of at least 0.")

    def who(self, index: int) -> People:
        """The persons of one block, without their days."""
        first = index * self.block_size
        return people(self._homes, self.seed, self.n_persons, first, min(first + self.block_size, self.n_persons))

    @cached_property
    def scaling(self) -> Scaling | None:
        """What each person weighs by the census; None without one. Takes a look at all persons, one block at a time."""
        if self.census is None:
            return None
        counts = np.zeros((len(self.census.areas), len(self.census.cell_of_group)), dtype=np.int64)
        for who in (self.who(k) for k in range(self.n_blocks)):
            np.add.at(counts, (self.census.area_of_zone[who.home], who.klass // 2), 1)
        return scale(self.census, counts)

    @property
    def block_size(self) -> int:
        """Persons of a block: 16,384, halved until they have no more days together than so many have in eight."""
        halvings = max((-(-self.days // BLOCK_DAYS) - 1).bit_length(), 0)
        return max(BLOCK >> halvings, 1)

    @property
    def n_blocks(self) -> int:
        """How many blocks of persons there are."""
        return -(-self.n_persons // self.block_size)

    def blocks(self) -> Iterator[Block]:
        """All blocks in order."""
        return (self.block(k) for k in range(self.n_blocks))

    @cached_property
    def geography(self) -> Geography:
        """The zoning as arrays."""
        return Geography.of(self.model.zoning, self.model.domain)

    @cached_property
    def _homes(self) -> Homes:
        return Homes.of(self.model.anchors, self.geography)

    def home_weights(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Where ranks live: cumulated weights of (home, work) pairs, flat, and of homes of people without work."""
        return self._homes.pairs, self._homes.alone

    @cached_property
    def _triangles(self) -> Triangles:
        return Triangles.of(self.model.zoning)

    @cached_property
    def _laws(self) -> dict[str, npt.NDArray[Any]]:
        return laws(self.model, self.geography)

    @cached_property
    def day_types(self) -> npt.NDArray[np.int64]:
        """The row of the routines for every day; days past the model's period go on with its calendar."""
        weekday = self.model.period.first_day.weekday()
        kinds = [(0, 1, 2)[max((weekday + day) % 7 - 4, 0)] for day in range(self.days)]
        return np.array([self.model.day_type_of[kind] for kind in kinds])

    def prepare(self) -> Population:
        """Lay out everything that blocks share, so that threads find it done."""
        _ = self.geography, self._homes, self._triangles, self._laws, self.day_types, self._homes.guide, self.scaling
        return self

    def block(self, index: int) -> Block:
        """The persons of one block and their stays."""
        from synthmob.model.outings import pick_rows
        from synthmob.synthesis import kernel, nights

        who = self.who(index)
        law = self._laws
        u = np.stack([even(self.seed, who.rank, CHAIN_DIMENSION + day) for day in range(self.days)], axis=1)
        habit = pick_rows(law["habits"], who.klass, even(self.seed, who.rank, HABIT_DIMENSION))
        chain = nights.choose(
            u, who.klass * law["habits"].shape[1] + habit, self.day_types, law["purposes"], law["lengths"], law["chain_order"],
            law["chain_cumulative"],
            law["chain_guide"], law["begins"], law["ends"])
        key = seeds.stage_key(self.seed, "days")
        commute = commuting.rows(self.geography, who.home, who.work)
        own, n = kernel.choose_schedules(
            key, who.person, commute if self.model.commuting else np.full_like(commute, -1), chain, self.day_types, law["owned"],
            law["schedule_alias"], law["hours"], law["pull"])
        out: dict[str, Any] = {
            "purpose": np.empty(n, np.int8), "zone": np.empty(n, np.int32), "start": np.empty(n, np.int32),
            "end": np.empty(n, np.int32), "day": np.empty(n, np.int32), "seq": np.empty(n, np.int32),
            "person": np.empty(n, np.int64), "mode": np.empty(n if self.model.modes is not None else 0, np.int8)}
        kernel.live(
            key, who.person, who.home, who.work, chain, own, self.day_types, *(law[n] for n in LIVED_BY), *kernel.room(law), *out.values())
        place = kernel.name_places(out["purpose"], out["zone"], np.array(self.model.domain.purpose_of, dtype=np.int8))
        stays = Stays(lonlat=self._points(out["person"], place, out["zone"]), **out)
        return Block(who, stays)

    def home_points(self, who: People) -> npt.NDArray[np.float64]:
        """Where persons live, shape (persons, 2), degrees: the point of all their stays at home."""
        from synthmob.synthesis import kernel

        return self._points(who.person, who.home * kernel.MAX_PURPOSES, who.home)

    def _points(self, person: Any, place: Any, zone: Any) -> npt.NDArray[np.float64]:
        from synthmob.synthesis import kernel

        t = self._triangles
        return kernel.points(
            seeds.stage_key(self.seed, "points"), person, place, zone, t.corners, t.first, t.cumulative, INWARD)


def laws(model: MobilityModel, geography: Geography) -> dict[str, npt.NDArray[Any]]:
    """The model's distributions as cumulative arrays, day types stacked and padded to one shape."""
    from synthmob.synthesis import nights

    routines, flows = model.routines, model.flows
    chains, bands = routines.chains, len(routines.travel)
    by_mode = Modes(np.ones((bands, 1)), routines.travel[:, None], np.zeros(1)) if model.modes is None else model.modes
    edges = np.append(np.asarray(model.domain.duration_edges_min), LAST_DURATION_EDGE)
    travel_edges = np.append(np.asarray(model.domain.travel_edges_min), LAST_EDGE_MIN)
    reaching = reach.joined(flows.reach, journeys.quantiles(routines.travel, travel_edges).mean(axis=1))
    reaching /= np.maximum(reaching.max(axis=2, keepdims=True), LEAST)  # 1 at most, for it is a chance to be kept
    by_place = places.laws(geography, flows.attraction, flows.affinity, flows.by_day)
    types = habits.by_type(chains, routines.persistence, model.domain.purpose_of)
    by_night = nights.laws(chains, [_even(law) for law in types.laws], len(flows.attraction))
    return by_place | by_night | schedule_laws(routines.timings, [c.lengths for c in chains]) | _commuting(model, edges) | {
        "habits": np.cumsum(types.weights, axis=1),
        "purposes": _stack([c.purposes for c in chains], -1),
        "lengths": _stack([c.lengths for c in chains], 1),
        "duration_edges": edges,
        "travel": _cumulative(by_mode.travel),
        "mode_share": _even(by_mode.share),
        "habit": by_mode.habit[0],
        "travel_edges": travel_edges,
        "reach": reaching,
        "farthest": places.farthest(reaching),
        "work_anchor": routines.work_anchor,
        "exploration": routines.exploration,
        "sharing": routines.sharing[0],
    }


def _commuting(model: MobilityModel, duration_edges: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
    """The `hours` of all schedules (day types, schedules, moments) and the `pull` of each work place and way (rows, moments, hours)."""
    if model.commuting is None:
        return {"hours": np.zeros((1, 1, MOMENTS), dtype=np.int8), "pull": np.ones((1, MOMENTS, 1))}
    duties, routines = model.domain.segment_duties, model.routines
    found = [commuting.hours(c, t, duration_edges, duties) for c, t in zip(routines.chains, routines.timings, strict=True)]
    return {"hours": _stack(found, commuting.NEVER), "pull": model.commuting.pull}


def schedule_laws(timings: Sequence[Timing], lengths: Sequence[npt.NDArray[np.int64]]) -> dict[str, npt.NDArray[Any]]:
    """What the kernel draws a day's times by.

    `schedules` (day types, ...), a bin a stay, lie end to end without their padding, small, so that the kernel finds them in the cache.
    `owned` (day types, chains, 4) is the number of a chain's first, how many it has, where they begin and how long each is;
    `schedule_alias` (day types, schedules) draws one of these, by `draws.aliases`.
    """
    from synthmob.synthesis import draws

    flat, owned = [], []
    for law, stays in zip(timings, lengths, strict=True):
        count, first = np.diff(law.first), law.first[:-1]
        length = np.repeat(stays, count)
        flat.append(law.schedules[np.arange(law.schedules.shape[1])[None, :] < length[:, None]])
        begins = np.concatenate([[0], np.cumsum(length)])[first]
        owned.append(np.stack([first, count, begins, stays], axis=1).astype(np.int32))
    alias = [draws.aliases(t.weights[None, :], t.first)[0] for t in timings]
    return {"schedules": _stack(flat, -1), "owned": _stack(owned, 0), "schedule_alias": _stack(alias, 0)}


def _stack(arrays: list[npt.NDArray[Any]], fill: float) -> npt.NDArray[Any]:
    """Arrays of one rank stacked on a new first axis, padded with `fill`."""
    shape = tuple(max(a.shape[k] for a in arrays) for k in range(arrays[0].ndim))
    out = np.full((len(arrays), *shape), fill, dtype=arrays[0].dtype)
    for k, array in enumerate(arrays):
        out[(k, *(slice(0, s) for s in array.shape))] = array
    return out


def _cumulative(weights: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Running sums along the last axis."""
    return np.cumsum(_even(weights), axis=-1)


def _even(weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows without weight become even, so that a draw is always defined."""
    return np.where(weights.sum(axis=-1, keepdims=True) > 0, weights, 1.0)


def generate(model: MobilityModel, *, n_persons: int, days: int = 1, seed: int = 0) -> Population:
    """A population of `n_persons` for `days` days, generated lazily by blocks; the same seed gives the same people."""
    return Population(model, n_persons, days, seed)
