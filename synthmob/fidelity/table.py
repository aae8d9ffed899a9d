"""The fidelity of a population as a table for the terminal, and as plain text: telling, not computing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synthmob.fidelity.result import WORDS, Fidelity, Finding, TableFit

if TYPE_CHECKING:
    from rich.table import Table

COLOURS = {"as good": "green", "goal": "green", "near": "yellow", "far": "red", "no gain": "red"}
HEADINGS = ("metric", "value", "floor", "baseline", "ratio", "verdict")
LEGEND = (
    "ratio: error over the larger of the floor's error (another sample of the truth) and the tolerance; goal 1.5. "
    "verdict: as good (to 1), goal (to 1.5), near (to 3), far, no gain (the naive baseline does as well)"
)


RESIDUALS = "Residuals of the released tables"
RESIDUAL_HEADINGS = ("table", "cells", "chi2 per cell", "perfect", "worst cell", "residual")
RESIDUAL_LEGEND = (
    "chi2 per cell: mean over the published cells of residual^2 / (variance of noise and sampling). perfect: that of people who are a "
    "sample of the exact truth, above 1 where the cut kept what noise lifted. residual of the worst cell in standard deviations, + is "
    "too many synthetic people"
)


def number(value: float) -> str:
    """A value in at most five significant characters.

    >>> number(0.01234), number(12.3456), number(0), number(0.00004)
    ('0.0123', '12.35', '0', '4e-05')

    """
    if value == 0:
        return "0"
    return f"{value:.0e}" if abs(value) < 5e-4 else f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"


def cells(found: Finding) -> tuple[str, str, str, str, str, str]:
    """One row: title with its unit where that is not a share, three values, ratio, verdict."""
    title = found.title if found.unit == "share" else f"{found.title}, {found.unit}"
    if found.direction == "higher":
        title += " (higher is better)"
    return (
        title,
        number(found.value),
        number(found.floor),
        number(found.baseline),
        f"{found.ratio:.2f}",
        found.verdict,
    )


def as_table(fidelity: Fidelity) -> Table:
    """A rich Table whose title is the line that says which of the two comparisons it is."""
    from rich.table import Table

    out = Table(title=fidelity.headline, title_justify="left", caption=LEGEND, caption_justify="left")
    for heading in HEADINGS:
        out.add_column(heading, justify="right" if heading in HEADINGS[1:5] else "left", overflow="fold")
    for word in WORDS:
        rows = [found for found in fidelity.metrics if found.word == word]
        for place, found in enumerate(rows):
            *values, verdict = cells(found)
            out.add_row(*values, f"[{COLOURS[verdict]}]{verdict}[/]", end_section=place == len(rows) - 1)
    return out


def as_residuals(fidelity: Fidelity) -> Table | None:
    """A rich Table of how far every released table is reproduced up to its noise; None where none was compared."""
    from rich.markup import escape
    from rich.table import Table

    if not fidelity.tables:
        return None
    out = Table(title=RESIDUALS, title_justify="left", caption=RESIDUAL_LEGEND, caption_justify="left")
    for heading in RESIDUAL_HEADINGS:
        out.add_column(heading, justify="left" if heading in ("table", "worst cell") else "right", overflow="fold")
    for fit in fidelity.tables:
        out.add_row(*map(escape, residual_cells(fit)))
    return out


def residual_cells(fit: TableFit) -> tuple[str, str, str, str, str, str]:
    """One row: table, published cells, chi-square per cell, that of a perfect match, the worst cell and its residual."""
    said = fit.worst_cell.replace("_", " ")
    return (fit.table, f"{fit.cells:,}", f"{fit.chi2_per_cell:.2f}", f"{fit.chi2_floor:.2f}", said, f"{fit.worst_sd:+.1f}")


def as_text(fidelity: Fidelity) -> str:
    """The same as lines of text, with the notes; the first line says which of the two comparisons it is."""
    rows = [HEADINGS, *(cells(found) for word in WORDS for found in fidelity.metrics if found.word == word)]
    lines = [fidelity.headline, "", *_columns(rows, left=(0, 5)), "", LEGEND]
    if fidelity.tables:
        told = [RESIDUAL_HEADINGS, *map(residual_cells, fidelity.tables)]
        lines += ["", RESIDUALS, "", *_columns(told, left=(0, 4)), "", RESIDUAL_LEGEND]
    notes = [f"{found.title}: {found.note}" for found in fidelity.metrics if found.note]
    return "\n".join([*lines, *notes, *fidelity.notes])


def _columns(rows: Sequence[Sequence[str]], left: tuple[int, ...]) -> list[str]:
    """Rows of text as lines, each column as wide as its widest, these flush left."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        "  ".join(
            text.ljust(w) if k in left else text.rjust(w) for k, (text, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
