"""Table by table: what one subscriber can add, why it can be no more, and that no more reaches the noise.

docs/PRIVACY.md names a test of this file for every table, and docs/reasons.py the reason; both are held to people who
were made up to reach as far as a life can: who never moves, who does the same seven things every day, who never does the same
twice, and who does nothing but run about.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from strategies import FORTNIGHT, Population, crowd, town

from synthmob.accounting import FIXED_POINT
from synthmob.counts import STATISTICS, Coded, Public, cells, coded
from synthmob.engine import connect
from synthmob.plan import ROUNDING_SLACK, Plan, Request
from synthmob.private import bounding
from synthmob.usageplan import USAGE_COLUMNS

REASONS_FILE = Path(__file__).resolve().parents[2] / "docs" / "reasons.py"
TOWN, PERIOD, BACKEND = town(), FORTNIGHT, connect(threads=2)
PLAN = Plan.standard().resolve(TOWN, PERIOD, attributes=("sex", "age_band"), modes=True, usage=USAGE_COLUMNS)
PUBLIC = Public(TOWN, PLAN.domain, PERIOD)
BY_TYPE = {r.statistic: r.per_day_type for r in Plan.standard().requests}
NOT_REACHED = {"travel_time"}
"""The town is too small for one day to have a trip of every distance."""
SEVEN = (("home", 0), ("work", 1), ("shop", 2), ("work", 1), ("leisure", 3), ("work", 4), ("home", 0))


def reasons() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reasons_of_the_bounds", REASONS_FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    return module


REASONS = reasons().REASONS


def life(person_id: int, days: list[list[tuple[str, int]]]) -> Population:
    """A worker of zone 1 who lives in zone 0, with these purposes and zones day by day, each day cut evenly."""
    person = {"person_id": person_id, "sex": "female", "age_band": "25-34", "worker": "yes", "home_zone": "z0", "work_zone": "z1"}
    stays: list[dict[str, Any]] = []
    for day, doings in enumerate(days):
        step = 1440 // len(doings)
        stays += [{
            "person_id": person_id, "day": day, "seq": k, "purpose": purpose, "zone_id": f"z{zone}", "start_min": k * step + bool(k),
            "end_min": 1440 if k + 1 == len(doings) else (k + 1) * step, "mode": "walking"}
            for k, (purpose, zone) in enumerate(doings)]  # fmt: skip
    return Population((person,), tuple(stays))


def phone(person_id: int) -> Population:
    """Ten apps ten times a day: nobody is over the bound of apps by less."""
    rows = [{"person_id": person_id, "at_s": 86_400 * day + 600 * k, "zone_id": "z0", "kind": "data", "direction": None,
             "app": PLAN.domain.apps[k % 10], "duration_s": 5.0, "volume_kb": 4.0 ** (k % 7)}
            for day in range(PERIOD.days) for k in range(100)]  # fmt: skip
    return replace(life(person_id, [[("home", 0)]] * PERIOD.days), events=tuple(rows))


def extremes() -> Population:
    """Lives that reach as far as lives can, beside forty of every kind."""
    purposes = PLAN.domain.purposes
    all_of_them = [(purpose, k) for k, purpose in enumerate(purposes)]
    never_twice = [[("home", 0)] + [(purposes[2 + d // 4], 5 + d % 4)] * (1 + d % 4) for d in range(PERIOD.days)]
    lives = [
        life(1000, [[("home", 0)]] * PERIOD.days),
        life(1001, [list(SEVEN)] * PERIOD.days),
        life(1002, [all_of_them] * PERIOD.days),
        life(1003, never_twice),
        phone(1004),
        life(1005, [[("home", 0), ("work", 1), ("home", 0)]] * PERIOD.days),
        crowd(40, TOWN, PERIOD, 11, (1, 2, 3, 7, 8, 9, 40, 400)),
    ]
    rows = (tuple(row for one in lives for row in part(one)) for part in (lambda p: p.persons, lambda p: p.stays, lambda p: p.events))
    return Population(*rows).shuffled(1)


@pytest.fixture(scope="module")
def everyone() -> Coded:
    people = extremes()
    persons, stays = people.tables()
    return coded(BACKEND, persons, stays, TOWN, PLAN.domain, PERIOD, name="extremes", events=people.events_table())


def requests_of(statistic: str) -> list[Request]:
    return [r for r in PLAN.requests if r.statistic == statistic]


def natural_squares(table: Coded, request: Request) -> pd.Series:
    """Each person's squared norm before scaling, no cell above 1."""
    found = BACKEND.to_pandas(cells(STATISTICS[request.statistic], table, request.level))
    return (found.weight.clip(upper=1.0) ** 2).groupby(found.person_id).sum()


def squares(table: Coded, request: Request) -> dict[int, int]:
    """Each person's squared norm as it meets the noise, in 1/1024 person, after looking at every entry."""
    rows = bounding.fixed_contributions(cells(STATISTICS[request.statistic], table, request.level), request.bound_l2)
    found = BACKEND.to_pyarrow(rows)
    fixed = found["fixed"].to_numpy()
    assert fixed.dtype == np.int64 and fixed.min() >= 0 and fixed.max() <= FIXED_POINT
    out: dict[int, int] = {}
    for person, value in zip(found["person_id"].to_pylist(), found["fixed"].to_pylist(), strict=True):
        out[person] = out.get(person, 0) + value * value
    return out


@pytest.mark.parametrize("statistic", STATISTICS)
def test_no_subscriber_moves_the_table_by_more_than_its_norm(everyone: Coded, statistic: str) -> None:
    """Neighbours differ by one subscriber, and a count is the sum of what each adds: these are the movements."""
    assert requests_of(statistic)
    for request in requests_of(statistic):
        most = (Fraction(request.bound_l2) * Fraction(bounding.EQUAL) * FIXED_POINT) ** 2
        found = squares(everyone, request)
        assert max(found.values()) <= most, request.name
        assert most <= (Fraction(request.bound_l2) * Fraction(ROUNDING_SLACK) * FIXED_POINT) ** 2
        # The bound is no idle number either: somebody comes near what the reason says is the most that there can be.
        reason, types = REASONS[statistic], len(PERIOD.day_types) if BY_TYPE[statistic] else 1
        reach = min(reason.natural(PUBLIC, types) or math.inf, request.bound_l2)
        assert math.sqrt(max(found.values())) > 0.99 * reach * FIXED_POINT, request.name


@pytest.mark.parametrize("statistic", STATISTICS)
def test_the_reason_that_is_given_for_the_bound_is_true(everyone: Coded, statistic: str) -> None:
    """Before any scaling nobody exceeds what reasons.py says one life can add, and somebody reaches it."""
    reason, types = REASONS[statistic], len(PERIOD.day_types) if BY_TYPE[statistic] else 1
    for request in requests_of(statistic):
        found = natural_squares(everyone, request)
        if reason.most is not None:
            assert found.max() <= reason.most(PUBLIC) * types * (1 + 1e-9), request.name
            if statistic not in NOT_REACHED:
                assert found.max() == pytest.approx(reason.most(PUBLIC) * types), request.name
        if reason.never_scaled(PUBLIC, request.bound_l2, types):
            assert found.max() <= request.bound_l2**2 * (1 + 1e-9), request.name
            continue
        # A town of two districts has too few cells to be over the bound in: the zones are many enough for every table.
        finest = replace(request, level="zone") if STATISTICS[statistic].spatial else request
        assert natural_squares(everyone, finest).max() > request.bound_l2**2, f"{request.name}: nobody is scaled, say why"


@pytest.mark.parametrize("statistic", STATISTICS)
def test_the_weights_of_one_person_and_cell_are_whole_eighths_of_one_day(everyone: Coded, statistic: str) -> None:
    """What bounding.py relies on where it sums floats: k/(8n), k whole and at least 1, one n for all rows of a cell, at most the days."""
    for request in requests_of(statistic):
        axes = [axis.name for axis in STATISTICS[statistic].axes(PUBLIC, request.level)]
        rows = BACKEND.to_pandas(STATISTICS[statistic].rows(everyone, request.level))
        if STATISTICS[statistic].word == "usage":  # no float is summed at all: a person has a cell in one row
            assert rows.groupby(["person_id", *axes]).size().max() == 1, request.name
            continue
        days = pd.DataFrame({n: abs(8 * n * rows.weight - (8 * n * rows.weight).round()) < 1e-9 for n in range(1, PERIOD.days + 1)})
        one_n = days.groupby([rows[name] for name in ("person_id", *axes)]).all()
        assert one_n.any(axis=1).all(), request.name
        assert 0.999 / (8 * PERIOD.days) < rows.weight.min() and rows.weight.max() <= 1, request.name


def test_every_statistic_has_its_reason_and_no_other_has() -> None:
    assert list(REASONS) == list(dict.fromkeys(r.statistic for r in Plan.standard().requests))
    assert set(REASONS) == set(STATISTICS)


def test_a_reason_that_is_wrong_is_found(everyone: Coded) -> None:
    """Presence at 24 moments cannot be argued down to 23, nor chains up to two a day."""
    presence = requests_of("presence")[0]
    assert natural_squares(everyone, presence).max() > 23 * 3
    assert natural_squares(everyone, requests_of("chains")[0]).max() < 2 * 3
    narrow = presence.bound_l2 * math.sqrt(23 / 24)
    assert max(squares(everyone, presence).values()) > (narrow * FIXED_POINT) ** 2
