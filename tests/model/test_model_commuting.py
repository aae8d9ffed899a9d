"""Hours of work belong to the work place and the way to it: planted ones are found, and nothing else of the days moves."""

from __future__ import annotations

import math
from dataclasses import replace

import handmade
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmob.counts.commuting import MOMENT, MOMENTS
from synthmob.domain import Axis
from synthmob.marginals import Marginal
from synthmob.model import commuting
from synthmob.model.chains import Chains
from synthmob.model.commuting import CANDIDATES, NEVER, Candidates, Commuting
from synthmob.model.geography import Geography
from synthmob.model.lives import Lives
from synthmob.model.timing import BY_CLOCK, HOURS, Timing

PLACE = Geography.of(handmade.zoning(), handmade.DOMAIN)
AREAS, BANDS = 3, PLACE.n_bands
EDGES = np.append(np.asarray(handmade.DOMAIN.duration_edges_min), 1440)
DUTIES = handmade.DOMAIN.segment_duties


def planted() -> Commuting:
    """In the east work begins late and ends late, in the west early; whoever works far from home leaves early for it, others late."""
    late = np.exp(np.linspace(-2.0, 2.0, HOURS))
    areas, distances = np.ones((AREAS, MOMENTS, HOURS)), np.ones((BANDS, MOMENTS, HOURS))
    areas[0], areas[1] = 1 / late, late
    far = np.arange(BANDS) > 3
    distances[far, 0], distances[~far, 0] = 1 / late, late
    return Commuting(areas, distances)


def some(n: int, seed: int) -> Candidates:
    """Days of workers of all zones, their schedules' hours around 8 and 17 and every fifth of them without a way home."""
    rng = np.random.default_rng(seed)
    hours = np.clip(np.rint(rng.normal([8.0, 17.0], [2.0, 2.5], (n, CANDIDATES, MOMENTS))), 0, HOURS - 1)
    hours[::5, :, 1] = NEVER
    home, work = rng.integers(0, 6, n), rng.integers(0, 6, n)
    return Candidates(np.tile(np.arange(CANDIDATES), (n, 1)), hours.astype(np.int8), commuting.rows(PLACE, home, work))


def released(law: Commuting, days: Candidates, sigma: float = 0.0, scale: float = 1.0) -> dict[str, Marginal]:
    """The two tables of these days, exact or with noise and a cut."""
    rng, out = np.random.default_rng(8), {}
    firsts = (Axis("work", ("west", "east", "outside")), Axis("distance", tuple(str(k) for k in range(BANDS))))
    for name, first, exact in zip(commuting.TABLES, firsts, commuting._expected(law, days), strict=True):
        seen = exact * scale + rng.normal(0, sigma, exact.shape) if sigma else exact * scale
        cut = 50 + 2 * sigma if sigma else 0.0
        codes = np.argwhere(seen > cut)
        axes = (first, Axis("moment", MOMENT), Axis("hour", tuple(map(str, range(HOURS)))))
        out[name] = replace(Marginal.of(name, axes, codes, seen[tuple(codes.T)]), sigma=sigma, cut=cut)
    return out


def off(law: Commuting, other: Commuting, days: Candidates) -> tuple[float, float]:
    """The part of days that two laws put at other hours, by area and by distance."""
    pairs = zip(commuting._expected(law, days), commuting._expected(other, days), strict=True)
    found = [float(np.abs(a - b).sum() / 2 / a.sum()) for a, b in pairs]
    return found[0], found[1]


def test_planted_hours_are_found_on_other_days_than_they_were_fitted_on() -> None:
    truth, even = planted(), Commuting(np.ones((AREAS, MOMENTS, HOURS)), np.ones((BANDS, MOMENTS, HOURS)))
    law = commuting.fit(released(truth, some(40_000, 1)), some(40_000, 2), PLACE)
    assert law is not None
    other = some(40_000, 3)
    before, after = off(even, truth, other), off(law, truth, other)
    together = [commuting._expected(x, other)[0].sum(axis=0) for x in (even, truth)]  # this much is for schedules to say
    least = float(np.abs(together[0] - together[1]).sum() / 2 / together[0].sum())
    assert min(before) > 2 * least and max(after) < least + 0.01, (before, after, least)


def test_noise_moves_hours_less_than_it_is() -> None:
    even, days = Commuting(np.ones((AREAS, MOMENTS, HOURS)), np.ones((BANDS, MOMENTS, HOURS))), some(40_000, 4)
    tables = released(even, days, sigma=150.0)
    law = commuting.fit(tables, days, PLACE)
    assert law is not None
    found = [t.dense(missing=np.nan) for t in tables.values()]
    noise = [np.nansum(np.abs(t - e)) / 2 / e.sum() for t, e in zip(found, commuting._expected(even, days), strict=True)]
    assert off(even, law, days)[0] < 0.5 * noise[0] and off(even, law, days)[1] < 0.5 * noise[1]


def test_all_places_together_keep_the_hours_of_their_schedules() -> None:
    even, days = Commuting(np.ones((AREAS, MOMENTS, HOURS)), np.ones((BANDS, MOMENTS, HOURS))), some(40_000, 5)
    law = commuting.fit(released(planted(), some(40_000, 6), scale=3.0), days, PLACE)
    assert law is not None
    kept, moved = (commuting._expected(x, days)[0].sum(axis=0) for x in (even, law))
    assert np.abs(kept - moved).sum() / 2 / kept.sum() < 0.01


def test_a_release_without_these_tables_has_no_hours_of_work() -> None:
    tables = released(planted(), some(2_000, 1))
    assert commuting.fit({"work_hours@district": tables["work_hours@district"]}, some(2_000, 2), PLACE) is None
    nobody = some(2_000, 2)
    assert commuting.fit(tables, replace(nobody, row=np.full_like(nobody.row, -1)), PLACE) is None


def test_hours_are_those_of_the_schedules() -> None:
    chains = handmade.chains(((0, 1, 0), (0, 3, 1, 3, 1, 0), (1, 0, 2, 0), (0, 2, 0), (0, 1)))
    schedules = np.full((5, 20), -1, dtype=np.int16)
    schedules[0, :2] = 33, BY_CLOCK + 70  # leaves home at 8:15, work at 17:30
    schedules[1, :5] = 40, 5, 9, 3, BY_CLOCK + 79
    schedules[2, :3] = 25, BY_CLOCK + 50, BY_CLOCK + 60  # a night shift, then lessons: neither moment
    schedules[3, :2], schedules[4, :1] = (30, BY_CLOCK + 60), 88
    timing = Timing(schedules, np.ones(5), np.arange(6))
    found = commuting.hours(chains, timing, EDGES, DUTIES)
    errand_min = EDGES[5] + (EDGES[6] - EDGES[5]) // 2
    shop_ends = (40 * 15 + 7 + commuting.USUAL_TRIP_MIN + errand_min) // 60
    assert found.tolist() == [[8, 17], [shop_ends, 19], [NEVER, NEVER], [NEVER, NEVER], [22, NEVER]]
    shift = handmade.chains(((1, 0),))
    night = Timing(np.where(np.arange(20) == 0, 25, -1)[None].astype(np.int16), np.ones(1), np.array([0, 1]))
    assert commuting.hours(shift, night, EDGES, DUTIES).tolist() == [[NEVER, 6]]


def lives(chains: Chains, n: int, work: int) -> Lives:
    chain = np.zeros(n, dtype=np.int64)
    return Lives(np.zeros(n, int), np.full(n, work), chains.purposes[chain], chains.lengths[chain], 1.0, chain=chain)


def test_candidates_are_taken_as_they_weigh() -> None:
    chains, n = handmade.chains(((0, 1, 0),)), 20_000
    schedules = np.full((2, 20), -1, dtype=np.int16)
    schedules[:, :2] = (24, BY_CLOCK + 60), (40, BY_CLOCK + 60)
    timing = Timing(schedules, np.ones(2), np.array([0, 2]))
    early = Commuting(np.ones((AREAS, MOMENTS, HOURS)), np.ones((BANDS, MOMENTS, HOURS)))
    early.areas[1, 0, 6] = 3.0
    # Of four fair draws, each early one weighs three times a late one.
    wanted = sum(math.comb(CANDIDATES, k) / 2**CANDIDATES * 3 * k / (3 * k + CANDIDATES - k) for k in range(CANDIDATES + 1))
    for work, share in ((4, wanted), (0, 0.5), (-1, 0.5)):
        drawn = Candidates.of(lives(chains, n, work), (chains,), (timing,), PLACE, EDGES, DUTIES)
        assert (drawn.taken(early) == 0).mean() == pytest.approx(share, abs=0.012)
        assert (drawn.taken(None) == drawn.schedule[:, 0]).all()


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_a_step_stays_in_its_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target, found = (rng.gamma(0.3, 100.0, (AREAS, MOMENTS, HOURS)) for _ in range(2))
    moved = commuting._pulled(np.ones_like(target), target, found)
    assert (moved >= 1 / commuting.MOST_PULL).all() and (moved <= commuting.MOST_PULL).all()
    nothing = commuting._pulled(np.ones_like(target), found, found)
    assert nothing == pytest.approx(1.0)
