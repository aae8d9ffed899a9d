"""Every metric on a town that can be worked out by hand: its best, its worst, and one value in between."""

from __future__ import annotations

import math

import hand_town as town
import pytest

from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.fidelity import compare
from synthmob.fidelity.distances import wasserstein_1d
from synthmob.fidelity.metrics import METRICS

A_B, A_C, INSIDE = (float(v) for v in town.zoning().distances_km([0, 0, 1], [1, 2, 1]))

BY_HAND = {
    # True 2, 2 and made 3, 1 of two sorts; a sort of two that loses one to a new sort or to another: the same each
    # time.
    "sex_tvd": 1 / 4,
    "sex_jsd": math.sqrt(0.0487949),
    "worker_tvd": 1 / 4,
    "worker_jsd": math.sqrt(0.0487949),
    "age_tvd": 1 / 4,
    "age_jsd": math.sqrt(0.1556391),
    "group_tvd": 1 / 4,
    "group_jsd": math.sqrt(1 / 4),
    # Homes: true a 2, b 1, c 1; made a 2, b 2.
    "home_zone_tvd": 1 / 4,
    "home_zone_jsd": math.sqrt(0.1556391),
    "home_district_tvd": 1 / 4,
    "home_district_jsd": math.sqrt(0.1379254),
    "home_district_group_tvd": 1 / 4,
    "home_district_group_jsd": math.sqrt(1 / 4),
    # Work: true b, c; made b three times.
    "work_zone_tvd": 1 / 2,
    "work_zone_jsd": math.sqrt(0.3112781),
    "work_district_tvd": 1 / 2,
    "work_district_jsd": math.sqrt(0.3112781),
    # True ab, ac; made ab twice and bb. By district: true XX, XY; made XX.
    "home_work_cpc_zone": 1 / 2,
    "home_work_cpc_zone_off_diagonal": 1 / 2,
    "home_work_cpl_zone": 1 / 2,
    "home_work_cpc_district": 1 / 2,
    "home_work_cpc_district_off_diagonal": 0.0,
    "home_work_km": wasserstein_1d([A_B, A_C], [A_B, A_B, INSIDE]),
    "home_work_km_worst_group": A_C - A_B,
    # The worst group is off by 2.8 km, all together by more than half of that.
    "home_work_km_unfairness": 0.0,
    # True ab ba ac ca bc cb cc cc; made ab ba ab ba bd bb bb.
    "flows_cpc_zone": 1 / 4,
    "flows_cpc_zone_off_diagonal": 1 / 3,
    "flows_cpl_zone": 4 / 11,
    "flows_cpc_district": 1 / 4 + 1 / 7,
    "flows_cpc_district_off_diagonal": 1 / 2,
    # Shared: XX at 8 and 16, XY at 10. Flows of 50 against 100 or 0 fail the bar, 50 against 50 passes: 1 of 10.
    "flows_cpc_hour_district": 3 / 8,
    "flows_geh_hour_district": 1 / 10,
    # Bands 1-2, 2-3 and 4.5-6.5 km: true 2, 4, 2 of 8; made 2, 4, 1 of 7.
    "trips_cpc_distance": 1 / 4 + 1 / 2 + 1 / 7,
    "trip_km": wasserstein_1d([A_B] * 4 + [A_C] * 2 + [INSIDE] * 2, [A_B] * 4 + [A_C] + [INSIDE] * 2),
    # Root mean square from the mean of a, b, a is sqrt(2) / 3 of the distance, of b, d half of it.
    "gyration_km": (A_C / 2 - A_C * math.sqrt(2) / 3) / 4,
    "destinations_tvd_zone": 3 / 4,
    "destinations_tvd_district": 1 / 2,
    # Half hours by zone: a 0, b 20, c 34, d 14 apart, of 95; by district X 20, Y 20.
    "presence_wmape_zone": 68 / 95,
    "presence_wmape_district": 40 / 95,
    "density_emd_km": town.mean_distance_to_move_km(town.TRUTH, town.MADE),
    "chain_tvd": 1 / 4,
    "stays_per_day_tvd": 1 / 4,
    "trips_per_person": 1 / 4,
    "trips_by_group": 3 / 4,
    # Nobody made is male and 65 or older, who make two trips; all together are off by 1 / 4.
    "trips_unfairness": 2 - 2 / 4,
    # Two zones three times and one once, on both sides; there and back three times, made once of these there alone.
    "places_per_day_tvd": 0.0,
    "motif_tvd": 1 / 4,
    # True 300 400 480 480 600 700 990 1000, made the same without 700.
    "departures_min": 1830 / 56,
    # Only trips home differ: 400 700 990 1000 against 400 990 1000, half of the trips.
    "departures_by_purpose_min": (300 / 12 + 290 / 6 + 10 / 12) / 2,
    # True 80 90 480 500, made 90 480 500: the shop that ends the day has no length.
    "dwell_min": 10 / 4 + 390 / 6 + 20 / 12,
    "dwell_by_purpose_min": 5 / 2,
}


def _compared(truth, made):
    return compare.compare_inside(
        town.tables(truth), town.tables(made), town.zoning(), Domain(), town.WEEKDAY, connect(), bootstraps=3
    )


@pytest.fixture(scope="module")
def by_hand():
    return _compared(town.TRUTH, town.MADE)


def test_every_metric_has_a_value_worked_out_by_hand():
    assert set(BY_HAND) == {m.name for m in METRICS}


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(by_hand, name):
    found = by_hand.metric(name)
    # Lengths lie on a grid of 10 m, so the difference of two may be off by one step.
    assert found.value == pytest.approx(BY_HAND[name], abs=0.0101 if found.unit == "km" else 1e-6)


def test_the_worst_group_is_named(by_hand):
    assert by_hand.metric("home_work_km_worst_group").note.startswith("worst group: male 35-44, ")


def test_everything_is_at_its_best_on_itself():
    fidelity = _compared(town.TRUTH, town.TRUTH)
    assert [m.name for m in fidelity.metrics if m.value != m.best] == []
    assert {m.ratio for m in fidelity.metrics} == {0.0}
    assert len(fidelity.metrics) == len(METRICS)


def test_everything_is_at_its_worst_with_nothing_in_common():
    fidelity = _compared(town.ONE_SORT, town.OTHER_SORT)
    declared = {m.name: m.distance.worst for m in METRICS}
    for found in fidelity.metrics:
        if math.isfinite(declared[found.name]):
            assert found.value == declared[found.name], found.name
    # Equal totals: nobody is where anybody should be, so all are missing once and too many once.
    assert {fidelity.metric(f"presence_wmape_{level}").value for level in ("zone", "district")} == {2.0}
    # Nobody left has a work place: as far as the grid reaches, which is the distance between the only ends there are.
    assert fidelity.metric("home_work_km").value == pytest.approx(3 * A_B, abs=0.006)
    assert fidelity.metric("trip_km").value == pytest.approx(2 * A_B, abs=0.0101)
    assert fidelity.metric("trips_per_person").value == 1.0
    assert fidelity.metric("trips_by_group").value == 1.0
