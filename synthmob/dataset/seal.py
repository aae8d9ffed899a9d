"""The hashes of a dataset, so laid out that one flipped bit anywhere names the file that it is in.

`manifest.json` holds the SHA-256 and the size of every other file, and a seal: the SHA-256 of itself without the seal. SHA256SUMS follows
from it, line by line. A flipped bit in a file contradicts the manifest, one in the manifest its own seal, one in SHA256SUMS the
manifest. There is no key: whoever rewrites everything is not found out, only who touches a part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from synthmob import folders, manifest
from synthmob.dataset.layout import KIND, MAX_FILES, SUMS, is_ours, walk
from synthmob.errors import FormatError

CHANGED, MISSING, EXTRA, LINK = "changed", "missing", "too many", "a link or no file"
LONGEST_NAME = 120
"""Letters of a stranger's file name that are told."""


@dataclass(frozen=True)
class Fault:
    """A file of a dataset that is not what it was: its path inside, and what is wrong with it."""

    path: str
    what: str


def entry(path: Path) -> dict[str, Any]:
    """What the manifest says of a file."""
    return {"sha256": manifest.digest(path), "bytes": path.stat().st_size}


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest with its seal."""
    return {**content, "seal": hashlib.sha256(folders.json_text(content).encode("utf-8")).hexdigest()}


def sums(files: Mapping[str, Mapping[str, Any]], folder: Path) -> str:
    """The text of SHA256SUMS: the files of a manifest, and the manifest in the folder."""
    hashes = {path: said["sha256"] for path, said in files.items()} | {manifest.FILE: manifest.digest(folder / manifest.FILE)}
    return "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes))


def write(content: Mapping[str, Any], folder: Path) -> None:
    """Write the sealed manifest of a folder, and SHA256SUMS after it; `content` has the `files`."""
    manifest.write(sealed(content), folder / manifest.FILE)
    (folder / SUMS).write_text(sums(content["files"], folder), encoding="utf-8", newline="\n")


def read(folder: Path) -> dict[str, Any] | None:
    """The manifest of a dataset, None where its seal is broken; FormatError where there is none at all."""
    path = folder / manifest.FILE
    if not path.is_file() or path.is_symlink():
        raise FormatError(f"There is no {manifest.FILE} in {folder}: name the folder of a {KIND}.")
    try:
        said = folders.read_json(path, KIND)
        text = folders.read_bytes(path, folders.MAX_JSON_BYTES).decode("utf-8")
    except (FormatError, OSError, UnicodeDecodeError):
        return None
    content = {key: value for key, value in said.items() if key != "seal"}
    whole = text == folders.json_text(said) and sealed(content).get("seal") == said.get("seal") and _lists_files(content.get("files"))
    return content if whole else None


def faults(folder: Path, said: Mapping[str, Any] | None) -> list[Fault]:
    """What is wrong with the files of a folder by its manifest; only that the manifest is where it is broken itself."""
    if said is None:
        return [Fault(manifest.FILE, CHANGED)]
    files = cast(dict[str, dict[str, Any]], said["files"])
    wanted, found = {*files, manifest.FILE, SUMS}, dict(walk(folder))
    strange = [(path, kind) for path, kind in found.items() if kind != "file" or path not in wanted]
    wrong = [Fault(_told(path), LINK if kind == "link" or path in wanted else EXTRA) for path, kind in strange]
    wrong += [Fault(path, MISSING) for path in sorted(wanted - set(found))]
    wrong += [Fault(path, CHANGED) for path, stated in files.items() if found.get(path) == "file" and not _same(folder / path, stated)]
    if found.get(SUMS) == "file" and not _same_sums(folder, files):
        wrong.append(Fault(SUMS, CHANGED))
    return sorted(wrong, key=lambda fault: fault.path)


def _told(path: str) -> str:
    """The name of a stranger's file as text, whatever bytes it is of."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")[:LONGEST_NAME]


def _lists_files(files: object) -> bool:
    """Whether a manifest lists files as ours do: names of ours, each with its hash and size."""
    if not isinstance(files, dict) or not 0 < len(cast(dict[str, Any], files)) <= MAX_FILES:
        return False
    listed = cast(dict[str, Any], files)
    return all(is_ours(path) and path not in (SUMS, manifest.FILE) and _is_entry(said) for path, said in listed.items())


def _is_entry(said: object) -> bool:
    if not isinstance(said, dict) or set(cast(dict[str, Any], said)) != {"sha256", "bytes"}:
        return False
    digest, size = said["sha256"], said["bytes"]
    return isinstance(digest, str) and bool(manifest.SHA256.fullmatch(digest)) and type(size) is int and size >= 0


def _same(path: Path, said: Mapping[str, Any]) -> bool:
    """Whether a file has the size and the hash that are said; one of another size is not read."""
    try:
        return path.lstat().st_size == said["bytes"] and manifest.digest(path) == said["sha256"]
    except (OSError, FormatError):
        return False


def _same_sums(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> bool:
    wanted = sums(files, folder).encode("utf-8")
    try:
        return folders.read_bytes(folder / SUMS, len(wanted)) == wanted
    except OSError:
        return False
