"""The people of the records under numbers that lead back to nobody."""

from __future__ import annotations

import os
from typing import Any

import ibis
import numpy as np


def under_fresh_ids(backend: Any, people: Any, days: Any, used: Any = None, most: int | None = None) -> tuple[Any, Any, Any]:
    """PERSONS and STAYS (Arrow) and events (lazy, None where there are none) with the subscribers' ids replaced by random numbers
    from the operating system, kept nowhere; the first `most` of them."""
    import pyarrow as pa

    known = backend.to_pyarrow(people.select("person_id").order_by("person_id"))["person_id"]
    order = np.frombuffer(os.urandom(8 * max(len(known), 1)), dtype=np.uint64)[: len(known)].argsort(kind="stable").argsort()
    fresh: Any = ibis.memtable(pa.table({"person_id": known, "fresh_id": order.astype(np.int64)}))
    if most is not None:
        fresh = fresh.filter(fresh.fresh_id < most)

    def swap(table: Any) -> Any:
        joined = table.inner_join(fresh, "person_id")
        names = [c for c in table.columns if c != "person_id"]
        return joined.select(*names, person_id=joined.fresh_id)

    keep = [c for c in ("day", "seq", "purpose", "zone_id", "start_min", "end_min", "mode") if c in days.columns]
    return (backend.to_pyarrow(swap(people).order_by("person_id")),
            backend.to_pyarrow(swap(days.select("person_id", *keep)).order_by(["person_id", "day", "seq"])),
            None if used is None else swap(used))
