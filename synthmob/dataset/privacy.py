"""What a release promises, as numbers for a manifest and as sentences for the card: of the release alone, and no more than it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthmob import accounting
from synthmob.errors import FormatError
from synthmob.release import CLAIM, Release, privacy

NEARLY = 49
"""People in the largest group that is smaller than the standard one."""


def statement(release: Release) -> dict[str, Any]:
    """The privacy of everything that is made from a release: budget, unit, period, and the cut."""
    tables = release.marginals.values()
    cuts = {"tables": len(tables), "smallest_cut": min(m.cut for m in tables), "largest_cut": max(m.cut for m in tables)}
    if not release.claims_privacy:
        source = release.info.get("source", {})
        return {"claim": release.claim, **cuts, "source": {key: str(source.get(key, ""))[:300] for key in ("publisher", "licence")}}
    told, plan = release.info["privacy"], release.info.get("plan", {})
    ours = privacy(float(told["epsilon"]), float(told["delta"]), float(told["rho"]))
    if told.get("unit") != ours["unit"] or told.get("neighbours") != ours["neighbours"]:
        raise FormatError("The release protects another unit than one subscriber with all their records: do not trust it, ask again.")
    head = release.head
    return {
        "claim": CLAIM, **{key: ours[key] for key in ("unit", "neighbours", "group", "epsilon", "delta", "rho", "conversion", "noise")},
        "rho_spent": release.rho, "period": release.info.get("period"), "min_group": plan.get("min_group"), **cuts,
        "probability_published_49": max(accounting.probability_published(NEARLY, m.sigma, m.cut) for m in tables),
        "ledger_line": head.line if head is not None else None,
    }  # fmt: skip


def sentences(said: Mapping[str, Any]) -> list[str]:
    """The statement in words, a paragraph each."""
    if said["claim"] != CLAIM:
        source = said["source"]
        return [
            f"**No privacy is claimed.** The model was fitted on {said['tables']} tables that others had published"
            f" ({source['publisher'] or 'source not stated'}; licence: {source['licence'] or 'not stated'}), with cells under"
            f" {said['smallest_cut']:g} left out by their publisher."]
    period = said.get("period")
    over = f" ({period['days']} days from {period['first_day']} on, {period['timezone']})" if period else ""
    group = f"{said['min_group']} people plus two standard deviations of the noise" if said.get("min_group") else "a minimum"
    ledger = f" It is line {said['ledger_line']} of their ledger." if said.get("ledger_line") else ""
    return [
        f"**Differential privacy: epsilon {said['epsilon']:g}, delta {said['delta']:g}** (zero-concentrated: rho {said['rho']:.5g}).",
        f"- **Unit:** {said['unit']}{over}; {said['neighbours']}.",
        f"- **Where it comes from:** {said['tables']} noisy tables were measured from the records, once ({said['noise']}). The model"
        " and all rows here were made from those tables and public geography alone, so the promise holds for every row and for whatever is"
        " computed from the rows.",
        f"- **Cut:** a cell of a table was used only where its noisy count was at least {group}: {said['smallest_cut']:.1f} to"
        f" {said['largest_cut']:.1f} people by table; a cell of {NEARLY} people passes with a chance of at most"
        f" {_percent(said['probability_published_49'])}. The cut is policy on top of the noise.",
        f"- **What it does not say:** {said['group']}. Other releases about the same customers add to the loss, their owner keeps the sum."
        f"{ledger} What holds for large groups can be learnt from these data, about their members too: that is what they are for.",
    ]  # fmt: skip


def _percent(chance: float) -> str:
    return f"{100 * chance:.0f} %" if chance > 0.1 else f"{100 * chance:.1g} %"
