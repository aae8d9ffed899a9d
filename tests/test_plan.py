"""A plan costs what was asked and no more, says what it drops, and refuses nonsense before anything is spent."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import FORTNIGHT, FRIDAY_ON, MONDAY, PERIODS, town

from synthmob import accounting, zones
from synthmob.domain import Domain
from synthmob.errors import PlanError
from synthmob.period import Period
from synthmob.plan import LEAST_GROUP, MIN_GROUP, ROUNDING_SLACK, STANDARD, USAGE, Plan, Request, domain_from
from synthmob.request import MODES
from synthmob.usageplan import USAGE_COLUMNS

TOWN = town()
BOTH = ("sex", "age_band")


def resolved(period: Period = FORTNIGHT, plan: Plan | None = None, attributes: tuple[str, ...] = BOTH, modes: bool = True,
             usage: tuple[str, ...] = ()) -> Plan:  # fmt: skip
    return (plan or Plan.standard()).resolve(TOWN, period, attributes=attributes, modes=modes, usage=usage)


# ---------------------------------------------------------------- the budget


@settings(max_examples=25)
@given(
    epsilon=st.floats(0.01, 50), delta=st.sampled_from([1e-9, 1e-6, 1e-3]), period=st.sampled_from(PERIODS),
    attributes=st.sampled_from([BOTH, ("sex",), ()]), modes=st.booleans())  # fmt: skip
def test_the_tables_together_cost_the_budget_and_no_more(
    epsilon: float, delta: float, period: Period, attributes: tuple[str, ...], modes: bool
) -> None:
    plan = resolved(period, Plan.standard(epsilon, delta), attributes, modes)
    assert math.fsum(r.share for r in plan.requests) == pytest.approx(1, abs=1e-12)
    assert accounting.compose(map(plan.rho_of, plan.requests)) <= plan.rho * (1 + 1e-12)
    spent = accounting.compose(
        accounting.rho_of(r.bound_l2 * ROUNDING_SLACK, plan.sigma_of(r)) for r in plan.requests)  # fmt: skip
    assert spent <= accounting.rho_from(epsilon, delta) * (1 + 1e-12)
    assert accounting.epsilon_of(spent, delta) <= epsilon * (1 + 1e-9)


@settings(max_examples=25)
@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=9), st.integers(0, 8))
def test_shares_are_relative_and_more_of_them_is_less_noise(shares: list[float], k: int) -> None:
    requests = [Request("home", "zone", share, 1.5) for share in shares]
    one, ten = (resolved(plan=Plan(1.0, 1e-6, requests=tuple(replace(r, share=r.share * f) for r in requests))) for f in (1, 10))
    assert [one.sigma_of(r) for r in one.requests] == pytest.approx([ten.sigma_of(r) for r in ten.requests])
    k %= len(shares)
    requests[k] = replace(requests[k], share=2 * requests[k].share)
    more = resolved(plan=Plan(1.0, 1e-6, requests=tuple(requests)))
    for j, (a, b) in enumerate(zip(one.requests, more.requests, strict=True)):
        assert (more.sigma_of(b) < one.sigma_of(a)) == (j == k)


def test_noise_grows_with_the_bound_and_falls_with_epsilon() -> None:
    for r in resolved().requests:
        sigmas = [p.sigma_of(r) for p in (resolved(plan=Plan.standard(e, 1e-6)) for e in (0.5, 1, 8))]
        assert sigmas == sorted(sigmas, reverse=True) and sigmas[0] > sigmas[2] > 0
        assert resolved().sigma_of(replace(r, bound_l2=2 * r.bound_l2)) == pytest.approx(2 * resolved().sigma_of(r))


# ---------------------------------------------------------------- what resolving does


@pytest.mark.parametrize("period", PERIODS, ids=lambda p: f"{p.days} days")
def test_a_resolved_plan_is_concrete(period: Period) -> None:
    plan = resolved(period)
    assert plan.resolved and not Plan.standard().resolved
    names = [r.name for r in plan.requests]
    assert len(set(names)) == len(names)
    assert {r.level for r in plan.requests} == {"", "zone", "block", "district"}
    assert all(not r.per_day_type and r.needs_days == 1 and r.share > 0 for r in plan.requests)
    asked = {r.statistic for r in STANDARD if r.needs_days <= period.days}
    assert {r.statistic for r in plan.requests} == asked
    again = resolved(period, plan)
    assert [(r.name, r.bound_l2) for r in again.requests] == [(r.name, r.bound_l2) for r in plan.requests]
    assert [r.share for r in again.requests] == pytest.approx([r.share for r in plan.requests])


def test_below_means_every_level_but_the_district_and_shares_its_share() -> None:
    request = Request("home", "below", 6.0, 1.25)
    plan = resolved(plan=Plan(1.0, 1e-6, requests=(request, Request("chains", "", 6.0))))
    assert [(r.name, r.share, r.bound_l2) for r in plan.requests] == [
        ("home@zone", 0.25, 1.25), ("home@block", 0.25, 1.25), ("chains", 0.5, 1.0)]  # fmt: skip


@pytest.mark.parametrize(("most", "level"), [(64, "zone"), (TOWN.n_zones - 1, "block"), (1, None)])
def test_flows_are_told_between_the_finest_areas_that_are_few(monkeypatch: pytest.MonkeyPatch, most: int, level: str | None) -> None:
    monkeypatch.setattr(zones, "MOST_FLOW_AREAS", most)
    plan = resolved(plan=Plan(1.0, 1e-6, requests=(Request("od", "finest", 1.0), Request("chains", "", 1.0))))
    assert [r.level for r in plan.requests if r.statistic == "od"] == ([level] if level else [])
    assert TOWN.flow_level == (level or "district")


@pytest.mark.parametrize(("period", "types"), [(MONDAY, 1), (FRIDAY_ON, 3), (Period.of("2026-03-07", 2), 2)])
def test_the_bound_of_a_table_by_day_type_is_over_all_day_types_of_the_period(period: Period, types: int) -> None:
    plan = resolved(period)
    asked = {(r.statistic, r.level): r for r in STANDARD}
    for r in plan.requests:
        was = asked.get((r.statistic, r.level)) or asked.get((r.statistic, "below")) or asked[r.statistic, "finest"]
        bound = was.bound(period.days, types)
        if was.bound_many_l2 is None or period.days == (types if was.per_day_type else 1):
            assert bound == pytest.approx(was.bound_l2 * (math.sqrt(types) if was.per_day_type else 1))
        assert r.bound_l2 == pytest.approx(bound), r.name


def test_what_makes_no_sense_is_dropped_and_said() -> None:
    plan = resolved(MONDAY, attributes=("age_band",), modes=False)
    one_day = [f"{r.name} (one day only)" for r in STANDARD if r.needs_days > 1]
    assert sorted(plan.dropped) == sorted(["attribute sex", *(f"{name} (no such column)" for name in MODES), *one_day])
    assert plan.domain.sex == ("other",) and plan.domain.age_band == Domain().age_band
    assert plan.domain.attributes == ("age_band",)
    none = resolved(attributes=())
    assert none.dropped == ("attribute sex", "attribute age_band") and none.domain.age_band == ("other",)
    assert resolved().dropped == ()


def test_records_without_usage_have_the_plan_that_they_had_before_there_was_any() -> None:
    """Not a share, not a word of it: their releases are what they were."""
    old = Plan(1.0, 1e-6, requests=STANDARD).resolve(TOWN, FORTNIGHT, attributes=BOTH, modes=True)
    assert resolved() == old


def test_usage_takes_a_small_part_of_the_budget_where_the_events_tell_it() -> None:
    plan = resolved(plan=Plan.standard(), usage=USAGE_COLUMNS)
    of_usage = [r for r in plan.requests if r.needs_columns]
    assert {r.statistic for r in of_usage} == {r.statistic for r in USAGE} and plan.dropped == ()
    assert sum(r.share for r in of_usage) < 0.06
    some = resolved(plan=Plan.standard(), usage=("kind", "app"))
    assert {r.statistic for r in some.requests if r.needs_columns} == {
        "events_per_day", "events_per_person", "event_hours", "event_apps", "event_zones"}  # fmt: skip
    lost = ("event_directions", "event_durations", "event_volumes", "app_volumes")
    assert some.dropped == tuple(f"{name} (no such column)" for name in lost)


def test_a_column_that_the_plan_does_not_name_is_not_read() -> None:
    plan = Plan(1.0, 1e-6, domain=Domain(attributes=("sex",)))
    assert resolved(plan=plan).domain.attributes == ("sex",)
    assert resolved(plan=plan, attributes=("sex", "age_band", "income")).domain.attributes == ("sex",)


def test_as_json_says_all_that_a_reader_needs() -> None:
    plan = resolved(FRIDAY_ON, attributes=("sex",))
    said = json.loads(json.dumps(plan.as_json(), allow_nan=False))
    assert (said["epsilon"], said["delta"], said["rho"], said["min_group"]) == (1.0, 1e-6, plan.rho, MIN_GROUP)
    assert said["dropped"] == ["attribute age_band"]
    assert domain_from(said["domain"], "here") == plan.domain
    for table, r in zip(said["tables"], plan.requests, strict=True):
        assert table == {"name": r.name, "statistic": r.statistic, "level": r.level, "share": r.share, "rho": plan.rho_of(r),
                         "bound_l2": r.bound_l2, "sigma": plan.sigma_of(r)}  # fmt: skip


def test_plans_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Plan.standard().epsilon = 2.0  # pyright: ignore[reportAttributeAccessIssue]


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(("make", "says"), [
    (lambda: Plan(0.0, 1e-6), "epsilon is 0.0: give a number above 0"),
    (lambda: Plan(-1.0, 1e-6), "epsilon is -1.0"),
    (lambda: Plan(math.nan, 1e-6), "epsilon is nan"),
    (lambda: Plan(math.inf, 1e-6), "epsilon is inf"),
    (lambda: Plan(1.0, 0.0), "delta is 0.0: give a number between 0 and 1"),
    (lambda: Plan(1.0, 1.0), "delta is 1.0"),
    (lambda: Plan(1.0, math.nan), "delta is nan"),
    (lambda: Plan(1.0, 1e-6, 0), "smallest group is 0: give a whole number of at least 1"),
    (lambda: Plan(1.0, 1e-6, requests=()), "asks for no table"),
    (lambda: resolved(plan=Plan(1.0, 1e-6, requests=(Request("home", "zone", 0.0),))), "asks for no table"),
    (lambda: resolved(MONDAY, Plan(1.0, 1e-6, requests=(Request("distinct_zones", "", 1.0, needs_days=2),))), "no table"),
    (lambda: resolved(plan=Plan(1.0, 1e-6, requests=(Request("home", "street", 1.0),))),
     "asks for level 'street': this zoning has zone, block, district"),
])  # fmt: skip
def test_a_plan_that_cannot_be_is_refused(make: object, says: str) -> None:
    with pytest.raises(PlanError, match=says) as caught:
        make()  # pyright: ignore[reportCallIssue]
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


@pytest.mark.parametrize("group", [1, 5, LEAST_GROUP - 1])
def test_a_small_group_must_be_accepted(group: int) -> None:
    with pytest.raises(PlanError, match=f"smallest group asked for is {group}, under 10.*--i-accept"):
        Plan.standard(min_group=group).check_group(accepted=False)
    Plan.standard(min_group=group).check_group(accepted=True)
    for fine in (LEAST_GROUP, MIN_GROUP, 1000):
        Plan.standard(min_group=fine).check_group(accepted=False)


# ---------------------------------------------------------------- TOML


def read(folder: Path, text: str, min_group: int | None = None) -> Plan:
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    return Plan.read(folder / "plan.toml", 2.0, 1e-7, min_group=min_group)


def test_a_plan_file_changes_the_standard_plan(tmp_path: Path) -> None:
    plan = read(tmp_path, """
        min_group = 25
        [domain]
        age_band = ["under 60", "other"]
        max_chain_stays = 4
        duration_edges_min = [0, 30, 600]
        [tables."home_work@district"]
        share = 3
        bound_l2 = 1.5
        [tables.modes]
        share = 0
        """)
    assert (plan.epsilon, plan.delta, plan.min_group) == (2.0, 1e-7, 25)
    assert plan.domain == Domain(age_band=("under 60", "other"), max_chain_stays=4, duration_edges_min=(0, 30, 600))
    asked = {r.name: r for r in plan.requests}
    assert (asked["home_work@district"].share, asked["home_work@district"].bound_l2) == (3.0, 1.5)
    assert [r for r in plan.requests if r.name not in ("home_work@district", "modes")] == [
        r for r in (*STANDARD, *USAGE) if r.name not in ("home_work@district", "modes")]  # fmt: skip
    concrete = resolved(plan=plan)
    assert concrete.dropped == ("modes",) and "modes" not in {r.name for r in concrete.requests}


def test_an_empty_plan_file_is_the_standard_plan_and_a_flag_wins_over_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Plan.standard(2.0, 1e-7)
    assert read(tmp_path, "min_group = 25", min_group=11).min_group == 11


@pytest.mark.parametrize(("text", "says"), [
    ("share = ", "is not TOML"),
    ("epsilon = 3", "has an entry 'epsilon': a plan has min_group, domain and tables"),
    ("min_group = 2.5", "min_group 2.5: give a whole number"),
    ("min_group = true", "min_group True: give a whole number"),
    ("min_group = 0", "smallest group is 0"),
    ("tables = 3", "has tables 3: write one"),
    ("[tables.shoes]\nshare = 1", "names a table 'shoes': the standard plan has demographics"),
    ("[tables]\nchains = 3", "changes 'chains' in a way that is not known: give share or bound_l2"),
    ("[tables.chains]\nlevel = 'zone'", "changes 'chains' in a way that is not known"),
    ("[tables.chains]\nshare = -1", "gives 'chains' a share of -1: give a number of at least 0"),
    ("[tables.chains]\nshare = nan", "a share of nan"),
    ("[tables.chains]\nshare = inf", "a share of inf"),
    ("[tables.chains]\nshare = 'all'", "a share of 'all'"),
    ("[tables.chains]\nshare = true", "a share of True"),
    ("[tables.chains]\nbound_l2 = 0", "a bound_l2 of 0: give a number of at least 0.001"),
    ("domain = 3", "has a domain 3: give a table"),
    ("[domain]\nshoe = ['a']", "has a domain entry 'shoe': known are age_band"),
    ("[domain]\nsex = 'female'", "has sex 'female': give a list of categories"),
    ("[domain]\nsex = []", r"has sex \[\]: give a list of categories"),
    ("[domain]\nsex = [1, 2]", r"has sex \[1, 2\]: give a list of categories"),
    ("[domain]\nsex = ['a', 'a']", "has a category of sex twice"),
    ("[domain]\nmax_chain_stays = 1", "max_chain_stays 1: give a whole number from 2 to 10"),
    ("[domain]\nmax_chain_stays = 11", "max_chain_stays 11"),
    ("[domain]\nmax_chain_stays = 3.0", "max_chain_stays 3.0"),
    ("[domain]\npurposes = ['work', 'home']", "must begin with home and work"),
    ("[domain]\npurposes = ['home', 'work', 'drop-off']", "purposes .*without a hyphen"),
    ("[domain]\nattributes = ['income']", "names the attribute 'income': only sex and age_band"),
    ("[domain]\ndistance_edges_km = [0, nan]", "distance_edges_km .*: give a list of bin edges"),
    ("[domain]\ndistance_edges_km = ['a']", "distance_edges_km .*: give a list of bin edges"),
    ("[domain]\ndistance_edges_km = []", "distance_edges_km .*: give a list of bin edges"),
    ("[domain]\ndistance_edges_km = [1, 2]", "distance_edges_km must start at 0 and rise"),
    ("[domain]\nduration_edges_min = [0, 30, 30]", "duration_edges_min must start at 0 and rise"),
    ("[domain]\nduration_edges_min = [0, 2.5]", "duration_edges_min .*: give a list of bin edges, whole minutes"),
])  # fmt: skip
def test_a_plan_file_that_says_nonsense_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(PlanError, match=says) as caught:
        read(tmp_path, text)
    assert caught.value.exit_code == 2 and str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_plan_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"no readable plan at .*nowhere\.toml: name a TOML file"):
        Plan.read(tmp_path / "nowhere.toml", 1.0, 1e-6)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match="is not TOML"):
        Plan.read(tmp_path / "bytes.toml", 1.0, 1e-6)
