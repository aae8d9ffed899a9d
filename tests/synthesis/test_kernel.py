"""The compiled kernel does what its plain twin does, to the bit, whatever the laws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import handmade
import handmade_modes
import kernel_twin as twin
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmob import searches, seeds, zones
from synthmob.model import commuting
from synthmob.model.geography import Geography
from synthmob.model.timing import BY_CLOCK, Timing
from synthmob.synthesis import draws, kernel, places
from synthmob.synthesis.days import LIVED_BY, laws, schedule_laws
from synthmob.synthesis.points import INWARD, Triangles

STAYS = ("purpose", "zone", "start", "end", "day", "seq", "person", "mode")
whole = st.integers(0, 2**40)


def law_of(model: Any) -> dict[str, Any]:
    return laws(model, Geography.of(model.zoning, model.domain))


def between_districts(seed: int) -> dict[str, Any]:
    """The same where zones are too many for flows between them: patches then have several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zones, "MOST_FLOW_AREAS", 1)
        law = handmade_law(seed)
    assert len(law["patch_first"]) < len(law["patch_zone"])
    return law


def handmade_law(seed: int) -> dict[str, Any]:
    del seed
    return law_of(handmade.model(commuting=handmade.commuting()))


def wild(seed: int) -> dict[str, Any]:
    """Laws that nobody would fit: full days of 20 stays, late departures, stays that never fit, zero weights."""
    rng = np.random.default_rng(seed)
    law = law_of(handmade.model(commuting=handmade.commuting()))
    kinds, chains, rows = 2, 12, 5
    lengths = np.where(rng.random((kinds, chains)) < 0.3, 20, rng.integers(1, 20, (kinds, chains)))
    purposes = rng.integers(0, 7, (kinds, chains, 20)).astype(np.int8)
    purposes[np.arange(20)[None, None, :] >= lengths[..., None]] = -1
    first = np.cumsum(np.concatenate([np.zeros((kinds, 1), dtype=np.int64), rng.integers(1, rows, (kinds, chains))], axis=1), axis=1)
    most = int(first.max())
    schedules = rng.integers(0, 30, (kinds, most, 20))
    by_clock = rng.random(schedules.shape) < 0.3
    schedules = np.where(by_clock, BY_CLOCK + rng.integers(0, 96, schedules.shape), schedules)
    schedules[..., 0] = rng.choice([0, 40, 90, 95], (kinds, most))  # leaves after 22:30, whatever is still to come
    weights = rng.integers(0, 3, (kinds, most))
    laid = [Timing(s[: f[-1]].astype(np.int16), w[: f[-1]].astype(float), f) for s, w, f in zip(schedules, weights, first, strict=True)]
    return law | schedule_laws(laid, list(lengths)) | {
        "purposes": purposes, "lengths": lengths, "work_anchor": rng.random((kinds, 4)),
        "exploration": rng.random(7) * rng.choice([0.4, 5.0], 7),
        "hours": rng.integers(20, 25, (kinds, most, 2)), "pull": rng.integers(0, 3, law["pull"].shape).astype(float)}


def moded(seed: int) -> dict[str, Any]:
    """Wild days by eight modes, some of which nobody goes by over some distances."""
    return wild(seed) | {name: law_of(handmade_modes.model())[name] for name in ("mode_share", "travel", "habit")}


def played(law: dict[str, Any], key: Any, who: dict[str, Any], chain: Any, day_types: Any) -> dict[str, Any]:
    n = int(law["lengths"][day_types[None, :], chain].sum())
    kinds = (np.int8, np.int32, np.int32, np.int32, np.int32, np.int32, np.int64, np.int8)
    out = {name: np.full(n, -9, dtype=kind) for name, kind in zip(STAYS, kinds, strict=True)}
    own, stays = kernel.choose_schedules(
        key, who["person"], who["commute"], chain, day_types, law["owned"], law["schedule_alias"], law["hours"], law["pull"])
    assert stays == n
    kernel.live(
        key, who["person"], who["home"], who["work"], chain, own, day_types, *(law[name] for name in LIVED_BY), *kernel.room(law),
        *out.values())
    return out


def crowd(seed: int, n: int, days: int, chains: int) -> tuple[dict[str, Any], Any, Any]:
    rng = np.random.default_rng(seed)
    who = {"person": rng.integers(0, 10**9, n), "home": rng.integers(0, 6, n), "work": rng.integers(-1, 6, n)}
    who["commute"] = commuting.rows(Geography.of(handmade.zoning(), handmade.DOMAIN), who["home"], who["work"])
    return who, rng.integers(0, chains, (n, days)), rng.integers(0, 2, days)


@given(st.integers(0, 2**64 - 1), whole, whole, whole)
def test_a_uniform_number_is_the_one_of_seeds(key: int, person: int, day: int, draw: int) -> None:
    assert draws.uniform(np.uint64(key), person, day, draw) == seeds.uniforms(np.uint64(key), person, day, draw)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12).filter(any), st.floats(0, 1, exclude_max=True))
def test_pick_never_takes_what_weighs_nothing(weights: list[int], u: float) -> None:
    cumulative = np.cumsum(weights).astype(float)
    chosen = searches.pick(cumulative, u)
    assert chosen == twin.pick(cumulative.tolist(), u)
    assert weights[chosen] > 0


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=12), min_size=1, max_size=4), st.floats(0, 1, exclude_max=True))
def test_aliases_have_the_shares_of_the_weights(parts: list[list[int]], u: float) -> None:
    first = np.cumsum([0, *map(len, parts)])
    (words,) = draws.aliases(np.concatenate(parts)[None, :].astype(float), first)
    for part, begin, end in zip(parts, first[:-1], first[1:], strict=True):
        weights = np.array(part) if any(part) else np.ones(len(part))
        found = twin.shares(words[begin:end])
        assert found == pytest.approx(weights / weights.sum(), abs=1e-8) and (found[weights == 0] == 0).all()
        place = u * len(part)
        assert draws.aliased(words[begin + int(place)], int(place), place - int(place)) == twin.aliased(words[begin:end], u)
        (short,) = draws.shortened(words[None, begin:end])
        found, bits = twin.shares(twin.lengthened(short)), draws.bits_of(len(part))
        assert found == pytest.approx(weights / weights.sum(), abs=1e-6) and (found[weights == 0] == 0).all()
        chosen = draws.aliased_short(short[int(place)], bits, int(place), place - int(place))
        assert chosen == twin.aliased(twin.lengthened(short), u)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("make", [handmade_law, between_districts, wild, moded], ids=["handmade", "districts", "wild", "moded"])
def test_days_are_those_of_the_twin(make: Any, seed: int) -> None:
    law = make(seed)
    who, chain, day_types = crowd(seed, 40, 3, 4 if law["lengths"].shape[1] == 4 else 12)
    key = seeds.stage_key(seed, "days")
    out = played(law, key, who, chain, day_types)
    plain = {name: value.tolist() for name, value in law.items()}
    people = [[int(who[n][k]) for n in ("person", "home", "work", "commute")] for k in range(40)]
    want = [stay for k, person in enumerate(people) for stay in twin.live(int(key), *person, chain[k], day_types, plain)]
    found = list(zip(*(out[n].tolist() for n in ("person", "day", "seq", "purpose", "zone", "start", "end", "mode")), strict=True))
    assert found == want


@pytest.mark.parametrize("seed", range(4, 8))
def test_wild_days_are_still_days(seed: int) -> None:
    who, chain, day_types = crowd(seed, 2_000, 2, 12)
    out = played(wild(seed), seeds.stage_key(seed, "days"), who, chain, day_types)
    last = np.append(out["seq"][1:] == 0, True)
    assert (out["start"][out["seq"] == 0] == 0).all() and (out["end"][last] == 1440).all()
    assert (out["end"] > out["start"]).all() and (out["start"][1:] > out["end"][:-1])[~last[:-1]].all()


def test_a_day_owes_nothing_to_the_days_of_others() -> None:
    law = handmade_law(5)
    who, chain, day_types = crowd(5, 30, 4, 4)
    key = seeds.stage_key(5, "days")
    together = played(law, key, who, chain, day_types)
    alone = [played(law, key, {n: v[k : k + 1] for n, v in who.items()}, chain[k : k + 1], day_types) for k in range(30)]
    for name in STAYS:
        assert np.array_equal(together[name], np.concatenate([a[name] for a in alone]))
    fewer = played(law, key, who, chain[:, :2].copy(), day_types[:2])
    for name in STAYS:
        assert np.array_equal(together[name][together["day"] < 2], fewer[name])


def test_places_are_known_from_the_next_day_on_and_returned_to_at_the_stated_rate() -> None:
    model = handmade.model()
    chain_of_two = handmade.chains(((0, 3, 0, 3, 0),))
    routines = replace(
        model.routines, chains=(chain_of_two,), timings=(handmade.timing(chain_of_two),), exploration=np.full(7, 2.0),
        sharing=np.zeros(1), work_anchor=np.ones((1, 4)))  # fmt: skip
    law = law_of(replace(model, routines=routines, day_type_of=(0, 0, 0)))
    # Outside and all zones are equally attractive, so a new draw is an old place by chance alone.
    geography, flows = Geography.of(model.zoning, model.domain), model.flows
    law |= places.laws(geography, *(np.ones_like(table) for table in (flows.attraction, flows.affinity, flows.deterrence)))
    n, days = 20_000, 2
    who = {"person": np.arange(n), "home": np.zeros(n, int), "work": np.full(n, -1), "commute": np.full(n, -1)}
    out = played(law, seeds.stage_key(1, "days"), who, np.zeros((n, days), int), np.zeros(days, int))
    shops = out["zone"][out["purpose"] == 3].reshape(n, 4)
    assert (shops[:, 0] == shops[:, 1]).mean() == pytest.approx(1 / 6, abs=0.01)
    # On the second day two stays are known and theta is 2: half of the draws return, to either place.
    again = (shops[:, 2:3] == shops[:, :1]).mean()
    assert again == pytest.approx(0.5 * (0.5 + 0.5 / 6) + 0.5 / 6, abs=0.01)


def test_points_are_those_of_the_twin() -> None:
    triangles = Triangles.of(handmade.zoning())
    rng = np.random.default_rng(2)
    person, place, zone = rng.integers(0, 10**9, 400), rng.integers(0, 10**5, 400), rng.integers(0, 6, 400)
    key = seeds.stage_key(2, "points")
    found = kernel.points(key, person, place, zone, triangles.corners, triangles.first, triangles.cumulative, INWARD)
    want = [twin.point(int(key), int(p), int(q), int(z), triangles, INWARD) for p, q, z in zip(person, place, zone, strict=True)]
    assert np.array_equal(found, np.array(want), equal_nan=True)
