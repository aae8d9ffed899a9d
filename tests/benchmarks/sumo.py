"""SUMO on an export, as lines of counts: `uv run python tests/benchmarks/sumo.py OUT`.

The folder as it is, its OD by od2trips and duarouter, its trips by duarouter, and the same people on a network as a user has one:
trips that were asked for, and vehicles that SUMO's own list says arrived.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "export"))

import sumo_run

from synthmob.export.exporter import Options
from synthmob.pipeline.exporting import export
from synthmob.zonefiles import read_zoning


def tell(what: str, run: Callable[[], sumo_run.Run]) -> None:
    """One line."""
    started = time.perf_counter()
    found = run()
    print(f"{what}: {found.asked:,} trips, {found.finished:,} vehicles arrived ({time.perf_counter() - started:.0f} s)", flush=True)


def main() -> None:
    """All four ways."""
    out = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as place:
        top = Path(place)
        rows = export(out, top / "sumo", "sumo").rows
        days = [n for name, n in rows.items() if name.startswith("trips_")]
        tell("sumo -c run.sumocfg", lambda: sumo_run.as_it_is(top / "sumo", top, sum(days)))
        tell("od2trips, duarouter, sumo --mesosim", lambda: sumo_run.by_od(top / "sumo", top))
        tell("duarouter, sumo --mesosim", lambda: sumo_run.by_router(top / "sumo", top, len(days)))
        box = read_zoning(out / "zones.parquet").projected.to_crs(4326).total_bounds
        export(out, top / "own", "sumo", options=Options(net=sumo_run.grid(top, *box)))
        tell("--net of one's own, sumo -c run.sumocfg", lambda: sumo_run.as_it_is(top / "own", top, sum(days)))


if __name__ == "__main__":
    main()
