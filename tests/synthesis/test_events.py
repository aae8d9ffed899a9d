"""What the phones of synthetic people do: the laws of the model, on their stays and trips, the same whoever asks."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import handmade
import handmade_usage
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthmob.counts.usage import EVENTS_EDGES
from synthmob.domain import EVENT_DURATION_EDGES_S, VOLUME_EDGES_KB
from synthmob.errors import InputError
from synthmob.synthesis import days, writer
from synthmob.synthesis.days import Population, generate
from synthmob.synthesis.events import EventOptions, EventRows, Network

CALL, SMS, DATA = 0, 1, 2
GOLDEN = "11359a12"
N = 6_000


def network(people: Population, **options: Any) -> Network:
    return Network.of(people, EventOptions(**options)).prepare()


@pytest.fixture(scope="module")
def people() -> Population:
    return generate(handmade_usage.model(), n_persons=N, days=3, seed=1).prepare()


@pytest.fixture(scope="module")
def quiet(people: Population) -> tuple[Network, EventRows]:
    """Nobody served by a neighbour."""
    made = network(people, neighbour_share=0.0)
    return made, made.rows(people.block(0))


def shares(values: Any, n: int) -> Any:
    return np.bincount(values, minlength=n) / len(values)


def test_people_have_as_many_events_as_the_law_says(people: Population, quiet: tuple[Network, EventRows]) -> None:
    made, e = quiet
    count = made.counts(people.block(0))
    assert len(e.person) == count.sum() and (np.bincount(e.person * 3 + e.day, minlength=3 * N) == count.ravel()).all()
    klass = people.block(0).people.klass // 2
    for group in np.unique(klass)[:6]:
        bands = np.searchsorted(EVENTS_EDGES, count[klass == group].ravel(), side="right") - 1
        law = made.population.model.usage.per_day[group]  # pyright: ignore[reportOptionalMemberAccess]
        assert np.abs(shares(bands, len(law)) - law / law.sum()).max() < 4 / np.sqrt(len(bands)) + 0.01
    alike = np.corrcoef(np.argsort(np.argsort(count[:, 0])), np.argsort(np.argsort(count[:, 2])))[0, 1]
    assert 0.45 < alike < 0.75


def test_hours_kinds_and_contents_follow_their_laws(quiet: tuple[Network, EventRows]) -> None:
    made, e = quiet
    usage = handmade_usage.usage()
    cells = shares(e.kind * 24 + e.second // 3600, 96)
    assert np.abs(cells - usage.hours.ravel() / usage.hours.sum()).max() < 0.004
    assert not (e.kind == 3).any()
    for kind in (CALL, SMS):
        assert np.abs(shares(e.direction[e.kind == kind], 3) - usage.directions[kind] / usage.directions[kind].sum()).max() < 0.02
    assert (e.direction[e.kind == DATA] == -1).all() and (e.duration_s[e.kind == SMS] == -1).all()
    for kind in (CALL, DATA):
        bands = np.searchsorted(EVENT_DURATION_EDGES_S, e.duration_s[e.kind == kind], side="right") - 1
        assert np.abs(shares(bands, len(EVENT_DURATION_EDGES_S)) - usage.durations[kind] / usage.durations[kind].sum()).max() < 0.02
    data = e.kind == DATA
    assert (e.app[data] >= 0).all() and (e.app[~data] == -1).all() and (e.volume_kb[~data] == -1).all()
    bands = np.searchsorted(VOLUME_EDGES_KB, e.volume_kb[data], side="right") - 1
    assert (bands == e.app[data] % len(VOLUME_EDGES_KB)).all()
    klass = made.population.block(0).people.klass // 2
    own = e.app[data] == klass[e.person[data]] % handmade_usage.APPS
    assert own.mean() == pytest.approx(20 / (19 + handmade_usage.APPS), abs=0.02)


def test_kinds_follow_the_group() -> None:
    kinds = np.tile([0.3, 0.2, 0.5, 0.0], (handmade_usage.GROUPS, 1))
    kinds[8:16] = 0.1, 0.0, 0.9, 0.0
    made = generate(handmade_usage.model(kinds=kinds), n_persons=N, days=1, seed=1).prepare()
    e, group = network(made).rows(made.block(0)), made.block(0).people.klass // 2
    own = group[e.person] // 8
    for sex in (0, 1):
        assert np.abs(shares(e.kind[own == sex], 4) - kinds[8 * sex]).max() < 0.02


def test_events_lie_on_stays_and_trips(people: Population, quiet: tuple[Network, EventRows]) -> None:
    """At a stay the nearest site of its zone serves, under way the nearest of all; outside nobody does; times rise."""
    made, e = quiet
    s = people.block(0).stays
    at = (e.person * 3 + e.day) * 86_400 + e.second
    assert (np.diff(at) >= 0).all()
    stay = np.searchsorted((s.person * 3 + s.day) * 86_400 + s.start * 60, at, side="right") - 1
    inside = e.second < s.end[stay] * 60
    assert 0.8 < inside.mean() < 1
    outside = s.zone[stay] == handmade.OUTSIDE
    assert (e.site[inside & outside] == -1).all() and (e.site[inside & ~outside] >= 0).all()
    assert (made.sites.zone[e.site[inside & ~outside]] == s.zone[stay[inside & ~outside]]).all()
    for k in np.flatnonzero(inside & ~outside)[:200]:
        own = np.flatnonzero(made.sites.zone == s.zone[stay[k]])
        apart = ((made.sites.flat(made.sites.lonlat[own]) - made.sites.flat(s.lonlat[stay[k]][None])) ** 2).sum(axis=1)
        assert e.site[k] == own[apart.argmin()]
    k = np.flatnonzero(~inside & ~outside & (s.zone[np.minimum(stay + 1, len(s.zone) - 1)] != handmade.OUTSIDE))
    share = (e.second[k] / 60 - s.end[stay[k]]) / np.maximum(s.start[stay[k] + 1] - s.end[stay[k]], 1)
    points = s.lonlat[stay[k]] + share[:, None] * (s.lonlat[stay[k] + 1] - s.lonlat[stay[k]])
    assert len(k) > 500 and (e.site[k] == made.sites.nearest(points)).mean() > 0.999


def test_neighbours_serve_as_often_as_is_said(people: Population, quiet: tuple[Network, EventRows]) -> None:
    made, plain = quiet
    noisy = network(people, neighbour_share=0.1).rows(people.block(0))
    seen = plain.site >= 0
    swapped = noisy.site[seen] != plain.site[seen]
    assert swapped.mean() == pytest.approx(0.1, abs=0.01)
    near = made.sites.neighbours[plain.site[seen][swapped]]
    assert (near == noisy.site[seen][swapped][:, None]).any(axis=1).all()
    for name in ("second", "kind", "duration_s", "app", "counterpart"):
        assert (getattr(plain, name) == getattr(noisy, name)).all(), name


def test_a_zone_that_is_worth_less_has_fewer_events() -> None:
    tilt = np.ones((4, handmade_usage.ZONES))
    tilt[DATA, 0] = 0.25
    counts = []
    for usage in ({}, {"tilt": tilt}):
        people = generate(handmade_usage.model(**usage), n_persons=2_000, days=2, seed=3).prepare()
        made = network(people, neighbour_share=0.0)
        e = made.rows(people.block(0))
        counts.append([(made.sites.zone[e.site] == 0)[(e.kind == kind) & (e.site >= 0)].mean() for kind in (CALL, DATA)])
    # who is there all day has as many events as ever: those of the others go elsewhere
    assert counts[1][1] < 0.8 * counts[0][1] and counts[1][0] > 0.9 * counts[0][0]


def test_counterparts_are_others_and_mostly_near(people: Population, quiet: tuple[Network, EventRows]) -> None:
    _, e = quiet
    who = people.block(0).people
    called = e.counterpart >= 0
    assert ((e.kind[called] == CALL) | (e.kind[called] == SMS)).all() and (called == (e.kind < DATA)).all()
    caller, other = e.person[called], e.counterpart[called]
    assert (caller != other).all() and other.max() < N
    assert (who.home[caller] == who.home[other]).mean() > 2 * (shares(who.home, 6) ** 2).sum()
    pairs = pd.DataFrame({"a": caller, "b": other}).groupby("a")["b"].agg(["size", "nunique"])
    often = pairs[pairs["size"] >= 10]
    assert len(often) > 50 and (often["nunique"] < often["size"]).mean() > 0.9


def test_alone_nobody_is_called() -> None:
    people = generate(handmade_usage.model(), n_persons=1, days=3, seed=5).prepare()
    assert (network(people).rows(people.block(0)).counterpart == -1).all()


def test_a_model_without_usage_has_no_events() -> None:
    people = generate(handmade.model(), n_persons=10, days=1, seed=0)
    with pytest.raises(InputError, match="no table of usage: no events can be generated from it"):
        Network.of(people, EventOptions())


@pytest.mark.parametrize("share", [-0.1, 0.6, float("nan")])
def test_a_share_that_cannot_be_is_refused(share: float) -> None:
    with pytest.raises(InputError, match=r"give a number from 0 to 0\.5"):
        EventOptions(neighbour_share=share)


def digest(folder: Path) -> str:
    out = hashlib.sha256()
    for path in sorted([*folder.glob("events/*.parquet"), folder / "sites.parquet"]):
        out.update(path.read_bytes())
    return out.hexdigest()


def test_bytes_do_not_depend_on_workers_or_blocks(people: Population, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "BLOCK", 512)
    small = replace(people, n_persons=1_500)
    made = Network.of(small, EventOptions())
    for workers in (1, 3):
        writer.write(small, tmp_path / f"by{workers}", workers=workers, network=made)
    assert digest(tmp_path / "by1") == digest(tmp_path / "by3")
    many = pd.read_parquet(tmp_path / "by1" / "events")
    monkeypatch.undo()
    writer.write(small, tmp_path / "whole", network=made)
    pd.testing.assert_frame_equal(many, pd.read_parquet(tmp_path / "whole" / "events"))
    assert hashlib.sha256(many.to_csv(index=False).encode()).hexdigest()[:8] == GOLDEN
    found = pq.read_schema(tmp_path / "whole" / "events" / "part-00000.parquet")
    assert str(found.field("time").type) == "timestamp[us]" and pq.read_metadata(tmp_path / "whole" / "sites.parquet").num_rows == 15
    assert many["time"].min() >= pd.Timestamp("2026-03-05") and many["time"].max() < pd.Timestamp("2026-03-08")
