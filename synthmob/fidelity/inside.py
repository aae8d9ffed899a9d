"""The truth against the synthetic population, on the owner's side: every metric with its floor, baseline and ratio.

The result is confidential: an exact score is an unprotected query of the records. Nothing here fetches the truth; it is
given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.domain import Domain
from synthmob.fidelity.align import Aligned, Pulled, align, pull
from synthmob.fidelity.baseline import baseline
from synthmob.fidelity.features import FEATURES, Feature
from synthmob.fidelity.floor import BOOTSTRAPS, resampled_counts, resamples, true_counts
from synthmob.fidelity.lifemetrics import LIFE_METRICS
from synthmob.fidelity.lives import LIFE_FEATURES, seen_throughout
from synthmob.fidelity.metrics import METRICS, Metric
from synthmob.fidelity.modes import MODE_FEATURES, MODE_METRICS, NO_MODES
from synthmob.fidelity.result import Fidelity, Finding
from synthmob.fidelity.sides import (
    FloatArray,
    Side,
    Tables,
    open_side,
    shared_day_types,
)
from synthmob.fidelity.usage import NO_EVENTS, USAGE_FEATURES, USAGE_METRICS, product_of_margins
from synthmob.fidelity.views import Scene
from synthmob.period import Period
from synthmob.zones import Zoning

ATTRIBUTES = ("sex", "age_band")
EVERY = (*METRICS, *LIFE_METRICS)
ALONE = USAGE_FEATURES | MODE_FEATURES
"""Features whose baseline is the product of the truth's own margins."""
EVERY_FEATURE = FEATURES | LIFE_FEATURES | ALONE
LIVES_APART = "metrics of several days: left out, one side has nobody who is seen on every day of a period of at least two"


@dataclass(frozen=True)
class _Other:
    """A side that is not resampled: its summed cells by feature, and how many persons were seen on each day type."""

    cells: dict[str, Pulled]
    n_persons: int
    seen: FloatArray


def compare_inside(
    truth: Tables,
    synthetic: Tables,
    zoning: Zoning,
    domain: Domain,
    period: Period,
    backend: Any,
    bootstraps: int = BOOTSTRAPS,
    seed: int = 0,
    metrics: Sequence[Metric] = EVERY,
) -> Fidelity:
    """Every metric of the synthetic population against the truth; what one side lacks is left out, and said so.

    The floor is the mean error of `bootstraps` resamples of the truth's persons at the synthetic size, the baseline a
    population of that size drawn from the truth's one-way marginals.
    """
    known = open_side(backend, Tables(*truth), zoning, domain, period, name="fidelity_truth")
    made = open_side(backend, Tables(*synthetic), zoning, domain, period, name="fidelity_synthetic")
    phones = {known.coded.events is not None, made.coded.events is not None}
    if phones == {True}:
        metrics = (*metrics, *USAGE_METRICS)
    moded = {known.coded.has_modes, made.coded.has_modes}
    if moded == {True}:
        metrics = (*metrics, *MODE_METRICS)
    present = tuple(a for a in ATTRIBUTES if a in domain.attributes and _has(truth, a) and _has(synthetic, a))
    wanted = [m for m in metrics if set(m.needs) <= set(present)]
    lives = any(m.feature in LIFE_FEATURES for m in wanted)
    apart = lives and not all(seen_throughout(side) for side in (known, made))
    if apart:
        wanted = [m for m in wanted if m.feature not in LIFE_FEATURES]
    features = [f for name, f in EVERY_FEATURE.items() if any(m.feature == name for m in wanted)]
    scene = Scene(zoning, domain, shared_day_types([known, made], period))
    others = [_summed(made, features)]
    made.close()
    naive = open_side(backend, baseline(known, made.n_persons, seed), zoning, domain, period, name="fidelity_baseline")
    others.append(_summed(naive, features))
    naive.close()
    draws = resamples(known.n_persons, made.n_persons, bootstraps, seed)
    found: dict[str, Finding] = {}
    for feature in features:
        own, beside = pull(known, feature, by_person=True), [other.cells[feature.name] for other in others]
        if feature.name in ALONE:  # the naive population has no phones, and goes by nothing
            beside[1] = product_of_margins(own, known.n_persons, made.n_persons)
        aligned = align(own, beside)
        scored = [m for m in wanted if m.feature == feature.name]
        found |= _findings(scored, _Normal.of(feature, aligned, known, others, draws, scene), scene)
    known.close()
    left = {NO_EVENTS: len(phones) > 1, NO_MODES: len(moded) > 1, LIVES_APART: apart}
    notes = (*_notes(metrics, wanted, scene, period), *(why for why, so in left.items() if so))
    return Fidelity(
        "inside", True, made.n_persons, tuple(found[m.name] for m in wanted if m.name in found), notes=notes
    )


def _has(tables: Tables, column: str) -> bool:
    """Whether the persons table has a column; Arrow says `column_names` where ibis and pandas say `columns`."""
    persons = tables[0]
    return column in (getattr(persons, "column_names", None) or list(persons.columns))


def _summed(side: Side, features: Sequence[Feature]) -> _Other:
    return _Other({f.name: pull(side, f, by_person=False) for f in features}, side.n_persons, side.seen_per_type)


@dataclass(frozen=True)
class _Normal:
    """Counts of a feature over common cells, scaled to the truth's persons on an average day of the period."""

    aligned: Aligned
    truth: FloatArray
    others: tuple[FloatArray, ...]
    draws: npt.NDArray[np.int32]
    scales: FloatArray

    @classmethod
    def of(
        cls,
        feature: Feature,
        aligned: Aligned,
        known: Side,
        others: Sequence[_Other],
        draws: npt.NDArray[np.int32],
        scene: Scene,
    ) -> _Normal:
        """Scale each day type by the persons of each side seen on it, or all cells by the persons there are."""
        if feature.per_day_type:
            day_type = aligned.cells.codes["day_type"]
            # A person seen on Saturdays alone says nothing of weekdays: each type is an average over those seen on it.
            seen = [known.seen_per_type, *(o.seen for o in others), *(draws @ known.seen)]
            per_cell = [_ratio(known.n_persons * scene.shares, s)[day_type] for s in seen]
        else:
            sizes = [known.n_persons, *(o.n_persons for o in others), *draws.sum(axis=1)]
            per_cell = [np.float64(known.n_persons / size) for size in sizes]
        middle = 1 + len(others)
        sums = [counts * scale for counts, scale in zip(aligned.others, per_cell[1:middle], strict=True)]
        return cls(aligned, true_counts(aligned) * per_cell[0], tuple(sums), draws, np.array(per_cell[middle:]))


def _ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def _findings(metrics: Sequence[Metric], counts: _Normal, scene: Scene) -> dict[str, Finding]:
    """The metrics of one feature, its resamples gone through once."""
    if counts.truth.sum() <= 0:
        return {}
    views = [metric.look(counts.aligned.cells, scene) for metric in metrics]
    truths = [view(counts.truth) for view in views]
    floors = np.zeros(len(metrics))
    for resample, scale in zip(resampled_counts(counts.aligned, counts.draws), counts.scales, strict=True):
        scaled = resample * scale
        for k, (metric, view, truth) in enumerate(zip(metrics, views, truths, strict=True)):
            floors[k] += metric.of(view, truth, view(scaled)) / len(counts.draws)
    out: dict[str, Finding] = {}
    for metric, view, truth, floor in zip(metrics, views, truths, floors, strict=True):
        made, naive = (view(other) for other in counts.others)
        out[metric.name] = Finding.of(
            name=metric.name,
            title=metric.title,
            word=metric.word,
            unit=metric.unit,
            value=metric.of(view, truth, made),
            floor=float(floor),
            baseline=metric.of(view, truth, naive),
            tolerance=metric.tolerance,
            best=metric.distance.best,
            direction=metric.distance.better,
            note=metric.note(view, truth, made) if metric.note else "",
        )
    return out


def _notes(metrics: Sequence[Metric], wanted: Sequence[Metric], scene: Scene, period: Period) -> tuple[str, ...]:
    """What was left out, and why."""
    notes = [
        f"day type {name}: left out, one side has no such day"
        for name, share in zip(period.day_types, scene.shares, strict=True)
        if share == 0
    ]
    left = sorted({need for m in metrics if m not in wanted for need in m.needs})
    return (*notes, *(f"metrics of {name}: left out, the plan or one side has no such attribute" for name in left))
