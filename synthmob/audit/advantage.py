"""How much better an attack on one person may do where that person is in the release: the limit that a privacy claim sets.

Let an attack on a person succeed or not by the release (or by what is made of it) and by what the attacker knows of that person
alone. Let p be the chance that it succeeds on a person who is in the release and c on the same person where they are not.
An (epsilon, delta)-differentially private release keeps, by its definition applied to success and to failure,

    p <= exp(epsilon) c + delta    and    1 - c <= exp(epsilon) (1 - p) + delta,

and rho-zCDP bounds the Kullback-Leibler divergence of the two releases by rho (Bun, Steinke 2016,
doi:10.1007/978-3-662-53641-4_24, the limit of order 1), so that Pinsker's inequality gives p - c <= sqrt(rho / 2). All three hold
for the means over many people as well, and for a success between 0 and 1. Where c = p the attack has learnt nothing from anyone's
presence, however often it succeeds: what it uses is true of everybody.

The controls of a trial are people who are not in a release of so many members; strictly c is about a release with one member
fewer, which we take for the same.
"""

from __future__ import annotations

import math

from synthmob.plan import Plan


def most_success(epsilon: float, delta: float, rho: float, control: float) -> float:
    """The most often that an attack may succeed on members where it succeeds with chance `control` on the others.

    >>> [round(most_success(1.0, 1e-6, 1.0, c), 3) for c in (0.0, 0.01, 0.2689, 0.9)]
    [0.0, 0.027, 0.731, 0.963]
    >>> round(most_success(1.0, 1e-6, 0.02436, 0.2689), 3)
    0.379
    """
    factor = math.exp(min(epsilon, 700.0))
    allowed = min(factor * control + delta, 1.0 - (1.0 - delta - control) / factor, control + math.sqrt(rho / 2.0))
    return min(1.0, max(control, allowed))


def most_excess(plan: Plan, control: float) -> float:
    """The most by which success on members may exceed `control`, success on others, under what a plan claims.

    >>> round(most_excess(Plan.standard(1.0, 1e-6), 0.5), 3)
    0.11
    """
    return most_success(plan.epsilon, plan.delta, plan.rho, control) - control


def most_advantage(plan: Plan) -> float:
    """The most by which success on members may exceed success on others under what a plan claims, whatever the attack.

    The largest `most_excess` over all c, for (epsilon, delta) at c = (1 - delta) / (exp(epsilon) + 1).

    >>> round(most_advantage(Plan.standard(1.0, 1e-6)), 3), round(most_advantage(Plan.standard(30.0, 1e-6)), 3)
    (0.11, 1.0)
    """
    factor = math.exp(min(plan.epsilon, 700.0))
    return min((factor - 1.0 + 2.0 * plan.delta) / (factor + 1.0), math.sqrt(plan.rho / 2.0))
