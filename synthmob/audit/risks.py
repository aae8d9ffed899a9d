"""How often an attack succeeds on members, on controls and by guessing, and the risk that is left of it.

Giomi, Boenisch, Wehmeyer, Tasnadi 2023, 'A Unified Framework for Quantifying Privacy Risk in Synthetic Data' (arXiv:2211.10459,
doi:10.56553/popets-2023-0055), section 3. Rates and their errors are the middle and the half width of Wilson's interval; the risk
is R = (r_train - r_control) / (1 - r_control), its error propagated from both. We depart from it in one thing: a risk below 0 is
left as it is, so that an interval around nothing can be seen to lie around nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from synthmob.audit.evidence import Evidence
from synthmob.audit.intervals import Interval

SOURCE = "Giomi et al. 2023, arXiv:2211.10459; Article 29 Working Party, opinion 05/2014"
_Z = 1.959963984540054


@dataclass(frozen=True)
class Rate:
    """So many successes in so many tries."""

    hits: int
    tries: int

    @staticmethod
    def of(found: npt.NDArray[np.bool_]) -> Rate:
        """The rate of a success each."""
        return Rate(int(found.sum()), len(found))

    @property
    def share(self) -> float:
        """Successes by tries, 0 for none."""
        return self.hits / self.tries if self.tries else 0.0

    @property
    def wilson(self) -> tuple[float, float]:
        """The middle and the half width of Wilson's interval (1927, doi:10.1080/01621459.1927.10502953).

        >>> [round(x, 4) for x in Rate(50, 100).wilson], [round(x, 4) for x in Rate(0, 10).wilson]
        ([0.5, 0.0962], [0.1388, 0.1388])
        """
        z2 = _Z * _Z
        variance = self.hits * (self.tries - self.hits) / self.tries if self.tries else 0.0
        return (self.hits + z2 / 2) / (self.tries + z2), _Z / (self.tries + z2) * sqrt(variance + z2 / 4)


def risk(members: Rate, controls: Rate) -> Interval:
    """The risk with its interval: 1 where every attack on a member succeeds, 0 where no more succeed than on controls.

    >>> [round(x, 3) for x in risk(Rate(600, 1000), Rate(200, 1000))]
    [0.499, 0.458, 0.54]
    """
    (train, train_error), (control, control_error) = members.wilson, controls.wilson
    value = (train - control) / (1 - control)
    error = sqrt((train_error / (1 - control)) ** 2 + (control_error * (1 - train) / (1 - control) ** 2) ** 2)
    return value, value - error, value + error


def as_risk(success: float, controls: Rate) -> float:
    """The risk that a rate of success on members would be."""
    control = controls.wilson[0]
    return (success - control) / (1 - control)


def evidence(name: str, title: str, what: str, rates: tuple[Rate, Rate, Rate], most_success: float) -> Evidence:
    """A row on one attack on synthetic people: its risk with the interval, and the limit that the plan's claim sets to it.

    `rates` are those on members, on controls and of guesses. `what` says what a success is, after 'The attack'.
    """
    members, controls, guesses = rates
    value, low, high = risk(members, controls)
    limit = max(0.0, as_risk(most_success, controls))
    return Evidence(
        name, "disclosure", title, "synthetic", "share", value, low, high, members.tries + controls.tries,
        f"The attack {what} for {members.share:.1%} of the people in the release, {controls.share:.1%} of people who are not in it, "
        f"and {guesses.share:.1%} by guessing: a risk of {value:+.1%} ({low:+.1%} to {high:+.1%}).",
        control=0.0, limit=limit, passed=low <= limit, source=SOURCE)  # fmt: skip
