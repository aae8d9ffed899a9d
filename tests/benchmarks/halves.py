"""What another sample of the truth reaches, metric by metric: `uv run python tests/benchmarks/halves.py RECORDS ZONES`, or
`--world N` in their place for a made-up operator of N subscribers and a week.

One half of the subscribers, drawn by chance, is the truth and the other half is compared with it as if it were synthetic. No model of
any kind can be asked for more. The floor of `check --truth` is a bootstrap of the truth, which shares most of its people with it: where
a metric asks for things that are seen once or twice, as which pairs of zones occur, the other half lies far above that floor.
"""

from __future__ import annotations

import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from privacy_cost import arguments, given

from synthmob.domain import Domain
from synthmob.engine import connect
from synthmob.fidelity.compare import Fidelity, Tables, compare_inside
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles
from synthmob.plan import STANDARD, Plan


def halved(rows: Tables, seed: int) -> tuple[Tables, Tables]:
    """Two halves of the people, with all their stays."""
    people, stays = (_arrow(table) for table in (rows.persons, rows.stays))
    ids = people["person_id"].combine_chunks().unique()
    first = ids.filter(pa.array(np.random.default_rng(seed).permutation(len(ids)) < len(ids) // 2))
    mine = [pc.is_in(table["person_id"], value_set=first) for table in (people, stays)]
    one = Tables(people.filter(mine[0]), stays.filter(mine[1]))
    return one, Tables(people.filter(pc.invert(mine[0])), stays.filter(pc.invert(mine[1])))


def _arrow(table: object) -> pa.Table:
    return table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False)


def compared(records: RecordFiles, zones: ZoningFile, seed: int, bootstraps: int) -> Fidelity:
    """The second half against the first."""
    zoning = zones.read()
    curator = records.curator(zoning)
    with tempfile.TemporaryDirectory() as scratch:
        backend = connect(memory_limit_gb=records.memory_limit_gb, temp_directory=scratch)
        try:
            truth, other = halved(Tables(*curator.rows(Plan(1.0, 1e-6, requests=STANDARD))), seed)
            return compare_inside(truth, other, zoning, Domain(), curator.period, backend, bootstraps=bootstraps)
        finally:
            backend.disconnect()


def main() -> None:
    """Print a row a metric, the farthest from its floor first."""
    parser = arguments(__doc__)
    parser.add_argument("--bootstraps", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = compared(*given(asked, scratch), asked.seed, asked.bootstraps)
    print(f"{'metric':72} {'value':>9} {'floor':>9} {'ratio':>7}")
    for metric in sorted(found.metrics, key=lambda m: -m.ratio):
        print(f"{metric.title:72.72} {metric.value:9.4g} {metric.floor:9.4g} {metric.ratio:7.2f}")


if __name__ == "__main__":
    main()
