"""The zCDP arithmetic against published figures, dp-accounting and brute force."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORTNIGHT, town

from synthmob import accounting
from synthmob.errors import PlanError
from synthmob.plan import ROUNDING_SLACK, Plan

ORDERS = [1.0 + 10.0 ** (k / 200.0 - 4.0) for k in range(1700)]
"""Orders of Renyi divergence for dp-accounting, which takes the best of those it is given: never less than the best of all."""
budgets = st.tuples(st.floats(0.01, 20.0), st.floats(1e-12, 0.1))


@pytest.mark.parametrize(
    ("epsilon", "delta", "rho"), [(1.0, 1e-6, 0.0243559704), (0.6, 1e-6, 0.0093549363), (10.0, 1e-5, 1.7826956163)]
)
def test_tight_conversion_gives_the_known_figures(epsilon: float, delta: float, rho: float) -> None:
    assert accounting.rho_from(epsilon, delta) == pytest.approx(rho, rel=1e-8)
    assert accounting.epsilon_of(rho, delta) == pytest.approx(epsilon, rel=1e-6)


def test_epsilons_do_not_add() -> None:
    twice = accounting.compose([accounting.rho_from(0.6, 1e-6)] * 2)
    assert accounting.epsilon_of(twice, 1e-6) == pytest.approx(0.868, abs=5e-4)


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 4.0, 1000.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-6, 1e-3])
def test_dp_accounting_agrees(epsilon: float, delta: float) -> None:
    """dp-accounting minimises over a grid of orders, so it is never below ours and little above it."""
    dp_accounting = pytest.importorskip("dp_accounting")
    rho = accounting.rho_from(epsilon, delta)
    fine = [1.0 + x for x in (10.0 ** (k / 400.0 - 4.0) for k in range(4000))]
    accountant = dp_accounting.rdp.RdpAccountant(orders=fine)
    accountant.compose(dp_accounting.ZCDpEvent(rho))
    theirs = accountant.get_epsilon(delta)
    assert epsilon * (1 - 1e-9) <= theirs <= epsilon * (1 + 1e-4)


def resolved(epsilon: float, delta: float) -> Plan:
    return Plan.standard(epsilon, delta).resolve(town(), FORTNIGHT, attributes=("sex", "age_band"), modes=True)


def renyi(events: list[Any]) -> Any:
    dp_accounting = pytest.importorskip("dp_accounting")
    accountant = dp_accounting.rdp.RdpAccountant(orders=ORDERS)
    for event in events:
        accountant.compose(event)
    return accountant


@pytest.mark.parametrize("epsilon", [0.25, 1.0, 4.0, 16.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-5])
def test_the_whole_standard_plan_costs_what_dp_accounting_says(epsilon: float, delta: float) -> None:
    """Every table as a Gaussian of its own, none like another, composed and converted by somebody else's code, both ways.

    Theirs is never below ours by more than rounding (1e-9 of it), and above it by what its grid of orders loses: under
    1e-4 of an epsilon and 1e-3 of a delta.
    """
    dp_accounting = pytest.importorskip("dp_accounting")
    plan = resolved(epsilon, delta)
    noise = [(r.bound_l2 * ROUNDING_SLACK, plan.sigma_of(r)) for r in plan.requests]
    assert len({round(bound / sigma, 9) for bound, sigma in noise}) >= 10
    theirs = renyi([dp_accounting.GaussianDpEvent(sigma / bound) for bound, sigma in noise])
    rho = accounting.compose(accounting.rho_of(bound, sigma) for bound, sigma in noise)
    assert rho <= plan.rho * (1 + 1e-12)
    ours = accounting.epsilon_of(rho, delta)
    assert ours <= epsilon * (1 + 1e-9)
    assert ours * (1 - 1e-9) <= theirs.get_epsilon(delta) <= ours * (1 + 1e-4)
    assert accounting.delta_of(rho, ours) * (1 - 1e-9) <= theirs.get_delta(ours) <= delta * (1 + 1e-3)


@pytest.mark.parametrize("budgets_", [[(0.6, 1e-6)] * 2, [(0.1, 1e-9), (1.0, 1e-6), (3.0, 1e-5)], [(0.05, 1e-7)] * 40])
def test_releases_add_up_as_dp_accounting_adds_them(budgets_: list[tuple[float, float]]) -> None:
    dp_accounting = pytest.importorskip("dp_accounting")
    rhos = [accounting.rho_from(epsilon, delta) for epsilon, delta in budgets_]
    theirs = renyi([dp_accounting.ZCDpEvent(rho) for rho in rhos])
    for delta in (1e-9, 1e-6, 1e-4):
        ours = accounting.epsilon_of(accounting.compose(rhos), delta)
        assert ours * (1 - 1e-9) <= theirs.get_epsilon(delta) <= ours * (1 + 1e-3)
        assert ours <= sum(accounting.epsilon_of(rho, delta / len(rhos)) for rho in rhos)


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 4.0, 20.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-6, 1e-3])
def test_the_exact_epsilon_of_all_tables_together_is_below_the_one_we_state(epsilon: float, delta: float) -> None:
    """Gaussians compose to one Gaussian, whose exact epsilon is known: the zCDP conversion may only lose, and loses little."""
    dp_accounting = pytest.importorskip("dp_accounting")
    plan = resolved(epsilon, delta)
    precision = sum((r.bound_l2 / plan.sigma_of(r)) ** 2 for r in plan.requests)
    assert 0.8 * epsilon < dp_accounting.get_epsilon_gaussian(1 / math.sqrt(precision), delta) <= epsilon


@pytest.mark.parametrize(("moved", "sigma", "times"), [(2, 3.0, 1), (2, 3.0, 10), (1, 0.6, 4), (5, 40.0, 30)])
def test_discrete_gaussians_keep_what_the_formula_says_of_them(moved: int, sigma: float, times: int) -> None:
    """The privacy loss distribution of dp-accounting, rounded up, of the discrete mechanism itself."""
    dp_accounting = pytest.importorskip("dp_accounting")
    loss = dp_accounting.pld.privacy_loss_distribution.from_discrete_gaussian_mechanism(
        sigma, sensitivity=moved, value_discretization_interval=1e-4)  # fmt: skip
    rho = times * accounting.rho_of(moved, sigma)
    for delta in (1e-8, 1e-5):
        exact = loss.self_compose(times).get_epsilon_for_delta(delta)
        assert 0.5 * exact < exact - 1e-4 * times <= accounting.epsilon_of(rho, delta)


@given(st.integers(1, 9), st.floats(0.4, 12.0), st.floats(0.0, 6.0))
def test_delta_of_a_discrete_gaussian_summed_by_hand_is_no_larger_than_stated(moved: int, sigma: float, epsilon: float) -> None:
    k = np.arange(-600, 601)
    p = np.exp(-0.5 * (k / sigma) ** 2)
    q = np.exp(-0.5 * ((k - moved) / sigma) ** 2)
    delta = float(np.maximum(p - math.exp(epsilon) * q, 0).sum() / p.sum())
    assert delta <= accounting.delta_of(accounting.rho_of(moved, sigma), epsilon) * (1 + 1e-9) + 1e-15


@pytest.mark.parametrize("epsilon", [0.01, 0.1, 1.0, 4.0, 20.0])
@pytest.mark.parametrize("delta", [1e-15, 1e-9, 1e-6, 1e-3])
def test_the_slack_of_the_bound_pays_for_what_the_proof_rounds_away(epsilon: float, delta: float) -> None:
    """Noise is made for a bound 2e-6 larger than any contribution is. That spares a little delta, and it is worth more than

    - bulk drawing of a hundred tables, each within 2^-100 of the true law: (1 + e^epsilon) 2^-100 of delta a table, and
    - the floating point of `delta_of`, some 1e-12 of delta.
    """
    rho = accounting.rho_from(epsilon, delta)
    spent = rho * ((1 + 1e-9) / ROUNDING_SLACK) ** 2
    spared = delta - accounting.delta_of(spent, epsilon)
    assert spared > (1 + math.exp(epsilon)) * 100 * 2.0**-100 + 1e-11 * delta


def test_a_gaussian_keeps_what_is_promised_of_it() -> None:
    """The exact epsilon of a Gaussian of the noise that we choose is below the epsilon that we state."""
    dp_accounting = pytest.importorskip("dp_accounting")
    sigma = accounting.sigma_for(1.0, accounting.rho_from(1.0, 1e-6))
    exact = dp_accounting.get_epsilon_gaussian(sigma, 1e-6)
    assert 0.9 < exact <= 1.0


@given(budgets)
def test_conversions_invert_each_other_and_stay_within_the_budget(budget: tuple[float, float]) -> None:
    epsilon, delta = budget
    rho = accounting.rho_from(epsilon, delta)
    assert accounting.delta_of(rho, epsilon) <= delta
    assert accounting.delta_of(rho * 1.0001, epsilon) > delta
    assert accounting.epsilon_of(rho, delta) == pytest.approx(epsilon, rel=1e-6, abs=1e-9)


@given(budgets)
def test_tight_is_never_worse_than_the_simple_formula(budget: tuple[float, float]) -> None:
    epsilon, delta = budget
    simple = (math.sqrt(math.log(1 / delta) + epsilon) - math.sqrt(math.log(1 / delta))) ** 2
    assert accounting.rho_from(epsilon, delta) >= simple


@given(st.floats(1e-3, 0.3), st.floats(0.0, 3.0))
def test_the_alpha_found_is_the_best_one(rho: float, epsilon: float) -> None:
    def bound(alpha: float) -> float:
        return math.exp((alpha - 1) * (alpha * rho - epsilon) + alpha * math.log1p(-1 / alpha)) / (alpha - 1)

    brute = min(
        min(1.0, bound(1.0 + 10.0 ** (k / 50.0))) for k in range(-300, 200) if (10.0 ** (k / 50.0)) ** 2 * rho < 600
    )
    assert accounting.delta_of(rho, epsilon) <= brute * (1 + 1e-9)


@given(st.floats(1e-3, 100.0), st.floats(1e-9, 1e4))
def test_sigma_never_costs_more_than_its_rho(bound: float, rho: float) -> None:
    sigma = accounting.sigma_for(bound, rho)
    assert Fraction(bound) ** 2 / (2 * Fraction(sigma) ** 2) <= Fraction(rho)
    assert accounting.rho_of(bound, sigma) == pytest.approx(rho, rel=1e-12)


@given(st.floats(0.02, 3e3), st.sampled_from([0, 1, 10, 50]), st.integers(1, 10**12))
def test_cut_covers_group_and_domain(sigma: float, min_group: int, n_domain: int) -> None:
    cut = accounting.cut_for(sigma, min_group, n_domain)
    assert cut >= min_group + 2 * sigma
    assert n_domain * accounting.probability_published(0, sigma, cut) <= 1 + 1e-9
    assert float(cut * 1024).is_integer()
    if min_group >= 1:
        assert accounting.probability_published(min_group - 1, sigma, cut) < 0.03


def test_cut_of_a_study_without_a_group_is_no_larger_than_it_must_be() -> None:
    assert accounting.cut_for(1e-3, 1, 10_000_000) == pytest.approx(1.002, abs=2e-3)
    assert accounting.cut_for(20.0, 50, 1_000) == 90.0
    assert accounting.cut_for(20.0, 50, 1) == 90.0


@pytest.mark.parametrize("sigma", [0.0005, 0.002, 0.02])
@pytest.mark.parametrize("count", [0, 49, 49.5])
def test_probability_is_the_exact_sum_where_the_grid_is_coarse(sigma: float, count: float) -> None:
    scale, steps = sigma * 1024, round((50 - count) * 1024)
    reach = range(-4000, 4001)
    whole = math.fsum(math.exp(-0.5 * (k / scale) ** 2) for k in reach)
    for shift in (0, 1, 3, -2):
        cut = 50 + shift / 1024
        wanted = math.fsum(math.exp(-0.5 * (k / scale) ** 2) for k in reach if k >= steps + shift) / whole
        assert accounting.probability_published(count, sigma, cut) == pytest.approx(wanted, rel=1e-9, abs=1e-15)


def test_probability_is_smooth_where_the_summing_ends() -> None:
    for z in (0.3, 1.0, 4.0, 8.0):
        sigma = 4.0
        summed, midpoint = (
            accounting.probability_published(0, s, z * sigma) for s in (sigma, math.nextafter(sigma, 5))
        )
        assert midpoint == pytest.approx(summed, rel=1e-6)


def test_probability_at_the_cut_and_without_noise() -> None:
    assert accounting.probability_published(90, 20.0, 90) == pytest.approx(0.5, abs=1e-4)
    assert accounting.probability_published(49, 20.0, 90) < 0.021
    assert accounting.probability_published(49, 0.0, 50) == 0.0
    assert accounting.probability_published(50, 0.0, 50) == 1.0
    assert accounting.probability_published(10_000, 20.0, 90) == 1.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: accounting.rho_from(0.0, 1e-6),
        lambda: accounting.rho_from(1.0, 0.0),
        lambda: accounting.rho_from(1.0, 1.0),
        lambda: accounting.rho_from(math.nan, 1e-6),
        lambda: accounting.epsilon_of(-1.0, 1e-6),
        lambda: accounting.sigma_for(1.0, 0.0),
        lambda: accounting.sigma_for(math.inf, 1.0),
        lambda: accounting.rho_of(1.0, 0.0),
        lambda: accounting.delta_of(1.0, -1.0),
        lambda: accounting.cut_for(1.0, -1, 10),
        lambda: accounting.cut_for(1.0, 50, 0),
        lambda: accounting.probability_published(0, -1.0, 10),
    ],
)
def test_nonsense_is_refused(call: object) -> None:
    with pytest.raises(PlanError):
        call()  # pyright: ignore[reportCallIssue]
