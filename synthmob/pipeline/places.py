"""Where things of a run lie: a zoning file and how to read it, result files, and the walls around confidential ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthmob import folders, manifest
from synthmob.errors import ConfidentialError, FormatError, InputError
from synthmob.synthesis.unfinished import check_whole
from synthmob.zonefiles import read_zoning
from synthmob.zones import Zoning

SHIPPED = ("release.json", "model.json", "persons.parquet")
"""A folder with one of these is a RELEASE, a MODEL or an OUT: made to be given away."""


@dataclass(frozen=True)
class ZoningFile:
    """A public zoning on disk and how to read it: see `zonefiles.read_zoning`."""

    path: Path
    id_column: str = "zone_id"
    district_column: str = "district_id"
    h3_resolution: int | None = None

    def read(self) -> Zoning:
        """The zoning."""
        return read_zoning(
            self.path, id_column=self.id_column, district_column=self.district_column, h3_resolution=self.h3_resolution)

    def parameters(self) -> dict[str, Any]:
        """How it is read, for a manifest."""
        said = {"id_column": self.id_column, "district_column": self.district_column}
        return said if self.h3_resolution is None else {**said, "h3_resolution": self.h3_resolution}


def check_file(target: Path) -> None:
    """Refuse, before any work, a result file that could not be written."""
    if target.is_dir():
        raise InputError(f"{target} is a folder: the result is one file, name a file.")
    above = next(p for p in target.absolute().parents if p.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise InputError(f"{above} cannot be written in: name a place for the result where you may write.")


def check_confidential(target: Path, *shipped: Path) -> None:
    """Refuse a place for a confidential file inside the `shipped` folders, or inside any RELEASE, MODEL or OUT."""
    place = target.resolve()
    inside = [folder for folder in shipped if place.is_relative_to(folder.resolve())]
    inside += [folder for folder in place.parents if any((folder / mark).exists() for mark in SHIPPED)]
    if inside:
        raise ConfidentialError(
            f"{target.name} holds scores against private records and would lie inside {inside[0]}, which is made to be shipped: "
            "write it somewhere else.")


def write_result(content: Mapping[str, Any], said: Mapping[str, Any], target: Path) -> None:
    """Write a JSON result and, beside it, its manifest; each whole or not at all."""
    for what, path in ((content, target), (said, manifest.beside(target))):
        with folders.file_aside(path) as aside:
            aside.write_text(folders.json_text(what), encoding="utf-8", newline="\n")


def check_folder(folder: Path, mark: str, kind: str) -> None:
    """Refuse an input that is not a folder with the file `mark`, before anything slow is done."""
    check_whole(folder)
    if not (folder / mark).is_file():
        raise FormatError(f"There is no {mark} in {folder}: give the folder of a {kind}.")
