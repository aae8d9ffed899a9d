"""What several days show: best, worst and by hand on a town, and against loops in plain Python on random weeks."""

from __future__ import annotations

import collections
import itertools

import hand_town as town
import numpy as np
import pandas as pd
import pytest

from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.fidelity import compare
from synthmob.fidelity.inside import LIVES_APART
from synthmob.fidelity.lifemetrics import LIFE_METRICS
from synthmob.fidelity.lives import LIFE_FEATURES, seen_throughout
from synthmob.fidelity.sides import Tables, open_side
from synthmob.period import Period

DAYS = 3
PERIOD = Period.of("2026-03-02", DAYS)
A_B = float(town.zoning().distances_km(0, 1))
FAITHFUL, ROAMING, IDLE = ("aba", "aba", "aba"), ("aba", "aca", "ada"), ("a", "a", "a")


def lived(lives, copies=town.COPIES):
    """PERSONS and STAYS of people who are in these zones on these days; a stay outside is '-', a day not seen is empty."""
    everyone = [life for life in lives for _ in range(copies)]
    persons = pd.DataFrame({"person_id": np.arange(len(everyone)), "sex": "female", "age_band": "25-34", "worker": "no",
                            "home_zone": "a", "work_zone": None})  # fmt: skip
    rows = [
        (who, day, seq, "leisure", None if zone == "-" else zone, 100 * seq, 1440 if seq == len(walk) - 1 else 100 * seq + 90)
        for who, life in enumerate(everyone) for day, walk in enumerate(life) for seq, zone in enumerate(walk)
    ]  # fmt: skip
    return Tables(persons, pd.DataFrame(rows, columns=["person_id", "day", "seq", "purpose", "zone_id", "start_min", "end_min"]))


def compared(truth, made, period=PERIOD):
    return compare.compare_inside(truth, made, town.zoning(), Domain(), period, connect(), bootstraps=2, metrics=LIFE_METRICS)


def values(fidelity):
    return {found.name: found.value for found in fidelity.metrics}


def test_by_hand():
    found = values(compared(lived([FAITHFUL, ROAMING]), lived([FAITHFUL, FAITHFUL])))
    assert found["distinct_zones_tvd"] == found["returners_tvd"] == pytest.approx(1 / 2)
    # Of nine stays: 6, 3 against 6, 1, 1, 1, in hundredths; half of the people are off by .22, .11 and .11 at k = 2, 3, 4.
    assert found["place_shares"] == pytest.approx((0.22 + 0.11 + 0.11) / 2 / 5)
    # Of a and b one in three was there the day before, by one zone of three; the faithful find all of theirs again.
    assert found["day_overlap"] == pytest.approx(0.67 / 2)
    faithful, roaming = np.sqrt(2 / 9), np.sqrt(14 / 9 - (6 / 9) ** 2)
    assert found["period_gyration_km"] == pytest.approx(A_B * (roaming - faithful) / 2, abs=0.0101)


def test_at_its_best_and_at_its_worst():
    same = compared(lived([FAITHFUL, ROAMING]), lived([FAITHFUL, ROAMING], copies=3))
    assert set(values(same).values()) == {0.0} and len(same.metrics) == len(LIFE_METRICS)
    apart = values(compared(lived([IDLE]), lived([ROAMING])))
    assert apart["distinct_zones_tvd"] == apart["returners_tvd"] == 1.0
    assert apart["place_shares"] == pytest.approx((0.33 + 3 * 0.11) / 5)
    assert apart["day_overlap"] == pytest.approx(0.67)


def test_who_is_not_seen_every_day_is_not_asked():
    seldom = ("abcd", "", "abcd")
    whole, mixed = lived([FAITHFUL]), lived([FAITHFUL, seldom])
    assert set(values(compared(mixed, whole)).values()) == {0.0}
    for truth, made in ((whole, lived([seldom])), (lived([seldom]), whole)):
        fidelity = compared(truth, made)
        assert not fidelity.metrics
        assert fidelity.notes == (LIVES_APART,)


def test_a_period_of_one_day_says_nothing_of_several():
    fidelity = compared(lived([("aba",)]), lived([("aba",)]), Period.of("2026-03-02", 1))
    assert (fidelity.metrics, fidelity.notes) == ((), (LIVES_APART,))


def hundredths(part, whole):
    """Halves go up, as in the database: Python's own `round` takes them to the even one."""
    return (200 * part + whole) // (2 * whole)


def in_plain_python(lives):
    """Every feature's rows, by person, from the walks themselves."""
    x = town.zoning().centroids_km
    out = {name: collections.Counter() for name in LIFE_FEATURES}
    for who, life in enumerate(lives):
        if not all(life):
            continue
        stays = list("".join(life))
        often = sorted(collections.Counter(stays).items(), key=lambda item: (-item[1], "abcd-".index(item[0])))
        out["life_zones"][who, len(often)] += 1
        for k in range(5):
            out["life_places"][who, k, hundredths(often[k][1], len(stays)) if k < len(often) else 0] += 1
        placed = [x["abcd".index(zone)] for zone in stays if zone != "-"]
        if placed:
            radius = np.sqrt(np.var(placed, axis=0).sum())
            out["life_gyration"][who, round(radius / 0.01)] += 1
            top = [zone for zone, _ in often if zone != "-"][:2]
            near = np.sqrt(np.var([x["abcd".index(zone)] for zone in stays if zone in top], axis=0).sum())
            out["life_returns"][who, int(near > radius / 2 or radius <= 0.01)] += 1
        for one, other in itertools.pairwise(life):
            shared = hundredths(len(set(one) & set(other)), len(set(one) | set(other)))
            out["life_overlaps"][who, shared] += 1 / (DAYS - 1)
    return out


def test_every_feature_is_what_a_loop_finds():
    rng = np.random.default_rng(5)
    sizes = rng.integers(np.where(np.arange(60) % 5, 1, 0)[:, None], 6, (60, DAYS))
    lives = [tuple("".join(rng.choice(list("aaabcd-"), size)) for size in life) for life in sizes]
    backend = connect()
    side = open_side(backend, lived(lives, copies=1), town.zoning(), Domain(), PERIOD, name="side")
    wanted = in_plain_python(lives)
    assert seen_throughout(side) == sum(all(life) for life in lives) < len(lives)
    for name, feature in LIFE_FEATURES.items():
        rows = backend.to_pyarrow(feature.rows(side.coded)).to_pandas()
        found = collections.Counter()
        for row in rows.itertuples(index=False):
            found[tuple(int(getattr(row, column)) for column in ("person_id", *feature.columns))] += row.weight
        assert set(found) == set(wanted[name]), name
        assert all(found[key] == pytest.approx(weight) for key, weight in wanted[name].items()), name
