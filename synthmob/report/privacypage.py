"""`privacy_page`: what an audit found, as one HTML page for a data-protection impact assessment, in two editions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthmob.audit.evidence import Audit, Evidence
from synthmob.errors import FormatError
from synthmob.plan import Plan
from synthmob.release import privacy
from synthmob.report import privacyevidence as evidence
from synthmob.report import privacyimpact as impact
from synthmob.report import privacytables as tables
from synthmob.report.assembly import escaped, part, placed, source_hash
from synthmob.report.privacycharts import Scale, bound_bar, gauge
from synthmob.report.privacycomparisons import comparisons
from synthmob.report.privacynumbers import in_words
from synthmob.report.privacywords import CARRIED, EDITIONS, GUARANTEE, ICO, MUST_NOT, NOT_PROTECTED, WP29, how_nearly
from synthmob.report.words import power

LEGEND = Evidence("legend", "membership", "", "release", "share", 0.38, 0.26, 0.5, 0, "", control=0.3, limit=0.7, passed=True)
"""The row that is drawn to show how rows are drawn."""
_KNOWN = ("date", "command", "versions")
"""What of `audit.about` has a place of its own on the page."""


def privacy_page(
    audit: Audit, *, plan: Plan, costs: Sequence[Mapping[str, Any]], ledger: Mapping[str, Any] | None, title: str
) -> str:
    """The whole HTML text of one edition, which `audit.kind` decides: inside is confidential, outside may be shown to anyone.

    `plan` is the resolved plan that was attacked. `costs` are its tables: table, share (of rho), bound_l2, sigma, cut (persons) and
    published_49 (the probability that a cell of 49 people is published). `ledger` is `ledger.State.as_json()`, or None where none is
    kept. Of `audit.about` the page knows date, command (which repeats the audit) and versions (by name); whatever else is there is
    listed. The page asks nothing of the network and has no script.
    """
    _check(audit, plan)
    style = part("privacy.css")
    inside = audit.kind == "inside"
    return placed("privacy.html", {
        "PAGE_TITLE": escaped(("CONFIDENTIAL: " if inside else "") + title),
        "STYLE": style,
        "STYLE_HASH": source_hash(f"\n{style}\n"),
        "KIND": audit.kind,
        "EDITION": _edition(audit.kind),
        "TITLE": escaped(title),
        "VERDICT": _verdict(audit),
        "GUARANTEE": _guarantee(audit, plan),
        "LEDGER": tables.ledger_section(ledger),
        "TABLES": tables.plan_tables(costs, plan.min_group),
        "ICO": escaped(ICO),
        "INTRUDERS": evidence.intruders(audit),
        "CRITERIA_SAID": escaped(WP29),
        "CRITERIA": evidence.criteria(audit),
        "LEGEND": gauge(LEGEND, Scale(0.0, 1.0), labels=False),
        "FAMILIES": evidence.families(audit),
        "COMPARISONS": comparisons(audit) or '<p class="note">This audit compared no other way to publish.</p>',
        "QUESTIONS": impact.questions(audit, plan, ledger),
        "MUST_NOT": _items(MUST_NOT),
        "NOT_PROTECTED": _items(NOT_PROTECTED),
        "RESIDUAL": impact.residual(),
        "ABOUT": _about(audit),
        "COMMAND": escaped(_command(audit)),
    })  # fmt: skip


def _check(audit: Audit, plan: Plan) -> None:
    """The plan shown must be the one that was attacked."""
    claimed = (audit.claimed.get("epsilon"), audit.claimed.get("delta"))
    if claimed != (plan.epsilon, plan.delta):
        raise FormatError(
            f"The audit is of epsilon {claimed[0]} at delta {claimed[1]} and the plan of epsilon {plan.epsilon:g} at delta {plan.delta:g}: "
            "make the page with the plan that was attacked.")


def _edition(kind: str) -> str:
    name, _, rest = EDITIONS[kind].partition(": ")
    return f"<strong>{escaped(name)}</strong>: {escaped(rest)}"


def _refuted(audit: Audit) -> bool:
    """Whether the canaries show more than is claimed."""
    return audit.epsilon_lower_bound > audit.claimed["epsilon"]


def _verdict(audit: Audit) -> str:
    """Passed or not, in one line, and what failed."""
    held = len(evidence.judged(audit))
    failed = audit.failed
    if not held:
        return '<p class="verdict-line far"><b>Nothing was tested.</b> No result is held against a limit, so this page shows nothing.</p>'
    if failed or _refuted(audit):
        which = "".join(f'<li><a href="#{evidence.anchor(e)}">{escaped(e.title)}</a></li>' for e in failed)
        bound = (
            f"<li>The lower bound on epsilon, {audit.epsilon_lower_bound:.2f}, is above the claim of {audit.claimed['epsilon']:g}</li>"
            if _refuted(audit) and not any(e.family == "canaries" for e in failed) else "")  # fmt: skip
        return (
            '<div class="verdict-line far"><p><b><span aria-hidden="true">✕</span> '
            f"{len(failed) + bool(bound)} failed</b> of {held} results that are held against a limit. Do not release, and report what "
            f"failed:</p><ul>{which}{bound}</ul></div>")  # fmt: skip
    return (
        '<p class="verdict-line good"><b><span aria-hidden="true">✓</span> Passed.</b> '
        f"None of the {held} results that are held against a limit goes beyond it with confidence.</p>")  # fmt: skip


def _guarantee(audit: Audit, plan: Plan) -> str:
    """The guarantee in two sentences, its numbers, and the lower bound drawn against the claim."""
    said, epsilon = privacy(plan.epsilon, plan.delta, plan.rho), plan.epsilon
    facts = "".join(f"<div><dt>{name}</dt><dd>{value}<small>{small}</small></dd></div>" for name, value, small in (
        ("Claimed ε", f"{epsilon:g}", "at most"), ("δ", power(plan.delta), "slack of the claim"),
        ("ρ", f"{plan.rho:.4g}", "what ε and δ buy"),
        ("Shown by attack", f"{audit.epsilon_lower_bound:.2f}", "ε at least, at 95 %")))  # fmt: skip
    between = (
        "The coloured part is what attackers with planted subscribers can prove"
        + (": it is beyond the claim." if _refuted(audit) else "; the true loss lies between it and the claim."))  # fmt: skip
    return (
        f'<p class="lead">{escaped(GUARANTEE)} {escaped(how_nearly(epsilon, plan.delta))}</p><dl class="facts">{facts}</dl>'
        f"<figure>{bound_bar(epsilon, audit.epsilon_lower_bound)}<figcaption>{between}</figcaption></figure>"
        f"<p>In the words of the trade: (ε, δ)-differentially private for {escaped(said['unit'])}; {escaped(said['neighbours'])}. Noise: "
        f"{escaped(said['noise'])}. {CARRIED}</p>"
    )


def _items(said: Sequence[tuple[str, str]]) -> str:
    return "".join(f"<li><b>{escaped(name)}.</b> {escaped(words)}</li>" for name, words in said)


def _about(audit: Audit) -> str:
    """When, with which versions, and whatever else the audit says of itself."""
    versions = audit.about.get("versions")
    known = [("Date of the audit", str(audit.about.get("date", "not stated"))),
             ("Versions", in_words(versions) if versions else "not stated")]  # fmt: skip
    rest = [(str(key).replace("_", " ").capitalize(), in_words(value)) for key, value in audit.about.items() if key not in _KNOWN]
    return "".join(f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in (*known, *rest))


def _command(audit: Audit) -> str:
    """The command that repeats the audit."""
    said = audit.about.get("command")
    if said:
        return " ".join(str(word) for word in said) if isinstance(said, list | tuple) else str(said)
    if audit.kind == "outside":
        return "synthmob audit --outside RELEASE -o FOLDER"
    return f"synthmob audit RECORDS --zones ZONES --epsilon {audit.claimed['epsilon']:g} --delta {audit.claimed['delta']:g} -o FOLDER"
