"""Membership inference on synthetic people: whether the made-up population gives away who stands behind its release.

Two attackers who know the full record of everybody they look at. One counts the synthetic people as the release counts real ones and
scores by a matched filter, as on aggregates. The other asks whether a record has a synthetic person nearer to it than real ones are,
which finds copied and nearly copied people: the density ratio of van Breugel et al. 2023 (DOMIAS, arXiv:2302.12580), from which we depart
by nearest neighbours in place of a fitted density. Members are compared with fresh controls of equal number, drawn alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.audit import ceiling
from synthmob.audit.evidence import Evidence
from synthmob.audit.intervals import Interval, auc_over_trials
from synthmob.audit.subject import Subject, Trial
from synthmob.audit.vectors import Vectors, of_lives
from synthmob.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Scores = list[tuple[FloatArray, BoolArray]]
"""Of each trial: the score of everybody attacked, and who was a member."""
CHANCE = 0.5
N_NEAREST = 4_000
"""People, half of them members, whose nearest neighbours are looked for."""
DIRECTIONS = 96
"""Records are compared by so many random projections (Johnson, Lindenstrauss 1984), which keep distances within some 10 %."""
BLOCK = 500
SAME = 1e-6
"""Distances below this are none."""


def on_synthetic(subject: Subject, trials: Sequence[Trial], rng: np.random.Generator) -> list[Evidence]:
    """How well the people behind synthetic populations are told from fresh controls, by two attackers."""
    if not trials:
        raise InputError("The audit has no synthetic population to attack: ask for at least one trial.")
    limit = ceiling.within_one_release(subject.plan.rho)
    return [
        _evidence(key, auc_over_trials(found, rng), limit, sum(len(scores) for scores, _ in found))
        for key, found in scored(subject, trials, rng).items()]  # fmt: skip


def scored(subject: Subject, trials: Sequence[Trial], rng: np.random.Generator) -> dict[str, Scores]:
    """The scores of every trial: 'counts' of everybody, 'nearest' of some of each side."""
    lived = of_lives(subject.contributions)
    vectors = Vectors.of(lived)  # the made-up people have no events to be compared by
    out: dict[str, Scores] = {"counts": [], "nearest": []}
    for trial in trials:
        made = vectors.of_others(subject, trial.made_persons, trial.made_stays)
        out["counts"].append((by_counts(vectors, made), trial.members))
        some, others = _sides(trial.members, rng)
        out["nearest"].append((by_nearest(vectors, made, some, others, rng), trial.members[some]))
    return out


def by_counts(vectors: Vectors, made: Any) -> FloatArray:
    """A matched filter: how what everybody adds points along what the synthetic people have more than all real ones, (people,).

    The mean that both are taken from is that of members and controls together, so it favours neither.
    """
    people, n = vectors.people, made.shape[0]
    mean = np.asarray(people.mean(axis=0)).ravel()
    square = np.asarray(people.multiply(people).mean(axis=0)).ravel()
    variance = np.maximum(square - mean**2, 1.0 / people.shape[0])
    counts = np.asarray(made[:, :-1].sum(axis=0)).ravel()
    direction = (counts - n * mean) / (2.0 * n * variance + vectors.sigma**2)  # the sample of members, and that of synthetic people
    return people @ direction


def by_nearest(vectors: Vectors, made: Any, some: IntArray, others: IntArray, rng: np.random.Generator) -> FloatArray:
    """How much nearer the nearest synthetic person is than the nearest of `others`, for each of `some`, as a log ratio.

    Every table counts alike: its columns are scaled so that the mean squared length of a person's part of it is 1.
    """
    scale = _scale(vectors)
    directions = rng.normal(size=(len(vectors.cells) + 1, DIRECTIONS)) / np.sqrt(DIRECTIONS)
    directions[:-1] *= scale[:, None]
    real = vectors.people @ directions[:-1]
    nearest = [np.sqrt(_nearest(real[some], side)) for side in (made @ directions, real[others])]
    return np.log((nearest[1] + SAME) / (nearest[0] + SAME))


def _scale(vectors: Vectors) -> FloatArray:
    """The factor of every column."""
    squares = np.asarray(vectors.people.multiply(vectors.people).mean(axis=0)).ravel()
    lengths = np.add.reduceat(np.append(squares, 0.0), vectors.first[:-1])
    lengths[np.diff(vectors.first) == 0] = 0.0
    factor = np.where(lengths > 0, 1.0 / np.sqrt(np.maximum(lengths, 1e-12)), 0.0)
    return np.repeat(factor, np.diff(vectors.first))


def _nearest(points: FloatArray, among: FloatArray) -> FloatArray:
    """The squared distance from each point to the nearest of the others."""
    length = (among**2).sum(axis=1)
    found = [
        (length[None, :] - 2.0 * block @ among.T).min(axis=1) + (block**2).sum(axis=1)
        for block in np.array_split(points, max(1, len(points) // BLOCK))]  # fmt: skip
    squared = np.concatenate(found)
    return np.where(squared < 1e-9, 0.0, squared)  # what is left of equal records by rounding


def _sides(members: BoolArray, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """People to attack, members and controls alike in number, and the rest, alike in number too."""
    sides = [rng.permutation(np.flatnonzero(members == side)) for side in (True, False)]
    each = min(len(side) for side in sides)
    attacked = min(N_NEAREST // 2, max(1, each // 2))
    some = np.concatenate([side[:attacked] for side in sides])
    return some, np.concatenate([side[attacked:each] for side in sides])


def _evidence(key: str, found: Interval, limit: float, n: int) -> Evidence:
    """One row, held against what the noise of the release allows at most: synthesis sees nothing else."""
    value, low, high = found
    how = {"counts": "counts the synthetic people", "nearest": "looks for synthetic people who are nearly the same"}[key]
    sentence = (
        f"An attacker who knows the full records of a subscriber behind the data and of one who is not, and {how}, picks the right one "
        f"{100 * value:.0f} times in 100, where a coin would be right 50 times and the noise allows {100 * limit:.1f} times at most.")
    return Evidence(
        name=f"membership_synthetic_{key}", family="membership", title="Membership in the synthetic data: "
        + {"counts": "by counts", "nearest": "by the nearest synthetic person"}[key], subject="synthetic", unit="auc", value=value,
        low=low, high=high, n=n, sentence=sentence, control=CHANCE, limit=limit, passed=low <= limit,
        source={"counts": "Pyrgelis, Troncoso, De Cristofaro 2018, arXiv:1708.06145",
                "nearest": "van Breugel, Sun, Qian, van der Schaar 2023, arXiv:2302.12580"}[key])  # fmt: skip
