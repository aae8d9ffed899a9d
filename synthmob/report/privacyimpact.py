"""The questions of a data-protection impact assessment, answered from what is known here and left to the controller where nothing is.

The questions follow steps 2 and 4 to 6 of the Information Commissioner's template, and Article 35(7) GDPR.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthmob.audit.evidence import Audit, Evidence
from synthmob.plan import Plan
from synthmob.report import privacynumbers as numbers
from synthmob.report.assembly import escaped
from synthmob.report.privacycomparisons import strongest
from synthmob.report.privacyevidence import compares, judged
from synthmob.report.privacywords import CONTROLLER, RESIDUAL, criterion

CHILDREN = "0-15"


@dataclass(frozen=True)
class Question:
    """A question, what is known here that answers it, and what the controller still has to say; either may be empty."""

    asked: str
    known: str = ""
    open: str = ""


def questions(audit: Audit, plan: Plan, ledger: Mapping[str, Any] | None) -> str:
    """The whole assessment as a description list by step."""
    steps = (
        ("Nature of the processing", _nature(plan)),
        ("Scope", _scope(plan, audit.about)),
        ("Context", _context(plan)),
        ("Purposes", _purposes()),
        ("Necessity and proportionality", _necessity(audit, ledger)),
        ("Risks to individuals", _risks(audit)),
        ("Measures", _measures(plan, ledger)),
        ("Consultation and decision", _decision()),
    )
    return "".join(f'<h3>{title}</h3><dl class="questions">{"".join(_answer(q) for q in asked)}</dl>' for title, asked in steps)


def _answer(q: Question) -> str:
    known = f"<p>{escaped(q.known)}</p>" if q.known else ""
    left = f'<p class="open"><b>{CONTROLLER}:</b> {escaped(q.open)}</p>' if q.open else ""
    return f"<div><dt>{escaped(q.asked)}</dt><dd>{known}{left}</dd></div>"


def _nature(plan: Plan) -> Sequence[Question]:
    return (
        Question("What is done with the data?",
                 f"Where subscribers stay and when is counted into {len(plan.requests)} tables. What one subscriber can add is bounded, "
                 "noise is added to every cell, and noisy counts below a cut are withheld. A model is fitted to those tables alone and "
                 "makes synthetic people and their days. Only the step that measures reads records; all later steps run without them."),
        Question("Where does it come from, and how is it stored and deleted?", "", "source of the records, storage, retention, deletion."),
        Question("Who receives what?",
                 "Made to be passed on: the release, the model, the synthetic data, their report and this page's outside edition. Made to "
                 "stay with the owner: records, checks against the truth, the ledger's key and the inside edition.",
                 "the recipients, and under what terms."),
        Question("Is it of a kind that is likely to be high risk?",
                 "Yes: it tracks the location of many people, which is on the ICO's list of processing that needs an assessment."),
    )  # fmt: skip


def _scope(plan: Plan, about: Mapping[str, Any]) -> Sequence[Question]:
    columns = ", ".join(name.replace("_", " ") for name in plan.domain.attributes) or "none"
    used = {request.statistic for request in plan.requests}
    modes = ", means of travel" if "modes" in used else ""
    said = "".join(f" {name.capitalize()}: {numbers.in_words(about[name])}." for name in ("period", "days", "zones") if name in about)
    return (
        Question("What data are used?",
                 f"Of a subscriber: {columns}, home and work zone. Of a stay: zone, day, start, end, purpose{modes}. Names, numbers and "
                 "contents of communication are not read, nor any column that the plan does not name. Ids link rows while they are "
                 "counted and leave with nothing."),
        Question("Are there special categories?",
                 "None is asked for. Places can reveal them (worship, health): zones marked as sensitive are merged with a neighbour "
                 "before anything is counted.", "whether all such zones are marked."),
        Question("How many people, where, and over what time?",
                 "No release states the number of subscribers: it is protected too." + said,
                 "the area, the period, and how often it is repeated."),
    )  # fmt: skip


def _context(plan: Plan) -> Sequence[Question]:
    young = CHILDREN in plan.domain.age_band and "age_band" in plan.domain.attributes
    return (
        Question("What is the relationship with the individuals?", "", "customers, employees of customers, users of a service?"),
        Question("Do they expect it, and what say do they have?",
                 "Whoever objects can be left out of the records before they are measured: no later step needs them.",
                 "what individuals were told, and how they object."),
        Question("Are children or vulnerable people among them?",
                 "The plan has an age band for children, who are protected as all others are." if young else "",
                 "who is among them, and what follows from it."),
        Question("What is the state of the art, and of public concern?",
                 "Differential privacy with published noise and published code; the attacks on this page are those of the literature."),
    )  # fmt: skip


def _purposes() -> Sequence[Question]:
    return (
        Question("What is to be achieved?",
                 "The data are fit for what holds over many people: flows, presence, routines. They are unfit for any question about one "
                 "person, one household or one day.", "the purpose, and the benefit to individuals and to others."),
    )  # fmt: skip


def _necessity(audit: Audit, ledger: Mapping[str, Any] | None) -> Sequence[Question]:
    total = (ledger or {}).get("total")
    creep = (
        f"All releases together may cost epsilon {total['epsilon']:g}; the ledger refuses more." if total else
        "No total limits further releases.")  # fmt: skip
    return (
        Question("What is the lawful basis?", "", "basis under Article 6, and rules for traffic and location data of "
                                                  "telecommunications where they apply."),
        Question("Could the same be had in another way?", _otherwise(audit), "whether less data or fewer tables would do."),
        Question("How is data minimised?",
                 "Counts only; nothing exact leaves, the number of subscribers included; small groups are withheld; the plan names what "
                 "is read."),
        Question("How is use for other purposes prevented?", f"{creep} The section on what must not be done goes with the data.",
                 "contract, access, sanctions."),
        Question("How are rights supported?",
                 "No row of the release or of the synthetic data is about one person: access, correction and erasure concern the records.",
                 "how they are exercised there."),
    )  # fmt: skip


def _otherwise(audit: Audit) -> str:
    """What the strongest attack comes to on other ways to publish."""
    worst = strongest(audit)
    others = [f"{numbers.bare(e.value, 2)} on {name}" for name, e in worst.items() if compares(e)]
    if not others:
        return ""
    ours = max((e.value for e in worst.values() if not compares(e)), default=None)
    beside = "" if ours is None else f", and {numbers.bare(ours, 2)} on ours"
    return (
        "Not by leaving out names, small counts or single stays: the strongest attack on membership on this page comes to an AUC of "
        f"{', '.join(others)}{beside}, where .50 is chance.")  # fmt: skip


def _risks(audit: Audit) -> Sequence[Question]:
    return (
        *(_risk(name, words, [e for e in judged(audit) if criterion(e.name, e.family) == name]) for name, words in (
            ("singling out", "A person is singled out, or found to be in the data"),
            ("linkability", "Records about one person are linked"),
            ("inference", "Something is inferred about a person"))),
        Question("How severe would it be?", "Whereabouts reveal home, work, health, belief and company.", "severity and overall risk."),
    )  # fmt: skip


def _risk(name: str, words: str, rows: Sequence[Evidence]) -> Question:
    failed = sum(e.passed is False for e in rows)
    if not rows:
        return Question(words, "Not attacked in this audit.", "likelihood.")
    said = f"{failed} of {len(rows)} attacks went beyond what the guarantee allows" if failed else (
        f"{len(rows)} of {len(rows)} attacks stayed within what the guarantee allows, at 95 % confidence")  # fmt: skip
    return Question(words, f"{said} (WP29: {name}).", "likelihood, with this in view.")


def _measures(plan: Plan, ledger: Mapping[str, Any] | None) -> Sequence[Question]:
    kept = "A ledger that cannot be edited unseen adds up all releases." if ledger is not None else "No ledger is kept."
    return (
        Question("Which measures are in place?",
                 "Bounded contributions; discrete Gaussian noise from the operating system's randomness on every cell; categories and "
                 f"zones that are public and never learnt from records; a cut for groups of {plan.min_group}; sensitive zones merged; "
                 f"records reachable by one door of the code alone. {kept} This audit."),
        Question("Which are to be added?", "", "access control, training, contract, date of review."),
    )  # fmt: skip


def _decision() -> Sequence[Question]:
    return (
        Question("Whose views were sought, and what did the data protection officer advise?", "", "individuals or their representatives, "
                 "processors, security experts; the officer's advice."),
        Question("Who decides, and accepts what remains?", "", "name, date, residual risk accepted, date of review."),
    )  # fmt: skip


def residual() -> str:
    """What remains when all of this is in place, and what keeps it small."""
    rows = "".join(
        f'<tr role="row"><th role="rowheader" scope="row">{escaped(name)}</th><td role="cell" data-head="What remains">{escaped(what)}</td>'
        f'<td role="cell" data-head="What keeps it small">{escaped(keeps)}</td></tr>'
        for name, what, keeps in RESIDUAL)  # fmt: skip
    heads = "".join(f'<th role="columnheader" scope="col">{head}</th>' for head in ("Risk", "What remains", "What keeps it small"))
    return (
        '<table class="residual" role="table"><caption class="say">Residual risks</caption>'
        f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead><tbody role="rowgroup">{rows}</tbody></table>')  # fmt: skip
