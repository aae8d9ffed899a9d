"""README.md: the dataset card. What it is, how it was made, what is promised, how faithful it is, what it is not for, how to start."""

from __future__ import annotations

from collections.abc import Iterable

from synthmob.dataset import privacy
from synthmob.dataset.dictionary import markdown
from synthmob.dataset.facts import Facts
from synthmob.dataset.layout import CROISSANT, DATAPACKAGE, DICTIONARY, FIDELITY, SUMS
from synthmob.dataset.starts import STARTS
from synthmob.fidelity.result import WORDS, Fidelity
from synthmob.fidelity.table import HEADINGS, LEGEND, cells
from synthmob.release import CLAIM
from synthmob.synthesis import metadata
from synthmob.synthesis.events import STATEMENT

USES = (
    "developing and testing software, models and analyses that will later run on records of the same shape",
    "teaching, and comparing methods of mobility research",
    "transport and urban studies of people in large groups, within the errors that the card states",
)
NOT_FOR = (
    "**Anything about a person.** Nobody here exists. A row that resembles somebody does so by chance, and says nothing about them.",
    "**Finding people.** Do not link rows with other data to name anybody, nor let others do so.",
    "**Small groups and rare behaviour.** What fewer people did than the cut was removed before the model saw it; what stands here instead"
    " is the model's guess.",
    "**Decisions about people, or about places that only a few people use,** without looking at the real thing.",
    "**What the fidelity table calls 'far' or 'no gain'.** Those numbers are not good enough to be read off.",
    "**Forecasts, other periods, other places,** and anything that happened on single days: a day here is a day of its type.",
    "**Counting companions, households or contacts.** Persons are independent of each other.",
    "**Evidence of how a privacy method protects real records.** The release is that evidence, not these rows.",
)
LIMITS = (
    "Cells that fewer people stood behind than the cut were removed before the model was fitted.",
    "Persons are independent of each other: there are no households, companions or contacts.",
    "A day is one of its type (weekday, Saturday, Sunday), not the day that its date names.",
    "The fidelity table of the README says which statistics are far from the release.",
)


def card(facts: Facts, fidelity: Fidelity) -> str:
    """The whole of README.md."""
    parts = [
        f"# {_plain(facts.said.title)}\n\n**Synthetic data.** {facts.summary}", _contents(facts), _start(), _made(facts), _privacy(facts),
        _faithful(fidelity), _not_for(), _licence(facts), _citation(facts), _check()]  # fmt: skip
    return "\n".join(parts)


def cite(facts: Facts) -> str:
    """The dataset as a BibTeX entry; its key and note hold the digest of the rows."""
    said = facts.said
    fields = {
        "title": f"{{{_bare(said.title)}}}", "author": f"{{{_bare(said.publisher)}}}" if said.publisher else "",
        "year": str(said.published.year) if said.published else "", "howpublished": "Synthetic dataset",
        "note": f"Made with synthmob {facts.version}; SHA-256 of the rows {facts.out}"}  # fmt: skip
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@misc{{synthmob-{facts.out[:12]},\n{lines}\n}}"


def personal(facts: Facts) -> str:
    """One sentence on personal data."""
    if facts.privacy["claim"] != CLAIM:
        return "Every person is made up; no privacy is claimed for the published tables that the model was fitted on."
    return (
        "Every person is made up, from statistics that were measured under differential privacy "
        f"(epsilon {facts.privacy['epsilon']:g}, delta {facts.privacy['delta']:g}; unit: {facts.privacy['unit']}).")


def _contents(facts: Facts) -> str:
    rows = [
        [f"`{shipped.files[0].path}`" if len(shipped.files) == 1 else f"`{shipped.table.name}/`, {len(shipped.files)} parts",
         f"{shipped.n_rows:,}", shipped.table.row] for shipped in facts.tables]  # fmt: skip
    described = (
        f"Columns, units and categories: [{DICTIONARY}]({DICTIONARY}). For machines: `{CROISSANT}` (Croissant 1.1), `{DATAPACKAGE}` (Data "
        f"Package), `{metadata.FILE}` (SDV). Every Parquet file says `synthetic: true` in its footer; in `zones.parquet` and "
        "`calendar.parquet` that means: part of a synthetic dataset, for the zones and days themselves are real.")
    return f"\n## What it holds\n\n{markdown(['file', 'rows', 'one row is'], rows)}\n{described}\n"


def _start() -> str:
    parts = ["## Start\n\nFrom this folder:\n"]
    parts += [f"{start.tool}: {start.shows}\n\n```{start.language}\n{start.code}```\n" for start in STARTS]
    return "\n".join(parts)


def _made(facts: Facts) -> str:
    source = "noisy tables of real records (the release)" if facts.privacy["claim"] == CLAIM else "tables published by others (the release)"
    lines = [
        f"synthmob {facts.version} fitted a model of who lives and works where, where people go, what they do and when on {source} and on"
        f" public zones, and drew {facts.n_persons:,} persons and their days from it with the seed {facts.seed}. Nothing else went in.",
        *([f"\nThe release was silent on some things. Assumed was:\n\n{_bullets(map(_plain, facts.assumed))}"] if facts.assumed else []),
        *([f"\nEvents: {STATEMENT}"] if facts.has_events else []),
        f"\nRelease: SHA-256 `{facts.release}`. Rows as generated: SHA-256 `{facts.out}`."]  # fmt: skip
    return "## How it was made\n\n" + "\n".join(lines) + "\n"


def _privacy(facts: Facts) -> str:
    first, *rest = privacy.sentences(facts.privacy)
    return "## Privacy\n\n" + "\n".join([first, "", *rest]).rstrip() + "\n"


def _faithful(fidelity: Fidelity) -> str:
    rows = [cells(found) for word in WORDS for found in fidelity.metrics if found.word == word]
    notes = [_plain(note) for note in fidelity.notes]
    return (
        f"## How faithful\n\n{fidelity.headline}. Value, floor and baseline are shares of people or trips in the wrong cell of a "
        f"released table, 0 is best.\n\n{markdown(HEADINGS, rows, right=1)}\n{LEGEND[:1].upper()}{LEGEND[1:]}. All of it: `{FIDELITY}`.\n"
        + (f"\n{_bullets(notes)}\n" if notes else ""))  # fmt: skip


def _not_for() -> str:
    return f"## What it is for, and what it must not be used for\n\nFor:\n\n{_bullets(USES)}\n\nNot for:\n\n{_bullets(NOT_FOR)}\n"


def _licence(facts: Facts) -> str:
    said = facts.said
    name = f"[{said.licence.name}]({said.licence.url})" if said.licence.url else f"terms of its owner, `{said.licence.spdx}`: ask for them"
    notice = _plain(said.notice) or "not stated: ask who gave you this dataset before you publish the shapes"
    rows = f"Persons, stays, trips and their descriptions: {name} (`{said.licence.spdx}`)."
    return f"## Licence\n\n{rows}\n\nShapes in `zones.parquet`: {notice}.\n"


def _citation(facts: Facts) -> str:
    return f"## Citation\n\n```bibtex\n{cite(facts)}\n```\n"


def _check() -> str:
    return (
        f"## Check it\n\n`sha256sum -c {SUMS}` compares every file; `synthmob verify .` does that, names what was changed, added or "
        "taken away, and looks whether rows and descriptions agree. Both tell of accidents and of careless hands: whoever rewrites all "
        f"files can rewrite {SUMS} too, so compare its own SHA-256 with the one that the publisher gave.\n")


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _plain(text: str) -> str:
    """Text of others without what Markdown or HTML would take for its own."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#|" else sign for sign in text)


def _bare(text: str) -> str:
    """Text of others without what BibTeX would take for its own."""
    return "".join(sign for sign in text if sign not in "{}\\%@\"#`<>|")
