"""The only door to the records: measure, and for the owner's eyes truth, rows, sample and measure_raw; nothing else comes out."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import ibis
import numpy as np
import numpy.typing as npt

from synthmob import accounting, engine
from synthmob import release as releases
from synthmob.accounting import FIXED_POINT
from synthmob.counts import STATISTICS, Coded, Contributions, Public, cells, coded, count
from synthmob.domain import UNKNOWN
from synthmob.errors import PlanError
from synthmob.marginals import Marginal, unravel
from synthmob.period import Period
from synthmob.plan import Plan, Request
from synthmob.private import anchors, bounding, event_usage, files, noise, postgres, records, stays
from synthmob.private.freshids import under_fresh_ids
from synthmob.private.records import Sources
from synthmob.release import Release
from synthmob.zones import Zoning

Progress = Callable[[str], None]
Int64Array = npt.NDArray[np.int64]
Totals = tuple[Int64Array, Int64Array]
"""Occupied cells of a table, ascending, and their bounded counts in 1/1024 person."""


def _quiet(step: str) -> None:
    del step


def _nothing() -> None:
    """Where no ledger is kept, nothing is spent from one."""


@dataclass(frozen=True)
class Sample:
    """Real subscribers under fresh random ids from 0 on: PERSONS, STAYS (Arrow) and what they add to every table. Confidential."""

    persons: Any
    stays: Any
    contributions: dict[str, Contributions]


@dataclass(frozen=True)
class Curator:
    """Records, the public zoning and the public period, and what may be asked of them.

    `read_from` says which records are read where a folder has both stays and events; `memory_limit_gb` is the memory of DuckDB,
    which spills what is more (3 where none is given, or what the machine has), or of Spark's driver.
    """

    sources: Sources
    zoning: Zoning
    period: Period
    read_from: Literal["stays", "events"] = "stays"
    memory_limit_gb: float | None = None
    engine_name: str = engine.DUCKDB

    @staticmethod
    def of(folder: str | Path, zoning: Zoning, period: Period | None = None, **rest: Any) -> Curator:
        """A curator of a folder of records; the period is that of its period.toml unless given."""
        where = Path(folder)
        return Curator(Sources(where), zoning, period or Period.read(where / "period.toml"), **rest)

    def plan(self, plan: Plan) -> Plan:
        """The concrete plan for these records: what their columns allow, read from the files' headers alone."""
        if plan.resolved:
            return plan
        with self._backend() as backend:
            found = records.attributes_in(backend, self.sources, plan.domain.attributes)
            modes = records.has_mode(backend, self.sources, self.read_from)
            usage = records.usage_in(backend, self.sources)
        return plan.resolve(self.zoning, self.period, attributes=found, modes=modes, usage=usage)

    def measure(self, plan: Plan, *, progress: Progress = _quiet, spend: Callable[[], None] = _nothing) -> Release:
        """The release that a plan asks for: noise on every cell of every public domain, then the cut.

        `spend` is called once, when the records have been judged and before anything is counted; what it raises ends it.
        """
        concrete = self.plan(plan)
        marginals: dict[str, Marginal] = {}
        with self._coded(concrete, progress) as table:
            spend()
            for request in concrete.requests:
                progress(request.name)
                marginals |= noisy_tables(concrete, self.zoning, self.period, {request.name: _totals(table, request)})
        return Release(marginals, release_info(concrete, self.zoning, self.period))

    def truth(self, plan: Plan, *, bounds: bool = False) -> dict[str, Marginal]:
        """The exact counts of a plan's tables, confidential; with `bounds`, contributions bounded as in the release."""
        concrete = self.plan(plan)
        with self._coded(concrete, _quiet) as table:
            return {
                r.name: count(STATISTICS[r.statistic], table, r.level, bound_l2=r.bound_l2 if bounds else None, confidential=True)
                for r in concrete.requests}

    def rows(self, plan: Plan) -> tuple[Any, ...]:
        """PERSONS, STAYS and, where the plan asks for usage, EVENTS as Arrow tables under fresh random ids, confidential: for scores
        computed inside the boundary."""
        concrete = self.plan(plan)
        with self._backend() as backend:
            people, days, used = under_fresh_ids(backend, *self._tables(backend, concrete))
            if used is None:
                return people, days
            return people, days, backend.to_pyarrow(event_usage.labelled(used, concrete.domain).drop("zone"))

    def sample(self, plan: Plan, most: int | None = None) -> Sample:
        """Up to `most` subscribers drawn by the operating system's randomness, with their bounded part of every table."""
        concrete = self.plan(plan)
        with self._backend() as backend:
            persons, stays, used = under_fresh_ids(backend, *self._tables(backend, concrete), most=most)
            n, given = len(persons), (ibis.memtable(persons), ibis.memtable(stays))
            table = coded(backend, *given, self.zoning, concrete.domain, self.period, name="sample", events=used)
            return Sample(persons, stays, {r.name: _contributions(table, concrete, r, n) for r in concrete.requests})

    def measure_raw(
        self, plan: Plan, at: Mapping[str, Int64Array], *, extra: Sources | None = None, progress: Progress = _quiet
    ) -> dict[str, Int64Array]:
        """Noisy counts before the cut, in 1/1024 person, of the cells `at` of each table named: never written, for audits.

        `extra` are record files of planted subscribers, both stays and events: they are read from what the records are read
        from, judged and counted as the real ones are. The cells must not depend on who is among them.
        """
        concrete = self.plan(plan)
        found: dict[str, Int64Array] = {}
        with self._coded(concrete, progress, extra) as table:
            for request in concrete.requests:
                if request.name in at:
                    progress(request.name)
                    found |= noisy_counts(concrete, {request.name: _totals(table, request)}, at)
        return found

    def planted(self, plan: Plan, extra: Sources, *, bounds: bool = True) -> dict[str, Contributions]:
        """What planted subscribers add to every table, person k being the one of id k; without `bounds`, if nothing held them.

        Their files alone are read, judged and counted as the records are, which are not opened.
        """
        concrete = self.plan(plan)
        with self._backend() as backend:
            people, days, used = self._over(extra)._tables(backend, concrete)  # noqa: SLF001  (a curator as this one is)
            table = coded(backend, people, days, self.zoning, concrete.domain, self.period, name="planted", events=used)
            n = int(backend.to_pyarrow(table.persons.count()).as_py())
            return {r.name: _contributions(table, concrete, r, n, bounds=bounds) for r in concrete.requests}

    def exact(self, plan: Plan) -> dict[str, Totals]:
        """Occupied cells of every table and their bounded counts in 1/1024 person, as noise meets them: confidential."""
        concrete = self.plan(plan)
        with self._coded(concrete, _quiet) as table:
            return {request.name: _totals(table, request) for request in concrete.requests}

    def sizes(self, plan: Plan) -> dict[str, int]:
        """How many subscribers and stays there are: confidential, to look for in what is written."""
        concrete = self.plan(plan)
        with self._backend() as backend:
            people, days, _ = self._tables(backend, concrete)
            counted = {"subscribers": people.count(), "stays": days.count()}
            return {name: int(backend.to_pyarrow(number).as_py()) for name, number in counted.items()}

    def _tables(self, backend: Any, plan: Plan, extra: Sources | None = None) -> tuple[Any, Any, Any]:
        """PERSONS, STAYS and EVENTS as lazy tables under the subscribers' own ids; no EVENTS where the plan asks for no usage."""
        people, days, used = _given(self, backend, plan)
        if extra is not None:
            parts = _marked((people, days, used), "r"), _marked(_given(self._over(extra), backend, plan), "x")
            joined = (None if tables[0] is None else ibis.union(*_alike(tables)) for tables in zip(*parts, strict=True))
            people, days, used = joined
        return *anchors.detect(people, days, self.zoning, self.period, *_steps(backend)), _of_persons(used)

    def _over(self, extra: Sources) -> Curator:
        """A curator of planted subscribers, read from what the records are read from."""
        return replace(self, sources=extra, read_from=records.kind(self.sources, self.read_from))

    @contextmanager
    def _coded(self, plan: Plan, progress: Progress, extra: Sources | None = None) -> Generator[Coded]:
        if unknown := [r.statistic for r in plan.requests if r.statistic not in STATISTICS]:
            raise PlanError(f"The plan asks for a statistic {unknown[0]!r}: known are {', '.join(STATISTICS)}.")
        with self._backend() as backend:
            progress("reading the records")
            people, days, used = self._tables(backend, plan, extra)
            yield coded(backend, people, days, self.zoning, plan.domain, self.period, name="private", events=used)

    @contextmanager
    def _backend(self) -> Generator[Any]:
        """A DuckDB that spills into a folder of its own, which is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="synthmob-") as spill, files.unquoted(), postgres.connections():
            Path(spill).chmod(0o700)
            limit = self.memory_limit_gb or (None if engine.is_spark(self.engine_name) else engine.usual_memory_gb())
            backend = engine.connect(memory_limit_gb=limit, temp_directory=spill, name=self.engine_name)
            try:
                yield backend
            finally:
                backend.disconnect()


def _given(curator: Curator, backend: Any, plan: Plan) -> tuple[Any, Any, Any]:
    """Subscribers, stays, given or detected, and events where the plan asks for usage, None where it does not."""
    asked = {column for request in plan.requests for column in request.needs_columns}
    read = records.read(
        backend, curator.sources, curator.zoning, curator.period, plan.domain.attributes, prefer=curator.read_from,
        domain=plan.domain, usage=sorted(asked))  # fmt: skip
    if read.stays is not None:
        return read.subscribers, read.stays, read.usage
    # Kept, for what follows asks for them several times.
    found = stays.detect(read.events, curator.zoning, curator.period, *_steps(backend))
    return read.subscribers, engine.step(backend, found), read.usage


def _steps(backend: Any) -> list[Callable[[Any], Any]]:
    """What stores each step of a long expression: Spark does not end over all of them multiplied out, DuckDB plans them best as one."""
    return [partial(engine.step, backend)] if engine.on_spark(backend) else []


def _of_persons(used: Any) -> Any:
    return None if used is None else used.rename(person_id="subscriber_id")


def noisy_tables(plan: Plan, zoning: Zoning, period: Period, totals: Mapping[str, Totals]) -> dict[str, Marginal]:
    """The released form of exact bounded counts: noise on every cell of each table's public domain, then the cut."""
    public = Public(zoning, plan.domain, period)
    marginals: dict[str, Marginal] = {}
    for request in plan.requests:
        if request.name not in totals:
            continue
        axes = STATISTICS[request.statistic].axes(public, request.level)
        domain, sigma = math.prod(axis.size for axis in axes), plan.sigma_of(request)
        least = accounting.cut_for(sigma, plan.min_group, domain)
        found, noisy = noise.add_noise(*totals[request.name], domain, sigma, least)
        marginals[request.name] = Marginal(
            request.name, axes, unravel(found, axes), noisy / FIXED_POINT, sigma=sigma, cut=least, bound_l2=request.bound_l2)
    return marginals


def noisy_counts(plan: Plan, totals: Mapping[str, Totals], at: Mapping[str, Int64Array]) -> dict[str, Int64Array]:
    """Exact bounded counts with fresh noise, in 1/1024 person, at the cells `at`, before any cut: for audits."""
    return {r.name: noise.noisy_at(at[r.name], *totals[r.name], plan.sigma_of(r)) for r in plan.requests if r.name in totals}


def _totals(table: Coded, request: Request) -> Totals:
    """The bounded counts of one table: exact and confidential."""
    return bounding.totals(table.backend, cells(STATISTICS[request.statistic], table, request.level), request.bound_l2)


def _contributions(table: Coded, plan: Plan, request: Request, n_persons: int, *, bounds: bool = True) -> Contributions:
    """What each person adds to one table, or would if nothing held it."""
    statistic = STATISTICS[request.statistic]
    free = cells(statistic, table, request.level)
    held = bounding.fixed_contributions(free, request.bound_l2)
    rows = held if bounds else free.select("person_id", "cell", fixed=(free.weight * FIXED_POINT).floor().cast("int64"))
    found = table.backend.to_pyarrow(rows.order_by(["person_id", "cell"]))
    persons, flat, fixed = (found[name].to_numpy().astype(np.int64) for name in ("person_id", "cell", "fixed"))
    axes = statistic.axes(Public(table.zoning, table.domain, table.period), request.level)
    return Contributions(request.name, tuple(axes), n_persons, persons, flat, fixed, request.bound_l2, plan.sigma_of(request))


def _marked(part: tuple[Any, ...], mark: str) -> list[Any]:
    """The tables that there are with ids that say which records they are of, so that ids of two sources cannot meet."""
    return [
        None if table is None else table.mutate(subscriber_id=ibis.literal(mark) + table.subscriber_id.cast("string")) for table in part]


def _alike(tables: tuple[Any, ...]) -> list[Any]:
    """Tables with the columns that all of them have, in one order."""
    shared = [name for name in tables[0].columns if all(name in other.columns for other in tables)]
    return [table.select(*shared) for table in tables]


def release_info(plan: Plan, zoning: Zoning, period: Period) -> dict[str, Any]:
    """What a release says beside its tables: public things alone."""
    return {
        "privacy": releases.privacy(plan.epsilon, plan.delta, plan.rho),
        "plan": plan.as_json(),
        "period": period.as_json(),
        "zoning": {"levels": [{"name": level.name, "areas": len(level.labels)} for level in zoning.levels],
                   "home_unknown": f"'{UNKNOWN}' counts subscribers with too little evidence of a home"},
        "versions": releases.versions(),
    }
