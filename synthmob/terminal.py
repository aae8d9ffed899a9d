"""What a person sees in the terminal: the plan before it is spent, progress, and tables of fidelity. Telling only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from synthmob.audit.evidence import Audit
    from synthmob.fidelity.result import Fidelity
    from synthmob.ledger import Outlook, State
    from synthmob.pipeline.checking import Checked, Published
    from synthmob.pipeline.explaining import Explained
    from synthmob.pipeline.measurement import Cost, Show
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


@dataclass(frozen=True)
class Said:
    """Lines that would break a bar of progress: kept while it is drawn, said afterwards, whatever happens."""

    lines: list[str] = field(default_factory=list[str])

    def later(self, line: str) -> None:
        """Keep a line."""
        self.lines.append(line)

    def __enter__(self) -> Said:
        return self

    def __exit__(self, *_: object) -> None:
        for line in self.lines:
            say(line)


def agreement(*, yes: bool) -> Show:
    """Shows a plan and asks whether to spend it, unless `yes` says so beforehand."""

    def show(plan: Plan, costs: tuple[Cost, ...], outlook: Outlook) -> bool:
        show_plan(plan, costs, outlook)
        return yes or confirmed("Read the records and spend this budget?")

    return show


def show_plan(plan: Plan, costs: tuple[Cost, ...], outlook: Outlook | None = None) -> None:
    """The tables of a plan with what each costs and shows, and what it comes to in the ledger."""
    from rich.table import Table

    title = f"Plan: epsilon {plan.epsilon:g}, delta {plan.delta:g}, which is rho {plan.rho:.5f}; smallest group {plan.min_group}"
    out = Table(title=title, title_justify="left", caption=PLAN_LEGEND, caption_justify="left")
    for heading in ("table", "share", "bound", "noise", "cut", "P(49)", "rho"):
        out.add_column(heading, justify="left" if heading == "table" else "right", no_wrap=heading == "table")
    for cost in costs:
        out.add_row(
            cost.table, f"{cost.share:.1%}", f"{cost.bound_l2:.2f}", f"{cost.sigma:.1f}", f"{cost.cut:.1f}",
            f"{cost.published_49:.1%}", f"{cost.rho:.6f}")  # fmt: skip
    print_table(out)
    for name in plan.dropped:
        print(f"left out: {name}")
    if outlook is not None:
        total = f"total {outlook.total.epsilon:g}" if outlook.total else "no total is set"
        print(
            f"ledger of {outlook.customers}: epsilon {outlook.before:.3g} spent before, {outlook.asked:.3g} this release, then "
            f"{outlook.after:.3g} in all, {total} (at delta {outlook.delta:g})")


def show_explained(explained: Explained, *, as_json: bool) -> None:
    """What to expect of every table of a plan; a dash where nothing is known beforehand."""
    import json

    from rich.table import Table

    from synthmob.pipeline.explaining import ASSUMED

    if as_json:
        print(json.dumps(explained.as_json(), indent=1, allow_nan=False, ensure_ascii=False))
        return

    out = Table(title="What the plan would show", title_justify="left", caption_justify="left", caption=(
        "hidden: people in cells below the cut. noise: of shown cells, a total variation. relative error: noise of a median shown cell."))
    for heading in ("table", "noise, persons", "cut", "cells shown", "hidden", "noise", "relative error"):
        out.add_column(heading, justify="left" if heading == "table" else "right", no_wrap=heading == "table")
    for cost in explained.costs:
        found = explained.expected.get(cost.table)
        rest = ["-"] * 4 if found is None else [
            f"{found.cells_shown:,.0f}", f"{found.people_hidden:.0%}", f"{found.noise_tvd:.3f}", f"{found.relative_error:.0%}"]
        out.add_row(cost.table, f"{cost.sigma:.1f}", f"{cost.cut:.0f}", *rest)
    print_table(out)
    print(ASSUMED)


def confirmed(question: str) -> bool:
    """Whether a person at the terminal agrees; where there is none, the command itself was the answer."""
    if not sys.stdin.isatty():
        return True
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in _YES


def show_fidelity(found: Fidelity) -> None:
    """The table of metrics, that of the residuals of released tables, and what was left out."""
    from synthmob.fidelity.table import as_residuals, as_table

    print_table(as_table(found))
    if (residuals := as_residuals(found)) is not None:
        print_table(residuals)
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


def show_published(found: Fidelity, published: Published) -> None:
    """The table of scores that were computed from noisy marginals, each with its interval."""
    from rich.table import Table

    from synthmob.fidelity.table import COLOURS, cells, number
    from synthmob.fidelity.uncertainty import LEVEL

    caption = f"interval: where the score against exact counts lies, {LEVEL:.0%} in each table by itself; the noise of the rest as in check"
    out = Table(title=published.headline, title_justify="left", caption=caption, caption_justify="left")
    for heading in ("metric", "value", "interval", "floor", "baseline", "ratio", "verdict"):
        out.add_column(heading, justify="left" if heading in ("metric", "verdict") else "right", overflow="fold")
    for metric in found.metrics:
        title, value, *rest, verdict = cells(metric)
        where = published.intervals[metric.name]
        out.add_row(title, value, f"{number(where.low)} to {number(where.high)}", *rest, f"[{COLOURS[verdict]}]{verdict}[/]")
    print_table(out)
    for note in found.notes:
        print(note)


def show_ledger(state: State, releases: Mapping[str, int]) -> None:
    """A verified ledger: every spend, what all of them come to, and what was found on the way."""
    from rich.table import Table

    from synthmob.ledger import running

    delta = state.delta or 0.0
    out = Table(title=f"Ledger of {state.customers}", title_justify="left",
                caption=f"in all: epsilon of all spends so far at delta {delta:g}", caption_justify="left")  # fmt: skip
    for heading in ("line", "time (UTC)", "step", "epsilon", "delta", "rho", "tables", "in all"):
        out.add_column(heading, justify="left" if heading in ("time (UTC)", "step") else "right")
    for spent, so_far in zip(state.spends, running(state.spends, delta) if state.spends else (), strict=True):
        out.add_row(
            str(spent.line), spent.time.removesuffix("+00:00"), spent.step, f"{spent.epsilon:g}", f"{spent.delta:g}",
            f"{spent.rho:.6f}", str(len(spent.tables)), f"{so_far:.3f}")  # fmt: skip
    print_table(out)
    print(f"total: {state.total or 'none is set, nothing is refused'}")
    for name, line in releases.items():
        print(f"{name}: line {line}")
    for note in state.notes:
        print(note)
    print(f"verified: {len(state.entries)} lines, the last {state.head.mac}")


def show_audit(found: Audit) -> None:
    """A row for each attack and check: what it came to, what it would with nothing to find, and how that went."""
    from rich.table import Table

    first = "INSIDE, CONFIDENTIAL" if found.kind == "inside" else "OUTSIDE: a made-up operator"
    claim = f"epsilon {found.claimed['epsilon']:g} claimed, at least {found.epsilon_lower_bound:.2f} shown"
    out = Table(title=f"{first}. {claim}", title_justify="left")
    for heading in ("attack or check", "on", "value", "interval", "control", "limit", ""):
        out.add_column(heading, justify="left" if heading in ("attack or check", "on", "") else "right")
    for e in found.evidence:
        beside = ["" if x is None else f"{x:.3g}" for x in (e.control, e.limit)]
        verdict = "" if e.passed is None else "ok" if e.passed else "FAILED"
        out.add_row(e.title, e.subject, f"{e.value:.3g} {e.unit}", f"{e.low:.3g} to {e.high:.3g}", *beside, verdict)
    print_table(out)


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
def stages_progress() -> Generator[Callable[[str, int, int], None]]:
    """A bar over the stages of an audit: what is being tried, its number, and how many there are."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    if not sys.stderr.isatty():
        yield _nothing
        return
    columns = (TextColumn("{task.description:50}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading the records", total=None)
        yield lambda what, number, stages: bar.update(task, description=what[:50], completed=number, total=stages)


def persons_progress() -> AbstractContextManager[Callable[[int, int], None]]:
    """A bar over the persons written."""
    return rows_progress("persons written")


@contextmanager
def rows_progress(what: str) -> Generator[Callable[[int, int], None]]:
    """A bar over rows of some kind: how many are done, and how many there are."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if not sys.stderr.isatty():
        yield _nothing
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, rows: bar.update(task, completed=done, total=rows)


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


def print_table(table: Table) -> None:
    """A table on standard output."""
    _console(stderr=False).print(table)
