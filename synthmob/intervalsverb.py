"""The verb `intervals`, like the others in `cli`: arguments in, one step, its result printed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthmob.errors import InputError

if TYPE_CHECKING:
    from synthmob.fidelity.intervals import CellIntervals

MOST_ROWS = 40
"""Cells of a table of intervals that are shown; a file holds them all."""


def add(verbs: Any, epilog: str) -> None:
    """Add the verb to the parser's others."""
    p = verbs.add_parser("intervals", help="where the exact counts behind a release lie, cell by cell", epilog=epilog)
    p.add_argument("release", type=Path, metavar="RELEASE")
    p.add_argument("people", type=Path, nargs="+", metavar="MODEL|OUT", help="a MODEL, or OUT folders of it with different seeds")
    p.add_argument("--table", metavar="NAME", help="one table, such as home_work@district (default all, in short)")
    p.add_argument("--where", action="append", default=[], metavar="AXIS=LABEL", help="only cells with that label, such as hour=8")
    p.add_argument("--level", type=float, default=0.9, help="confidence of an interval (default 0.9)")
    p.add_argument("--seeds", type=int, default=2, metavar="N", help="populations generated from a MODEL (default 2)")
    p.add_argument("--persons", type=int, metavar="N", help="people of each (default as many as the release speaks of)")
    p.add_argument("-o", "--output", type=Path, metavar="FILE", help="all cells as .csv or .parquet")
    p.set_defaults(run=run)


def run(a: argparse.Namespace) -> None:
    """Compute the intervals and print them: the largest cells of one table, or all tables in short."""
    from synthmob import terminal
    from synthmob.pipeline.intervals import Wanted, intervals

    with terminal.working("counting"):
        wanted = Wanted(a.table, _labels(a.where), a.level)
        found, notes = intervals(a.release, a.people, wanted, a.output, seeds=a.seeds, persons=a.persons)
    _show(found, a.level, whole=a.table is not None)
    for note in notes:
        print(note)


def _show(found: Sequence[CellIntervals], level: float, *, whole: bool) -> None:
    """The largest cells of a table with their intervals, or a line a table: how many cells, and how wide their intervals are."""
    from rich.table import Table

    from synthmob import terminal
    from synthmob.fidelity.intervals import COVERS

    out = Table(title=f"Where the exact counts lie, {level:.0%} of cells", title_justify="left", caption=COVERS, caption_justify="left")
    if whole:
        each = found[0]
        for heading in (*each.released.axis_names, "persons", "from", "to", "published"):
            out.add_column(heading, justify="right" if heading in ("persons", "from", "to") else "left", overflow="fold")
        for k in (-each.estimate).argsort(kind="stable")[:MOST_ROWS]:
            labels = [axis.label(int(code)) for axis, code in zip(each.released.axes, each.codes[k], strict=True)]
            ends = [f"{end[k]:.1f}" for end in (each.estimate, each.low, each.high)]
            out.add_row(*labels, *ends, "yes" if each.published[k] else "no: below the cut")
    else:
        for heading in ("table", "published", "+-", "below the cut", "+-", "noise"):
            out.add_column(heading, justify="left" if heading == "table" else "right")
        for each in found:
            halves = (each.high - each.low) / 2
            sides = [(int(at.sum()), f"{halves[at].mean():.1f}" if at.any() else "") for at in (each.published, ~each.published)]
            out.add_row(each.table, *(str(x) for side in sides for x in side), f"{each.released.sigma:.1f}")
    terminal.print_table(out)


def _labels(said: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in said]
    if wrong := [text for text, (name, equals, label) in zip(said, pairs, strict=True) if not (name and equals and label)]:
        raise InputError(f"--where {wrong[0]!r} says no label: write AXIS=LABEL, such as hour=8.")
    return {name: label for name, _, label in pairs}
