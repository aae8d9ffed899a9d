"""The page's two tables: every metric with its companions, and every released table with its noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from synthmob import accounting
from synthmob.fidelity.result import GOAL, WORDS, Fidelity, Finding, TableFit
from synthmob.marginals import Marginal
from synthmob.release import PEOPLE_ASKED, Release
from synthmob.report.assembly import escaped
from synthmob.report.words import whole

WORD_SAYS = {
    "anchors": "where people belong",
    "flows": "where they go",
    "routines": "what they do, and when",
    "usage": "what they do with the phone",
}
VERDICTS = {
    "as good": ("good", "●", "as good as a sample"),
    "goal": ("good", "●", "within the goal"),
    "near": ("near", "◐", "near"),
    "far": ("far", "○", "far"),
    "no gain": ("far", "✕", "no better than naive"),
}
_TRACK, _TRACK_END = 150, 9.0


def significant(number: float) -> str:
    """Three significant digits without an exponent.

    >>> significant(0.98765), significant(1234.5), significant(0.00001234)
    ('0.988', '1,234', '0.0000123')
    """
    if number == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(number))))
    return f"{number:,.{min(digits, 8)}f}"


def metrics(found: Fidelity) -> str:
    """The table of metrics by word; its ratios are also drawn, on a square-root scale."""
    # A phone lays rows out as grids, which takes a table's roles away unless they are said.
    heads = "".join(
        f'<th role="columnheader" class="number">{name}</th>' for name in ("Value", "Floor", "Naive", "Ratio")
    )
    bodies = "".join(_word(word, [f for f in found.metrics if f.word == word]) for word in WORDS)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Metrics"><table class="metrics" role="table">'
        f'<thead role="rowgroup"><tr role="row"><th role="columnheader">Metric</th>{heads}'
        f'<td class="track" aria-hidden="true">{_scale()}</td><th role="columnheader" class="verdict">'
        f'<span class="say">Verdict</span></th></tr></thead>{bodies}</table></div>'
    )


def _word(word: str, findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    name = f"{word.capitalize()} <small>{WORD_SAYS[word]}</small>"
    title = f'<tr class="word" role="row"><th colspan="7" role="rowheader">{name}</th></tr>'
    return f'<tbody role="rowgroup">{title}{"".join(_metric(f) for f in findings)}</tbody>'


def _metric(f: Finding) -> str:
    tone, sign, words = VERDICTS[f.verdict]
    better = "higher is better" if f.direction == "higher" else "lower is better"
    small = ", ".join(part for part in (f.name, f.unit, better) if part)
    note = f'<small class="note">{escaped(f.note)}</small>' if f.note else ""
    numbers = "".join(f'<td role="cell" class="number">{significant(v)}</td>' for v in (f.value, f.floor, f.baseline))
    return (
        f'<tr role="row"><th role="rowheader" scope="row">{escaped(f.title)}<small>{escaped(small)}</small>{note}</th>'
        f"{numbers}"
        f'<td role="cell" class="number"><b class="{tone}">{f.ratio:.2f}</b></td>'
        f'<td class="track" aria-hidden="true">{_dot(f.ratio, tone)}</td><td role="cell" class="verdict {tone}">'
        f'<span aria-hidden="true">{sign}</span> <span class="say">{words}</span></td></tr>'
    )


def _place(ratio: float) -> float:
    """Where a ratio stands on the track, px; everything beyond the end stands at it."""
    return 6 + (_TRACK - 12) * math.sqrt(min(ratio, _TRACK_END) / _TRACK_END)


def _dot(ratio: float, tone: str) -> str:
    goal, x = _place(GOAL), _place(ratio)
    return (
        f'<svg width="{_TRACK}" height="18"><path class="rail" d="M6 9H{_TRACK - 6}"/>'
        f'<path class="goal" d="M{goal:.1f} 0V18"/>'
        f'<circle class="{tone}" cx="{x:.1f}" cy="9" r="4.5"/></svg>'
    )


def _scale() -> str:
    marks = "".join(
        f'<text x="{_place(v):.1f}" y="12">{v:g}{"+" if v == _TRACK_END else ""}</text>'
        for v in (0, 1.5, 4, _TRACK_END)
    )
    return f'<svg width="{_TRACK}" height="16">{marks}</svg>'


def summary(found: Fidelity) -> str:
    """How many metrics reach the goal, in a sentence."""
    reached = sum(f.ratio <= GOAL for f in found.metrics)
    beaten = sum(f.error < f.baseline_error for f in found.metrics)
    against = "the private records themselves" if found.kind == "inside" else "the release, whose noise is known"
    return escaped(
        f"{reached} of {len(found.metrics)} metrics reach the goal of {GOAL:g}; {beaten} beat the naive baseline. "
        f"Compared with {against}, {whole(found.n_persons)} synthetic persons."
    )


def scores(said: Mapping[str, Any]) -> str:
    """sdmetrics' scores as a sentence of its own, whatever names they come under."""
    numbers = [(str(k).replace("_", " ").lower(), float(v)) for k, v in said.items() if isinstance(v, int | float)]
    text = ", ".join(f"{name} {value:.3f}" for name, value in numbers)
    return f'<p class="note">{escaped(f"sdmetrics on the persons table, 1 is best: {text}.")}</p>' if text else ""


def released(release: Release, fits: Mapping[str, TableFit]) -> str:
    """The table of released tables; `fits` adds how the synthetic days agree with each, where it was checked."""
    rows = "".join(_released_row(name, release.marginals[name], release, fits) for name in release.marginals)
    chances = "".join(f'<th scope="col" class="number">{n} people</th>' for n in PEOPLE_ASKED)
    fit = '<th scope="col" class="number">Fit</th><th scope="col" class="number">χ² per cell</th>' if fits else ""
    noise = release.claims_privacy
    above = (
        (
            f'<tr><td colspan="4"></td><th scope="colgroup" colspan="{len(PEOPLE_ASKED)}" class="number">'
            f"Chance to be published, of a cell with</th>{'<td></td>' * (noise + 2 * bool(fits))}</tr>"
        )
        if noise
        else ""
    )
    head = (
        f'{above}<tr><th scope="col">Table</th><th scope="col" class="number">Cells published</th>'
        + ('<th scope="col" class="number">Noise σ</th>' if noise else "")
        + '<th scope="col" class="number">Cut</th>'
        + (f'{chances}<th scope="col" class="number">Share of ρ</th>' if noise else "")
        + fit
    )
    return (
        f'<p class="note">{escaped(_released_words(release, bool(fits)))}</p>'
        '<div class="scroll released" tabindex="0" role="region" aria-label="Released tables">'
        f"<table><thead>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _released_words(release: Release, fitted: bool) -> str:
    fit = (
        " Fit is how far the synthetic cells are from the published ones, over how far a perfect sample would be "
        "through the same noise. χ² per cell is the mean squared residual over the variance of noise and sampling; under "
        "it what a perfect sample would have, then the worst cell and its residual in standard deviations."
        if fitted
        else ""
    )
    if not release.claims_privacy:
        return (
            "Counts as their publisher printed them; a cell that is missing was under the threshold, which is not zero."
            + fit
        )
    return (
        "Cut and σ (the standard deviation of the noise) are in persons. ρ is what the privacy budget is counted in."
        + fit
    )


def _released_row(name: str, table: Marginal, release: Release, fits: Mapping[str, TableFit]) -> str:
    cells = f"{whole(len(table.values))}<small>of {_large(table.n_domain)}</small>"
    axes = escaped(" × ".join(table.axis_names).replace("_", " "))
    row = f'<tr><th scope="row">{escaped(name)}<small>{axes}</small></th><td class="number">{cells}</td>'
    if release.claims_privacy:
        rho = accounting.rho_of(table.bound_l2, table.sigma) / release.rho
        chances = "".join(
            f'<td class="number">{chance(accounting.probability_published(n, table.sigma, table.cut))}</td>'
            for n in PEOPLE_ASKED
        )
        row += (
            f'<td class="number">{significant(table.sigma)}</td><td class="number">{significant(table.cut)}</td>'
            f'{chances}<td class="number">{100 * rho:.1f} %</td>'
        )
    else:
        row += f'<td class="number">{significant(table.cut)}</td>'
    if fits:
        row += _fit(fits[name]) if name in fits else 2 * '<td class="number">–</td>'
    return row + "</tr>"


def _fit(fit: TableFit) -> str:
    worst = escaped(f"{fit.worst_cell.replace('_', ' ')}: {fit.worst_sd:+.1f}")
    return (
        f'<td class="number">{fit.ratio:.2f}</td><td class="number">{fit.chi2_per_cell:.2f}'
        f"<small>{fit.chi2_floor:.2f}</small><small>{worst}</small></td>"
    )


def _large(number: int) -> str:
    """A number of cells, rounded where it is long.

    >>> _large(2592), _large(6046614)
    ('2,592', '6.0 M')
    """
    return whole(number) if number < 1_000_000 else f"{number / 1e6:,.1f} M"


def chance(p: float) -> str:
    """A probability as a percentage, without pretending to more than it says.

    >>> chance(0.023), chance(1e-9), chance(0.0)
    ('2.3 %', '< 0.01 %', '0')
    """
    if p <= 0:
        return "0"
    if p < 1e-4:
        return "< 0.01 %"
    return f"{100 * p:.1f} %" if p >= 0.001 else f"{100 * p:.2f} %"
