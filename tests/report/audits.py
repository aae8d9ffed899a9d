"""Audits for the tests of the privacy page: made-up evidence of every family, with names and wording as the attacks have them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fake_out import PERIOD, hexagons

from synthmob import accounting
from synthmob.audit.evidence import Audit, Evidence
from synthmob.pipeline.measurement import costs
from synthmob.plan import Plan

NASTY = '</style></script><script>alert(1)</script><img src="https://evil.example/x"> %%ICO%% & "'
ZONING = hexagons(2)
PLAN = Plan.standard(1.0, 1e-6).resolve(ZONING, PERIOD, attributes=("sex", "age_band"), modes=False)
COSTS = [asdict(cost) for cost in costs(PLAN, ZONING, PERIOD)]
FORMS = (
    ("raw", "raw counts", 0.9871), ("suppressed", "counts of 50 and more", 0.83), ("event", "event-level noise", 0.97),
    ("before_cut", "release before the cut", 0.541), ("release", "release", 0.512))  # fmt: skip


def evidence() -> tuple[Evidence, ...]:
    """One or more rows of every family; all that have a limit pass."""
    rows = [
        Evidence("mechanism.size", "mechanism", "The noise has the size that is claimed", "mechanism", "p", 0.42, 0.42, 0.42, 8_123,
                 "The noise is as large as claimed.", limit=1e-6, passed=True),
        Evidence("mechanism.accounts", "mechanism", "Every table is paid for", "release", "count", 0.0, 0.0, 0.0, 45,
                 "All 45 tables are paid for.", limit=0.0, passed=True),
        Evidence("canaries.epsilon", "canaries", "Lower bound on epsilon", "mechanism", "epsilon", 0.468, 0.468, 0.468, 10_000,
                 "Epsilon is at least 0.47.", control=0.0, limit=1.0, passed=True, source="Steinke et al. 2023"),
    ]  # fmt: skip
    for key, subject, value in FORMS:
        ours = key in ("before_cut", "release")
        rows.append(Evidence(
            f"membership_{key}_1000", "membership", f"Membership in a group of 1,000: {subject}", subject, "auc", value, value - 0.012,
            value + 0.012, 40_000, f"Shown the {subject}, the attacker is right {100 * value:.0f} times in 100.", control=0.5,
            limit=0.562 if ours else None, passed=True if ours else None, source="Pyrgelis et al. 2018"))  # fmt: skip
    return (
        *rows,
        Evidence("trajectories_raw", "trajectories", "Hours of people recovered from exact counts", "raw counts", "share", 0.61, 0.59, 0.63,
                 500, "The attack gets 61% of hours right.", control=0.31),
        Evidence("trajectories_release", "trajectories", "Hours of people recovered from the release", "release", "share", 0.35, 0.33, 0.37,
                 500, "The attack gets 35% of hours right.", control=0.347),
        Evidence("matched_2", "uniqueness", "Members whose synthetic double 2 points find", "synthetic", "share", -0.003, -0.032, 0.026,
                 4_000, "2 points fit no more often.", control=0.0, limit=0.108, passed=True),
        Evidence("linkability_1", "disclosure", "Linking home and group to days", "synthetic", "share", 0.0021, 0.0014, 0.0031, 4_000,
                 "The attack links 0.2 % of people.", control=0.0, limit=0.04, passed=True),
        Evidence("differencing_exact", "differencing", "Hidden cells that subtraction shows", "counts of 50 and more", "share", 0.04, 0.03,
                 0.05, 2_000, "Subtraction gives 4% away.", source="Dobra, Fienberg 2000"),
        Evidence("differencing_noisy", "differencing", "Precision on the smallest group", "release", "persons", 37.2, 37.2, 37.2, 812,
                 "It is known to plus or minus 37 people.", limit=8.88, passed=True),
        Evidence("traces.outputs", "traces", "A planted id in what is left", "mechanism", "count", 0.0, 0.0, 0.0, 12_345_678,
                 "It stands in none of the bytes.", control=0.0, limit=0.0, passed=True),
    )  # fmt: skip


def audit(kind: str = "outside", rows: tuple[Evidence, ...] | None = None, *, bound: float = 0.468, **about: Any) -> Audit:
    """An audit of the standard plan at epsilon 1."""
    said = {"date": "2026-11-24", "versions": {"synthmob": "0.1.0", "python": "3.11.7"}, "people": 10_000, **about}
    return Audit(kind, {"epsilon": 1.0, "delta": 1e-6, "rho": PLAN.rho}, bound, evidence() if rows is None else rows, said)


def ledger(*epsilons: float, total: float | None = 1.0) -> dict[str, Any]:
    """A ledger as `State.as_json` tells it, of measures at those epsilons."""
    lines: list[dict[str, Any]] = [{"line": 1, "kind": "opened", "customers": "Example Mobile"}]
    spent = 0.0
    for k, epsilon in enumerate(epsilons):
        rho = accounting.rho_from(epsilon, 1e-6)
        spent += rho
        lines.append({
            "line": k + 2, "kind": "spend", "time": f"2026-1{k % 3}-24T09:53:11+00:00", "step": "measure", "epsilon": epsilon,
            "delta": 1e-6, "rho": rho, "tables": {"home@zone": rho / 2, "work@zone": rho / 2},
            "epsilon_so_far": accounting.epsilon_of(spent, 1e-6)})  # fmt: skip
    return {
        "customers": "Example Mobile", "total": None if total is None else {"epsilon": total, "delta": 1e-6},
        "spent": {"rho": spent, "epsilon": accounting.epsilon_of(spent, 1e-6) if spent else 0.0, "delta": 1e-6}, "lines": lines,
        "notes": []}  # fmt: skip
