"""Who people are reproduces the fitted tables to rounding, and does not depend on blocks or their order."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import handmade
import numpy as np
import pytest

from synthmob.errors import InputError
from synthmob.model.geography import Geography
from synthmob.synthesis.days import BLOCK, Population, generate
from synthmob.synthesis.population import Homes, People, people

ANCHORS = handmade.anchors()
GEOGRAPHY = Geography.of(handmade.zoning(), handmade.DOMAIN)
HOMES = Homes.of(ANCHORS, GEOGRAPHY)
TOTAL = 1_000
GOLDEN = "183092a7d502f115fd7fa6f3259c318bcd005c4f45804896c58706658d92fb8f"


def tables(who: People) -> tuple[Any, Any]:
    """Workers by home and work, and everybody by home and worker."""
    works = who.work >= 0
    pairs, homes = np.zeros((6, 6)), np.zeros((6, 2))
    np.add.at(pairs, (who.home[works], who.work[works]), 1)
    np.add.at(homes, (who.home, who.klass % 2), 1)
    return pairs, homes


@pytest.mark.parametrize("n", [1, 7, 999, 1000, 12_345])
def test_home_and_work_are_reproduced_to_rounding(n: int) -> None:
    pairs, homes = tables(people(HOMES, 1, n, 0, n))
    furthest = np.abs(pairs - ANCHORS.home_work * n / TOTAL).max()
    assert furthest < 1 and np.abs(homes[:, 1] - ANCHORS.home_worker[:, 1] * n / TOTAL).max() < 1
    assert homes[:, 0].tolist() == pairs.sum(axis=1).tolist() and homes.sum() == n


def test_a_whole_multiple_reproduces_them_exactly() -> None:
    pairs, homes = tables(people(HOMES, 5, 3 * TOTAL, 0, 3 * TOTAL))
    assert (pairs == 3 * ANCHORS.home_work).all() and (homes == 3 * ANCHORS.home_worker).all()


@pytest.mark.parametrize("n", [1_000, 24_000])
def test_groups_of_every_home_are_reproduced(n: int) -> None:
    who = people(HOMES, 1, n, 0, n)
    group, worker = np.divmod(who.klass, 2)
    assert (worker == np.where(who.work >= 0, 0, 1)).all()
    for area in range(3):
        for kind in range(2):
            mine = (ANCHORS.group_area[who.home] == area) & (worker == kind)
            share = ANCHORS.groups[area, kind] / ANCHORS.groups[area, kind].sum()
            found = np.bincount(group[mine], minlength=24)
            assert (found[share == 0] == 0).all()
            # An even sequence along a stretch of ranks: a few persons off, whatever its length.
            assert np.abs(found - share * mine.sum()).max() < 8


def test_a_commuting_distance_changes_the_mix_and_not_the_sums() -> None:
    tilt = np.ones((handmade.BANDS, 24))
    tilt[:3, 2], tilt[3:, 3] = 5.0, 5.0  # one group works near by, another far away
    homes = Homes.of(replace(ANCHORS, band_groups=tilt), GEOGRAPHY)
    n = 60_000
    who = people(homes, 1, n, 0, n)
    works = who.work >= 0
    west = works & (ANCHORS.group_area[who.home] == 0)
    share = np.bincount(who.klass[west] // 2, minlength=24) / west.sum()
    assert share[2:6] == pytest.approx(0.25, abs=0.01)
    near = GEOGRAPHY.bands[who.home[west], who.work[west]] < 3
    group = who.klass[west] // 2
    assert (group[near] == 2).mean() > 2 * (group[near] == 3).mean()
    assert (group[~near] == 3).mean() > 2 * (group[~near] == 2).mean()


def test_blocks_are_cut_anywhere() -> None:
    whole = people(HOMES, 3, 5_000, 0, 5_000)
    parts = [people(HOMES, 3, 5_000, a, b) for a, b in ((0, 17), (17, 3_000), (3_000, 5_000))]
    for name in ("person", "rank", "home", "work", "klass"):
        assert np.array_equal(getattr(whole, name), np.concatenate([getattr(p, name) for p in parts]))


def test_every_part_of_the_file_looks_like_the_whole() -> None:
    """The order is hidden: a prefix is a sample, so its tables are within sampling error of the whole's."""
    n, some = 100_000, 2_000
    pairs = tables(people(HOMES, 4, n, 0, some))[0] / some
    want = ANCHORS.home_work / TOTAL
    assert (np.abs(pairs - want) < 5 * np.sqrt(want / some) + 1e-3).all()


def digest(population: Population, blocks: Any) -> str:
    """A hash of everything that is whole numbers."""
    found = hashlib.sha256()
    for k in blocks:
        block = population.block(k)
        for part, names in ((block.people, ("person", "rank", "home", "work", "klass")),
                            (block.stays, ("person", "day", "seq", "purpose", "zone", "start", "end"))):  # fmt: skip
            for name in names:
                found.update(np.ascontiguousarray(getattr(part, name), dtype="<i8").tobytes())
    return found.hexdigest()


def test_the_golden_population() -> None:
    """Changes only where generation is changed on purpose: the model is hand-made and the hash is of whole numbers."""
    population = generate(handmade.model(), n_persons=2_000, days=4, seed=20_260_302)
    assert digest(population, [0]) == GOLDEN


def test_blocks_are_the_same_in_any_order_and_for_any_asker() -> None:
    made = generate(handmade.model(), n_persons=2 * BLOCK + 100, days=1, seed=2)
    again = replace(made).prepare()
    backwards = {k: digest(again, [k]) for k in (2, 1, 0)}
    assert [backwards[k] for k in range(3)] == [digest(made, [k]) for k in range(3)]
    assert made.n_blocks == 3 and [len(b.people.person) for b in made.blocks()] == [BLOCK, BLOCK, 100]


def test_seeds_differ_and_days_go_on() -> None:
    one = generate(handmade.model(), n_persons=500, days=3, seed=1)
    assert digest(one, [0]) == digest(replace(one), [0]) != digest(replace(one, seed=2), [0])
    longer = replace(one, days=5).block(0).stays
    kept = longer.day < 3
    for name in ("person", "day", "seq", "purpose", "zone", "start", "end", "lonlat"):
        assert np.array_equal(getattr(longer, name)[kept], getattr(one.block(0).stays, name), equal_nan=name == "lonlat")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"n_persons": 0}, "number of persons asked for is 0"),
        ({"n_persons": 2.0}, "number of persons asked for is 2.0"),
        ({"days": 367}, "number of days asked for is 367"),
        ({"days": True}, "number of days asked for is True"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": "1"}, "seed is '1'"),
    ],
)
def test_what_cannot_be_asked_for(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        generate(handmade.model(), **({"n_persons": 5, "days": 1, "seed": 1} | asked))
