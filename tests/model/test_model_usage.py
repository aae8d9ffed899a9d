"""Usage fitted on a release: from exact tables the laws come back, from noisy ones nearly, and what was not told stays untold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import handmade
import handmade_usage
import ibis
import numpy as np
import pytest
from recount import blurred

from synthmob.counts import STATISTICS, Coded, coded, count
from synthmob.counts.events import since_midnight
from synthmob.engine import connect
from synthmob.marginals import Marginal
from synthmob.model import usage as usage_model
from synthmob.model import usagegroups
from synthmob.model.geography import Geography
from synthmob.model.usage import STEADY, fit_usage, has_usage, middles
from synthmob.period import Period
from synthmob.synthesis import tables
from synthmob.synthesis.days import generate
from synthmob.synthesis.events import EventOptions, Network

N = 12_000
PERIOD = handmade.PERIOD
GEOGRAPHY = Geography.of(handmade.zoning(), handmade.DOMAIN)
NAMES = ("events_per_day", "events_per_person", "event_hours", "event_directions", "event_durations", "event_volumes", "event_apps",
         "app_volumes", "event_zones@district", "event_zones@zone", "presence@district", "presence@zone")  # fmt: skip
TILT = np.ones((4, handmade_usage.ZONES))
TILT[:, 0] = 0.4


def counted(model: Any, period: Period = PERIOD) -> dict[str, Marginal]:
    made = generate(model, n_persons=N, days=period.days, seed=4).prepare()
    block, backend = made.block(0), connect(threads=2)
    network = Network.of(made, EventOptions(neighbour_share=0.0))
    given = [backend.create_table(name, table.cast(plain(table)), temp=True) for name, table in (
        ("people", tables.persons_table(made, block.people)), ("days", tables.stays_table(made, block)),
        ("used", tables.events_table(network, block)))]  # fmt: skip
    rows: Coded = coded(backend, given[0], given[1], model.zoning, model.domain, period, name="u", events=since_midnight(given[2], period))
    found: dict[str, Marginal] = {}
    for name in NAMES:
        base, _, level = name.partition("@")
        found[name] = count(STATISTICS[base], rows, level, bound_l2=None, confidential=False)
    backend.disconnect()
    return found


def plain(table: Any) -> Any:
    import pyarrow as pa

    return pa.schema([pa.field(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in table.schema])


def people_of(tables_: dict[str, Marginal]) -> Any:
    return np.stack([tables_["events_per_day"].dense().sum(axis=2)] * 2, axis=2) / 2


@pytest.fixture(scope="module")
def known() -> dict[str, Marginal]:
    return counted(handmade_usage.model(tilt=TILT))


HOMES = handmade.anchors().home_worker.sum(axis=1) * N / 1_000


def fitted(found: dict[str, Marginal]) -> Any:
    return fit_usage(found, handmade.DOMAIN, people_of(found), PERIOD, HOMES, GEOGRAPHY)


def alike(one: Any, two: Any) -> float:
    """The total variation distance of two laws as shares."""
    return float(0.5 * np.abs(one / one.sum() - two / two.sum()).sum())


def test_the_laws_come_back_from_exact_tables(known: dict[str, Marginal]) -> None:
    found, true = fitted(known), handmade_usage.usage()
    assert alike(found.hours, known["event_hours"].dense()) < 0.01
    assert alike(found.directions, known["event_directions"].dense()) < 0.01
    assert alike(found.durations, known["event_durations"].dense()) < 0.01
    used = np.flatnonzero(found.per_day.sum(axis=1) > 200)
    assert max(alike(found.per_day[g], true.per_day[g]) for g in used) < 0.08
    assert max(alike(found.apps[g], true.apps[g]) for g in used) < 0.1
    assert max(alike(found.app_volumes[a], true.app_volumes[a]) for a in range(3)) < 0.05
    assert found.steady[0] == pytest.approx(0.6, abs=0.12)
    assert (found.durations[1] == 0).all() and (found.directions[2] == 0).all() and (found.hours[3] == 0).all()


def test_a_group_that_has_more_data_than_others_is_seen() -> None:
    kinds = np.tile([0.3, 0.2, 0.5, 0.0], (handmade_usage.GROUPS, 1))
    kinds[8:16] = 0.1, 0.1, 0.8, 0.0
    tables_ = counted(handmade_usage.model(kinds=kinds))
    found, many = fitted(tables_), np.flatnonzero(tables_["event_apps"].dense().sum(axis=0).ravel() > 100)
    assert {k // 8 for k in many.tolist()} >= {0, 1}
    assert found.kinds[many].sum(axis=1) == pytest.approx(1)
    assert np.abs(found.kinds[many, 2] - kinds[many, 2]).max() < 0.05
    assert np.abs(found.kinds[many][:, [0, 1]] - kinds[many][:, [0, 1]]).max() < 0.08  # shared out as everybody's are
    assert alike(found.per_day.sum(axis=0), tables_["events_per_day"].dense().sum(axis=(0, 1))) < 0.01  # what is sure stays


def test_a_group_whose_law_is_mostly_noise_takes_its_mean_from_apps() -> None:
    """Both groups have 10 events, 8 of them data; the first one's law says 16, with so much noise that it might."""
    numbers, kinds = np.array([0.0, 10.0, 20.0]), np.array([100.0, 100.0, 800.0, 0.0])
    laws = np.array([[0.0, 40.0, 60.0], [0.0, 1000.0, 0.0]])
    apps = usagegroups.Apps(np.array([[100.0], [1000.0]]), 0.1, 0.0)
    found, shares = usagegroups.by_group(laws, numbers, 30.0, kinds, apps)
    assert found.sum(axis=1) == pytest.approx([100, 1000]) and 10 < found[0] @ numbers / 100 < 11.5
    assert shares[0] == pytest.approx(kinds / 1000, abs=0.08) and shares[1] == pytest.approx(kinds / 1000, abs=0.02)
    sure, other = usagegroups.by_group(laws, numbers, 1e-6, kinds, apps)
    assert sure == pytest.approx(laws, abs=0.1) and other[0, 2] < 0.6 < other[1, 2]
    lifted = usagegroups.Apps(np.array([[100.0], [1000.0]]), 1e4, 0.0)
    assert usagegroups.by_group(laws, numbers, 30.0, kinds, lifted)[0] == pytest.approx(laws, rel=0.01)


def test_what_bounding_took_of_apps_is_given_back() -> None:
    """By hand, person by person: eight and 24 events of data a day in two apps, bounded as the curator does."""
    law, users, free = np.array([0.75, 0.25]), np.array([[8.0, 24.0]]), np.zeros(2)
    kept = np.zeros(2)
    for n in users[0]:
        weight = n * law / usagegroups.FULL
        held = np.minimum(weight, 1.0)
        kept += held * min(1.0, 1.1 / float(np.sqrt((held**2).sum())))
        free += weight
    seen = usagegroups.Apps(np.array([500 * law]), 0.0, 1.1)
    assert usagegroups.unbounded(seen, users, 1.0)[0] == pytest.approx(500 * law * free / kept)
    assert usagegroups.unbounded(replace(seen, bound_l2=0.0), users, 1.0) is seen.persons


def test_a_zone_where_phones_rest_is_seen(known: dict[str, Marginal]) -> None:
    tilt = fitted(known).tilt
    assert tilt.shape == (4, handmade_usage.ZONES) and (tilt >= 0.25).all()
    assert (tilt[:3, 0] < 0.75 * tilt[:3, 2]).all()


def test_noise_and_cut_are_borne(known: dict[str, Marginal]) -> None:
    rng = np.random.default_rng(1)
    found = fitted({name: blurred(table, rng, sigma=20, cut=90) for name, table in known.items()})
    exact = fitted(known)
    assert alike(found.hours.sum(axis=1), exact.hours.sum(axis=1)) < 0.03 and alike(found.hours, exact.hours) < 0.1
    assert alike(found.per_day.sum(axis=0), exact.per_day.sum(axis=0)) < 0.05
    assert (found.tilt > 0).all() and 0 <= found.steady[0] <= 0.95


def test_a_quiet_night_is_not_filled_up_to_the_cut() -> None:
    """Calls rest at night, data does not: 8 of 24 hours of calls are cut, and the product of kinds and hours would fill them."""
    hours = np.arange(24)
    day = np.exp(-4 * np.cos((hours - 3) * np.pi / 12) + 3)
    exact = np.stack([20 * day / day.mean() * 10, np.full(24, 2_000.0), np.zeros(24), np.zeros(24)])
    found = usage_model._daily(usage_model.Noisy(np.where(exact >= 120, exact, np.nan), 40.0, 120.0))  # pyright: ignore[reportPrivateUsage]
    night = exact[0] < 120
    assert 6 < night.sum() < 16 and (found[2:] == 0).all()
    assert found[0, night].sum() < 0.25 * 120 * night.sum() and abs(found[0].sum() / exact[0].sum() - 1) < 0.05
    product = usage_model.reconcile.product_prior(usage_model.Noisy(np.where(exact >= 120, exact, np.nan), 40.0, 120.0))
    assert product[0, night].sum() > 2 * found[0, night].sum()


def with_one_cell_more(table: Marginal, row: int, column: int, value: float) -> Marginal:
    """A table as if noise alone had carried an empty cell past the cut."""
    more = Marginal.of(table.name, table.axes, [*table.codes, (row, column)], [*table.values, value])
    return replace(more, sigma=value / 3, cut=value - 1, bound_l2=table.bound_l2)


def test_a_cell_of_pure_noise_gives_no_kind_anything(known: dict[str, Marginal]) -> None:
    """Messages have no duration and no volume, and there is no fourth kind: one cell of 40 persons does not change that."""
    spoilt = known | {name: with_one_cell_more(known[name], row, 5, 40.0) for name, row in (
        ("event_hours", 3), ("event_durations", 1), ("event_volumes", 1))}  # fmt: skip
    found, exact = fitted(spoilt), fitted(known)
    assert (found.hours[3] == 0).all() and (found.durations[1] == 0).all() and (found.volumes[1] == 0).all()
    assert alike(found.volumes, exact.volumes) < 0.02 and alike(found.durations, exact.durations) < 0.02
    told = fitted(known | {"event_volumes": with_one_cell_more(known["event_volumes"], 1, 5, float(known["event_hours"].total))})
    assert told.volumes[1].any()  # what most of them have is no noise


def test_beyond_what_was_published_a_law_falls_ever_faster() -> None:
    bell = np.exp(-0.25 * (np.arange(12) - 3.0) ** 2)
    published = np.broadcast_to(np.arange(12) < 7, (1, 12))
    even = np.where(published, bell, 2e-2)
    assert usage_model._falling(even, published)[0] == pytest.approx(bell)  # pyright: ignore[reportPrivateUsage]
    low, short = np.where(published, bell, 1e-9), np.broadcast_to(np.arange(12) < 3, (1, 12))
    assert usage_model._falling(low, published).tolist() == low.tolist()  # pyright: ignore[reportPrivateUsage]
    assert usage_model._falling(even, short).tolist() == even.tolist()  # pyright: ignore[reportPrivateUsage]
    rising = np.broadcast_to(np.exp(np.arange(12.0)), (1, 12))
    assert (usage_model._falling(rising, published)[0, 7:] <= rising[0, 6] * (1 + 1e-9)).all()  # pyright: ignore[reportPrivateUsage]


def test_what_is_not_told_is_left_open(known: dict[str, Marginal]) -> None:
    bare = {name: known[name] for name in ("events_per_day", "event_hours")}
    assert has_usage(bare) and not has_usage({"event_hours": known["event_hours"]})
    found = fitted(bare)
    for law in (found.directions, found.durations, found.volumes, found.apps, found.app_volumes):
        assert (law == 0).all()
    assert (found.tilt == 1).all() and found.steady[0] == STEADY
    made = generate(handmade.model(usage=found), n_persons=500, days=1, seed=1).prepare()
    e = Network.of(made, EventOptions()).rows(made.block(0))
    assert len(e.kind) > 500 and all((getattr(e, name) == -1).all() for name in ("direction", "duration_s", "volume_kb", "app"))


def test_people_without_sex_and_age_are_one_group(known: dict[str, Marginal]) -> None:
    found = fit_usage(known, handmade.DOMAIN, np.full((1, 1, 2), N / 2), PERIOD, HOMES, GEOGRAPHY)
    assert len(found.per_day) == len(found.apps) == 1
    assert alike(found.per_day[0], known["events_per_day"].dense().sum(axis=(0, 1))) < 0.01


def test_middles_are_means_of_whole_numbers() -> None:
    assert middles((0, 1, 2, 5, 10)).tolist() == [0, 1, 3, 7, 12]


def test_times_are_seconds_since_the_first_midnight() -> None:
    table = ibis.memtable({"time": ["2026-03-05 00:00:00", "2026-03-06 01:00:01"]})
    found = connect(threads=1).to_pyarrow(since_midnight(table.mutate(time=table.time.cast("timestamp")), PERIOD))
    assert found["at_s"].to_pylist() == [0, 90_001]
