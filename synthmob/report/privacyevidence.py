"""What an audit found about what is ours, as tables: who attacked and how it went, the three criteria, and every row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from synthmob.audit.evidence import FAMILIES, Audit, Evidence, of_family
from synthmob.report import privacynumbers as numbers
from synthmob.report.assembly import escaped
from synthmob.report.privacycharts import TONES, gauge, scale_of
from synthmob.report.privacywords import CRITERIA, INTRUDERS, criterion
from synthmob.report.words import whole

OURS = ("release", "release before the cut", "synthetic", "mechanism", "records", "published tables")
"""What an audit attacks of ours. A row about anything else, and held against no limit, is there to compare."""
_SIGNS = {True: "✓", False: "✕", None: "–"}
_SAYS = {True: "passed", False: "failed", None: "information"}


def compares(e: Evidence) -> bool:
    """Whether a row is about another way to publish, to see what the protection does."""
    return e.limit is None and e.subject not in OURS


def anchor(e: Evidence) -> str:
    """The id of a row's place on the page."""
    return "row-" + re.sub(r"[^a-z0-9]+", "-", e.name.lower()).strip("-")


def verdicts(rows: Sequence[Evidence]) -> str:
    """How many of some rows pass, in words."""
    held = [e for e in rows if e.passed is not None]
    failed = sum(e.passed is False for e in held)
    if not rows:
        return '<span class="info">not attacked</span>'
    if not held:
        return f'<span class="info">{len(rows)} for information</span>'
    if failed:
        return f'<span class="far"><span aria-hidden="true">✕</span> {failed} of {len(held)} failed</span>'
    return f'<span class="good"><span aria-hidden="true">✓</span> {len(held)} of {len(held)} passed</span>'


def intruders(audit: Audit) -> str:
    """The table of intruders by family: who, with what, and how it went."""
    rows = "".join(_intruder(family, [e for e in of_family(audit.evidence, family) if not compares(e)]) for family in FAMILIES)
    heads = ("Intruder", "Knows", "Means", "Beside the ICO's test", "Outcome")
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Intruders"><table class="intruders" role="table">'
        '<caption>Who attacks, from the strongest intruder to the weakest</caption><thead role="rowgroup"><tr role="row">'
        + "".join(f'<th role="columnheader" scope="col">{name}</th>' for name in heads)
        + f'</tr></thead><tbody role="rowgroup">{rows}</tbody></table></div>')  # fmt: skip


def _intruder(family: str, rows: Sequence[Evidence]) -> str:
    who = INTRUDERS[family]
    name = f'<a href="#{family}">{escaped(who.heading)}</a>' if rows else escaped(who.heading)
    cells = "".join(
        f'<td role="cell" data-head="{asked}">{escaped(words)}</td>'
        for asked, words in (("Knows", who.knows), ("Means", who.means), ("Beside the ICO\'s test", who.ico)))  # fmt: skip
    return (
        f'<tr role="row"><th role="rowheader" scope="row">{name}<small>{escaped(who.who)}</small></th>{cells}'
        f'<td role="cell" class="verdict" data-head="Outcome">{verdicts(rows)}</td></tr>')  # fmt: skip


def criteria(audit: Audit) -> str:
    """The table of the three criteria of the opinion: what each asks, which attack comes nearest to its limit, how it went."""
    rows = "".join(_criterion(name, [e for e in audit.evidence if criterion(e.name, e.family) == name and not compares(e)])
                   for name in CRITERIA)  # fmt: skip
    return (
        '<table class="criteria" role="table"><caption>The three criteria of opinion 05/2014</caption><thead role="rowgroup">'
        '<tr role="row"><th role="columnheader" scope="col">Criterion</th><th role="columnheader" scope="col">Nearest to its limit</th>'
        f'<th role="columnheader" scope="col">Outcome</th></tr></thead><tbody role="rowgroup">{rows}</tbody></table>')  # fmt: skip


def _criterion(name: str, rows: Sequence[Evidence]) -> str:
    return (
        f'<tr role="row"><th role="rowheader" scope="row">{name.capitalize()}<small>{escaped(CRITERIA[name])}</small></th>'
        f'<td role="cell" data-head="Nearest to its limit">{_nearest(rows)}</td>'
        f'<td role="cell" class="verdict" data-head="Outcome">{verdicts(rows)}</td></tr>')  # fmt: skip


def nearness(e: Evidence) -> float:
    """How far a row has come from nothing to its limit: 0 at the one, 1 at the other."""
    if e.limit is None or e.control is None or e.limit <= e.control:
        return 0.0
    return (e.value - e.control) / (e.limit - e.control)


def _nearest(rows: Sequence[Evidence]) -> str:
    held = [e for e in rows if e.limit is not None]
    if not held:
        return "–"
    e = max(held, key=nearness)
    return (
        f'<a href="#{anchor(e)}">{escaped(e.title)}</a><small>{escaped(numbers.UNITS.get(e.unit, e.unit))} {numbers.value(e)}, limit '
        f"{numbers.limit(e)}</small>")  # fmt: skip


def families(audit: Audit) -> str:
    """Every row about what is ours, under the intruder that it stands for."""
    return "".join(_family(family, [e for e in of_family(audit.evidence, family) if not compares(e)]) for family in FAMILIES)


def _family(family: str, rows: Sequence[Evidence]) -> str:
    if not rows:
        return ""
    who = INTRUDERS[family]
    body = "".join(_row(e) for e in rows)
    return (
        f'<div class="family" id="{family}"><h3>{escaped(who.heading)}</h3>'
        f"<p>{escaped(_sentence(who.who))} Knows: {escaped(_lower(who.knows))}.</p>"
        f'<table class="evidence" role="table"><caption class="say">{escaped(who.heading)}: results</caption>{_HEAD}'
        f'<tbody role="rowgroup">{body}</tbody></table></div>')  # fmt: skip


def _sentence(words: str) -> str:
    return words if words.endswith("?") else f"{words}."


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def head(*columns: tuple[str, str]) -> str:
    """The head of a table: each column's name and class."""
    cells = "".join(f'<th role="columnheader" scope="col" class="{kind}">{name}</th>' for name, kind in columns)
    return f'<thead role="rowgroup"><tr role="row">{cells}</tr></thead>'


_HEAD = head(
    ("Attack, in one sentence", "what"), ("Result", "number"), ("Nothing to find, limit", "track"), ("Verdict", "verdict"))


def _row(e: Evidence) -> str:
    asked = criterion(e.name, e.family)
    small = " · ".join(part for part in (f"WP29: {asked}" if asked else "", behind(e), escaped(e.source)) if part)
    return (
        f'<tr role="row" id="{anchor(e)}"><th role="rowheader" scope="row" class="what" abbr="{escaped(e.title)}">'
        f"<b>{escaped(e.title)}</b>"
        f"<span>{escaped(e.sentence)}</span><small>{small}</small></th>{result(e)}"
        f'<td role="cell" class="track" data-head="">{_drawn(e)}</td>'
        f'<td role="cell" class="verdict {TONES[e.passed]}" data-head="Verdict"><span aria-hidden="true">{_SIGNS[e.passed]}</span> '
        f"{_SAYS[e.passed]}</td></tr>")  # fmt: skip


def _drawn(e: Evidence) -> str:
    """A row between its marks; where there is nothing to draw, the marks in words."""
    scale = scale_of(e)
    if scale is not None:
        return gauge(e, scale)
    return f"<span>limit {numbers.limit(e)}</span>" if e.limit is not None else ""


def behind(e: Evidence) -> str:
    """How much stands behind a row."""
    return f"n = {whole(e.n)}" if e.n else ""


def result(e: Evidence) -> str:
    """The cell with a row's number and its interval."""
    small = f"<small>{numbers.interval(e)}</small>" if numbers.interval(e) else ""
    unit = escaped(numbers.UNITS.get(e.unit, e.unit))
    return (
        f'<td role="cell" class="number result" data-head="Result"><span class="unit">{unit}</span> '
        f"<b>{numbers.value(e)}</b>{small}</td>")  # fmt: skip


def judged(audit: Audit) -> tuple[Evidence, ...]:
    """The rows that are held against a limit."""
    return tuple(e for e in audit.evidence if e.passed is not None)
