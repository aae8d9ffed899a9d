"""What people do day after day: some go to school every day, others never, though both are of one class.

A class is a mixture of types of people, who have a purpose in more of their days, or in fewer, than the class has on average: of days
with purpose p, a share q of all, a share q of the people holds q + (1 - q) sqrt(rho), all others q - q sqrt(rho), so that two days of a
person correlate by rho = persistence[p], whatever q is, and the class as a whole is what it was. Types combine a few purposes, those
that persist most; the chains of a type are those of its class, tilted, with the sums of both kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.marginals import Marginal
from synthmob.model import reconcile
from synthmob.model.chains import Chains
from synthmob.model.reconcile import LEAST, FloatArray, Noisy

MOST_HELD = 3
"""Purposes that types differ in: two types for each, combined."""
LEAST_PERSISTENCE, MOST_PERSISTENCE = 0.01, 0.95
ROUNDS, RAKE_ROUNDS, CLOSE = 3, 40, 1e-3
LEAST_SHARE, EXCEPTIONS = 1e-3, 0.02


@dataclass(frozen=True)
class Types:
    """`weights` (classes, types), the share of each type in a class, and their chains on every day type: `laws`, each (classes x types,
    chains), rows that sum to 1, or to 0 for a class of nobody. Mixed by the weights they are the chains of the class."""

    weights: FloatArray
    laws: tuple[FloatArray, ...]


def persistence(tables: Mapping[str, Marginal], chains: Sequence[Chains], days: Sequence[int], purposes: int) -> FloatArray:
    """How much two days of a person correlate in each purpose beyond their class, shape (purposes,), 0 at home and where nothing was
    released of it: the `chains` of every day type and how many `days` of it there are."""
    released, rho = tables.get("habits"), np.zeros(purposes)
    if released is None:
        return rho
    noisy, pairs = Noisy.of(released), np.maximum(np.asarray(days, dtype=np.float64) - 1.0, 0.0)
    if pairs.sum() <= 0:
        return rho
    alone = expected_pairs(chains, rho, pairs)
    both = alone.sum(axis=1) * _again(alone, noisy)
    beyond = np.maximum(both - alone[:, 0], 0.0)
    rho[1:] = np.clip(beyond / np.maximum(alone[:, 1], LEAST), 0.0, MOST_PERSISTENCE)
    rho[rho < max(float(np.sort(rho)[-MOST_HELD]), LEAST_PERSISTENCE)] = 0.0
    for _ in range(ROUNDS):  # purposes of one day depend on each other, so that tilting for one moves another
        reached = expected_pairs(chains, rho, pairs)[:, 0] - alone[:, 0]
        rho[1:] = np.clip(rho[1:] * beyond / np.maximum(reached, LEAST), 0.0, MOST_PERSISTENCE)
    return rho


def _again(alone: FloatArray, noisy: Noisy) -> FloatArray:
    """Of days with a purpose followed by another, the share of which that has it too, shape (purposes - 1,): what was released, leaning on
    days that have nothing to do with each other."""
    persons = reconcile.posterior(alone * noisy.scale(alone), noisy)[0]
    return persons[:, 0] / np.maximum(persons.sum(axis=1), LEAST)


def expected_pairs(chains: Sequence[Chains], rho: FloatArray, pairs: FloatArray) -> FloatArray:
    """Of pairs of days of one person, `pairs` (day types,) of each type, the shares that have a purpose on the first day and on the next
    too, or not: shape (purposes - 1, 2)."""
    plain = range(len(rho))
    types = by_type(chains, rho, plain)
    out = np.zeros((len(rho) - 1, 2))
    for law, days, who in zip(chains, pairs / pairs.sum(), types.laws, strict=True):
        people = (law.by_class.sum(axis=1)[:, None] * types.weights).ravel()
        share = who @ _has(law, plain[1:], plain).T
        out += days * np.stack([people @ share**2, people @ (share * (1.0 - share))], axis=1) / max(float(people.sum()), LEAST)
    return out


def by_type(chains: Sequence[Chains], rho: FloatArray, purpose_of: Sequence[int]) -> Types:
    """The types of people with these `chains` of every day type, over segments of purposes, `purpose_of` (segments,), with the persistence
    `rho` (purposes,). Without persistence there is one type. The first day type says how many hold a purpose."""
    order = np.argsort(-rho[1:], kind="stable") + 1
    held = [int(p) for p in order[:MOST_HELD] if rho[p] > 0]
    has = [_has(law, held, purpose_of) for law in chains]
    holds = (np.arange(2 ** len(held))[:, None] >> np.arange(len(held))) & 1 == 1
    base = [law.by_class / np.maximum(law.by_class.sum(axis=1, keepdims=True), LEAST) for law in chains]
    many = np.clip(base[0] @ has[0].T, LEAST_SHARE, 1.0 - LEAST_SHARE)
    weights = np.where(holds, many[:, None, :], 1.0 - many[:, None, :]).prod(axis=2)
    laws = (_tilted(rows, mine, many, rho[held], holds, weights) for rows, mine in zip(base, has, strict=True))
    return Types(weights, tuple(laws))


def _tilted(rows: FloatArray, has: FloatArray, many: FloatArray, rho: FloatArray, holds: npt.NDArray[np.bool_],
            weights: FloatArray) -> FloatArray:  # fmt: skip
    """Chains of the types on one day type: those of the class, `rows` (classes, chains), times how much more often the type has each
    purpose, raked to both the shares of the types and the chains of the class."""
    table = even = weights[:, :, None] * rows[:, None, :]
    share = rows @ has.T
    apart = np.sqrt(rho * share * (1.0 - share) / (many * (1.0 - many)))
    apart = np.minimum(apart, np.minimum((1.0 - share) / (1.0 - many), share / many))  # nobody does more than always, or less than never
    for k in range(len(has)):
        of_type = share[:, k, None] + np.where(holds[None, :, k], 1.0 - many[:, k, None], -many[:, k, None]) * apart[:, k, None]
        of_type = np.clip(of_type, 0.0, 1.0)
        with_it = of_type / np.maximum(share[:, k, None], LEAST)
        without = (1.0 - of_type) / np.maximum(1.0 - share[:, k, None], LEAST)
        table = table * np.where(has[k][None, None, :] > 0, with_it[:, :, None], without[:, :, None])
    table = table + EXCEPTIONS * even  # without them there might be no days at all for a type
    wanted = weights * rows.sum(axis=1, keepdims=True)
    for _ in range(RAKE_ROUNDS if len(has) else 0):
        found = table.sum(axis=2)
        if np.abs(found - wanted).max() < CLOSE:
            break
        table *= (wanted / np.maximum(found, LEAST))[:, :, None]
        table *= (rows / np.maximum(table.sum(axis=1), LEAST))[:, None, :]
    table = table.reshape(-1, rows.shape[1])
    return table / np.maximum(table.sum(axis=1, keepdims=True), LEAST)


def _has(law: Chains, purposes: Sequence[int], purpose_of: Sequence[int]) -> FloatArray:
    """Whether each chain has each of the purposes, 1 or 0: (purposes, chains)."""
    stays = np.append(np.asarray(purpose_of), -1)[law.purposes]
    return np.array([(stays == p).any(axis=1) for p in purposes], dtype=np.float64).reshape(len(purposes), len(law.lengths))
