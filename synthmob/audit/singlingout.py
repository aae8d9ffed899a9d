"""Singling out: saying of synthetic people 'there is one such person', and being right about real people.

Giomi et al. 2023 (arXiv:2211.10459), section 4.2: predicates that hold for exactly one synthetic person, on one attribute (a value
that occurs once, or the extremes of a number) or on several of a random synthetic person, are tried on the members of the release
and on as many people who are not in it. Success is that exactly one of them fits.

A predicate of weight w, the chance that it fits a random person, isolates somebody among any n people with chance
n w (1 - w)^(n - 1), up to 37 %: that is luck, and the controls show it (Cohen, Nissim 2020, arXiv:1904.06009). The limit follows
theirs. Whether the predicate fits a given member and nobody else of the rest is a question about that member, the rest being what
they are; (epsilon, delta)-differential privacy lets it happen at most exp(epsilon) times as often, plus delta, as if that member
were not in the release; then they are like a control. Summed over all n members, success is at most exp(epsilon) m + n delta,
where m is how many controls fit, on average over the predicates, a predicate that fits no member.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.audit.attributes import Attributes, FloatArray

EQUAL, AT_LEAST, AT_MOST = 0, 1, 2
PREDICATES, ATTEMPTS = 1_000, 20_000
"""How many predicates are looked for, and in how many attempts at most."""
SEVERAL = 4
"""How many attributes a predicate on several has."""


@dataclass(frozen=True)
class Predicate:
    """That all of some attributes (column indices) are equal to, at least or at most a value."""

    columns: tuple[int, ...]
    relations: tuple[int, ...]
    values: tuple[float, ...]

    def count(self, columns: FloatArray) -> int:
        """How many people it holds for; `columns` of shape (attributes, people)."""
        holds = np.ones(columns.shape[1], dtype=np.bool_)
        for column, relation, value in zip(self.columns, self.relations, self.values, strict=True):
            of = columns[column]
            holds &= of == value if relation == EQUAL else of >= value if relation == AT_LEAST else of <= value
        return int(holds.sum())


@dataclass(frozen=True, eq=False)
class Outcome:
    """For how many members and how many controls each predicate holds, and each random one for members; shape (predicates,)."""

    members: npt.NDArray[np.int64]
    controls: npt.NDArray[np.int64]
    random: npt.NDArray[np.int64]

    def most_success(self, epsilon: float, delta: float, n: int) -> float:
        """The most often that a release of n members lets predicates single out one of them; see above.

        m is taken at the upper end of its own interval.
        """
        unseen = np.where(self.members == 0, self.controls, 0)
        if not len(unseen):
            return 1.0
        at_most = float(unseen.mean()) + 1.96 * float(unseen.std()) / len(unseen) ** 0.5
        return min(1.0, float(np.exp(min(epsilon, 700.0))) * at_most + n * delta)


def attacked(members: Attributes, controls: Attributes, synthetic: Attributes, several: bool, rng: np.random.Generator) -> Outcome:
    """Predicates that hold for one synthetic person, tried on members and on controls, of whom there should be as many."""
    of_synthetic, of_members, of_controls = (np.ascontiguousarray(a.values.T) for a in (synthetic, members, controls))
    found = on_several(synthetic, of_synthetic, rng) if several else on_one(synthetic, rng)
    guesses = _at_random(synthetic, SEVERAL if several else 1, len(found), rng)
    return Outcome(*(
        np.array([predicate.count(people) for predicate in predicates], dtype=np.int64)
        for predicates, people in ((found, of_members), (found, of_controls), (guesses, of_members))))


def on_one(synthetic: Attributes, rng: np.random.Generator) -> list[Predicate]:
    """Predicates on one attribute that hold for exactly one synthetic person, at most PREDICATES of them at random."""
    found: list[Predicate] = []
    for column in range(len(synthetic.names)):
        values, counts = np.unique(synthetic.values[:, column], return_counts=True)
        found += [Predicate((column,), (EQUAL,), (float(value),)) for value in values[counts == 1]]
        if not synthetic.categorical[column] and len(values):
            ends = ((AT_MOST, 0), (AT_LEAST, -1))
            found += [Predicate((column,), (relation,), (float(values[end]),)) for relation, end in ends if counts[end] == 1]
    return [found[k] for k in rng.permutation(len(found))[:PREDICATES]]


def on_several(synthetic: Attributes, columns: FloatArray, rng: np.random.Generator, attempts: int = ATTEMPTS) -> list[Predicate]:
    """Predicates on several attributes of a random synthetic person that hold for nobody else, at most PREDICATES of them.

    `columns` are the values once more, of shape (attributes, people). A number has to be at least that of the person where theirs is
    above the median, else at most.
    """
    medians = np.median(synthetic.values, axis=0)
    found: dict[Predicate, None] = {}
    for _ in range(attempts):
        if len(found) == PREDICATES:
            break
        person = synthetic.values[rng.integers(len(synthetic))]
        chosen = tuple(int(k) for k in np.sort(rng.permutation(len(synthetic.names))[:SEVERAL]))
        relations = tuple(EQUAL if synthetic.categorical[k] else AT_LEAST if person[k] > medians[k] else AT_MOST for k in chosen)
        predicate = Predicate(chosen, relations, tuple(float(person[k]) for k in chosen))
        if predicate.count(columns) == 1:
            found[predicate] = None
    return list(found)


def _at_random(synthetic: Attributes, n_columns: int, n: int, rng: np.random.Generator) -> list[Predicate]:
    """Predicates of random relations to random values that occur."""
    values = [np.unique(column) for column in synthetic.values.T]
    found: list[Predicate] = []
    for _ in range(n):
        chosen = tuple(int(k) for k in rng.permutation(len(values))[:n_columns])
        relations = tuple(EQUAL if synthetic.categorical[k] else int(rng.integers(3)) for k in chosen)
        found.append(Predicate(chosen, relations, tuple(float(values[k][rng.integers(len(values[k]))]) for k in chosen)))
    return found
