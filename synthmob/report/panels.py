"""The charts of several small panels: presence by hour in some districts, length of stay by purpose."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthmob.report.charts import (
    RELEASED,
    SYNTHETIC,
    WIDTH,
    Figure,
    dashed,
    figure,
    hour_axis,
    percent,
    percent_axis,
    values,
)
from synthmob.report.pairs import FloatArray, Pair

DISTRICTS_SHOWN = 6
HALF = (WIDTH - 82) // 2
"""The width of each of two small charts side by side, each with room for an axis that goes to 100 %."""
_LEAST_TICK_GAP = 2


def presence(pair: Pair) -> Figure | None:
    """Who is where by hour: the districts whose share of the people present swings most over the day."""
    import altair as alt

    released, synthetic = (_per_hour(side) for side in pair.shares("hour", "zone", where=pair.day))
    labels = pair.labels("zone")
    swing = np.ptp(synthetic, axis=0) * (released.min(axis=0) > 0)
    shown = [int(k) for k in np.argsort(-swing, kind="stable")[:DISTRICTS_SHOWN] if swing[k] > 0]
    if not shown:
        return None
    rows = [
        {
            "hour": h + 0.5,
            "where": labels[k],
            "released": 100 * float(released[h, k]),
            "synthetic": 100 * float(synthetic[h, k]),
        }
        for k in shown
        for h in range(24)
    ]
    width, columns = _panels(len(shown))
    base = alt.Chart().encode(
        x=alt.X("hour:Q", title=None, scale=alt.Scale(domain=[0, 24], nice=False), axis=hour_axis())
    )
    y = alt.Y("released:Q", title=None, axis=percent_axis(3))
    pair_of: Any = alt.layer(
        base.mark_bar(color=RELEASED, width=width / 24 + 0.4).encode(y=y),
        base.mark_line(color=SYNTHETIC, strokeWidth=2).encode(y="synthetic:Q"),
        data=values(rows),
        width=width,
        height=72,
    )
    chart = pair_of.facet(
        alt.Facet("where:N", sort=[labels[k] for k in shown]), columns=columns, spacing={"row": 8, "column": 20}
    )
    caption = f"Share of the people present, {pair.day_words}, where it swings most."
    table = tuple(
        (labels[k], f"{h:02d}:30", percent(float(released[h, k])), percent(float(synthetic[h, k])))
        for k in shown
        for h in range(24)
    )
    return figure(
        "presence",
        "Presence by hour",
        caption + pair.covered_words,
        chart,
        ("District", "At", "Released", "Synthetic"),
        table,
    )


def dwell(pair: Pair) -> Figure | None:
    """How long the stays between two trips last, by purpose."""
    import altair as alt

    released, synthetic = pair.shares("purpose", "duration", where=pair.day)
    purposes, bins = pair.labels("purpose"), [dashed(label) for label in pair.labels("duration")]
    shown = [k for k in range(len(purposes)) if released[k].sum() > 0]
    if not shown:
        return None
    a, b = (side / np.maximum(side.sum(axis=1, keepdims=True), 1e-12) for side in (released, synthetic))
    rows = [
        {
            "purpose": purposes[k].capitalize(),
            "bin": j + 0.5,
            "released": 100 * float(a[k, j]),
            "synthetic": 100 * float(b[k, j]),
        }
        for k in shown
        for j in range(len(bins))
        if a[k, j] > 0
    ]
    ticks, expression = _hour_edges(bins)
    width, columns = _panels(len(shown))
    base = alt.Chart().encode(
        x=alt.X(
            "bin:Q",
            title=None,
            scale=alt.Scale(domain=[0, len(bins)], nice=False),
            axis=alt.Axis(values=ticks, labelExpr=expression),
        )
    )
    layered: Any = alt.layer(
        base.mark_bar(color=RELEASED, width=width / len(bins) - 3).encode(
            y=alt.Y("released:Q", title=None, axis=percent_axis(3))
        ),
        base.mark_circle(color=SYNTHETIC, size=26, opacity=1).encode(y="synthetic:Q"),
        data=values(rows),
        width=width,
        height=72,
    )
    chart = layered.facet(
        alt.Facet("purpose:N", sort=[purposes[k].capitalize() for k in shown]),
        columns=columns,
        spacing={"row": 8, "column": 20},
    )
    caption = f"Stays between two trips by how long they last, {pair.day_words}, bins of the plan."
    table = tuple(
        (purposes[k], bins[j], percent(float(a[k, j])), percent(float(b[k, j])))
        for k in shown
        for j in range(len(bins))
        if a[k, j] > 0
    )
    return figure(
        "dwell",
        "Length of stay by purpose",
        caption + pair.covered_words,
        chart,
        ("Purpose", "Minutes", "Released", "Synthetic"),
        table,
    )


def _hour_edges(bins: list[str]) -> tuple[list[int], str]:
    """Which bins of minutes start at a whole hour, and the expression that names them.

    >>> _hour_edges(["0–30", "30–60", "60–90", "90+"])
    ([2], "({2: '1 h'})[datum.value]")
    """
    starts = [int(label.split("–")[0].rstrip("+")) for label in bins]
    edges: dict[int, str] = {}
    for k, start in enumerate(starts):
        if start and start % 60 == 0 and (not edges or k - max(edges) >= _LEAST_TICK_GAP):
            edges[k] = f"{start // 60} h"
    names = ", ".join(f"{k}: '{text}'" for k, text in edges.items())
    return list(edges), "({" + names + "})[datum.value]"


def _panels(n: int) -> tuple[int, int]:
    """The width of each of `n` small charts, and how many stand beside each other."""
    return (HALF, 2) if n > 1 else (2 * HALF + 20, 1)


def _per_hour(side: FloatArray) -> FloatArray:
    return side / np.maximum(side.sum(axis=1, keepdims=True), 1e-12)
