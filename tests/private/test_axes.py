"""Axes, noise and cuts are public: nothing that a release declares depends on a record, only which cells are there does.

The same plan over record sets that have nothing in common gives, but for the surviving cells, the same bytes of release.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from record_folder import FEW, TOWN, people, subscriber, write
from strategies import FRIDAY_ON, Population

from synthmob.audit import traces
from synthmob.domain import Domain
from synthmob.errors import PlanError
from synthmob.period import Period
from synthmob.plan import Plan
from synthmob.private.curator import Curator
from synthmob.release import Release
from synthmob.zonefiles import read_zoning
from synthmob.zones import Zoning

SURVIVING = {"cells", "sha256"}
"""What release.json says of the cells of a table that passed the cut: how many they are, and their file's hash."""
ATTRIBUTES = ("subscriber_id", "sex", "age_band")


def crowded(folder: Path) -> Curator:
    """Ninety people in all zones, with all purposes, at all times."""
    return Curator.of(write(folder, people(), drop=("mode",)), TOWN)


def narrow(folder: Path) -> Curator:
    """Half as many who are alike, in one zone of the town and outside, at night, with a purpose that no axis has."""
    few = people(45, seed=2)
    persons = tuple({**row, "sex": "male", "age_band": "old"} for row in few.persons)
    stays = tuple({**row, "zone_id": "z1" if row["seq"] % 2 else None, "purpose": "church", "start_min": row["start_min"] // 4,
                   "end_min": row["end_min"] // 4} for row in few.stays)  # fmt: skip
    return Curator.of(write(folder, Population(persons, stays), drop=("mode",)), TOWN)


def alone(folder: Path) -> Curator:
    """A single subscriber who was seen for one minute."""
    one = people(1)
    stay = {**one.stays[0], "day": 2, "seq": 0, "zone_id": "z7", "start_min": 100, "end_min": 101}
    return Curator.of(write(folder, Population(one.persons[:1], (stay,)), drop=("mode",)), TOWN)


def never_there(folder: Path) -> Curator:
    """Seven subscribers without a stay in the period."""
    few = people(7, seed=3)
    stays = tuple({**row, "day": row["day"] + 400} for row in few.stays)
    return Curator.of(write(folder, Population(few.persons, stays), drop=("mode",)), TOWN)


def by_events(folder: Path) -> Curator:
    """A dozen subscribers known by their calls alone."""
    persons = pd.DataFrame({"subscriber_id": [subscriber(k) for k in range(12)], "sex": "other", "age_band": "16-24"})
    times = [pd.Timestamp("2026-03-06") + pd.Timedelta(hours=h) for h in (1, 9, 15, 22, 33, 51)]
    rows = [(who, at, f"z{3 + k % 2}") for who in persons.subscriber_id for k, at in enumerate(times)]
    folder.mkdir(parents=True)
    persons.to_parquet(folder / "subscribers.parquet", index=False)
    pd.DataFrame.from_records(rows, columns=["subscriber_id", "time", "zone_id"]).to_parquet(folder / "events.parquet", index=False)
    return Curator.of(folder, TOWN, FRIDAY_ON)


RECORDS: tuple[Callable[[Path], Curator], ...] = (crowded, narrow, alone, never_there, by_events)


def measured(make: Callable[[Path], Curator], plan: Plan, folder: Path, told: list[str] | None = None) -> Path:
    """The folder of a release."""
    listen = (lambda step: None) if told is None else told.append
    return make(folder / "records").measure(plan, progress=listen).save(folder / "release")


def declared(release: Path) -> tuple[str, dict[str, Any], list[str]]:
    """release.json as it stands but for the surviving cells, the columns of every table, and the files that there are."""
    said = json.loads((release / "release.json").read_text())
    for entry in said["tables"].values():
        assert set(entry) >= SURVIVING
        for key in SURVIVING:
            del entry[key]
    files = sorted(path.relative_to(release).as_posix() for path in release.rglob("*") if path.is_file())
    columns = {name: pq.read_schema(release / name).to_string() for name in files if name.endswith(".parquet")}
    return json.dumps(said), columns, files


@pytest.mark.parametrize("make", [alone, by_events], ids=lambda make: make.__name__)
def test_what_a_release_declares_owes_nothing_to_the_records(make: Callable[[Path], Curator], tmp_path: Path, reference: Any) -> None:
    """The standard plan at epsilon 1: axes, labels and their order, bounds, sigmas, cuts, probabilities, words, files.

    Ninety people in all zones against one person of one minute, and against people known by their calls; the next test has more.
    """
    told: list[str] = []
    found = declared(measured(make, Plan.standard(), tmp_path, told))
    assert found == reference[0] and told == reference[1]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[str]]:
    told: list[str] = []
    found = declared(measured(crowded, Plan.standard(), tmp_path_factory.mktemp("crowded"), told))
    tables = json.loads(found[0])["tables"]
    assert len(tables) > 40 and all({"axes", "domain_cells", "bound_l2", "sigma", "cut", "rho"} <= set(t) for t in tables.values())
    assert '"z11"' in found[0] and '"outside"' in found[0] and '"55-64"' in found[0] and '"16+"' in found[0]
    return found, told


def test_which_cells_survive_does_differ_and_lies_on_the_declared_axes(tmp_path: Path) -> None:
    """With next to no noise: the releases tell the five record sets apart by their cells, and by nothing else."""
    plan = Plan(1e5, 1e-6, 10, tuple(r for r in FEW if r.statistic in ("demographics", "home_work", "destinations", "chains")))
    folders = {make.__name__: measured(make, plan, tmp_path / make.__name__) for make in RECORDS}
    assert len({declared(folder)[0] for folder in folders.values()}) == 1
    cells = {name: {m.name: tuple(m.flat) for m in Release.load(folder).marginals.values()} for name, folder in folders.items()}
    assert cells["alone"] == cells["never_there"] and not any(cells["alone"].values())  # under ten people everywhere
    assert len({json.dumps({k: [int(c) for c in v] for k, v in one.items()}) for one in cells.values()}) == 4


def test_a_domain_that_was_learnt_from_the_records_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: an axis that puts the zones that occur first. The two record sets no longer declare the same."""
    honest = Zoning.level_labels
    plan = Plan(1.0, 1e-6, 10, tuple(r for r in FEW if r.statistic == "destinations"))
    found: list[str] = []
    for make, occurring in ((crowded, {f"z{k}" for k in range(12)}), (narrow, {"z1"})):
        with monkeypatch.context() as patch:
            patch.setattr(Zoning, "level_labels", lambda self, name, seen=occurring: (
                *(label for label in honest(self, name) if label in seen or not label.startswith("z")),
                *(label for label in honest(self, name) if label.startswith("z") and label not in seen)))  # fmt: skip
            found.append(declared(measured(make, plan, tmp_path / make.__name__))[0])
    assert found[0] != found[1]


def test_axes_that_cannot_be_counted_are_refused_before_a_record_is_read() -> None:
    with pytest.raises(PlanError, match=r"60 purposes make 6\.\de\+17 chains of up to 10 stays, more than 1e\+12: give fewer"):
        Domain(purposes=("home", "work", *(f"p{k}" for k in range(58))), max_chain_stays=10)
    with pytest.raises(PlanError, match="The plan has 63 purposes: at most 62 can be counted"):
        Domain(purposes=("home", "work", *(f"p{k}" for k in range(61))), max_chain_stays=2)
    assert Domain(purposes=("home", "work", *(f"p{k}" for k in range(13))), max_chain_stays=10).chain_axis.size < 10**12


# ---------------------------------------------------------------- sensitive zones

CLINIC = "clinic-5e1d0b"
SEEN, AT_CLINIC = 30, 40
WEEKDAYS = Period.of("2026-03-02", 2)


@pytest.fixture(scope="module")
def zoning(tmp_path_factory: pytest.TempPathFactory) -> Zoning:
    """A clinic between two zones, with the longer border to the first."""
    shapes = [shapely.box(0, 51, 0.02, 51.02), shapely.box(0.02, 51, 0.03, 51.02), shapely.box(0.03, 51, 0.05, 51.01)]
    frame = geopandas.GeoDataFrame(
        {"zone_id": ["first", CLINIC, "third"], "sensitive": [False, True, False]}, geometry=shapes, crs=4326)  # fmt: skip
    path = tmp_path_factory.mktemp("zones") / "zones.geojson"
    frame.to_file(path)
    return read_zoning(path)


def patients(folder: Path, kind: str) -> Path:
    """Thirty people who live in the first zone and forty in the clinic, as stays, as events by zone, or as events by place."""
    where = {who: "first" if who < SEEN else CLINIC for who in range(SEEN + AT_CLINIC)}
    folder.mkdir()
    pd.DataFrame({"subscriber_id": list(where), "sex": "female", "age_band": "65+"}).to_csv(folder / "subscribers.csv", index=False)
    if kind == "stays":
        rows = [(who, day, 0, "home", zone, 0, 1440) for who, zone in where.items() for day in (0, 1)]
        names = ["subscriber_id", "day", "seq", "purpose", "zone_id", "start_min", "end_min"]
    else:
        times = [f"2026-03-0{day} {hour:02d}:30:00" for day in (2, 3) for hour in (1, 5, 12, 21, 23)]
        places = {"first": ("first",), CLINIC: (CLINIC,)} if kind == "by zone" else {"first": (0.01, 51.01), CLINIC: (0.025, 51.005)}
        rows = [(who, at, *places[zone]) for who, zone in where.items() for at in times]
        names = ["subscriber_id", "time", *(["zone_id"] if kind == "by zone" else ["lon", "lat"])]
    pd.DataFrame.from_records(rows, columns=names).to_csv(folder / f"{'stays' if kind == 'stays' else 'events'}.csv", index=False)
    return folder


@pytest.mark.parametrize("kind", ["stays", "by zone", "by place"])
def test_a_sensitive_zone_is_merged_before_anything_is_counted(zoning: Zoning, tmp_path: Path, kind: str) -> None:
    """Its label stands in no byte of the release, packed or not, and its people are counted in the neighbour."""
    curator = Curator.of(patients(tmp_path / "records", kind), zoning, WEEKDAYS)
    plan = Plan(1e5, 1e-6, 1, tuple(r for r in FEW if r.statistic in ("home", "home_work", "presence", "chains", "distinct_zones")))
    plan = Plan(1e5, 1e-6, 1, (*plan.requests, *(r for r in Plan.standard().requests if (r.statistic, r.level) == ("home", "below"))))
    folder = curator.measure(plan).save(tmp_path / "release")
    assert traces.found_in_folder(folder, traces.forms_of_text("first"))  # the search does find labels
    assert not traces.found_in_folder(folder, traces.forms_of_text(CLINIC))
    release = Release.load(folder)
    homes = release.marginals["home@zone"]
    assert homes.axes[0].labels == ("first", "third", "outside", "unknown")  # pyright: ignore[reportAttributeAccessIssue]
    assert {homes.axes[0].label(int(c[0])): round(v) for c, v in zip(homes.codes, homes.values, strict=True)} == {"first": SEEN + AT_CLINIC}
    assert release.marginals["distinct_zones"].total == pytest.approx(SEEN + AT_CLINIC, abs=0.5)
