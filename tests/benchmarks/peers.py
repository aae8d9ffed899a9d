"""Other generators beside ours on the same records: `uv run python tests/benchmarks/peers.py FOLDER --dpmm ENV --skmob ENV [--atlanta]`.

Every peer gets what it is made for and as much of it as it can take, and its rows become PERSONS and STAYS of one day:

- a table peer (SDV GaussianCopula, dpmm MST) gets one row a person: sex, age band, home, work, and for each of the first stays of the day
  its purpose, zone and end. A stay that the row does not have is 'none' and ends the day. Home and work stays are set to the person's own
  home and work zone, which only helps the peer; the last stay lasts to midnight. The copula has five stays and half hours; MST three
  and hours, and MST_ITERATIONS steps of inference in place of its 10,000: its time goes there, however few the rows;
- SDV HMA gets persons and stays as two tables with a key, of HMA_PERSONS persons, for it is slow, and is judged at that size; starts are
  the ends before;
- scikit-mobility's DITRAS and DensityEPR move AGENTS agents between zones (`movers.py`): they have the metrics that need neither persons
  nor purposes.

All are scored by `compare_inside`, the code of `check --truth`: ratio of the error to the larger of floor and tolerance.
Privacy: ours and MST at (epsilon, 1e-6) for a subscriber; the others none at all. Peers that are not run say why.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import limited
import movers
import numpy as np
import pandas as pd

from synthmob import worlds
from synthmob.domain import AGE_BAND, PURPOSES, SEX, Domain
from synthmob.engine import connect
from synthmob.fidelity.inside import EVERY, compare_inside
from synthmob.fidelity.people import tables_of
from synthmob.fidelity.result import Fidelity
from synthmob.fidelity.sides import Tables
from synthmob.model.mobility import fit
from synthmob.period import Period
from synthmob.plan import STANDARD, Plan
from synthmob.private.curator import Curator
from synthmob.synthesis.days import generate
from synthmob.synthesis.outfolder import open_out
from synthmob.synthesis.writer import write
from synthmob.zonefiles import read_zoning
from synthmob.zones import Zoning

DELTA, HMA_PERSONS, AGENTS, BOOTSTRAPS = 1e-6, 1_500, 5_000, 5
MST_ITERATIONS = 1_000
LIMIT_S = 1_800
"""CPU seconds that a peer of another environment may take."""
ATLANTA = Path(__file__).resolve().parents[3] / "shared" / "data" / "atlanta_activitysim"
MOVED = (
    "flows_cpc_zone", "flows_cpc_zone_off_diagonal", "flows_cpc_district", "flows_cpc_district_off_diagonal", "flows_cpl_zone",
    "flows_cpc_hour_district", "flows_geh_hour_district", "trips_cpc_distance", "trip_km", "gyration_km", "presence_wmape_zone",
    "presence_wmape_district", "density_emd_km", "stays_per_day_tvd", "trips_per_person", "departures_min", "dwell_min",
    "places_per_day_tvd", "motif_tvd",
)  # fmt: skip
"""The metrics that need to know neither who moves nor what for."""
MOVERS = ("DITRAS", "DensityEPR")
Row = tuple[str, str, Tables | str, float]


class Shape(NamedTuple):
    """How many stays of a day a row has, and the minutes in which it tells their ends."""

    stays: int
    bin_min: int


HALF_HOURS, HOURS = Shape(5, 30), Shape(3, 60)


def wide(persons: pd.DataFrame, stays: pd.DataFrame, zoning: Zoning, shape: Shape) -> tuple[pd.DataFrame, dict[str, int]]:
    """One row of whole numbers a person, and the size of each column."""
    n_ends = 1440 // shape.bin_min
    places = {**{z: k for k, z in enumerate(zoning.ids)}, "outside": zoning.n_zones, "unknown": zoning.n_zones + 1}
    zone = lambda column: column.fillna("outside").map(places).astype("int64")  # noqa: E731
    out = pd.DataFrame({
        "sex": persons.sex.map(SEX.index), "age_band": persons.age_band.map(AGE_BAND.index), "home": zone(persons.home_zone),
        "work": np.where(persons.worker == "yes", zone(persons.work_zone), zoning.n_zones + 1)}).set_axis(persons.person_id)  # fmt: skip
    sizes = {"sex": len(SEX), "age_band": len(AGE_BAND), "home": zoning.n_zones + 2, "work": zoning.n_zones + 2}
    for k in range(shape.stays):
        mine = stays[stays.seq == k].set_index("person_id").reindex(out.index)
        none = mine.purpose.isna()
        purpose = mine.purpose.map({p: n for n, p in enumerate(PURPOSES)})
        out[f"purpose_{k}"] = purpose.fillna(len(PURPOSES))
        out[f"zone_{k}"] = np.where(none, zoning.n_zones + 1, zone(mine.zone_id))
        out[f"end_{k}"] = np.where(none, n_ends - 1, np.minimum(mine.end_min.fillna(1439) // shape.bin_min, n_ends - 1))
        sizes |= {f"purpose_{k}": len(PURPOSES) + 1, f"zone_{k}": zoning.n_zones + 2, f"end_{k}": n_ends}
    return out.astype("int64").reset_index(drop=True), sizes


def long(table: pd.DataFrame, zoning: Zoning, shape: Shape) -> Tables:
    """PERSONS and STAYS of such rows."""
    labels = [*zoning.ids, None, None]
    n = len(table)
    works = table.work.to_numpy() < zoning.n_zones + 1
    persons = pd.DataFrame({
        "person_id": np.arange(n), "sex": [SEX[k] for k in table.sex], "age_band": [AGE_BAND[k] for k in table.age_band],
        "worker": np.where(works, "yes", "no"), "home_zone": [labels[k] for k in table.home],
        "work_zone": [labels[k] if w else None for k, w in zip(table.work, works, strict=True)]})  # fmt: skip
    parts, start, open_ = [], np.zeros(n, dtype=np.int64), np.ones(n, dtype=bool)
    jitter = np.random.default_rng(1).integers(0, shape.bin_min, (shape.stays, n))
    for k in range(shape.stays):
        purpose = table[f"purpose_{k}"].to_numpy() if k else np.minimum(table.purpose_0.to_numpy(), len(PURPOSES) - 1)
        here = open_ & (purpose < len(PURPOSES))
        after = table[f"purpose_{k + 1}"].to_numpy() < len(PURPOSES) if k + 1 < shape.stays else np.zeros(n, dtype=bool)
        end = np.where(after, np.clip(shape.bin_min * table[f"end_{k}"].to_numpy() + jitter[k], start + 1, 1439), 1440)
        zone = np.where(purpose == 0, table.home, np.where((purpose == 1) & works, table.work, table[f"zone_{k}"]))
        parts.append(pd.DataFrame({"person_id": np.arange(n), "day": 0, "seq": k, "purpose": purpose, "zone": zone, "start_min": start,
                                   "end_min": end})[here & (start < 1439 if k else here)])  # fmt: skip
        open_, start = here & after, end
    stays = pd.concat(parts)
    stays["purpose"] = [PURPOSES[k] for k in stays.purpose]
    stays["zone_id"] = [labels[k] for k in stays.zone]
    stays = stays.drop(columns="zone").sort_values(["person_id", "seq"])
    last = ~stays.person_id.duplicated(keep="last")
    stays.loc[last, "end_min"] = 1440
    return Tables(persons, stays)


def gaussian_copula(table: pd.DataFrame, sizes: dict[str, int], n: int) -> pd.DataFrame:
    from sdv.metadata import Metadata
    from sdv.single_table import GaussianCopulaSynthesizer

    columns = {name: {"sdtype": "categorical"} for name in table.columns}
    synthesizer = GaussianCopulaSynthesizer(Metadata.load_from_dict({"tables": {"table": {"columns": columns}}, "relationships": []}))
    synthesizer.fit({"table": table})
    made = synthesizer.sample(num_rows=n)
    return (made["table"] if isinstance(made, dict) else made).astype("int64")


def mst(environment: Path, folder: Path, table: pd.DataFrame, sizes: dict[str, int], n: int, epsilon: float) -> pd.DataFrame:
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "given.csv", index=False)
    (folder / "domain.json").write_text(json.dumps(sizes))
    script = Path(__file__).parent / "peer_environments" / "run_mst.py"
    files = (folder / "given.csv", folder / "domain.json", folder / "made.csv")
    limited.run([environment / "bin" / "python", script, *files, epsilon, DELTA, n, MST_ITERATIONS], LIMIT_S)
    return pd.read_csv(folder / "made.csv")


def hma(persons: pd.DataFrame, stays: pd.DataFrame) -> Tables:
    from sdv.metadata import Metadata
    from sdv.multi_table import HMASynthesizer

    chosen = persons.head(HMA_PERSONS)
    people = chosen[["person_id", "sex", "age_band", "worker", "home_zone", "work_zone"]].fillna("none")
    days = stays[stays.person_id.isin(chosen.person_id)][["person_id", "seq", "purpose", "zone_id", "end_min"]].fillna({"zone_id": "none"})
    category, number = {"sdtype": "categorical"}, {"sdtype": "numerical"}
    metadata = Metadata.load_from_dict({
        "tables": {
            "persons": {"primary_key": "person_id", "columns": {c: {"sdtype": "id"} if c == "person_id" else category for c in people}},
            "stays": {"columns": {"person_id": {"sdtype": "id"}, "seq": number, "purpose": category, "zone_id": category,
                                  "end_min": number}}},
        "relationships": [{"parent_table_name": "persons", "child_table_name": "stays", "parent_primary_key": "person_id",
                           "child_foreign_key": "person_id"}]})  # fmt: skip
    synthesizer = HMASynthesizer(metadata, verbose=False)
    synthesizer.fit({"persons": people, "stays": days})
    made = synthesizer.sample(num_rows=len(people), main_table_name="persons")
    people, days = made["persons"], made["stays"].sort_values(["person_id", "seq", "end_min"])
    days = days[days.person_id.isin(people.person_id)].assign(day=0)
    days["seq"] = days.groupby("person_id").cumcount()
    days["end_min"] = days.groupby("person_id").end_min.cummax().clip(1, 1439)
    days["start_min"] = days.groupby("person_id").end_min.shift(fill_value=0)
    days = days[days.start_min < days.end_min]
    days["seq"] = days.groupby("person_id").cumcount()
    days.loc[~days.person_id.duplicated(keep="last"), "end_min"] = 1440
    people = people[people.person_id.isin(days.person_id)]
    codes = {p: k for k, p in enumerate(people.person_id)}
    nulls = {"none": None}
    renumbered = [table.assign(person_id=table.person_id.map(codes)).replace(nulls) for table in (people, days)]
    return Tables(*renumbered)


def attempted(name: str, privacy: str, make: Callable[[], Tables]) -> Row:
    clock = cpu_s()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: Tables | str = make()
    except Exception as error:  # noqa: BLE001  (a peer that cannot be run says why)
        found = f"not run: {type(error).__name__}: {str(error)[:160]}"
    print(f"{name}: {'made' if not isinstance(found, str) else found} in {cpu_s() - clock:.0f} CPU s", flush=True)
    return name, privacy, found, cpu_s() - clock


def cpu_s() -> float:
    """Processor time of this program and of those that it has waited for, s."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def show(scores: dict[str, Fidelity | str], privacy: dict[str, str]) -> None:
    """A markdown table: a row a metric, a column a generator, ratios."""
    known = {name: f for name, f in scores.items() if isinstance(f, Fidelity)}
    print("\n| metric (ratio of the error to floor or tolerance) | " + " | ".join(known) + " |\n|---|" + "---:|" * len(known))
    print("| privacy | " + " | ".join(privacy[name] for name in known) + " |")
    first = next(iter(known.values()))
    for metric in first.metrics:
        cells = [next((f"{m.ratio:.2f}" for m in f.metrics if m.name == metric.name), "-") for f in known.values()]
        print(f"| {metric.title} | " + " | ".join(cells) + " |")
    for words, names in (("all that it has", {m.name for m in first.metrics}), ("movement alone", set(MOVED))):
        middles = [f"{np.median([m.ratio for m in f.metrics if m.name in names]):.2f}" for f in known.values()]
        print(f"| **median of {words}** | " + " | ".join(middles) + " |")
    ahead = {name: sorted(m.title for m in f.metrics if m.ratio < first.metric(m.name).ratio) for name, f in known.items()}
    print()
    for name, titles in ahead.items():
        if titles:
            print(f"- {name} is ahead on {len(titles)}: {'; '.join(titles)}")
    for name, why in scores.items():
        if isinstance(why, str):
            print(f"- {name}: {why}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="empty folder to work in")
    parser.add_argument("--dpmm", type=Path, help="environment made by peer_environments/dpmm.sh")
    parser.add_argument("--skmob", type=Path, help="environment made by peer_environments/skmob.sh")
    parser.add_argument("--atlanta", type=Path, nargs="?", const=ATLANTA, help="these records instead of a made-up operator's")
    parser.add_argument("--subscribers", type=int, default=20_000)
    parser.add_argument("--only", nargs="+", metavar="PEER", help="these peers alone, by the names of their columns")
    parser.add_argument("--epsilon", type=float, default=1.0)
    a = parser.parse_args()
    records = a.atlanta or a.folder / "records"
    if a.atlanta is None:
        worlds.london(a.subscribers, 1, seed=1, h3_resolution=6).write(records, events=False)
    zoning, period = read_zoning(records / "zones.geojson"), Period.read(records / "period.toml")
    owner = Curator.of(records, zoning)
    plan = owner.plan(Plan(a.epsilon, DELTA, requests=STANDARD))
    truth = Tables(*owner.rows(plan))
    persons, stays = truth.persons.to_pandas(), truth.stays.to_pandas()
    table, sizes = wide(persons, stays, zoning, HALF_HOURS)
    n, claim = len(persons), f"epsilon {a.epsilon:g}"
    backend = connect()

    def ours() -> Tables:
        release, clock = owner.measure(plan), time.process_time()
        model = fit(release, zoning)
        print(f"synthmob, fit: {time.process_time() - clock:.1f} CPU s")
        people = generate(model, n_persons=n, days=1, seed=1)
        return tables_of(open_out(write(people, a.folder / "out", workers=2), backend))

    def copula() -> Tables:
        return long(gaussian_copula(table, sizes, n), zoning, HALF_HOURS)

    def tree() -> Tables:
        small = wide(persons, stays, zoning, HOURS)
        return long(mst(a.dpmm, a.folder / "mst", *small, n, a.epsilon), zoning, HOURS)

    def moved(model: str) -> Tables:
        movers.prepare(a.folder / model, zoning, persons.set_index("person_id").home_zone, stays)
        agents = min(AGENTS, int(persons.home_zone.isin(zoning.ids).sum()))
        print(f"{model}, {agents:,} agents, CPU s:", movers.run(a.skmob, a.folder / model, model, agents, 1, LIMIT_S))
        return movers.people(a.folder / model, zoning)

    peers: list[tuple[str, str, Callable[[], Tables]]] = [
        ("SDV GaussianCopula", "none", copula), ("SDV HMA", "none", lambda: hma(persons, stays))]
    if a.skmob is not None:
        peers += [("DITRAS", "none", lambda: moved("ditras")), ("DensityEPR", "none", lambda: moved("epr"))]
    if a.dpmm is not None:
        peers.append(("dpmm MST", claim, tree))
    rows = [attempted("synthmob", claim, ours)] + [attempted(*peer) for peer in peers if a.only is None or peer[0] in a.only]
    scores: dict[str, Fidelity | str] = {}
    for name, _, found, _ in rows:
        scores[name] = found if isinstance(found, str) else scored(truth, found, zoning, period, backend, alone=name in MOVERS)
    print(f"{n:,} subscribers of {records.name}, {period.days} day, {BOOTSTRAPS} bootstraps")
    show(scores, {name: privacy for name, privacy, *_ in rows})


def scored(truth: Tables, made: Tables, zoning: Zoning, period: Period, backend: Any, *, alone: bool) -> Fidelity | str:
    metrics = [m for m in EVERY if m.name in MOVED] if alone else EVERY
    try:
        return compare_inside(truth, made, zoning, Domain(), period, backend, bootstraps=BOOTSTRAPS, metrics=metrics)
    except Exception as error:  # noqa: BLE001  (rows that cannot be scored say why)
        return f"could not be scored: {type(error).__name__}: {str(error)[:160]}"


if __name__ == "__main__":
    main()
