"""The dot plot of every metric's ratio, one row a word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from synthmob.fidelity.result import GOAL, WORDS, Finding
from synthmob.report.charts import INK, INK_2, WIDTH, Figure, drawn, fitted, values
from synthmob.report.tables import VERDICTS

_DOT, _AIR = 9.0, 24.0
_TONES = {"good": "var(--good)", "near": "var(--near)", "far": "var(--far)"}
_PLOT = WIDTH - 84


def dot_plot(findings: Sequence[Finding]) -> Figure:
    """Ratios on a square-root scale; dots that would touch are stacked."""
    import altair as alt

    end = max(4.0, *(f.ratio for f in findings)) * 1.04
    rows: list[dict[str, Any]] = []
    bases: dict[float, str] = {}
    height = 0.0
    for word in reversed([w for w in WORDS if any(f.word == w for f in findings)]):
        stacked = _stacked([f for f in findings if f.word == word], end)
        bases[height + _AIR / 2] = word.capitalize()
        rows += [
            {"ratio": f.ratio, "at": height + _AIR / 2 + level * _DOT, "tone": VERDICTS[f.verdict][0]}
            for f, level in stacked
        ]
        height += _AIR + _DOT * max(level for _, level in stacked)
    names = "({" + ", ".join(f"{at:g}: '{name}'" for at, name in bases.items()) + "})[datum.value]"
    x = alt.X(
        "ratio:Q",
        title=None,
        scale=alt.Scale(type="sqrt", domain=[0, end], nice=False),
        axis=alt.Axis(grid=True, values=_ticks(end), labelExpr="datum.value", labelFlush=False),
    )
    y = alt.Y(
        "at:Q",
        title=None,
        scale=alt.Scale(domain=[0, height], nice=False),
        axis=alt.Axis(values=list(bases), labelExpr=names, labelColor=INK, labelFontSize=12, labelPadding=10),
    )
    goal = alt.Chart(values([{"ratio": GOAL, "text": f"goal {GOAL:g}"}]))
    chart = alt.layer(
        goal.mark_rule(color=INK_2, strokeDash=[3, 3]).encode(x=x),
        goal.mark_text(color=INK_2, fontSize=11, baseline="bottom", y=-3).encode(x=x, text="text:N"),
        alt.Chart(values(rows))
        .mark_circle(size=58, opacity=1, stroke="var(--paper)", strokeWidth=1)
        .encode(
            x=x,
            y=y,
            color=alt.Color("tone:N", scale=alt.Scale(domain=list(_TONES), range=list(_TONES.values())), legend=None),
        ),
    )
    caption = (
        "Every metric of the table below is a dot, on a square-root scale; left of the dashed line the goal is reached."
    )
    svg = drawn(fitted(chart, round(height) + 44), "ratios", "Ratios by word", caption)
    return Figure("ratios", "Ratios by word", caption, svg, (), ())


def _stacked(findings: Sequence[Finding], end: float) -> list[tuple[Finding, int]]:
    """Findings of one word by ratio, each with the lowest level on which its dot touches no other."""
    right: dict[int, float] = {}
    out: list[tuple[Finding, int]] = []
    for f in sorted(findings, key=lambda f: f.ratio):
        x = _PLOT * math.sqrt(f.ratio / end)
        level = next(k for k in range(len(findings)) if x - right.get(k, -_DOT) >= _DOT)
        right[level] = x
        out.append((f, level))
    return out


def _ticks(end: float) -> list[float]:
    """Ticks that keep apart on a square-root scale."""
    wanted = (0, 0.5, 1, 2, 3, 4, 6, 9, 15, 25, 50, 100, 250)
    out: list[float] = []
    for v in wanted:
        if v <= end and (not out or _PLOT * (math.sqrt(v / end) - math.sqrt(out[-1] / end)) >= 22):
            out.append(v)
    return out
