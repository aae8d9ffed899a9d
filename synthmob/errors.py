"""Every exception that synthmob raises on purpose.

    SynthmobError                exit code
    +-- InputError               2   something a user gave cannot be used
    |   +-- RecordError          2   the private records break their format
    |   +-- ZoningError          2   the public zoning breaks its format
    |   +-- PlanError            2   a plan asks for something impossible
    |   +-- FormatError          2   a release, model or output folder is not what it claims to be
    |   +-- ConfidentialError    2   an exact count was about to leave the owner's side
    |   +-- DeliveryError        2   where events were sent did not take them
    +-- BudgetError              3   the ledger does not allow the spend
    +-- CheckFailed              1   a check ran and its answer is no

Every message is one sentence: what was found, where, what was wanted, what to do.
"""

from __future__ import annotations

import re

LONGEST_MESSAGE = 600
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def one_line(text: str) -> str:
    r"""A message on one line and of a length to be read, whatever a stranger has put into the names that it quotes.

    >>> one_line("There is no zone a\nb.")
    'There is no zone a\\nb.'
    """
    if len(text) > LONGEST_MESSAGE:
        text = f"{text[:LONGEST_MESSAGE - 203]} ... {text[-198:]}"
    return _UNPRINTABLE.sub(lambda found: repr(found[0])[1:-1], text)


class SynthmobError(Exception):
    """Anything that synthmob raises on purpose; `exit_code` is what the command line returns."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class InputError(SynthmobError):
    """Something a user gave cannot be used."""

    exit_code = 2


class RecordError(InputError):
    """The private records break their format."""


class ZoningError(InputError):
    """The public zoning breaks its format."""


class PlanError(InputError):
    """A plan asks for something impossible."""


class FormatError(InputError):
    """A release, model or output folder is not what it claims to be."""


class ConfidentialError(InputError):
    """An exact count was about to leave the owner's side."""


class DeliveryError(InputError):
    """Where events were sent did not take them."""


class BudgetError(SynthmobError):
    """The ledger does not allow the spend: `spent`, `asked` and `total` are epsilons."""

    exit_code = 3

    def __init__(self, message: str, *, spent: float, asked: float, total: float) -> None:
        super().__init__(message)
        self.spent, self.asked, self.total = spent, asked, total


class CheckFailed(SynthmobError):
    """A check ran and its answer is no."""

    exit_code = 1
