"""Modes drawn: the shares and times of the model whatever came before, and the same tastes on all trips of a tour."""

from __future__ import annotations

from typing import Any

import handmade
import handmade_modes
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from synthmob.model.modes import alike
from synthmob.synthesis.days import generate

N = 6_000


def trips_of(days: int, **changes: Any) -> pd.DataFrame:
    """Trips of N people with their band of distance and minutes, in order."""
    people = generate(handmade_modes.model(**changes), n_persons=N, days=days, seed=9)
    blocks = [block.stays for block in people.blocks()]
    s = pd.DataFrame({name: np.concatenate([getattr(b, name) for b in blocks])
                      for name in ("person", "day", "seq", "purpose", "zone", "start", "end", "mode")})  # fmt: skip
    s["band"] = people.geography.bands[s.zone.shift(fill_value=0), s.zone]
    s["minutes"], s["left"], s["before"] = s.start - s.end.shift(), s.purpose.shift(), s["mode"].shift()
    s["tour"] = (s.left.eq(0) | s.seq.le(1)).cumsum()
    assert (s["mode"][s.seq == 0] == -1).all() and s["mode"][s.seq > 0].between(0, handmade_modes.N - 1).all()
    return s[s.seq > 0]


@pytest.fixture(scope="module")
def trips() -> pd.DataFrame:
    return trips_of(2)


def test_every_band_has_the_shares_of_the_model(trips: pd.DataFrame) -> None:
    share, score, free = handmade_modes.modes().share, 0.0, 0
    for band, rows in trips[trips.groupby("tour").cumcount() == 0].groupby("band"):  # one trip a tour: they are independent
        found, expected = np.bincount(rows["mode"], minlength=handmade_modes.N), share[band] * len(rows)
        assert (found[share[band] == 0] == 0).all()
        seen = expected > 5
        score, free = score + ((found - expected)[seen] ** 2 / expected[seen]).sum(), free + int(seen.sum()) - 1
    assert free > 20 and chi2.sf(score, free) > 1e-9


def test_modes_take_their_own_times(trips: pd.DataFrame) -> None:
    edges, peak = handmade.DOMAIN.travel_edges_min, handmade_modes.modes().travel.argmax(axis=2)
    roomy = trips[(trips.start < 1_200)]  # the end of a day leaves no room for long trips
    bins = np.searchsorted(edges, roomy.minutes, side="right") - 1
    assert (bins == peak[roomy.band, roomy["mode"]]).mean() > 0.8


def test_who_comes_back_as_far_comes_back_by_the_same(trips: pd.DataFrame) -> None:
    later = trips[trips.tour == trips.tour.shift()]
    same_band = later[later.band == trips.band.shift().loc[later.index]]
    assert len(same_band) > 1_000 and (same_band["mode"] == same_band.before).all()


@pytest.mark.parametrize("habit", [0.0, 1.0])
def test_tours_agree_by_habit_alone(habit: float) -> None:
    trips, share = trips_of(2, habit=np.array([habit])), handmade_modes.modes().share
    out = trips[trips.groupby("tour").cumcount() == 0].groupby("person").head(2)
    pairs = out.groupby("person").filter(lambda rows: len(rows) == 2)
    one, two = pairs.iloc[::2], pairs.iloc[1::2]
    chance = [float(share[a] @ share[b]) if habit == 0 else alike(share[a], share[b]) for a, b in zip(one.band, two.band, strict=True)]
    agree, spread = (one["mode"].to_numpy() == two["mode"].to_numpy()).mean(), 4 * (0.25 / len(one)) ** 0.5
    assert len(one) > 2_000 and agree == pytest.approx(np.mean(chance), abs=2 * spread)


def test_modes_owe_nothing_to_blocks_nor_to_days_to_come(trips: pd.DataFrame) -> None:
    more = trips_of(9)  # blocks of half as many persons
    pd.testing.assert_frame_equal(
        more[more.day < 2].drop(columns="tour").reset_index(drop=True), trips.drop(columns="tour").reset_index(drop=True))


def test_a_model_without_modes_lives_the_days_it_did() -> None:
    """Modes that all take the model's own times change no stay."""
    plain = handmade.model()
    even = np.repeat(plain.routines.travel[:, None], handmade_modes.N, axis=1)
    one, two = (generate(m, n_persons=500, days=2, seed=4).block(0).stays for m in (plain, handmade_modes.model(travel=even)))
    assert len(one.mode) == 0 < len(two.mode)
    for name in ("person", "day", "seq", "purpose", "zone", "start", "end"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
