"""A plan file is data: what it may change changes the plan, everything else is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthmob.errors import PlanError
from synthmob.plan import Plan

WRONG = (
    "= nonsense",
    "epsilon = 3",
    "min_group = 2.5",
    '[tables."home@below"]\nshare = -1',
    '[tables."home@below"]\nshare = inf',
    '[tables."home@below"]\nbound_l2 = 0',
    '[tables."home@below"]\nlevel = "zone"',
    "[tables]\nhome = 3",
    "[tables.secrets]\nshare = 1",
    "[domain]\nincome = ['low']",
    *(f"[domain]\n{text}" for text in (
        'distance_edges_km = [0, "a"]', "distance_edges_km = []", "distance_edges_km = [0, true]", "distance_edges_km = [1, 2]",
        "distance_edges_km = [0, 2, 1]", "travel_edges_min = [0, nan]", "travel_edges_min = [0, 240]", "duration_edges_min = [0, 5.5]",
        "duration_edges_min = [0, 1440]", "sex = []", "sex = [1, 2]", 'sex = ["a", "a"]', 'sex = "female"', 'purposes = ["home"]',
        'purposes = ["work", "home"]', 'purposes = ["home", "work", "by-pass"]', 'attributes = ["income"]', "max_chain_stays = true",
        "max_chain_stays = 99")),
)  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_plan_that_cannot_be_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(PlanError) as refused:
        Plan.read(path, 1.0, 1e-6)
    said = str(refused.value)
    assert said.endswith(".") and "\n" not in said


def test_a_plan_changes_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text('min_group = 80\n[domain]\nsex = ["f", "m", "x"]\nattributes = []\n[tables."home@below"]\nshare = 0.25\n')
    plan, standard = Plan.read(path, 1.0, 1e-6), Plan.standard(1.0, 1e-6)
    assert (plan.min_group, plan.domain.sex, plan.domain.attributes) == (80, ("f", "m", "x"), ())
    changed = {r.name: r.share for r in plan.requests if r not in standard.requests}
    assert changed == {"home@below": 0.25}
    assert Plan.read(path, 1.0, 1e-6, min_group=60).min_group == 60
