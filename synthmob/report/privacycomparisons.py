"""What the protection does: the same attacks on counts that are published in other ways, beside ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from synthmob.audit.evidence import Audit, Evidence
from synthmob.report import privacynumbers as numbers
from synthmob.report.assembly import escaped
from synthmob.report.privacycharts import gauge, natural_scale
from synthmob.report.privacyevidence import anchor, behind, compares, head, result

_WAY = re.compile(r"(?<![a-z])(?:raw|suppressed|event|before_cut|release|group)(?![a-z])")
"""What a row's name says of the way that counts were published: the same attack has the same name but for that."""


def comparisons(audit: Audit) -> str:
    """The same attacks on counts published in other ways, each beside what is ours; nothing where the audit compared nothing."""
    groups: dict[tuple[str, str], list[Evidence]] = {}
    for e in audit.evidence:
        groups.setdefault((_WAY.sub("*", e.name.lower()), e.unit), []).append(e)
    compared = [rows for rows in groups.values() if any(compares(e) for e in rows)]
    alone: dict[tuple[str, str], list[Evidence]] = {}
    for rows in compared:
        if len(rows) == 1:
            alone.setdefault((rows[0].subject, rows[0].unit), []).append(rows[0])
    return (
        _strongest(audit)
        + "".join(_comparison(rows, common_title(rows)) for rows in compared if len(rows) > 1)
        + "".join(_comparison(rows, _capital(subject)) for (subject, _), rows in alone.items()))  # fmt: skip


def strongest(audit: Audit) -> dict[str, Evidence]:
    """The row in which an attack on membership came furthest, by what it was shown."""
    worst: dict[str, Evidence] = {}
    for e in audit.evidence:
        if e.unit == "auc" and e.family == "membership":
            worst[e.subject] = max(worst.get(e.subject, e), e, key=lambda e: e.value)
    return worst


def _strongest(audit: Audit) -> str:
    """Those rows as headline figures; only where there is something to compare."""
    worst = strongest(audit)
    if not any(compares(e) for e in worst.values()):
        return ""
    boxes = "".join(
        f'<div{"" if compares(e) else " class=ours"}><dt>{escaped(_capital(name))}</dt><dd>{numbers.bare(e.value, 2)}'
        f"<small>{f'limit {numbers.limit(e)}' if e.limit is not None else ''}</small></dd></div>"
        for name, e in worst.items())  # fmt: skip
    return (
        '<p class="before"><b>The strongest attack on membership, by what it was shown</b> (AUC: .50 is a coin, 1.00 is always right)</p>'
        f'<dl class="facts">{boxes}</dl>')  # fmt: skip


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _comparison(rows: Sequence[Evidence], title: str) -> str:
    body = "".join(_compared(e, rows, title) for e in rows)
    columns = head(("Published as", "what"), ("Result", "number"), ("Nothing to find, limit", "track"), ("In one sentence", "words"))
    return (
        f'<table class="evidence comparison" role="table"><caption>{escaped(title)}</caption>{columns}'
        f'<tbody role="rowgroup">{body}</tbody></table>')  # fmt: skip


def common_title(rows: Sequence[Evidence]) -> str:
    """What the titles of some rows begin with, up to a whole word; that of the first where they share nothing.

    >>> rows = [Evidence(t, "membership", f"Membership in a group of 100: {t}", t, "auc", 0.5, 0.5, 0.5, 9, "S.") for t in ("raw", "ours")]
    >>> common_title(rows)
    'Membership in a group of 100'
    """
    titles = [e.title.split(" ") for e in rows]
    words = [same[0] for same in takewhile(lambda at: len(set(at)) == 1, zip(*titles, strict=False))]
    while words and words[-1] in ("from", "in", "of", "the", "a"):
        words = words[:-1]
    return " ".join(words).rstrip(":,") or rows[0].title


def _compared(e: Evidence, rows: Sequence[Evidence], title: str) -> str:
    ours, scale = not compares(e), natural_scale(rows)
    sentence = f'Ours: <a href="#{anchor(e)}">{"held against its limit" if e.limit is not None else "said"} above</a>.'
    limit = next((other.limit for other in rows if other.limit is not None), None)
    drawn = "" if scale is None else gauge(e, scale, limit=limit, labels=False)
    name = e.title.removeprefix(title).lstrip(":, ")
    said_above = any(not compares(other) for other in rows)
    small = " · ".join(part for part in (behind(e), "" if said_above else escaped(e.source)) if part)
    where = ' class="ours"' if ours else f' id="{anchor(e)}"'
    return (
        f'<tr role="row"{where}><th role="rowheader" scope="row" class="what">{escaped(_capital(name or e.subject))}'
        f'<small>{small}</small></th>{result(e)}<td role="cell" class="track" data-head="">{drawn}</td>'
        f'<td role="cell" class="words" data-head="">{sentence if ours else escaped(e.sentence)}</td></tr>')  # fmt: skip
