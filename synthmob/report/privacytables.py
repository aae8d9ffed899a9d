"""What is spent and on what: the ledger's releases, and every table of the plan with its bound, its noise and its cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthmob import accounting
from synthmob.report.assembly import escaped
from synthmob.report.privacycharts import spent_bar
from synthmob.report.tables import chance, significant
from synthmob.report.words import power

NO_LEDGER = (
    "No ledger: this page was made without one, so nothing here knows of other releases about the same subscribers. Rho adds up over all "
    "of them, in whatever month: whoever releases again must add up themselves."
)


def plan_tables(costs: Sequence[Mapping[str, Any]], min_group: int) -> str:
    """The table of tables; `costs` have table, share (of rho), bound_l2, sigma, cut (persons) and published_49 (a probability)."""
    rows = "".join(
        f'<tr><th scope="row">{escaped(c["table"])}</th><td class="number">{c["bound_l2"]:.2f}</td>'
        f'<td class="number">{significant(c["sigma"])}</td><td class="number">{significant(c["cut"])}</td>'
        f'<td class="number">{escaped(chance(c["published_49"]))}</td><td class="number">{100 * c["share"]:.1f} %</td></tr>'
        for c in costs)  # fmt: skip
    heads = ("Bound", "Noise σ", "Cut", "P(49)", "Share of ρ")
    return (
        f"<p>{len(costs)} tables, in persons. <i>Bound</i>: the most that one subscriber can move the whole table (L2 norm). <i>σ</i>: the "
        f"standard deviation of the noise on every cell. <i>Cut</i>: the least noisy count that is published, for groups of {min_group}. "
        "<i>P(49)</i>: the chance that a cell of 49 people is published.</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Tables of the plan"><table class="plan">'
        '<caption class="say">Tables of the plan</caption>'
        f'<thead><tr><th scope="col">Table</th>{"".join(f"<th scope=col class=number>{h}</th>" for h in heads)}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>")  # fmt: skip


def ledger_section(ledger: Mapping[str, Any] | None) -> str:
    """What all releases about these subscribers have cost: `ledger.State.as_json()`, or None where none is kept.

    Read are `customers`, `total` (epsilon, delta; or None), `spent` (rho, epsilon) and of `lines` those that have a rho: time, step,
    epsilon, delta, rho, tables (by name, or how many), epsilon_so_far.
    """
    if ledger is None:
        return f"<p>{NO_LEDGER}</p>"
    lines: list[Mapping[str, Any]] = [line for line in ledger.get("lines") or () if "rho" in line]
    total: Mapping[str, Any] | None = ledger.get("total")
    spent: Mapping[str, Any] = ledger.get("spent") or {}
    rho, epsilon = float(spent.get("rho") or 0.0), spent.get("epsilon")
    notes = "".join(f"<li>{escaped(note)}</li>" for note in ledger.get("notes") or ())
    return (
        f"<p>One total for all releases about <b>{escaped(ledger.get('customers') or 'these subscribers')}</b>, whatever the records and "
        "the days. Rho adds up and is converted once; epsilons do not add.</p>"
        + _balance(rho, epsilon, total, lines)
        + (f"<ul>{notes}</ul>" if notes else "")
        + (_lines(lines) if lines else "<p>Nothing has been spent yet.</p>"))  # fmt: skip


def _balance(rho: float, epsilon: float | None, total: Mapping[str, Any] | None, lines: Sequence[Mapping[str, Any]]) -> str:
    """Spent, total, left; and a bar of them."""
    spent = "beyond any number" if epsilon is None else f"ε {epsilon:.3g}"
    if total is None:
        return _facts((("Spent", spent), ("Total", "none is set: nothing is refused"), ("Left", "not limited")))
    most = accounting.rho_from(total["epsilon"], total["delta"])
    left = max(0.0, most - rho)
    more = accounting.epsilon_of(left, total["delta"]) if left > 1e-9 * most else 0.0
    said = f"{rho / most:.0%} of the total rho is spent, {left / most:.0%} is left."
    facts = (
        ("Spent", f"{spent}<small>{100 * rho / most:.0f} % of ρ</small>"),
        ("Total", f"ε {total['epsilon']:g}<small>at δ {power(total['delta'])}</small>"),
        ("Left", f"{'ε ' if more else ''}{more:.3g}<small>for one more release</small>"))  # fmt: skip
    return _facts(facts) + spent_bar(tuple(float(line["rho"]) / most for line in lines), said)


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return '<dl class="facts">' + "".join(f"<div><dt>{name}</dt><dd>{said}</dd></div>" for name, said in facts) + "</dl>"


def _lines(lines: Sequence[Mapping[str, Any]]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escaped(_moment(line.get("time")))}</th><td>{escaped(line.get("step", ""))}</td>'
        f'<td class="number">{_count(line.get("tables"))}</td><td class="number">{line["epsilon"]:g}</td>'
        f'<td class="number">{power(line["delta"])}</td><td class="number">{significant(line["rho"])}</td>'
        f'<td class="number">{_so_far(line.get("epsilon_so_far"))}</td></tr>'
        for line in lines)  # fmt: skip
    heads = ("Tables", "ε", "δ", "ρ", "ε so far")
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Releases in the ledger"><table class="lines">'
        '<caption>Every release that the ledger has paid for</caption><thead><tr><th scope="col">When (UTC)</th><th scope="col">Step</th>'
        + "".join(f'<th scope="col" class="number">{head}</th>' for head in heads)
        + f"</tr></thead><tbody>{rows}</tbody></table></div>")  # fmt: skip


def _moment(time: object) -> str:
    """A time as people read it.

    >>> _moment("2026-11-24T09:53:11.123456+00:00"), _moment(None)
    ('2026-11-24 09:53', '–')
    """
    return str(time).replace("T", " ")[:16] if time else "–"


def _count(tables: object) -> str:
    if isinstance(tables, Mapping | Sequence) and not isinstance(tables, str):
        return str(len(tables))
    return escaped(tables) if tables is not None else "–"


def _so_far(epsilon: float | None) -> str:
    return "–" if epsilon is None else f"{epsilon:.3g}"
