"""pack and verify: an OUT becomes a dataset that can be shipped; a dataset is looked through by who gets it. Anyone's side."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from synthmob import folders, manifest, schema
from synthmob.dataset import agreement, calendar, card, croissant, datapackage, dictionary, privacy, seal
from synthmob.dataset.facts import Facts, File, Said, Shipped
from synthmob.dataset.layout import (
    CROISSANT,
    DATAPACKAGE,
    DICTIONARY,
    FIDELITY,
    FOLDERS,
    HOLDS,
    KIND,
    OF_OUT,
    README,
    SITES,
    SUMS,
    TABLES,
    is_ours,
    table_of,
    walk,
)
from synthmob.dataset.seal import Fault
from synthmob.errors import FormatError
from synthmob.fidelity.people import compare
from synthmob.fidelity.result import Fidelity
from synthmob.period import Period
from synthmob.pipeline.places import check_folder
from synthmob.plan import domain_from
from synthmob.release import Release
from synthmob.synthesis import writer
from synthmob.synthesis.outfolder import check_out
from synthmob.synthesis.tables import SYNTHETIC
from synthmob.synthesis.unfinished import check_whole

STEP = "pack"
TOLD = 5
"""Faults that are named in one sentence; all of them are in the JSON."""


@dataclass(frozen=True)
class Packed:
    """A dataset that was written, or looked through: its files, its persons, and the SHA-256 of its SHA256SUMS, which stands for all."""

    n_files: int
    n_persons: int
    sums: str

    def as_json(self) -> dict[str, Any]:
        """The same as plain numbers and text."""
        return {"verified": True, "files": self.n_files, "persons": self.n_persons, "sha256sums": self.sums, "faults": []}


def pack(out: Path, release: Path, target: Path, said: Said) -> Packed:
    """Pack an OUT that was made from a release into a dataset, whole or not at all; an earlier dataset in its place is replaced.

    FormatError where OUT was made from another release, or holds more than `generate` writes.
    """
    check_folder(release, "release.json", "release")
    check_folder(out, writer.HOLDS[0], "synthetic population")
    found = Release.load(release)
    inputs = manifest.hashed({"release": release})
    made = _made_from(out, release, inputs["release"]["sha256"])
    with folders.written_aside(target.resolve(), KIND, SUMS, HOLDS) as work:
        _take_over(out, work)
        # What is compared and described are the copies: what was checked is what is shipped.
        fidelity = compare(found, work)
        (work / manifest.FILE).unlink()
        inputs = manifest.hashed({"out": out}) | inputs
        facts = _facts(work, said, made, found, inputs["release"]["sha256"], inputs["out"]["sha256"])
        _describe(facts, fidelity, work)
        files = _entries(facts, work)
        content = manifest.compose(
            STEP, said.as_json(), seed=facts.seed, packages=("duckdb", "geopandas"),
            synthetic=True, period=facts.period.as_json(), domain=asdict(facts.domain), assumed=list(facts.assumed),
            privacy=dict(facts.privacy), generated={key: made[key] for key in ("parameters", "versions") if key in made},
            origin=made["origin"], files=files)  # fmt: skip
        seal.write({**content, "inputs": inputs}, work)
    return Packed(len(files) + 2, facts.n_persons, manifest.digest(target / SUMS))


def faults(dataset: Path) -> list[Fault]:
    """The files of a dataset that were changed, added or taken away since it was packed; none of them is opened but to be hashed."""
    return seal.faults(dataset, seal.read(dataset))


def verify(dataset: Path, *, sums: str | None = None, tell: Callable[[list[Fault]], None] | None = None) -> Packed:
    """Look through a dataset: every file against its hash, then its rows, marks and descriptions against each other.

    `sums` is the SHA-256 of SHA256SUMS as its publisher gave it. FormatError names the files that are not what they were; `tell` is
    given all of them before that.
    """
    check_whole(dataset)
    said = seal.read(dataset)
    wrong = seal.faults(dataset, said)
    if wrong and tell is not None:
        tell(wrong)
    _refuse(dataset, wrong)
    found = manifest.digest(dataset / SUMS)
    if sums is not None and found != sums.strip().lower():
        raise FormatError(
            f"{SUMS} in {dataset} has the SHA-256 {found}, not the one given: it is another {KIND}, or all of it was rewritten.")
    if said is None or said.get("step") != STEP or said.get("synthetic") is not True:
        raise FormatError(f"{dataset / manifest.FILE} was not left by {STEP!r}: name the folder of a {KIND}.")
    agreement.check(dataset, said["files"], Period.from_json(said.get("period", {})))
    check_out(dataset)
    n_persons = agreement.opened(dataset, OF_OUT[0]).metadata.num_rows
    return Packed(len(said["files"]) + 2, n_persons, found)


def _refuse(dataset: Path, found: list[Fault]) -> None:
    """FormatError that names the files that are not what they were, if there are any."""
    if found:
        named = ", ".join(f"{fault.path} ({fault.what})" for fault in found[:TOLD])
        more = f" and {len(found) - TOLD} more" if len(found) > TOLD else ""
        raise FormatError(f"{dataset} is not what was packed: {named}{more}; ask for it again.")


def _made_from(out: Path, release: Path, digest: str) -> dict[str, Any]:
    """The manifest of OUT; FormatError unless it was generated by a model that was fitted on this very release, of that SHA-256."""
    said = manifest.read(out)
    if said["step"] != writer.STEP:
        raise FormatError(f"{out} was left by {said['step']!r}, not by {writer.STEP!r}: give the folder that generate wrote.")
    origin = manifest.inputs({"inputs": said.get("origin")})
    if "release" not in origin:
        raise FormatError(f"{out} does not say from which release it was made: fit and generate it again with this synthmob.")
    if origin["release"]["sha256"] != digest:
        raise FormatError(
            f"{out} was not made from {release}, but from another release or an earlier state of it: give the one that fit read.")
    if type(said.get("seed")) is not int:
        raise FormatError(f"The manifest of {out} names no seed: generate it again.")
    _ = Period.from_json(said.get("period", {})), domain_from(said.get("domain"), manifest.FILE)
    return {**said, "origin": origin}


def _take_over(out: Path, work: Path) -> None:
    """Copy what generate writes; FormatError for a link, or for anything else in OUT but what file managers hide."""
    found = {path: kind for path, kind in walk(out) if not path.rpartition("/")[2].startswith(".")}
    wanted = [path for path in found if path in (*OF_OUT, SITES, manifest.FILE) or path.rpartition("/")[0]]
    for path, kind in found.items():
        if kind != "file" or path not in wanted or not is_ours(path):
            raise FormatError(f"{out} holds {path[:80]!r}, which generate does not write: take it out, or generate again.")
    if missing := [path for path in (*OF_OUT, manifest.FILE) if path not in found]:
        raise FormatError(f"There is no {missing[0]} in {out}: generate it again with this synthmob.")
    if (SITES in found) != any(path.startswith(f"{schema.SYNTHETIC_EVENTS.name}/") for path in found):
        raise FormatError(f"{out} has events without antenna sites, or sites without events: generate it again.")
    for name in {path.rpartition("/")[0] for path in wanted} & set(FOLDERS):
        (work / name).mkdir()
    for path in wanted:
        with folders.opened(out / path) as source, (work / path).open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
        if table_of(path) is not None:
            _ = agreement.opened(work, path)


def _facts(work: Path, said: Said, made: Mapping[str, Any], release: Release, digest: str, out: str) -> Facts:
    """What is known of the dataset in `work`: the calendar is written on the way."""
    period, domain = Period.from_json(made.get("period", {})), domain_from(made.get("domain"), manifest.FILE)
    calendar.write(period, work / f"{schema.CALENDAR.name}.parquet", SYNTHETIC)
    paths = [path for path, _ in walk(work) if table_of(path) is not None]
    shipped: list[Shipped] = []
    for table in TABLES:
        files = [(path, agreement.opened(work, path)) for path in paths if table_of(path) == table]
        if not files and table in schema.OF_PHONES:
            continue
        columns = list(files[0][1].schema_arrow.names)
        shipped.append(Shipped(agreement.table_with(columns, table), tuple(
            File(path, manifest.digest(work / path), (work / path).stat().st_size, file.metadata.num_rows) for path, file in files)))
    assumed = tuple(str(line)[:500] for line in made.get("assumed", []))
    version = manifest.versions(("synthmob",)).get("synthmob", "")
    return Facts(said, tuple(shipped), period, domain, privacy.statement(release), assumed, int(made["seed"]), digest, out, version)


def _entries(facts: Facts, work: Path) -> dict[str, dict[str, Any]]:
    """What the manifest says of every file; those of tables were hashed for the facts."""
    known = {file.path: {"sha256": file.sha256, "bytes": file.n_bytes} for shipped in facts.tables for file in shipped.files}
    return {path: known[path] if path in known else seal.entry(work / path) for path, _ in walk(work)}


def _describe(facts: Facts, fidelity: Fidelity, work: Path) -> None:
    """Write every description of a dataset."""
    cite, personal = card.cite(facts), card.personal(facts)
    told = {
        CROISSANT: croissant.describe(facts, cite=cite, limits=list(card.LIMITS), uses=list(card.USES), personal=personal),
        DATAPACKAGE: datapackage.describe(facts), FIDELITY: fidelity.as_json()}  # fmt: skip
    texts = {README: card.card(facts, fidelity), DICTIONARY: dictionary.dictionary(facts)} | {
        name: folders.json_text(content) for name, content in told.items()}
    for name, text in texts.items():
        (work / name).write_text(text, encoding="utf-8", newline="\n")
