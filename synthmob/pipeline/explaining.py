"""measure --explain: what a release would show, before it is paid for. Opens no record and no ledger."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from synthmob.counts import STATISTICS, Public
from synthmob.domain import DAY_TYPES
from synthmob.errors import InputError
from synthmob.fidelity.expected import Expected, expected
from synthmob.pipeline.measurement import Asked, Cost, costs
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles
from synthmob.plan import Plan

ASSUMED = (
    "Told from public things alone: no record was opened and nothing was spent. How people spread over cells is that of made-up cities of "
    "London; yours may spread otherwise, and tables of modes and of usage are not told.")


@dataclass(frozen=True)
class Explained:
    """A resolved plan, the noise and cut of each table, and what to expect of those that have a reference."""

    plan: Plan
    subscribers: int
    costs: tuple[Cost, ...]
    expected: dict[str, Expected]

    def as_json(self) -> dict[str, Any]:
        """The same as plain numbers and text."""
        told: dict[str, dict[str, Any]] = {name: asdict(found) for name, found in self.expected.items()}
        rows = [{"table": c.table, "sigma": c.sigma, "cut": c.cut, "rho": c.rho} | told.get(c.table, {}) for c in self.costs]
        return {
            "epsilon": self.plan.epsilon, "delta": self.plan.delta, "min_group": self.plan.min_group,
            "expected_subscribers": self.subscribers, "assumed": ASSUMED,
            "tables": rows}  # fmt: skip


def explain(records: RecordFiles, zones: ZoningFile, asked: Asked, subscribers: int | None) -> Explained:
    """What to expect of a plan at a number of subscribers; of the records only the public period is looked at, where it is not said."""
    if subscribers is None:
        raise InputError("What a plan will show depends on how many people there are: say about how many with --expected-subscribers N.")
    zoning, period, plan = zones.read(), records.period(), asked.plan()
    concrete = plan.resolve(zoning, period, attributes=plan.domain.attributes, modes=False)
    public = Public(zoning, concrete.domain, period)
    days = [len(period.days_of(DAY_TYPES.index(name))) for name in period.day_types]
    found = costs(concrete, zoning, period)
    told: dict[str, Expected] = {}
    for request, cost in zip(concrete.requests, found, strict=True):
        axes = [axis.name for axis in STATISTICS[request.statistic].axes(public, request.level)]
        areas = len(zoning.level_labels(request.level)) if request.level else 1
        one = expected(request.name, cost.sigma, cost.cut, subscribers, areas, days if "day_type" in axes else ())
        if one is not None:
            told[request.name] = one
    return Explained(concrete, subscribers, found, told)
