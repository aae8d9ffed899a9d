"""Membership inference on released aggregates: whether somebody, whose record the attacker knows, is among the people counted.

Pyrgelis, Troncoso, De Cristofaro 2018, "Knock Knock, Who's There? Membership Inference on Aggregate Location Data" (arXiv:1708.06145).
We depart from the paper in the attacker: theirs trains a classifier on groups seen earlier, ours is told the law instead. It knows the
target's full record (every cell of every table), the mean and the covariance of the population from other people, and all noise, and
scores by the likelihood ratio; that is stronger. We also attack all tables at once, not location counts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from synthmob.audit import ceiling
from synthmob.audit.evidence import Evidence
from synthmob.audit.intervals import Interval, auc_over_trials
from synthmob.audit.likelihood import Crowd, of_cut_cells, of_shown_cells
from synthmob.audit.publication import Form, forms
from synthmob.audit.subject import Subject
from synthmob.audit.vectors import Vectors
from synthmob.errors import InputError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Progress = Callable[[str], None]
Scores = list[tuple[FloatArray, BoolArray]]
"""Of each trial: the score of everybody attacked, and who was a member."""
SOURCE = "Pyrgelis, Troncoso, De Cristofaro 2018, arXiv:1708.06145"
N_TRIALS = 20
CHANCE = 0.5


def on_aggregates(subject: Subject, group: int, n_trials: int, rng: np.random.Generator, progress: Progress) -> list[Evidence]:
    """How well members of groups of `group` people are told from as many others, for every form of publication.

    In each of `n_trials` a fresh pool of twice the group is drawn, half of it at random is published, and everybody in the pool is
    scored. The attacker's crowd is never in a pool.
    """
    scores = scored(subject, group, n_trials, rng, progress)
    limit = ceiling.within_one_release(subject.plan.rho)
    return [_evidence(form, group, auc_over_trials(found, rng), limit, 2 * group * n_trials) for form, found in scores.items()]


def scored(subject: Subject, group: int, n_trials: int, rng: np.random.Generator, progress: Progress) -> Mapping[Form, Scores]:
    """The scores of every trial by form of publication."""
    vectors = Vectors.of(subject.contributions)
    n_pool = max(2 * group, subject.n // 2)
    if subject.n < n_pool + group:
        raise InputError(f"The audit has {subject.n} people and attacks groups of {group}: give it at least {3 * group} people, "
                         "or ask for smaller groups.")
    crowd = Crowd.of(vectors.people[n_pool:])
    out: dict[Form, Scores] = {form: [] for form in forms(subject, vectors)}
    everywhere = np.arange(len(vectors.cells))
    whole = {form: of_shown_cells(crowd, group, form.noise, everywhere) for form in out if not form.cuts}
    for k in range(n_trials):
        progress(f"membership in groups of {group}: trial {k + 1} of {n_trials}")
        people = vectors.people[rng.permutation(n_pool)[: 2 * group]]
        members = np.arange(2 * group) < group
        counts = np.asarray(people[members].sum(axis=0)).ravel()
        for form, found in out.items():
            shown = form.show(counts, rng)
            seen = whole.get(form) or of_shown_cells(crowd, group, form.noise, np.flatnonzero(shown.known))
            score = seen.log_ratios(people, shown.values - group * crowd.mean)
            found.append((score + of_cut_cells(crowd, group, shown, people) if form.cuts else score, members))
    return out


def _evidence(form: Form, group: int, found: Interval, limit: float, n: int) -> Evidence:
    """One row: ours is held against what its noise allows at most, the others are there to compare."""
    value, low, high = found
    sentence = (
        f"Shown {form.title} about a group of {group:,} people, an attacker who knows the full records of a member and of a stranger "
        f"picks the member {100 * value:.0f} times in 100, where a coin would be right 50 times"
        + (f" and the noise allows {100 * limit:.1f} times at most." if form.ours else "."))  # fmt: skip
    return Evidence(
        name=f"membership_{form.key}_{group}", family="membership", title=f"Membership in a group of {group:,}: {form.subject}",
        subject=form.subject, unit="auc", value=value, low=low, high=high, n=n, sentence=sentence, control=CHANCE,
        limit=limit if form.ours else None, passed=low <= limit if form.ours else None, source=SOURCE)  # fmt: skip
