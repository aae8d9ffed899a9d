"""`write_report`: the data card of an OUT folder, one HTML file that asks nothing of the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from synthmob import folders, manifest
from synthmob.domain import DAY_TYPES, Domain
from synthmob.errors import ConfidentialError, FormatError
from synthmob.fidelity.result import Fidelity
from synthmob.period import Period
from synthmob.plan import domain_from
from synthmob.release import Release
from synthmob.report import flows, maps, people, tables, words
from synthmob.report.assembly import escaped, filled
from synthmob.report.charts import Figure
from synthmob.report.figures import TABLES, figures
from synthmob.report.pairs import PERSONS_COUNTED, counted
from synthmob.report.ratios import dot_plot
from synthmob.synthesis.outfolder import check_out
from synthmob.zones import Zoning

_TYPE_NAMES = {"weekday": "Weekday", "saturday": "Saturday", "sunday": "Sunday"}
NEUTRAL_FIRST_DAY = "2001-01-01"
"""A Monday, for data without a period: days are then numbered instead of dated."""


def write_report(
    out_folder: str | Path,
    release: Release,
    fidelity: Mapping[str, Any] | None,
    zoning: Zoning,
    target: str | Path,
    title: str = "Synthetic mobility data",
    sdmetrics: Mapping[str, Any] | None = None,
) -> Path:
    """Write the page about OUT to `target`, whole or not at all, and return its path.

    `fidelity` is the JSON of a check, `sdmetrics` its scores by name. A page that holds a score against private records
    says CONFIDENTIAL on its first line and is never written inside OUT.
    """
    out, page = Path(out_folder), Path(target)
    found = Fidelity.from_json(dict(fidelity)) if fidelity is not None else None
    confidential = bool(sdmetrics) or (found is not None and found.confidential)
    if confidential and page.resolve().is_relative_to(out.resolve()):
        raise ConfidentialError(
            f"The report at {page} holds scores against private records and would lie inside {out}, which is made "
            "to be shipped: write it somewhere else."
        )
    text = _page(out, release, found, zoning, title, sdmetrics or {}, confidential)
    with folders.file_aside(page) as aside:
        aside.write_text(text, encoding="utf-8", newline="\n")
    return page


def _page(
    out: Path,
    release: Release,
    found: Fidelity | None,
    zoning: Zoning,
    title: str,
    scores: Mapping[str, Any],
    confidential: bool,
) -> str:
    """The whole HTML text."""
    check_out(out)
    connection = flows.opened(out, zoning)
    days = flows.days_found(connection)
    dated, period = _period(release, out, days)
    plan: dict[str, Any] = release.info.get("plan") or {}
    domain = domain_from(plan.get("domain") or {}, "The release's plan")
    by_type = {DAY_TYPES[code]: tuple(d for d in days if period.day_type(d) == code) for code in range(len(DAY_TYPES))}
    named = {
        (_TYPE_NAMES[name] if dated else "All days"): found_days
        for name, found_days in _merged(by_type, dated).items()
        if found_days
    }
    day_types = flows.aggregate(connection, zoning, named)
    size = _size(connection, len(days))
    names = {
        d: f"{period.date(d):%a} {period.date(d).day} {period.date(d):%b}" if dated else f"Day {d + 1}" for d in days
    }
    data = maps.data(zoning, day_types, people.chosen(connection, zoning), names, domain.purposes)
    connection.close()
    parts = {
        "PAGE_TITLE": escaped(("CONFIDENTIAL: " if confidential else "") + title),
        "TITLE": escaped(title),
        "CONFIDENTIAL": f'<p class="confidential" role="note">{words.CONFIDENTIAL}</p>' if confidential else "",
        "LEAD": words.lead(size, zoning, _from(period, days) if dated else ""),
        "FACTS": words.facts(size, zoning, release),
        "PRIVACY": words.privacy(release),
        "PURPOSES": _purposes(domain),
        "FAITHFUL": _faithful(found, scores),
        "CHARTS": _charts(out, release, zoning, domain, period, size),
        "RELEASED": tables.released(release, {fit.table: fit for fit in found.tables} if found else {}),
        "NOTES": words.notes(release, found.notes if found else ()),
        "FOOTER": words.footer(release),
    }
    return filled(parts, data)


def _merged(by_type: dict[str, tuple[int, ...]], dated: bool) -> dict[str, tuple[int, ...]]:
    """Days by type, or all under one where the days have no dates."""
    return by_type if dated else {"weekday": tuple(sorted(d for days in by_type.values() for d in days))}


def _period(release: Release, out: Path, days: tuple[int, ...]) -> tuple[bool, Period]:
    """Whether the days have dates, and a period long enough for them: the release's, or that of OUT's manifest."""
    if not days:
        raise FormatError(f"{out} has stays but no day: give the folder that generate wrote.")
    said = release.info.get("period") or _manifest(out).get("period")
    if isinstance(said, Mapping):
        period = Period.from_json(dict(said))  # pyright: ignore[reportUnknownArgumentType]
        return True, replace(period, days=max(period.days, max(days) + 1))
    return False, Period.of(NEUTRAL_FIRST_DAY, max(days) + 1)


def _manifest(out: Path) -> Mapping[str, Any]:
    """OUT's manifest; empty where there is none."""
    return manifest.read(out) if (out / manifest.FILE).exists() else {}


def _from(period: Period, days: tuple[int, ...]) -> str:
    first = period.date(days[0])
    return f" from {first.day} {first:%B %Y}"


def _size(connection: Any, n_days: int) -> words.Size:
    persons, trips = (
        int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in ("persons", "trips")
    )
    return words.Size(persons, n_days, trips)


def _purposes(domain: Domain) -> str:
    return "".join(
        f'<span><i class="swatch p{k % 6}"></i>{escaped(p.capitalize())}</span>' for k, p in enumerate(domain.purposes)
    )


def _faithful(found: Fidelity | None, scores: Mapping[str, Any]) -> str:
    """The section on fidelity."""
    if found is None or not found.metrics:
        return '<p class="note">Not checked: run synthmob check and make the report again.</p>' + tables.scores(scores)
    plot = dot_plot(found.metrics)
    return (
        f'<div class="overview"><div><p>{tables.summary(found)}</p><dl class="reading">'
        "<dt>Value</dt><dd>the metric on these synthetic persons</dd>"
        "<dt>Floor</dt><dd>the same on another sample of the truth of this size: nobody can do better for long</dd>"
        "<dt>Naive</dt><dd>the same on persons with every attribute drawn by itself</dd>"
        "<dt>Ratio</dt><dd>the error over the floor's, or over a difference nobody acts on if larger</dd></dl>"
        f"{tables.scores(scores)}</div><figure><figcaption><h3>{escaped(plot.title)}</h3></figcaption>"
        f'<div class="chart">{plot.svg}</div><p class="note">{escaped(plot.caption)}</p></figure></div>'
        + tables.metrics(found)
    )


def _charts(out: Path, release: Release, zoning: Zoning, domain: Domain, period: Period, size: words.Size) -> str:
    """The section of charts."""
    wanted = {name: release.marginals[name] for name in TABLES if name in release.marginals}
    made = figures(counted(out, wanted, zoning, domain, period))
    if not made:
        return '<p class="note">None of the tables that are drawn here is in the release.</p>'
    sampled = size.persons >= 2 * PERSONS_COUNTED
    said = (
        f'<p class="note">Synthetic: about {words.whole(PERSONS_COUNTED)} of the persons, taken by a hash.</p>'
        if sampled
        else ""
    )
    return said + (
        '<div class="legend key"><span><i class="bar"></i>Released</span>'
        '<span><i class="dot"></i>Synthetic</span></div>'
        f'<div class="figures">{"".join(_figure(f) for f in made)}</div>'
    )


def _figure(figure: Figure) -> str:
    head = "".join(f'<th scope="col"{_number(k, figure)}>{escaped(name)}</th>' for k, name in enumerate(figure.columns))
    rows = "".join(
        "<tr>" + "".join(f"<td{_number(k, figure)}>{escaped(value)}</td>" for k, value in enumerate(row)) + "</tr>"
        for row in figure.rows
    )
    return (
        f"<figure><figcaption><h3>{escaped(figure.title)}</h3><p>{escaped(figure.caption)}</p></figcaption>"
        f'<div class="chart">{figure.svg}</div><details><summary>Numbers</summary>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escaped(figure.title)}, numbers"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details></figure>"
    )


def _number(column: int, figure: Figure) -> str:
    return ' class="number"' if column >= len(figure.columns) - 2 else ""
