"""A model's usage is looked at before the kernel follows it."""

from __future__ import annotations

from typing import Any

import handmade_usage
import numpy as np
import pytest

from synthmob import modelcheck
from synthmob.errors import FormatError


def test_the_usage_by_hand_is_one_that_can_be() -> None:
    modelcheck.check(handmade_usage.model())


@pytest.mark.parametrize(("changes", "says"), [
    ({"per_day": np.ones((3, 19))}, r"usage\.per_day has shape"),
    ({"hours": np.zeros((4, 24))}, "no hour or zone for an event to be in"),
    ({"tilt": np.zeros((4, handmade_usage.ZONES))}, "no hour or zone"),
    ({"tilt": np.ones((4, 2))}, r"usage\.tilt has shape"),
    ({"kinds": np.zeros((handmade_usage.GROUPS, 4))}, "of no kind"),
    ({"kinds": np.ones((2, 4))}, r"usage\.kinds has shape"),
    ({"steady": np.array([1.5])}, "a correlation above 1"),
    ({"steady": np.array([np.nan])}, "not a number"),
    ({"apps": np.ones((handmade_usage.GROUPS, 3))}, r"usage\.apps has shape"),
    ({"directions": -np.ones((4, 3))}, "negative"),
])  # fmt: skip
def test_usage_that_cannot_be_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FormatError, match=says):
        modelcheck.check(handmade_usage.model(**changes))
