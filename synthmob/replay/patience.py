"""Trying again: a stream that is away for a moment is waited for, longer each time, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from synthmob.errors import DeliveryError

T = TypeVar("T")
PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0)


def persist(attempt: Callable[[], T], failures: tuple[type[Exception], ...], where: str) -> T:
    """What an attempt gives, tried again after each of PAUSES_S where it fails in one of those ways; DeliveryError in the end."""
    for pause in PAUSES_S:
        try:
            return attempt()
        except failures:
            time.sleep(pause)
    try:
        return attempt()
    except failures as error:
        tries = len(PAUSES_S) + 1
        raise DeliveryError(f"{where} did not take events in {tries} tries ({type(error).__name__}): see to it and resume.") from None
