"""What a person sees in the terminal: the plan before it is spent, progress, and tables of fidelity. Telling only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from synthmob.fidelity.result import Fidelity
    from synthmob.pipeline.checking import Checked
    from synthmob.pipeline.measurement import Cost
    from synthmob.plan import Plan

PIPE_WIDTH = 120
"""Columns of a table that is not shown in a terminal."""
PLAN_LEGEND = (
    "share: of the budget. bound: the most that one subscriber can move the whole table (L2, persons). noise, cut: in persons. "
    "P(49): the chance that a cell of 49 people is published.")
_YES = ("y", "yes")


def say(line: str) -> None:
    """A line about what is going on: on stderr, so that stdout holds results alone."""
    print(line, file=sys.stderr, flush=True)


def show_plan(plan: Plan, costs: tuple[Cost, ...]) -> None:
    """The tables of a plan with what each costs and shows."""
    from rich.table import Table

    title = f"Plan: epsilon {plan.epsilon:g}, delta {plan.delta:g}, which is rho {plan.rho:.5f}; smallest group {plan.min_group}"
    out = Table(title=title, title_justify="left", caption=PLAN_LEGEND, caption_justify="left")
    for heading in ("table", "share", "bound", "noise", "cut", "P(49)", "rho"):
        out.add_column(heading, justify="left" if heading == "table" else "right", no_wrap=heading == "table")
    for cost in costs:
        out.add_row(
            cost.table, f"{cost.share:.1%}", f"{cost.bound_l2:.2f}", f"{cost.sigma:.1f}", f"{cost.cut:.1f}",
            f"{cost.published_49:.1%}", f"{cost.rho:.6f}")  # fmt: skip
    _print(out)
    for name in plan.dropped:
        print(f"left out: {name}")


def confirmed(question: str) -> bool:
    """Whether a person at the terminal agrees; where there is none, the command itself was the answer."""
    if not sys.stdin.isatty():
        return True
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in _YES


def show_fidelity(found: Fidelity) -> None:
    """The table of metrics, and what was left out."""
    from synthmob.fidelity.table import as_table

    _print(as_table(found))
    for note in found.notes:
        print(note)


def show_scores(checked: Checked) -> None:
    """sdmetrics' scores of an inside check, or why there are none."""
    from synthmob.fidelity.quality import ABSENT

    if checked.fidelity.kind != "inside":
        return
    scores = checked.sdmetrics
    if scores is None:
        print(ABSENT)
        return
    print("sdmetrics on the persons table, 1 is best: " + ", ".join(f"{k.replace('_', ' ')} {v:.3f}" for k, v in scores.items()))


@contextmanager
def table_progress() -> Generator[Callable[[str, int], None]]:
    """A bar over the tables of a plan, from the first one on; it shows no time, which is a fact about the records."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description:30}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=_console(stderr=True), transient=True)
    task = bar.add_task("", total=None, completed=-1)

    def told(what: str, tables: int) -> None:
        # What is told first is that the records are opened: the tables begin after it.
        bar.start()
        bar.update(task, description=what, total=tables, advance=1)

    try:
        yield told if sys.stderr.isatty() else _nothing
    finally:
        if bar.live.is_started:
            bar.stop()


@contextmanager
def persons_progress() -> Generator[Callable[[int, int], None]]:
    """A bar over the persons written."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if not sys.stderr.isatty():
        yield _nothing
        return
    columns = (TextColumn("persons written"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_console(stderr=True), transient=True) as bar:
        task = bar.add_task("persons", total=None)
        yield lambda written, persons: bar.update(task, completed=written, total=persons)


@contextmanager
def working(what: str) -> Generator[None]:
    """A sign of life for a step of unknown length."""
    if not sys.stderr.isatty():
        yield
        return
    with _console(stderr=True).status(what):
        yield


def _nothing(*_told: object) -> None:
    """Where nobody looks, nothing is drawn."""


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else PIPE_WIDTH)


def _print(table: Table) -> None:
    _console(stderr=False).print(table)
