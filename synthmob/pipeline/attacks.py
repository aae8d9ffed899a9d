"""Everything that an audit tries, in order, on one set of records: checks of the mechanism, canaries, attacks on people, traces.

Only here do the curator's doors for audits open. What comes out of them goes into pure functions of `audit`, and nowhere else.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from synthmob.accounting import FIXED_POINT
from synthmob.audit import (
    canary,
    differencing,
    disclosure,
    mechanism,
    membership,
    released,
    synthetic_membership,
    trajectories,
    uniqueness,
    zeroauxiliary,
)
from synthmob.audit import subject as subjects
from synthmob.audit.evidence import Evidence
from synthmob.audit.planted import plant
from synthmob.audit.subject import Subject, Trial
from synthmob.pipeline import spending
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles
from synthmob.pipeline.spending import Account
from synthmob.pipeline.tracing import MOST_PEOPLE, Tracer
from synthmob.pipeline.tracing import attack as trace
from synthmob.pipeline.twoprocesses import two_processes
from synthmob.plan import Plan
from synthmob.release import Release

if TYPE_CHECKING:
    from synthmob.private.curator import Curator, Totals

Progress = Callable[[str, int, int], None]
"""Is told what is being tried, its number from 0 on, and how many there are."""
Detail = Callable[[str], None]
REPLICAS = 2
"""More releases of the same counts, for the check of the cut."""
MORE_DRAWS = 2
"""More draws of noise on the same counts, so that a total which is kept exact shows even in the smallest table."""


@dataclass(frozen=True)
class Extent:
    """How much work an audit may be: people sampled (None is all), canaries a run and runs, trials by size of group and of groups
    of the attack without knowledge of others, synthetic populations; and whether the commands are run with a planted id."""

    people: int | None = 10_000
    canaries: int = 5_000
    canary_runs: int = 2
    trials: Mapping[int, int] = field(default_factory=lambda: {100: 20, 1_000: 10})
    blind_trials: int = 40
    populations: int = 2
    traced: bool = True

    @staticmethod
    def of(*, full: bool) -> Extent:
        """The usual extent, minutes; or a full one, of everybody."""
        return Extent(None, 10_000, 4, {100: 100, 1_000: 40}, 100, 6) if full else Extent()


@dataclass(frozen=True)
class Attacks:
    """Records and how they are read, the resolved plan that is attacked, how much to try, and a folder to work in."""

    records: RecordFiles
    zones: ZoningFile
    curator: Curator
    plan: Plan
    extent: Extent
    scratch: Path
    rng: np.random.Generator

    def evidence(self, progress: Progress) -> list[Evidence]:
        """All rows, in the order of the page."""
        found: list[Evidence] = []
        exact = self.curator.exact(self.plan)
        subject = self._subject()
        trials: list[Trial] = []
        stages: tuple[tuple[str, Callable[[Detail], list[Evidence]]], ...] = (
            ("noise", lambda detail: self._noise(exact)),
            ("cut and account", lambda detail: self._release(exact)),
            ("canaries", lambda detail: self._canaries(exact, detail)),
            ("membership in counts", lambda detail: self._membership(subject, detail)),
            ("membership in synthetic people", lambda detail: self._synthetic(subject, trials, detail)),
            ("trajectories", lambda detail: trajectories.attack(subject, trials[0], self.rng, detail)),
            ("uniqueness", lambda detail: uniqueness.attack(subject, trials[0], self.rng, detail)),
            ("disclosure", lambda detail: disclosure.attack(subject, trials[0], self.rng, detail)),
            ("differencing", lambda detail: differencing.attack(subject, trials[0])),
            *([("traces", lambda detail: self._traces(subject, detail))] if self.extent.traced else []),
        )
        for number, (name, stage) in enumerate(stages):
            progress(name, number, len(stages))
            found += stage(lambda said, name=name, number=number: progress(f"{name}: {said}", number, len(stages)))
        return found

    def _subject(self) -> Subject:
        from synthmob.private.curator import noisy_tables, release_info

        door, plan = self.curator, self.plan
        sample = door.sample(plan, self.extent.people)
        return Subject(
            sample.persons, sample.stays, sample.contributions, door.zoning, door.period, plan,
            lambda totals: noisy_tables(plan, door.zoning, door.period, totals), release_info(plan, door.zoning, door.period))

    def _noise(self, exact: Mapping[str, Totals]) -> list[Evidence]:
        from synthmob.private.curator import noisy_counts

        door = self.curator
        at = mechanism.cells_to_measure(exact, self.plan, door.zoning, door.period)
        again = [noisy_counts(self.plan, exact, at) for _ in range(MORE_DRAWS)]
        runs = [door.measure_raw(self.plan, at), *again]
        return mechanism.check(mechanism.noises(exact, at, runs, self.plan, door.zoning, door.period))

    def _release(self, exact: Mapping[str, Totals]) -> list[Evidence]:
        """A release by the way that measure takes, paid by a ledger of its own, beside others of the same counts."""
        from synthmob.private.curator import noisy_tables, release_info

        door, plan = self.curator, self.plan
        purse = Account(self._fresh(".jsonl"), customers="audit").purse(self.records, "measure", plan)
        release = spending.measured(door, plan, purse, lambda _: None, lambda _: None)
        spent = purse.ledger.state().spends[-1].tables
        more = [Release(noisy_tables(plan, door.zoning, door.period, exact), release.info) for _ in range(REPLICAS)]
        none = np.empty(0, dtype=np.int64)
        nobody = noisy_tables(plan, door.zoning, door.period, dict.fromkeys(exact, (none, none)))
        public = self._written(Release(nobody, release_info(plan, door.zoning, door.period)))
        totals = {name: float(counts.sum()) / FIXED_POINT for name, (_, counts) in exact.items()}
        secret = totals | {name: float(n) for name, n in door.sizes(plan).items()}
        return [
            released.cut(exact, [release, *more]), released.unnoised(exact, release), released.accounts(release, spent),
            released.exact_numbers([self._written(release)], secret, [public], release)]  # fmt: skip

    def _canaries(self, exact: Mapping[str, Totals], detail: Detail) -> list[Evidence]:
        """Planted subscribers through reading, judging, counting, bounding and noise, in several runs with coins of their own."""
        from synthmob.private.curator import Sources

        inside, scored, checked = list[Any](), list[Any](), list[Evidence]()
        for run in range(self.extent.canary_runs):
            detail(f"run {run + 1} of {self.extent.canary_runs}")
            made = plant(self.extent.canaries, self.curator.zoning, self.curator.period, self.plan.domain, self.rng)
            everyone = Sources(made.write(self._fresh("-everyone"), everyone=True))
            free = self.curator.planted(self.plan, everyone, bounds=False)
            checked = checked or [mechanism.bounds(self.curator.planted(self.plan, everyone))]
            planted = Sources(made.write(self._fresh("-inside")))
            noisy = self.curator.measure_raw(self.plan, canary.cells_touched(free), extra=planted)
            inside.append(made.inside)
            scored.append(canary.scores(free, noisy, exact, self.rng))
        claim = {"rho": self.plan.rho, "epsilon": self.plan.epsilon, "delta": self.plan.delta}
        return [*checked, *canary.evidence(np.concatenate(inside), np.concatenate(scored), **claim, rng=self.rng)]

    def _membership(self, subject: Subject, detail: Detail) -> list[Evidence]:
        found: list[Evidence] = []
        for group, trials in self.extent.trials.items():
            if subject.n >= 3 * group:
                found += membership.on_aggregates(subject, group, trials, self.rng, detail)
                found += zeroauxiliary.attack(subject, group, self.extent.blind_trials, self.rng, detail)
        return found

    def _synthetic(self, subject: Subject, trials: list[Trial], detail: Detail) -> list[Evidence]:
        """Populations of half of the people each; `trials` keeps them for the attacks that follow."""
        for k in range(self.extent.populations):
            detail(f"population {k + 1} of {self.extent.populations}")
            trials.append(subjects.trial(subject, subjects.halves(subject.n, self.rng), secrets.randbits(31)))
        return synthetic_membership.on_synthetic(subject, trials, self.rng)

    def _traces(self, subject: Subject, detail: Detail) -> list[Evidence]:
        """The commands, as processes of their own, on some of the people."""
        some = min(subject.n, MOST_PEOPLE)
        persons, stays = subject.persons.slice(0, some), subject.stays.filter(pa.array(subject.stays["person_id"].to_numpy() < some))
        tracer = Tracer(persons, stays, self.curator.period, self.zones, self._fresh("-traces"))
        return [two_processes(tracer, detail), *trace(tracer, detail)]

    def _written(self, release: Release) -> Mapping[str, Any]:
        """What release.json says of a release."""
        return json.loads((release.save(self._fresh("-release")) / "release.json").read_text(encoding="utf-8"))

    def _fresh(self, ending: str) -> Path:
        """A path in the working folder that nothing has yet."""
        return self.scratch / f"{time.monotonic_ns()}{ending}"
