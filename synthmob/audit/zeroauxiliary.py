"""The zero-auxiliary attack on released presence: an attacker with the target's own trace and nothing else than the release.

Guan, Guepin, Cretu, de Montjoye 2024, "A Zero Auxiliary Knowledge Membership Inference Attack on Aggregate Location Data"
(arXiv:2406.18671). The attacker has no traces of other people. It makes them up from the aggregate itself: where people are and when
come from the aggregate's margins, and a made-up person keeps to ten neighbouring places (their unicity model). What groups of such
people would look like with and without the target, through the same form of publication, decides.

We depart from the paper where that is cheaper or stronger. The made-up visits are not drawn: their exact means and covariances, given
the places drawn, stand in for the 400 simulated groups, and a Gaussian likelihood ratio for the logistic regression trained on them (both
are linear in what is shown). A person is in at most one place an hour of a day, which the table's public definition says, so the number
of visits is not exponential. Noisy margins are shrunk by the variance that the noise is known to have, not raised to a power.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from synthmob.audit import ceiling
from synthmob.audit.evidence import Evidence
from synthmob.audit.intervals import Interval
from synthmob.audit.likelihood import below
from synthmob.audit.madeup import LEAST_VARIANCE, MadeUp, made_up, neighbours
from synthmob.audit.per_target import auc_over_targets
from synthmob.audit.publication import Form, Shown, forms
from synthmob.audit.subject import Subject
from synthmob.audit.vectors import Vectors
from synthmob.counts.flows import HOURS
from synthmob.domain import DAY_TYPES
from synthmob.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Progress = Callable[[str], None]
Scores = tuple[FloatArray, BoolArray]
"""The score of every target in every release, and whether the target was in it, both (releases, targets)."""
SOURCE = "Guan, Guepin, Cretu, de Montjoye 2024, arXiv:2406.18671"
TABLE = "presence@"
N_TRIALS = 40
N_TARGETS = 100
CHANCE = 0.5


def attack(subject: Subject, group: int, n_trials: int, rng: np.random.Generator, progress: Progress) -> list[Evidence]:
    """How well members of groups of `group` people are told from the released presence alone, for every form of publication.

    A hundred targets, and `n_trials` groups that each hold a random half of them among other people; the AUC is each target's, over
    groups with and without them, as in the paper, and the value is the mean over targets. No evidence where the plan has no presence.
    """
    scores = scored(subject, group, n_trials, rng, progress)
    limit = ceiling.across_releases(subject.plan.rho)
    return [_evidence(form, group, auc_over_targets(*found, rng), limit, found[0].shape[1]) for form, found in scores.items()]


def scored(subject: Subject, group: int, n_trials: int, rng: np.random.Generator, progress: Progress) -> Mapping[Form, Scores]:
    """Scores by form of publication; none where the plan has no presence."""
    name = _finest(subject)
    if name is None:
        return {}
    n_targets = min(N_TARGETS, 2 * group)
    if subject.n < group + n_targets:
        raise InputError(f"The audit has {subject.n} people and attacks groups of {group}: give it at least {group + n_targets} people, "
                         "or ask for smaller groups.")
    vectors = Vectors.of({name: subject.contributions[name]}, whole_domain=True)
    days = _days(subject)
    near = neighbours(subject.zoning, name.removeprefix(TABLE))
    order = rng.permutation(subject.n)
    targets, others = order[:n_targets], order[n_targets:]
    kinds = forms(subject, vectors)
    score = {form: np.zeros((n_trials, n_targets)) for form in kinds}
    inside = np.zeros((n_trials, n_targets), dtype=np.bool_)
    for k in range(n_trials):
        progress(f"membership without other knowledge in groups of {group}: trial {k + 1} of {n_trials}")
        inside[k, rng.permutation(n_targets)[: n_targets // 2]] = True
        rest = rng.choice(others, group - n_targets // 2, replace=False)
        counts = np.asarray(vectors.people[np.concatenate([targets[inside[k]], rest])].sum(axis=0)).ravel()
        for form in kinds:
            shown = form.show(counts, rng)
            score[form][k] = _log_ratios(made_up(shown, days, group, near, rng), vectors, targets, shown, group)
    return {form: (score[form], inside) for form in kinds}


def _finest(subject: Subject) -> str | None:
    """The presence table of the finest level that the plan has."""
    names = [TABLE + level.name for level in subject.zoning.levels]
    return next((name for name in names if name in subject.contributions), None)


def _days(subject: Subject) -> IntArray:
    """How many days of the period the mean of each moment is over: 24 hours of every day type that the period has."""
    period = subject.period
    types = [len(period.days_of(DAY_TYPES.index(label))) for label in period.day_types]
    return np.repeat(np.array(types, dtype=np.int64), len(HOURS))


def _log_ratios(law: MadeUp, vectors: Vectors, targets: IntArray, shown: Shown, group: int) -> FloatArray:
    """The log likelihood ratio of each target, from the cells that the target has been in."""
    out = np.zeros(len(targets))
    start, cells, weights = (getattr(vectors.people, name) for name in ("indptr", "indices", "data"))
    for i, person in enumerate(targets):
        here = slice(int(start[person]), int(start[person + 1]))
        mine = cells[here].astype(np.int64)
        mean, covariance = law.moments(mine)
        apart, excess = weights[here] - mean, shown.values[mine] - group * mean
        covariance = group * covariance + np.diag(shown.noise[mine] + LEAST_VARIANCE)
        known = shown.known[mine]
        if known.any():
            direction = np.linalg.solve(covariance[np.ix_(known, known)], apart[known])
            out[i] += direction @ excess[known] - 0.5 * direction @ apart[known]
        if not known.all():
            slope, bend = below(shown.cut[mine][~known], group * mean[~known], np.diag(covariance)[~known])
            out[i] += slope @ apart[~known] - 0.5 * bend @ apart[~known] ** 2
    return out


def _evidence(form: Form, group: int, found: Interval, limit: float, n: int) -> Evidence:
    """One row: ours is held against what its noise allows at most, the others are there to compare."""
    value, low, high = found
    sentence = (
        f"Shown {form.title} about where a group of {group:,} people is in each hour, an attacker who knows one subscriber's whereabouts "
        f"and nothing else tells a group with the subscriber from one without {100 * value:.0f} times in 100, where a coin would be right "
        "50 times.")  # fmt: skip
    return Evidence(
        name=f"membership_zero_auxiliary_{form.key}_{group}", family="membership",
        title=f"Membership in a group of {group:,} without other knowledge: {form.subject}", subject=form.subject, unit="auc",
        value=value, low=low, high=high, n=n, sentence=sentence, control=CHANCE, limit=limit if form.ours else None,
        passed=low <= limit if form.ours else None, source=SOURCE)  # fmt: skip
