"""The closed loop as a table: `uv run python tests/benchmarks/closed_loop.py --subscribers 50000 FOLDER`.

A made-up operator is measured, a model fitted, people and their events generated, and these events measured again as the records of an
operator. The table holds what is detected of the synthetic people beside what they did, and, because detection loses something on any
events, the same of the made-up operator. Floor is the error of another sample of the same size. Usage is beside the operator's, too: of
this release, of releases without noise and without cut as well, and of the released tables as they are, which is what the noise does.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import ibis
from closedloop import as_records

from synthmob import worlds
from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.fidelity.inside import compare_inside
from synthmob.fidelity.metrics import METRICS
from synthmob.fidelity.people import tables_of
from synthmob.fidelity.result import Fidelity
from synthmob.fidelity.sides import Tables
from synthmob.fidelity.usage import USAGE_METRICS
from synthmob.model.mobility import fit
from synthmob.period import Period
from synthmob.plan import STANDARD, Plan
from synthmob.private.curator import Curator
from synthmob.release import Release
from synthmob.synthesis.days import Population, generate
from synthmob.synthesis.events import EventOptions, Network
from synthmob.synthesis.outfolder import open_out
from synthmob.synthesis.writer import write
from synthmob.zones import Zoning

DELTA, BOOTSTRAPS, FEW = 1e-6, 5, 4_000
SHOWN = ("worker_tvd", "home_zone_tvd", "home_district_tvd", "work_zone_tvd", "work_district_tvd", "home_work_cpc_district", "home_work_km",
         "presence_wmape_zone", "presence_wmape_district", "flows_cpc_district", "trip_km", "gyration_km", "stays_per_day_tvd",
         "trips_per_person", "departures_min")  # fmt: skip
"""What detection can give back: it tells home and work from all else, no other purpose."""

AXES = {"events_per_day_tvd": ("events",), "event_kinds_tvd": ("kind",), "event_apps_tvd": ("app",)}
"""The metrics of usage that look at some axes of their table alone."""


def people(true: Any, found: Any) -> str:
    """How many homes and works are found, and found right; both frames by the same persons in the same order."""
    known, works, says = found.home_zone != "unknown", true.work_zone.notna(), found.work_zone.notna()
    right = (found.home_zone == true.home_zone)[known].mean()
    both = works & says
    place = (found.work_zone == true.work_zone)[both].mean()
    return (f"home detected {known.mean():.2%}, of these right {right:.2%}; of workers detected {says[works].mean():.1%}, "
            f"of those detected workers {works[says].mean():.1%}, work zone right {place:.1%}")  # fmt: skip


def detected(curator: Curator) -> Any:
    """Detected persons by subscriber id: made-up records, so nothing of it is anybody's."""
    plan = curator.plan(Plan(1.0, DELTA, requests=STANDARD))
    with curator._backend() as backend:  # pyright: ignore[reportPrivateUsage]
        return backend.to_pandas(curator._tables(backend, plan)[0]).set_index("person_id").sort_index()  # pyright: ignore[reportPrivateUsage]


def compared(truth: Tables, other: Tables, zoning: Zoning, period: Period, backend: Any, names: tuple[str, ...]) -> Fidelity:
    metrics = [m for m in METRICS if m.name in names]
    return compare_inside(truth, other, zoning, Domain(), period, backend, bootstraps=BOOTSTRAPS, metrics=metrics)


def as_seen(tables: Tables) -> Tables:
    """The same people, successive stays in one zone made one: what a network could see at best."""
    stays = tables.stays if isinstance(tables.stays, ibis.Table) else ibis.memtable(tables.stays)
    stays = stays.mutate(zone_id=ibis.coalesce(stays.zone_id, "outside"))
    day = {"group_by": ["person_id", "day"], "order_by": "seq"}
    moves: Any = (stays.zone_id != stays.zone_id.lag().over(ibis.window(**day))).fill_null(True)
    stays = stays.mutate(moves=moves.cast("int64"))
    stays = stays.mutate(run=stays.moves.sum().over(ibis.cumulative_window(**day)))
    merged = stays.group_by("person_id", "day", "run").agg(
        purpose=stays.purpose.first(order_by=stays.seq), zone_id=stays.zone_id.min(), start_min=stays.start_min.min(),
        end_min=stays.end_min.max())  # fmt: skip
    return tables._replace(stays=merged.mutate(seq=(merged.run - 1).cast("int32")).drop("run"))


def denser(made: Population, folder: Path, times: int) -> Path:
    """The OUT of a population with its events drawn so many times over; its own events alone are in the OUT."""
    first = Network.of(made, EventOptions())
    out = write(made, folder / "out", workers=2, network=first)
    as_records(out, folder / "loop")
    for k in range(1, times):
        again = Network.of(replace(made, seed=made.seed + 1_000 * k), EventOptions(), first.sites)
        as_records(write(made, folder / f"out{k}", workers=2, network=again), folder / f"more{k}")
        for part in sorted((folder / f"more{k}" / "events").glob("*.parquet")):
            part.rename(folder / "loop" / "events" / f"{k}-{part.name}")
    return out


def show(title: str, found: Fidelity) -> None:
    """A line a metric."""
    print(f"\n{title}\n{'':44} {'value':>9} {'floor':>9} {'baseline':>9} {'ratio':>7}")
    for m in found.metrics:
        print(f"{m.title[:44]:44} {m.value:9.4f} {m.floor:9.4f} {m.baseline:9.4f} {m.ratio:7.2f}")


def as_released(owner: Curator, release: Release, plan: Plan) -> dict[str, float]:
    """Of every metric of usage the released cells as they are, beside the exact counts: what noise and cut alone do."""
    exact, found = owner.truth(plan), dict[str, float]()
    for metric in USAGE_METRICS:
        level = "@zone" if metric.feature == "event_zones" else ""
        level = "@district" if metric.name.endswith("_district") else level
        tables = [made[metric.feature + level] for made in (exact, release.marginals)]
        shares = [table.project(list(AXES.get(metric.name, [a.name for a in tables[0].axes]))).dense() for table in tables]
        found[metric.name] = float(sum(abs(a - b).sum() for a, b in [[s / s.sum() for s in shares]]) / 2)
    return found


def show_usage(found: dict[str, Fidelity], released: dict[str, float]) -> None:
    """A line a metric: what the model makes of the release, and of one without noise and without cut, beside the floors."""
    print(f"\nUsage measured from synthetic events against that of the made-up operator\n{'':36}"
          + "".join(f"{name:>12}" for name in (*found, "as released", "floor")))  # fmt: skip
    first = next(iter(found.values()))
    for m in first.metrics:
        values = [other.metric(m.name).value for other in found.values()]
        print(f"{m.title[:36]:36}" + "".join(f"{value:12.4f}" for value in (*values, released[m.name], m.floor)), flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="empty folder to work in")
    parser.add_argument("--subscribers", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--denser", type=int, default=0)
    parser.add_argument("--fast", action="store_true", help="no releases without noise beside this one")
    a = parser.parse_args()
    clock = time.perf_counter()

    def step(name: str) -> None:
        print(f"[{time.perf_counter() - clock:6.0f} s] {name}", flush=True)

    world = worlds.london(a.subscribers, a.days, seed=1)
    world.write(a.folder / "world")
    zoning, period, backend = world.zoning, world.period, connect()
    owner = Curator.of(a.folder / "world", zoning)
    step("measuring")
    release = owner.measure(Plan.standard(a.epsilon, DELTA))
    step("fitting")
    model = fit(release, zoning)
    made = generate(model, n_persons=a.subscribers, days=a.days, seed=1)
    step("generating")
    cpu = time.process_time()
    out = write(made, a.folder / "out", workers=2, network=Network.of(made, EventOptions()))
    cpu = time.process_time() - cpu
    loop = Curator.of(as_records(out, a.folder / "loop"), zoning)
    step("detecting")
    events = Curator.of(a.folder / "world", zoning, read_from="events")
    true, known = open_out(out, backend), world.anchors.to_pandas().set_index("subscriber_id").sort_index()
    own = backend.to_pandas(true.persons).set_index("person_id").sort_index()
    n_events = int(backend.to_pyarrow(true.events.count()).as_py())
    print(f"\n{a.subscribers:,} people, {a.days} days, epsilon {a.epsilon:g}: {n_events:,} events, with the people in {cpu:.1f} CPU s")
    print(f"synthetic events:  {people(own, detected(loop))}")
    print(f"made-up operator:  {people(known, detected(events))}", flush=True)
    step("comparing")
    stays = Plan(1.0, DELTA, requests=STANDARD)
    again = loop.rows(Plan.standard())
    show("What was detected of synthetic events against what the synthetic people did",
         compared(as_seen(tables_of(true)), Tables(*again), zoning, period, backend, SHOWN))  # fmt: skip
    show("The same of the made-up operator: what detection loses on any events",
         compared(as_seen(Tables(*owner.rows(stays))), Tables(*events.rows(stays)), zoning, period, backend, SHOWN))  # fmt: skip
    step("comparing usage")
    operator, plan = Tables(*owner.rows(Plan.standard())), Plan.standard(a.epsilon, DELTA)
    usage = {f"epsilon {a.epsilon:g}": compared(operator, Tables(*again), zoning, period, backend, ())}
    for name, group in () if a.fast else (("no noise", 50), ("nor cut", 1)):
        sure = fit(owner.measure(Plan.standard(1_000.0, DELTA, min_group=group)), zoning)
        other = generate(sure, n_persons=a.subscribers, days=a.days, seed=1)
        place = write(other, a.folder / name.replace(" ", "-"), workers=2, network=Network.of(other, EventOptions()))
        usage[name] = compared(operator, tables_of(open_out(place, backend)), zoning, period, backend, ())
    show_usage(usage, as_released(owner, release, plan))
    if a.denser:
        step("drawing denser events")
        out = denser(generate(model, n_persons=min(FEW, a.subscribers), days=a.days, seed=1), a.folder / "dense", a.denser)
        dense = Curator.of(a.folder / "dense" / "loop", zoning)
        show(f"What was detected of {a.denser} times the events, of {min(FEW, a.subscribers):,} people",
             compared(as_seen(tables_of(open_out(out, backend))), Tables(*dense.rows(stays)), zoning, period, backend, SHOWN))  # fmt: skip
    step("done")


if __name__ == "__main__":
    main()
