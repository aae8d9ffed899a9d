"""Tables of people that are known: counted as a release counts them, without noise, and with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from synthmob import engine
from synthmob.counts import STATISTICS, coded, count
from synthmob.domain import Domain
from synthmob.marginals import Marginal, unravel
from synthmob.period import Period
from synthmob.plan import Plan
from synthmob.release import Release
from synthmob.synthesis import tables
from synthmob.synthesis.days import Population
from synthmob.zones import Zoning

MAX_CELLS = 2_000_000


def plan_of(zoning: Zoning, period: Period, *, domain: Domain | None = None) -> Plan:
    """The standard plan for a zoning and a period, attributes as the domain has them."""
    domain = Domain() if domain is None else domain
    return Plan(1.0, 1e-6, domain=domain).resolve(zoning, period, attributes=domain.attributes, modes=False)


def counted(
    persons: Any, stays: Any, zoning: Zoning, period: Period, *, domain: Domain | None = None,
    only: Callable[[str], bool] = lambda name: True, bounds: bool = True,
) -> dict[str, Marginal]:  # fmt: skip
    """The standard plan's tables of PERSONS and STAYS, contributions bounded as in a release."""
    plan = plan_of(zoning, period, domain=domain)
    backend = engine.connect()
    try:
        given = [backend.create_table(name, table, temp=True) for name, table in (("people", persons), ("days", stays))]
        rows = coded(backend, *given, zoning, plan.domain, period, name="counted")
        return {
            r.name: count(STATISTICS[r.statistic], rows, r.level, bound_l2=r.bound_l2 if bounds else None, confidential=False)
            for r in plan.requests if only(r.statistic)}  # fmt: skip
    finally:
        backend.disconnect()


def recounted(population: Population, period: Period, **rest: Any) -> dict[str, Marginal]:
    """The same tables of synthetic people."""
    blocks = list(population.blocks())
    persons = _plain(tables.persons_table(population, block.people) for block in blocks)
    stays = _plain(tables.stays_table(population, block) for block in blocks)
    return counted(persons, stays, population.model.zoning, period, domain=population.model.domain, **rest)


def release_of(marginals: dict[str, Marginal], zoning: Zoning, period: Period, *, domain: Domain | None = None) -> Release:
    """A release of tables as they are: nobody claims privacy for it."""
    info = {"privacy": {"claim": "none claimed"}, "plan": plan_of(zoning, period, domain=domain).as_json(), "period": period.as_json()}
    return Release(marginals, info)


def blurred(table: Marginal, rng: np.random.Generator, *, sigma: float, cut: float) -> Marginal:
    """A table as a release would have it: noise on every cell of its domain, then the cut."""
    assert table.n_domain <= MAX_CELLS
    noisy = table.dense().ravel() + rng.normal(0, sigma, table.n_domain)
    kept = np.flatnonzero(noisy >= cut)
    return Marginal(
        table.name, table.axes, unravel(kept, table.axes), noisy[kept], sigma=sigma, cut=cut, bound_l2=table.bound_l2)  # fmt: skip


def apart(one: Marginal, two: Marginal) -> float:
    """The total variation distance of two complete tables of the same axes, each as shares."""
    assert one.axes == two.axes
    cells, where = np.unique(np.concatenate([one.flat, two.flat]), return_inverse=True)
    share = np.zeros((2, len(cells)))
    share[0, where[: len(one.values)]] = one.values / one.total
    share[1, where[len(one.values) :]] = two.values / two.total
    return float(0.5 * np.abs(share[0] - share[1]).sum())


def _plain(parts: Iterable[pa.Table]) -> pa.Table:
    """One table, labels as plain strings."""
    table = pa.concat_tables(list(parts)).unify_dictionaries()
    kinds = [pa.string() if pa.types.is_dictionary(f.type) else f.type for f in table.schema]
    return table.cast(pa.schema(list(zip(table.schema.names, kinds, strict=True))))
