"""People keep their habits, and a day type's chains stay what they are."""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest

from synthmob.synthesis.days import generate

PERSONS = 30_000


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_who_works_on_thursday_works_on_friday(rho: float) -> None:
    model = handmade.model()
    persistence = np.zeros(6)
    persistence[handmade.WORK] = rho
    made = generate(replace(model, routines=replace(model.routines, persistence=persistence)), n_persons=PERSONS, days=2, seed=3)
    works, who = np.zeros((PERSONS, 2)), []
    for block in made.blocks():
        stays = block.stays
        at_work = stays.purpose == handmade.WORK
        works[stays.person[at_work], stays.day[at_work]] = 1
        who.append(block.people.work)
    mine = works[np.concatenate(who) >= 0]
    assert mine.mean(axis=0) == pytest.approx(0.5, abs=0.005)  # as their class: 2 + 3 of 1 + 2 + 3 + 4
    assert np.corrcoef(mine.T)[0, 1] == pytest.approx(rho, abs=0.03)
