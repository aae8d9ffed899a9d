"""The only door to the records: measure, and for the owner's eyes truth and rows; nothing else comes out."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from synthmob import accounting, engine
from synthmob import release as releases
from synthmob.accounting import FIXED_POINT
from synthmob.counts import STATISTICS, Coded, Public, cells, coded, count
from synthmob.domain import UNKNOWN
from synthmob.errors import PlanError
from synthmob.marginals import Marginal, unravel
from synthmob.period import Period
from synthmob.plan import Plan, Request
from synthmob.private import anchors, bounding, noise, records, stays
from synthmob.private.records import Sources
from synthmob.release import Release
from synthmob.zones import Zoning

Progress = Callable[[str], None]


def _quiet(step: str) -> None:
    del step


@dataclass(frozen=True)
class Curator:
    """Records, the public zoning and the public period, and what may be asked of them.

    `read_from` says which records are read where a folder has both stays and events; `memory_limit_gb` lets DuckDB spill.
    """

    sources: Sources
    zoning: Zoning
    period: Period
    read_from: Literal["stays", "events"] = "stays"
    memory_limit_gb: float | None = None

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
        return plan.resolve(self.zoning, self.period, attributes=found, modes=modes)

    def measure(self, plan: Plan, *, progress: Progress = _quiet) -> Release:
        """The release that a plan asks for: noise on every cell of every public domain, then the cut."""
        concrete = self.plan(plan)
        with self._coded(concrete, progress) as table:
            marginals = {
                request.name: self._noisy(table, concrete, request, progress) for request in concrete.requests}
        return Release(marginals, release_info(concrete, self.zoning, self.period))

    def truth(self, plan: Plan, *, bounds: bool = False) -> dict[str, Marginal]:
        """The exact counts of a plan's tables, confidential; with `bounds`, contributions bounded as in the release."""
        concrete = self.plan(plan)
        with self._coded(concrete, _quiet) as table:
            return {
                r.name: count(STATISTICS[r.statistic], table, r.level, bound_l2=r.bound_l2 if bounds else None, confidential=True)
                for r in concrete.requests}

    def rows(self, plan: Plan) -> tuple[Any, Any]:
        """PERSONS and STAYS as Arrow tables under fresh random ids, confidential: for scores computed inside the boundary."""
        concrete = self.plan(plan)
        with self._backend() as backend:
            people, days = self._tables(backend, concrete)
            return _under_fresh_ids(backend, people, days)

    def _noisy(self, table: Coded, plan: Plan, request: Request, progress: Progress) -> Marginal:
        """One table with noise, without the cells under the cut."""
        progress(request.name)
        statistic = STATISTICS[request.statistic]
        axes = statistic.axes(Public(self.zoning, plan.domain, self.period), request.level)
        domain = math.prod(axis.size for axis in axes)
        sigma = plan.sigma_of(request)
        least = accounting.cut_for(sigma, plan.min_group, domain)
        occupied, fixed = bounding.totals(table.backend, cells(statistic, table, request.level), request.bound_l2)
        found, noisy = noise.add_noise(occupied, fixed, domain, sigma, least)
        return Marginal(
            request.name, axes, unravel(found, axes), noisy / FIXED_POINT, sigma=sigma, cut=least, bound_l2=request.bound_l2)

    def _tables(self, backend: Any, plan: Plan) -> tuple[Any, Any]:
        """PERSONS and STAYS as lazy tables under the subscribers' own ids."""
        read = records.read(
            backend, self.sources, self.zoning, self.period, plan.domain.attributes, prefer=self.read_from, domain=plan.domain)
        days = read.stays if read.stays is not None else stays.detect(read.events, self.zoning, self.period)
        return anchors.detect(read.subscribers, days, self.zoning, self.period)

    @contextmanager
    def _coded(self, plan: Plan, progress: Progress) -> Generator[Coded]:
        if unknown := [r.statistic for r in plan.requests if r.statistic not in STATISTICS]:
            raise PlanError(f"The plan asks for a statistic {unknown[0]!r}: known are {', '.join(STATISTICS)}.")
        with self._backend() as backend:
            progress("reading the records")
            people, days = self._tables(backend, plan)
            yield coded(backend, people, days, self.zoning, plan.domain, self.period, name="private")

    @contextmanager
    def _backend(self) -> Generator[Any]:
        """A DuckDB that spills into a folder of its own, which is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="synthmob-") as spill:
            Path(spill).chmod(0o700)
            backend = engine.connect(memory_limit_gb=self.memory_limit_gb, temp_directory=spill)
            try:
                yield backend
            finally:
                backend.disconnect()


def _under_fresh_ids(backend: Any, people: Any, days: Any) -> tuple[Any, Any]:
    """Both tables with the subscribers' ids replaced by random numbers from the operating system, kept nowhere."""
    import ibis
    import numpy as np
    import pyarrow as pa

    known = backend.to_pyarrow(people.select("person_id").order_by("person_id"))["person_id"]
    order = np.frombuffer(os.urandom(8 * max(len(known), 1)), dtype=np.uint64)[: len(known)].argsort(kind="stable").argsort()
    fresh = ibis.memtable(pa.table({"person_id": known, "fresh_id": order.astype(np.int64)}))

    def swap(table: Any) -> Any:
        joined = table.inner_join(fresh, "person_id")
        names = [c for c in table.columns if c != "person_id"]
        return joined.select(*names, person_id=joined.fresh_id)

    keep = [c for c in ("day", "seq", "purpose", "zone_id", "start_min", "end_min", "mode") if c in days.columns]
    return (backend.to_pyarrow(swap(people).order_by("person_id")),
            backend.to_pyarrow(swap(days.select("person_id", *keep)).order_by(["person_id", "day", "seq"])))


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
