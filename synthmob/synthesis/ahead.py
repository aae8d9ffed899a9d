"""What the days of somebody yet to come are going to need is asked for: memory takes longer to answer than a stay takes to be made.

Nothing is decided here: what is asked for is likely to be read, and people are the same to the bit whether it is asked for or not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from synthmob.compilation import inlined, prefetch
from synthmob.counts.flows import HEADINGS
from synthmob.counts.reach import FIRST_ERRAND
from synthmob.model.chains import HOME, WORK
from synthmob.synthesis.draws import keyed, mix
from synthmob.synthesis.zonedraws import ASKED, DRAW_ZONE, DRAWS_PER_STAY, ask_patch, heading_of


@inlined
def ask(
    key: Any, i: Any, person: Any, home: Any, work: Any, chain: Any, own: Any, day_type: Any, purposes: Any, lengths: Any, schedules: Any,
    bands: Any, spot: Any, code: Any, tied: Any, n_purposes: Any,
) -> None:  # fmt: skip
    """Have brought what `kernel.live` needs of the i-th person: the way to work, schedules, and the patches that are proposed first for
    errands from home, and for those from work and back to it."""
    own_key, at_home, at_work = keyed(key, person[i]), spot[home[i]], spot[work[i]] if work[i] >= 0 else -1
    prefetch(code, (at_home, 0))
    if at_work >= 0:
        prefetch(bands, (at_home, at_work))
    for day in range(chain.shape[1]):
        kind, k, today = day_type[day], chain[i, day], mix(own_key ^ np.uint64(day))
        prefetch(schedules, (kind, own[i, day]))
        for rank in range(1, lengths[kind, k]):
            purpose, heading = purposes[kind, k, rank], heading_of(purposes, kind, k, rank, lengths[kind, k], at_work)
            if purpose >= FIRST_ERRAND and purposes[kind, k, rank - 1] == (WORK if heading == 1 else HOME):
                stream = mix(today ^ np.uint64(rank * DRAWS_PER_STAY + DRAW_ZONE))
                row, here = (kind * (n_purposes - 1) + purpose - 1) * HEADINGS + heading, at_work if heading == 1 else at_home
                for trial in range(ASKED):
                    ask_patch(tied, row, here, trial, stream)
