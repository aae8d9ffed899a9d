"""From an altair chart to an SVG that lives inside the page.

The charts are made by altair and drawn at once, by vl-convert, instead of in the reader's browser: vega's bundle is
800 kB and compiles its expressions with eval, which the page's content security policy forbids. Colours are the page's
CSS variables, so that the drawn charts follow its theme; the numbers stand in a table below each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from synthmob.report.assembly import escaped

WIDTH = 356
"""The width of every chart in pixels: what a phone of 390 px shows unscaled."""
INK, INK_2, LINE, STRONG = "var(--ink)", "var(--ink-2)", "var(--line)", "var(--strong)"
RELEASED, SYNTHETIC = "var(--released)", "var(--synthetic)"

_PAINT = re.compile(r'\b(fill|stroke)="(var\(--[a-z0-9-]+\))"')
_IDLE = re.compile(
    r' (?:font-family|aria-hidden|pointer-events|opacity|class|stroke-miterlimit|version|xmlns:xlink)="(?:[^"]*)"'
)
_EMPTY = re.compile(r'<path(?: display="none")? d="(?:M0,0h0v0h0Z)?"(?: display="none")?/>|<g></g>')
_BACKGROUND = re.compile(r'<path d="M0,0h[\d.]+v[\d.]+h-[\d.]+Z"/>')


@dataclass(frozen=True)
class Figure:
    """A chart as the page shows it: title, one sentence of what to see, the SVG, and its numbers as rows of text."""

    key: str
    title: str
    caption: str
    svg: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def values(rows: Sequence[dict[str, Any]]) -> Any:
    """Rows as altair data."""
    import altair

    return altair.Data(values=list(rows))


def drawn(chart: Any, key: str, title: str, caption: str) -> str:
    """An altair chart as SVG text with a title and a description, in the page's colours."""
    import vl_convert

    styled = (
        chart.configure(
            background="transparent", font="Arial", aria=False, padding={"left": 0, "top": 4, "right": 6, "bottom": 0}
        )
        .configure_view(stroke=None)
        .configure_axis(
            domain=False,
            ticks=False,
            grid=False,
            labelColor=INK_2,
            titleColor=INK_2,
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
            gridColor=LINE,
            labelPadding=5,
            titlePadding=8,
            labelLimit=220,
        )
        .configure_header(
            labelColor=INK, labelFontSize=11.5, labelFontWeight="bold", labelPadding=3, labelAnchor="start", title=None
        )
    )
    text = vl_convert.vegalite_to_svg(styled.to_dict(), show_warnings=False)
    return _at_home(text, key, title, caption)


def fitted(chart: Any, height: int) -> Any:
    """A single or layered chart made to fill the common width, axes included."""
    import altair

    return chart.properties(width=WIDTH, height=height, autosize=altair.AutoSizeParams(type="fit", contains="padding"))


def _at_home(text: str, key: str, title: str, caption: str) -> str:
    """SVG of vl-convert with what the page does not need left out, ids made its own, and words for a screen reader."""
    text = _IDLE.sub("", text)
    text = _BACKGROUND.sub("", text)
    for _ in range(4):
        text = _EMPTY.sub("", text)
    text = _PAINT.sub(r'style="\1:\2"', text)
    text = re.sub(r'style="([^"]*)"([^>]*?) style="([^"]*)"', r'style="\1;\3"\2', text)
    text = text.replace('id="', f'id="{key}-').replace("url(#", f"url(#{key}-")
    opening = f'<svg role="img" aria-labelledby="{key}-t {key}-d"'
    words = f'<title id="{key}-t">{escaped(title)}</title><desc id="{key}-d">{escaped(caption)}</desc>'
    return re.sub(r"<svg([^>]*)>", lambda m: f"{opening}{m.group(1)}>{words}", text, count=1)


def percent(share: float) -> str:
    """A share as text.

    >>> percent(0.1234), percent(0.00004)
    ('12.3 %', '0.0 %')
    """
    return f"{100 * share:.1f} %"


def hour_axis() -> Any:
    """The axis of the hours of a day."""
    import altair as alt

    return alt.Axis(
        values=[0, 6, 12, 18, 24], labelExpr="(datum.value < 10 ? '0' : '') + datum.value", labelFlush=False
    )


def percent_axis(ticks: int = 5) -> Any:
    """An axis of percentages with a grid."""
    import altair as alt

    return alt.Axis(grid=True, tickCount=ticks, labelExpr="datum.value + ' %'", labelFlush=False)


def dashed(label: str) -> str:
    """A range with an en dash."""
    return label.replace("-", "–")


def figure(
    key: str, title: str, caption: str, chart: Any, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]
) -> Figure:
    """A chart drawn, with its words and numbers."""
    return Figure(key, title, caption, drawn(chart, key, title, caption), columns, rows)
