"""What the page says in words: what the data set is, what its privacy is, how to read the page and what it is not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthmob.fidelity.result import HEADLINES
from synthmob.release import Release
from synthmob.report.assembly import escaped
from synthmob.zones import Zoning

WEAK_EPSILON = 10.0
CONFIDENTIAL = (
    f"<strong>CONFIDENTIAL</strong> {HEADLINES['inside'].partition(': ')[2].rstrip('.')}. It stays with their owner."
)


@dataclass(frozen=True)
class Size:
    """How big the synthetic data set is."""

    persons: int
    days: int
    trips: int


def whole(number: float) -> str:
    """A number as people write it.

    >>> whole(1234567)
    '1,234,567'
    """
    return f"{number:,.0f}"


def lead(size: Size, zoning: Zoning, period: str) -> str:
    """The first paragraph: what this is."""
    days = "1 day" if size.days == 1 else f"{size.days} days"
    return escaped(
        f"{whole(size.persons)} synthetic persons in {whole(zoning.n_zones)} zones, over {days}{period}. Nobody in it "
        "is real: each person was drawn from a model, and the model knows nothing but the released tables "
        "at the end of this page."
    )


def facts(size: Size, zoning: Zoning, release: Release) -> str:
    """The headline figures, as the items of a description list."""
    said = [
        ("Synthetic persons", whole(size.persons)),
        ("Days each", whole(size.days)),
        ("Zones", whole(zoning.n_zones)),
        ("Trips a person-day", f"{size.trips / max(size.persons * size.days, 1):.2f}"),
        ("Released tables", whole(len(release.marginals))),
        ("Privacy", f"ε = {_epsilon(release)}" if release.claims_privacy else "none claimed"),
    ]
    return "".join(f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in said)


def privacy(release: Release) -> str:
    """The privacy statement, as paragraphs."""
    lines = _claimed(release) if release.claims_privacy else _unclaimed(release)
    return "".join(f"<p>{line}</p>" for line in lines)


def _claimed(release: Release) -> list[str]:
    """What differential privacy promises here: the budget, the noise, the cut."""
    said: Mapping[str, Any] = release.info["privacy"]
    plan: Mapping[str, Any] = release.info.get("plan") or {}
    cuts = sorted({round(m.cut) for m in release.marginals.values()})
    span = f"{cuts[0]}" if len(cuts) == 1 else f"{cuts[0]} to {whole(cuts[-1])}"
    group = f"The cut, for groups of {plan['min_group']}" if plan.get("min_group") else "The cut"
    budget = f"(ε, δ)-differential privacy with ε = {_epsilon(release)} and δ = {power(said['delta'])}."
    unit = (
        f" The unit is {said.get('unit', 'not stated')}. {_factor(float(said['epsilon']))} The synthetic persons were "
        "made from the release alone and share what it guarantees."
    )
    noise = (
        f"Noise: {said.get('noise', 'discrete Gaussian')}. The whole budget is ρ = {said['rho']:.4g} of "
        f"zero-concentrated differential privacy, converted once. {_sentence(said.get('group'))}"
    )
    cut = (
        f"{group}: a cell is published when its noisy count is at least {span} persons, depending on its table. That "
        "is a policy on top of the noise. It does not promise that every published cell has so many people; the table "
        "of what was released says how likely smaller ones are to be printed."
    )
    return [f"<strong>{escaped(budget)}</strong>{escaped(unit)}", escaped(noise), escaped(cut)]


def _unclaimed(release: Release) -> list[str]:
    """What stands in place of a claim for tables published by others."""
    source: Mapping[str, Any] = release.info.get("source") or {}
    taken = (
        " The tables were published by others and are taken as printed: no noise of ours is in them, and what is "
        "protected is what their publisher's threshold and rounding protect."
    )
    lines = [f"<strong>No differential privacy claimed.</strong>{escaped(taken)}"]
    if source:
        threshold = f", threshold {source['threshold']:g}" if source.get("threshold") else ""
        publisher, licence = (source.get(key, "not stated") for key in ("publisher", "licence"))
        lines.append(escaped(f"Source: {publisher}{threshold}. Licence: {licence}."))
    return lines


def _sentence(text: object) -> str:
    """A phrase as a sentence of its own; nothing for nothing.

    >>> _sentence("a household of two")
    'A household of two.'
    """
    return f"{str(text)[0].upper()}{str(text)[1:].rstrip('.')}." if text else ""


NOTES = (
    (
        "A model's people, not a sample of people",
        (
            "No row of the data describes a subscriber, and looking for somebody you know in it is looking at chance. "
            "Use it for what holds over many people; single days are plausible, not observed."
        ),
    ),
    (
        "As faithful as its tables",
        (
            "What is in no released table is the model's assumption. Cells below the cut were filled from coarser "
            "tables and a gravity law; a missing cell is not zero."
        ),
    ),
    (
        "Reading a ratio",
        (
            "A ratio is the error over what another sample of the same size would show by chance, or over a difference "
            "nobody acts on where that is larger. 1 is as good as another sample; the goal is 1.5."
        ),
    ),
    (
        "The naive baseline",
        (
            "The same persons drawn with every attribute independent of the others. A metric that does not beat it has "
            "learnt nothing from the release beyond single columns."
        ),
    ),
    (
        "Averages of days",
        (
            "The map adds the days of one type and divides by their number. Flows are trips of synthetic persons, not "
            "scaled to any population."
        ),
    ),
    (
        "Straight lines",
        "Distances are between zone centres, inside a zone its mean internal distance. No road or route is in it.",
    ),
)
COMPOSES = (
    "Privacy composes",
    (
        "Every further release about the same customers adds to the budget. A household of k persons has roughly "
        "k times the ε."
    ),
)
NOTHING_ADDED = (
    "No protection of ours",
    "Nothing here adds protection to the published tables, and nothing takes any away.",
)


def notes(release: Release, fidelity_notes: Sequence[str]) -> str:
    """How to read the page and what it is not, as the items of a list."""
    said = [
        *NOTES,
        COMPOSES if release.claims_privacy else NOTHING_ADDED,
        *(("From the check", note) for note in fidelity_notes),
        *(("From the release", note) for note in _listed(release.info.get("notes"))),
    ]
    items = (f"<li><b>{escaped(name)}</b>{escaped(text)}</li>" for name, text in said)
    return f'<ul class="notes">{"".join(items)}</ul>'


def footer(release: Release) -> str:
    """Versions and how the page was made."""
    versions: Mapping[str, Any] = release.info.get("versions") or {}
    known = ", ".join(f"{name} {version}" for name, version in versions.items())
    return escaped(
        f"Made by synthmob{f' from a release by {known}' if known else ''}. This page is one file and makes no request."
    )


def _epsilon(release: Release) -> str:
    return f"{release.info['privacy']['epsilon']:g}"


def _factor(epsilon: float) -> str:
    """What an epsilon promises, in plain words.

    >>> _factor(1.0)
    'With or without one of them, any release is at most e^ε = 2.7 times as likely, but for δ.'
    """
    if epsilon > WEAK_EPSILON:
        return (
            f"An ε above {WEAK_EPSILON:g} promises little: take this as a study of the method, not a protected release."
        )
    return (
        f"With or without one of them, any release is at most e^ε = {math.exp(epsilon):.1f} times as likely, but for δ."
    )


def power(number: float) -> str:
    """A small number as a power of ten where it is one.

    >>> power(1e-6), power(0.05)
    ('10⁻⁶', '0.05')
    """
    mantissa, _, exponent = f"{number:.2e}".partition("e")
    if number >= 0.001:
        return f"{number:g}"
    power = "10" + "".join("⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".index(c)] for c in str(int(exponent)))
    return power if float(mantissa) == 1 else f"{float(mantissa):g} × {power}"


def _listed(notes: Any) -> list[str]:
    """Notes as a list, whether the release has one, many or none."""
    if notes is None:
        return []
    return [notes] if isinstance(notes, str) else [str(note) for note in notes]
