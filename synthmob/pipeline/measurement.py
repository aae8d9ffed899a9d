"""measure: records in, a release out. The one step whose result owes anything to a private record."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthmob import accounting, folders, manifest
from synthmob.counts import STATISTICS, Public
from synthmob.errors import InputError
from synthmob.ledger import Outlook
from synthmob.period import Period
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles, enough_memory
from synthmob.pipeline.spending import Account, Purse, measured
from synthmob.plan import Plan
from synthmob.release import Release
from synthmob.zones import Zoning

ASKED_PEOPLE = 49
"""Beside each table stands how likely a cell of so many people is to be published."""


@dataclass(frozen=True)
class Asked:
    """What the user wants to spend, and on what: the standard plan, or that with a file laid over it."""

    epsilon: float
    delta: float
    plan_file: Path | None = None
    min_group: int | None = None
    accepted: bool = False

    def plan(self) -> Plan:
        """The plan, refused where its groups are too small and the user has not said that this is a study."""
        if self.plan_file is not None:
            plan = Plan.read(self.plan_file, self.epsilon, self.delta, min_group=self.min_group)
        elif self.min_group is not None:
            plan = Plan.standard(self.epsilon, self.delta, min_group=self.min_group)
        else:
            plan = Plan.standard(self.epsilon, self.delta)
        plan.check_group(accepted=self.accepted)
        return plan


@dataclass(frozen=True)
class Cost:
    """What one table costs and shows: known before a record is read."""

    table: str
    share: float
    bound_l2: float
    sigma: float
    cut: float
    published_49: float
    rho: float


Show = Callable[[Plan, tuple[Cost, ...], Outlook], bool]
"""Is shown the concrete plan, its costs and what they come to in the ledger, and says whether to go on."""
Progress = Callable[[str, int], None]
"""Is told what is being counted, and how many tables there are."""
Tell = Callable[[str], None]
"""Is told what the user must hear of the ledger, a line at a time."""


def costs(plan: Plan, zoning: Zoning, period: Period) -> tuple[Cost, ...]:
    """Every table of a resolved plan with its noise and its cut."""
    found: list[Cost] = []
    for request in plan.requests:
        axes = STATISTICS[request.statistic].axes(Public(zoning, plan.domain, period), request.level)
        sigma = plan.sigma_of(request)
        cut = accounting.cut_for(sigma, plan.min_group, math.prod(axis.size for axis in axes))
        chance = accounting.probability_published(ASKED_PEOPLE, sigma, cut)
        found.append(Cost(request.name, request.share, request.bound_l2, sigma, cut, chance, plan.rho_of(request)))
    return tuple(found)


def _silent(_line: str) -> None:
    """Where nobody listens."""


def measure(
    records: RecordFiles, zones: ZoningFile, target: Path, asked: Asked, *,
    show: Show, progress: Progress, account: Account | None = None, tell: Tell = _silent,
) -> Release:  # fmt: skip
    """Show the plan, spend from the ledger, measure the records, write the release; nothing exact about a record is written or shown.

    A spend that the ledger refuses is refused before a record is read. What it allows is spent when the records have been read and
    found good, before anything is counted: broken records cost nothing, and whatever happens after that has cost it all.
    """
    plan, pays = asked.plan(), account or Account()
    pays.check(records)
    zoning = zones.read()
    curator = records.curator(zoning)
    with folders.written_aside(target.resolve(), "release", "release.json", ("tables", manifest.FILE)) as work, enough_memory():
        concrete = curator.plan(plan)
        purse = pays.purse(records, "measure", concrete, target)
        agree(concrete, zoning, curator.period, purse, show)
        release = measured(curator, concrete, purse, lambda table: progress(table, len(concrete.requests)), tell)
        release.save(work)
        manifest.write(_manifest(release, zones, asked, records), work / manifest.FILE)
    return release


def agree(plan: Plan, zoning: Zoning, period: Period, purse: Purse, show: Show) -> None:
    """Show a resolved plan and what it comes to; BudgetError where the ledger refuses it, InputError where the user does."""
    if not show(plan, costs(plan, zoning, period), purse.preview()):
        raise InputError("The plan was not accepted: no record was read and nothing was spent.")


def _manifest(release: Release, zones: ZoningFile, asked: Asked, records: RecordFiles) -> dict[str, Any]:
    """Public things alone: the zoning and the plan are hashed, the records are not even named."""
    public = {"zones": zones.path} | ({"plan": asked.plan_file} if asked.plan_file else {})
    plan = release.info["plan"]
    parameters = {
        "epsilon": plan["epsilon"], "delta": plan["delta"], "min_group": plan["min_group"], "period": release.info["period"],
        "read_from": records.read_from, "zones": zones.parameters()}
    paid: dict[str, Any] = {"rho_spent": release.rho, "ledger": release.info["ledger"]}
    return manifest.compose("measure", parameters, inputs=public, packages=("opendp", "duckdb"), **paid)
