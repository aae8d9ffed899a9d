"""Noise that is drawn afresh in every process: `measure` twice, as two commands, on the same records.

What a process seeds when it starts looks random to every check within it; two processes that start alike give it away.
"""

from __future__ import annotations

from synthmob.audit import released
from synthmob.audit.evidence import Evidence
from synthmob.pipeline.tracing import Progress, Tracer, expect
from synthmob.release import Release


def two_processes(tracer: Tracer, progress: Progress) -> Evidence:
    """One row: how many counts two releases share to the last digit.

    Raises InputError where measure does not work on the tracer's records.
    """
    ids = [f"s{k:07d}" for k in range(len(tracer.persons))]
    found: list[Release] = []
    for which in ("first", "second"):
        progress(f"two processes: the {which}")
        place = tracer.place(f"process-{which}", ids)
        expect(tracer.measure(place), 0, place)
        found.append(Release.load(place.release))
    return released.repeated(*found)
