"""report: one page about an OUT folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthmob import folders, manifest
from synthmob.pipeline.places import check_confidential, check_file, check_folder
from synthmob.release import Release
from synthmob.synthesis.outfolder import read_zones
from synthmob.synthesis.unfinished import check_whole

TITLE = "Synthetic mobility data"


def report(out: Path, release: Path, target: Path, *, check: Path | None = None, title: str = TITLE) -> Path:
    """Write the page; with the result of an inside check it is confidential and lies in no folder that is made to be shipped."""
    from synthmob.report.card import write_report

    check_whole(out)
    check_folder(release, "release.json", "release")
    check_file(target)
    found: dict[str, Any] | None = folders.read_json(check, "check result", linked=True) if check is not None else None
    confidential = found is not None and found.get("confidential") is not False
    if confidential:
        check_confidential(target, out, release)
    scores = found.get("sdmetrics") if found is not None else None
    page = write_report(
        out, Release.load(release), found, read_zones(out), target, title, scores if isinstance(scores, dict) else None)
    inputs = {"out": out, "release": release} | ({"check": check} if check is not None else {})
    said = manifest.compose("report", {"title": title}, inputs=inputs, packages=("altair",), confidential=confidential)
    manifest.write(said, manifest.beside(target))
    return page
