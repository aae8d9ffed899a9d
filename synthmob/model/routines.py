"""What people do, and when: chains by class, times by chain, travel times, how often work is elsewhere, how often places return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synthmob.counts.routines import MOST_TRIPS, WORK_STAYS
from synthmob.domain import MINUTES_PER_DAY, Domain
from synthmob.marginals import Marginal
from synthmob.model import chains as chains_law
from synthmob.model import daychains, habits, reconcile, rehearsal, segments, transitions
from synthmob.model import timing as timing_law
from synthmob.model.balancing import balanced
from synthmob.model.chains import MAX_STAYS, Chains
from synthmob.model.durations import DURATION_TABLES, Arriving, Released, fit_durations
from synthmob.model.journeys import Journeys
from synthmob.model.reconcile import LEAST, FloatArray, Noisy
from synthmob.model.schedules import fit_schedules
from synthmob.model.timing import Bins, Laws, Timing

Marginals = Mapping[str, Marginal]
REHEARSALS = 5
TRIP_ROUNDS, MOST_TILT = 6, 6.0
UNTOLD = 1e-2
"""What a group is believed to have of all people's days before its own are looked at, as a part of its people."""
TRIPS = np.clip(np.arange(MAX_STAYS + 1) - 1.0, 0.0, MOST_TRIPS) / MOST_TRIPS
"""What a day of so many stays adds to the released sum of trips."""
NEEDED = (
    "chains", "stays_by_group", "participation", "transitions", "first_departure", "first_departure_next",
    "first_departure_size", "stays_per_day", "departures", "episodes", "durations", "durations_left",
    "durations_between", "travel_time",
)


@dataclass(frozen=True)
class Routines:
    """Chains and times by day type, the purposes of chains being segments; `travel` (distance bands, travel bins) rows sum to 1;
    `work_anchor` (day types, WORK_STAYS) the share of stays at work that are in the own work zone; `exploration` (segments,)
    Chinese-restaurant weight of a new place; `sharing` (1,) the chance that it is known for another errand; `persistence` (purposes,) how
    much two days of a person correlate in having a purpose."""

    chains: tuple[Chains, ...]
    timings: tuple[Timing, ...]
    travel: FloatArray
    work_anchor: FloatArray
    exploration: FloatArray
    sharing: FloatArray
    persistence: FloatArray


def has_routines(tables: Marginals) -> bool:
    """Whether a release says enough of days to fit routines."""
    return all(name in tables for name in NEEDED)


def fit_routines(tables: Marginals, domain: Domain, people: FloatArray, days: Sequence[int]) -> Routines:
    """The routines of a release, without times; `people` persons by (sex, age band, worker), `days` of every day type."""
    found = [_chains(tables, domain, people, day_type) for day_type in range(tables["chains"].axes[0].size)]
    persistence = habits.persistence(tables, found, days, len(domain.purposes))
    chains = tuple(segments.split(law, domain) for law in found)
    exploration = _exploration(tables, len(domain.purposes))[list(domain.purpose_of)]
    return Routines(chains, (), _travel(tables), _work_anchor(tables, len(chains)), exploration, np.zeros(1), persistence)


def with_times(routines: Routines, tables: Marginals, domain: Domain, bins: Bins, journeys: Journeys, single_days: npt.NDArray[np.bool_]
               ) -> Routines:
    """The routines with the times of their days; `single_days` (day types,) says which day types are one day only, so that their
    tables hold no averages."""
    timings: list[Timing] = []
    for day_type, law in enumerate(routines.chains):
        laws = fit_laws(tables, law, bins, day_type, domain.segment_duties, journeys)
        timings.append(fit_schedules(
            law, laws, tables, day_type, bins, domain.segment_duties, journeys, single_day=bool(single_days[day_type])))
    return replace(routines, timings=tuple(timings))


def _slice(table: Marginal, day_type: int) -> Noisy:
    """One day type of a dense table whose first axis is the day type."""
    return Noisy.of(table).moved(lambda a: a[day_type])


def _chains(tables: Marginals, domain: Domain, people: FloatArray, day_type: int) -> Chains:
    """The chains of a day type and who has them."""
    axis = domain.chain_axis
    lengths = _lengths(_slice(tables["stays_per_day"], day_type), float(people.sum()))
    made = _slice(tables["trips"], day_type) if "trips" in tables else None
    if made is not None:
        lengths = _with_trips(lengths[None], made.moved(_made_and_none))[0]
    class_lengths = _class_lengths(_slice(tables["stays_by_group"], day_type), people, lengths)
    if "trips_by_group" in tables:
        class_lengths = _groups_with_trips(class_lengths, _slice(tables["trips_by_group"], day_type), lengths)
    noisy = _on_axis(tables["chains"], day_type)
    outlines = _on_axis(tables["chain_outlines"], day_type) if "chain_outlines" in tables else None
    released = daychains.Released(_slice(tables["transitions"], day_type), outlines, noisy, made)
    persons, law = daychains.settled(domain, lengths, released)
    codes, weights = chains_law.select(axis, persons, f"chains {day_type}")
    short = chains_law.spell(axis, codes)
    long, long_weights = transitions.long_chains(lengths, law, f"long chains {day_type}")
    purposes = np.vstack([short, long])
    all_weights = np.concatenate([weights, long_weights])
    all_codes = np.concatenate([codes, np.full(len(long), -1)])
    counts = (purposes >= 0).sum(axis=1).astype(np.int64)
    classes = people.ravel()
    took_part = _slice(tables["participation"], day_type)
    trips = chains_law.trips_of(purposes, len(domain.purposes))
    wanted = None if made is None else daychains.by_purpose(all_weights @ trips, made, float(classes.sum()))
    worker = np.broadcast_to(np.arange(people.shape[2]) == 0, people.shape).ravel()
    joint = chains_law.by_class(
        purposes, counts, all_weights, classes, class_lengths.reshape(len(classes), -1),
        _participation(took_part, people), worker, np.isin(all_codes, np.flatnonzero(noisy.published)), wanted, _left_open(took_part))
    return Chains(purposes, counts, joint.sum(axis=0), all_codes, joint)


def _on_axis(table: Marginal, day_type: int) -> Noisy:
    """One day type of a table of chains (day types, chains), by chain: NaN where it was cut."""
    mine = table.codes[:, 0] == day_type
    count = np.full(table.axes[1].size, np.nan)
    count[table.codes[mine, 1]] = table.values[mine]
    return Noisy(count, table.sigma, table.cut)


def _lengths(noisy: Noisy, total: float) -> FloatArray:
    """Persons by number of stays, shape (MAX_STAYS + 1,), index 0 empty."""
    n = len(noisy.count)
    fall = 0.6 ** np.arange(n)
    prior = total * fall / fall.sum()
    settled = reconcile.settle(prior, noisy, np.zeros(n, dtype=np.int64), np.array([total]))
    return np.concatenate([[0.0], settled])


def _class_lengths(noisy: Noisy, people: FloatArray, lengths: FloatArray) -> FloatArray:
    """Persons by class and number of stays, shape (classes, MAX_STAYS + 1): each class sums to its people, each length to its
    persons of all classes."""
    turned = noisy.moved(lambda a: np.moveaxis(a, 2, 0))  # worker first: sex is the first context to be summed out
    classes = np.moveaxis(people, 2, 0)
    klass, stays = np.indices((people.size, noisy.count.shape[-1]))
    margins = [(klass, classes.ravel()), (stays, lengths[1 : noisy.count.shape[-1] + 1])]
    found = np.moveaxis(balanced(turned, margins), 0, 2)
    out = np.zeros((people.size, MAX_STAYS + 1))
    out[:, 1 : found.shape[3] + 1] = found.reshape(people.size, -1)
    # Where no class was told, all have their part of a length's persons: the same for each would give few people very long days.
    out += UNTOLD * people.ravel()[:, None] * lengths / max(float(lengths.sum()), LEAST)
    klass, stays = np.indices(out.shape)
    return reconcile.rake(out, [(klass, people.ravel()), (stays, lengths)], rounds=20)


def _with_trips(lengths: FloatArray, noisy: Noisy) -> FloatArray:
    """Persons by number of stays, (groups, MAX_STAYS + 1), moved to the released sums of trips (groups, 2) as far as these are clear."""
    return _tilted(lengths, TRIPS, _wanted_trips(lengths, noisy))


def _wanted_trips(lengths: FloatArray, noisy: Noisy) -> FloatArray:
    """Sums of trips, (groups,), as they are believed after seeing the released ones."""
    return reconcile.posterior(lengths @ TRIPS, _sums(noisy, lengths.sum(axis=1)))[0]


def _made_and_none(count: FloatArray) -> FloatArray:
    """The sum of trips of all purposes, and what is missing to the whole, shape (1, 2); the purposes that were cut are few."""
    return np.array([[np.nansum(count[:-1]), count[-1]]])


def _sums(noisy: Noisy, people: FloatArray) -> Noisy:
    """Released sums of trips, (groups,), of as many `people` as are there by other tables: `noisy` is (..., trips and no trips)."""
    made, none = noisy.count.reshape(-1, 2).T
    share = made / np.maximum(made + none, LEAST)
    return Noisy(np.where(np.isnan(none), made, share * people), noisy.sigma, noisy.cut)


def _tilted(lengths: FloatArray, trips: FloatArray, wanted: FloatArray) -> FloatArray:
    """Rows scaled by exp(tilt x trips), their sums kept, until they hold the trips `wanted` (groups,): found by halving."""
    low, high = np.full(len(lengths), -MOST_TILT), np.full(len(lengths), MOST_TILT)
    people, moved = lengths.sum(axis=1, keepdims=True), lengths
    for _ in range(40):
        tilt = (low + high) / 2
        moved = lengths * np.exp(tilt[:, None] * trips)
        moved *= people / np.maximum(moved.sum(axis=1, keepdims=True), LEAST)
        short = moved @ trips < wanted
        low, high = np.where(short, tilt, low), np.where(short, high, tilt)
    return moved


def _groups_with_trips(class_lengths: FloatArray, noisy: Noisy, lengths: FloatArray) -> FloatArray:
    """The same for every class, while all classes together keep their `lengths`: totals are known better than groups."""
    wanted = _wanted_trips(class_lengths, noisy)
    wanted = wanted * (float(lengths @ TRIPS) / max(float(wanted.sum()), LEAST))
    klass = np.broadcast_to(np.arange(len(class_lengths))[:, None], class_lengths.shape)
    stays = np.broadcast_to(np.arange(MAX_STAYS + 1), class_lengths.shape)
    people = class_lengths.sum(axis=1)
    for _ in range(TRIP_ROUNDS):
        class_lengths = _tilted(class_lengths, TRIPS, wanted)
        class_lengths = reconcile.rake(class_lengths, [(stays, lengths), (klass, people)], rounds=2)
    return class_lengths


def _participation(noisy: Noisy, people: FloatArray) -> FloatArray:
    """Persons whose day includes each purpose but home, shape (classes, purposes - 1).

    A class of which nothing was published is believed to go where workers, or others, go altogether: empty cells would say that it goes
    nowhere.
    """
    turned = noisy.moved(lambda a: np.moveaxis(a, 2, 0))
    who, found = np.moveaxis(people, 2, 0)[..., None], reconcile.backed_off(turned)
    rate = found.sum(axis=(1, 2), keepdims=True) / np.maximum(who.sum(axis=(1, 2), keepdims=True), LEAST)
    told = turned.published.any(axis=-1, keepdims=True)
    estimate = np.moveaxis(np.where(told, found, np.minimum(rate, 1.0) * who), 0, 2)
    estimate[:, :, 1, 0] = 0.0  # a person without a work place has no work stay, by definition
    return np.clip(estimate, 0.0, people[..., None] * 0.9995).reshape(people.size, -1)


def _left_open(noisy: Noisy) -> FloatArray:
    """How far, as a log, the sum of each purpose's participations may lie from what was released: twice its noise, and half a cut for
    each cell that was cut, shape (purposes - 1,)."""
    cells = noisy.count.reshape(-1, noisy.count.shape[-1])
    cut, total = np.isnan(cells).sum(axis=0), np.maximum(np.nansum(cells, axis=0), noisy.cut)
    return np.log1p((2.0 * noisy.sigma * np.sqrt(len(cells)) + 0.5 * noisy.cut * cut) / np.maximum(total, 1.0))


def fit_laws(tables: Marginals, law: Chains, bins: Bins, day_type: int, duties: tuple[int, ...], journeys: Journeys) -> Laws:
    """First departures and durations of a day type, stay by stay."""
    first = timing_law.FirstDepartures(*(
        _slice(tables[name], day_type) for name in ("first_departure", "first_departure_next", "first_departure_size")))
    own = tables.get("chain_episodes")
    departures, departure_row = timing_law.fit_departures(law, first, tables.get("chain_departure"), day_type, duties)
    context = timing_law.contexts(law, duties)
    edges = np.append(bins.fine, MINUTES_PER_DAY)
    others = ~timing_law.has_own_times(law, own)
    released = Released(*(_slice(tables[name], day_type) for name in DURATION_TABLES))
    everyone = np.ones(len(others), dtype=np.bool_)
    laws = Laws(departures, departure_row, *fit_durations(law, released, own, day_type, bins, duties, None))
    for _ in range(REHEARSALS):
        arriving = Arriving(*(
            rehearsal.arrivals(law, who, context, released.n_contexts, laws, edges, journeys) for who in (everyone, others)))
        laws = Laws(departures, departure_row, *fit_durations(law, released, own, day_type, bins, duties, arriving))
    return laws


def _travel(tables: Marginals) -> FloatArray:
    """P(travel time | distance band), shape (bands, bins)."""
    travel = reconcile.backed_off(Noisy.of(tables["travel_time"]))
    return reconcile.conditional(travel, reconcile.ladder(travel), weight=timing_law.CONTEXT_WEIGHT)


def _work_anchor(tables: Marginals, day_types: int) -> FloatArray:
    """Share of each of WORK_STAYS that is at the person's own work zone, shape (day types, WORK_STAYS)."""
    if "anchored" not in tables:
        return np.ones((day_types, len(WORK_STAYS)))
    estimate = np.stack([reconcile.backed_off(_slice(tables["anchored"], d)) for d in range(day_types)])
    return (estimate[..., 0] + 0.9) / (estimate.sum(axis=2) + 1.0)


def _exploration(tables: Marginals, purposes: int) -> FloatArray:
    """Theta of every purpose: with n stays behind, the next is somewhere new with probability theta / (theta + n).

    Fitted to the released distinct zones given stays (Pitman's Chinese restaurant, doi:10.1007/b11601500); 2 where unreleased.
    """
    theta = np.full(purposes, 2.0)
    if "distinct_given_visits" not in tables:
        return theta
    estimate = reconcile.backed_off(Noisy.of(tables["distinct_given_visits"]))
    grid = np.geomspace(0.005, 200.0, 150)
    visits = np.arange(1, estimate.shape[1] + 1)
    places = np.arange(1, estimate.shape[2] + 1)
    steps = grid[:, None] / (grid[:, None] + np.arange(estimate.shape[1])[None, :])
    mean_places = np.cumsum(steps, axis=1)
    for purpose in range(1, len(theta)):
        persons = estimate[purpose].sum(axis=1)
        found = (estimate[purpose] * places).sum(axis=1) / np.maximum(persons, LEAST)
        weight = np.where(visits >= 2, persons, 0.0)
        if weight.sum() > 0:
            gap = (weight * (mean_places - found)).sum(axis=1)  # as many places altogether, rather than the nearest curve
            theta[purpose] = grid[int(np.argmin(np.abs(gap)))]
    return theta
