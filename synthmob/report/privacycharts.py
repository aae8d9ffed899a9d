"""The small drawings of the privacy page: an interval against nothing and a limit, a bound against a claim, a budget spent.

They are written as SVG by hand: a rule, an interval and a dot need no library, and every shape is coloured by a class of the page's
style, so that the content security policy can forbid all else. Each has its numbers in words as its text alternative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthmob.audit.evidence import Evidence
from synthmob.report import privacynumbers as numbers
from synthmob.report.assembly import escaped

WIDTH, HEIGHT, LABELLED = 176.0, 26.0, 40.0
"""Of a drawing of one row, px: without and with the numbers of its marks below it."""
BAR_WIDTH = 640.0
"""Drawn at this width, scaled to the page."""
_MARGIN = 7.0
_CLOSE, _EDGE = 58.0, 26.0
"""Labels closer than this to each other stand apart, and closer to an edge inside, px."""
_MIDDLE = HEIGHT / 2
_ENDS = {"auc": (0.4, 1.0), "share": (0.0, 1.0), "p": (0.0, 1.0)}
"""What the natural scale of a unit shows at least."""
_AROUND = 0.75
"""How much is shown on either side of nothing and of the limit, in distances between them."""
TONES = {True: "good", False: "far", None: "info"}


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` from left to right."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Where a value stands, px; what lies beyond an end stands at it."""
        share = (value - self.low) / (self.high - self.low)
        return _MARGIN + (WIDTH - 2 * _MARGIN) * min(1.0, max(0.0, share))


def scale_of(e: Evidence) -> Scale | None:
    """The scale of one row: nothing to find at three tenths, the limit at seven, the same for all rows held against one.

    A row without a limit, or with one to be exceeded, has the natural scale of its unit; one that is a bare number has none.
    """
    if e.limit is not None and not numbers.at_least(e) and e.control is not None and e.control < e.limit:
        apart = e.limit - e.control
        return Scale(e.control - _AROUND * apart, e.limit + _AROUND * apart)
    return natural_scale((e,))


def natural_scale(rows: Sequence[Evidence]) -> Scale | None:
    """One scale for rows of one unit, with room for all of them; None where all that would be on it is a point."""
    marks = [x for e in rows for x in (e.low, e.high, e.control, e.limit) if x is not None]
    ends = _ENDS.get(rows[0].unit, (0.0, 0.0))
    low, high = min(*marks, ends[0]), max(*marks, ends[1])
    air = 0.03 * (high - low)
    return Scale(low - air, high + air) if low < high else None


def gauge(e: Evidence, scale: Scale, *, limit: float | None = None, labels: bool = True) -> str:
    """The interval of a row as a line and its value as a dot, between nothing to find (dashed) and the limit (solid).

    `limit` stands in for that of a row that has none; `labels` writes the numbers of the marks under them.
    """
    most = e.limit if limit is None else limit
    nothing = "" if e.control is None else f'<path class="nothing" d="M{scale.x(e.control):.1f} 2V{HEIGHT - 2:g}"/>'
    flag = "" if most is None else _limit(scale.x(most))
    left, right = scale.x(e.low), scale.x(e.high)
    ends = _beyond(left, -1, e.low < scale.low) + _beyond(right, 1, e.high > scale.high)
    said = _labels(e, scale) if labels else ""
    height = LABELLED if said else HEIGHT
    return (
        f'<svg class="gauge {TONES[e.passed]}" viewBox="0 0 {WIDTH:g} {height:g}" role="img" aria-label="{escaped(spoken(e))}">'
        f'<path class="rail" d="M{_MARGIN:g} {_MIDDLE:g}H{WIDTH - _MARGIN:g}"/>{nothing}{flag}'
        f'<path class="interval" d="M{left:.1f} {_MIDDLE:g}H{max(right, left + 0.1):.1f}"/>{ends}'
        f'<circle class="dot" cx="{scale.x(e.value):.1f}" cy="{_MIDDLE:g}" r="4.6"/>{said}</svg>')  # fmt: skip


def _labels(e: Evidence, scale: Scale) -> str:
    """The numbers of the marks under them; of two that are close to each other, each on its own side."""
    marks = [(scale.x(at), text) for at, text in ((e.control, numbers.control(e)), (e.limit, numbers.limit(e))) if at is not None]
    marks.sort()
    close = len(marks) == 2 and marks[1][0] - marks[0][0] < _CLOSE
    out: list[str] = []
    for k, (x, text) in enumerate(marks):
        anchor = ("end", "start")[k] if close else "start" if x < _EDGE else "end" if x > WIDTH - _EDGE else "middle"
        out.append(f'<text x="{x + (3 * (2 * k - 1) if close else 0):.1f}" y="{LABELLED - 3:g}" text-anchor="{anchor}">{text}</text>')
    return "".join(out)


def _limit(x: float) -> str:
    return f'<path class="limit" d="M{x:.1f} 1V{HEIGHT - 1:g}"/><path class="flag" d="M{x:.1f} 0h5.5l-5.5 5.5z"/>'


def _beyond(x: float, way: int, beyond: bool) -> str:
    """An arrow head where an interval goes on beyond the scale."""
    return f'<path class="arrow" d="M{x + 5 * way:.1f} {_MIDDLE:g}l{-5 * way:g} -4v8z"/>' if beyond else ""


def spoken(e: Evidence) -> str:
    """A row's numbers as a sentence for whoever does not see the drawing."""
    said = [f"{numbers.UNITS.get(e.unit, e.unit)} {numbers.value(e)}"]
    if numbers.interval(e):
        said.append(f"between {numbers.written(e, e.low)} and {numbers.written(e, e.high)} at 95 % confidence")
    if e.control is not None:
        said.append(f"where there is nothing to find {numbers.control(e)}")
    if e.limit is not None:
        said.append(f"limit {'at least' if numbers.at_least(e) else 'at most'} {numbers.limit_alone(e, e.limit)}")
    return ", ".join(said)


def bound_bar(claimed: float, at_least: float) -> str:
    """What the canaries show epsilon to be at least, inside what is claimed that it is at most."""
    end = 1.12 * max(claimed, at_least)

    def x(epsilon: float) -> float:
        return BAR_WIDTH * epsilon / end

    said = f"Claimed: epsilon at most {claimed:g}. The canaries show at least {at_least:.2f}."
    tone = "good" if at_least <= claimed else "far"
    shown = f'<rect class="shown" x="0" y="30" width="{max(x(at_least), 1.5):.1f}" height="22"/>'
    return (
        f'<svg class="bar {tone}" viewBox="0 0 {BAR_WIDTH:g} 84" role="img" aria-label="{escaped(said)}">'
        f'<rect class="claim" x="0" y="30" width="{x(claimed):.1f}" height="22"/>{shown}'
        f'<path class="edge" d="M{x(claimed):.1f} 22V60"/><path class="base" d="M0 22V60"/>'
        f'<text class="over" {_anchored(x(claimed))} y="15">claimed: at most {claimed:g}</text>'
        f'<text class="under" {_anchored(x(at_least))} y="76">shown by attack: at least {at_least:.2f}</text></svg>')  # fmt: skip


def _anchored(x: float) -> str:
    """Where a label about x px begins or ends, so that it stays on the drawing."""
    return f'x="{x:.1f}" text-anchor="end"' if x > BAR_WIDTH / 2 else f'x="{x:.1f}"'


def spent_bar(shares: tuple[float, ...], said: str) -> str:
    """Parts of a budget, each a share of the whole, one after the other; what is left stays pale."""
    parts: list[str] = []
    at = 0.0
    for k, share in enumerate(shares):
        width = min(share, max(0.0, 1.0 - at)) * BAR_WIDTH
        parts.append(f'<rect class="part{k % 2}" x="{at * BAR_WIDTH:.1f}" y="0" width="{max(width - 1.5, 0.5):.1f}" height="18"/>')
        at += share
    return (
        f'<svg class="bar spent" viewBox="0 0 {BAR_WIDTH:g} 18" role="img" aria-label="{escaped(said)}">'
        f'<rect class="claim" x="0" y="0" width="{BAR_WIDTH:g}" height="18"/>{"".join(parts)}</svg>')  # fmt: skip
