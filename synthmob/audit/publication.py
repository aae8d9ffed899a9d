"""Ways to publish the counts of a group, ours and those that it is compared with, as an attacker sees them.

Only `release` is the real mechanism with the noise of the operating system. The others are comparators that never leave an audit: their
noise is drawn from the audit's own generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from synthmob.audit.subject import Subject
from synthmob.audit.vectors import Vectors

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Shown:
    """What an attacker sees of every column: its count in `values` where there is one (`known`), elsewhere only that it is below `cut`.

    In persons; `noise` is the variance of what the publication has added, persons squared.
    """

    values: FloatArray
    known: BoolArray
    cut: FloatArray
    noise: FloatArray


Show = Callable[[FloatArray, np.random.Generator], tuple[FloatArray, BoolArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class Form:
    """One way to publish: `subject` names it, `title` says it in a sentence, `cuts` whether small counts are withheld.

    `noise` is the variance that it adds to every column, persons squared; `draw` turns exact counts into values, known, cut.
    """

    key: str
    subject: str
    title: str
    noise: FloatArray
    cuts: bool
    draw: Show

    @property
    def ours(self) -> bool:
        """Whether it has the noise that the plan promises."""
        return self.key in ("before_cut", "release")

    def show(self, counts: FloatArray, rng: np.random.Generator) -> Shown:
        """What is shown of exact counts (columns,), in persons."""
        return Shown(*self.draw(counts, rng), self.noise)


def forms(subject: Subject, vectors: Vectors) -> tuple[Form, ...]:
    """The forms of publication that are compared, the least protected first.

    *Raw counts*; *counts of n and more*, n being the plan's smallest group, with nothing else done; *event-level noise*, Laplace noise
    that hides one event (one stay) in each count at the plan's epsilon, as if a person had no other (variance 2 / epsilon^2; the
    comparison of arXiv:2406.18671, with their sensitivity of 1); *release before the cut*, noise that hides a person with all their
    stays and nothing cut; and the *release*.
    """
    none = np.zeros(len(vectors.cells))
    epsilon, least = subject.plan.epsilon, float(subject.plan.min_group)
    return (
        Form("raw", "raw counts", "the exact counts", none, False, _exact),
        Form("suppressed", f"counts of {least:g} and more", f"the exact counts from {least:g} people up", none, True,
             partial(_suppressed, least)),
        Form("event", "event-level noise", "counts with noise that hides a single stay", none + 2.0 / epsilon**2, False,
             partial(_event_level, 1.0 / epsilon)),
        Form("before_cut", "release before the cut", "counts with the noise of the release and none cut", vectors.sigma**2, False,
             partial(_normal, vectors.sigma)),
        Form("release", "release", "the tables of the release", vectors.sigma**2, True, partial(_released, subject, vectors)))  # fmt: skip


def _whole(values: FloatArray) -> tuple[FloatArray, BoolArray, FloatArray]:
    return values, np.ones(len(values), dtype=np.bool_), np.full(len(values), -math.inf)


def _exact(counts: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, BoolArray, FloatArray]:
    del rng
    return _whole(counts)


def _suppressed(least: float, counts: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, BoolArray, FloatArray]:
    del rng
    known = counts >= least
    return np.where(known, counts, 0.0), known, np.full(len(counts), least)


def _event_level(scale: float, counts: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, BoolArray, FloatArray]:
    return _whole(counts + rng.laplace(scale=scale, size=len(counts)))


def _normal(sigma: FloatArray, counts: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, BoolArray, FloatArray]:
    return _whole(counts + sigma * rng.normal(size=len(counts)))


def _released(
    subject: Subject, vectors: Vectors, counts: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, BoolArray, FloatArray]:
    del rng  # the mechanism has its own randomness
    return vectors.published(subject.publish(vectors.totals(counts)))
