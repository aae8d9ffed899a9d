"""Whether the arrays of a model fit one another, its domain and its zoning.

The generation kernel is compiled and trusts its indices: an array of another shape, or an index past its end, would read
memory that is not the array's. So everything the kernel follows is looked at here, once, before a model is used.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.counts.commuting import MOMENTS
from synthmob.counts.flows import HEADINGS
from synthmob.counts.routines import WORK_STAYS
from synthmob.counts.usage import EVENTS_EDGES
from synthmob.domain import DAY_TYPES, DIRECTIONS, EVENT_DURATION_EDGES_S, KINDS, VOLUME_EDGES_KB
from synthmob.errors import FormatError
from synthmob.model import reach
from synthmob.model.chains import MAX_STAYS, NOBODY, Chains
from synthmob.model.flows import Flows
from synthmob.model.mobility import MobilityModel
from synthmob.model.modes import Modes
from synthmob.model.timing import BY_CLOCK, QUARTERS, Timing
from synthmob.model.usage import HOURS, Usage

Array = npt.NDArray[Any]
MAX_PURPOSES = 16
"""As many purposes as the kernel has room for."""
MAX_MODES = 127
"""As many modes as a byte can tell apart."""
YES_OR_NO = 2
LARGEST = 1e15
"""More than any number of persons, and so far from overflow that products of three weights and sums over all zones are finite."""
LEAST_PERSONS = 1e-6
ANY = None


def check(model: MobilityModel) -> None:
    """FormatError, naming the array, where a shape, an index or a value cannot be."""
    domain, zones = model.domain, model.zoning.n_zones + 1
    segments, bands = len(domain.segments), len(domain.distance_edges_km) + 1
    areas = len(model.zoning.level(model.zoning.flow_level).labels) + 1
    groups, kinds = len(domain.sex) * len(domain.age_band), len(model.routines.chains)
    if (n := len(domain.purposes)) > MAX_PURPOSES:
        raise FormatError(f"The model has {n} purposes: at most {MAX_PURPOSES} can be generated, merge some in the plan.")
    anchors, flows, routines = model.anchors, model.flows, model.routines
    _weights("anchors.home_worker", anchors.home_worker, (zones, YES_OR_NO))
    _weights("anchors.groups", anchors.groups, (ANY, YES_OR_NO, ANY))
    _indices("anchors.group_area", anchors.group_area, (zones,), 0, len(anchors.groups))
    _weights("anchors.home_work", anchors.home_work, (zones, zones))
    _weights("anchors.band_groups", anchors.band_groups, (bands, ANY))
    if not 1 <= anchors.groups.shape[2] <= groups or anchors.band_groups.shape[1] not in (1, anchors.groups.shape[2]):
        _refuse("anchors.groups", f"{anchors.groups.shape[2]} groups where sex and age make {groups}")
    _flows(flows, segments, zones, bands, kinds)
    _weights("flows.affinity", flows.affinity, (areas, areas))
    _weights("routines.travel", routines.travel, (bands, len(domain.travel_edges_min)))
    _weights("routines.work_anchor", routines.work_anchor, (kinds, len(WORK_STAYS)))
    _weights("routines.exploration", routines.exploration, (segments,))
    _weights("routines.sharing", routines.sharing, (1,))
    _weights("routines.persistence", routines.persistence, (n,))
    if float(anchors.home_worker.sum()) < LEAST_PERSONS:
        _refuse("anchors.home_worker", "nobody")
    for name, most in (("work_anchor", 1 + 1e-9), ("sharing", 1.0), ("persistence", 1.0)):
        if float(getattr(routines, name).max()) > most:
            _refuse(f"routines.{name}", "a share, chance or correlation above 1")
    if len(routines.timings) != kinds or not 1 <= kinds <= len(DAY_TYPES) or len(model.day_type_of) != len(DAY_TYPES):
        _refuse("routines", f"{kinds} day types of chains and {len(routines.timings)} of times")
    _indices("day_type_of", np.array(model.day_type_of), (len(DAY_TYPES),), 0, kinds)
    for kind, (chains, timing) in enumerate(zip(routines.chains, routines.timings, strict=True)):
        _chains(f"routines.chains.{kind}", chains, segments, groups * YES_OR_NO)
        _timing(f"routines.timings.{kind}", timing, chains, len(domain.duration_edges_min))
    _where_told(model, len(model.zoning.level("district").labels) + 1)


def _where_told(model: MobilityModel, districts: int) -> None:
    """The parts that a model has where its release told them."""
    bands, edges = len(model.domain.distance_edges_km) + 1, len(model.domain.travel_edges_min)
    if model.modes is not None:
        _modes(model.modes, bands, len(model.domain.modes), edges)
    if model.commuting is not None:
        _weights("commuting.areas", model.commuting.areas, (districts, MOMENTS, HOURS))
        _weights("commuting.distances", model.commuting.distances, (bands, MOMENTS, HOURS))
    if model.usage is not None:
        _usage(model.usage, model.anchors.groups.shape[2], model.zoning.n_zones + 1, len(model.domain.apps))


def _flows(flows: Flows, segments: int, zones: int, bands: int, day_types: int) -> None:
    _weights("flows.attraction", flows.attraction, (segments, zones))
    _weights("flows.deterrence", flows.deterrence, (segments * HEADINGS, bands, bands))
    _weights("flows.daily", flows.daily, (day_types, segments, bands))
    for name, factor, n_kinds in zip(("departing", "lasting", "origins"), flows.reach, reach.KINDS, strict=True):
        _weights(f"flows.{name}", factor, (segments, n_kinds, bands))


def _modes(modes: Modes, bands: int, n: int, bins: int) -> None:
    if n > MAX_MODES:
        raise FormatError(f"The model has {n} modes: at most {MAX_MODES} can be generated, merge some in the plan.")
    _weights("modes.share", modes.share, (bands, n))
    _weights("modes.travel", modes.travel, (bands, n, bins))
    _weights("modes.habit", modes.habit, (1,))
    if float(modes.habit[0]) > 1:
        _refuse("modes.habit", "a chance above 1")


def _usage(usage: Usage, groups: int, zones: int, apps: int) -> None:
    kinds = len(KINDS)
    _weights("usage.per_day", usage.per_day, (groups, len(EVENTS_EDGES)))
    _weights("usage.steady", usage.steady, (1,))
    _weights("usage.kinds", usage.kinds, (groups, kinds))
    _weights("usage.hours", usage.hours, (kinds, HOURS))
    _weights("usage.tilt", usage.tilt, (kinds, zones))
    _weights("usage.worth", usage.worth, (kinds, HOURS))
    _weights("usage.directions", usage.directions, (kinds, len(DIRECTIONS)))
    _weights("usage.durations", usage.durations, (kinds, len(EVENT_DURATION_EDGES_S)))
    _weights("usage.volumes", usage.volumes, (kinds, len(VOLUME_EDGES_KB)))
    _weights("usage.apps", usage.apps, (groups, apps))
    _weights("usage.app_volumes", usage.app_volumes, (apps, len(VOLUME_EDGES_KB)))
    if float(usage.hours.sum()) < LEAST_PERSONS or min(float(usage.tilt.min()), float(usage.worth.min())) < LEAST_PERSONS:
        _refuse("usage", "no hour or zone for an event to be in")
    if float(usage.kinds.sum(axis=1).min()) < LEAST_PERSONS:
        _refuse("usage.kinds", "a group whose events are of no kind")
    if float(usage.steady[0]) > 1:
        _refuse("usage.steady", "a correlation above 1")


def _chains(name: str, chains: Chains, purposes: int, classes: int) -> None:
    n = len(chains.lengths)
    if n < 1:
        _refuse(name, "no chain")
    _indices(f"{name}.purposes", chains.purposes, (n, MAX_STAYS), NOBODY, purposes)
    _indices(f"{name}.lengths", chains.lengths, (n,), 1, MAX_STAYS + 1)
    _indices(f"{name}.codes", chains.codes, (n,), -1, np.iinfo(np.int64).max)
    _weights(f"{name}.weights", chains.weights, (n,))
    _weights(f"{name}.by_class", chains.by_class, (classes, n))
    inside = np.arange(MAX_STAYS)[None, :] < chains.lengths[:, None]
    if ((chains.purposes == NOBODY) == inside).any():
        _refuse(f"{name}.purposes", "a chain that is longer or shorter than its length")


def _timing(name: str, timing: Timing, chains: Chains, duration_bins: int) -> None:
    n = len(chains.lengths)
    m = len(timing.weights)
    _weights(f"{name}.weights", timing.weights, (m,))
    _indices(f"{name}.first", timing.first, (n + 1,), 0, m + 1)
    _indices(f"{name}.schedules", timing.schedules, (m, MAX_STAYS), NOBODY, BY_CLOCK + QUARTERS)
    if timing.first[0] != 0 or timing.first[-1] != m or (np.diff(timing.first) < 1).any():
        _refuse(f"{name}.first", "a chain without a schedule, or schedules of no chain")
    lengths = np.repeat(chains.lengths, np.diff(timing.first))
    timed = np.arange(MAX_STAYS)[None, :] < lengths[:, None] - 1
    if (timing.schedules[timed] < 0).any():
        _refuse(f"{name}.schedules", "a stay without an end")
    later = timing.schedules[:, 1:]
    if timing.schedules[:, 0].max(initial=0) >= QUARTERS or ((later >= duration_bins) & (later < BY_CLOCK)).any():
        _refuse(f"{name}.schedules", "a time past the last bin")


def _weights(name: str, array: Array, shape: tuple[int | None, ...]) -> None:
    """Refuse an array of another shape, or with a value that is not a weight."""
    _shape(name, array, shape)
    if array.size and not 0 <= float(array.min()) <= float(array.max()) <= LARGEST:  # not a number is not between any two
        _refuse(name, "a value that is negative, not a number or endless")


def _indices(name: str, array: Array, shape: tuple[int | None, ...], first: int, end: int) -> None:
    """Refuse an array of another shape, or with an index outside [first, end)."""
    _shape(name, array, shape)
    if array.size and not first <= int(array.min()) <= int(array.max()) < end:
        _refuse(name, f"an index outside {first} to {end - 1}")


def _shape(name: str, array: Array, shape: tuple[int | None, ...]) -> None:
    if array.ndim != len(shape) or any(want is not ANY and got != want for got, want in zip(array.shape, shape, strict=True)):
        _refuse(name, f"shape {array.shape} where ({', '.join('any' if n is ANY else str(n) for n in shape)}) is needed")


def _refuse(name: str, what: str) -> None:
    raise FormatError(f"The model's {name} has {what}: it is damaged or of another version, fit it again.")
