"""The naive baseline: people drawn independently from the exact one-way marginals, through the same tables and metrics.

Sex, age band, worker, home, work, chain of the day (per day type), start by purpose and destination by purpose, each
drawn on its own: what anyone could make from a page of bar charts. A metric on which a model does no better than this
is not modelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.domain import DAY_TYPES, MINUTES_PER_DAY, UNKNOWN, WORKER
from synthmob.errors import InputError
from synthmob.fidelity.align import IntArray, pull, sums
from synthmob.fidelity.features import CHAIN_SEPARATOR, FEATURES, Feature
from synthmob.fidelity.sides import FloatArray, Side, Tables
from synthmob.seeds import stage_key, uniforms

HOME, WORK = 0, 1


@dataclass(frozen=True)
class Margins:
    """The exact one-way marginals of the truth, as weights by code.

    `starts` has shape (purposes, 1441), `places` (purposes, zones + 1), `chains` pairs digits of
    purposes with weights, for each day type of the period that occurs.

    """

    sex: FloatArray
    age_band: FloatArray
    worker: FloatArray
    home: FloatArray
    work: FloatArray
    starts: FloatArray
    places: FloatArray
    chains: dict[int, tuple[tuple[npt.NDArray[np.int16], ...], FloatArray]]


def margins(truth: Side) -> Margins:
    """Count the one-way marginals of a population."""
    domain, n_zones, n_purposes = truth.coded.domain, truth.coded.zoning.n_zones, len(truth.coded.domain.purposes)
    people = pull(truth, FEATURES["home_by_group"], by_person=False)

    def by(column: str, size: int) -> FloatArray:
        return sums(people.codes[column], people.weight, size)

    commute = pull(truth, FEATURES["home_work"], by_person=False)
    visits = pull(truth, _STARTS, by_person=False)
    places = pull(truth, _PLACES, by_person=False)
    return Margins(
        by("sex", len(domain.sex)),
        by("age_band", len(domain.age_band)),
        by("worker", len(WORKER)),
        by("home", n_zones + 2),
        sums(commute.codes["work"], commute.weight, n_zones + 1),
        _table(visits.codes["purpose"], visits.codes["start"], visits.weight, (n_purposes, MINUTES_PER_DAY + 1)),
        _table(places.codes["purpose"], places.codes["zone"], places.weight, (n_purposes, n_zones + 1)),
        _chains(truth),
    )


_STARTS = Feature(
    "starts",
    ("purpose", "start"),
    lambda coded: coded.visits.filter(coded.visits["rank"] > 0).select(
        "person_id", "purpose", "start", weight=1.0 / coded.visits.all_days
    ),
)
_PLACES = Feature(
    "places",
    ("purpose", "zone"),
    lambda coded: coded.visits.select("person_id", "purpose", "zone", weight=1.0 / coded.visits.all_days),
)


def _table(
    row: npt.NDArray[np.int32], column: npt.NDArray[np.int32], weight: FloatArray, shape: tuple[int, int]
) -> FloatArray:
    return sums(row.astype(np.int64) * shape[1] + column, weight, shape[0] * shape[1]).reshape(shape)


def _chains(truth: Side) -> dict[int, tuple[tuple[npt.NDArray[np.int16], ...], FloatArray]]:
    found = pull(truth, FEATURES["chains"], by_person=False)
    texts = found.texts["chain"]
    out: dict[int, tuple[tuple[npt.NDArray[np.int16], ...], FloatArray]] = {}
    for day_type in range(len(truth.coded.period.day_types)):
        here = found.codes["day_type"] == day_type
        # In the order of the text, which does not depend on the order in which the backend answers.
        order = sorted(np.flatnonzero(here), key=lambda row: texts[found.codes["chain"][row]])
        if order:
            digits = (texts[found.codes["chain"][row]].split(CHAIN_SEPARATOR) for row in order)
            out[day_type] = (tuple(np.array(d, dtype=np.int16) for d in digits), found.weight[order])
    return out


def draw(weights: FloatArray, u: FloatArray) -> IntArray:
    """Codes with probabilities proportional to `weights` at uniforms `u`, elementwise.

    >>> draw(np.array([1.0, 0.0, 3.0]), np.array([0.0, 0.2, 0.25, 0.99])).tolist()
    [0, 0, 2, 2]

    """
    rise = np.cumsum(weights)
    if not rise.size or rise[-1] <= 0:
        raise InputError(
            "A marginal of the truth is empty: the baseline has nothing to draw from, give records with stays."
        )
    return np.minimum(np.searchsorted(rise, u * rise[-1], side="right"), np.flatnonzero(weights)[-1])


@dataclass(frozen=True)
class _People:
    """Codes of each person, shape (persons,); work is -1 for non-workers."""

    sex: IntArray
    age_band: IntArray
    home: IntArray
    work: IntArray


def baseline(truth: Side, n_persons: int, seed: int) -> Tables:
    """PERSONS and STAYS of `n_persons` naive people over the truth's period, as Arrow tables, the same for a seed."""
    known = margins(truth)
    who = np.arange(n_persons)

    def own(stage: str) -> FloatArray:
        return uniforms(stage_key(seed, f"fidelity/baseline/{stage}"), who)

    works = draw(known.worker, own("worker")) == 0
    work = np.where(works, draw(known.work, own("work")) if works.any() else 0, -1)
    people = _People(
        draw(known.sex, own("sex")), draw(known.age_band, own("age_band")), draw(known.home, own("home")), work
    )
    return Tables(_persons_table(truth, people), _stays_table(truth, known, people, seed))


def _persons_table(truth: Side, people: _People) -> Any:
    import pyarrow as pa

    domain, zones = truth.coded.domain, (*truth.coded.zoning.labels, UNKNOWN)
    return pa.table(
        {
            "person_id": np.arange(len(people.sex), dtype=np.int64),
            "sex": _labels(people.sex, domain.sex),
            "age_band": _labels(people.age_band, domain.age_band),
            "worker": _labels(np.where(people.work >= 0, 0, 1), WORKER),
            "home_zone": _labels(people.home, zones),
            "work_zone": _labels(people.work, zones),
        }
    )


def _labels(codes: npt.NDArray[Any], labels: tuple[str, ...]) -> Any:
    """Text of codes as an Arrow array, null for negative ones."""
    import pyarrow as pa

    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(labels)).cast(pa.string())


def _stays_table(truth: Side, known: Margins, people: _People, seed: int) -> Any:
    import pyarrow as pa

    coded = truth.coded
    types = [coded.period.day_types.index(DAY_TYPES[coded.period.day_type(day)]) for day in range(coded.period.days)]
    parts = [
        _one_day(known, people, day, kind, seed, coded.zoning.n_zones)
        for day, kind in enumerate(types)
        if kind in known.chains
    ]
    person, day, seq, purpose, zone, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    return pa.table(
        {
            "person_id": person.astype(np.int64),
            "day": day.astype(np.int32),
            "seq": seq.astype(np.int32),
            "purpose": _labels(purpose, coded.domain.purposes),
            "zone_id": _labels(np.where(zone == coded.zoning.n_zones, -1, zone), coded.zoning.ids),
            "start_min": start.astype(np.int32),
            "end_min": end.astype(np.int32),
        }
    )


def _one_day(
    known: Margins, people: _People, day: int, day_type: int, seed: int, n_zones: int
) -> tuple[npt.NDArray[np.int32], ...]:
    """person, day, seq, purpose, zone, start, end of everyone's stays on one day, in order."""
    chains, weights = known.chains[day_type]
    lengths = np.array([len(chain) for chain in chains])
    firsts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    who = np.arange(len(people.sex))
    chain = draw(weights, uniforms(stage_key(seed, "fidelity/baseline/chain"), who, day))
    n_stays = lengths[chain]
    person = np.repeat(who, n_stays)
    seq = np.arange(len(person)) - np.repeat(np.cumsum(n_stays) - n_stays, n_stays)
    purpose = np.concatenate(chains)[np.repeat(firsts[chain], n_stays) + seq].astype(np.int64)
    zone = _zones(
        known, people, person, purpose, uniforms(stage_key(seed, "fidelity/baseline/zone"), person, day, seq), n_zones
    )
    start = _starts(
        known,
        person,
        seq,
        n_stays[person],
        purpose,
        uniforms(stage_key(seed, "fidelity/baseline/start"), person, day, seq),
    )
    last = seq == n_stays[person] - 1
    end = np.where(last, MINUTES_PER_DAY, np.append(start[1:], MINUTES_PER_DAY))
    return tuple(
        column.astype(np.int32) for column in (person, np.full(len(person), day), seq, purpose, zone, start, end)
    )


def _zones(
    known: Margins, people: _People, person: IntArray, purpose: IntArray, u: FloatArray, n_zones: int
) -> IntArray:
    """Home stays at home and work stays at work where the person has one; all others drawn by purpose."""
    home, work = people.home[person], people.work[person]
    zone = np.where(purpose == HOME, home, np.where(purpose == WORK, work, -1))
    for code in range(len(known.places)):
        drawn = (purpose == code) & ((zone < 0) | (zone > n_zones))
        if drawn.any():
            zone[drawn] = draw(known.places[code], u[drawn])
    return zone


def _starts(
    known: Margins, person: IntArray, seq: IntArray, n_stays: IntArray, purpose: IntArray, u: FloatArray
) -> IntArray:
    """Starts drawn by purpose and sorted within each day, 0 for the first stay, every stay at least one minute long."""
    start = np.zeros(len(person), dtype=np.int64)
    for code in range(len(known.starts)):
        drawn = (purpose == code) & (seq > 0)
        if drawn.any():
            start[drawn] = draw(known.starts[code], u[drawn])
    start = start[np.lexsort((start, person))]
    # A running maximum of (start - seq) pushes equal starts one minute apart; the offset keeps days separate.
    offset = person * (4 * MINUTES_PER_DAY)
    pushed = np.maximum.accumulate(start - seq + offset) - offset + seq
    return np.minimum(pushed, MINUTES_PER_DAY - (n_stays - seq))
