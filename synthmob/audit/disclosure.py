"""The three risks of the Article 29 Working Party's opinion 05/2014: singling out, linkability, inference, on synthetic people.

Each attack is made on people who are in the release and on as many who are not, after Giomi et al. 2023 (arXiv:2211.10459, see
`risks`), and held against what the plan's claim lets it be (`advantage`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from synthmob.audit import inference, intervals, linkability, risks, singlingout
from synthmob.audit.advantage import most_success
from synthmob.audit.attributes import Attributes, attributes
from synthmob.audit.evidence import Evidence
from synthmob.audit.risks import Rate
from synthmob.audit.subject import Subject, Trial
from synthmob.plan import Plan

TARGETS = 2_000
"""How many people of each kind are attacked by linking and by inference."""


def attack(subject: Subject, trial: Trial, rng: np.random.Generator, progress: Callable[[str], None]) -> list[Evidence]:
    """The risks of singling out, of linking and of inference, a row for each attack."""
    progress("singling out")
    real = attributes(subject.persons, subject.stays, subject.zoning, subject.plan.domain)
    made = attributes(trial.made_persons, trial.made_stays, subject.zoning, subject.plan.domain)
    real, made = real.only(made.names), made.only(real.names)
    size = min(int(trial.members.sum()), int((~trial.members).sum()))
    members, controls = (real.of(rng.permutation(np.flatnonzero(mask))[:size]) for mask in (trial.members, ~trial.members))
    rows = [_singled_out(subject.plan, members, controls, made, several, rng) for several in (False, True)]
    few = np.arange(min(TARGETS, size))
    targets = (members.of(few), controls.of(few))
    progress("linkability")
    rows += _linked(subject.plan, targets, made, rng)
    progress("inference")
    return rows + _inferred(subject.plan, targets, made, rng)


def _singled_out(
    plan: Plan, members: Attributes, controls: Attributes, made: Attributes, several: bool, rng: np.random.Generator
) -> Evidence:
    found = singlingout.attacked(members, controls, made, several, rng)
    rates = (Rate.of(found.members == 1), Rate.of(found.controls == 1), Rate.of(found.random == 1))
    kind, words = ("several", f"{singlingout.SEVERAL} attributes") if several else ("one", "one attribute")
    row = risks.evidence(
        f"singling_out_{kind}", f"Singling out by {words}", "", rates, found.most_success(plan.epsilon, plan.delta, len(members)))
    return replace(row, sentence=(
        f"Of statements on {words} that hold for one synthetic person, {rates[0].share:.1%} hold for exactly one person of the "
        f"release, {rates[1].share:.1%} for exactly one of as many people who are not in it, and of random statements "
        f"{rates[2].share:.1%}: a risk of {row.value:+.1%} ({row.low:+.1%} to {row.high:+.1%})."))


def _linked(plan: Plan, targets: tuple[Attributes, Attributes], made: Attributes, rng: np.random.Generator) -> list[Evidence]:
    members, controls = (linkability.linked(people, made, rng) for people in targets)
    chance = linkability.linked_by_chance(len(targets[0]), len(made), rng)
    rows: list[Evidence] = []
    for k in linkability.NEIGHBOURS:
        rates = (Rate.of(members[k]), Rate.of(controls[k]), Rate.of(chance[k]))
        nearest = "the nearest synthetic person" if k == 1 else f"the {k} nearest synthetic people"
        rows.append(risks.evidence(
            f"linkability_{k}", f"Linking home and group to days, by {nearest}", "links a person's register entry to their days",
            rates, _limit(plan, rates[1])))
    return rows


def _inferred(plan: Plan, targets: tuple[Attributes, Attributes], made: Attributes, rng: np.random.Generator) -> list[Evidence]:
    members, controls = (inference.guessed(people, made, rng) for people in targets)
    rows: list[Evidence] = []
    for secret in members:
        rates = (Rate.of(members[secret].nearest), Rate.of(controls[secret].nearest), Rate.of(members[secret].any))
        words = inference.SECRETS[secret]
        rows.append(risks.evidence(
            f"inference_{secret}", f"Inferring {words} from everything else", f"gets {words} right", rates, _limit(plan, rates[1])))
    return rows


def _limit(plan: Plan, controls: Rate) -> float:
    """The most success on members that the plan's claim allows, the rate on controls taken at its upper end."""
    _, _, at_most = intervals.share(controls.hits, controls.tries)
    return most_success(plan.epsilon, plan.delta, plan.rho, at_most)
