"""A fit in a quarter of the time: fewer rehearsals, passes and lives. What is fitted is rough, but by all the code and every table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def hasty() -> Iterator[None]:
    """Fits of this process are hasty until it is left."""
    from synthmob.model import daychains, flows, mobility, rehearsal, schedules

    less = ((rehearsal, "PLAYED_DAYS", 500), (schedules, "POOL", 500), (schedules, "LEAST_SCHEDULES", 2), (schedules, "ROUNDS", 9),
            (schedules, "REPLAYS", 2), (flows, "PASSES", 3), (daychains, "ROUNDS", 1), (flows, "RETARGET_AT", (1,)),
            (flows, "UNTIMED", 3), (flows, "TIMED", 2), (flows, "TIMED_RETARGET_AT", (0,)), (mobility, "LIVES_CELLS", 1))  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in less:
            patch.setattr(module, name, value)
        yield
