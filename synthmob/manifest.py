"""What a step leaves beside its result: which step it was, with which parameters, seed and versions, from which inputs.

A manifest is a function of what was asked and of the bytes that were read: no time, no machine, no path but the last
name of it. `measure` names no input that holds records, for their hash or size would be an exact fact about them.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any, cast

from synthmob import folders
from synthmob.errors import FormatError

FILE = "manifest.json"
FORMAT = "synthmob manifest"
FORMAT_VERSION = 1
PACKAGES = ("synthmob", "numpy", "pyarrow")
SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_INPUTS = 100


def compose(
    step: str,
    parameters: Mapping[str, Any],
    *,
    inputs: Mapping[str, Path] | None = None,
    seed: int | None = None,
    packages: Iterable[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """The manifest of a step; `inputs` are hashed, `packages` are named with their versions, `more` stands as it is given.

    >>> compose("fit", {"epsilon": 1})["step"]
    'fit'
    """
    seeded = {} if seed is None else {"seed": seed}
    return {
        "format": FORMAT, "format_version": FORMAT_VERSION, "step": step, "parameters": dict(parameters), **seeded,
        "inputs": hashed(inputs or {}), **more, "versions": versions((*PACKAGES, *packages)),
    }  # fmt: skip


def hashed(inputs: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """What a manifest says of its inputs: by role the last name and the SHA-256 of each; FormatError where one cannot be read."""
    return {role: {"name": path.resolve().name, "sha256": digest(path)} for role, path in inputs.items()}


def write(content: Mapping[str, Any], path: Path) -> None:
    """Write a manifest to a file."""
    path.write_text(folders.json_text(content), encoding="utf-8", newline="\n")


def plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest as it is read back.

    >>> plain({"days": (1, 2)})
    {'days': [1, 2]}
    """
    return cast(dict[str, Any], json.loads(json.dumps(content)))


def beside(path: Path) -> Path:
    """Where the manifest of a result that is one file lies.

    >>> beside(Path("out/report.html")).name
    'report.manifest.json'
    """
    return path.with_name(f"{path.stem}.manifest.json")


def read(folder: Path) -> dict[str, Any]:
    """The manifest in a folder; FormatError where there is none or where it is something else."""
    content = folders.read_json(folder / FILE, "synthmob folder")
    if content.get("format") != FORMAT or content.get("format_version") != FORMAT_VERSION:
        raise FormatError(
            f"{folder / FILE} has format {content.get('format')!r} version {content.get('format_version')!r}: this "
            f"synthmob reads {FORMAT!r} version {FORMAT_VERSION}, use the one that wrote it."
        )
    if not isinstance(content.get("step"), str) or not isinstance(content.get("parameters"), dict):
        raise FormatError(f"{folder / FILE} names no step and parameters: it is damaged, ask for the folder again.")
    return content


def inputs(said: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The inputs that a manifest names, each with its name and SHA-256; FormatError where they are not named so."""
    found = said.get("inputs")
    if not isinstance(found, dict) or len(cast(dict[str, Any], found)) > MAX_INPUTS:
        raise FormatError("A manifest does not name its inputs: the folder is damaged, ask for it again.")
    for role, one in cast(dict[str, Any], found).items():
        named = isinstance(one, dict) and set(cast(dict[str, Any], one)) == {"name", "sha256"}
        if not named or not isinstance(one["name"], str) or not isinstance(one["sha256"], str) or not SHA256.fullmatch(one["sha256"]):
            raise FormatError(f"A manifest names no file and SHA-256 for {role[:40]!r}: the folder is damaged, ask for it again.")
    return cast(dict[str, dict[str, str]], found)


def digest(path: Path) -> str:
    """The SHA-256 of a file, or of a folder's files listed as `sha256sum` does, sorted by path; FormatError for neither.

    Links inside a folder are not followed and not listed, for they may lead anywhere; nor is what file managers hide in it.
    """
    if path.is_dir():
        found = [p.relative_to(path) for p in path.rglob("*") if p.is_file() and not p.is_symlink()]
        parts = sorted(p.as_posix() for p in found if not any(name.startswith(".") for name in p.parts))
        listing = "".join(f"{digest(path / part)}  {part}\n" for part in parts)
        return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()
    try:
        with folders.opened(path, linked=True) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise FormatError(f"There is no readable {path.name} at {path}: name a file or folder that is there.") from None


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of Python and of packages; what is not installed as a package is left out."""
    found = {"python": ".".join(str(part) for part in sys.version_info[:3])}
    for name in packages:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
